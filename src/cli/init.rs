//! `hookway init`: writes a first configuration, and never over one that is there.

use super::{
    Common,
    exit::{Exit, Stop},
    out::Out,
};
use crate::{
    config::{self, unknown_preset_fix},
    senders,
};
use clap::Args;
use std::{
    fs::File,
    io::{ErrorKind, Write as _},
};

pub(super) const HELP: &str = "\
Examples:
  hookway init                                  ./hookway.yaml, with LIKE MAGIC as its one source
  hookway init github --config github.yaml      another sender, another file

Exit codes: 0 written, 64 wrong usage or the file is there already, 74 it can't be written.";

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Who sends: a preset or a variant of one, see `hookway senders`
    #[arg(value_name = "SENDER", default_value = "likemagic")]
    sender: String,
}

pub(super) fn run(init: &Init, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let (sender, file) = (init.sender.as_str(), common.config.as_path());
    if senders::find(sender).is_none() {
        return Err(Stop::usage(format!("there is no preset {sender:?}; {}", unknown_preset_fix(sender))));
    }
    let variable = format!("{}_SECRET", sender.to_uppercase().replace('-', "_"));
    let name = file.display();
    let written = File::create_new(file)
        .and_then(|mut file| file.write_all(configuration(sender, &variable).as_bytes()));
    written.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return Stop::usage(format!("{name} is there already, and stays as it is"));
        }
        Stop::new(Exit::Disk, format!("{name} can't be written: {error}"))
    })?;
    if out.is_json() {
        out.object(&serde_json::json!({ "file": file, "sender": sender, "secret": variable }))?;
        return Ok(Exit::Well);
    }
    out.line(format!("{name} is written; its one source is {sender}. Next:"))?;
    out.line(format!(
        "  export {variable}=…         # the sender's secret, or one to try with: $(openssl rand -hex 32)"
    ))?;
    out.line("  hookway check")?;
    out.line("  hookway run")?;
    out.line(format!("  hookway trigger {sender}    # what can it send?"))?;
    // Some senders need more than a secret.
    if let Err(missing) = config::load(file) {
        out.note(format!("still missing:\n{missing}"));
    }
    Ok(Exit::Well)
}

fn configuration(sender: &str, variable: &str) -> String {
    format!(
        "\
# Is it right? hookway check
# What else can stand here? docs/configuration.md
sources:
  # Webhooks arrive at POST /hooks/{sender}. A secret stands in a variable, or in a file: file:/run/secrets/{sender}
  {sender}: {{ preset: {sender}, secrets: [ env:{variable} ] }}

# Without sinks, events go to a journal below ./hookway-data. To send them to Kafka, or to NATS, take the # away:
#
# sinks:
#   bus: {{ kafka: {{ brokers: [ localhost:9092 ], create: {{ partitions: 12, replication: 1 }} }} }}
#   # bus: {{ nats: {{ servers: [ nats://localhost:4222 ], stream: WEBHOOKS, create: {{ subjects: [ \"webhooks.>\" ] }} }} }}
#   kept: {{ journal: {{ dir: ./hookway-data/kept }} }}
# routes:
#   - to: {{ sink: bus, topic: webhooks }}
#   # - to: {{ sink: bus, subject: \"webhooks.{{source}}.{{key}}\" }}
# quarantine: {{ sink: kept }}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(yaml: &str) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("hookway.yaml");
        std::fs::write(&file, yaml).unwrap();
        let problems = config::load(&file).unwrap().problems;
        // Only that the secret is not there.
        problems.iter().map(ToString::to_string).filter(|text| !text.contains("GITHUB_SECRET")).collect()
    }

    #[test]
    fn what_is_written_is_right_with_and_without_its_comments() {
        let yaml = configuration("github", "GITHUB_SECRET");
        let (before, behind) = yaml.split_once("#\n").unwrap();
        let opened: Vec<&str> = behind.lines().map(|line| line.trim_start_matches("# ")).collect();
        let opened = opened.join("\n");
        let nats =
            opened.replace("  bus: { kafka", "  # bus: { kafka").replace("  # bus: { nats", "  bus: { nats");
        let nats = nats
            .replace("  - to: { sink: bus, topic", "  # - to")
            .replace("  # - to: { sink: bus, sub", "  - to: { sink: bus, sub");
        for text in [yaml.clone(), format!("{before}{opened}"), format!("{before}{nats}")] {
            assert_eq!(problems(&text), Vec::<String>::new(), "{text}");
        }
    }
}
