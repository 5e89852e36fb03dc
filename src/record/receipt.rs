//! Our word that an event is where it belongs, and what it rests on.
//!
//! A [`Receipt`] asks for a [`Settled`], and that has three origins: an [`Ack`] from each target of the plan, a route
//! that drops the event, the receipt of an earlier copy. None can be written down instead:
//!
//! ```compile_fail
//! use hookway::record::Receipt;
//! let forged = Receipt { id: "1".to_owned() };
//! ```
//!
//! ```compile_fail
//! let forged = hookway::record::Settled(hookway::record::Disposition::Published);
//! ```

use super::{Ack, Plan, Target};
use crate::event::Reason;

/// What became of an event that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Every target acknowledged it.
    Published,
    /// Every target acknowledged it, or it waits for that on this replica's disk.
    Spooled,
    /// It is in the quarantine.
    Quarantined(Reason),
    /// A route says `drop`.
    Filtered,
    /// It was here before, and went its way then.
    Suppressed,
    /// Every stream that it was published to has it already: it went its way before, past what we remember.
    AlreadyStored,
}

/// The targets that hold an event, each by its own word. Kept from attempt to attempt, so that a retry goes only to the
/// others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    targets: Vec<Target>,
    is_new: bool,
    is_spooled: bool,
}

/// That nothing is left to do for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled(Disposition);

/// That an event has a receipt already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat(());

/// Our word that an event is where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    id: String,
    is_spooled: bool,
}

impl Held {
    /// Notes that a target has acknowledged the event.
    pub fn note(&mut self, target: &Target, ack: &Ack) {
        self.is_new |= !ack.is_duplicate();
        self.is_spooled |= matches!(ack, Ack::Spool { .. });
        if !self.has(target) {
            self.targets.push(target.clone());
        }
    }

    /// Tells whether a target holds the event.
    pub fn has(&self, target: &Target) -> bool {
        self.targets.contains(target)
    }

    /// Tells whether no target holds it.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Settles an event that all of `targets` hold; `reason` is why they are its quarantine.
    pub fn settled(&self, targets: &[Target], reason: Option<Reason>) -> Option<Settled> {
        let is_everywhere = !targets.is_empty() && targets.iter().all(|target| self.has(target));
        let disposition = match reason {
            _ if !self.is_new => Disposition::AlreadyStored,
            _ if self.is_spooled => Disposition::Spooled,
            None => Disposition::Published,
            Some(reason) => Disposition::Quarantined(reason),
        };
        is_everywhere.then_some(Settled(disposition))
    }
}

impl Plan {
    /// Returns where the event goes; settled where a route drops it.
    pub fn targets(&self) -> Result<&[Target], Settled> {
        match self {
            Self::Publish(targets) => Ok(targets),
            Self::Drop => Err(Settled(Disposition::Filtered)),
        }
    }
}

impl Settled {
    /// Returns what became of the event.
    pub fn disposition(self) -> Disposition {
        self.0
    }
}

impl From<Repeat> for Settled {
    fn from(Repeat(()): Repeat) -> Self {
        Self(Disposition::Suppressed)
    }
}

impl Receipt {
    /// Gives our word for the event with this id, which rests on its being settled.
    pub fn new(id: String, settled: Settled) -> Self {
        Self { id, is_spooled: settled.0 == Disposition::Spooled }
    }

    /// Tells whether it waits on this replica's disk for a destination.
    pub fn is_spooled(&self) -> bool {
        self.is_spooled
    }

    /// Returns the event's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Settles the later copies of the event.
    pub fn repeat(&self) -> Repeat {
        Repeat(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(sink: &str, destination: &str) -> Target {
        Target { sink: sink.into(), destination: destination.into() }
    }

    fn stored(duplicate: bool) -> Ack {
        Ack::Nats { stream: "s".to_owned(), sequence: 1, duplicate }
    }

    #[test]
    fn an_event_is_settled_once_each_target_of_its_plan_has_acknowledged_it() {
        let targets = [target("a", "orders"), target("a", "copies"), target("b", "orders")];
        let mut held = Held::default();
        assert!(held.is_empty());
        for target in &targets {
            assert_eq!(held.settled(&targets, None), None, "before {target:?}");
            held.note(target, &stored(false));
        }
        assert_eq!(held.settled(&targets, None).map(Settled::disposition), Some(Disposition::Published));
        assert_eq!(held.settled(&[target("b", "copies")], None), None);
        assert_eq!(held.settled(&[], None), None, "no target has given its word");
    }

    #[test]
    fn what_became_of_an_event_is_what_its_targets_say() {
        let targets = [target("a", "q"), target("b", "q")];
        let became = |duplicates: [bool; 2], reason| {
            let mut held = Held::default();
            for (target, duplicate) in targets.iter().zip(duplicates) {
                held.note(target, &stored(duplicate));
            }
            held.settled(&targets, reason).map(Settled::disposition)
        };
        assert_eq!(became([true, true], None), Some(Disposition::AlreadyStored));
        assert_eq!(became([true, false], None), Some(Disposition::Published));
        let quarantined = Some(Disposition::Quarantined(Reason::Unrouted));
        assert_eq!(became([false, true], Some(Reason::Unrouted)), quarantined);
    }

    #[test]
    fn a_dropped_event_and_a_repeat_are_settled_without_a_target() {
        let dropped = Plan::Drop.targets().unwrap_err();
        assert_eq!(dropped.disposition(), Disposition::Filtered);
        let receipt = Receipt::new("1".to_owned(), dropped);
        assert_eq!(receipt.id(), "1");
        assert_eq!(Settled::from(receipt.repeat()).disposition(), Disposition::Suppressed);
        assert_eq!(Plan::Publish(vec![target("a", "t")]).targets(), Ok(&[target("a", "t")][..]));
    }
}
