//! Sends the events of one call: some at once, each tried again as its sender would where that is asked for.

use super::{
    Trigger,
    client::{Answer, Client, Unreachable},
    draft::Fill,
    plan::Plan,
    report::{Exchange, Reporter},
};
use crate::{
    cli::{
        exit::{Exit, Stop},
        out::Out,
    },
    clock,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

/// Results that may wait to be printed.
const WAITING: usize = 256;

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
    let call = Arc::new(Call { plan, count, next: AtomicU32::new(0), pauses });
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
            let result = once(&call.plan, &fill, &mut client).await?;
            let is_accepted = result.as_ref().is_ok_and(|answer| answer.status.is_success());
            let pause = pauses.next().copied().filter(|_| !is_accepted);
            let exchange = Exchange { index, attempt, result, pause };
            if results.send(exchange).await.is_err() {
                return Ok(());
            }
            let Some(pause) = pause else { break };
            sleep(pause).await;
        }
    }
}

/// Sends an event once. Every attempt is signed anew, as a sender whose signature holds a time must.
async fn once(plan: &Plan, fill: &Fill, client: &mut Client) -> Result<Result<Answer, Unreachable>, Stop> {
    let mut request = plan.draft.request(fill).map_err(Stop::usage)?;
    plan.signer.sign(&mut request, clock::now())?;
    Ok(client.send(request).await)
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
