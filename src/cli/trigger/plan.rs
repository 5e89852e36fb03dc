//! Decides who sends what: the source in the configuration, its sample, its verifier, the sender's pauses.

use super::{
    Trigger,
    draft::{Body, Draft},
    signer::Signer,
    target::Target,
};
use crate::{
    cli::{exit::Stop, input, source as known},
    config::{
        Loaded,
        nearest::{nearest, one_of},
        units, unknown_preset_fix,
    },
    senders::{self, SampleSpec, SenderSpec},
};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

/// All that one call needs to know.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The configured source.
    pub(super) source: String,
    /// The event's name.
    pub(super) event: String,
    /// Where it is sent.
    pub(super) target: Target,
    /// Where the server says what became of it.
    pub(super) admin: SocketAddr,
    /// What its requests are made from.
    pub(super) draft: Draft,
    /// How they are signed.
    pub(super) signer: Signer,
    /// The sender's pauses between attempts.
    pub(super) pauses: Vec<Duration>,
    /// What the person should know before.
    pub(super) note: Option<String>,
}

impl Plan {
    /// Finds source and sample for `sender` (any, where the source was named) and `event`.
    pub(super) fn make(
        trigger: &Trigger,
        loaded: &Loaded,
        sender: Option<&str>,
        event: &str,
    ) -> Result<Self, Stop> {
        let source = find_source(loaded, sender, trigger.source.as_deref())?;
        let (config, spec) = known(loaded, source)?;
        let (body, headers, note) = if let Some(file) = &trigger.data {
            (Body::Own(input::read(file)?.into()), BTreeMap::new(), None)
        } else {
            let (sample, note) = find_sample(spec.samples.as_deref().unwrap_or_default(), event)?;
            (Body::Sample(sample.body.clone()), sample.headers.clone(), note)
        };
        let target = match &trigger.url {
            Some(url) => Target::parse(url, source)?,
            None => Target::local(loaded.config.listen, source),
        };
        Ok(Self {
            source: source.to_owned(),
            event: event.to_owned(),
            draft: Draft {
                body,
                headers,
                extra: trigger.header.clone(),
                edits: trigger.set.clone(),
                path: target.path.clone(),
            },
            target,
            admin: loaded.config.admin,
            signer: Signer::new(loaded, source, (&config.secrets, spec), trigger.breaks)?,
            pauses: pauses(spec),
            note,
        })
    }
}

/// Returns the source that has this sender, by its preset, its sender's name or its own.
fn find_source<'l>(
    loaded: &'l Loaded,
    sender: Option<&str>,
    chosen: Option<&'l str>,
) -> Result<&'l str, Stop> {
    let names = || loaded.config.sources.keys().map(String::as_str);
    let has = |name: &str, sender: &str| {
        let preset = loaded.config.sources.get(name).and_then(|source| source.preset.as_deref());
        let own = loaded.senders.get(name).and_then(|spec| spec.sender.as_deref());
        preset == Some(sender) || own == Some(sender)
    };
    if let Some(wanted) = chosen {
        known(loaded, wanted)?;
        return match sender.filter(|sender| *sender != wanted && !has(wanted, sender)) {
            None => Ok(wanted),
            Some(other) => {
                Err(Stop::usage(format!("the source {wanted:?} has another sender than {other:?}")))
            }
        };
    }
    let Some(sender) = sender else { return Err(Stop::usage("say which source sends it, with --source")) };
    let found: Vec<&str> = names().filter(|name| has(name, sender)).collect();
    match found.as_slice() {
        [source] => Ok(source),
        [] => names().find(|name| *name == sender).ok_or_else(|| {
            let fix = match senders::find(sender) {
                Some(_) => format!("add `{sender}: {{ preset: {sender}, secrets: [ env:SECRET ] }}` to them"),
                None => unknown_preset_fix(sender),
            };
            Stop::usage(format!(
                "no source has the sender {sender:?}; the sources are {}; {fix}",
                one_of(names())
            ))
        }),
        several => {
            let several = one_of(several.iter().copied());
            Err(Stop::usage(format!(
                "several sources have the sender {sender:?}: choose {several} with --source"
            )))
        }
    }
}

/// Returns the sample of this name. Another name is carried by the family of samples whose names are most like it.
fn find_sample<'s>(samples: &'s [SampleSpec], event: &str) -> Result<(&'s SampleSpec, Option<String>), Stop> {
    if event.is_empty() {
        return Err(Stop::usage("name an event behind the dot; without the dot, the sender's are listed"));
    }
    if let Some(sample) = samples.iter().find(|sample| sample.names.iter().any(|name| name == event)) {
        return Ok((sample, None));
    }
    let names = || samples.iter().flat_map(|sample| sample.names.iter().map(String::as_str));
    let near = nearest(event, names()).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    let carries = |sample: &&SampleSpec| {
        sample.body.contains("$name") || sample.headers.values().any(|v| v.contains("$name"))
    };
    let common = |name: &str| name.chars().zip(event.chars()).take_while(|(a, b)| a == b).count();
    let likeness = |sample: &SampleSpec| sample.names.iter().map(|name| common(name)).max().unwrap_or(0);
    // The first of several equals: the sender's commonest family stands first.
    let best = samples.iter().filter(carries).rev().max_by_key(|sample| likeness(sample));
    let like = best.and_then(|sample| Some((sample, sample.names.first()?)));
    match like {
        Some((sample, like)) => Ok((
            sample,
            Some(format!("no sample has the name {event}: it is sent in the form of {like}{near}")),
        )),
        None if samples.is_empty() => {
            Err(Stop::usage("this sender has no samples: give a body with --data FILE"))
        }
        None => {
            let known = one_of(names());
            Err(Stop::usage(format!(
                "no sample has the name {event:?}{near} There are {known}; or give a body with --data FILE"
            )))
        }
    }
}

fn pauses(spec: &SenderSpec) -> Vec<Duration> {
    let after = spec.retries.as_ref().and_then(|retries| retries.after.as_deref()).unwrap_or_default();
    after.iter().filter_map(|pause| units::duration(pause)).collect()
}

#[cfg(test)]
mod tests;
