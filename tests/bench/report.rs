//! The report: Markdown on standard output, made to be pasted into `docs/performance.md`.

use crate::{
    measure::Sample,
    suite::{Findings, Plan},
    targets::{self, Verdict},
    verification::{self, Row},
};
use std::{fs, process::Command};

/// Above this share of a core, something else disturbed a measurement.
const QUIET: f64 = 0.1;

/// Prints machine, date, commit, figures, verdicts and problems.
pub(crate) fn print(all: &[Findings], plan: &Plan, load_average: f64) {
    println!("{}\n", preamble(plan, load_average));
    println!(
        "| sink | connections | subject | events/s | p50 ms | p90 ms | p99 ms | max ms | CPU µs | broker CPU µs | generator CPU µs | other cores |"
    );
    println!("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for findings in all {
        for (connections, rows) in &findings.rows {
            for (subject, sample) in rows {
                println!("| {} | {connections} | {subject} | {} |", findings.kind, cells(sample));
            }
        }
    }
    let verdicts: Vec<Verdict> = all.iter().flat_map(targets::judge).collect();
    if !verdicts.is_empty() {
        println!("\n| target | Hookway | baseline | ratio | bound | |\n|---|--:|--:|--:|--:|---|");
    }
    for verdict in verdicts {
        println!("{}", line(&verdict));
    }
    for problem in all.iter().flat_map(|findings| &findings.problems) {
        println!("\n**Problem**: {problem}");
    }
}

/// Prints what each scheme costs beside its primitive.
pub(crate) fn verification(rows: &[Row]) {
    println!(
        "| scheme | body, bytes | Hookway, µs | bare primitive, µs | ratio | |\n|---|--:|--:|--:|--:|---|"
    );
    for Row { scheme, bytes, ours, bare, ratio } in rows {
        let verdict = match (*bytes >= 100_000, *ratio <= verification::BOUND) {
            (false, _) => "",
            (true, true) => "met",
            (true, false) => "**missed**",
        };
        println!("| {scheme} | {bytes} | {ours:.2} | {bare:.2} | {ratio:.2} | {verdict} |");
    }
    println!();
}

/// Returns the one-minute load average.
pub(crate) fn load_average() -> f64 {
    let line = fs::read_to_string("/proc/loadavg").expect("Linux has /proc/loadavg");
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Says where the machine was too busy for the figures to count.
pub(crate) fn disturbed(all: &[Findings]) -> Option<String> {
    let samples =
        all.iter().flat_map(|findings| findings.rows.values()).flatten().map(|(_, sample)| sample.others);
    let most = samples.fold(0.0, f64::max);
    (most > QUIET).then(|| {
        format!("the machine was not quiet: up to {most:.2} cores went to other programs; repeat when it is")
    })
}

fn preamble(plan: &Plan, load_average: f64) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "{}, commit {}{}. {cores} × {}, {} of memory, Linux {}; load average before the run {load_average:.2}. \
         Median of {} rounds of {} s after {} s of warm-up each.",
        hookway::clock::rfc3339(hookway::clock::now()).split('T').next().unwrap_or_default(),
        git(&["rev-parse", "--short", "HEAD"]),
        if git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() {
            ""
        } else {
            " with local changes"
        },
        field(&cpu, "model name"),
        field(&memory, "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim(),
        plan.rounds,
        plan.timing.window.as_secs(),
        plan.timing.warm_up.as_secs(),
    )
}

fn git(words: &[&str]) -> String {
    let output = Command::new("git").args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn cells(sample: &Sample) -> String {
    let Sample { rate, p50, p90, p99, max, cpu, broker_cpu, generator_cpu, others } = *sample;
    let figures = [p50, p90, p99, max].map(|latency| format!("{latency:.2}"));
    let costs = [cpu, broker_cpu, generator_cpu].map(|cost| number(cost, 1));
    format!("{rate:.0} | {} | {} | {others:.2}", figures.join(" | "), costs.join(" | "))
}

fn line(verdict: &Verdict) -> String {
    let baseline = verdict
        .baseline
        .map_or_else(String::new, |(figure, against)| format!("{} ({against})", number(figure, 2)));
    let ratio = verdict.ratio.map_or_else(String::new, |ratio| number(ratio, 2));
    let met = if verdict.met { "met" } else { "**missed**" };
    format!(
        "| {} | {} | {baseline} | {ratio} | {} | {met} |",
        verdict.what,
        number(verdict.hookway, 2),
        verdict.bound
    )
}

/// A figure that was not measured is a dash; a large one needs no decimals.
fn number(figure: f64, decimals: usize) -> String {
    let decimals = if figure < 1000.0 { decimals } else { 0 };
    if figure.is_nan() { "–".to_owned() } else { format!("{figure:.decimals$}") }
}
