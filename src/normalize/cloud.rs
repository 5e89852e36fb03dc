//! Events that are `CloudEvents` already: passed through with their own attributes, in any of the three modes of
//! the HTTP binding 1.0.2 (structured, batch, binary). What `CloudEvents` does not allow goes to the quarantine.

mod attributes;
mod binary;
mod structured;

use super::{
    Normalizer, Unmappable, json,
    mapping::{Data, Shared},
    media,
    split::{Division, Split},
};
use crate::event::{Event, Reason};
use attributes::Attributes;

/// Media types of the JSON event format and of its batches.
const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// Other media types of this stem are formats that are not read here.
const STEM: &str = "application/cloudevents";

impl Normalizer {
    /// Returns the events of a delivery that holds `CloudEvents`.
    pub(super) fn cloud_events(&self, shared: &Shared<'_>) -> Vec<Event> {
        let request = shared.request();
        let essence = media::essence_of(&request.headers).unwrap_or_default().to_ascii_lowercase();
        let whole =
            |result: Result<Event, Unmappable>| vec![result.unwrap_or_else(|why| self.refuse(shared, why))];
        match essence.as_str() {
            STRUCTURED => whole(self.cloud_document(shared, &request.body)),
            BATCH => match divide(&request.body).and_then(|it| self.check_empty(&it).map(|()| it)) {
                Ok(division) => self.cloud_batch(shared, &division),
                Err(why) => whole(Err(why)),
            },
            _ if request.headers.contains_key("ce-specversion") && !essence.starts_with(STEM) => {
                whole(self.cloud_request(shared))
            }
            _ => whole(Err(Unmappable::new(
                Reason::Malformed,
                format!("no CloudEvent: expected `{STRUCTURED}`, `{BATCH}` or the header `ce-specversion`"),
            ))),
        }
    }

    fn cloud_batch(&self, shared: &Shared<'_>, division: &Division<'_>) -> Vec<Event> {
        let body = &shared.request().body;
        let event = |(index, element): (usize, &super::split::Element<'_>)| {
            self.cloud_document(shared, element.bytes).unwrap_or_else(|why| {
                let data = Data { bytes: body.slice_ref(element.bytes), is_json: true };
                self.unmapped(shared, Some(index), data, why)
            })
        };
        division.elements.iter().enumerate().map(event).collect()
    }

    /// Reads an event of the JSON format.
    fn cloud_document(&self, shared: &Shared<'_>, text: &[u8]) -> Result<Event, Unmappable> {
        let document = structured::read(&shared.request().body, json::text(text)?)?;
        self.cloud_event(shared, document.attributes, document.data)
    }

    /// Reads an event of the binary mode: attributes in headers, the data as the body.
    fn cloud_request(&self, shared: &Shared<'_>) -> Result<Event, Unmappable> {
        let request = shared.request();
        let attributes = binary::read(&request.headers)?;
        let is_json = media::names_json(&request.headers) && json::is_valid(&request.body);
        let mut event =
            self.cloud_event(shared, attributes, Data { bytes: request.body.clone(), is_json })?;
        event.type_is_unsigned = !self.covers_cloud_type;
        Ok(event)
    }

    fn cloud_event(&self, shared: &Shared<'_>, given: Attributes, data: Data) -> Result<Event, Unmappable> {
        let event = self.bare(shared, String::new(), String::new(), data);
        given.put_on(event)
    }

    fn refuse(&self, shared: &Shared<'_>, why: Unmappable) -> Event {
        let body = &shared.request().body;
        self.unmapped(shared, None, Data { bytes: body.clone(), is_json: json::is_valid(body) }, why)
    }
}

/// Divides a batch.
fn divide(body: &[u8]) -> Result<Division<'_>, Unmappable> {
    let text = json::text(body)?;
    if !json::is_valid(body) || !text.trim_ascii_start().starts_with('[') {
        return Err(Unmappable::new(
            Reason::Malformed,
            "a batch of CloudEvents is expected to be a JSON array",
        ));
    }
    Split::elements().divide(text)
}

#[cfg(test)]
mod tests;
