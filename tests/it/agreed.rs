//! `check` and `run` agree: what librdkafka refuses only together, or for a file, is told by both, with its line.

use crate::{binary, eventually::PATIENCE, process};

/// Returns how a verb ends with these options of a Kafka sink, and what it says.
fn ends(verb: &str, options: &str) -> (Option<i32>, String) {
    let home = binary::home(&format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nsources: {{ one: {{ preset: none }} }}\n\
         sinks:\n  bus:\n    kafka:\n      brokers: [ '127.0.0.1:1' ]\n      options: {{ {options} }}\n\
         routes: [ {{ to: {{ sink: bus, topic: a }} }} ]\nquarantine: {{ sink: bus, topic: b }}\n"
    ));
    let finished = process::run(&binary::command(&home, verb), b"", PATIENCE);
    (finished.status.code(), finished.output + &finished.errors)
}

#[test]
fn options_that_librdkafka_refuses_together_are_told_by_check_as_by_run() {
    for (options, place) in [
        ("security.protocol: sasl_plaintext, sasl.mechanism: scram-sha-256", "kafka.options"),
        ("security.protocol: sasl_plaintext, sasl.mechanism: GSSAPI", "kafka.options"),
        ("security.protocol: sasl_plaintext, sasl.mechanism: PLAIN", "kafka.options"),
        ("security.protocol: ssl, ssl.ca.location: absent.pem", "kafka.options.ssl.ca.location"),
        ("security.protocol: ssl, ssl.certificate.location: absent.pem", "kafka.options.ssl.certificate"),
        ("linger.ms: 900000", "kafka.options.linger.ms"),
        ("security.protocol: ssl, ssl.keystore.location: absent.p12", "kafka.options.ssl.keystore"),
    ] {
        let (check, run) = (ends("check", options), ends("run", options));
        assert_eq!((check.0, run.0), (Some(78), Some(78)), "{options}: {check:?}\n{run:?}");
        for said in [check.1, run.1] {
            assert!(said.contains(place) && said.contains("hookway.yaml:8:"), "{options}: {said}");
        }
    }
}

#[test]
fn a_password_that_is_not_here_is_a_warning_and_the_rest_is_judged_all_the_same() {
    let login = "security.protocol: sasl_plaintext, sasl.username: a, sasl.password: 'env:NOBODY_SETS_THIS'";
    let (code, said) = ends("check", &format!("{login}, sasl.mechanism: PLAIN"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("NOBODY_SETS_THIS"), "{said}");
    assert_eq!(ends("check", &format!("{login}, sasl.mechanism: scram")).0, Some(78));
}
