//! What Hookway holds of memory: at rest, at the highest load, and with ten thousand silent connections.

use crate::{
    load::{
        client::Connection,
        github::{Deliveries, Run},
    },
    server::Server,
    usage,
};
use futures_util::{StreamExt, stream};

/// The silent connections.
pub(crate) const IDLE: u64 = 10_000;
/// How many of them are opened at once.
const AT_ONCE: usize = 64;
/// Files that a process has open besides those connections.
const OTHER_FILES: u64 = 200;

/// Memory in megabytes (10^6 bytes).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Footprint {
    /// Resident after the start.
    pub(crate) idle: f64,
    /// The peak, 512 connections included.
    pub(crate) peak: f64,
    /// Resident with [`IDLE`] open connections; not a number where the limit of open files is too low.
    pub(crate) connected: f64,
}

/// Opens [`IDLE`] connections, has one delivery answered on each, and returns what is resident then. Says why
/// where that can't be done.
pub(crate) async fn connected(server: &Server, deliveries: &Deliveries) -> Result<f64, String> {
    let (needed, allowed) = (IDLE + OTHER_FILES, usage::open_files());
    if allowed < needed {
        return Err(format!("{IDLE} connections need `ulimit -n {needed}`, it is {allowed}"));
    }
    let run = Run::new();
    let open = stream::iter(0..IDLE).map(|sequence| async move {
        let mut request = Vec::new();
        deliveries.write(run, sequence, &mut request);
        let mut connection = Connection::open(server.address).await?;
        let answer = connection.exchange(&request).await?;
        Ok::<_, std::io::Error>((connection, answer.status))
    });
    let connections: Vec<_> = open.buffer_unordered(AT_ONCE).collect().await;
    let now = usage::memory(server.pid()).resident;
    for connection in &connections {
        match connection {
            Ok((_, 200..300)) => {}
            Ok((_, status)) => return Err(format!("an answer {status}")),
            Err(error) => return Err(format!("a connection failed: {error}")),
        }
    }
    Ok(now)
}
