//! `hookway capture`: writes the next requests of a source into files that `explain` reads. Only while it runs, only on the
//! server's machine and as its user; secrets and credentials are taken out by the server.

use super::{
    Common, block_on,
    exit::{Exit, Stop},
    out::{Out, printable},
    source,
    told::Listening,
};
use crate::{
    config::{self, units},
    observe::told::Answered,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

pub(super) const HELP: &str = "\
Examples:
  hookway capture shop                          the next refused request, then: hookway explain --source shop shop-1.http
  hookway capture shop -n 5 --for 30m --dir /tmp/shop
  hookway capture shop --all                    the next request, refused or not
  kubectl exec POD -- hookway capture shop --dir - -c /etc/hookway/hookway.yaml > shop.http

It asks the running server at its admin listener, on the same machine and as the same user. Secrets, credentials and
cookies are taken out; bodies stay as they are, up to 4 MiB: keep the files as you would keep the events.

Exit codes: 0 captured, 1 nothing came, 64 wrong usage, 69 the server is not there or does not let us, 74 disk, 78 configuration.";

/// How long may be waited.
const LONGEST: Duration = Duration::from_hours(1);

#[derive(Debug, Args)]
pub(super) struct Capture {
    /// The source
    source: String,
    /// How many requests, at most 100
    #[arg(short, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100))]
    n: u32,
    /// Takes every request, and not only refused ones
    #[arg(long)]
    all: bool,
    /// How long to wait, at most an hour
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = patience)]
    patience: Duration,
    /// Where the files go; `-` writes the requests to standard output
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

fn patience(text: &str) -> Result<Duration, String> {
    let time = units::duration(text).filter(|time| *time <= LONGEST && !time.is_zero());
    time.ok_or_else(|| "expected a number and a unit, up to an hour, as 30s or 10m".to_owned())
}

pub(super) fn run(capture: &Capture, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let loaded = config::load(&common.config)?;
    source(&loaded, &capture.source)?;
    block_on(listen(capture, loaded.config.admin, out))
}

async fn listen(capture: &Capture, admin: std::net::SocketAddr, out: &mut Out) -> Result<Exit, Stop> {
    let (wants, which) = if capture.all { ("requests", "") } else { ("refused", "refused ") };
    let mut lines = Listening::to(admin, &capture.source, wants).await?;
    if capture.dir != Path::new("-") {
        fs::create_dir_all(&capture.dir).map_err(|error| unwritable(&capture.dir, &error))?;
    }
    out.note(format!("waiting for {} {which}request(s) of {}; Ctrl-C ends", capture.n, capture.source));
    let until = Instant::now() + capture.patience;
    for captured in 0..capture.n {
        let next = timeout_at(until, lines.next::<Answered>()).await;
        let Some(answered) = next.ok().flatten() else {
            out.note("no more came in time, or the server has ended");
            return Ok(if captured == 0 { Exit::Negative } else { Exit::Well });
        };
        let request = STANDARD.decode(&answered.request).unwrap_or_default();
        if capture.dir == Path::new("-") {
            out.bytes(&request)?;
            continue;
        }
        let file = write(&capture.dir, &capture.source, &request)?;
        let why = answered.why.as_deref().unwrap_or("accepted");
        if out.is_json() {
            out.object(&serde_json::json!({ "file": file, "source": answered.source, "status": answered.status, "why": answered.why }))?;
        } else {
            out.line(format!("{}  {} {}", file.display(), answered.status, printable(why)))?;
        }
    }
    out.note(format!("ask with: hookway explain --source {} FILE", capture.source));
    Ok(Exit::Well)
}

/// Writes a request into a file of its own, which only this user may read.
fn write(dir: &Path, source: &str, request: &[u8]) -> Result<PathBuf, Stop> {
    for number in 1_u32.. {
        let file = dir.join(format!("{source}-{number}.http"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
            Ok(mut open) => {
                return open
                    .write_all(request)
                    .map(|()| file.clone())
                    .map_err(|error| unwritable(&file, &error));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&file, &error)),
        }
    }
    Err(Stop::new(Exit::Disk, "there are too many files"))
}

fn unwritable(path: &Path, error: &io::Error) -> Stop {
    Stop::new(Exit::Disk, format!("{} can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_never_overwrites_and_is_its_users_own() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = (0..2).map(|_| write(home.path(), "shop", b"x").unwrap()).collect();
        assert_eq!(files, [home.path().join("shop-1.http"), home.path().join("shop-2.http")]);
        assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_capture_has_an_end() {
        assert_eq!(patience("10m"), Ok(Duration::from_mins(10)));
        for wrong in ["0s", "2h", "soon"] {
            assert!(patience(wrong).is_err(), "{wrong}");
        }
    }
}
