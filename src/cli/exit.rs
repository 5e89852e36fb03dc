//! How a verb ends: one exit code a meaning (the numbers of `sysexits.h`), and the sentence that says why.

use crate::{app, config::LoadError};
use std::{io, process::ExitCode};

/// What the exit code says, in the words of the command line's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Well,
    Negative,
    Usage,
    Unavailable,
    Bug,
    Disk,
    Config,
}

impl Exit {
    /// Returns the process's exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Negative => 1,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::Disk => 74,
            Self::Config => 78,
        }
    }

    /// Returns the meaning of a code that another part of the program chose.
    fn of(code: u8) -> Self {
        let all = [Self::Well, Self::Negative, Self::Usage, Self::Unavailable, Self::Disk, Self::Config];
        all.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Bug)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a verb stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Stop {
    /// What the exit code says.
    pub(super) exit: Exit,
    /// One or more sentences for standard error; empty where nobody is left to read them.
    message: String,
}

impl Stop {
    /// Stops with a sentence.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// The arguments don't fit the configuration or one another.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The server or a broker can't be reached.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, message)
    }

    /// The reader of our output has gone, which ends a pipeline well and quietly.
    pub(super) fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Well, "");
        }
        Self::new(Exit::Disk, format!("the output can't be written: {error}"))
    }

    /// True where there is nothing to say.
    pub(super) fn is_quiet(&self) -> bool {
        self.message.is_empty()
    }
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Self {
        Self::new(Exit::Config, error.to_string())
    }
}

impl From<app::Failure> for Stop {
    fn from(failure: app::Failure) -> Self {
        Self::new(Exit::of(failure.exit_code()), failure.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_and_its_meaning_are_one_to_one() {
        for code in [0, 1, 64, 69, 70, 74, 78] {
            assert_eq!(Exit::of(code).code(), code);
        }
        assert_eq!(Exit::of(3), Exit::Bug);
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let stop = Stop::of_output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((stop.exit, stop.is_quiet()), (Exit::Well, true));
        let stop = Stop::of_output(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!((stop.exit, stop.is_quiet()), (Exit::Disk, false));
    }
}
