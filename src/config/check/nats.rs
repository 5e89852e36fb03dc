//! Rules of a NATS sink: servers, stream, one way to log in.

use super::{check_secret, kafka::is_host_and_port};
use crate::{
    config::{NatsConfig, TlsConfig, keypath::KeyPath, problem::Report, units},
    route::template::token_is_legal,
};
use std::path::Path;

pub(super) fn check(nats: &NatsConfig, at: &KeyPath, report: &mut Report<'_>) {
    servers_are_addresses(nats, &at.key("servers"), report);
    stream_is_a_name(nats, &at.key("stream"), report);
    login_is_one(nats, at, report);
    secrets_are_there(nats, at, report);
    if let Some(tls) = &nats.tls {
        certificates_are_whole(tls, &at.key("tls"), report);
    }
    if let Some(creds) = &nats.creds {
        file_is_there(creds, &at.key("creds"), report);
    }
    created_subjects_are_legal(nats, &at.key("create").key("subjects"), report);
}

fn servers_are_addresses(nats: &NatsConfig, at: &KeyPath, report: &mut Report<'_>) {
    const FIX: &str = "write one URL per entry, as `servers: [ nats://nats-0:4222 ]`, or tls:// for TLS";
    if nats.servers.is_empty() {
        report.error(at, "a NATS sink needs at least one server", FIX);
    }
    for (n, server) in nats.servers.iter().enumerate() {
        let at = at.index(n);
        if server.contains('@') {
            let fix = "write user and `password: env:NAME`, or `token: env:NAME`, beside `servers`";
            report.error(&at, "a server's URL must not hold credentials (it is not shown)", fix);
            continue;
        }
        let rest =
            ["nats://", "tls://"].iter().find_map(|scheme| server.strip_prefix(scheme)).unwrap_or(server);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let host_alone = !rest.contains(':') && is_host_and_port(&format!("{rest}:4222"));
        if !is_host_and_port(rest) && !host_alone {
            // Not quoted: a token may stand in it.
            let message = "expected nats://host:port, found something else (it is not shown)";
            report.error(&at, message, units::port_fix(rest).unwrap_or(FIX));
        }
    }
}

fn stream_is_a_name(nats: &NatsConfig, at: &KeyPath, report: &mut Report<'_>) {
    let forbidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>' | '/' | '\\');
    if nats.stream.is_empty() {
        report.error(at, "a NATS sink needs the name of its stream", "write `stream: WEBHOOKS`");
    } else if nats.stream.contains(forbidden) {
        let fix = "use neither blanks nor any of . * > / \\";
        report.error(at, format!("expected a stream's name, found \"{}\"", nats.stream.escape_debug()), fix);
    }
}

fn login_is_one(nats: &NatsConfig, at: &KeyPath, report: &mut Report<'_>) {
    let ways = [
        ("user and password", nats.user.is_some() || nats.password.is_some()),
        ("token", nats.token.is_some()),
        ("nkey", nats.nkey.is_some()),
        ("creds", nats.creds.is_some()),
    ];
    let given: Vec<&str> = ways.iter().filter(|(_, given)| *given).map(|(way, _)| *way).collect();
    if given.len() > 1 {
        let fix = "keep one of: user and password, token, nkey, creds";
        report.error(at, format!("expected at most one way to log in, found {}", given.join(", ")), fix);
    }
    match (&nats.user, &nats.password) {
        (Some(_), None) => {
            report.error(&at.key("password"), "a user needs a password", "write `password: env:NAME`");
        }
        (None, Some(_)) => {
            report.error(&at.key("user"), "a password needs a user", "write `user: NAME`");
        }
        _ => {}
    }
}

fn secrets_are_there(nats: &NatsConfig, at: &KeyPath, report: &mut Report<'_>) {
    for (key, reference) in [("password", &nats.password), ("token", &nats.token), ("nkey", &nats.nkey)] {
        if let Some(reference) = reference {
            check_secret(reference, &at.key(key), report);
        }
    }
}

fn certificates_are_whole(tls: &TlsConfig, at: &KeyPath, report: &mut Report<'_>) {
    if tls.cert.is_some() != tls.key.is_some() {
        let fix = "give both, or neither if the server asks for no certificate";
        report.error(at, "a certificate and its key belong together", fix);
    }
    for (key, file) in [("ca", &tls.ca), ("cert", &tls.cert), ("key", &tls.key)] {
        if let Some(file) = file {
            file_is_there(file, &at.key(key), report);
        }
    }
}

/// Warns only: the file may be mounted later, and until then the sink cannot connect.
fn file_is_there(file: &Path, at: &KeyPath, report: &mut Report<'_>) {
    if !file.is_file() {
        // Its name is not quoted: a key itself may stand here by mistake.
        report.warning(
            at,
            "the file that is named here is not there",
            "provide it; until then this sink cannot connect",
        );
    }
}

fn created_subjects_are_legal(nats: &NatsConfig, at: &KeyPath, report: &mut Report<'_>) {
    let Some(create) = &nats.create else { return };
    if create.subjects.is_empty() {
        let fix = "write `create: { subjects: [ \"webhooks.>\" ] }`";
        report.error(at, "a new stream needs its subjects", fix);
    }
    for (n, subject) in create.subjects.iter().enumerate() {
        if let Err(message) = stream_subject(subject) {
            report.error(&at.index(n), message, "write subjects as `webhooks.>` or `webhooks.*.orders`");
        }
    }
}

/// Checks a subject of a stream, where wildcards are legal.
fn stream_subject(subject: &str) -> Result<(), String> {
    let mut tokens = subject.split('.').peekable();
    while let Some(token) = tokens.next() {
        if token == ">" && tokens.peek().is_some() {
            return Err("expected `>` only at the end of a subject".to_owned());
        }
        if token.len() > 1 && token.contains(['*', '>']) {
            return Err("expected a wildcard as a token of its own between dots".to_owned());
        }
        token_is_legal(token)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_of_a_stream_is_a_token_of_its_own() {
        for (right, wrong) in [("webhooks.>", "webhooks.>.x"), ("a.*.b", "a.x*"), (">", ""), ("a", "a b")] {
            assert!(stream_subject(right).is_ok(), "{right:?}");
            assert!(stream_subject(wrong).is_err(), "{wrong:?}");
        }
    }
}
