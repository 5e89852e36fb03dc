//! The right secret under another scheme: another hash, another message, another form of the key.

use super::{Cause, Lab, discover};
use crate::verify::VerifyError;

/// Searches the recipes at the place where the signature stands.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Vec<Cause> {
    if !matches!(error, VerifyError::Mismatch | VerifyError::Malformed(_)) {
        return Vec::new();
    }
    let Some(recipe) = discover::at_own_place(lab) else { return Vec::new() };
    let what = format!("the signature is right under another scheme: {}", recipe.summary());
    let mend = format!("set `verify: {}`", recipe.flow());
    vec![Cause::proven("scheme", what, mend)]
}
