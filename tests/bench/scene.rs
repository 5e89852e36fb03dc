//! What the subjects have of the machine: all of it beside the broker and the generator, one core of it that another
//! program keeps busy, or one core alone. Cores are given by util-linux's `taskset`.

use crate::support::process::{Process, Streams};
use std::{
    env, fmt, fs,
    path::Path,
    process::{self, Command},
    sync::LazyLock,
};

/// What the subjects have of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// All of it, with the broker and the generator.
    Shared,
    /// The same, but a program that only computes has the first core's time as far as the scheduler gives it.
    Neighbour,
    /// The first core for them alone; broker and generator have the others.
    OneCore,
}

impl fmt::Display for Scene {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Shared => "",
            Self::Neighbour => ", a busy neighbour",
            Self::OneCore => ", one core",
        })
    }
}

impl Scene {
    /// Returns whether the machine has the cores that the scene needs.
    pub(crate) fn is_possible(self) -> bool {
        self == Self::Shared || CORES.len() > 1
    }

    /// Returns the command by which a subject is started.
    pub(crate) fn start(self, command: Command) -> Command {
        if self == Self::OneCore { pinned(&command) } else { command }
    }

    /// Sets the scene; it stands until what is returned is dropped. `broker` is a process, where it is ours.
    pub(crate) fn set(self, broker: Option<u32>) -> Stage {
        let (mut neighbour, mut moved) = (None, Vec::new());
        match self {
            Self::Shared => {}
            Self::Neighbour => {
                let mut spin = Command::new(env::current_exe().unwrap());
                spin.arg("spin");
                let streams = Streams::log(Path::new("/dev/null"));
                neighbour = Some(Process::start(&pinned(&spin), &streams, None));
            }
            Self::OneCore => {
                moved.extend(broker.into_iter().chain([process::id()]));
                give(&CORES[1..], &moved);
            }
        }
        Stage { neighbour, moved }
    }
}

/// A scene that is set.
pub(crate) struct Stage {
    neighbour: Option<Process>,
    moved: Vec<u32>,
}

impl Stage {
    /// Returns the process that keeps a core busy.
    pub(crate) fn neighbour(&self) -> Option<u32> {
        self.neighbour.as_ref().map(Process::pid)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        give(&CORES, &self.moved);
    }
}

/// Keeps a core busy until the process is ended.
pub(crate) fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// The cores that the bench may use, by their numbers; read before it gives some away.
static CORES: LazyLock<Vec<String>> = LazyLock::new(cores);

fn cores() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has /proc/self/status");
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let ranges = allowed.expect("proc_pid_status(5)").trim().split(',');
    let number = |text: &str| text.parse::<u32>().expect("the number of a core");
    let numbers = ranges.flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        number(first)..=number(last)
    });
    numbers.map(|core| core.to_string()).collect()
}

/// Returns the command that runs `command` on the first core.
fn pinned(command: &Command) -> Command {
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", &CORES[0]]).arg(command.get_program()).args(command.get_args());
    taskset.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    taskset
}

/// Gives running processes, with all their threads, these cores and no others.
fn give(cores: &[String], processes: &[u32]) {
    let cores = cores.join(",");
    for pid in processes {
        let done = Command::new("taskset").args(["-a", "-c", "-p", &cores, &pid.to_string()]).output();
        assert!(
            done.is_ok_and(|done| done.status.success()),
            "process {pid} can't be given the cores {cores}"
        );
    }
}
