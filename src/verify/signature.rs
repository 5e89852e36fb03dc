//! A signature over a message, in a header, a slot, or in the body itself.

use super::{
    Assurance, Proof, VerifyError,
    freshness::Freshness,
    grammar::Grammar,
    is_token,
    keys::{Keys, Match},
    message::Message,
    place::{Claimed, Place},
    value::{Fields, Subject},
};

pub(super) struct Signature {
    pub(super) place: Place,
    pub(super) grammar: Grammar,
    pub(super) message: Message,
    pub(super) freshness: Option<Freshness>,
    pub(super) keys: Keys,
    /// True where handshakes sign short tokens for whoever asks.
    pub(super) signs_tokens: bool,
}

impl Signature {
    pub(super) fn verify(&self, subject: Subject<'_>) -> Result<Proof, VerifyError> {
        if !self.keys.is_keyed() {
            return Err(VerifyError::Unkeyed);
        }
        let claimed = self.place.read(subject)?;
        if matches!(claimed, Claimed::Nothing) {
            return Ok(Proof::none());
        }
        let separator = self.grammar.separator.as_deref();
        let fields = claimed.text().zip(separator).map(|(text, separator)| Fields { text, separator });
        let subject = Subject { fields, ..subject };
        let signed_at =
            self.freshness.as_ref().map(|freshness| freshness.read(subject)).transpose()?.flatten();
        let key = self.matching_key(subject, &claimed)?;
        if let (Some(freshness), Some(signed_at)) = (&self.freshness, signed_at) {
            freshness.judge(signed_at, subject.request.received)?;
        }
        Ok(Proof { assurance: self.assurance(), key })
    }

    /// Returns the place of the first key that made one of the signatures, over any message that may be meant.
    fn matching_key(&self, subject: Subject<'_>, claimed: &Claimed<'_>) -> Result<usize, VerifyError> {
        let mut is_readable = true;
        for variant in 0..self.message.variants() {
            let pieces = self.message.pieces(subject, self.place.member(), claimed, variant)?;
            if self.signs_tokens && is_token(pieces.iter().flatten().copied()) {
                return Err(VerifyError::Mismatch); // our own answer to a stranger could be its signature
            }
            match self.keys.find(&pieces, claimed, &self.grammar, subject)? {
                Match::Key(place) => return Ok(place),
                Match::Wrong => {}
                Match::Unreadable => is_readable = false,
            }
        }
        if is_readable {
            return Err(VerifyError::Mismatch);
        }
        Err(VerifyError::malformed("the signature is not written as the scheme prescribes"))
    }

    /// Computes the signature of a request that has none yet, with the first key; `None` where only the sender has
    /// that key.
    pub(super) fn compute(&self, subject: Subject<'_>) -> Result<Option<Vec<u8>>, VerifyError> {
        let claimed = Claimed::Nothing;
        self.keys.sign(&self.message.pieces(subject, self.place.member(), &claimed, 0)?)
    }

    fn assurance(&self) -> Assurance {
        match (self.keys.is_keyed_scheme(), self.message.covers_body()) {
            (true, true) => Assurance::Signature,
            (true, false) => Assurance::Secret,
            (false, _) => Assurance::Integrity,
        }
    }
}
