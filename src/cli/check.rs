//! `hookway check`: is this configuration right? Offline: nothing is connected to, so it works in a pipeline that
//! reaches no broker and beside a running instance.

mod summary;
#[cfg(test)]
mod tests;

use super::{
    Common,
    exit::{Exit, Stop},
    out::{Out, Style, printable},
};
use crate::{
    app::{clients, memory::Memory},
    config::{self, Loaded, Problem, Secrets},
    request::slot::Params,
    senders::{Compiled, SenderSpec},
    verify::{SpecProblem, VerifySpec},
};
use clap::Args;
use serde::Serialize;
use summary::Summary;

pub(super) const HELP: &str = "\
All problems are told at once, each with its line and how to mend it. Secrets are looked for, and one that is not
set here is a warning, so that a pipeline can check what it must not know.

Exit codes: 0 right, 1 warnings with --deny-warnings, 78 wrong.";

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Ends with 1 where there are warnings
    #[arg(long)]
    deny_warnings: bool,
    /// Adds the most memory that the configuration's limits allow, part by part
    #[arg(long)]
    memory: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    errors: usize,
    warnings: usize,
    problems: Vec<Problem>,
    #[serde(flatten)]
    summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Memory>,
}

pub(super) fn run(check: &Check, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let report = Report::of(config::load(&common.config), check.memory);
    if out.is_json() {
        out.object(&report)?;
    } else {
        print(&report, out)?;
    }
    Ok(report.exit(check.deny_warnings))
}

impl Report {
    fn of(loaded: Result<Loaded, config::LoadError>, with_memory: bool) -> Self {
        let (problems, summary, memory) = match loaded {
            Ok(loaded) => {
                let found = loaded.problems.iter().cloned().chain(unbuildable(&loaded));
                let found = found.chain(clients::unbuildable(&loaded));
                let memory = with_memory.then(|| Memory::of(&loaded));
                (found.collect(), Some(Summary::of(&loaded)), memory)
            }
            Err(error) => (error.problems, None, None),
        };
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        let warnings = problems.len() - errors;
        let is_right = errors == 0;
        let (summary, memory) = (summary.filter(|_| is_right), memory.filter(|_| is_right));
        Self { ok: is_right, errors, warnings, problems, summary, memory }
    }

    fn exit(&self, deny_warnings: bool) -> Exit {
        match (self.errors, self.warnings) {
            (0, warnings) if warnings > 0 && deny_warnings => Exit::Negative,
            (0, _) => Exit::Well,
            _ => Exit::Config,
        }
    }
}

/// Returns what keeps a source from being built although each of its fields is legal.
fn unbuildable(loaded: &Loaded) -> Vec<Problem> {
    loaded.senders.iter().flat_map(|(name, sender)| unbuildable_source(loaded, name, sender)).collect()
}

fn unbuildable_source(loaded: &Loaded, name: &str, sender: &SenderSpec) -> Vec<Problem> {
    let compiled = match Compiled::new(sender, name, &constants(sender)) {
        Ok(compiled) => compiled,
        Err(found) => return loaded.document_problems(name, found),
    };
    let references = loaded.config.sources.get(name).map(|source| source.secrets.as_slice());
    let refused = compiled.verifier.set_secrets(Secrets::read(references.unwrap_or_default()).usable).err();
    let refused = refused.into_iter().flatten().map(SpecProblem::below_verify);
    loaded.document_problems(name, refused.collect())
}

/// Returns how a sender is verified, with its constants.
fn scheme(sender: &SenderSpec) -> VerifySpec {
    sender.scheme(&constants(sender))
}

/// Returns the constants of a sender. One whose reference leads nowhere here stands there all the same: a pipeline can
/// check what it must not know.
fn constants(sender: &SenderSpec) -> Params {
    let mut params = config::params(sender);
    for (name, _) in params.missing {
        params.values.insert(name.into(), "not known here".into());
    }
    params.values
}

fn print(report: &Report, out: &mut Out) -> Result<(), Stop> {
    if let Some(summary) = &report.summary {
        summary.print(out)?;
    }
    if let Some(memory) = &report.memory {
        print_memory(memory, out)?;
    }
    for problem in &report.problems {
        print_problem(problem, out)?;
    }
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let (style, verdict) = match (report.errors, report.warnings) {
        (0, 0) => (Style::Good, "the configuration is right".to_owned()),
        (0, warnings) => {
            (Style::Warning, format!("the configuration is right, with {}", count(warnings, "warning")))
        }
        (errors, 0) => (Style::Bad, count(errors, "error")),
        (errors, warnings) => {
            (Style::Bad, format!("{}, {}", count(errors, "error"), count(warnings, "warning")))
        }
    };
    let verdict = out.paint(style, &verdict);
    out.line(verdict)
}

fn print_memory(memory: &Memory, out: &mut Out) -> Result<(), Stop> {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let width = memory.parts.iter().map(|part| part.part.chars().count()).max().unwrap_or(0);
    for part in &memory.parts {
        out.line(format!("{:width$}  {:>6} MiB  {}", part.part, mebibytes(part.bytes), part.by))?;
    }
    out.line(format!("{:width$}  {:>6} MiB  at most", "sum", mebibytes(memory.total)))
}

/// Prints a problem. Not its line of the file: that may hold a secret which stands there by mistake.
fn print_problem(problem: &Problem, out: &mut Out) -> Result<(), Stop> {
    let mark = if problem.is_error() { out.paint(Style::Bad, "✗") } else { out.paint(Style::Warning, "!") };
    let separator = if problem.path.is_empty() { "" } else { "  " };
    let path = printable(&problem.path);
    let path = out.paint(Style::Strong, &path);
    let (message, fix) = (printable(&problem.message), printable(&problem.fix));
    out.line(format!(
        "{mark} {}{separator}{path}\n    {message}\n    fix: {fix}",
        printable(&problem.place())
    ))
}
