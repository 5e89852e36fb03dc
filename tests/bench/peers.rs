//! The receivers that users would write instead of running Hookway, in `peers/`: built before they are measured.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds the peer in Go where that is not done, and returns its program; says why where it can't be.
pub(crate) fn go() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output =
        Command::new(root.join("tests/setup/peers.sh")).output().map_err(|error| error.to_string())?;
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    if output.status.success() {
        return Ok(root.join(".cache/peers/go"));
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).lines().last().unwrap_or("no reason is known").to_owned())
}
