//! Runs programs that cannot outlive the test: each stands under `guard.sh`, a shell that kills it when the
//! test's end of a pipe closes, by drop, panic or `kill -9` of the test.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::deadline;

/// How long a process may take to stand still.
const STOPPED: Duration = Duration::from_secs(10);

/// Returns how many workers the next Hookway gets: one, two and four by turns, so that the tests together see all.
pub(crate) fn workers() -> usize {
    static STARTS: AtomicUsize = AtomicUsize::new(0);
    [1, 2, 4][STARTS.fetch_add(1, Ordering::Relaxed) % 3]
}

/// The files that stand in for a program's terminal; output is appended.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    /// Standard input.
    pub(crate) input: PathBuf,
    /// Standard output.
    pub(crate) output: PathBuf,
    /// Standard error, which may be the same file.
    pub(crate) errors: PathBuf,
}

impl Streams {
    /// Nothing to read; all that is written goes to one log file.
    pub(crate) fn log(file: &Path) -> Self {
        Self { input: "/dev/null".into(), output: file.into(), errors: file.into() }
    }
}

/// A running program. Dropping it kills the program and returns when it is gone.
#[derive(Debug)]
pub(crate) struct Process {
    guard: Child,
    lifeline: Option<ChildStdin>,
    pid: String,
}

impl Process {
    /// Starts `command`. If the test dies without dropping this, the guard also removes the folder `home`.
    pub(crate) fn start(command: &Command, streams: &Streams, home: Option<&Path>) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", include_str!("guard.sh"), "guard"]);
        shell.arg(home.map_or(OsStr::new(""), Path::as_os_str));
        shell.args([&streams.input, &streams.output, &streams.errors]);
        shell.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        // A group of its own: Ctrl-C ends the test, and the test's end ends the program, in that order.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut guard = shell.spawn().expect("a shell can be started");
        let lifeline = guard.stdin.take();
        let mut pid = String::new();
        let answer = guard.stdout.take().expect("the guard's output is a pipe");
        BufReader::new(answer).read_line(&mut pid).expect("the guard prints the pid");
        Self { guard, lifeline, pid: pid.trim().to_owned() }
    }

    /// Returns the program's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.parse().expect("the guard prints a number")
    }

    /// Sends a signal by its name without `SIG`: `TERM`, `KILL`, `STOP`, `CONT`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", "kill -\"$1\" \"$2\"", "signal", name, &self.pid]).status();
        assert!(sent.expect("a shell can be started").success(), "no process {} to send {name} to", self.pid);
        if name == "STOP" {
            // A thread that is busy stops a moment later.
            deadline::until("a process that stands still", STOPPED, || self.is_stopped().then_some(()));
        }
    }

    /// Tells whether each of its threads stands still, as the system says (`proc_pid_stat(5)`).
    fn is_stopped(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let mut states = tasks.filter_map(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
            stat.rsplit_once(')').map(|(_, rest)| rest.trim_start().to_owned())
        });
        states.all(|state| state.starts_with('T'))
    }

    /// Returns the exit status if the program has ended; 128 and the signal's number if one ended it.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.guard.try_wait().expect("the guard is our child")
    }

    /// Waits for the program to end by itself.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        deadline::within(limit, || self.exited())
    }

    /// Kills the program (`kill -9`) and returns when it is gone. Its folder stays.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.guard.wait().expect("the guard is our child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The guard ends as soon as the program is gone; a failure here would only hide the test's own.
        drop(self.guard.wait());
    }
}

/// What a program left behind that has run to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// What it wrote to standard output.
    pub(crate) output: String,
    /// What it wrote to standard error.
    pub(crate) errors: String,
}

/// Runs `command` to its end with `input` to read; kills it and panics when `limit` has passed.
pub(crate) fn run(command: &Command, input: &[u8], limit: Duration) -> Finished {
    let home = home("run");
    let file = |name| home.path().join(name);
    let streams = Streams { input: file("in"), output: file("out"), errors: file("err") };
    std::fs::write(&streams.input, input).expect("the input can be written");
    let mut process = Process::start(command, &streams, Some(home.path()));
    let status = process.wait(limit);
    let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let (output, errors) = (read(&streams.output), read(&streams.errors));
    let Some(status) = status else {
        panic!("{command:?} did not end within {limit:?}; it wrote:\n{output}{errors}");
    };
    Finished { status, output, errors }
}

/// Makes a folder for one process, removed on drop; it stands below the build's folder, never outside.
pub(crate) fn home(stem: &str) -> tempfile::TempDir {
    let made = tempfile::Builder::new().prefix(&format!("{stem}-")).tempdir_in(env!("CARGO_TARGET_TMPDIR"));
    made.expect("a folder can be made below the build's")
}

/// Returns the last lines of a log file, to say why a program did not do what was expected.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
