//! Destination names: topics and subjects, with slots for an event's attributes.
//!
//! Text from a sender can fill a slot and never leave it: in a subject it becomes exactly one token, and in a
//! topic a character that does not belong there makes the event unroutable.

use crate::event::Event;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{fmt::Write as _, sync::Arc};

/// What a NATS subject token holds of other text: letters, digits, `-` and `_` as they are, all else
/// percent-encoded, so that `.`, `*`, `>` and spaces never act.
pub const TOKEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Stands for an absent value.
pub(super) const ABSENT: &str = "_";

/// Longest Kafka topic name (Apache Kafka, `Topic.MAX_NAME_LENGTH`).
const MAX_TOPIC: usize = 249;

/// Longest subject that we make, in bytes; a server's protocol line takes 4 KiB by default.
const MAX_SUBJECT: usize = 2048;

/// A topic or subject, compiled from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A journal has one stream and no names.
    Journal,
    /// A Kafka topic.
    Topic(Name),
    /// A NATS subject.
    Subject(Name),
}

/// A name, fixed or with slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// The same for every event.
    Fixed(Arc<str>),
    /// Filled for each event.
    Template(Vec<Piece>),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// The configured source's name.
    Source,
    /// The event's type.
    Kind,
    /// The object's type.
    Object,
    /// The event's key.
    Key,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace has no partner.
    #[error("a brace in {0:?} is not closed")]
    Unclosed(String),
    /// A slot that does not exist.
    #[error("{{{0}}} is not a slot: expected {{source}}, {{type}}, {{object}} or {{key}}")]
    UnknownSlot(String),
    /// The destination could be anything.
    #[error("{0:?} begins with text of the sender: put literal text or {{source}} in front")]
    Unconfined(String),
}

impl Name {
    /// Compiles a name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once('{') {
            if literal.contains('}') {
                return Err(TemplateError::Unclosed(text.to_owned()));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(literal.to_owned()));
            }
            let (slot, behind) =
                tail.split_once('}').ok_or_else(|| TemplateError::Unclosed(text.to_owned()))?;
            pieces.push(match slot {
                "source" => Piece::Source,
                "type" => Piece::Kind,
                "object" => Piece::Object,
                "key" => Piece::Key,
                unknown => return Err(TemplateError::UnknownSlot(unknown.to_owned())),
            });
            rest = behind;
        }
        if rest.contains('}') {
            return Err(TemplateError::Unclosed(text.to_owned()));
        }
        if pieces.is_empty() {
            return Ok(Self::Fixed(rest.into()));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if matches!(pieces.first(), Some(Piece::Kind | Piece::Object | Piece::Key)) {
            return Err(TemplateError::Unconfined(text.to_owned()));
        }
        Ok(Self::Template(pieces))
    }

    /// Returns the name where it is the same for every event.
    pub fn fixed(&self) -> Option<&Arc<str>> {
        match self {
            Self::Fixed(name) => Some(name),
            Self::Template(_) => None,
        }
    }
}

impl Destination {
    /// Returns the name for one event, or one sentence on why it can't be used.
    pub fn render(&self, event: &Event) -> Result<Arc<str>, String> {
        match self {
            Self::Journal => Ok(Arc::default()),
            Self::Topic(Name::Fixed(name)) | Self::Subject(Name::Fixed(name)) => Ok(Arc::clone(name)),
            Self::Topic(Name::Template(pieces)) => topic(&fill(pieces, event, String::push_str)),
            Self::Subject(Name::Template(pieces)) => {
                let subject = fill(pieces, event, |text, value| {
                    // Writing to a String cannot fail.
                    let _written = write!(text, "{}", utf8_percent_encode(value, TOKEN));
                });
                if subject.len() > MAX_SUBJECT {
                    return Err(format!("the subject has {} bytes, more than {MAX_SUBJECT}", subject.len()));
                }
                Ok(subject.into())
            }
        }
    }
}

fn topic(name: &str) -> Result<Arc<str>, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.len() > MAX_TOPIC || !name.chars().all(legal) {
        return Err(format!(
            "{name:?} is no Kafka topic: at most {MAX_TOPIC} of letters, digits, `.`, `_` and `-`"
        ));
    }
    Ok(name.into())
}

fn fill(pieces: &[Piece], event: &Event, mut put: impl FnMut(&mut String, &str)) -> String {
    let mut text = String::with_capacity(64);
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Source => put(&mut text, &event.source_name),
            Piece::Kind => put(&mut text, &event.kind),
            Piece::Object => put(&mut text, event.object().filter(|o| !o.is_empty()).unwrap_or(ABSENT)),
            Piece::Key => {
                put(&mut text, event.key.as_deref().filter(|key| !key.is_empty()).unwrap_or(ABSENT));
            }
        }
    }
    text
}
