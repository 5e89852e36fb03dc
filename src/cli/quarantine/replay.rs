//! Replays: each event by itself, in the order in which the sink holds them, so that those of one object keep theirs.

use super::{Replay, notes::Notes, position::Position, stored};
use crate::{
    app::replay::{Replayer, Stays, notes_dir},
    cli::{
        exit::{Exit, Stop},
        out::{Out, complain_line, printable},
        tail::row::Row,
    },
    config::Loaded,
    event::Event,
    journal::ASIDE,
    record::Plan,
};
use std::{io::IsTerminal as _, path::PathBuf, time::Duration};
use tokio::time::{Instant, sleep_until};

/// One replay under way.
struct Run<'a> {
    replay: &'a Replay,
    replayer: Replayer,
    /// Only of the quarantine, and only where something is published.
    notes: Option<Notes>,
    quarantined: bool,
    /// Where the documents stand that the quarantine itself refused.
    aside: PathBuf,
    at: Position,
    replayed: u64,
    stays: u64,
}

pub(super) async fn run(
    loaded: &Loaded,
    replay: &Replay,
    quarantined: bool,
    out: &mut Out,
) -> Result<Exit, Stop> {
    let dir = notes_dir(loaded);
    let notes = match (quarantined, replay.dry_run) {
        (false, _) => None,
        (true, true) => Some(Notes::read(dir)?),
        (true, false) => Some(Notes::take(dir)?),
    };
    let replayer = Replayer::build(loaded, !replay.dry_run).await?;
    let at = replay.after.clone().unwrap_or_default();
    let mut run =
        Run { replay, replayer, notes, quarantined, aside: dir.join(ASIDE), at, replayed: 0, stays: 0 };
    // What is published may come to stand in the sink that is read: only what was there before is replayed.
    let (end, total) = run.survey(loaded).await?;
    let done = if total == 0 { Ok(()) } else { run.all(loaded, &end, total, out).await };
    run.end(&end, total, done, out).await
}

impl Run<'_> {
    /// Returns up to where there are events, and how many are meant.
    async fn survey(&self, loaded: &Loaded) -> Result<(Position, u64), Stop> {
        let (mut end, mut total) = (Position::default(), 0);
        let mut reading = self.replay.choice.from.open(loaded).await?;
        while let Some((position, row)) = reading.next().await? {
            total += u64::from(self.takes(&position, &row));
            end.advance(&position);
        }
        Ok((end, total))
    }

    fn takes(&self, position: &Position, row: &Row) -> bool {
        let is_behind = self.replay.after.as_ref().is_none_or(|after| !after.covers(position));
        is_behind && self.replay.choice.takes(row, self.quarantined) && !self.is_done(position, row)
    }

    fn is_done(&self, position: &Position, row: &Row) -> bool {
        let Some(notes) = self.notes.as_ref().filter(|_| !self.replay.again) else { return false };
        notes.get(position, row.attributes().get("id").unwrap_or_default()).is_some()
    }

    async fn all(&mut self, loaded: &Loaded, end: &Position, total: u64, out: &mut Out) -> Result<(), Stop> {
        if !self.replay.dry_run {
            self.replayer.prepare().await.map_err(Stop::unavailable)?;
        }
        let mut reading = self.replay.choice.from.open(loaded).await?;
        let mut next = Instant::now();
        let shows = std::io::stderr().is_terminal() && !out.is_json();
        while let Some((position, row)) = reading.next().await? {
            if !end.covers(&position) || !self.takes(&position, &row) {
                continue;
            }
            if let Some(rate) = self.replay.rate.filter(|_| !self.replay.dry_run) {
                sleep_until(next).await;
                next = Instant::now() + Duration::from_secs(1) / rate;
            }
            self.one(&position, &row, out).await?;
            self.at.advance(&position);
            if shows && (self.replayed + self.stays).is_multiple_of(100) {
                complain_line(&format!("{} of {total}", self.replayed + self.stays));
            }
        }
        Ok(())
    }

    /// Takes one event along the path. What can't go stays and is said; a broker that is away ends all.
    async fn one(&mut self, position: &Position, row: &Row, out: &mut Out) -> Result<(), Stop> {
        let id = row.attributes().get("id").unwrap_or_default().to_owned();
        let read = stored::read(row, &self.aside).map_err(|detail| Stays("unreadable".to_owned(), detail));
        let mapped = match read.and_then(|stored| self.replayer.map(stored)) {
            Ok(mapped) => mapped,
            Err(Stays(reason, detail)) => return self.stays(position, &id, &reason, &detail, out),
        };
        for (event, plan) in &mapped {
            if !self.replay.dry_run
                && let Err(failed) = self.replayer.publish(event, plan).await
            {
                if failed.is_hopeless {
                    return self.stays(position, &id, failed.reason, &failed.error, out);
                }
                return Err(Stop::unavailable(failed.error));
            }
            say(position, event, plan, self.replay.dry_run, out)?;
        }
        self.replayed += 1;
        match &mut self.notes {
            Some(notes) if !self.replay.dry_run => notes.add(position, &id, "replayed", None),
            _ => Ok(()),
        }
    }

    fn stays(
        &mut self,
        position: &Position,
        id: &str,
        reason: &str,
        detail: &str,
        out: &mut Out,
    ) -> Result<(), Stop> {
        self.stays += 1;
        if out.is_json() {
            return out.object(&serde_json::json!({
                "position": position.to_string(), "id": id, "outcome": "stays", "reason": reason, "detail": detail,
            }));
        }
        out.line(format!("{position}  {}  stays  {reason}: {}", printable(id), printable(detail)))
    }

    /// Ends the clients and says what came of it, and where to go on.
    async fn end(
        self,
        end: &Position,
        total: u64,
        done: Result<(), Stop>,
        out: &mut Out,
    ) -> Result<Exit, Stop> {
        let Self { replayer, replay, replayed, stays, at, .. } = self;
        replayer.end().await;
        if total == 0 {
            let since = replay.after.as_ref().unwrap_or(end).to_string();
            out.note(if since.is_empty() {
                "nothing new".to_owned()
            } else {
                format!("nothing new since {since}")
            });
        }
        let verb = if replay.dry_run { "would be replayed" } else { "replayed" };
        if out.is_json() {
            out.object(&serde_json::json!({
                "outcome": "summary", "replayed": replayed, "stay": stays, "of": total, "dry_run": replay.dry_run,
                "position": at.to_string(),
            }))?;
        } else if total > 0 {
            out.line(format!("{replayed} {verb}, {stays} stay, of {total}; go on with --after {at}"))?;
        }
        done?;
        Ok(if stays > 0 { Exit::Negative } else { Exit::Well })
    }
}

/// Says where an event goes.
fn say(position: &Position, event: &Event, plan: &Plan, dry_run: bool, out: &mut Out) -> Result<(), Stop> {
    let targets: Vec<String> = match plan {
        Plan::Publish(targets) => {
            let name = |target: &crate::record::Target| match &*target.destination {
                "" => target.sink.as_str().to_owned(),
                destination => format!("{}:{destination}", target.sink.as_str()),
            };
            targets.iter().map(name).collect()
        }
        Plan::Drop => vec!["drop".to_owned()],
    };
    if out.is_json() {
        return out.object(&serde_json::json!({
            "position": position.to_string(), "id": event.id, "type": event.kind, "key": event.key,
            "outcome": if dry_run { "would_replay" } else { "replayed" }, "to": targets,
        }));
    }
    let (id, kind) = (printable(&event.id), printable(&event.kind));
    let key = printable(event.key.as_deref().unwrap_or("-"));
    out.line(format!("{position}  {id}  {kind}  {key}  → {}", printable(&targets.join(", "))))
}
