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

/// A place in a journal.
#[derive(Debug)]
pub(super) struct Feed {
    reader: Reader,
    from: From,
}

impl Feed {
    /// Opens the journal in a directory.
    pub(super) fn open(dir: &Path, from: From) -> Result<Self, Stop> {
        if !dir.is_dir() {
            let dir = dir.display();
            return Err(Stop::unavailable(format!(
                "there is no journal in {dir} yet: `hookway run` makes it"
            )));
        }
        Ok(Self { reader: Reader::open(dir, 0).map_err(|error| failed(&error))?, from })
    }

    /// Returns the next record that is there. All are read, since a journal does not know its length.
    pub(super) fn backlog(&mut self) -> Result<Option<Row>, Stop> {
        while let Some(entry) = self.reader.read().map_err(|error| failed(&error))? {
            if self.from != From::End {
                return Ok(Some(row(entry)));
            }
        }
        Ok(None)
    }

    /// Waits for the next record.
    pub(super) async fn follow(&mut self) -> Result<Row, Stop> {
        loop {
            match self.reader.read().map_err(|error| failed(&error))? {
                Some(entry) => return Ok(row(entry)),
                None => sleep(PAUSE).await,
            }
        }
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
