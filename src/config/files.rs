//! The files that a scheme names: certificates and key sets. A check reads no file; what stands in them is read here and
//! given to it.

use super::SecretRef;
use crate::verify::Verifier;
use secrecy::ExposeSecret as _;

/// Reads the files of a verifier anew; returns what is wrong with each that cannot be used.
pub fn give_files(verifier: &Verifier) -> Vec<String> {
    let give = |file: String| {
        let text = SecretRef::File(file.as_str().into()).resolve().map_err(|error| error.to_string())?;
        verifier
            .set_file(&file, text.expose_secret())
            .map_err(|problem| format!("verify.{}: {}; {}", problem.field, problem.problem, problem.fix))
    };
    verifier.files().into_iter().filter_map(|file| give(file).err()).collect()
}
