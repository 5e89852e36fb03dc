//! The events of a body that holds several. Each element is mapped alone: one that can't be mapped goes to the
//! quarantine alone, and the others go their way.

use super::{
    Normalizer, Unmappable,
    json::{self, Found},
    mapping::{Data, Shared, ambiguous},
    media,
    spec::{Empty, Format},
    split::{Division, Element, Split},
    values::{Inner, Values},
};
use crate::{
    event::{Event, Reason},
    request::{Request, unmarked},
};

impl Normalizer {
    /// Returns the events of a delivery whose body the sender's document divides.
    pub(super) fn elements(&self, shared: &Shared<'_>, split: &Split) -> Vec<Event> {
        let request = shared.request();
        let (found, division) = match self.divide(request, split) {
            Ok(Some(divided)) => divided,
            Ok(None) => return vec![self.whole(shared)],
            Err(unmappable) => {
                let data = Data { bytes: request.body.clone(), is_json: json::is_valid(&request.body) };
                return vec![self.unmapped(shared, None, data, unmappable)];
            }
        };
        let around: Vec<_> = division.around.iter().map(|text| self.around(text)).collect();
        let map = |(index, element): (usize, &Element<'_>)| {
            let around = around.get(element.around).unwrap_or(&found);
            self.element(shared, &found, around, element, index)
        };
        division.elements.iter().enumerate().map(map).collect()
    }

    /// Scans and divides a body. `None`: it is no JSON, and the format allows that.
    fn divide<'a>(
        &self,
        request: &'a Request,
        split: &Split,
    ) -> Result<Option<(Found<'a>, Division<'a>)>, Unmappable> {
        let body = &request.body;
        if self.format == Format::Any && !split.takes_lines() && !media::names_json(&request.headers) {
            return Ok(None);
        }
        let (found, division) = match self.tries.whole.scan(body) {
            Ok(found) => {
                if let Some(member) = found.repeated() {
                    return Err(ambiguous(member));
                }
                (found, split.divide(json::text(body)?)?)
            }
            Err(_) if split.takes_lines() => (self.tries.whole.nothing(), Split::lines(unmarked(body))?),
            Err(_) if self.format == Format::Any => return Ok(None),
            Err(error) => return Err(self.no_json(request, error)),
        };
        self.check_empty(&division)?;
        Ok(Some((found, division)))
    }

    /// Refuses a body without any event, unless the sender means something by it.
    pub(super) fn check_empty(&self, division: &Division<'_>) -> Result<(), Unmappable> {
        if division.elements.is_empty() && self.empty == Empty::Quarantine {
            return Err(Unmappable::new(Reason::Unrecognized, "the body holds no event: its list is empty"));
        }
        Ok(())
    }

    /// Returns what stands at the `../` pointers of a value that elements were taken from.
    fn around<'a>(&self, text: &'a str) -> Found<'a> {
        let around = &self.tries.around;
        if around.is_empty() {
            return around.nothing();
        }
        // It is part of a body that was scanned already; only a number beyond every float can stop a second look.
        around.scan(text.as_bytes()).unwrap_or_else(|_| around.nothing())
    }

    fn element(
        &self,
        shared: &Shared<'_>,
        whole: &Found<'_>,
        around: &Found<'_>,
        element: &Element<'_>,
        index: usize,
    ) -> Event {
        let request = shared.request();
        let scanned = self.tries.element.scan(&element.bytes);
        let is_json = scanned.is_ok();
        let data = || Data { bytes: element.of(&request.body), is_json };
        let mapped = scanned.map_err(Unmappable::from).and_then(|found| {
            if let Some(member) = &element.repeated {
                return Err(ambiguous(member));
            }
            let inner = Inner { found, around, bytes: &element.bytes, index };
            let values = Values::new(request, &self.params, whole, &shared.digest).of_element(inner);
            self.map(shared, &values, data())
        });
        mapped.unwrap_or_else(|unmappable| self.unmapped(shared, Some(index), data(), unmappable))
    }
}

#[cfg(test)]
mod tests;
