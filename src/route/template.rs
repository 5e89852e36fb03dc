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

impl Name {
    /// Compiles a name, or says what was expected. What a sender writes can fill a slot; were it the first, the sender
    /// would choose among all names.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((literal, tail)) = rest.split_once('{') {
            if literal.contains('}') {
                return Err("expected `{` before `}`".to_owned());
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(literal.to_owned()));
            }
            let (slot, behind) = tail.split_once('}').ok_or("expected `}` after `{`")?;
            let piece = match slot {
                "source" => Piece::Source,
                "type" => Piece::Kind,
                "object" => Piece::Object,
                "key" => Piece::Key,
                unknown => {
                    let known = "{source}, {object}, {key} or {type}";
                    return Err(format!("expected {known}, found \"{{{}}}\"", unknown.escape_debug()));
                }
            };
            if pieces.is_empty() && piece != Piece::Source {
                return Err(format!(
                    "expected text or {{source}} at the beginning, found {{{slot}}}, which the sender chooses"
                ));
            }
            pieces.push(piece);
            rest = behind;
        }
        if rest.contains('}') {
            return Err("expected `{` before `}`".to_owned());
        }
        match (pieces.is_empty(), rest) {
            (true, "") => return Err("expected a name, found nothing".to_owned()),
            (true, name) => return Ok(Self::Fixed(name.into())),
            (false, "") => {}
            (false, literal) => pieces.push(Piece::Text(literal.to_owned())),
        }
        Ok(Self::Template(pieces))
    }

    /// Returns its text but for slots.
    fn literal(&self) -> String {
        match self {
            Self::Fixed(name) => name.to_string(),
            Self::Template(pieces) => {
                let texts = pieces
                    .iter()
                    .filter_map(|piece| if let Piece::Text(text) = piece { Some(text) } else { None });
                texts.map(String::as_str).collect()
            }
        }
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
    /// Compiles a Kafka topic, or says what was expected.
    pub fn topic(text: &str) -> Result<Self, String> {
        let name = Name::parse(text)?;
        let literal = name.literal();
        if let Some(wrong) = literal.chars().find(|c| !is_of_topics(*c)) {
            return Err(format!("expected letters, digits, `.`, `_` and `-`, found {wrong:?} in a topic"));
        }
        if literal.len() > MAX_TOPIC {
            return Err(format!("expected at most {MAX_TOPIC} characters in a topic"));
        }
        if is_dots(text) {
            return Err("expected a topic's name, found only dots".to_owned());
        }
        Ok(Self::Topic(name))
    }

    /// Compiles a NATS subject that is published to, or says what was expected.
    pub fn subject(text: &str) -> Result<Self, String> {
        let name = Name::parse(text)?;
        if text.starts_with('$') {
            return Err(
                "expected a subject of your own; those that begin with `$` belong to the server".to_owned()
            );
        }
        for token in text.split('.') {
            // Every brace in it is a slot's by now.
            let is_slot = token.starts_with('{') && token.find('}') == token.len().checked_sub(1);
            if token.contains('{') && !is_slot {
                return Err(format!(
                    "expected a slot as a token of its own between dots, found \"{}\"",
                    token.escape_debug()
                ));
            }
            if token.contains(['*', '>']) {
                return Err("expected a subject to publish to, found a wildcard".to_owned());
            }
            token_is_legal(token)?;
        }
        Ok(Self::Subject(name))
    }

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

/// Tells whether text may stand between two dots of a subject, of a stream's too.
pub fn token_is_legal(token: &str) -> Result<(), String> {
    if token.is_empty() {
        return Err("expected text between two dots of a subject".to_owned());
    }
    match token.chars().find(|c| c.is_whitespace() || c.is_control()) {
        Some(wrong) => Err(format!("expected no blanks in a subject, found {wrong:?}")),
        None => Ok(()),
    }
}

fn is_of_topics(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Kafka's topics are folders.
fn is_dots(name: &str) -> bool {
    matches!(name, "." | "..")
}

fn topic(name: &str) -> Result<Arc<str>, String> {
    if name.len() > MAX_TOPIC || !name.chars().all(is_of_topics) || is_dots(name) {
        return Err(format!(
            "{name:?} is no Kafka topic: at most {MAX_TOPIC} of letters, digits, `.`, `_` and `-`, and not only dots"
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
