//! `hookway schema`: what editors and consumers need to know of our documents.

use super::{
    exit::{Exit, Stop},
    out::Out,
};
use crate::{config, senders};
use clap::{Args, ValueEnum};

/// The JSON Schema of the structured envelope.
const ENVELOPE: &str = include_str!("../../schemas/envelope.schema.json");

pub(super) const HELP: &str = "\
Examples:
  hookway schema > hookway.schema.json     for an editor: `# yaml-language-server: $schema=hookway.schema.json`
  hookway schema envelope                  what consumers receive
  hookway schema senders                   the names that `preset:` takes";

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What is printed
    #[arg(value_enum, default_value_t = Subject::Config)]
    of: Subject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Subject {
    /// JSON Schema of the configuration
    Config,
    /// JSON Schema of a published event
    Envelope,
    /// Names of the presets and their variants
    Senders,
}

pub(super) fn run(schema: &Schema, out: &mut Out) -> Result<Exit, Stop> {
    match schema.of {
        Subject::Config => out.document(&config::schema())?,
        Subject::Envelope => out.bytes(ENVELOPE.as_bytes())?,
        Subject::Senders if out.is_json() => out.object(&senders::all_names().collect::<Vec<_>>())?,
        Subject::Senders => {
            for name in senders::all_names() {
                out.line(name)?;
            }
        }
    }
    Ok(Exit::Well)
}
