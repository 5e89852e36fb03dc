//! The keys of a verifier that do not stand among its secrets: files that the scheme names, and documents that the
//! sender publishes.

use super::{SpecProblem, Verifier, certificate::Certificates, jwt::Source, keys::Keys, scheme::Check};

impl Verifier {
    fn certificates(&self) -> impl Iterator<Item = &Certificates> {
        self.schemes.iter().filter_map(|scheme| match &scheme.check {
            Check::Signature(signature) => match &signature.keys {
                Keys::Certificate(certificates) => Some(certificates),
                Keys::Shared { .. } | Keys::Public { .. } => None,
            },
            Check::Nothing | Check::Token(_) | Check::Jwt(_) => None,
        })
    }

    fn key_sets(&self) -> impl Iterator<Item = &Source> {
        self.schemes.iter().filter_map(|scheme| match &scheme.check {
            Check::Jwt(jwt) => jwt.source.as_ref(),
            Check::Nothing | Check::Token(_) | Check::Signature(_) => None,
        })
    }

    /// Returns the files that the schemes name: certificates and key sets. Whoever can read files gives their
    /// content to [`set_file`](Self::set_file).
    pub fn files(&self) -> Vec<String> {
        let certificates = self.certificates().flat_map(|of| of.files.iter().map(String::as_str));
        let all = certificates.chain(self.key_sets().filter_map(Source::file));
        let mut files: Vec<String> = all.map(str::to_owned).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Takes the content of one of the [`files`](Self::files); what was read of it before stays where it is wrong.
    pub fn set_file(&self, file: &str, text: &str) -> Result<(), SpecProblem> {
        let mut certificates = self.certificates().filter(|of| of.files.iter().any(|known| known == file));
        certificates.try_for_each(|of| of.give(file, text))?;
        self.key_sets().filter(|source| source.file() == Some(file)).try_for_each(|source| source.give(text))
    }

    /// Drops what was read of one of the [`files`](Self::files): it is there no more.
    pub fn forget_file(&self, file: &str) {
        self.certificates().for_each(|of| of.given.write().retain(|(known, _)| known != file));
        self.key_sets().filter(|source| source.file() == Some(file)).for_each(Source::forget);
    }

    /// Fetches the key at an address that a check missed, if it is one that the scheme may fetch.
    pub async fn fetch(&self, address: &str) {
        for certificates in self.certificates() {
            certificates.fetch(address).await;
        }
        for source in self.key_sets().filter(|source| source.address() == Some(address)) {
            source.fetch_missing().await;
        }
    }

    /// Returns the address of a key set that was fetched in vain so far.
    pub fn out_of_reach(&self) -> Option<&str> {
        self.key_sets().find(|source| source.is_out_of_reach())?.address()
    }

    /// Fetches key sets that are not here yet or are getting old; meant to be called from time to time.
    pub async fn refresh(&self) {
        for source in self.key_sets() {
            source.refresh().await;
        }
    }
}
