//! The real program under test: started with a written configuration on ports of the system's choice, spoken to
//! over HTTP, killed, ended and started again on the same folder. It cannot outlive the test.

#[path = "hookway/http.rs"]
pub(crate) mod http;

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use http::Answer;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::deadline::{until, within};
use crate::support::process::{self, Process, Streams};

/// The longest the program may take to listen, or to become ready once its brokers serve.
const START: Duration = Duration::from_secs(40);

/// Configuration and log, in the program's folder, which is also its working directory.
const CONFIG: &str = "hookway.yaml";
const LOG: &str = "hookway.log";

/// A running Hookway. On drop it is killed and its folder removed; its log is shown if the test failed.
#[derive(Debug)]
pub(crate) struct Hookway {
    // Before the folder: fields are dropped in order, and the process writes there.
    process: Option<Process>,
    home: TempDir,
    environment: Vec<(String, String)>,
    webhooks: SocketAddr,
    admin: SocketAddr,
}

impl Hookway {
    /// Starts the program with this configuration below lines that choose free ports, and these variables.
    /// Returns once it listens, ready or not.
    pub(crate) fn start(config: &str, environment: &[(&str, &str)]) -> Self {
        let ports = "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nreplica: test\nlimits: { drain_delay: 0s }\n";
        let workers = process::workers();
        Self::start_as_written(&format!("{ports}workers: {workers}\n{config}"), environment)
    }

    /// Starts the program with this configuration and no line more.
    pub(crate) fn start_as_written(config: &str, environment: &[(&str, &str)]) -> Self {
        let home = process::home("hookway");
        std::fs::write(home.path().join(CONFIG), config).expect("the configuration can be written");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(owned).collect();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut hookway = Self { process: None, home, environment, webhooks: nowhere, admin: nowhere };
        hookway.restart();
        hookway
    }

    /// Starts the program again in its folder, with the same configuration; its ports are new ones.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "end the program before it is started again");
        let log = self.home.path().join(LOG);
        std::fs::write(&log, "").expect("the log can be emptied, so that no old line in it counts");
        let mut program = Command::new(env!("CARGO_BIN_EXE_hookway"));
        program.args(["run", "--config", CONFIG]).current_dir(self.home.path());
        program.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start(&program, &Streams::log(&log), Some(self.home.path()));
        let heard = within(START, || {
            let addresses = (self.listening("webhooks"), self.listening("admin"));
            (process.exited().is_some() || (addresses.0.is_some() && addresses.1.is_some()))
                .then_some(addresses)
        });
        let Some((Some(webhooks), Some(admin))) = heard else {
            panic!("Hookway does not listen; its log ends:\n{}", process::tail(&log));
        };
        (self.webhooks, self.admin, self.process) = (webhooks, admin, Some(process));
    }

    /// Returns where webhooks go.
    pub(crate) fn webhooks(&self) -> SocketAddr {
        self.webhooks
    }

    /// Returns the program's folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Waits until `/readyz` answers 200.
    pub(crate) fn until_ready(&self) {
        until("200 from /readyz", START, || (self.get("/readyz").status == 200).then_some(()));
    }

    /// Waits until `/readyz` answers 503 with this text in it, and returns the answer.
    pub(crate) fn until_not_ready_for(&self, reason: &str) -> String {
        let mut last = String::new();
        let seen = within(START, || {
            let answer = self.get("/readyz");
            last = answer.body;
            (answer.status == 503 && last.contains(reason)).then_some(())
        });
        assert!(seen.is_some(), "/readyz does not say {reason:?}, but {last:?}");
        last
    }

    /// Asks the admin listener.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
        http::receive(http::send(self.admin, &head, b""))
    }

    /// Returns where the admin listener is.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Posts a body to a path with these headers and returns the connection, unread.
    pub(crate) fn send(&self, path: &str, headers: &[(String, String)], body: &[u8]) -> TcpStream {
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["Content-Length: ", &body.len().to_string()]);
        http::send(self.webhooks, &head, body)
    }

    /// Returns the sum of a metric's series that have all of these labels, written as `name="value"`.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.get("/metrics").body;
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
                && labels.iter().all(|label| line.contains(label))
        });
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        series.map(|line| value(line).expect("a series ends in a number")).sum()
    }

    /// Waits until a metric has a value.
    pub(crate) fn until_metric(&self, name: &str, labels: &[&str], expected: f64) {
        until(&format!("{name} {expected}"), START, || {
            ((self.metric(name, labels) - expected).abs() < 0.5).then_some(())
        });
    }

    /// Returns all that the running program has written.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.home.path().join(LOG)).expect("the log can be read");
        String::from_utf8(bytes).expect("the log is text")
    }

    /// Kills the program (`kill -9`) and returns when it is gone.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("the program runs").kill();
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the program runs");
        process.signal("TERM");
        process.wait(START).expect("the program ends after SIGTERM")
    }

    /// Returns the address in the log line that says where a listener listens.
    fn listening(&self, listener: &str) -> Option<SocketAddr> {
        let log = std::fs::read_to_string(self.home.path().join(LOG)).ok()?;
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let line = lines.find(|line| line["message"] == "listening" && line["listener"] == listener)?;
        line["address"].as_str()?.parse().ok()
    }
}

impl Drop for Hookway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = format!("The end of Hookway's log:\n{}\n", process::tail(&self.home.path().join(LOG)));
            // The test has failed already; that its reason can't be shown must not hide it.
            drop(std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()));
        }
    }
}
