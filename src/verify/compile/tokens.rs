//! Reads the schemes that send a credential: a secret as it is, or a JSON Web Token.

use super::Reader;
use crate::{
    request::slot::Texts,
    verify::{
        jwt::{Expected, Jwt, Source},
        keyring::Keyring,
        place::Place,
        spec::{Algorithm, ClaimValue, JwtAlgorithm, JwtSpec},
        token::Token,
        value::fill,
    },
};
use jiff::SignedDuration;

impl Reader<'_> {
    pub(super) fn token(&mut self, algorithm: Algorithm) -> Option<Token> {
        let spec = self.spec;
        let unfit = [
            // Beside another place it is told there.
            ("member", spec.member.is_some() && spec.header.is_none() && spec.from.is_none()),
            ("separator", spec.separator.is_some()),
            ("encoding", spec.encoding.is_some()),
            ("key", spec.key.is_some()),
            ("key_position", spec.key_position.is_some()),
            ("public_keys", spec.public_keys.is_some()),
            ("message", spec.message.is_some()),
            ("timestamp", spec.timestamp.is_some()),
            ("missing_hash", spec.missing_hash.is_some()),
            ("certificate", spec.certificate.is_some()),
            ("hash", spec.hash.is_some()),
            ("jwt", spec.jwt.is_some()),
        ];
        self.unfit(&unfit, "a token is compared with the secret, and nothing else is");
        let is_basic = algorithm == Algorithm::Basic;
        let (header, prefix) = if is_basic { (Some("authorization"), "Basic ") } else { (None, "") };
        let prefix = self.prefix(prefix);
        let place = self.place(header);
        if matches!(place, Some(Place::Numbered(_))) {
            let fix = "name the header, or a list of headers";
            self.report("header", "a token stands in one header, and not in numbered ones", fix);
        }
        Some(Token { place: place?, prefix, is_basic, ring: Keyring::empty() })
    }

    pub(super) fn jwt(&mut self) -> Option<Jwt> {
        let spec = self.spec;
        if spec.signs_tokens {
            let problem = "a handshake signs short tokens with the same secret: it could sign one of these";
            self.report("jwt", problem, "take `hmac:` out of `respond`");
        }
        let unfit = [
            ("member", spec.member.is_some()),
            ("separator", spec.separator.is_some()),
            ("encoding", spec.encoding.is_some()),
            ("key", spec.key.is_some()),
            ("key_position", spec.key_position.is_some()),
            ("public_keys", spec.public_keys.is_some()),
            ("timestamp", spec.timestamp.is_some()),
            ("missing_hash", spec.missing_hash.is_some()),
            ("certificate", spec.certificate.is_some()),
            ("hash", spec.hash.is_some()),
            ("each", spec.each.is_some()),
        ];
        self.unfit(&unfit, "a JSON Web Token has no use for it");
        let jwt = spec.jwt.clone().unwrap_or_default();
        let algorithms = jwt.algorithms.clone().unwrap_or_default();
        if algorithms.is_empty() {
            let fix = "name what the sender uses, as `algorithms: [RS256]`; nothing is taken from the token";
            self.report("jwt.algorithms", "it is not set", fix);
        }
        let is_public = algorithms.iter().any(|name| *name != JwtAlgorithm::Hs256);
        let source = match jwt.jwks.as_deref().map(Source::new) {
            Some(Err(problem)) => {
                self.report("jwt.jwks", problem, "write an `https` address, or a file's path");
                None
            }
            Some(Ok(source)) => Some(source),
            None => None,
        };
        if is_public && jwt.jwks.is_none() {
            let fix = "write the address of the sender's keys, or the path of a file with them";
            self.report("jwt.jwks", "it is not set, and the keys are public ones", fix);
        }
        if !is_public && jwt.jwks.is_some() {
            self.report("jwt.jwks", "HS256 has no public keys", "take it away");
        }
        let expected = self.expected(&jwt);
        // Whoever publishes keys signs for many: a token for somebody else must not pass here.
        let is_published = is_public && jwt.jwks.as_deref().is_some_and(|jwks| jwks.starts_with("https:"));
        if is_published && !expected.is_for_us() {
            let fix = "set `jwt.audience` to what the sender was told, or a claim that only your tokens have";
            self.report("jwt.audience", "it is not set, and others get tokens with these keys, too", fix);
        }
        let prefix = self.prefix("Bearer ");
        let place = self.place(Some("authorization"))?;
        Some(Jwt { place, prefix, algorithms, expected, source, ring: Keyring::empty() })
    }

    fn expected(&mut self, jwt: &JwtSpec) -> Expected {
        let has_qsh = match self.spec.message.as_deref() {
            None => false,
            Some("atlassian_qsh") => true,
            Some(other) => {
                let problem = format!("a token signs its claims, and not `{other}`");
                self.report("message", problem, "take it away, or use atlassian_qsh");
                false
            }
        };
        let is_off = jwt.max_age.as_deref() == Some("off");
        let age = jwt.max_age.as_deref().filter(|_| !is_off);
        let max_age = age.map(|text| text.parse().ok().filter(SignedDuration::is_positive));
        if max_age == Some(None) {
            self.report("jwt.max_age", "it is not a time span", "write it as `5m`, or `off`");
        }
        if is_off && jwt.body_hash.is_none() {
            let problem =
                "a token without times that is not bound to the body could be sent for ever with any";
            self.report("jwt.max_age", problem, "name the claim with the body's digest in `body_hash`");
        }
        let claims = jwt.claims.iter().flatten().map(|(name, value)| {
            let value = match value {
                ClaimValue::Text(text) => ClaimValue::Text(self.filled("jwt.claims", text)),
                ClaimValue::Truth(truth) => ClaimValue::Truth(*truth),
            };
            (name.clone(), value)
        });
        let others = claims.collect();
        Expected {
            issuers: self.listed("jwt.issuer", jwt.issuer.as_ref()),
            audiences: self.listed("jwt.audience", jwt.audience.as_ref()),
            subjects: self.listed("jwt.subject", jwt.subject.as_ref()),
            others,
            body_hash: jwt.body_hash.clone(),
            has_qsh,
            // Then a token is good for this body alone, as an HMAC without a time is.
            may_be_timeless: jwt.body_hash.is_some() && age.is_none(),
            max_age: max_age.flatten(),
        }
    }

    fn listed(&mut self, field: &'static str, texts: Option<&Texts>) -> Vec<String> {
        let listed: Vec<String> =
            texts.into_iter().flat_map(Texts::iter).map(|text| self.filled(field, text)).collect();
        if texts.is_some() && listed.is_empty() {
            let problem = "it is an empty list, which would take any value";
            self.report(field, problem, "write one, or take it away");
        }
        listed
    }

    fn filled(&mut self, field: &'static str, text: &str) -> String {
        fill(text, self.params).unwrap_or_else(|problem| {
            self.report(field, problem, "set the constant, or write the value here");
            String::new()
        })
    }
}
