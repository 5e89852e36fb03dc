//! Signs a request as its sender would, so that `hookway trigger` can play the sender of any source: the way of
//! `verify` backwards, with the same message code.

mod write;

use super::{
    Verifier, VerifyError,
    scheme::{Check, Required, Scheme},
    signature::Signature,
    value::{Fields, OneOf, Subject},
};
use crate::request::Request;
use jiff::Timestamp;
use write::Credential;

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
    /// The signature stands in a slot of the body, and the body has no such place.
    #[error("the body must hold a text at `{0}` for the signature to stand in")]
    Place(String),
    /// A secret has bytes that no header can carry.
    #[error("the secret cannot stand in a header: it must be printable text")]
    Header,
    /// The scheme's signatures are made with a key that only the sender has.
    #[error("only the sender can sign: this takes its private key")]
    NoPrivateKey,
}

impl Verifier {
    /// Adds to `request` what its sender would add at `now`: headers, fields, or the signature in the body. The
    /// first secret signs, by the first alternative that can. Headers that the message names must be there, except
    /// the time.
    pub fn sign(&self, request: &mut Request, now: Timestamp) -> Result<(), SignError> {
        let mut first = None;
        for scheme in &self.schemes {
            let mut signed = request.clone();
            match scheme.sign(&mut signed, now) {
                Ok(()) => {
                    *request = signed;
                    return Ok(());
                }
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }
}

impl Scheme {
    fn sign(&self, request: &mut Request, now: Timestamp) -> Result<(), SignError> {
        for required in &self.required {
            required.supply(request)?;
        }
        let elements = match &self.each {
            Some(each) => each.elements(&request.body)?.len(),
            None => 1,
        };
        for at in 0..elements {
            match &self.check {
                Check::Nothing => {}
                Check::Token(token) => {
                    let (text, each) = (token.write()?, self.each.as_ref());
                    Credential { text: &text, is_secret: true, each, at }.put(&token.place, request)?;
                }
                Check::Signature(signature) => self.sign_element(signature, request, now, at)?,
                Check::Jwt(_) => return Err(SignError::NoPrivateKey),
            }
        }
        Ok(())
    }

    fn sign_element(
        &self,
        signature: &Signature,
        request: &mut Request,
        now: Timestamp,
        at: usize,
    ) -> Result<(), SignError> {
        let mut entries = Vec::new();
        if let Some(freshness) = &signature.freshness {
            let time = freshness.write(now);
            match (freshness.at.first_header(), freshness.at.fields().next()) {
                (Some(header), _) => write::header(request, header.clone(), &time, false)?,
                (None, Some(name)) => entries.push(format!("{name}={time}")),
                // A time inside the body is the body's own.
                (None, None) => {}
            }
        }
        let named = signature.message.slots().flat_map(OneOf::fields);
        let mut others: Vec<&str> = named
            .filter(|name| entries.iter().all(|entry| !entry.starts_with(&format!("{name}="))))
            .collect();
        others.dedup();
        // The one other entry that senders have is a list of headers.
        entries.extend(others.iter().map(|name| format!("{name}=content-type")));
        let separator = signature.grammar.separator.as_deref().unwrap_or_default();
        let listed = entries.join(separator);
        let made = {
            let body = request.body.clone();
            let elements = self.each.as_ref().map(|each| each.elements(&body)).transpose()?;
            let element = elements.and_then(|elements| elements.get(at).copied());
            let fields = (!separator.is_empty()).then_some(Fields { text: &listed, separator });
            signature.compute(Subject { request, element, fields })?
        };
        let text = signature.grammar.write(&made.ok_or(SignError::NoPrivateKey)?);
        entries.push(text);
        let text = entries.join(separator);
        let each = self.each.as_ref();
        Credential { text: &text, is_secret: false, each, at }.put(&signature.place, request)
    }
}

impl Required {
    /// Puts the first allowed value into a header that is not there.
    fn supply(&self, request: &mut Request) -> Result<(), SignError> {
        match (self.at.first_header(), self.values.first()) {
            (Some(header), Some(value)) if !request.headers.contains_key(header) => {
                write::header(request, header.clone(), value, false)
            }
            _ => Ok(()),
        }
    }
}
