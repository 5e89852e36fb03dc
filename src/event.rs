//! The second noun of the path: one normalized fact with the attributes of `CloudEvents` 1.0.
//!
//! `normalize` makes it, `dedup` and `route` read it, `publish` writes it as an envelope
//! ([`envelope`]). Attribute meanings: `CloudEvents` 1.0.2 and its `partitioning`, `recordedtime` and
//! distributed-tracing extensions.

pub mod envelope;

pub use crate::verify::Assurance;

use crate::{clock::EventTime, request::Kept};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;

/// One fact from a sender, ready to be routed and published.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts of an event, of which any may hold without the others"
)]
pub struct Event {
    /// Unique within `source`; the same on every replica and for every retry of the sender, unless the
    /// sender gives nothing to tell a retry from a new event.
    pub id: String,
    /// By what a repeat of it is known.
    pub identity: Identity,
    /// True where another event has the same id.
    pub id_conflicts: bool,
    /// True where the next event of its object is handed over without waiting for this one's ack, so that both must go
    /// the same way.
    pub in_turn: bool,
    /// `/<sender>/<source name>[/<account>]`.
    pub source: Arc<str>,
    /// The name of the configured source.
    pub source_name: Arc<str>,
    /// Reverse-DNS prefix of the sender and its own event name.
    pub kind: String,
    /// Object type and id, as `RESERVATION/QWERTYUI-1`.
    pub subject: Option<String>,
    /// The key of the object, by which brokers keep its events together.
    pub key: Option<String>,
    /// When it happened, by the sender's clock; `None` where the sender does not say.
    pub time: Option<EventTime>,
    /// When it was received here.
    pub recorded: Timestamp,
    /// The body's media type as the sender named it.
    pub content_type: Option<String>,
    /// What was proven of its origin.
    pub assurance: Assurance,
    /// The body that was verified, or one event's part of it, byte for byte.
    pub data: Bytes,
    /// True where `data` is one valid JSON text, so that it can stand in an envelope as it is.
    pub data_is_json: bool,
    /// True where `kind` stands in a part of the request that verification does not cover.
    pub type_is_unsigned: bool,
    /// What only a sender that speaks `CloudEvents` itself gives.
    pub carried: Option<Box<Carried>>,
    /// Why the event goes to the quarantine; `None` for one that goes its way.
    pub quarantine: Option<Box<Quarantine>>,
}

/// By what a repeat of an event is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// By nothing: its id was minted at receipt, or the operator wants no repeats recognised.
    Fresh,
    /// By its bytes: its id is their digest.
    Digest,
    /// By its id and its bytes: with other bytes, an equal id is another event's.
    Bytes,
    /// As by its id and its bytes, of which the id holds 128 bits of the digest: they need not be looked at again.
    BytesInId,
    /// By its id alone, which the sender's document states to be unique.
    Id,
}

/// What a sender's own `CloudEvent` holds beside the attributes that every event has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// The schema that its data keeps to, as a URI.
    pub data_schema: Option<String>,
    /// Its extension attributes, in its order.
    pub extensions: Vec<(String, Extension)>,
    /// The whole document, byte for byte, where the event is one.
    pub document: Bytes,
}

/// The value of an extension attribute: the types that the JSON event format tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// A string; also a URI, a time, or bytes in base64.
    Text(String),
    /// A truth value.
    Truth(bool),
    /// A whole number of 32 bits.
    Number(i32),
}

/// What a quarantined event carries beside its data.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// Why it could not go its way.
    pub reason: Reason,
    /// One sentence for the person who looks at it.
    pub detail: String,
    /// The request beside its body, less the credentials; the events of one request share it.
    pub request: Arc<Kept>,
    /// What was left out because it was too large.
    pub cut: Cut,
}

/// What a quarantined event lacks, because its place took no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nothing.
    Nothing,
    /// Large headers, the end of a long target.
    Request,
    /// Its data and extensions as well: the whole stands in a file, which the data name.
    Data,
}

impl Quarantine {
    /// Takes the reason and the request, whole.
    pub fn new(reason: Reason, detail: String, request: Arc<Kept>) -> Self {
        Self { reason, detail, request, cut: Cut::Nothing }
    }
}

/// Why an authentic event is quarantined: a closed list, also the label of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The body is not what the sender's format needs (not JSON, not UTF-8, too deep).
    Malformed,
    /// The sender's event has no name or no object that could be found.
    Unrecognized,
    /// A member that decides key or id stands twice.
    Ambiguous,
    /// An allow-list of the source does not hold a value of the event.
    NotAllowed,
    /// No route matches.
    Unrouted,
    /// A destination template gives a name that the broker does not take, or that does not exist.
    Unroutable,
    /// The record is larger than its destination takes.
    TooLarge,
    /// The broker refuses the record for good.
    Rejected,
}

impl Reason {
    /// Every reason, for the metrics that must exist before the first event.
    pub const ALL: [Self; 8] = [
        Self::Malformed,
        Self::Unrecognized,
        Self::Ambiguous,
        Self::NotAllowed,
        Self::Unrouted,
        Self::Unroutable,
        Self::TooLarge,
        Self::Rejected,
    ];

    /// Returns the reason of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// True where the event was mapped well, and only had no place to go.
    pub fn is_of_its_place(self) -> bool {
        matches!(self, Self::Unrouted | Self::Unroutable | Self::TooLarge | Self::Rejected)
    }

    /// Returns the reason's stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unrecognized => "unrecognized",
            Self::Ambiguous => "ambiguous",
            Self::NotAllowed => "not_allowed",
            Self::Unrouted => "unrouted",
            Self::Unroutable => "unroutable",
            Self::TooLarge => "too_large",
            Self::Rejected => "rejected",
        }
    }
}

impl Event {
    /// Returns what copies of this event have in common beside source and id: all that the sender said, and what was
    /// taken from the request around it.
    pub fn content(&self) -> [&[u8]; 4] {
        let document =
            self.carried.as_ref().map(|carried| &carried.document).filter(|whole| !whole.is_empty());
        let [subject, key] = [&self.subject, &self.key].map(|text| text.as_deref().unwrap_or_default());
        [self.kind.as_bytes(), subject.as_bytes(), key.as_bytes(), document.unwrap_or(&self.data)]
    }

    /// Returns what tells its repeats from other events, beside its source and id; `None` where nothing does.
    pub fn told_by(&self) -> Option<[&[u8]; 4]> {
        let [kind, subject, key, bytes] = self.content();
        match self.identity {
            Identity::Fresh => None,
            Identity::Id => Some([b"", b"", b"", b""]),
            Identity::BytesInId => Some([kind, subject, key, b""]),
            Identity::Digest | Identity::Bytes => Some([kind, subject, key, bytes]),
        }
    }

    /// Returns the object's type: the part of the subject before `/`.
    pub fn object(&self) -> Option<&str> {
        self.subject.as_deref().map(|subject| subject.split_once('/').map_or(subject, |(object, _)| object))
    }
}
