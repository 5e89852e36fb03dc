//! What is legal in a document, and makes repeats of events or events of repeats. `check` and the start's log say it.

use super::{
    Format, Normalizer,
    form::Rule,
    place::{Place, Within},
    template::Template,
};
use crate::request::{SpecProblem, slot::Standing};

/// The field, what follows of it, and how it is mended.
type Doubt = [&'static str; 3];

const NO_ID: Doubt = [
    "event.id",
    "no id is stated for some events: each request counts as a new event, and a retry is published again",
    "write `event: { id: \"{/id}\" }` with the place of the sender's own id; `id: \"sha256:{sha256}\"` where equal bytes are \
     always the same event; or `id: \"{uuid}\"` to keep it so",
];

const ONE_FOR_ALL: Doubt = [
    "event.id",
    "`each` divides the body, and this id is the same for all of its elements",
    "name a place in the element, as `{./id}`, or add `{sha256:32}`; until then elements that differ get the digest of \
     their bytes behind it",
];

const NOT_UNIQUE: Doubt = [
    "dedup.unique",
    "an id is read from what verification does not cover: anybody could have written it, and so it never decides alone \
     that an event is a repeat",
    "take `unique` out, or read an id that is signed",
];

/// Asks whether a text without any slot is meant to be one. It is not quoted: nobody knows what stands there.
pub(super) fn constant(field: &str) -> SpecProblem {
    let problem = "this text names no place in the request, and so it is the same for every event";
    let fix = "write a pointer with its slash, as `/order/id`, for a value of the body; or quotes within quotes, as \
               `\"'order'\"`, to say that it is a constant";
    SpecProblem::new(field.to_owned(), problem, fix)
}

impl Normalizer {
    /// Returns what the author of its document should know.
    pub fn doubts(&self) -> Vec<SpecProblem> {
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
        .filter(|(is_so, _)| *is_so)
        .map(|(_, [field, problem, fix])| SpecProblem::new(field, problem, fix))
        .chain(self.constants.iter().filter(|_| !is_cloud).cloned())
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
