//! What is legal in a document, and makes repeats of events or events of repeats. `check` and the start's log say it.

use super::{
    Format, Normalizer,
    form::Rule,
    place::{Place, Within},
    template::Template,
};
use crate::request::slot::Standing;

/// One thing that the author of a document should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// The field, as `event.id`.
    pub field: &'static str,
    /// What follows of it.
    pub problem: &'static str,
    /// How it is mended.
    pub fix: &'static str,
}

const NO_ID: Doubt = Doubt {
    field: "event.id",
    problem: "no id is stated for some events: each request counts as a new event, and a retry is published again",
    fix: "write `event: { id: \"{/id}\" }` with the place of the sender's own id; `id: \"sha256:{sha256}\"` where equal bytes \
          are always the same event; or `id: \"{uuid}\"` to keep it so",
};

const ONE_FOR_ALL: Doubt = Doubt {
    field: "event.id",
    problem: "`each` divides the body, and this id is the same for all of its elements",
    fix: "name a place in the element, as `{./id}`, or add `{sha256:32}`; until then elements that differ get the digest of \
          their bytes behind it",
};

const NOT_UNIQUE: Doubt = Doubt {
    field: "dedup.unique",
    problem: "an id is read from what verification does not cover: anybody could have written it, and so it never decides \
              alone that an event is a repeat",
    fix: "take `unique` out, or read an id that is signed",
};

impl Normalizer {
    /// Returns what the author of its document should know.
    pub fn doubts(&self) -> Vec<Doubt> {
        let rules = || self.forms.iter().flat_map(|form| &form.rules);
        let any = |is_so: &dyn Fn(&Template) -> bool| rules().filter_map(|rule| rule.id.as_ref()).any(is_so);
        let is_cloud = self.format == Format::Cloudevents;
        let is_forgeable = if is_cloud { self.cloud.is_forgeable() } else { any(&is_forgeable) };
        [
            (!is_cloud && rules().any(Rule::has_no_id), NO_ID),
            (!is_cloud && self.split.is_some() && any(&is_one_for_all), ONE_FOR_ALL),
            (self.ids_are_unique && is_forgeable, NOT_UNIQUE),
        ]
        .into_iter()
        .filter_map(|(is_so, doubt)| is_so.then_some(doubt))
        .collect()
    }
}

/// True where nothing in an id depends on the element.
fn is_one_for_all(id: &Template) -> bool {
    !id.reads(|place| match place {
        Place::Body { within, .. } => *within == Within::Element,
        Place::Digest(_) | Place::Index | Place::Fresh => true,
        Place::Request { .. } => false,
    })
}

fn is_forgeable(id: &Template) -> bool {
    id.reads(|place| match place {
        Place::Body { standing, .. } | Place::Request { standing, .. } => *standing > Standing::Vouched,
        Place::Digest(_) | Place::Index | Place::Fresh => false,
    })
}
