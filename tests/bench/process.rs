//! The processes under measurement: what one has used of processor and memory, and how a server is started,
//! found and ended. All figures come from Linux's `/proc`.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

/// One clock tick of `/proc/PID/stat`: `USER_HZ` is 100 on every architecture that Linux has today.
const TICK: Duration = Duration::from_millis(10);
/// How long a server may take to say where it listens.
const START: Duration = Duration::from_secs(30);
/// How many of a server's last lines are shown when it fails.
const LAST_LINES: usize = 30;

/// Returns the processor time that a process has used, in user and in kernel mode, all threads.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name in parentheses may hold anything; fields 14 and 15 are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(") ").expect("proc_pid_stat(5)");
    let ticks: u32 = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
    TICK * ticks
}

/// Returns the processor time that all processes of the machine have used, and what the host took from it.
pub fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("Linux has /proc/stat");
    let fields: Vec<u32> =
        stat.lines().next().unwrap().split_whitespace().skip(1).flat_map(str::parse).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)); a process's share is the first three.
    TICK * (fields[0] + fields[1] + fields[2] + fields[7])
}

/// The memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

/// Returns what a process holds of memory.
pub fn memory(pid: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("proc_pid_status(5)");
        let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kibibytes * 1024
    };
    Memory { resident: field("VmRSS"), peak: field("VmHWM") }
}

/// Returns how many files this process may open; its children inherit it.
pub fn open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").expect("Linux has /proc/self/limits");
    let line =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("proc_pid_limits(5)");
    line.split_whitespace().next().unwrap().parse().unwrap_or(u64::MAX)
}

/// A server under measurement: a child that says on standard error, in Hookway's JSON lines, where it listens.
/// Dropping it ends it.
pub struct Server {
    child: Child,
    listeners: mpsc::Receiver<(String, SocketAddr)>,
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Where it takes webhooks.
    pub address: SocketAddr,
}

impl Server {
    /// Starts `command` and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (found, listeners) = mpsc::channel();
        let kept = Arc::clone(&lines);
        thread::spawn(move || follow(stderr, &found, &kept));
        let mut server = Self { child, listeners, lines, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        server.address = server.listener("webhooks");
        server
    }

    /// Waits for the address of the listener with this name.
    pub fn listener(&self, name: &str) -> SocketAddr {
        loop {
            match self.listeners.recv_timeout(START) {
                Ok((listener, address)) if listener == name => return address,
                Ok(_) => {}
                Err(_) => {
                    panic!("no listener {name} after {START:?}; the last lines:\n{}", self.last_lines())
                }
            }
        }
    }

    /// Returns the process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the last lines that the server wrote.
    pub fn last_lines(&self) -> String {
        self.lines.lock().unwrap().iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where the process has ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads the server's lines to their end, so that it never waits for us.
fn follow(stderr: ChildStderr, found: &mpsc::Sender<(String, SocketAddr)>, lines: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if let Some(listener) = listening(&line) {
            found.send(listener).ok(); // nobody asks any more
        }
        let mut lines = lines.lock().unwrap();
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

fn listening(line: &str) -> Option<(String, SocketAddr)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line.get("message")?.as_str()? != "listening" {
        return None;
    }
    Some((line.get("listener")?.as_str()?.to_owned(), line.get("address")?.as_str()?.parse().ok()?))
}
