//! A real Apache Kafka node: started on free ports, broken in the ways that brokers break, read by a client
//! that shares no code with Hookway.

mod config;
mod java;
mod topics;

use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tempfile::TempDir;

use super::process::{self, Process, Streams};
use super::{deadline, ports, python};

/// The longest a node may take to start; after `kill -9` it also waits for its old session to end.
const START: Duration = Duration::from_secs(90);

/// The longest a reader waits for records that were acknowledged before it was started.
const READ: Duration = Duration::from_secs(30);

/// A Kafka broker: one node of our own, or one that runs already.
///
/// What needs a node of our own (`kill`, `pause`) takes `&mut`, which nobody has of the shared one.
#[derive(Debug)]
pub(crate) struct Kafka {
    bootstrap: String,
    node: Option<Node>,
    made: Mutex<Vec<String>>,
}

/// A node of our own, with its folder.
#[derive(Debug)]
struct Node {
    // Before the folder: fields are dropped in order, and the process writes there.
    process: Option<Process>,
    home: TempDir,
}

impl Kafka {
    /// Formats and starts a node of our own and returns once it serves.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a node whose `server.properties` end with `entries`.
    pub(crate) fn start_with(entries: &[(&str, &str)]) -> Self {
        let tried = (0..5).find_map(|_| Node::start(entries));
        let (node, port) = tried.expect("one of five pairs of ports stays free until Kafka has bound them");
        Self { bootstrap: format!("127.0.0.1:{port}"), node: Some(node), made: Mutex::default() }
    }

    /// Uses a broker that runs already; its topics made here are deleted on drop.
    pub(crate) fn at(bootstrap: &str) -> Self {
        Self { bootstrap: bootstrap.to_owned(), node: None, made: Mutex::default() }
    }

    /// Returns `host:port` for `bootstrap.servers`.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Returns the process id of a node of our own.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.node.as_ref().and_then(|node| node.process.as_ref()).map(Process::pid)
    }

    /// Kills the node (`kill -9`) and returns when it is gone; what it stored stays.
    pub(crate) fn kill(&mut self) {
        self.own().process.take().expect("the node runs").kill();
    }

    /// Starts the killed node again, on the same port and data, and returns once it serves.
    pub(crate) fn restart(&mut self) {
        let node = self.own();
        assert!(node.process.is_none(), "kill the node before it is restarted");
        assert!(node.boot(), "Kafka's port was taken while it was down:\n{}", node.log_tail());
    }

    /// Freezes the node (`SIGSTOP`): connections stay open and nothing answers.
    pub(crate) fn pause(&mut self) {
        self.own().process.as_ref().expect("the node runs").signal("STOP");
    }

    /// Lets a frozen node go on.
    pub(crate) fn resume(&mut self) {
        self.own().process.as_ref().expect("the node runs").signal("CONT");
    }

    /// Returns all that a topic holds, by partition and offset, once that is at least `expected` records.
    pub(crate) fn read(&self, topic: &str, expected: usize) -> Vec<Record> {
        python::lines("reader.py", &["kafka", &self.bootstrap, topic, &expected.to_string()], READ)
    }

    fn own(&mut self) -> &mut Node {
        self.node.as_mut().expect("a node of our own: `Kafka::start()`")
    }
}

/// A record as an independent client found it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Record {
    /// The partition it stands in.
    pub(crate) partition: i32,
    /// Its place there.
    pub(crate) offset: i64,
    /// Its timestamp, in milliseconds since 1970.
    pub(crate) timestamp_ms: i64,
    /// Its key; Kafka tells an empty one from none.
    #[serde(deserialize_with = "perhaps_bytes")]
    pub(crate) key: Option<Vec<u8>>,
    /// Its headers in order; a null value reads as an empty one.
    #[serde(deserialize_with = "headers")]
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// Its value; a null value reads as an empty one.
    #[serde(deserialize_with = "bytes")]
    pub(crate) value: Vec<u8>,
}

impl Node {
    /// Formats a folder and starts a node there; `None` if another process took one of its ports meanwhile.
    fn start(entries: &[(&str, &str)]) -> Option<(Self, u16)> {
        let home = process::home("kafka");
        let [port, controller] = ports::pick();
        config::write(home.path(), port, controller, entries);
        let mut format = java::class("kafka.tools.StorageTool", "WARN");
        format.args(["format", "--standalone", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"]);
        format.arg(home.path().join(config::SERVER));
        let formatted = process::run(&format, b"", START);
        assert!(formatted.status.success(), "formatting failed:\n{}{}", formatted.output, formatted.errors);
        let mut node = Self { process: None, home };
        node.boot().then_some((node, port))
    }

    /// Starts the process and waits until it serves; false if one of its ports is taken.
    fn boot(&mut self) -> bool {
        let log = self.home.path().join(config::LOG);
        std::fs::write(&log, "").expect("the log can be emptied, so that no old line in it counts");
        let mut server: Command = java::class("kafka.Kafka", "INFO");
        server.arg(self.home.path().join(config::SERVER)).current_dir(self.home.path());
        let mut process = Process::start(&server, &Streams::log(&log), Some(self.home.path()));
        let ready = deadline::within(START, || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let ended = process.exited().is_some();
            (ended || text.contains("Kafka Server started")).then_some(!ended)
        });
        if ready == Some(true) {
            self.process = Some(process);
            return true;
        }
        let taken = std::fs::read_to_string(&log).unwrap_or_default().contains("Address already in use");
        assert!(taken, "Kafka did not start within {START:?}; the end of its log:\n{}", self.log_tail());
        false
    }

    fn log_tail(&self) -> String {
        process::tail(&self.home.path().join(config::LOG))
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let made = std::mem::take(self.made.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()));
        if self.node.is_none() && TcpStream::connect(&self.bootstrap).is_ok() {
            for topic in &made {
                self.delete_topic(topic);
            }
        }
    }
}

/// Reads base64.
pub(super) fn bytes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    perhaps_bytes(from).map(Option::unwrap_or_default)
}

fn perhaps_bytes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| STANDARD.decode(text).map_err(serde::de::Error::custom)).transpose()
}

fn headers<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<(String, Vec<u8>)>, D::Error> {
    let pairs = Vec::<(String, Option<String>)>::deserialize(from)?;
    let decoded =
        pairs.into_iter().map(|(name, value)| Ok((name, STANDARD.decode(value.unwrap_or_default())?)));
    decoded.collect::<Result<_, base64::DecodeError>>().map_err(serde::de::Error::custom)
}
