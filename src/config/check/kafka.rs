//! Rules of a Kafka sink: brokers that can be reached by name, and no librdkafka setting that would break the
//! promise behind a 2xx.
//!
//! Names and meanings of the settings: librdkafka's CONFIGURATION.md, version 2.12.

use super::check_secret;
use crate::config::{
    KafkaConfig, OptionValue, SecretRef, keypath::KeyPath, problem::Report, secrets::NotAReference,
    sinks::is_sensitive, units,
};
use rdkafka::{ClientConfig, error::KafkaError, types::RDKafkaConfRes};

pub(super) fn check(kafka: &KafkaConfig, at: &KeyPath, report: &mut Report<'_>) {
    brokers_are_addresses(kafka, &at.key("brokers"), report);
    creation_counts(kafka, &at.key("create"), report);
    let options = at.key("options");
    for (name, value) in kafka.settings() {
        let at = options.key(name);
        match value {
            OptionValue::Secret(reference) => secret_is_there(name, &reference, &at, report),
            OptionValue::Text(_) if is_sensitive(name) => {
                let fix = NotAReference::FIX;
                report.error(&at, "a secret must be a reference (what stands here is not shown)", fix);
            }
            OptionValue::Text(text) => {
                if breaks_the_promise(name, &text, &at, report) {
                    continue;
                }
                // What it says of a value quotes the value; a number is none that is kept secret.
                match library_says(name, &text) {
                    Some((RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, said)) => not_taken(&said, &at, report),
                    Some((_, said)) if text.parse::<i64>().is_ok() => not_taken(&said, &at, report),
                    Some(_) => not_taken("the value (it is not shown) is none of this option", &at, report),
                    None => {}
                }
            }
        }
    }
}

fn brokers_are_addresses(kafka: &KafkaConfig, at: &KeyPath, report: &mut Report<'_>) {
    const FIX: &str = "write one `host:port` per entry, as `brokers: [ kafka-0:9092, kafka-1:9092 ]`";
    if kafka.brokers.is_empty() {
        report.error(at, "a Kafka sink needs at least one broker", FIX);
    }
    for (n, broker) in kafka.brokers.iter().enumerate() {
        if !is_host_and_port(broker) {
            // Not quoted, here and below: credentials may stand in it.
            let message = "expected host:port, found something else (it is not shown)";
            report.error(&at.index(n), message, units::port_fix(broker).unwrap_or(FIX));
        }
    }
}

/// Returns true for `host:port`, with an IPv6 address in brackets.
pub(super) fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    host_fits && port.parse::<u16>().is_ok_and(|port| port != 0)
}

fn creation_counts(kafka: &KafkaConfig, at: &KeyPath, report: &mut Report<'_>) {
    let Some(create) = &kafka.create else { return };
    for (key, count) in [("partitions", create.partitions), ("replication", create.replication)] {
        if count == Some(0) {
            let fix = "leave it out for the broker's default";
            report.error(&at.key(key), "expected at least 1, found 0", fix);
        }
    }
}

fn secret_is_there(name: &str, reference: &SecretRef, at: &KeyPath, report: &mut Report<'_>) {
    if let Some((message, fix)) = ours(name) {
        report.error(at, message, fix);
        return;
    }
    // The secret itself is not tried here; what stands in for it can only show whether the name is known.
    let said = library_says(name, "1");
    if let Some((RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, said)) = said {
        not_taken(&said, at, report);
        return;
    }
    check_secret(reference, at, report);
}

/// Reports a setting that Hookway sets itself or that loses, doubles or misplaces events.
fn breaks_the_promise(name: &str, text: &str, at: &KeyPath, report: &mut Report<'_>) -> bool {
    if let Some((message, fix)) = ours(name) {
        report.error(at, message, fix);
        return true;
    }
    let number = text.parse::<i64>().ok();
    let (broken, expected) = match name {
        "acks" | "request.required.acks" => (
            !matches!(text, "all" | "-1"),
            "\"all\": with fewer acknowledgements an event is lost when the partition's leader fails",
        ),
        "enable.idempotence" => (
            !matches!(text, "true" | "t" | "1"),
            "true: without it the client's retries change the order and double events",
        ),
        "message.timeout.ms" | "delivery.timeout.ms" => (
            number.is_some_and(|number| (1..5000).contains(&number)),
            "0 or at least 5000: the sender's deadline is kept elsewhere, a shorter one here only makes more duplicates",
        ),
        "max.in.flight" | "max.in.flight.requests.per.connection" => {
            (number.is_some_and(|number| number > 5), "at most 5: more cannot keep the order")
        }
        "retries" | "message.send.max.retries" => {
            (number == Some(0), "at least 1: idempotence needs retries")
        }
        "queuing.strategy" => (text != "fifo", "fifo: anything else changes the order"),
        "delivery.report.only.error" => {
            (text != "false", "false: a success must be reported, or no webhook is ever answered")
        }
        _ => (false, ""),
    };
    if broken {
        let fix = "take the option out; it is set as it must be";
        report.error(at, format!("expected {expected}; found something else"), fix);
    }
    if name == "partitioner" && text != "murmur2_random" {
        let message = "clients in other languages use murmur2 and compute other partitions for the same key";
        let fix = "take it out for murmur2_random, unless every producer of these topics is set to the same";
        report.warning(at, message, fix);
    }
    broken
}

/// Settings that are not the operator's: what to say of them.
fn ours(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "bootstrap.servers" | "metadata.broker.list" => {
            Some(("the brokers have a key of their own", "name them in `brokers`, and take this option out"))
        }
        "transactional.id" => {
            Some(("events are published one by one, without transactions", "take the option out"))
        }
        "interceptors" | "opaque" | "default_topic_conf" => {
            Some(("this setting is for programs, not for a file", "take the option out"))
        }
        _ if name.ends_with("_cb") => Some(("a callback cannot be set from a file", "take the option out")),
        _ => None,
    }
}

/// Asks librdkafka itself whether it knows the setting and takes its value, and returns what it says against it.
/// No client is made.
fn library_says(name: &str, text: &str) -> Option<(RDKafkaConfRes, String)> {
    match ClientConfig::new().set(name, text).create_native_config() {
        Err(KafkaError::ClientConfig(result, said, _, _)) => Some((result, said)),
        Ok(_) | Err(_) => None,
    }
}

fn not_taken(said: &str, at: &KeyPath, report: &mut Report<'_>) {
    let fix = "look the option up in librdkafka's CONFIGURATION.md";
    report.error(at, format!("librdkafka does not take this: {}", said.trim_end_matches('.')), fix);
}
