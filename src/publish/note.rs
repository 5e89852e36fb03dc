//! What a record that waits on disk carries beside itself: the source that it counts for, and its request less the
//! credentials, for the quarantine. It stands in a last header of its own, which no destination gets to see.

use crate::{record::Record, request::Kept};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The header's name.
const NAME: &str = "hookway-note";

/// What goes with a record that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    /// The source's name.
    pub(super) source: String,
    /// The request's method.
    method: String,
    /// Its target.
    target: String,
    /// Its headers, as an envelope writes them.
    headers: String,
}

impl Note {
    pub(super) fn new(source: &str, request: &Kept) -> Self {
        Self {
            source: source.to_owned(),
            method: request.method.to_string(),
            target: request.target.clone(),
            headers: request.written_headers(),
        }
    }

    /// Returns the request; an empty one where it can't be read.
    pub(super) fn request(&self) -> Kept {
        Kept::read(&self.method, &self.target, &self.headers).unwrap_or_default()
    }

    /// Puts it into a record.
    pub(super) fn put(&self, record: &mut Record) {
        // Texts in a structure can't fail to be written.
        let text = serde_json::to_string(self).unwrap_or_default();
        record.headers.push((Cow::Borrowed(NAME), Cow::Owned(text)));
    }

    /// Takes it out of a record; an empty one where there is none.
    pub(super) fn take(record: &mut Record) -> Self {
        let text = record.headers.pop_if(|(name, _)| name == NAME);
        text.and_then(|(_, text)| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method};

    #[test]
    fn what_was_put_into_a_record_is_taken_out_and_leaves_it_as_it_was() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_bytes(b"50% \xe4\"").unwrap());
        headers.append("x-a", HeaderValue::from_static("two"));
        let kept = Kept { method: Method::PUT, target: "/hooks/hotel?a=1".to_owned(), headers };
        let mut record = Record {
            destination: "orders".into(),
            key: None,
            headers: vec![("content-type".into(), "text/plain".into())],
            value: "x".into(),
            timestamp_ms: 0,
            in_turn: false,
            message_id: String::new(),
        };
        let was = record.clone();
        let note = Note::new("hotel", &kept);
        note.put(&mut record);
        assert_ne!(record, was);
        let taken = Note::take(&mut record);
        assert_eq!((&taken, &record), (&note, &was));
        assert_eq!((taken.source.as_str(), taken.request()), ("hotel", kept));
        assert_eq!(Note::take(&mut record), Note::default(), "a record without one");
    }
}
