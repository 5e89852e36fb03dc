//! A real Prometheus server scrapes a running Hookway, and promtool finds nothing to say about its metrics. Both
//! come from `tests/setup/prometheus.sh`; where they do not, the case is reported as ignored.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::delivery::{self, Delivery};
use crate::hookway::http;
use crate::support::brokers::Brokers;
use crate::support::deadline::{until, within};
use crate::support::ports;
use crate::support::process::{self, Process, Streams};
use crate::{Case, Need};

const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) fn cases() -> Vec<Case> {
    let cases = crate::cases![
        shared:
            a_prometheus_server_scrapes_what_hookway_counts;
        own:
    ];
    let needs = if program("prometheus").exists() { Need::Nothing } else { Need::Prometheus };
    cases.into_iter().map(|case| Case { needs, ..case }).collect()
}

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/prometheus/usr/bin").join(name)
}

fn a_prometheus_server_scrapes_what_hookway_counts(_: &Brokers) {
    // No sinks: the embedded journal takes all.
    let hookway = delivery::hookway("");
    hookway.until_ready();
    for number in 0..3 {
        Delivery::reservation(&number.to_string(), "QWERTYUI-1", number).accepted(&hookway);
    }
    Delivery::reservation("0", "QWERTYUI-1", 0).accepted(&hookway);
    Delivery::units("no JSON").accepted(&hookway);
    let mut forged = Delivery::reservation("forged", "QWERTYUI-1", 1);
    forged.headers[0].1.push('x');
    assert_eq!(forged.post(&hookway).status, 401);

    let answer = hookway.get("/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let mut promtool = Command::new(program("promtool"));
    promtool.args(["check", "metrics"]);
    let checked = process::run(&promtool, answer.body.as_bytes(), PATIENCE);
    assert!(checked.status.success() && checked.errors.is_empty(), "{}{}", checked.output, checked.errors);

    let home = process::home("prometheus");
    let (_server, port) =
        (0..5).find_map(|_| server(home.path(), &hookway.admin().to_string())).expect("a free port");
    let value = |query: &str| {
        let head =
            format!("GET /api/v1/query?query={query} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
        let answer: Value =
            http::receive(http::send(([127, 0, 0, 1], port).into(), &head, b"")).body.parse().ok()?;
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    until("a scrape", PATIENCE, || (value("up").as_deref() == Some("1")).then_some(()));
    for (query, expected) in [
        ("sum(hookway_events_accepted_total)", "5"),
        ("sum(hookway_events_published_total)", "3"),
        ("sum(hookway_events_suppressed_total)", "1"),
        ("sum(hookway_events_quarantined_total)", "1"),
        ("sum(hookway_events_rejected_total)", "1"),
        ("hookway_unaccounted_events", "0"),
        ("hookway_ready", "1"),
    ] {
        assert_eq!(value(query).as_deref(), Some(expected), "{query}");
    }
}

/// Starts a server that scrapes `target` twice a second; `None` if its port was taken meanwhile.
fn server(home: &Path, target: &str) -> Option<(Process, u16)> {
    let config = json!({"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [{"job_name": "hookway", "static_configs": [{"targets": [target]}]}]});
    std::fs::write(home.join("prometheus.yml"), config.to_string())
        .expect("the configuration can be written");
    let [port] = ports::pick();
    let log = home.join("prometheus.log");
    std::fs::write(&log, "").expect("the log can be emptied");
    let mut command = Command::new(program("prometheus"));
    command.arg("--config.file=prometheus.yml").arg("--storage.tsdb.path=data").current_dir(home);
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut process = Process::start(&command, &Streams::log(&log), Some(home));
    let served = within(PATIENCE, || {
        let ended = process.exited().is_some();
        let ready = std::fs::read_to_string(&log).unwrap_or_default().contains("Server is ready");
        (ended || ready).then_some(!ended)
    });
    if served == Some(true) {
        return Some((process, port));
    }
    assert!(process::tail(&log).contains("address already in use"), "{}", process::tail(&log));
    None
}
