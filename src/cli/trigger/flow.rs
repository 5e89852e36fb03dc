//! Sends the events of one call: some at once, each tried again as its sender would where that is asked for.

use super::{
    Trigger,
    client::{Answer, Client, Unreachable},
    draft::Fill,
    outcomes::Outcomes,
    plan::Plan,
    report::{self, Exchange, Reporter},
};
use crate::{
    cli::{
        exit::{Exit, Stop},
        out::Out,
    },
    clock,
};
use http::StatusCode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};

/// Results that may wait to be printed.
const WAITING: usize = 256;

/// How long `--wait` waits, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(30);
const TURN: Duration = Duration::from_millis(100);

/// Reads a factor by which pauses are made shorter.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| format!("expected a factor above 0, as 60; found {text:?}"))
}

/// What every worker shares.
struct Call {
    plan: Plan,
    count: u32,
    next: AtomicU32,
    /// The pauses between attempts; empty without `--retry`.
    pauses: Vec<Duration>,
    /// What the server says became of them.
    outcomes: Arc<Outcomes>,
    /// Until when a server may still be starting; `None` without `--wait`.
    until: Option<Instant>,
}

/// Sends all events and prints what became of them.
pub(super) async fn run(plan: Plan, trigger: &Trigger, out: &mut Out) -> Result<Exit, Stop> {
    let count = trigger.count.get();
    plan.target.address()?;
    let pauses = if trigger.retry { faster(&plan.pauses, trigger.speed) } else { Vec::new() };
    if trigger.retry && pauses.is_empty() {
        out.note("this sender never tries again by itself: --retry changes nothing");
    }
    let mut reporter = Reporter::new(&plan, count, trigger.breaks.is_some());
    reporter.begin(out)?;
    let outcomes = Outcomes::new(plan.admin, &plan.source);
    outcomes.listen().await;
    let until = trigger.wait.then(|| Instant::now() + PATIENCE);
    let call = Arc::new(Call { plan, count, next: AtomicU32::new(0), pauses, outcomes, until });
    let (results, mut exchanges) = mpsc::channel(WAITING);
    let mut workers = JoinSet::new();
    for _ in 0..trigger.concurrency.get().min(count) {
        let client = Client::new(&call.plan.target)?;
        workers.spawn(work(Arc::clone(&call), client, results.clone()));
    }
    drop(results);
    while let Some(exchange) = exchanges.recv().await {
        reporter.exchange(&exchange, out)?;
    }
    while let Some(worker) = workers.join_next().await {
        worker.map_err(|_| Stop::new(Exit::Bug, "a worker ended by a bug"))??;
    }
    reporter.end(out)
}

/// Returns the pauses, shorter by a factor.
fn faster(pauses: &[Duration], factor: f64) -> Vec<Duration> {
    pauses
        .iter()
        .map(|pause| Duration::try_from_secs_f64(pause.as_secs_f64() / factor).unwrap_or(*pause))
        .collect()
}

/// Sends one event after the other until none is left.
async fn work(call: Arc<Call>, mut client: Client, results: mpsc::Sender<Exchange>) -> Result<(), Stop> {
    loop {
        let index = call.next.fetch_add(1, Ordering::Relaxed);
        if index >= call.count {
            return Ok(());
        }
        let fill = Fill::fresh(&call.plan.event, index);
        let mut pauses = call.pauses.iter();
        for attempt in 1.. {
            let result = call.once(&fill, &mut client).await?;
            let is_accepted = result.as_ref().is_ok_and(|answer| answer.status.is_success());
            let pause = pauses.next().copied().filter(|_| !is_accepted);
            let ids = result.as_ref().map(report::ids).unwrap_or_default();
            let told = call.outcomes.of(&ids).await;
            let exchange = Exchange { index, attempt, result, told, pause };
            if results.send(exchange).await.is_err() {
                return Ok(());
            }
            let Some(pause) = pause else { break };
            sleep(pause).await;
        }
    }
}

impl Call {
    /// Sends an event once; with `--wait` again, as long as the server is not up or ready. Every attempt is signed anew,
    /// as a sender whose signature holds a time must.
    async fn once(&self, fill: &Fill, client: &mut Client) -> Result<Result<Answer, Unreachable>, Stop> {
        loop {
            let mut request = self.plan.draft.request(fill).map_err(Stop::usage)?;
            self.plan.signer.sign(&mut request, clock::now())?;
            let result = client.send(request).await;
            let may_come = match &result {
                Ok(answer) => answer.status == StatusCode::SERVICE_UNAVAILABLE,
                Err(_) => true,
            };
            if !may_come || self.until.is_none_or(|until| Instant::now() >= until) {
                return Ok(result);
            }
            sleep(TURN).await;
            self.outcomes.listen().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_get_shorter_by_the_factor() {
        let pauses = [Duration::from_secs(5), Duration::from_mins(15)];
        assert_eq!(faster(&pauses, 60.0), [Duration::from_secs(5) / 60, Duration::from_secs(15)]);
        assert_eq!(faster(&pauses, 1.0), pauses);
    }

    #[test]
    fn a_factor_is_a_number_above_nothing() {
        assert_eq!(speed("60"), Ok(60.0));
        assert_eq!(speed("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
    }
}
