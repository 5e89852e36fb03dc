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
    values::{DIGITS, Trace, sha256_hex},
};
use crate::{
    event::{Event, Reason},
    request::slot::{Pointer, Slot, Standing, form::essence_of},
};
use attributes::Attributes;
use http::HeaderName;

/// How far verification believes the id and the type of a `CloudEvent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CloudStanding {
    document: Standing,
    element: Standing,
    header: Standing,
    /// Whether a changed `ce-type` fails the check.
    covers_type: bool,
}

impl CloudStanding {
    pub(super) fn new(standing: &dyn Fn(&[Slot], Option<&str>) -> Standing) -> Self {
        let header = |name| standing(&[Slot::Header(HeaderName::from_static(name))], None);
        let id = |of| Pointer::parse("/id").map_or(Standing::Open, |id| standing(&[Slot::Json(id)], of));
        Self {
            document: id(None),
            element: id(Some("/*")),
            header: header("ce-id"),
            covers_type: header("ce-type") == Standing::Signed,
        }
    }

    /// True where somebody else could have written an id.
    pub(super) fn is_forgeable(self) -> bool {
        self.document.max(self.element).max(self.header) > Standing::Vouched
    }
}

/// Media types of the JSON event format and of its batches.
const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// Other media types of this stem are formats that are not read here.
const STEM: &str = "application/cloudevents";

impl Normalizer {
    pub(super) fn cloud_events(&self, shared: &Shared<'_>) -> Vec<Event> {
        let request = shared.request();
        let essence = essence_of(&request.headers).unwrap_or_default().to_ascii_lowercase();
        let whole =
            |result: Result<Event, Unmappable>| vec![result.unwrap_or_else(|why| self.refuse(shared, why))];
        match essence.as_str() {
            STRUCTURED => whole(self.cloud_document(shared, &request.body, self.cloud.document)),
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
            self.cloud_document(shared, &element.bytes, self.cloud.element).unwrap_or_else(|why| {
                let data = Data { bytes: element.of(body), is_json: true };
                self.unmapped(shared, Some(index), data, why)
            })
        };
        division.elements.iter().enumerate().map(event).collect()
    }

    fn cloud_document(
        &self,
        shared: &Shared<'_>,
        text: &[u8],
        standing: Standing,
    ) -> Result<Event, Unmappable> {
        let body = &shared.request().body;
        let document = structured::read(body, json::text(text)?)?;
        let mut attributes = document.attributes;
        attributes.is_document(body.slice_ref(text));
        self.cloud_event(shared, attributes, document.data, standing)
    }

    /// Reads an event of the binary mode: attributes in headers, the data as the body.
    fn cloud_request(&self, shared: &Shared<'_>) -> Result<Event, Unmappable> {
        let request = shared.request();
        let attributes = binary::read(&request.headers)?;
        let is_json = media::names_json(&request.headers) && json::is_valid(&request.body);
        let data = Data { bytes: request.body.clone(), is_json };
        let mut event = self.cloud_event(shared, attributes, data, self.cloud.header)?;
        event.type_is_unsigned = !self.cloud.covers_type;
        Ok(event)
    }

    fn cloud_event(
        &self,
        shared: &Shared<'_>,
        given: Attributes,
        data: Data,
        standing: Standing,
    ) -> Result<Event, Unmappable> {
        let mut event = given.put_on(self.bare(shared, String::new(), String::new(), data))?;
        event.identity = self.identity(shared, Trace { standing: Some(standing), ..Trace::default() });
        if standing == Standing::Open {
            let [.., bytes] = event.content();
            let digest = sha256_hex(bytes);
            event.id = format!("{}-{digest:.*}", event.id, DIGITS);
        }
        super::attributes::check(&event)?;
        Ok(event)
    }

    fn refuse(&self, shared: &Shared<'_>, why: Unmappable) -> Event {
        let body = &shared.request().body;
        self.unmapped(shared, None, Data { bytes: body.clone(), is_json: json::is_valid(body) }, why)
    }
}

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
