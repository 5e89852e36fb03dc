//! `hookway trigger`: plays a sender. Takes a sample from the sender's document (or a body of one's own), signs it
//! with the source's own secret through the code that verifies, and sends it.
//!
//! ```text
//! plan (which source, which sample) → draft (placeholders, edits) → signed → send, as the sender would
//! ```

mod catalog;
mod client;
mod draft;
mod edit;
mod flow;
mod outcomes;
mod plan;
mod print;
mod report;
mod signer;
mod target;

use super::{
    Common, block_on,
    exit::{Exit, Stop},
    out::Out,
};
use crate::config;
use catalog::Wanted;
use clap::{Args, ValueEnum};
use plan::Plan;
use std::{num::NonZeroU32, path::PathBuf};

pub(super) const HELP: &str = "\
Examples:
  hookway trigger                                           what can be sent? (--all: by whom else?)
  hookway trigger likemagic                                 what can LIKE MAGIC send?
  hookway trigger likemagic.RESERVATION_CHECKED_IN          send it
  hookway trigger --wait likemagic.RESERVATION_CREATED      send it once the server is up
  hookway trigger likemagic.RESERVATION_UPDATED --set /objectId=ROOM-7 --count 5
  hookway trigger propexo.DATA_NEW --break body             see a tampered body refused
  hookway trigger propexo.DATA_NEW --retry --speed 900      retry as the sender does, 900 times as fast
  hookway trigger github.push --print=curl                  print a signed request instead of sending it

In samples, $name, $uuid, $now, $unix, $ms and $n become the event's name, a fresh id, the time (RFC 3339, seconds,
milliseconds) and a fresh number. Bodies from --data are sent as they are.

Exit codes: 0 accepted (2xx), 1 refused, 64 wrong usage, 69 not reachable, 78 configuration.";

#[derive(Debug, Clone, Args)]
pub(super) struct Trigger {
    /// Which event: the sender's preset and a sample's name; nothing, or only the sender, lists what there is
    #[arg(value_name = "SENDER.EVENT")]
    event: Option<String>,
    /// Which source sends it, where several have this sender
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Lists also the senders that are not configured
    #[arg(long, conflicts_with_all = ["event", "source"])]
    all: bool,
    /// Where to; `/hooks/<source>` is added to an URL without a path [default: `listen` of the configuration]
    #[arg(long)]
    url: Option<String>,
    /// Sends this file as the body instead of the sample; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Replaces a value of the JSON body before it is signed, as /objectId=ROOM-7; may be repeated
    #[arg(long, value_name = "POINTER=VALUE", value_parser = edit::Edit::parse)]
    set: Vec<edit::Edit>,
    /// Adds a header before the request is signed, whose own headers are made anew; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = draft::header)]
    header: Vec<draft::Header>,
    /// How many events
    #[arg(long, value_name = "N", default_value = "1")]
    count: NonZeroU32,
    /// How many at once
    #[arg(long, value_name = "N", default_value = "1")]
    concurrency: NonZeroU32,
    /// Waits until the server is there and its sinks are ready, for at most 30 s
    #[arg(long)]
    wait: bool,
    /// Sends again with the sender's own pauses until it is accepted
    #[arg(long)]
    retry: bool,
    /// Makes the pauses of --retry shorter by this factor
    #[arg(long, value_name = "FACTOR", default_value = "1", requires = "retry", value_parser = flow::speed)]
    speed: f64,
    /// Breaks the request, to see it refused
    #[arg(long = "break", value_enum, value_name = "WHAT", conflicts_with = "retry")]
    breaks: Option<Break>,
    /// Prints the signed request instead of sending it
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "http", conflicts_with = "retry")]
    print: Option<Form>,
}

/// What is wrong with a request that must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Break {
    /// It is signed with a secret that the source does not have
    Signature,
    /// Its body is changed after it was signed
    Body,
    /// It is not signed at all
    Header,
}

/// How a request is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As it goes over the wire
    Http,
    /// As a command for a shell
    Curl,
}

pub(super) fn run(trigger: &Trigger, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let (sender, event) = match trigger.event.as_deref().map(|event| event.split_once('.').ok_or(event)) {
        Some(Ok((sender, event))) => (Some(sender), event),
        None if trigger.data.is_some() && trigger.source.is_some() => (None, "data"),
        Some(Err(sender)) => return catalog::run(&Wanted::Sender(sender), common, out),
        None => {
            let source = trigger.source.as_deref().map(Wanted::Source);
            let rest = if trigger.all { Wanted::All } else { Wanted::Configured };
            return catalog::run(&source.unwrap_or(rest), common, out);
        }
    };
    let loaded = config::load(&common.config)?;
    let plan = Plan::make(trigger, &loaded, sender, event)?;
    if let Some(note) = &plan.note {
        out.note(note);
    }
    if let Some(form) = trigger.print {
        return print::run(&plan, form, out);
    }
    block_on(flow::run(plan, trigger, out))
}
