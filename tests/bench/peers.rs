//! The receivers that users would write instead of running Hookway, in `peers/`: built before they are measured.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds the peer in Go where that is not done, and returns its program; nothing where it can't be built, of which standard
/// error then tells.
pub(crate) fn go() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Command::new(root.join("tests/setup/peers.sh")).stdout(io::stderr()).status();
    built.is_ok_and(|built| built.success()).then(|| root.join(".cache/peers/go"))
}
