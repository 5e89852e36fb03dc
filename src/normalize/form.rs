//! What `normalize` reads of one shape of the sender's bodies: which rule fits an event, what identity it finds,
//! and whether the allow-lists let the event through.

use super::{
    AllowPart, Unmappable,
    template::{Place, Template},
    values::Values,
};
use crate::event::Reason;

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

/// How one kind of event finds its object, key and id.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) when: Vec<String>,
    pub(super) object: Option<Template>,
    pub(super) object_id: Option<Template>,
    pub(super) key: Option<Template>,
    pub(super) id: Template,
}

/// The values that one place of an event may have.
#[derive(Debug)]
pub(super) struct Allow {
    pub(super) name: String,
    pub(super) at: Template,
    pub(super) part: AllowPart,
    /// `None` takes every value.
    pub(super) values: Option<Vec<String>>,
    pub(super) required: bool,
}

/// What a rule found.
pub(super) struct Identity {
    pub(super) subject: Option<String>,
    pub(super) key: Option<String>,
    pub(super) id: String,
    pub(super) id_is_stable: bool,
}

impl Form {
    /// Tells whether a body has this shape.
    pub(super) fn fits(&self, values: &Values<'_>) -> Result<bool, Unmappable> {
        self.has.as_ref().map_or(Ok(true), |places| values.has(places))
    }

    /// Takes the first rule that is for this name and finds all it asks for.
    pub(super) fn identify(&self, name: &str, values: &Values<'_>) -> Result<Identity, Unmappable> {
        for rule in &self.rules {
            if (rule.when.is_empty() || rule.when.iter().any(|wanted| wanted == name))
                && let Some(identity) = rule.identify(values)?
            {
                return Ok(identity);
            }
        }
        let detail = format!("the body names no object for the event {name:?}");
        Err(Unmappable::new(Reason::Unrecognized, detail))
    }

    /// Returns why the allow-lists refuse the event, or `None`.
    pub(super) fn disallowed(&self, values: &Values<'_>) -> Result<Option<String>, Unmappable> {
        for allow in &self.allow {
            let Some(value) = allow.at.render(values)? else {
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
    /// Returns what the rule finds, or `None` when something it asks for is absent.
    fn identify(&self, values: &Values<'_>) -> Result<Option<Identity>, Unmappable> {
        let object = match &self.object {
            Some(object) => match object.render(values)? {
                Some(object) => Some(object),
                None => return Ok(None),
            },
            None => None,
        };
        let object_id = match &self.object_id {
            Some(object_id) => match object_id.render(values)? {
                Some(object_id) => Some(object_id),
                None => return Ok(None),
            },
            None => None,
        };
        let key = match &self.key {
            Some(key) => match key.render(values)? {
                Some(key) => Some(key),
                None => return Ok(None),
            },
            None => match (&object, &object_id) {
                (Some(object), Some(id)) => Some([object.as_str(), ":", id].concat()),
                (None, Some(id)) => Some(id.clone()),
                (_, None) => None,
            },
        };
        let Some(id) = self.id.render(values)? else { return Ok(None) };
        let named = object_id.as_ref().or(key.as_ref());
        let subject = match (&object, named) {
            (Some(object), Some(id)) => Some([object.as_str(), "/", id].concat()),
            (Some(object), None) => Some(object.clone()),
            (None, named) => named.cloned(),
        };
        let key = key.filter(|key| !key.is_empty());
        Ok(Some(Identity { subject, key, id, id_is_stable: !self.id.is_minted() }))
    }
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
