//! The keys of a verifier that do not stand among its secrets: files that the scheme names, and documents that the
//! sender publishes.

use super::{SpecProblem, Verifier, keys::Keys, scheme::Check};

impl Verifier {
    /// Returns the files that the schemes name: certificates and key sets. Whoever can read files gives their
    /// content to [`set_file`](Self::set_file).
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for scheme in &self.schemes {
            match &scheme.check {
                Check::Signature(signature) => {
                    if let Keys::Certificate(certificates) = &signature.keys {
                        files.extend(certificates.files.iter().cloned());
                    }
                }
                Check::Jwt(jwt) => {
                    files.extend(jwt.source.as_ref().and_then(|source| source.file()).map(str::to_owned));
                }
                Check::Nothing | Check::Token(_) => {}
            }
        }
        files.sort();
        files.dedup();
        files
    }

    /// Takes the content of one of the [`files`](Self::files); what was read of it before stays where it is wrong.
    pub fn set_file(&self, file: &str, text: &str) -> Result<(), SpecProblem> {
        for scheme in &self.schemes {
            match &scheme.check {
                Check::Signature(signature) => {
                    if let Keys::Certificate(certificates) = &signature.keys
                        && certificates.files.iter().any(|known| known == file)
                    {
                        certificates.give(file, text)?;
                    }
                }
                Check::Jwt(jwt) => {
                    if let Some(source) = jwt.source.as_ref().filter(|source| source.file() == Some(file)) {
                        source.give(text)?;
                    }
                }
                Check::Nothing | Check::Token(_) => {}
            }
        }
        Ok(())
    }

    /// Drops what was read of one of the [`files`](Self::files): it is there no more.
    pub fn forget_file(&self, file: &str) {
        for scheme in &self.schemes {
            match &scheme.check {
                Check::Signature(signature) => {
                    if let Keys::Certificate(certificates) = &signature.keys {
                        certificates.given.write().retain(|(known, _)| known != file);
                    }
                }
                Check::Jwt(jwt) => {
                    if let Some(source) = jwt.source.as_ref().filter(|source| source.file() == Some(file)) {
                        source.forget();
                    }
                }
                Check::Nothing | Check::Token(_) => {}
            }
        }
    }

    /// Fetches the key at an address that a check missed, if it is one that the scheme may fetch.
    pub async fn fetch(&self, address: &str) {
        for scheme in &self.schemes {
            match &scheme.check {
                Check::Signature(signature) => {
                    if let Keys::Certificate(certificates) = &signature.keys {
                        certificates.fetch(address).await;
                    }
                }
                Check::Jwt(jwt) => {
                    if let Some(source) =
                        jwt.source.as_ref().filter(|source| source.address() == Some(address))
                    {
                        source.fetch_missing().await;
                    }
                }
                Check::Nothing | Check::Token(_) => {}
            }
        }
    }

    /// Returns the address of a key set that was fetched in vain so far.
    pub fn out_of_reach(&self) -> Option<&str> {
        self.schemes.iter().find_map(|scheme| match &scheme.check {
            Check::Jwt(jwt) => jwt.source.as_ref().filter(|source| source.is_out_of_reach())?.address(),
            Check::Nothing | Check::Token(_) | Check::Signature(_) => None,
        })
    }

    /// Fetches key sets that are not here yet or are getting old; meant to be called from time to time.
    pub async fn refresh(&self) {
        for scheme in &self.schemes {
            if let Check::Jwt(jwt) = &scheme.check
                && let Some(source) = &jwt.source
            {
                source.refresh().await;
            }
        }
    }
}
