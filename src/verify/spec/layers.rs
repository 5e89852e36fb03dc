//! How the alternatives of a scheme lie over what they share, and what the whole asks of a source.

use super::{Algorithm, JwtAlgorithm, VerifySpec};
use crate::request::slot::Texts;
use std::collections::BTreeMap;

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

    /// Demands outright what is demanded only where a constant is stated, as `[{param:NAME}]`, where it is stated: one
    /// without a value then keeps the scheme from being built instead of taking every value.
    pub fn demand_stated(&mut self, is_stated: &dyn Fn(&str) -> bool) {
        for values in self.require.iter_mut().flat_map(BTreeMap::values_mut) {
            let demanded = values.iter().map(|text| match optional(text).filter(|name| is_stated(name)) {
                Some(name) => format!("{{param:{name}}}"),
                None => text.to_owned(),
            });
            *values = Texts::Several(demanded.collect());
        }
        self.any_of.iter_mut().flatten().for_each(|alternative| alternative.demand_stated(is_stated));
    }

    /// Returns the slots that may hold anything for the lack of a constant, each with its name.
    pub fn undemanded(&self) -> Vec<(&str, &str)> {
        let own = self.require.iter().flatten().filter_map(|(at, values)| {
            let mut names = values.iter().map(optional);
            let first = names.next()??;
            names.all(|name| name.is_some()).then_some((at.as_str(), first))
        });
        own.chain(self.any_of.iter().flatten().flat_map(Self::undemanded)).collect()
    }

    /// Returns this scheme with the fields that it lacks taken from `base`.
    fn over(&self, base: &Self) -> Self {
        let places = self.header.is_some() || self.from.is_some() || self.member.is_some();
        // How a signature is written says nothing of a token, nor the other way round.
        let base = match (self.algorithm, base.algorithm) {
            (Some(own), Some(other)) if own != other && own.signs_nothing() => base.shared(),
            _ => base.clone(),
        };
        let place = if places { self } else { &base }.clone();
        let own = self.clone();
        Self {
            header: place.header,
            from: place.from,
            member: place.member,
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
            require: both(own.require, base.require),
            each: own.each.or(base.each),
            any_of: None,
            certificate: own.certificate.or(base.certificate),
            hash: own.hash.or(base.hash),
            jwt: own.jwt.or(base.jwt),
            signs_tokens: base.signs_tokens,
            params: base.params,
        }
    }

    /// Returns what holds for an alternative of another kind, too.
    fn shared(&self) -> Self {
        Self {
            url: self.url.clone(),
            require: self.require.clone(),
            each: self.each.clone(),
            signs_tokens: self.signs_tokens,
            params: self.params.clone(),
            ..Self::default()
        }
    }
}

/// Returns the constant of a value that is demanded only where the constant is stated.
pub(in crate::verify) fn optional(text: &str) -> Option<&str> {
    text.strip_prefix("[{param:")?.strip_suffix("}]")
}

/// What slots must hold.
type Required = BTreeMap<String, Texts>;

/// Joins the demands of an alternative and the shared ones. Of a slot that both name, both must allow the value: neither
/// an operator's demand nor a preset's may be lost.
fn both(own: Option<Required>, shared: Option<Required>) -> Option<Required> {
    let (own, mut all) = match (own, shared) {
        (Some(own), Some(shared)) => (own, shared),
        (own, shared) => return own.or(shared),
    };
    for (at, values) in own {
        let allowed = match all.get(&at) {
            Some(shared) => {
                let is_shared = |text: &&str| shared.iter().any(|other| other == *text);
                Texts::Several(values.iter().filter(is_shared).map(str::to_owned).collect())
            }
            None => values,
        };
        all.insert(at, allowed);
    }
    Some(all)
}
