//! Reads a journal's files, beside the process that writes them: no lock is needed.

use super::{
    from::From,
    row::{Place, Row},
};
use crate::{
    cli::exit::{Exit, Stop},
    journal::{Entry, JournalError, Reader},
};
use std::{path::Path, time::Duration};
use tokio::time::sleep;

/// How often the files are looked at while nothing comes.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(in crate::cli) struct Feed {
    reader: Reader,
    from: From,
    /// How many removed records were told of.
    told: u64,
}

impl Feed {
    pub(super) fn open(dir: &Path, from: From) -> Result<Self, Stop> {
        if !dir.is_dir() {
            let dir = dir.display();
            return Err(Stop::unavailable(format!(
                "there is no journal in {dir} yet: `hookway run` makes it"
            )));
        }
        Ok(Self { reader: Reader::open(dir, 0).map_err(|error| failed(&error))?, from, told: 0 })
    }

    /// Returns the next record. All are read, since a journal does not know its length.
    pub(super) async fn next(&mut self, waits: bool) -> Result<Option<Row>, Stop> {
        loop {
            match self.reader.read().map_err(|error| failed(&error))? {
                Some(_) if self.from == From::End && !waits => {}
                Some(entry) => return Ok(Some(row(entry))),
                None if waits => sleep(PAUSE).await,
                None => return Ok(None),
            }
        }
    }

    /// Returns what is to be said of records that were removed before they were read, once.
    pub(super) fn word(&mut self) -> Option<String> {
        let removed = self.reader.removed().saturating_sub(self.told);
        self.told += removed;
        let word =
            "records were removed by the journal's `keep` before they were read; it goes on at the oldest";
        (removed > 0).then(|| format!("{removed} {word}"))
    }
}

fn failed(error: &JournalError) -> Stop {
    Stop::new(Exit::Disk, error.to_string())
}

fn row(entry: Entry) -> Row {
    let Entry { sequence, record } = entry;
    Row {
        destination: record.destination.to_string(),
        place: Place::Journal { sequence },
        key: record.key,
        headers: record
            .headers
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        value: record.value,
        timestamp_ms: record.timestamp_ms,
    }
}
