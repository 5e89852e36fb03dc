//! `hookway spool drain`: publishes what waits in a directory that no server has, and says how far it is.

use crate::{
    app::emptying::Emptying,
    cli::{
        exit::{Exit, Stop},
        out::Out,
    },
    config::Loaded,
    observe::metrics::Backlogged,
};
use clap::Args;
use std::time::Duration;
use tokio::{
    signal,
    time::{Instant, interval},
};

/// How often a person and a log hear how far it is.
const ON_TERMINAL: u64 = 1;
const ELSEWHERE: u64 = 10;

#[derive(Debug, Args)]
pub(super) struct Drain {
    /// Gives up when nothing was published for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
}

pub(super) async fn run(loaded: Loaded, drain: &Drain, out: &mut Out) -> Result<Exit, Stop> {
    if loaded.config.spool.is_none() {
        return Err(Stop::usage("the configuration has no spool: name its directory with --dir".to_owned()));
    }
    let emptying = Emptying::begin(&loaded).await?;
    let (all, start) = (emptying.figures().pending, Instant::now());
    let mut looks = interval(Duration::from_millis(100));
    let (mut moved, mut last, mut said) = (start, all, start);
    let pause = if out.is_terminal() { ON_TERMINAL } else { ELSEWHERE };
    let exit = loop {
        tokio::select! {
            _ = looks.tick() => {}
            _ = signal::ctrl_c() => break Exit::Negative,
        }
        let figures = emptying.figures();
        if figures.pending < last {
            (moved, last) = (Instant::now(), figures.pending);
        }
        if figures.pending == 0 && !figures.is_waiting {
            break Exit::Well;
        }
        if said.elapsed() >= Duration::from_secs(pause) {
            said = Instant::now();
            out.note(progress(figures, all, start));
        }
        if moved.elapsed() >= Duration::from_secs(drain.patience) {
            break if figures.is_held { Exit::Negative } else { Exit::Unavailable };
        }
    };
    emptying.end().await;
    let figures = emptying.figures();
    if out.is_json() {
        out.object(&serde_json::json!({
            "published": figures.published, "quarantined": figures.quarantined, "lost": figures.lost,
            "waiting": figures.pending, "held": figures.is_held,
        }))?;
    } else {
        let Backlogged { published, quarantined, lost, pending, .. } = figures;
        let held = if figures.is_held { "; a destination refuses them, as the log says" } else { "" };
        out.line(format!(
            "{published} published, {quarantined} quarantined, {lost} lost, {pending} still wait{held}"
        ))?;
    }
    Ok(exit)
}

/// Says how far it is: how many of how many, how fast, how long it will take.
fn progress(figures: Backlogged, all: u64, start: Instant) -> String {
    let done = all.saturating_sub(figures.pending);
    let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1000) / millis;
    let left = figures.pending.checked_div(rate).map(|seconds| format!(", {seconds} s left"));
    format!("{done} of {all}, {rate}/s{}", left.unwrap_or_default())
}
