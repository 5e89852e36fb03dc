//! Builds the spool from the configuration, and says what an earlier process has left there.

use super::{Failure, sinks};
use crate::{
    config::Loaded,
    publish::{Sinks, Spool},
};
use rustix::fs::statfs;
use std::{fs, path::Path, sync::Arc};

/// Of the kernel's file systems, those that end with the machine or with the container (`linux/magic.h`).
const VOLATILE: [(i64, &str, &str); 3] = [
    (0x0102_1994, "tmpfs", "memory: what waits there is lost with the machine"),
    (0x8584_58f6, "ramfs", "memory: what waits there is lost with the machine"),
    (0x794c_7630, "overlay", "a container's own layer: what waits there is lost with the container"),
];

/// Takes the spool's directory where one is configured, and opens what waits there.
pub(super) async fn join(loaded: &Loaded, sinks: Sinks) -> Result<Sinks, Failure> {
    let Some(config) = loaded.config.spool.clone() else {
        tracing::info!(level = "strict", "no spool: a 2xx always means that every sink has acknowledged");
        return Ok(sinks);
    };
    let names: Vec<String> = loaded.config.sinks.keys().cloned().collect();
    let is_volatile_told = config.allow_volatile;
    let dir = config.dir.clone();
    let opened = tokio::task::spawn_blocking(move || {
        if let Some((kind, why)) = volatile(&config.dir) {
            if !config.allow_volatile {
                return Ok(Err((kind, why)));
            }
            tracing::warn!(dir = %config.dir.display(), kind, "the spool lies in {why}");
        }
        let finder = Box::new(|dir: &Path, found: &_, doubt: Option<&str>| {
            sinks::tell(&dir.display().to_string(), found);
            if let Some(doubt) = doubt {
                tracing::error!(dir = %dir.display(), "{doubt}");
            }
        });
        let spool = Spool::take(&config.dir, config.max_bytes(), config.max_age_warning(), finder)?;
        for sink in spool.sinks()?.iter().filter(|sink| !names.contains(sink)) {
            tracing::error!(
                sink, dir = %config.dir.display(),
                "events wait for a sink that the configuration does not have: add it again, or `hookway spool export` them"
            );
        }
        sinks.spooling(&Arc::new(spool)).map(Ok)
    });
    let opened = opened.await.map_err(|error| Failure::System(std::io::Error::other(error)))?;
    match opened? {
        Ok(sinks) => {
            tracing::info!(level = "available", dir = %dir.display(), allow_volatile = is_volatile_told, "while a destination is away, its events wait on disk");
            Ok(sinks)
        }
        Err((kind, why)) => {
            let message = format!("{} lies on {kind}, {why}", dir.display());
            let fix = "mount a volume there and name it, or write allow_volatile: true";
            let problem = loaded.problem("spool.dir", &message, fix);
            Err(Failure::Configuration(vec![problem]))
        }
    }
}

/// Returns what kind of file system a directory lies on, or will, where that ends with the machine or the container.
fn volatile(dir: &Path) -> Option<(&'static str, &'static str)> {
    let place = dir.ancestors().find_map(|dir| fs::canonicalize(dir).ok())?;
    let kind = statfs(&place).ok()?.f_type;
    #[expect(clippy::useless_conversion, reason = "the type's width is another on other machines")]
    let kind = i64::try_from(kind).ok()?;
    VOLATILE.iter().find(|(magic, ..)| *magic == kind).map(|(_, name, why)| (*name, *why))
}
