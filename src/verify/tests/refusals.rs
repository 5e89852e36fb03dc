//! What must not verify: forged, repeated, stale and malformed credentials, and sources without a secret.

use super::{GITHUB, LIKEMAGIC, NOW, STANDARD, SYNCAROO, refusal, request, set, verifier};
use crate::verify::{Assurance, Proof, Verifier, VerifyError};
use http::{HeaderName, HeaderValue};

const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Returns a Standard Webhooks request that was signed at `NOW` plus `ahead` seconds.
fn standard(verifier: &Verifier, ahead: i64) -> crate::request::Request {
    let mut request = request(&[("webhook-id", "msg_1")], "{}");
    verifier
        .sign(&mut request, jiff::Timestamp::from_second(NOW + ahead).expect("a time"))
        .expect("a signature");
    request
}

fn put(request: &mut crate::request::Request, name: &'static str, value: &str) {
    request.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
}

#[test]
fn a_source_whose_secrets_are_empty_never_verifies() {
    for scheme in [LIKEMAGIC, GITHUB, SYNCAROO, STANDARD] {
        let verifier = verifier(scheme, &["", ""]);
        assert!(verifier.needs_secret() && !verifier.is_keyed());
        let request = request(&[("lm-webhook-secret", "")], r#"{"hash":""}"#);
        assert_eq!(verifier.verify(&request), Err(VerifyError::Unkeyed), "{scheme}");
        assert_eq!(refusal(&verifier, &request), "unkeyed");
    }
}

#[test]
fn a_rotation_accepts_both_secrets_and_then_only_the_new_one() {
    let verifier = verifier(LIKEMAGIC, &["old"]);
    let (old, new) =
        (request(&[("lm-webhook-secret", "old")], ""), request(&[("lm-webhook-secret", "new")], ""));
    set(&verifier, &["old", "", "new"]).expect("secrets");
    assert!(verifier.verify(&old).is_ok());
    assert_eq!(verifier.verify(&new), Ok(Proof { assurance: Assurance::Secret, key: 2 }));
    set(&verifier, &["new"]).expect("secrets");
    assert_eq!(refusal(&verifier, &old), "mismatch");
    set(&verifier, &[]).expect("secrets");
    assert_eq!(refusal(&verifier, &new), "unkeyed");
}

#[test]
fn a_secret_that_is_configured_twice_counts_as_its_first_place() {
    for scheme in [LIKEMAGIC, GITHUB] {
        let verifier = verifier(scheme, &[]);
        set(&verifier, &["same"]).expect("a secret");
        let mut request = request(&[], "{}");
        verifier.sign(&mut request, super::now()).expect("a signature");
        set(&verifier, &["other", "same", "same"]).expect("secrets");
        assert_eq!(verifier.verify(&request).map(|proof| proof.key), Ok(1), "{scheme}");
    }
}

#[test]
fn a_secret_that_does_not_decode_leaves_the_good_ones_in_use_and_is_not_printed() {
    let verifier = verifier(STANDARD, &[WHSEC]);
    let request = standard(&verifier, 0);
    let problems = set(&verifier, &[WHSEC, "whsec_!canary!", "whsec_"]).expect_err("two bad secrets");
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|problem| problem.field == "key"));
    assert!(
        format!("{problems:?}").contains("number 2")
            && !format!("{problems:?}{verifier:?}").contains("canary")
    );
    assert!(verifier.verify(&request).is_ok(), "the good secret beside it is in use");
}

#[test]
fn short_secrets_are_counted_by_their_decoded_length() {
    assert_eq!(verifier(GITHUB, &["0123456789abcde", "0123456789abcdef", ""]).weak_secrets(), 1);
    let hex = "{ algorithm: hmac-sha1, header: x, key: hex }";
    assert_eq!(verifier(hex, &["00112233445566778899aabbccddeeff", "001122"]).weak_secrets(), 1);
    assert_eq!(verifier("{ algorithm: md5, header: x }", &[]).weak_secrets(), 0);
}

#[test]
fn a_bearer_token_needs_its_prefix() {
    let scheme = "{ algorithm: token, header: authorization, prefix: 'Bearer ' }";
    let verifier = verifier(scheme, &["a-token"]);
    let answer = |value| refusal(&verifier, &request(&[("Authorization", value)], ""));
    assert_eq!(answer("Bearer a-token"), "secret");
    assert_eq!(answer("a-token"), "malformed");
    assert_eq!(answer("Bearer  a-token"), "mismatch");
    assert_eq!(verifier.withheld().headers, [HeaderName::from_static("authorization")]);
    assert!(!verifier.covers_body());
}

#[test]
fn a_signed_time_is_judged_in_both_directions_to_the_second() {
    let verifier = verifier(STANDARD, &[WHSEC]);
    for (ahead, answer) in
        [(0, "signature"), (-300, "signature"), (300, "signature"), (-301, "expired"), (301, "expired")]
    {
        assert_eq!(refusal(&verifier, &standard(&verifier, ahead)), answer, "{ahead}");
    }
    let old = verifier.verify(&standard(&verifier, -1000));
    assert_eq!(old, Err(VerifyError::Expired { off_by_seconds: 1000 }));
}

#[test]
fn a_time_that_is_not_written_as_configured_is_malformed() {
    let verifier = verifier(STANDARD, &[WHSEC]);
    for time in
        ["", "+1762178400", "-1", " 1762178400x", "1762178400.0", "99999999999999999999", "9999999999999999"]
    {
        let mut request = standard(&verifier, 0);
        put(&mut request, "webhook-timestamp", time);
        assert_eq!(refusal(&verifier, &request), "malformed", "{time:?}");
    }
}

#[test]
fn times_in_milliseconds_and_rfc_3339_are_read_strictly() {
    for (unit, good, bad) in
        [("ms", "1762178400000", "1762178400"), ("rfc3339", "2025-11-03T15:00:00+01:00", "2025-11-03")]
    {
        let scheme = format!(
            "{{ algorithm: hmac-sha256, header: x-s, message: '{{header:x-t}}{{body}}', \
             timestamp: {{ header: x-t, unit: {unit}, tolerance: 1s }} }}"
        );
        let verifier = verifier(&scheme, &["key"]);
        let mut request = request(&[], "{}");
        verifier.sign(&mut request, super::now()).expect("a signature");
        assert_eq!(refusal(&verifier, &request), "signature", "{unit}");
        put(&mut request, "x-t", good);
        assert_eq!(refusal(&verifier, &request), if unit == "ms" { "signature" } else { "mismatch" });
        put(&mut request, "x-t", bad);
        assert_ne!(refusal(&verifier, &request), "signature", "{unit}");
    }
}

#[test]
fn a_signed_header_cannot_swallow_its_separator() {
    let verifier = verifier(STANDARD, &[WHSEC]);
    let mut moved = request(&[("webhook-id", "a.b")], "{}");
    let refused = verifier.sign(&mut moved, super::now()).expect_err("a dotted id");
    assert!(refused.to_string().contains("webhook-id"), "{refused}");
    let mut request = standard(&verifier, 0);
    for id in ["msg_1.1762178400", ".", ""] {
        put(&mut request, "webhook-id", id);
        assert_eq!(refusal(&verifier, &request), "malformed", "{id:?}");
    }
}

#[test]
fn a_list_is_searched_for_known_versions_only() {
    let verifier = verifier(STANDARD, &[WHSEC]);
    let mut request = standard(&verifier, 0);
    let good = request.headers["webhook-signature"].to_str().expect("text").to_owned();
    let bare = good.strip_prefix("v1,").expect("a version");
    let other = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    for (list, answer) in [
        (format!("{other} {good}"), "signature"),
        (format!("v1a,xyz {good} v2,abc"), "signature"),
        (other.to_owned(), "mismatch"),
        (format!("v2,{bare} v1a,{bare} {bare}"), "malformed"),
        (format!("v1,{bare}{bare}"), "malformed"),
        (good.replace(',', "="), "malformed"),
        (String::new(), "malformed"),
    ] {
        put(&mut request, "webhook-signature", &list);
        assert_eq!(refusal(&verifier, &request), answer, "{list}");
    }
}

#[test]
fn several_lines_of_any_header_of_the_scheme_are_refused() {
    let verifier = verifier(STANDARD, &[WHSEC]);
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut request = standard(&verifier, 0);
        let value = request.headers[name].clone();
        request.headers.append(name, value);
        assert_eq!(verifier.verify(&request), Err(VerifyError::Repeated(name.into())));
        assert_eq!(refusal(&verifier, &request), "malformed");
        request.headers.remove(name);
        assert_eq!(refusal(&verifier, &request), "missing");
    }
}

#[test]
fn a_body_without_its_digest_is_refused_unless_the_operator_says_otherwise() {
    let lax = SYNCAROO.replace("reject", "accept_unverified");
    let body = r#"{"metaData":{"hash":"00"}}"#;
    assert_eq!(refusal(&verifier(SYNCAROO, &["k"]), &request(&[], body)), "missing");
    assert_eq!(verifier(&lax, &["k"]).verify(&request(&[], body)), Ok(Proof::none()));
    assert_eq!(refusal(&verifier(&lax, &["k"]), &request(&[], r#"{"hash":null}"#)), "malformed");
    assert_eq!(refusal(&verifier(&lax, &["k"]), &request(&[], "[]")), "malformed");
}

#[test]
fn a_weaker_scheme_in_the_same_request_is_not_looked_at() {
    let strong = verifier(GITHUB, &["key"]);
    let weak = verifier("{ algorithm: hmac-sha1, header: x-hub-signature, prefix: 'sha1=' }", &["key"]);
    let mut request = request(&[], "{}");
    weak.sign(&mut request, super::now()).expect("a signature");
    assert_eq!(refusal(&strong, &request), "missing");
    let sha1 = request.headers["x-hub-signature"].clone();
    request.headers.insert("x-hub-signature-256", sha1);
    assert_eq!(refusal(&strong, &request), "malformed");
}

#[test]
fn what_is_required_holds_even_where_nothing_is_checked() {
    let verifier = verifier("{ algorithm: none, require: { 'query:key': s3cr3t } }", &[]);
    let mut request = request(&[], "{}");
    assert!(verifier.verify(&request).is_err());
    request.uri = "/hooks/a?key=s3cr3t".parse().unwrap();
    assert!(verifier.verify(&request).is_ok());
    let verifier = super::verifier("{ algorithm: none, require: { 'header:x-key': s3cr3t } }", &[]);
    assert_eq!(verifier.withheld().headers, ["x-key"], "the word is not kept in the quarantine");
}

#[test]
fn an_object_whose_member_is_a_star_has_no_elements() {
    let verifier = verifier(
        "{ algorithm: hmac-sha256, from: ./sig, encoding: hex, message: '{./id}', each: /items/* }",
        &["a secret of some length"],
    );
    let body = r#"{"items":{"*":{"id":"1","sig":"00"}},"id":"forged"}"#;
    assert!(matches!(
        verifier.verify(&request(&[], body)),
        Err(VerifyError::Missing(_) | VerifyError::Malformed(_))
    ));
}

#[test]
fn a_body_that_cannot_be_cut_is_not_quoted() {
    let verifier = verifier(&super::syncaroo("raw_cut"), &["a secret of some length"]);
    let error = verifier.verify(&request(&[], "\"something private\"")).expect_err("no object");
    assert!(!error.to_string().contains("private"), "{error}");
}

#[test]
fn of_a_long_list_of_signatures_only_the_first_are_tried() {
    let key = std::fs::read_to_string("tests/fixtures/keys/ed25519-1.pem").unwrap();
    let verifier = verifier(
        "{ algorithm: ed25519, header: x, separator: ' ', prefix: 'v1a,', encoding: base64 }",
        &[&key],
    );
    let mut request = request(&[], "{}");
    verifier.sign(&mut request, super::now()).unwrap();
    let genuine = request.headers["x"].to_str().unwrap().to_owned();
    let foreign = format!("v1a,{}==", "A".repeat(86));
    for (before, is_found) in [(7, true), (8, false)] {
        let list = vec![foreign.clone(); before].join(" ") + " " + &genuine;
        request.headers.insert("x", list.parse().unwrap());
        assert_eq!(verifier.verify(&request).is_ok(), is_found, "behind {before} others");
    }
}
