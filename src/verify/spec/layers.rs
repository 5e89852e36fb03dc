//! How the alternatives of a scheme lie over what they share, and what the whole asks of a source.

use super::{Algorithm, JwtAlgorithm, VerifySpec};

impl VerifySpec {
    /// Returns the schemes that are tried in turn: the alternatives, or this one alone.
    pub fn alternatives(&self) -> Vec<Self> {
        match self.any_of.as_deref() {
            None | Some([]) => vec![self.clone()],
            Some(alternatives) => alternatives.iter().map(|over| over.over(self)).collect(),
        }
    }

    /// True where every alternative says how it is verified.
    pub fn is_chosen(&self) -> bool {
        self.alternatives().iter().all(|scheme| scheme.algorithm.is_some())
    }

    /// True where nothing can be verified before the source has a secret.
    pub fn needs_secret(&self) -> bool {
        self.alternatives().iter().any(Self::is_keyed_by_secrets)
    }

    fn is_keyed_by_secrets(&self) -> bool {
        let has_hs256 = || {
            self.jwt
                .iter()
                .flat_map(|jwt| jwt.algorithms.iter().flatten())
                .any(|name| *name == JwtAlgorithm::Hs256)
        };
        self.algorithm.is_some_and(|algorithm| {
            algorithm.is_hmac()
                || matches!(algorithm, Algorithm::Token | Algorithm::Basic)
                || (algorithm.is_digest() && self.key_position.is_some())
                || (algorithm.is_public_key() && self.public_keys.iter().flatten().next().is_none())
                || (algorithm == Algorithm::Jwt && has_hs256())
        })
    }

    /// Takes times as signed, but neither reads nor judges them.
    pub fn ignore_time(&mut self) {
        if let Some(timestamp) = &mut self.timestamp {
            timestamp.tolerance = Some("off".to_owned());
        }
        self.any_of.iter_mut().flatten().for_each(Self::ignore_time);
    }

    /// Takes certificates or a key set from a file instead of an address.
    pub fn give_files(&mut self, certificate: Option<&str>, jwks: Option<&str>) {
        if let (Some(file), Some(certificates)) = (certificate, &mut self.certificate) {
            certificates.files = Some(vec![file.to_owned()]);
        }
        if let (Some(file), Some(jwt)) = (jwks, &mut self.jwt) {
            jwt.jwks = Some(file.to_owned());
        }
        for alternative in self.any_of.iter_mut().flatten() {
            alternative.give_files(certificate, jwks);
        }
    }

    /// Returns this scheme with the fields that it lacks taken from `base`.
    fn over(&self, base: &Self) -> Self {
        let places = self.header.is_some() || self.from.is_some() || self.member.is_some();
        let place = if places { self } else { base };
        let (own, base) = (self.clone(), base.clone());
        Self {
            header: place.header.clone(),
            from: place.from.clone(),
            member: place.member.clone(),
            algorithm: own.algorithm.or(base.algorithm),
            prefix: own.prefix.or(base.prefix),
            prefix_optional: own.prefix_optional.or(base.prefix_optional),
            separator: own.separator.or(base.separator),
            encoding: own.encoding.or(base.encoding),
            key: own.key.or(base.key),
            key_position: own.key_position.or(base.key_position),
            public_keys: own.public_keys.or(base.public_keys),
            message: own.message.or(base.message),
            url: own.url.or(base.url),
            timestamp: own.timestamp.or(base.timestamp),
            missing_hash: own.missing_hash.or(base.missing_hash),
            require: own.require.or(base.require),
            each: own.each.or(base.each),
            any_of: None,
            certificate: own.certificate.or(base.certificate),
            hash: own.hash.or(base.hash),
            jwt: own.jwt.or(base.jwt),
            params: base.params,
        }
    }
}
