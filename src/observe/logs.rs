//! The lines on standard error: one event a line, as JSON or for people. Never a body, a credential, a signature
//! or a query string.

use super::unseen::Lines;
use crate::refusal::{Fault, Refusal};
use parking_lot::Mutex;
use std::{collections::HashMap, io::IsTerminal as _, net::SocketAddr, time::Duration};
use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

/// Lines about refusals of one source within [`WINDOW`]; a flood is counted instead.
const LINES: u32 = 20;

/// The time over which lines are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// True where lines are written for people: as chosen, else on a terminal.
pub fn are_for_people(json: Option<bool>) -> bool {
    !json.unwrap_or(!std::io::stderr().is_terminal())
}

/// Starts logging. `json`: `None` chooses by whether standard error is a terminal. `level` is a level's name or a
/// filter as `hookway=debug,rdkafka=warn`. Returns what is wrong with the filter.
pub fn start(json: Option<bool>, level: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
    let json = !are_for_people(json);
    let to_stderr = move || Lines { to: std::io::stderr(), json };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(to_stderr);
    let started = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        lines.with_target(false).try_init()
    };
    // A second start in one process keeps the first.
    started.or(Ok(()))
}

/// Writes one line per refusal or handshake, and for a flood of them the number that was left out.
#[derive(Debug, Default)]
pub struct RefusalLog(Mutex<HashMap<String, Turn>>);

/// The lines of one source in the running window.
#[derive(Debug)]
struct Turn {
    start: Instant,
    lines: u32,
}

impl RefusalLog {
    /// Writes the line about a refusal, unless its source has written enough of them just now.
    pub fn note(&self, source: &str, refusal: &Refusal, status: u16, client: SocketAddr) {
        let Some(left_out) = self.admit(source) else { return };
        let (code, reason, client) = (refusal.code(), refusal.reason(), plain(client));
        let left_out = (left_out > 0).then_some(left_out);
        let cause = refusal.cause().map(|cause| tracing::field::display(&cause.what));
        if refusal.fault() == Fault::Sender {
            tracing::info!(source, code, reason, status, %client, left_out, detail = %refusal, cause, "refused");
        } else {
            tracing::warn!(source, code, reason, status, %client, left_out, detail = %refusal, "refused");
        }
    }

    /// Writes the line about a handshake. Anybody may ask for one, so that these are bounded like refusals.
    pub fn handshake(&self, source: &str, handshake: &str, client: SocketAddr) {
        let Some(left_out) = self.admit(&format!("{source}, handshakes")) else { return };
        let (left_out, client) = ((left_out > 0).then_some(left_out), plain(client));
        tracing::info!(source, handshake, %client, left_out, "handshake answered");
    }

    /// Returns how many lines were left out before this one, or `None` when this one is left out too.
    pub(super) fn admit(&self, source: &str) -> Option<u32> {
        let now = Instant::now();
        let mut turns = self.0.lock();
        if let Some(turn) = turns.get_mut(source) {
            if now.duration_since(turn.start) < WINDOW {
                turn.lines += 1;
                return (turn.lines <= LINES).then_some(0);
            }
            let left_out = turn.lines.saturating_sub(LINES);
            *turn = Turn { start: now, lines: 1 };
            return Some(left_out);
        }
        turns.insert(source.to_owned(), Turn { start: now, lines: 1 });
        Some(0)
    }
}

/// Returns the address as the peer has it: a listener of both families sees IPv4 as `::ffff:192.0.2.1`.
fn plain(client: SocketAddr) -> SocketAddr {
    SocketAddr::new(client.ip().to_canonical(), client.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_written_in_its_own_family() {
        let written = |text: &str| text.parse().map(plain).map(|client| client.to_string()).unwrap();
        assert_eq!(written("[::ffff:192.0.2.1]:80"), "192.0.2.1:80");
        assert_eq!(written("[2001:db8::1]:80"), "[2001:db8::1]:80");
        assert_eq!(written("192.0.2.1:80"), "192.0.2.1:80");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_refusals_is_counted_instead_of_written() {
        let log = RefusalLog::default();
        let written = (0..100).filter(|_| log.admit("a").is_some()).count();
        assert_eq!(written, 20);
        assert_eq!(log.admit("b"), Some(0));
        tokio::time::advance(WINDOW).await;
        assert_eq!(log.admit("a"), Some(80));
    }
}
