//! The binary itself, run as an operator runs it: a file, a folder, its log.

use crate::{
    client::{self, Reply},
    deadline,
    eventually::PATIENCE,
    process::{self, Process, Streams},
    samples::SECRET,
};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A running `hookway run`.
pub(crate) struct Hookway {
    pub(crate) process: Process,
    pub(crate) webhooks: SocketAddr,
    pub(crate) admin: SocketAddr,
    home: TempDir,
}

/// Makes a folder with the secret, an empty file and the configuration, in which `$home` is the folder.
pub(crate) fn home(yaml: &str) -> TempDir {
    let home = process::home("it");
    for (file, content) in [("secret", SECRET), ("other", SECRET), ("empty", "")] {
        fs::write(home.path().join(file), content).expect("a writable folder");
    }
    let text = yaml.replace("$home", home.path().to_str().expect("a path of text"));
    fs::write(home.path().join("hookway.yaml"), text).expect("a writable folder");
    home
}

/// Returns the command that an operator would type, run in this folder.
pub(crate) fn command(home: &TempDir, verb: &str) -> Command {
    command_in(home.path(), verb)
}

/// Likewise, in a folder where a server has run.
pub(crate) fn command_in(folder: &Path, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
    command.args([verb, "--config", "hookway.yaml"]).current_dir(folder);
    command
}

impl Hookway {
    /// Starts the binary on free ports and returns once it listens.
    pub(crate) fn start(yaml: &str) -> Self {
        let workers = process::workers();
        let home = home(&format!(
            "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nworkers: {workers}\nlog: {{ format: json }}\n{yaml}"
        ));
        let (process, webhooks, admin) = launch(&home);
        Self { process, webhooks, admin, home }
    }

    /// Starts it again in its folder, with the same configuration; its ports are new ones.
    pub(crate) fn start_again(&mut self) {
        (self.process, self.webhooks, self.admin) = launch(&self.home);
    }

    /// Returns a path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Returns all that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("a log")
    }

    /// Posts a webhook.
    pub(crate) async fn send(&self, request: &[u8]) -> Reply {
        client::send(self.webhooks, request).await
    }

    /// Asks the admin listener.
    pub(crate) async fn ask(&self, path: &str) -> Reply {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        client::send(self.admin, request.as_bytes()).await
    }
}

/// Starts the program in a folder, and returns once it listens, and where.
fn launch(home: &TempDir) -> (Process, SocketAddr, SocketAddr) {
    let streams = Streams::log(&home.path().join("log"));
    fs::write(&streams.output, "").expect("a writable folder");
    let process = Process::start(&command(home, "run"), &streams, None);
    let lines = || fs::read_to_string(&streams.output).unwrap_or_default();
    let listening = |listener: &str| {
        deadline::until(&format!("the {listener} listener"), PATIENCE, || {
            let lines = lines();
            let line = lines.lines().find(|line| line.contains("listening") && line.contains(listener))?;
            let line: Value = serde_json::from_str(line).ok()?;
            line["address"].as_str()?.parse().ok()
        })
    };
    let (webhooks, admin) = (listening("webhooks"), listening("admin"));
    (process, webhooks, admin)
}
