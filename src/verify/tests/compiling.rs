//! What a configuration may not say, and what a person is told about it.

use super::{GITHUB, LIKEMAGIC, PROPEXO, STANDARD, SYNCAROO, set, spec, verifier};
use crate::{
    request::Withheld,
    verify::{Constants, Verifier, VerifySpec},
};
use http::HeaderName;

/// Returns the fields that are wrong in a scheme, sorted.
fn wrong(yaml: &str) -> Vec<String> {
    let problems = Verifier::compile(&spec(yaml)).expect_err("a scheme with problems");
    let mut fields: Vec<_> = problems.into_iter().map(|problem| problem.field.into_owned()).collect();
    fields.sort_unstable();
    fields
}

#[test]
fn a_missing_algorithm_lists_every_choice() {
    let problems = Verifier::compile(&VerifySpec::default()).expect_err("nothing is assumed");
    let [problem] = problems.as_slice() else { panic!("one problem: {problems:?}") };
    assert_eq!(problem.field, "algorithm");
    for algorithm in super::Algorithm::ALL {
        assert!(problem.fix.contains(&format!("`{}`", algorithm.name())), "{}", problem.fix);
        let named = spec(&format!("{{ algorithm: {} }}", algorithm.name()));
        assert_eq!(named.algorithm, Some(algorithm), "the name is the one that the configuration reads");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let scheme = "{ algorithm: hmac-sha1, header: 'x y', separator: '', prefix_optional: true, key_position: prefix, \
                  missing_hash: reject, message: '{url}{body}', timestamp: { tolerance: soon } }";
    assert_eq!(
        wrong(scheme),
        [
            "header",
            "key_position",
            "message",
            "missing_hash",
            "prefix_optional",
            "separator",
            "timestamp.header",
            "timestamp.tolerance"
        ]
    );
}

#[test]
fn a_scheme_that_cannot_work_is_refused() {
    for (scheme, fields) in [
        ("{ algorithm: hmac-sha256 }", vec!["header"]),
        ("{ algorithm: token }", vec!["header"]),
        ("{ algorithm: token, header: x-token-* }", vec!["header"]),
        ("{ algorithm: hmac-sha256, header: x, from: query:s }", vec!["from"]),
        ("{ algorithm: hmac-sha256, from: 'query:' }", vec!["from"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{url}{body}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: twilio }", vec!["message"]),
        (
            "{ algorithm: hmac-sha256, header: x, url: 'https://a.example/b?c', message: '{url}{body}' }",
            vec!["url"],
        ),
        ("{ algorithm: hmac-sha256, header: x, message: '{param:none}{body}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, prefix: '{param:none}|' }", vec!["prefix"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{field:t}.{body}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{./id}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, each: /items }", vec!["each"]),
        ("{ algorithm: hmac-sha256, header: x, key: spki, hash: sha1 }", vec!["hash", "key"]),
        ("{ algorithm: hmac-sha256, header: x, message: '[{header:id}]{body}' }", vec!["message"]),
        ("{ algorithm: ed25519, header: x, public_keys: [zz] }", vec!["public_keys"]),
        ("{ algorithm: rsa-x509, header: x }", vec!["certificate"]),
        ("{ algorithm: rsa-x509, header: x, certificate: { at: header:c } }", vec!["certificate.hosts"]),
        ("{ algorithm: jwt }", vec!["jwt.algorithms"]),
        ("{ algorithm: jwt, jwt: { algorithms: [RS256] } }", vec!["jwt.jwks"]),
        ("{ algorithm: jwt, jwt: { algorithms: [HS256], jwks: 'https://a.example/' } }", vec!["jwt.jwks"]),
        ("{ algorithm: jwt, jwt: { algorithms: [ES256], jwks: 'http://a.example/' } }", vec!["jwt.jwks"]),
        (
            "{ header: x, any_of: [ { algorithm: hmac-sha256 }, { algorithm: sha1, message: a } ] }",
            vec!["any_of.1.message"],
        ),
        ("{ algorithm: hmac-sha256, header: x, member: hash, message: raw_cut }", vec!["member"]),
        ("{ algorithm: hmac-sha256, member: '' }", vec!["member"]),
        ("{ algorithm: hmac-sha256, member: hash, message: '{body}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, member: hash, message: twilio }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: raw_cut }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: compact }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: raw-cut }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: '' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{body' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{header:}{body}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{header:id}{body}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, message: '{body}{header:id}' }", vec!["message"]),
        ("{ algorithm: sha256, header: x, message: 'a{header:id}' }", vec!["message"]),
        ("{ algorithm: hmac-sha256, header: x, timestamp: { header: t } }", vec!["timestamp.header"]),
        (
            "{ algorithm: hmac-sha256, header: x, message: '{header:t}.{body}', timestamp: { header: t, tolerance: -5m } }",
            vec!["timestamp.tolerance"],
        ),
        ("{ algorithm: hmac-sha256, header: x, key_position: suffix }", vec!["key_position"]),
        (
            "{ algorithm: token, header: x, message: '{body}', encoding: hex, member: h }",
            vec!["encoding", "member", "message"],
        ),
    ] {
        assert_eq!(wrong(scheme), fields, "{scheme}");
    }
    let long = "{body}.".repeat(15);
    assert_eq!(wrong(&format!("{{ algorithm: hmac-sha256, header: x, message: '{long}' }}")), ["message"]);
}

#[test]
fn a_scheme_that_verifies_less_than_it_says_is_refused() {
    for (scheme, fields) in [
        // `none` beside a scheme is the scheme switched off.
        (
            "{ header: x, any_of: [ { algorithm: hmac-sha256 }, { algorithm: none } ] }",
            vec!["any_of.1.algorithm"],
        ),
        // Who publishes keys signs for many receivers.
        (
            "{ algorithm: jwt, jwt: { algorithms: [RS256], jwks: 'https://a.example/keys', issuer: a } }",
            vec!["jwt.audience"],
        ),
        ("{ algorithm: jwt, jwt: { algorithms: [HS256], audience: [] } }", vec!["jwt.audience"]),
        // The time could be read where nothing signs it.
        (
            "{ algorithm: hmac-sha256, header: x, message: '{header:x-ts}.{body}', \
             timestamp: { at: 'header:x-now|header:x-ts' } }",
            vec!["timestamp.at"],
        ),
        (
            "{ algorithm: hmac-sha256, header: x, message: '{body}', timestamp: { at: 'header:x-now|/ts' } }",
            vec!["timestamp.at"],
        ),
    ] {
        assert_eq!(wrong(scheme), fields, "{scheme}");
    }
}

#[test]
fn none_may_stand_over_any_preset_but_not_beside_secrets() {
    for scheme in [SYNCAROO, GITHUB, STANDARD] {
        let none = verifier(&scheme.replace("hmac-sha256", "none"), &["", ""]);
        assert!(!none.needs_secret() && none.is_keyed() && !none.covers_body());
        assert_eq!(none.scheme(), "none");
        let problems = set(&none, &["canary"]).expect_err("a secret that nothing uses");
        assert_eq!(problems.first().map(|problem| &*problem.field), Some("algorithm"));
        assert!(!format!("{problems:?}").contains("canary"));
    }
}

#[test]
fn a_digest_without_key_takes_no_secrets() {
    let digest = verifier("{ algorithm: sha256, member: hash }", &[""]);
    assert!(!digest.needs_secret() && digest.is_keyed());
    let problems = set(&digest, &["secret"]).expect_err("no place for a key");
    assert_eq!(problems.first().map(|problem| &*problem.field), Some("key_position"));
}

#[test]
fn a_verifier_says_what_it_covers_and_what_must_not_be_kept() {
    let header = HeaderName::from_static;
    let standard = verifier(STANDARD, &[]);
    assert!(standard.covers_body() && super::covers(&standard, &header("webhook-id")));
    assert!(
        !super::covers(&standard, &header("webhook-signature")) && standard.withheld().headers.is_empty()
    );
    assert_eq!(verifier(LIKEMAGIC, &[]).withheld().headers, [header("lm-webhook-secret")]);
    assert_eq!(verifier(LIKEMAGIC, &[]).scheme(), "token");
    assert!(verifier(SYNCAROO, &[]).covers_body() && verifier(PROPEXO, &[]).covers_body());
    let partial = verifier("{ algorithm: hmac-md5, header: x, message: '{header:id}' }", &["k"]);
    assert!(!partial.covers_body());
}

#[test]
fn of_what_is_required_only_the_senders_word_is_withheld() {
    let withheld = |require: &str| {
        let mut spec = spec(&format!("{{ algorithm: hmac-sha256, header: x-s, require: {require} }}"));
        spec.params = Constants([("word".into(), "s3cr3t".into())].into());
        Verifier::compile(&spec).unwrap().withheld()
    };
    assert_eq!(withheld("{ 'header:x-algo': SHA256withRSA, /kind: a }"), Withheld::default());
    for text in ["'{param:word}'", "'Bearer {param:word}'", "'[{param:word}]'", "[a, '{param:word}']"] {
        let both =
            withheld(&format!("{{ 'header:x-key': {text}, 'header:x-algo': a, 'query:key': {text} }}"));
        assert_eq!(
            (both.headers, both.query, both.body),
            (vec![HeaderName::from_static("x-key")], vec!["key".into()], false)
        );
        assert!(
            withheld(&format!("{{ /key: {text} }}")).body
                && withheld(&format!("{{ form:key: {text} }}")).body
        );
    }
    assert_eq!(withheld("{ 'header:x-key': '[{param:unstated}]' }"), Withheld::default());
    let none = verifier("{ algorithm: none, require: { /kind: a } }", &[]);
    assert!(!none.withheld().body, "a body's literal is known as the document is");
}
