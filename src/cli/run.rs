//! `hookway run`: loads the configuration and serves it until a signal.

use super::{
    Common, block_on,
    exit::{Exit, Stop},
};
use crate::{
    app,
    config::{self, LogFormat},
};

pub(super) const HELP: &str = "\
A wrong configuration never starts: all of its problems are printed, and the exit code is 78.
A broker that is away does not keep the process from starting; its events wait in the spool, or its
sources answer 503, until it is there.
Log lines go to standard error, for people on a terminal and as JSON elsewhere or with --json.";

/// Serves until SIGTERM or SIGINT.
pub(super) fn run(common: &Common) -> Result<Exit, Stop> {
    let mut loaded = config::load(&common.config)?;
    if common.json {
        loaded.config.log.format = Some(LogFormat::Json);
    }
    block_on(async { app::run(loaded).await.map_err(Stop::from) })?;
    Ok(Exit::Well)
}
