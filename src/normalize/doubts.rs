//! What is legal in a document, and makes repeats of events or events of repeats. `check` and the start's log say it.

use super::{
    Format, Normalizer,
    form::Rule,
    place::{Place, Within},
    template::Template,
};
use crate::request::slot::Standing;
use std::borrow::Cow;

/// One thing that the author of a document should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The field, as `event.id`.
    pub field: Cow<'static, str>,
    /// What follows of it.
    pub problem: &'static str,
    /// How it is mended.
    pub fix: &'static str,
}

impl Doubt {
    const fn new(field: &'static str, problem: &'static str, fix: &'static str) -> Self {
        Self { field: Cow::Borrowed(field), problem, fix }
    }

    /// Asks whether a text without any slot is meant to be one. It is not quoted: nobody knows what stands there.
    pub(super) fn constant(field: &str) -> Self {
        Self {
            field: field.to_owned().into(),
            problem: "this text names no place in the request, and so it is the same for every event",
            fix: "write a pointer with its slash, as `/order/id`, for a value of the body; or quotes within quotes, as \
                  `\"'order'\"`, to say that it is a constant",
        }
    }
}

const NO_ID: Doubt = Doubt::new(
    "event.id",
    "no id is stated for some events: each request counts as a new event, and a retry is published again",
    "write `event: { id: \"{/id}\" }` with the place of the sender's own id; `id: \"sha256:{sha256}\"` where equal bytes are \
     always the same event; or `id: \"{uuid}\"` to keep it so",
);

const ONE_FOR_ALL: Doubt = Doubt::new(
    "event.id",
    "`each` divides the body, and this id is the same for all of its elements",
    "name a place in the element, as `{./id}`, or add `{sha256:32}`; until then elements that differ get the digest of \
     their bytes behind it",
);

const NOT_UNIQUE: Doubt = Doubt::new(
    "dedup.unique",
    "an id is read from what verification does not cover: anybody could have written it, and so it never decides alone \
     that an event is a repeat",
    "take `unique` out, or read an id that is signed",
);

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
