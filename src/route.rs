//! Fifth stage: decides where an event goes. The first route that matches wins; its targets may be templates,
//! filled from the event's attributes and confined to their literal text.

pub mod template;

use crate::{
    event::{Event, Reason},
    record::{Plan, SinkId, Target},
};
use template::{ABSENT, Destination};
use wildmatch::WildMatch;

/// The routing table. Compiled once, at start.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

/// One line of the routing table.
#[derive(Debug)]
pub struct Route {
    /// Pattern of the configured source's name; `None` takes every source.
    pub source: Option<WildMatch>,
    /// Pattern of the event's type.
    pub kind: Option<WildMatch>,
    /// Pattern of the object's type.
    pub object: Option<WildMatch>,
    /// Where matching events go; empty means that they are dropped.
    pub to: Vec<RouteTarget>,
}

/// One destination of a route.
#[derive(Debug, Clone)]
pub struct RouteTarget {
    /// Which sink.
    pub sink: SinkId,
    /// Its topic or subject.
    pub destination: Destination,
}

impl RouteTarget {
    /// Returns the target for one event, or why its name can't be used.
    pub fn target(&self, event: &Event) -> Result<Target, String> {
        Ok(Target { sink: self.sink.clone(), destination: self.destination.render(event)? })
    }

    /// Likewise, with the sender's text left out of the name, for an event that must have a place whatever it holds.
    pub fn nameless_target(&self, event: &Event) -> Result<Target, String> {
        self.target(&Event { kind: ABSENT.to_owned(), subject: None, key: None, ..event.clone() })
    }
}

/// Why an event has no place to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplanned {
    /// The reason that the quarantine shows.
    pub reason: Reason,
    /// One sentence for the person who looks at it.
    pub detail: String,
}

impl Routes {
    /// Makes the table from its lines, in order.
    pub fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// Returns where an event goes.
    pub fn plan(&self, event: &Event) -> Result<Plan, Unplanned> {
        let Some(route) = self.0.iter().find(|route| route.takes(event)) else {
            let detail = format!("no route takes source {:?}, type {:?}", event.source_name, event.kind);
            return Err(Unplanned { reason: Reason::Unrouted, detail });
        };
        if route.to.is_empty() {
            return Ok(Plan::Drop);
        }
        let targets: Result<Vec<Target>, String> = route.to.iter().map(|to| to.target(event)).collect();
        targets.map(Plan::Publish).map_err(|detail| Unplanned { reason: Reason::Unroutable, detail })
    }
}

impl Route {
    fn takes(&self, event: &Event) -> bool {
        let fits = |pattern: &Option<WildMatch>, text: &str| pattern.as_ref().is_none_or(|p| p.matches(text));
        fits(&self.source, &event.source_name)
            && fits(&self.kind, &event.kind)
            && self.object.as_ref().is_none_or(|pattern| event.object().is_some_and(|o| pattern.matches(o)))
    }
}

#[cfg(test)]
mod tests;
