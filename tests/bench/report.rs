//! The report: Markdown on standard output, made to be pasted into `docs/performance.md`.

use crate::{
    figure::{Figure, Sample, Spread},
    findings::{Findings, Row},
    subjects::names,
    suite::Plan,
    targets::{self, Verdict},
    verification,
};
use std::{fs, process::Command};

/// Above this share of a core, something else disturbed a measurement.
const QUIET: f64 = 0.1;

/// Prints machine, date, commit, figures, ratios, verdicts and problems.
pub(crate) fn print(all: &[Findings], plan: &Plan, load_average: f64) {
    println!("{}\n", preamble(plan, load_average));
    figures(all);
    ratios(all);
    let verdicts: Vec<Verdict> = all.iter().flat_map(targets::judge).collect();
    if !verdicts.is_empty() {
        println!("\n| target | Hookway | other | ratio | bound | |\n|---|--:|--:|--:|--:|---|");
    }
    for verdict in verdicts {
        println!("{}", line(&verdict));
    }
    problems(all.iter().flat_map(|findings| &findings.problems));
}

/// Prints what went wrong.
pub(crate) fn problems<'a>(all: impl Iterator<Item = &'a String>) {
    for problem in all {
        println!("\n**Problem**: {problem}");
    }
}

/// Prints the medians of all figures.
fn figures(all: &[Findings]) {
    header(&["sink", "connections", "subject"], &Figure::ALL);
    for findings in all {
        for (connections, row) in rows(findings) {
            let median = Sample::median(&row.rounds);
            let cells = Figure::ALL.map(|figure| figure.show(median.get(figure)));
            println!("| {} | {connections} | {} | {} |", findings.place(), row.subject, cells.join(" | "));
        }
    }
}

/// Prints Hookway's figures divided by those of all that publish: the median over the rounds, lowest and highest.
fn ratios(all: &[Findings]) {
    let figures = [Figure::Rate, Figure::P50, Figure::P99, Figure::Cpu, Figure::BrokerCpu];
    let is_other = |subject| ![names::HOOKWAY, names::OK, names::DISK].contains(&subject);
    if !all.iter().flat_map(rows).any(|(_, row)| row.subject == names::HOOKWAY) {
        return;
    }
    println!();
    header(&["sink", "connections", "Hookway by"], &figures);
    for findings in all {
        for (connections, row) in rows(findings).filter(|(_, row)| is_other(row.subject)) {
            let Some(hookway) = findings.get(connections, names::HOOKWAY) else { continue };
            let cells = figures.map(|figure| Spread::ratio(figure, hookway, &row.rounds).to_string());
            println!("| {} | {connections} | {} | {} |", findings.place(), row.subject, cells.join(" | "));
        }
    }
}

fn header(places: &[&str], figures: &[Figure]) {
    let figures: Vec<&str> = figures.iter().map(|figure| figure.name()).collect();
    println!(
        "| {} | {} |\n|---|--:|---|{}",
        places.join(" | "),
        figures.join(" | "),
        "--:|".repeat(figures.len())
    );
}

fn rows(findings: &Findings) -> impl Iterator<Item = (usize, &Row)> {
    findings.rows.iter().flat_map(|(connections, rows)| rows.iter().map(|row| (*connections, row)))
}

/// Prints what each scheme costs beside its primitive.
pub(crate) fn verification(rows: &[verification::Row]) {
    println!(
        "| scheme | body, bytes | Hookway, µs | bare primitive, µs | ratio | |\n|---|--:|--:|--:|--:|---|"
    );
    for verification::Row { scheme, bytes, ours, bare, ratio } in rows {
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
    let samples = all.iter().flat_map(rows).map(|(_, row)| Sample::median(&row.rounds));
    let most = samples.map(|sample| sample.get(Figure::Others)).fold(0.0, f64::max);
    (most > QUIET).then(|| {
        format!("the machine was not quiet: up to {most:.2} cores went to other programs; repeat when it is")
    })
}

/// Says when, of which commit, on which machine and how long it was measured.
pub(crate) fn preamble(plan: &Plan, load_average: f64) -> String {
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

fn line(verdict: &Verdict) -> String {
    let Verdict { what, hookway, bound, .. } = verdict;
    let other = verdict.other.as_ref().map_or_else(String::new, |(figure, who)| format!("{figure} ({who})"));
    let ratio = verdict.ratio.map_or_else(String::new, |ratio| ratio.to_string());
    let met = if verdict.is_met { "met" } else { "**missed**" };
    format!("| {what} | {hookway} | {other} | {ratio} | {bound} | {met} |")
}
