//! What templates have read: whoever makes an id of it must know how far it can be believed.

use crate::request::slot::{Slot, Standing};
use std::cell::Cell;

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

#[derive(Debug, Default)]
pub(super) struct Tracer(Cell<Trace>);

impl Tracer {
    /// Returns what was read since the last call.
    pub(super) fn take(&self) -> Trace {
        self.0.take()
    }

    pub(super) fn body(&self, standing: Standing) {
        self.note(|trace| trace.standing = trace.standing.max(Some(standing)));
    }

    pub(super) fn slot(&self, slot: &Slot, standing: Standing) {
        match slot {
            Slot::Param(_) | Slot::Text(_) => {}
            // Whether the body is signed is said of the event as a whole.
            Slot::Form(..) | Slot::Json(_) => self.body(standing),
            Slot::Header(_) | Slot::Query(_) | Slot::Path(_) => {
                self.body(standing);
                self.note(|trace| trace.is_unsigned |= standing != Standing::Signed);
            }
        }
    }

    pub(super) fn digest(&self) {
        self.note(|trace| trace.has_digest = true);
    }

    pub(super) fn fresh(&self) {
        self.note(|trace| trace.is_fresh = true);
    }

    fn note(&self, change: impl FnOnce(&mut Trace)) {
        let mut trace = self.0.get();
        change(&mut trace);
        self.0.set(trace);
    }
}
