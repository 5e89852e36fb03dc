//! What templates are rendered from: the request, what the scans found in its body, and for one element of a
//! divided body what was found there. It notes what they read: whoever makes an id of it must know how far it can be
//! believed.

use super::{
    Unmappable,
    json::Found,
    place::{Place, Within},
};
use crate::{
    event::Reason,
    request::{
        Request,
        slot::{self, Params, Slot, SlotError, Standing},
    },
};
use sha2::{Digest as _, Sha256};
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

/// Digits of the digest behind an id that somebody else could have written.
pub(super) const DIGITS: usize = 32;

#[derive(Debug)]
pub(super) struct Values<'v> {
    request: &'v Request,
    params: &'v Params,
    whole: &'v Found<'v>,
    element: Option<Inner<'v>>,
    /// The body's digest; all elements share one.
    body_digest: &'v OnceCell<String>,
    digest: OnceCell<String>,
    trace: Cell<Trace>,
}

#[derive(Debug)]
pub(super) struct Inner<'v> {
    pub(super) found: Found<'v>,
    /// What was found in the value that it was taken from.
    pub(super) around: &'v Found<'v>,
    pub(super) bytes: &'v [u8],
    pub(super) index: usize,
}

/// What was read since the last look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trace {
    /// Something beside the body that is not signed.
    pub(super) is_unsigned: bool,
    /// How far the least of the values can be believed; `None`: the sender chose nothing of it.
    pub(super) standing: Option<Standing>,
    pub(super) has_digest: bool,
    pub(super) is_fresh: bool,
}

impl<'v> Values<'v> {
    pub(super) fn new(
        request: &'v Request,
        params: &'v Params,
        whole: &'v Found<'v>,
        body_digest: &'v OnceCell<String>,
    ) -> Self {
        let (digest, trace) = (OnceCell::new(), Cell::default());
        Self { request, params, whole, element: None, body_digest, digest, trace }
    }

    pub(super) fn of_element(self, element: Inner<'v>) -> Self {
        Self { element: Some(element), ..self }
    }

    /// Tells whether one of these holds a value.
    pub(super) fn has(&self, places: &[Place]) -> Result<bool, Unmappable> {
        for place in places {
            // That a scalar stands there is all that is asked; its text need not be readable.
            let is_there = match self.leaf(place) {
                Some(raw) => !raw.starts_with(['{', '[']) && raw != "\"\"",
                None => self.read(place)?.is_some(),
            };
            if is_there {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns a member on the way to a pointer that stands twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        let inner = self.element.iter().flat_map(|element| [&element.found, element.around]);
        std::iter::once(self.whole).chain(inner).find_map(Found::repeated)
    }

    /// Returns what was read since the last call.
    pub(super) fn traced(&self) -> Trace {
        self.trace.take()
    }

    fn note(&self, change: impl FnOnce(&mut Trace)) {
        let mut trace = self.trace.get();
        change(&mut trace);
        self.trace.set(trace);
    }

    fn note_slot(&self, slot: &Slot, standing: Standing) {
        self.note(|trace| match slot {
            Slot::Param(_) | Slot::Text(_) => {}
            // Whether the body is signed is said of the event as a whole.
            Slot::Form(..) | Slot::Json(_) => trace.standing = trace.standing.max(Some(standing)),
            Slot::Header(_) | Slot::Query(_) | Slot::Path(_) => {
                trace.standing = trace.standing.max(Some(standing));
                trace.is_unsigned |= standing != Standing::Signed;
            }
        });
    }

    /// Returns the text that stands at a place. An empty one counts as absent: senders write optional references so.
    pub(super) fn read<'p>(&'p self, place: &'p Place) -> Result<Option<Cow<'p, str>>, Unmappable> {
        Ok(match place {
            Place::Body { standing, .. } => {
                let value = self.leaf(place).map_or(Ok(None), slot::scalar)?.filter(|text| !text.is_empty());
                value.inspect(|_| self.note(|trace| trace.standing = trace.standing.max(Some(*standing))))
            }
            Place::Request { slot: slot @ Slot::Text(_), .. } => self.slot(slot)?,
            Place::Request { slot, standing } => {
                let value = self.slot(slot)?.filter(|text| !text.is_empty());
                value.inspect(|_| self.note_slot(slot, *standing))
            }
            Place::Digest(digits) => self.digest_of(*digits).map(Cow::Borrowed),
            Place::Index => self.element.as_ref().map(|element| Cow::Owned(element.index.to_string())),
            Place::Fresh => Some(Cow::Owned(self.fresh())),
        })
    }

    pub(super) fn fresh(&self) -> String {
        self.note(|trace| trace.is_fresh = true);
        crate::clock::uuid().to_string()
    }

    /// Returns the first digits of the digest of the event's bytes.
    pub(super) fn digest_of(&self, digits: usize) -> Option<&str> {
        self.note(|trace| trace.has_digest = true);
        self.digest().get(..digits)
    }

    fn leaf(&self, place: &Place) -> Option<&str> {
        let Place::Body { within, leaf, .. } = place else { return None };
        match within {
            Within::Whole => self.whole.raw(*leaf),
            Within::Element => self.element.as_ref()?.found.raw(*leaf),
            Within::Around => self.element.as_ref()?.around.raw(*leaf),
        }
    }

    fn slot<'p>(&'p self, slot: &'p Slot) -> Result<Option<Cow<'p, str>>, Unmappable> {
        Ok(slot.read(self.request, self.params)?)
    }

    /// True where an id holds so much of the digest of the event's bytes that no others have it.
    pub(super) fn is_held_by(&self, id: &str) -> bool {
        self.digest().get(..DIGITS).is_some_and(|digits| id.contains(digits))
    }

    fn digest(&self) -> &str {
        match &self.element {
            Some(element) => self.digest.get_or_init(|| sha256_hex(element.bytes)),
            None => self.body_digest(),
        }
    }

    fn body_digest(&self) -> &str {
        self.body_digest.get_or_init(|| sha256_hex(&self.request.body))
    }
}

impl From<SlotError> for Unmappable {
    fn from(error: SlotError) -> Self {
        let reason = match error {
            SlotError::Repeated(_) => Reason::Ambiguous,
            SlotError::Malformed(_) => Reason::Malformed,
        };
        Self::new(reason, error.to_string())
    }
}

/// Returns the SHA-256 of `bytes` as 64 hex digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    let (digest, mut digits) = (Sha256::digest(bytes), [0; 64]);
    // The room fits. `encode` alone writes one character after the other.
    hex::encode_to_slice(digest, &mut digits)
        .map_or_else(|_| hex::encode(digest), |()| String::from_utf8_lossy(&digits).into_owned())
}
