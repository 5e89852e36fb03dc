//! The attributes that a sender's `CloudEvent` gives, held to the specification (`CloudEvents` 1.0.2, section 3).

use crate::{
    clock::{self, EventTime},
    event::{Carried, Event, Extension, Reason},
    normalize::{Unmappable, attributes},
};
use bytes::Bytes;

/// Attributes whose meaning is ours: a sender's own would claim what Hookway says, and are left out.
const OURS: [&str; 3] = ["recordedtime", "timesource", "typeunsigned"];

/// What begins the names of all others of ours.
const OUR_PREFIX: &str = "hookway";

const MAX_EXTENSIONS: usize = 64;

/// What a `CloudEvent` gives beside its data.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    version: Option<String>,
    id: Option<String>,
    source: Option<String>,
    kind: Option<String>,
    subject: Option<String>,
    time: Option<EventTime>,
    pub(super) content_type: Option<String>,
    key: Option<String>,
    carried: Carried,
}

impl Attributes {
    /// Takes one attribute; `name` is in lower case in a valid event.
    pub(super) fn take(&mut self, name: &str, value: Extension) -> Result<(), Unmappable> {
        let place = match name {
            "specversion" => &mut self.version,
            "id" => &mut self.id,
            "source" => &mut self.source,
            "type" => &mut self.kind,
            "subject" => &mut self.subject,
            "datacontenttype" => &mut self.content_type,
            "dataschema" => &mut self.carried.data_schema,
            "partitionkey" => &mut self.key,
            "time" => {
                self.time = text(name, value)?.map(|text| instant(&text)).transpose()?;
                return Ok(());
            }
            name => return self.extend(name, value),
        };
        *place = text(name, value)?;
        Ok(())
    }

    /// Notes the document that all of it was read from.
    pub(super) fn is_document(&mut self, text: Bytes) {
        self.carried.document = text;
    }

    fn extend(&mut self, name: &str, value: Extension) -> Result<(), Unmappable> {
        let is_name = !name.is_empty()
            && name != "data"
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !is_name {
            let detail =
                format!("{name:?} is no name of an attribute: expected lower-case letters and digits");
            return Err(malformed(detail));
        }
        if name.starts_with(OUR_PREFIX) || OURS.contains(&name) {
            return Ok(());
        }
        if let Extension::Text(value) = &value {
            attributes::check_text(name, value)?;
        }
        let extensions = &mut self.carried.extensions;
        if extensions.len() >= MAX_EXTENSIONS {
            return Err(malformed(format!("the event has more than {MAX_EXTENSIONS} extension attributes")));
        }
        extensions.push((name.to_owned(), value));
        Ok(())
    }

    /// Gives the event these attributes, if they make a valid `CloudEvent`.
    pub(super) fn put_on(self, mut event: Event) -> Result<Event, Unmappable> {
        match self.version.as_deref() {
            Some("1.0") => {}
            Some(other) => {
                return Err(malformed(format!("the event's specversion is {other:?}, not \"1.0\"")));
            }
            None => return Err(missing("specversion")),
        }
        event.id = self.id.ok_or_else(|| missing("id"))?;
        event.source = self.source.ok_or_else(|| missing("source"))?.into();
        event.kind = self.kind.ok_or_else(|| missing("type"))?;
        for (name, uri) in
            [("source", Some(&*event.source)), ("dataschema", self.carried.data_schema.as_deref())]
        {
            if !uri.is_none_or(is_uri_reference) {
                return Err(malformed(format!("the event's {name} is no URI")));
            }
        }
        event.key = self.key.or_else(|| self.subject.clone());
        event.subject = self.subject;
        event.time = self.time;
        if self.carried != Carried::default() {
            event.carried = Some(Box::new(self.carried));
        }
        // Section 3.1 of the JSON format: data without a media type is JSON.
        let json = event.data_is_json.then(|| "application/json".to_owned());
        event.content_type = self.content_type.or(json);
        Ok(event)
    }
}

/// Returns an attribute's text: every attribute of the specification's own is one. None is empty, and so an empty one is
/// none.
fn text(name: &str, value: Extension) -> Result<Option<String>, Unmappable> {
    match value {
        Extension::Text(text) => {
            attributes::check_text(name, &text)?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        }
        Extension::Truth(_) | Extension::Number(_) => {
            Err(malformed(format!("the event's {name} is no string")))
        }
    }
}

fn instant(text: &str) -> Result<EventTime, Unmappable> {
    // A number would be taken for seconds, which no CloudEvent has here.
    let read = Some(text).filter(|text| text.contains(':')).and_then(clock::read);
    read.ok_or_else(|| malformed(format!("the event's time {text:?} names no instant")))
}

/// Tells whether a text has only what a URI may hold (RFC 3986, section 2), escapes whole.
fn is_uri_reference(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let is_fine = match byte {
            b'%' => {
                [rest.next(), rest.next()].iter().all(|digit| digit.is_some_and(|d| d.is_ascii_hexdigit()))
            }
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            byte => byte.is_ascii_graphic(),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

fn missing(name: &str) -> Unmappable {
    malformed(format!("the event has no {name}, which every CloudEvent has"))
}

pub(super) fn malformed(detail: impl Into<String>) -> Unmappable {
    Unmappable::new(Reason::Malformed, detail)
}
