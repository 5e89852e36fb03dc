//! What `normalize` reads of one shape of the sender's bodies: which rule fits an event, what identity it finds,
//! and whether the allow-lists let the event through.

use super::{
    AllowPart, Unmappable,
    place::Place,
    template::Template,
    values::{DIGITS, Trace, Values},
};
use crate::{event::Reason, request::slot::Standing};

/// One shape of the sender's bodies, with the templates that read it.
#[derive(Debug)]
pub(super) struct Form {
    /// The slot that must hold a value; `None` fits every body.
    pub(super) has: Option<Vec<Place>>,
    pub(super) prefix: Option<String>,
    pub(super) kind: Template,
    pub(super) account: Option<Template>,
    pub(super) time: Option<Template>,
    pub(super) rules: Vec<Rule>,
    pub(super) allow: Vec<Allow>,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) when: Vec<String>,
    /// The slot that must hold a value; `None` asks for none.
    pub(super) has: Option<Vec<Place>>,
    pub(super) object: Option<Template>,
    pub(super) object_id: Option<Template>,
    pub(super) key: Option<Template>,
    /// `None`: nothing tells a repeat from a new event.
    pub(super) id: Option<Template>,
}

#[derive(Debug)]
pub(super) struct Allow {
    pub(super) name: String,
    pub(super) at: Template,
    pub(super) part: AllowPart,
    /// `None` takes every value.
    pub(super) values: Option<Vec<String>>,
    pub(super) required: bool,
}

pub(super) struct Naming {
    pub(super) subject: Option<String>,
    pub(super) key: Option<String>,
    pub(super) id: String,
    pub(super) trace: Trace,
}

/// What a rule does not find, with its place in the order in which it looks.
type Lack = (u8, &'static str);

impl Form {
    pub(super) fn fits(&self, values: &Values<'_>) -> Result<bool, Unmappable> {
        self.has.as_ref().map_or(Ok(true), |places| values.has(places))
    }

    /// Takes the first rule that is for this name and finds all it asks for.
    pub(super) fn identify(&self, name: &str, values: &Values<'_>) -> Result<Naming, Unmappable> {
        // Of several rules that lack something, the one that came furthest was meant.
        let mut nearest: Option<Lack> = None;
        for rule in self.rules.iter().filter(|rule| rule.is_for(name)) {
            match rule.identify(values)? {
                Ok(naming) => return Ok(naming),
                Err(lack) => nearest = nearest.max(Some(lack)),
            }
        }
        let detail = match nearest {
            Some((_, lack)) => format!("nothing stands where `{lack}` of the event {name:?} is looked for"),
            None => format!("no rule is for the event {name:?}"),
        };
        Err(Unmappable::new(Reason::Unrecognized, detail))
    }

    /// Returns why the allow-lists refuse the event, or `None`.
    pub(super) fn disallowed(&self, values: &Values<'_>) -> Result<Option<String>, Unmappable> {
        for allow in &self.allow {
            let Some(value) = allow.at.render(values)?.filter(|value| !value.is_empty()) else {
                if allow.required {
                    return Ok(Some(format!(
                        "`allow.{}` asks for a value and the event has none",
                        allow.name
                    )));
                }
                continue;
            };
            let Some(values) = &allow.values else { continue };
            let compared = match allow.part {
                AllowPart::Value => Some(value.as_str()),
                AllowPart::Host => host(&value),
            };
            if !compared.is_some_and(|compared| values.iter().any(|allowed| allowed == compared)) {
                return Ok(Some(format!("`allow.{}` does not list the event's value {value:?}", allow.name)));
            }
        }
        Ok(None)
    }
}

impl Rule {
    pub(super) fn has_no_id(&self) -> bool {
        self.id.is_none()
    }

    fn is_for(&self, name: &str) -> bool {
        let fits = |wanted: &String| match wanted.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => wanted == name,
        };
        self.when.is_empty() || self.when.iter().any(fits)
    }

    /// True where equal bytes may be different events.
    pub(super) fn mints_ids(&self) -> bool {
        self.id.as_ref().is_none_or(|id| id.reads(|place| *place == Place::Fresh))
    }

    /// Returns what the rule finds, or the first thing it asks for that is absent. What comes out empty is no object,
    /// no key and no id, and the rule fits all the same.
    fn identify(&self, values: &Values<'_>) -> Result<Result<Naming, Lack>, Unmappable> {
        if !self.has.as_ref().map_or(Ok(true), |places| values.has(places))? {
            return Ok(Err((0, "has")));
        }
        let Some(object) = optional(self.object.as_ref(), values)? else { return Ok(Err((1, "object"))) };
        let object_id = optional(self.object_id.as_ref(), values)?;
        let Some(object_id) = object_id else { return Ok(Err((2, "object_id"))) };
        let Some(own_key) = optional(self.key.as_ref(), values)? else { return Ok(Err((3, "key"))) };
        let Some((id, trace)) = self.id(values)? else { return Ok(Err((4, "id"))) };
        let [object, object_id, own_key] =
            [object, object_id, own_key].map(|text| Some(text).filter(|text| !text.is_empty()));
        let key = match (&object, &object_id) {
            _ if self.key.is_some() => own_key,
            (Some(object), Some(id)) => Some([object.as_str(), ":", id].concat()),
            (None, Some(id)) => Some(id.clone()),
            (_, None) => None,
        };
        let named = object_id.as_ref().or(key.as_ref());
        let subject = match (&object, named) {
            (Some(object), Some(id)) => Some([object.as_str(), "/", id].concat()),
            (Some(object), None) => Some(object.clone()),
            (None, named) => named.cloned(),
        };
        Ok(Ok(Naming { subject, key, id, trace }))
    }

    /// Returns the event's id and what it was made of; `None` where a slot of its template is absent.
    fn id(&self, values: &Values<'_>) -> Result<Option<(String, Trace)>, Unmappable> {
        values.traced();
        let Some(id) = optional(self.id.as_ref(), values)? else { return Ok(None) };
        let id = if id.is_empty() { values.fresh() } else { id };
        let mut trace = values.traced();
        // Another request could have been sent with this id; with the digest it is nobody else's.
        let digest = (trace.standing == Some(Standing::Open) && !trace.has_digest && !trace.is_fresh)
            .then(|| values.digest_of(DIGITS))
            .flatten();
        trace.has_digest |= digest.is_some();
        let digest = digest.map(|digest| ["-", digest].concat()).unwrap_or_default();
        Ok(Some((id + &digest, trace)))
    }
}

/// Renders a template that may be left out, and then comes out empty. `None`: a slot in it is absent.
fn optional(template: Option<&Template>, values: &Values<'_>) -> Result<Option<String>, Unmappable> {
    template.map_or_else(|| Ok(Some(String::new())), |template| template.render(values))
}

/// Returns the host of an absolute `http` or `https` URL without port and user, or `None`.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    // A user part is how a URL looks like one host and leads to another.
    if authority.contains('@') {
        return None;
    }
    authority.split(':').next().filter(|host| !host.is_empty())
}
