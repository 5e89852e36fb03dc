//! What a process has used of processor and memory, as Linux's `/proc` tells it.

use std::{fs, time::Duration};

/// One clock tick of `/proc/PID/stat`: `USER_HZ` is 100 on every architecture that Linux has today.
const TICK: Duration = Duration::from_millis(10);

/// Returns the processor time that a process has used, in user and in kernel mode, all threads.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name in parentheses may hold anything; fields 14 and 15 are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(") ").expect("proc_pid_stat(5)");
    let ticks: u32 = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
    TICK * ticks
}

/// How often the threads of a process let go of a core so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Switches {
    /// To wait for something, which then woke them.
    pub(crate) slept: u64,
    /// Since others had to run.
    pub(crate) preempted: u64,
}

/// Returns how often the threads that a process has now let go of a core.
pub(crate) fn switches(pid: u32) -> Switches {
    let mut all = Switches::default();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs").flatten() {
        // A thread may end while it is looked at.
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        for (name, value) in status.lines().filter_map(|line| line.split_once(':')) {
            match name {
                "voluntary_ctxt_switches" => all.slept += value.trim().parse::<u64>().unwrap(),
                "nonvoluntary_ctxt_switches" => all.preempted += value.trim().parse::<u64>().unwrap(),
                _ => {}
            }
        }
    }
    all
}

/// Returns the processor time that all processes of the machine have used, and what the host took from it.
pub(crate) fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("Linux has /proc/stat");
    let fields: Vec<u32> =
        stat.lines().next().unwrap().split_whitespace().skip(1).flat_map(str::parse).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)); processes have the first three.
    TICK * (fields[0] + fields[1] + fields[2] + fields[7])
}

/// The memory of a process, in megabytes (10^6 bytes).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: f64,
    /// The most that was ever resident.
    pub(crate) peak: f64,
}

/// Returns what a process holds of memory.
pub(crate) fn memory(pid: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("proc_pid_status(5)");
        let kibibytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kibibytes * 1024.0 / 1e6
    };
    Memory { resident: field("VmRSS"), peak: field("VmHWM") }
}

/// Returns how many files this process may open; its children inherit it.
pub(crate) fn open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").expect("Linux has /proc/self/limits");
    let line =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("proc_pid_limits(5)");
    line.split_whitespace().next().unwrap().parse().unwrap_or(u64::MAX)
}
