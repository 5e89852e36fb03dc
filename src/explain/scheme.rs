//! The right secret under another scheme: another hash, another message, another form of the key.

use super::{Cause, Lab, discover, stated::stated};
use crate::verify::VerifyError;

/// Searches the recipes at the place where the signature stands.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matches!(error, VerifyError::Mismatch | VerifyError::Malformed(_)).then_some(())?;
    let recipe = discover::at_own_place(lab)?;
    let what = format!("the signature is right under another scheme: {}", recipe.summary());
    let mend = format!("set `verify: {}`", stated(&recipe.spec));
    Some(Cause::proven("scheme", what, mend))
}
