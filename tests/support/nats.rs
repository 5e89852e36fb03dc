//! A real NATS server with `JetStream`: started on free ports, broken in the ways that servers break, read by a
//! client that shares no code with Hookway.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use async_nats::jetstream::{self, stream::Config};
use serde::Deserialize;
use tempfile::TempDir;

use super::process::{self, Process, Streams};
use super::{deadline, ports, python};

/// The longest a server may take to start.
const START: Duration = Duration::from_secs(30);

/// The longest a reader waits for messages that were acknowledged before it was started.
const READ: Duration = Duration::from_secs(30);

/// The server's configuration and log, in its folder.
const CONFIG: &str = "nats.conf";
const LOG: &str = "nats.log";

/// Lines of the configuration that every server has.
const OWN_LINES: usize = 3;

/// A NATS server with `JetStream`: one of our own, or one that runs already.
///
/// What needs a server of our own (`kill`, `pause`) takes `&mut`, which nobody has of the shared one.
#[derive(Debug)]
pub(crate) struct Nats {
    url: String,
    node: Option<Node>,
    made: Mutex<Vec<String>>,
}

/// A server of our own, with its folder and the port of its monitor.
#[derive(Debug)]
struct Node {
    // Before the folder: fields are dropped in order, and the process writes there.
    process: Option<Process>,
    home: TempDir,
    monitor: u16,
}

impl Nats {
    /// Starts a server of our own and returns once `JetStream` serves.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a server whose configuration ends with `more`, such as `max_payload: 64KB`.
    pub(crate) fn start_with(more: &str) -> Self {
        let tried = (0..5).find_map(|_| Node::start(more));
        let (node, port) = tried.expect("one of five pairs of ports stays free until NATS has bound them");
        Self { url: format!("nats://127.0.0.1:{port}"), node: Some(node), made: Mutex::default() }
    }

    /// Uses a server that runs already; its streams made here are deleted on drop.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), node: None, made: Mutex::default() }
    }

    /// Returns the address that clients connect to.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Creates a stream on file storage over `subjects`.
    pub(crate) fn create_stream(&self, name: &str, subjects: &[&str]) {
        let subjects = subjects.iter().map(|&subject| subject.to_owned()).collect();
        self.create_stream_with(Config { name: name.to_owned(), subjects, ..Config::default() });
    }

    /// Creates a stream as described.
    pub(crate) fn create_stream_with(&self, config: Config) {
        self.made.lock().expect("no test panics while it holds this").push(config.name.clone());
        deadline::block_on(async {
            let made = self.context().await.create_stream(config).await;
            made.unwrap_or_else(|error| panic!("the stream was not created: {error}"));
        });
    }

    /// Changes a stream to what is described.
    pub(crate) fn update_stream(&self, config: Config) {
        deadline::block_on(async {
            let changed = self.context().await.update_stream(config).await;
            changed.unwrap_or_else(|error| panic!("the stream was not changed: {error}"));
        });
    }

    /// Deletes a stream.
    pub(crate) fn delete_stream(&self, name: &str) {
        self.made.lock().expect("no test panics while it holds this").retain(|made| made != name);
        deadline::block_on(async {
            let gone = self.context().await.delete_stream(name).await;
            gone.unwrap_or_else(|error| panic!("stream {name} was not deleted: {error}"));
        });
    }

    /// Returns the process id of a server of our own.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.node.as_ref().and_then(|node| node.process.as_ref()).map(Process::pid)
    }

    /// Kills the server (`kill -9`) and returns when it is gone; what it stored stays.
    pub(crate) fn kill(&mut self) {
        self.own().process.take().expect("the server runs").kill();
    }

    /// Starts the killed server again, on the same port and data, and returns once it serves.
    pub(crate) fn restart(&mut self) {
        let node = self.own();
        assert!(node.process.is_none(), "kill the server before it is restarted");
        assert!(node.boot(), "NATS's port was taken while it was down:\n{}", node.log_tail());
    }

    /// Gives the running server a configuration that ends with `more`, and returns once it has taken it (`SIGHUP`).
    pub(crate) fn reload_with(&mut self, more: &str) {
        let node = self.own();
        let (config, log) = (node.home.path().join(CONFIG), node.home.path().join(LOG));
        let text = std::fs::read_to_string(&config).expect("the server's configuration is there");
        let ours: Vec<&str> = text.lines().take(OWN_LINES).collect();
        std::fs::write(&config, format!("{}\n{more}\n", ours.join("\n"))).expect("it can be written");
        let reloads = || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.matches("Reloaded server configuration").count()
        };
        let before = reloads();
        node.process.as_ref().expect("the server runs").signal("HUP");
        deadline::until("the server's new configuration", START, || (reloads() > before).then_some(()));
    }

    /// Freezes the server (`SIGSTOP`): connections stay open and nothing answers.
    pub(crate) fn pause(&mut self) {
        self.own().process.as_ref().expect("the server runs").signal("STOP");
    }

    /// Lets a frozen server go on.
    pub(crate) fn resume(&mut self) {
        self.own().process.as_ref().expect("the server runs").signal("CONT");
    }

    /// Returns all that a stream holds, in order of sequence, once that is at least `expected` messages.
    pub(crate) fn read(&self, stream: &str, expected: usize) -> Vec<Message> {
        python::lines("reader.py", &["nats", &self.url, stream, &expected.to_string()], READ)
    }

    async fn context(&self) -> jetstream::Context {
        let client = async_nats::connect(&self.url).await;
        jetstream::new(client.unwrap_or_else(|error| panic!("no NATS server at {}: {error}", self.url)))
    }

    fn own(&mut self) -> &mut Node {
        self.node.as_mut().expect("a server of our own: `Nats::start()`")
    }
}

/// A message as an independent client found it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Message {
    /// Its subject.
    pub(crate) subject: String,
    /// Its place in the stream.
    pub(crate) sequence: u64,
    /// Its headers in order, repeated names and all.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body.
    #[serde(deserialize_with = "super::kafka::bytes")]
    pub(crate) payload: Vec<u8>,
}

impl Node {
    /// Starts a server in a fresh folder; `None` if another process took one of its ports meanwhile.
    fn start(more: &str) -> Option<(Self, u16)> {
        let home = process::home("nats");
        let [port, monitor] = ports::pick();
        let store = home.path().join("data");
        let config = format!(
            "listen: 127.0.0.1:{port}\nhttp: 127.0.0.1:{monitor}\njetstream {{ store_dir: \"{}\" }}\n{more}\n",
            store.display()
        );
        std::fs::write(home.path().join(CONFIG), config).expect("the server's configuration can be written");
        let mut node = Self { process: None, home, monitor };
        node.boot().then_some((node, port))
    }

    /// Starts the process and waits until it serves; false if one of its ports is taken.
    fn boot(&mut self) -> bool {
        let log = self.home.path().join(LOG);
        std::fs::write(&log, "").expect("the log can be emptied");
        let mut server = Command::new(python::provided("venv/bin/nats-server"));
        server.arg("-c").arg(self.home.path().join(CONFIG));
        let mut process = Process::start(&server, &Streams::log(&log), Some(self.home.path()));
        let ready = deadline::within(START, || {
            let ended = process.exited().is_some();
            (ended || healthy(self.monitor)).then_some(!ended)
        });
        if ready == Some(true) {
            self.process = Some(process);
            return true;
        }
        let taken = std::fs::read_to_string(&log).unwrap_or_default().contains("address already in use");
        assert!(taken, "NATS did not start within {START:?}; the end of its log:\n{}", self.log_tail());
        false
    }

    fn log_tail(&self) -> String {
        process::tail(&self.home.path().join(LOG))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let made = std::mem::take(self.made.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()));
        if self.node.is_none() {
            for stream in &made {
                self.delete_stream(stream);
            }
        }
    }
}

/// Returns whether the monitor says that the server and its `JetStream` are well.
fn healthy(monitor: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", monitor))?;
        connection.set_read_timeout(Some(Duration::from_secs(2)))?;
        connection.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"))
}
