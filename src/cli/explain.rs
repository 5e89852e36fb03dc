//! `hookway explain`: would this captured request be accepted, and why not? Offline: nothing is sent or fetched.
//!
//! ```text
//! capture (raw HTTP, HAR) + subject (a sender or a configured source, its keys) → verdict → print
//! ```

mod follow;
mod handshake;
mod head;
mod measure;
mod print;
mod recipes;
mod subject;
mod verdict;

use super::{
    Common,
    exit::{Exit, Stop},
    input,
    out::Out,
};
use crate::{clock, explain::Captured, request::Request};
use clap::Args;
use jiff::Timestamp;
use std::path::PathBuf;
use subject::Subject;
use verdict::Verdict;

pub(super) const HELP: &str = "\
Examples:
  hookway explain --source shop request.http                against the configuration
  hookway explain --sender stripe --key env:STRIPE_SECRET request.http
  hookway explain --sender github --key file:secret capture.har --entry 3
  hookway explain --discover --key env:SECRET request.http  prints the `verify` lines that fit

REQUEST is a raw HTTP request: the head with LF or CRLF line ends, an empty line, then the body's
exact bytes up to the end of the file (Content-Length may be left out, a chunked body is put
together). Or it is a HAR file. `hookway capture SOURCE` writes such files; what other tools print is rarely exact.

Nothing is sent or fetched. Findings never show a secret or a signature.

Exit codes: 0 accepted, 1 rejected (or nothing discovered), 64 wrong usage, 78 configuration.";

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The captured request: a raw HTTP file, a HAR file, or `-` for standard input
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    /// A source of the configuration [default: the one that the request's path names]
    #[arg(long, value_name = "NAME", conflicts_with = "sender")]
    source: Option<String>,
    /// A preset or variant, or a sender document's file, instead of a configured source
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// A secret: `env:NAME`, `file:PATH`, or the text itself (only for tests: others see your command lines); may be
    /// repeated
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    key: Vec<String>,
    /// A public key: the text itself, `env:NAME` or `file:PATH`; may be repeated
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    public_key: Vec<String>,
    /// The sender's certificate, as PEM; taken as it is
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The keys that sign the sender's tokens, as a JSON Web Key Set
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// A constant of the sender document, as `webhook_id=WH-42`; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    param: Vec<(String, String)>,
    /// The public URL that the sender was given, for schemes that sign it
    #[arg(long)]
    url: Option<String>,
    /// When the request came: seconds since 1970, or RFC 3339 [default: the HAR file's time, else now]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    now: Option<Timestamp>,
    /// Takes any signed time
    #[arg(long)]
    no_time_window: bool,
    /// Which entry of a HAR file, counted from 0 [default: the first POST]
    #[arg(long, value_name = "N")]
    entry: Option<usize>,
    /// Tries all known recipes on this request and prints the ones that fit
    #[arg(long)]
    discover: bool,
    /// How many partitions the topic has, to tell the partition of each key
    #[arg(long, value_name = "N", default_value = "12", value_parser = clap::value_parser!(u32).range(1..))]
    partitions: u32,
}

impl Explain {
    /// Returns the public URL, without its query: the given one, or the one that the capture has as a whole.
    fn url(&self, request: &Request) -> Option<String> {
        let captured = || request.uri.authority().map(|_| request.uri.to_string());
        let url = self.url.clone().or_else(captured)?;
        Some(url.split(['?', '#']).next().unwrap_or_default().to_owned())
    }
}

pub(super) fn run(explain: &Explain, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let captured = Captured::parse(&input::read(&explain.request)?, explain.entry);
    let mut captured =
        captured.map_err(|problem| Stop::usage(format!("{}: {problem}", explain.request.display())))?;
    if let Some(now) = explain.now {
        captured.request.received = now;
    }
    if explain.discover {
        return recipes::run(explain, common, &captured.request, out);
    }
    let subject = Subject::of(explain, common, &captured.request)?;
    let verdict = Verdict::of(&subject, captured, explain.partitions)?;
    let exit = if verdict.is_accepted() { Exit::Well } else { Exit::Negative };
    if out.is_json() {
        out.object(&verdict)?;
    } else {
        print::verdict(&verdict, &subject, out)?;
    }
    Ok(exit)
}

/// Reads `name=value`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected name=value, as webhook_id=42")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    clock::read(text).map(|time| time.at).ok_or_else(|| {
        "expected seconds since 1970, as 1762178400, or RFC 3339, as 2025-11-03T14:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_seconds_or_rfc_3339() {
        assert_eq!(moment("1762178400"), moment("2025-11-03T14:00:00Z"));
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn a_constant_may_hold_an_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err());
    }
}
