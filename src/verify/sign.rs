//! Signs a request as its sender would, so that `hookway trigger` can play the sender of any source: the way of
//! `verify` backwards, with the same message code.

use super::{Check, Verifier, VerifyError, keyring, member, signature::Place};
use crate::delivery::Request;
use axum::http::HeaderValue;
use jiff::Timestamp;
use secrecy::ExposeSecret;

/// Why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The message cannot be made: a signed header is missing, the body is not what the scheme needs, or
    /// there is no secret.
    #[error("cannot sign: {0}")]
    Message(#[from] VerifyError),
    /// The body is not a JSON object, or has the signature's member already.
    #[error("the body must be a JSON object without a member `{0}`")]
    Body(String),
    /// A secret has bytes that no header can carry.
    #[error("the secret cannot stand in a header: it must be printable text")]
    Header,
}

impl Verifier {
    /// Returns the HMAC of `bytes` with the first secret; `None` without one, and where the scheme has another digest.
    pub fn hmac(&self, algorithm: super::Algorithm, bytes: &[u8]) -> Option<Vec<u8>> {
        let Check::Signature(signature) = &self.check else { return None };
        let keys = signature.ring.now();
        let key =
            keyring::first(&keys).filter(|_| algorithm == signature.algorithm && algorithm.is_hmac())?;
        Some(key.tag(&[bytes]).as_bytes().to_vec())
    }

    /// Adds to `request` what its sender would add at `now`: headers, or the signature's member at the end of
    /// the body. The first secret signs. Headers that the message names must be there, except the time.
    pub fn sign(&self, request: &mut Request, now: Timestamp) -> Result<(), SignError> {
        match &self.check {
            Check::Nothing => {}
            Check::Token(token) => {
                let keys = token.ring.now();
                let key = keyring::first(&keys).ok_or(VerifyError::Unkeyed)?;
                let text = format!("{}{}", token.prefix, key.secret.expose_secret());
                request.headers.insert(token.header.clone(), header_value(&text, true)?);
            }
            Check::Signature(signature) => {
                if let Some(freshness) = &signature.freshness {
                    let value = header_value(&freshness.write(now), false)?;
                    request.headers.insert(freshness.header.clone(), value);
                }
                let text = signature.grammar.write(&signature.compute(request)?);
                match &signature.place {
                    Place::Header(name) => {
                        request.headers.insert(name.clone(), header_value(&text, false)?);
                    }
                    Place::Member { name, .. } => {
                        let body = member::add(&request.body, name, &text);
                        request.body = body.ok_or_else(|| SignError::Body(name.to_string()))?.into();
                    }
                }
            }
        }
        Ok(())
    }
}

fn header_value(text: &str, sensitive: bool) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| SignError::Header)?;
    value.set_sensitive(sensitive);
    Ok(value)
}
