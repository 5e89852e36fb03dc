//! Kafka's own programs: the node itself, and the Java clients that decide which partition a key belongs to.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::super::{process, python};
use super::Kafka;

/// Stands between key and value on the producer's input: no key in a test holds it.
const SEPARATOR: &str = "|-|";

/// The longest one of the tools may take.
const TOOL: Duration = Duration::from_mins(1);

/// Returns the command that runs a class of Kafka's, logging from `level`; tuned to start fast and stay small.
pub(super) fn class(name: &str, level: &str) -> Command {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/kafka/log4j2.properties");
    let mut java = Command::new("java");
    java.args(["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]);
    java.arg(format!("-Dlog4j2.configurationFile={}", log.display()))
        .arg(format!("-Dkafka.log.level={level}"));
    java.arg("-cp").arg(python::provided("kafka/lib").join("*")).arg(name);
    java
}

impl Kafka {
    /// Returns the partition that Kafka's own Java producer picks for each key, as its own consumer sees it.
    /// The topic must be empty; keys are text of one line.
    pub(crate) fn java_partitions(&self, topic: &str, keys: &[&str]) -> Vec<i32> {
        assert!(
            !keys.iter().any(|key| key.contains(SEPARATOR) || key.contains('\n')),
            "keys are plain lines"
        );
        let lines = keys.iter().enumerate().map(|(number, key)| format!("{key}{SEPARATOR}{number}\n"));
        let input: String = lines.collect();
        let mut producer = self.tool("org.apache.kafka.tools.ConsoleProducer", topic);
        // Without --sync the tool exits 0 even if the broker refuses the records.
        producer.args(["--sync", "--command-property", "acks=all", "--reader-property", "parse.key=true"]);
        producer.args(["--reader-property", &format!("key.separator={SEPARATOR}")]);
        finish(&producer, input.as_bytes());

        let mut consumer = self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", topic);
        consumer.args([
            "--from-beginning",
            "--max-messages",
            &keys.len().to_string(),
            "--timeout-ms",
            "20000",
        ]);
        consumer.args(["--formatter-property", "print.partition=true"]);
        let seen = finish(&consumer, b"");
        let mut partitions = vec![-1; keys.len()];
        for line in seen.lines() {
            let (partition, number) =
                line.split_once('\t').expect("the consumer prints partition, tab, value");
            let partition = partition.strip_prefix("Partition:").expect("the consumer names the partition");
            partitions[number.parse::<usize>().expect("the value is the key's number")] =
                partition.parse().expect("a partition is a number");
        }
        assert!(!partitions.contains(&-1), "the consumer saw only:\n{seen}");
        partitions
    }

    fn tool(&self, name: &str, topic: &str) -> Command {
        let mut tool = class(name, "WARN");
        tool.args(["--bootstrap-server", self.bootstrap(), "--topic", topic]);
        tool
    }
}

/// Runs a tool and returns what it printed; panics with its errors if it fails.
fn finish(tool: &Command, input: &[u8]) -> String {
    let finished = process::run(tool, input, TOOL);
    assert!(finished.status.success(), "{tool:?} failed:\n{}{}", finished.output, finished.errors);
    finished.output
}
