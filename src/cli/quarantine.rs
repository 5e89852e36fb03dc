//! `hookway quarantine` and `hookway replay`: what stands in a sink goes through today's configuration again.
//!
//! ```text
//! Feed of `tail` → Row → chosen → stored (its envelope, and the request in it) → Replayer of `app` → noted as done
//! ```

mod choose;
mod list;
mod notes;
mod position;
mod replay;
mod stored;

use super::{
    Common, block_on,
    exit::{Exit, Stop},
    out::Out,
};
use crate::config;
use choose::{Choice, From};
use clap::{Args, Subcommand};
use position::Position;

pub(super) const HELP: &str = "\
Examples:
  hookway quarantine ls                                    what could not be mapped, routed or published
  hookway quarantine show kept#4                           one of them, with its request
  hookway quarantine replay --dry-run                      what today's configuration would make of them
  hookway quarantine replay --reason unrouted --rate 50
  hookway quarantine drop kept#4 --why 'a test of ours'    dealt with: `ls` leaves it out
  hookway replay --from bus:orders --since 2h              events of a topic, stream or journal, once more

A replayed event keeps its id, and its envelope says `hookwaypath: replay`. What was replayed or dropped is noted in the file
`handled` beside the quarantine's journal, or another's that is configured, or in ./hookway-data/quarantine.
A journal is written by one process: to replay into one, stop the server that has it.

Exit codes: 0 well, 1 some stay or nothing fits, 64 wrong usage, 69 a broker or journal is not there, 74 disk, 78 configuration.";

#[derive(Debug, Args)]
pub(super) struct Quarantine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists the events that nobody has dealt with
    Ls {
        #[command(flatten)]
        choice: Choice,
        /// Lists those that were replayed or dropped, too
        #[arg(long)]
        all: bool,
    },
    /// Shows one event whole, with what is kept of its request
    Show {
        /// Where it stands, as `ls` says
        position: Position,
        #[command(flatten)]
        from: From,
    },
    /// Publishes the events that today's configuration can map and route
    Replay(Replay),
    /// Notes that events are dealt with; nothing is removed
    Drop {
        /// Where they stand, as `ls` says
        #[arg(required = true)]
        positions: Vec<Position>,
        /// Why, for whoever asks later
        #[arg(long)]
        why: String,
        #[command(flatten)]
        from: From,
    },
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    choice: Choice,
    /// Says what would go where, and publishes nothing
    #[arg(long)]
    dry_run: bool,
    /// At most so many events a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Goes on behind a position that an earlier replay has printed
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
    /// Also those of the quarantine that were replayed or dropped before
    #[arg(long)]
    again: bool,
}

/// Looks at the quarantine, or empties it.
pub(super) fn run(quarantine: &Quarantine, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let loaded = config::load(&common.config)?;
    match &quarantine.verb {
        Verb::Ls { choice, all } => block_on(list::ls(&loaded, choice, *all, out)),
        Verb::Show { position, from } => block_on(list::show(&loaded, position, from, out)),
        Verb::Replay(replay) => block_on(replay::run(&loaded, replay, true, out)),
        Verb::Drop { positions, why, from } => block_on(list::put_off(&loaded, positions, why, from, out)),
    }
}

/// Replays events that were published.
pub(super) fn replay(replay: &Replay, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let loaded = config::load(&common.config)?;
    if replay.choice.from.is_default() {
        return Err(Stop::usage("say from where: --from SINK, SINK:TOPIC or SINK:SUBJECT"));
    }
    block_on(replay::run(&loaded, replay, false, out))
}
