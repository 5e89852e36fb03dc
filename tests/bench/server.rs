//! A server under measurement, Hookway or a bare handler: started in a folder of its own, found by the JSON line
//! with which it says where it listens, and ended with the bench.

use crate::support::{
    deadline,
    process::{self, Process, Streams},
};
use std::{fs, net::SocketAddr, path::PathBuf, process::Command, time::Duration};
use tempfile::TempDir;

/// How long a server may take to say where it listens.
const START: Duration = Duration::from_secs(30);

/// A running server. Dropping it ends it and removes its folder.
#[derive(Debug)]
pub(crate) struct Server {
    // Before the folder: fields are dropped in order, and the process writes there.
    process: Process,
    log: PathBuf,
    /// Where it takes webhooks.
    pub(crate) address: SocketAddr,
    home: TempDir,
}

impl Server {
    /// Starts `command` in the folder `home` and waits until it listens.
    pub(crate) fn start(mut command: Command, home: TempDir) -> Self {
        let log = home.path().join("log");
        // What an earlier server in this folder has said of its listeners is not true any more.
        fs::write(&log, "").unwrap();
        command.current_dir(home.path());
        let process = Process::start(&command, &Streams::log(&log), Some(home.path()));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { process, log, address, home };
        server.address = server.listener("webhooks");
        server
    }

    /// Waits for the address of the listener with this name.
    pub(crate) fn listener(&mut self, name: &str) -> SocketAddr {
        let found = deadline::within(START, || {
            let ended = self.process.exited().is_some();
            let written = fs::read_to_string(&self.log).unwrap_or_default();
            let found = written.lines().find_map(|line| listening(line, name));
            (ended || found.is_some()).then_some(found)
        });
        found
            .flatten()
            .unwrap_or_else(|| panic!("no listener {name} within {START:?}:\n{}", self.last_lines()))
    }

    /// Ends it (`kill -9`) and returns its folder.
    pub(crate) fn end(mut self) -> TempDir {
        self.process.kill();
        self.home
    }

    /// Returns the process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Returns the last lines that the server wrote.
    pub(crate) fn last_lines(&self) -> String {
        process::tail(&self.log)
    }
}

fn listening(line: &str, name: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let is = |field: &str, value: &str| line.get(field).and_then(serde_json::Value::as_str) == Some(value);
    if !is("message", "listening") || !is("listener", name) {
        return None;
    }
    line.get("address")?.as_str()?.parse().ok()
}
