//! What was dealt with: a file of JSON lines that only grows, each on disk before the next event is looked at. A line
//! counts for the place and the id together, since a topic that was made anew begins at 0 again.

use super::position::Position;
use crate::{
    cli::exit::{Exit, Stop},
    clock,
    journal::HANDLED,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    position: String,
    id: String,
    /// `replayed` or `dropped`.
    pub(super) done: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    at: String,
}

#[derive(Debug)]
pub(super) struct Notes {
    path: PathBuf,
    known: HashMap<(String, String), Note>,
    /// `None` where they are only read.
    file: Option<File>,
}

impl Notes {
    /// Reads what was noted; nothing where no file is.
    pub(super) fn read(dir: &Path) -> Result<Self, Stop> {
        let path = dir.join(HANDLED);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path, &error)),
            _ => {}
        }
        // A line that a crash has torn is none: its event is at worst replayed twice.
        let lines = bytes.split(|byte| *byte == b'\n');
        let notes = lines.filter_map(|line| serde_json::from_slice::<Note>(line).ok());
        let known = notes.map(|note| ((note.position.clone(), note.id.clone()), note)).collect();
        Ok(Self { path, known, file: None })
    }

    /// Reads them and takes the file for this process alone.
    pub(super) fn take(dir: &Path) -> Result<Self, Stop> {
        let path = dir.join(HANDLED);
        let open = || {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            File::open(dir)?.sync_all()?;
            Ok(file)
        };
        let mut file: File = open().map_err(|error| failed(&path, &error))?;
        if file.try_lock().is_err() {
            let path = path.display();
            return Err(Stop::unavailable(format!("{path} is in use: another replay or drop runs")));
        }
        // Ends a line that a crash has torn.
        file.write_all(b"\n").map_err(|error| failed(&path, &error))?;
        Ok(Self { file: Some(file), ..Self::read(dir)? })
    }

    pub(super) fn get(&self, position: &Position, id: &str) -> Option<&Note> {
        self.known.get(&(position.to_string(), id.to_owned()))
    }

    /// Notes one event, durably.
    pub(super) fn add(
        &mut self,
        position: &Position,
        id: &str,
        done: &str,
        why: Option<&str>,
    ) -> Result<(), Stop> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let note = Note {
            position: position.to_string(),
            id: id.to_owned(),
            done: done.to_owned(),
            why: why.map(ToOwned::to_owned),
            at: clock::rfc3339(clock::now()),
        };
        let mut line = serde_json::to_string(&note).unwrap_or_default();
        line.push('\n');
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        written.map_err(|error| failed(&self.path, &error))?;
        self.known.insert((note.position.clone(), note.id.clone()), note);
        Ok(())
    }
}

fn failed(path: &Path, error: &io::Error) -> Stop {
    Stop::new(Exit::Disk, format!("{} can't be read or written: {error}", path.display()))
}
