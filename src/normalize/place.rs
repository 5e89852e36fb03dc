//! Where a template's slot reads: compiled from its text by `template::grammar`, read by `values`.

use crate::request::slot::{Slot, Standing};

/// One alternative of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A scalar of a JSON body, by its leaf.
    Body {
        within: Within,
        leaf: usize,
        standing: Standing,
    },
    /// Anything else of the request.
    Request {
        slot: Slot,
        standing: Standing,
    },
    /// Digits of the SHA-256 of the event's bytes.
    Digest(usize),
    /// The element's number; absent where the body was not divided.
    Index,
    Fresh,
}

/// What a pointer of the body begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Whole,
    Element,
    /// The value that the element was taken from.
    Around,
}
