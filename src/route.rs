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

    /// Returns the place in the quarantine, which an event must have whatever it holds: where the sender's text does not
    /// fit the name, it is left out.
    pub fn quarantine_target(&self, event: &Event) -> Result<Target, String> {
        let nameless = || Event { kind: ABSENT.to_owned(), subject: None, key: None, ..event.clone() };
        self.target(event).or_else(|_| self.target(&nameless()))
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

impl Routes {
    /// Returns where an event goes; what has no place goes to the quarantine, once `aside` has marked it with the reason.
    pub fn plan_or_quarantine(
        &self,
        event: &mut Event,
        quarantine: &RouteTarget,
        aside: impl FnOnce(&mut Event, Unplanned),
    ) -> Result<Plan, String> {
        if event.quarantine.is_none() {
            match self.plan(event) {
                Ok(plan) => return Ok(plan),
                Err(unplanned) => aside(event, unplanned),
            }
        }
        quarantine.quarantine_target(event).map(|target| Plan::Publish(vec![target]))
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
