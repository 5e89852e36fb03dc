//! The command line: one verb a task, the same options and exit codes for all of them.
//!
//! `init` writes a configuration and `run` serves it; the other verbs look at a configuration (`check`, `schema`), play a
//! sender (`trigger`), or read what came (`capture`, `explain`) and what was published (`tail`); `senders` lists whom
//! Hookway knows. Results go to standard output through `out`, everything else to standard error.

mod capture;
mod check;
mod exit;
mod explain;
mod init;
mod input;
mod out;
mod panic;
mod quarantine;
mod run;
mod schema;
mod senders;
mod spool;
mod tail;
mod told;
mod trigger;

use crate::{
    config::{Loaded, SourceConfig, nearest::one_of},
    senders::SenderSpec,
};
use clap::{Args, Parser, Subcommand, error::ErrorKind};
use exit::{Exit, Stop};
use out::Out;
use std::{path::PathBuf, process::ExitCode};

const EXIT_CODES: &str = "\
Exit codes:
  0   well
  1   a negative finding: refused, or problems found
  64  wrong usage
  69  a dependency is not available: the server, a broker
  70  a bug in hookway
  74  a disk is full or fails
  78  the configuration is wrong";

const EXAMPLES: &str = "\
Examples:
  hookway init                                              write a first configuration
  hookway check --config hookway.yaml                       is this configuration right?
  hookway run --config hookway.yaml                         serve it
  hookway trigger likemagic.RESERVATION_CHECKED_IN          send a signed sample to it
  hookway capture shop                                      keep the next request that is refused
  hookway explain --source shop shop-1.http                 why was it refused?
  hookway tail --follow                                     watch what it publishes
  hookway senders                                           whom does it know?
  hookway schema > hookway.schema.json                      let an editor complete it

";

/// Receives webhooks, verifies them, and puts each one into Kafka, NATS JetStream or its own journal, keyed by the
/// object it is about.
#[derive(Debug, Parser)]
#[command(name = "hookway", version, after_help = format!("{EXAMPLES}{EXIT_CODES}"), max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// The options of every verb.
#[derive(Debug, Clone, Args)]
struct Common {
    /// The configuration
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        env = "HOOKWAY_CONFIG",
        default_value = "./hookway.yaml",
        hide_env_values = true
    )]
    config: PathBuf,
    /// Writes JSON: one object, or one a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Writes a first configuration
    #[command(after_help = init::HELP)]
    Init(init::Init),
    /// Serves: receives, verifies and publishes webhooks until SIGTERM
    #[command(after_help = run::HELP)]
    Run,
    /// Checks a configuration, without connecting to anything
    #[command(after_help = check::HELP)]
    Check(check::Check),
    /// Plays a sender: sends a correctly signed sample
    #[command(after_help = trigger::HELP)]
    Trigger(trigger::Trigger),
    /// Says whether a captured request would be accepted, and if not, why
    #[command(after_help = explain::HELP)]
    Explain(explain::Explain),
    /// Writes the next refused requests of a source into files that `explain` reads
    #[command(after_help = capture::HELP)]
    Capture(capture::Capture),
    /// Shows the events of a sink: the last ones, then what follows
    #[command(after_help = tail::HELP)]
    Tail(tail::Tail),
    /// Lists, shows, replays or drops what could not be mapped, routed or published
    #[command(after_help = quarantine::HELP)]
    Quarantine(quarantine::Quarantine),
    /// Sends events of a sink through today's routes again
    #[command(after_help = quarantine::HELP)]
    Replay(quarantine::Replay),
    /// Lists, shows, exports or publishes what waits on disk while a destination is away
    #[command(after_help = spool::HELP)]
    Spool(spool::Spool),
    /// Lists the senders that are known, or shows how one is described
    #[command(after_help = senders::HELP)]
    Senders(senders::Senders),
    /// Prints the JSON Schema of the configuration or of the envelope, or the presets' names
    #[command(after_help = schema::HELP)]
    Schema(schema::Schema),
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    panic::report_in_one_line();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error).into(),
    };
    let json = cli.common.json;
    let exit = match panic::caught(|| perform(cli)) {
        Some(Ok(exit)) => exit,
        Some(Err(stop)) => {
            out::complain(json, &stop);
            stop.exit
        }
        None => Exit::Bug,
    };
    exit.into()
}

/// Prints help, version or what is wrong with the arguments; of the latter nobody is left to tell when that fails.
fn misused(error: &clap::Error) -> Exit {
    let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    match error.print() {
        _ if !is_answer => Exit::Usage,
        Ok(()) => Exit::Well,
        Err(error) => {
            let stop = Stop::of_output(&error);
            out::complain(false, &stop);
            stop.exit
        }
    }
}

fn perform(cli: Cli) -> Result<Exit, Stop> {
    let Cli { common, verb } = cli;
    let mut out = Out::new(common.json);
    match verb {
        Verb::Init(init) => init::run(&init, &common, &mut out),
        Verb::Run => run::run(&common),
        Verb::Check(check) => check::run(&check, &common, &mut out),
        Verb::Trigger(trigger) => trigger::run(&trigger, &common, &mut out),
        Verb::Explain(explain) => explain::run(&explain, &common, &mut out),
        Verb::Capture(capture) => capture::run(&capture, &common, &mut out),
        Verb::Tail(tail) => tail::run(&tail, &common, &mut out),
        Verb::Quarantine(quarantine) => quarantine::run(&quarantine, &common, &mut out),
        Verb::Replay(replay) => quarantine::replay(&replay, &common, &mut out),
        Verb::Spool(spool) => spool::run(&spool, &common, &mut out),
        Verb::Senders(senders) => senders::run(&senders, &mut out),
        Verb::Schema(schema) => schema::run(&schema, &mut out),
    }
}

/// Returns a configured source and its document.
fn source<'l>(loaded: &'l Loaded, name: &str) -> Result<(&'l SourceConfig, &'l SenderSpec), Stop> {
    let sources = &loaded.config.sources;
    sources.get(name).zip(loaded.senders.get(name)).ok_or_else(|| {
        let known = one_of(sources.keys().map(String::as_str));
        Stop::usage(format!("there is no source {name:?}: the sources are {known}"))
    })
}

/// Starts a runtime for a verb that waits for the network.
fn block_on<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Stop::new(Exit::Unavailable, format!("no threads can be started: {error}")))?;
    let result = runtime.block_on(work);
    // A client's thread that still waits for a broker must not hold up the answer.
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_names_its_exit_codes() {
        assert!(Cli::command().render_help().to_string().contains(EXIT_CODES));
    }

    #[test]
    fn the_configuration_may_stand_before_or_after_the_verb() {
        for arguments in
            [["hookway", "--config", "a.yaml", "check"], ["hookway", "check", "--config", "a.yaml"]]
        {
            let cli = Cli::try_parse_from(arguments).unwrap();
            assert_eq!(cli.common.config, PathBuf::from("a.yaml"));
        }
    }

    #[test]
    fn wrong_arguments_are_usage_and_help_is_not() {
        for (arguments, exit) in [
            (&["hookway"][..], Exit::Usage),
            (&["hookway", "dance"], Exit::Usage),
            (&["hookway", "tail", "--from", "yesterday"], Exit::Usage),
            (&["hookway", "--help"], Exit::Well),
            (&["hookway", "--version"], Exit::Well),
        ] {
            assert_eq!(misused(&Cli::try_parse_from(arguments).unwrap_err()), exit, "{arguments:?}");
        }
    }
}
