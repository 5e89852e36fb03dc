//! Where else signatures, tokens and times stand: slots, lists, several headers, elements of a batch, alternatives; and
//! what must stand beside them.

use super::{NOW, now, refusal, request, spec, verifier};
use crate::{
    request::Request,
    verify::{Algorithm, Constants, SignError, Verifier, VerifyError, VerifySpec},
};
use http::Method;

const ADYEN: &str = "{ algorithm: hmac-sha256, each: '/items/*/item', from: ./data/mac, encoding: base64, key: hex, \
     message: '[{./id}]:[{./original}]:[{./amount/value}]' }";
const BRAINTREE: &str = "{ algorithm: hmac-sha1, from: form:bt_signature, separator: '&', prefix: '{param:key_id}|', \
     encoding: hex, key: sha1, message: '{form:bt_payload}' }";
const FIELDS: &str = "{ algorithm: hmac-sha256, header: x-s, separator: ',', prefix: 'v1=', encoding: hex, \
     message: '{field:t}.{body}', timestamp: { at: field:t } }";

fn signed(verifier: &Verifier, mut request: Request) -> Request {
    verifier.sign(&mut request, now()).expect("a signature");
    request
}

fn text(request: &Request, name: &str) -> String {
    request.headers[name].to_str().expect("text").to_owned()
}

fn put(request: &mut Request, name: &'static str, value: &str) {
    request.headers.insert(name, value.parse().expect("a value"));
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn every_element_of_a_batch_must_be_signed() {
    let verifier = verifier(ADYEN, &["00112233445566778899aabbccddeeff"]);
    let body = r#"{"items":[{"item":{"id":"a:b","amount":{"value":1130},"data":{"mac":""}}},{"item":{"id":"c","original":"","data":{"mac":""}}}]}"#;
    let good = signed(&verifier, request(&[], body));
    // The fields are joined, not the whole body.
    assert_eq!(refusal(&verifier, &good), "secret");
    assert!(!verifier.covers_body());
    let body = std::str::from_utf8(&good.body).expect("text");
    for (from, to, answer) in [
        ("a:b", "a:c", "mismatch"),
        (r#""id":"c""#, r#""id":"d""#, "mismatch"),
        ("1130", "1131", "mismatch"),
        (r#""original":"","#, r#""original":null,"#, "secret"),
        (r#""original":"","#, r#""original":"","note":"x","#, "secret"),
        (r#"{"item":{"id":"c""#, r#"{"other":{"id":"c""#, "malformed"),
        (r#""id":"c","#, r#""id":"c","id":"c","#, "malformed"),
    ] {
        let changed = body.replace(from, to);
        assert_ne!(changed, body);
        assert_eq!(refusal(&verifier, &request(&[], changed)), answer, "{from} to {to}");
    }
    for none in [r#"{"items":[]}"#, r#"{"items":{}}"#, "{}"] {
        assert_eq!(refusal(&verifier, &request(&[], none)), "missing", "{none}");
    }
}

#[test]
fn the_pair_of_our_own_public_key_counts() {
    let mut spec = spec(BRAINTREE);
    spec.params = Constants([("key_id".into(), "ours".into())].into());
    let verifier = Verifier::compile(&spec).expect("a scheme");
    verifier.set_secrets(vec!["private".into()]).expect("a secret");
    let good = signed(&verifier, request(&[FORM], "bt_payload=a%0Ab%2B"));
    assert_eq!(refusal(&verifier, &good), "secret");
    let body = String::from_utf8(good.body.to_vec()).expect("text");
    let also = body.replace("bt_signature=", "bt_signature=theirs%7C00%26");
    assert_eq!(refusal(&verifier, &request(&[FORM], also)), "secret");
    for (from, to) in [("ours", "theirs"), ("%7C", ""), ("%0A", "%0a%0a")] {
        let changed = body.replace(from, to);
        assert_ne!(refusal(&verifier, &request(&[FORM], changed)), "secret", "{from}");
    }
    assert_eq!(refusal(&verifier, &request(&[FORM], format!("{body}&bt_payload=x"))), "malformed");
    assert_eq!(refusal(&verifier, &request(&[FORM], "bt_payload=x")), "missing");
    assert_eq!(verifier.hmac(Algorithm::HmacSha1, b"x").map(|mac| mac.len()), Some(20));
}

#[test]
fn an_entry_of_the_list_is_signed_and_stands_once() {
    let verifier = verifier(FIELDS, &["key"]);
    let good = signed(&verifier, request(&[], "{}"));
    let list = text(&good, "x-s");
    assert!(list.starts_with(&format!("t={NOW},v1=")), "{list}");
    let signature = list.split_once("v1=").expect("an entry").1.to_owned();
    for (list, answer) in [
        (format!("t={NOW}, v1={signature}"), "signature"),
        (format!("v0=zz,v1=00,t={NOW},v1={signature},v1"), "signature"),
        (format!("t={NOW},t={NOW},v1={signature}"), "malformed"),
        (format!("v1={signature}"), "missing"),
        (format!("t=,v1={signature}"), "malformed"),
        (format!("t=x,v1={signature}"), "malformed"),
        (format!("t={},v1={signature}", NOW + 1), "mismatch"),
        (format!("t={NOW},v0={signature}"), "malformed"),
    ] {
        let mut changed = request(&[], "{}");
        put(&mut changed, "x-s", &list);
        assert_eq!(refusal(&verifier, &changed), answer, "{list}");
    }
    let old = FIELDS.replace("at: field:t", "at: field:t, tolerance: 1s");
    let mut late = good.clone();
    late.received = late.received.checked_add(jiff::SignedDuration::from_secs(2)).expect("a time");
    assert_eq!(refusal(&super::verifier(&old, &["key"]), &late), "expired");
    let off = FIELDS.replace("at: field:t", "at: field:t, tolerance: off");
    assert_eq!(refusal(&super::verifier(&off, &["key"]), &late), "signature");
}

#[test]
fn of_several_headers_the_first_counts_and_of_numbered_ones_any() {
    let list = verifier("{ algorithm: hmac-sha256, header: [x-new, x-old], encoding: hex }", &["key"]);
    let good = signed(&list, request(&[], "{}"));
    let signature = text(&good, "x-new");
    let answer = |headers: &[(&str, &str)]| refusal(&list, &request(headers, "{}"));
    assert_eq!(answer(&[("x-old", &signature)]), "signature");
    assert_eq!(answer(&[("x-new", "00"), ("x-old", &signature)]), "malformed");
    assert_eq!(answer(&[("x-old", &signature), ("x-old", &signature)]), "malformed");
    assert_eq!(answer(&[]), "missing");

    let numbered = verifier("{ algorithm: hmac-sha256, header: X-Sig-*, encoding: hex }", &["key"]);
    let answer = |headers: &[(&str, &str)]| refusal(&numbered, &request(headers, "{}"));
    assert_eq!(text(&signed(&numbered, request(&[], "{}")), "x-sig-1"), signature);
    assert_eq!(answer(&[("x-sig-1", "zz"), ("x-sig-12", &signature)]), "signature");
    assert_eq!(answer(&[("x-sig-", &signature), ("x-sig-a", &signature)]), "missing");
}

#[test]
fn a_token_stands_in_the_query_the_body_or_as_basic_credentials() {
    let query = verifier("{ algorithm: token, from: query:access_token }", &["a token+"]);
    let good = signed(&query, request(&[], ""));
    assert_eq!(good.uri, "/?access_token=a%20token%2B");
    assert_eq!(refusal(&query, &good), "secret");
    assert_eq!(refusal(&query, &request(&[], "access_token=a+token%2B")), "missing");

    let each = verifier("{ algorithm: token, each: '/value/*', from: ./clientState }", &["state"]);
    let good = signed(&each, request(&[], r#"{"value":[{"clientState":""},{"clientState":"","id":1}]}"#));
    assert_eq!(refusal(&each, &good), "secret");
    let one = r#"{"value":[{"clientState":"state"},{"clientState":"other"}]}"#;
    assert_eq!(refusal(&each, &request(&[], one)), "mismatch");

    let basic = verifier("{ algorithm: basic }", &["user:pass:word"]);
    let good = signed(&basic, request(&[], ""));
    assert_eq!(refusal(&basic, &good), "secret");
    assert_eq!(basic.withheld().headers, ["authorization"]);
    let answer = |value| refusal(&basic, &request(&[("authorization", value)], ""));
    assert_eq!(answer("basic dXNlcjpwYXNzOndvcmQ="), "secret");
    assert_eq!(answer("Basic dXNlcjpwYXNzOndvcmQ"), "secret");
    assert_eq!(answer("Basic dXNlcjpwYXNzOndvcmQK"), "mismatch");
    assert_eq!(answer("Basic user:pass:word"), "malformed");
    assert_eq!(answer("Bearer dXNlcjpwYXNzOndvcmQ="), "malformed");
}

#[test]
fn the_first_alternative_that_proves_wins_and_the_most_telling_error_is_told() {
    let scheme = "{ key: utf8, any_of: [ \
         { algorithm: hmac-sha256, header: x-s, encoding: hex, key: whsec }, \
         { algorithm: token, header: x-token, key: ~ } ] }"
        .replace("key: utf8, ", "")
        .replace(", key: ~", "");
    let verifier = verifier(&scheme, &["whsec_c2VjcmV0c2VjcmV0c2VjcmV0"]);
    assert_eq!(verifier.scheme(), "hmac-sha256");
    let good = signed(&verifier, request(&[], "{}"));
    assert_eq!(refusal(&verifier, &good), "signature");
    let token = request(&[("x-token", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0")], "{}");
    assert_eq!(refusal(&verifier, &token), "secret");
    assert!(!verifier.covers_body(), "the weakest alternative counts");
    assert_eq!(refusal(&verifier, &request(&[("x-token", "x")], "{}")), "mismatch");
    assert_eq!(refusal(&verifier, &request(&[], "{}")), "missing");
    // A text that only one alternative can use is no mistake.
    assert!(super::set(&verifier, &["plain text"]).is_ok());
    assert_eq!(refusal(&verifier, &request(&[("x-token", "plain text")], "{}")), "secret");
}

#[test]
fn what_is_required_is_an_allow_list() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, require: { header:x-version: [v1, v2], /kind: a } }";
    let verifier = verifier(scheme, &["key"]);
    let good = signed(&verifier, request(&[], r#"{"kind":"a"}"#));
    assert_eq!(text(&good, "x-version"), "v1");
    assert_eq!(refusal(&verifier, &good), "signature");
    let mut other = good.clone();
    put(&mut other, "x-version", "v3");
    assert_eq!(refusal(&verifier, &other), "malformed");
    other.headers.remove("x-version");
    assert_eq!(refusal(&verifier, &other), "missing");
}

#[test]
fn what_all_alternatives_share_is_required_of_each() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, require: { /topic: ours, /version: '2' }, any_of: \
                  [{ require: { /version: '2' } }, { require: { /version: '1' }, algorithm: hmac-sha1 }] }";
    let verifier = verifier(scheme, &["key"]);
    for (body, expected) in [
        (r#"{"topic":"ours","version":"2"}"#, "signature"),
        (r#"{"topic":"theirs","version":"2"}"#, "malformed"),
        (r#"{"version":"2"}"#, "missing"),
    ] {
        let plain = super::verifier(super::HMAC_ALONE, &["key"]);
        let asked = signed(&plain, request(&[], body));
        assert_eq!(refusal(&verifier, &asked), expected, "{body}");
    }
    let sha1 = super::verifier(&super::HMAC_ALONE.replace("sha256", "sha1"), &["key"]);
    let old = signed(&sha1, request(&[], r#"{"topic":"ours","version":"1"}"#));
    assert_eq!(refusal(&verifier, &old), "malformed", "an alternative takes back nothing");
}

#[test]
fn an_event_of_the_form_that_a_handshake_signs_is_refused() {
    let mut scheme = spec(super::HMAC_ALONE);
    let keyed = |spec: &VerifySpec| {
        let verifier = Verifier::compile(spec).expect("a scheme");
        super::set(&verifier, &["key"]).expect("a key");
        verifier
    };
    let open = keyed(&scheme);
    scheme.signs_tokens = true;
    let closed = keyed(&scheme);
    let longest = "a".repeat(128);
    for (body, expected) in [
        ("1", "mismatch"),
        ("deadbeef", "mismatch"),
        ("aGVsbG8=.-_+/", "mismatch"),
        (longest.as_str(), "mismatch"),
        (&"a".repeat(129), "signature"),
        ("{}", "signature"),
        ("PG5vdGlmaWNhdGlvbj4=\n", "signature"),
        ("", "signature"),
    ] {
        let made = signed(&open, request(&[], body));
        assert_eq!(refusal(&open, &made), "signature", "{body}");
        assert_eq!(refusal(&closed, &made), expected, "{body}");
    }
    let mut tokens = spec("{ algorithm: jwt, jwt: { algorithms: [HS256], audience: us, max_age: 5m } }");
    assert!(Verifier::compile(&tokens).is_ok());
    tokens.signs_tokens = true;
    let problems = Verifier::compile(&tokens).expect_err("its tokens could be signed");
    assert_eq!(problems.first().map(|problem| &*problem.field), Some("jwt"));
}

#[test]
fn the_headers_that_a_signature_lists_cannot_be_cut_elsewhere() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, separator: ',', prefix: 'v1=', encoding: hex, message: \
                  '{field:t}.{field:h}.{listed:h}.{body}', timestamp: { at: field:t } }";
    let verifier = verifier(scheme, &["key"]);
    let plain = super::verifier(
        "{ algorithm: hmac-sha256, header: x-s, message: '{body}', encoding: hex }",
        &["key"],
    );
    let answer = |values: [&str; 2], body: &str| {
        let message = format!("{NOW}.x-a x-b.{}.{}.{body}", values[0], values[1]);
        let mac = text(&signed(&plain, request(&[], message)), "x-s");
        let list = format!("t={NOW},h=x-a x-b,v1={mac}");
        refusal(&verifier, &request(&[("x-s", &list), ("x-a", values[0]), ("x-b", values[1])], body))
    };
    assert_eq!(answer(["one", "two"], "{}"), "signature");
    assert_eq!(answer(["one", "two.three"], "{}"), "signature", "only the body stands behind the last");
    assert_eq!(answer(["one.two", "three"], "{}"), "malformed");
    assert_eq!(answer(["one", "two.{\"a\":1"], "{}"), "malformed");
    assert_eq!(answer(["one", "two.[1"], "{}"), "malformed");
}

#[test]
fn a_value_of_a_message_is_not_empty_unless_brackets_say_so() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, message: '{/time}{/token}[{/more}]' }";
    let verifier = verifier(scheme, &["key"]);
    let plain = super::verifier("{ algorithm: hmac-sha256, header: x-s, message: '{/all}' }", &["key"]);
    for (members, all, expected) in [
        (r#""time":"12","token":"3","more":"""#, "123", "secret"),
        (r#""time":"123","token":"""#, "123", "malformed"),
        (r#""time":"","token":"123""#, "123", "malformed"),
    ] {
        let made = signed(&plain, request(&[], format!(r#"{{{members},"all":"{all}"}}"#)));
        assert_eq!(refusal(&verifier, &made), expected, "{members}");
    }
}

#[test]
fn a_bracketed_constant_is_required_where_it_is_stated() {
    let mut scheme = spec("{ algorithm: hmac-sha256, header: x-s, require: { /topic: '[{param:topic}]' } }");
    assert_eq!(scheme.undemanded(), [("/topic", "topic")]);
    let keyed = |spec: &VerifySpec| {
        let verifier = Verifier::compile(spec).expect("a scheme");
        super::set(&verifier, &["key"]).expect("a key");
        verifier
    };
    let plain = verifier(super::HMAC_ALONE, &["key"]);
    let ours = signed(&plain, request(&[], r#"{"topic":"ours"}"#));
    let theirs = signed(&plain, request(&[], r#"{"topic":"theirs"}"#));
    assert_eq!(refusal(&keyed(&scheme), &theirs), "signature", "nothing is stated");
    scheme.params.0.insert("topic".into(), "ours".into());
    assert_eq!(refusal(&keyed(&scheme), &ours), "signature");
    assert_eq!(refusal(&keyed(&scheme), &theirs), "malformed");
    // Stated, but without a value now: not the same as not stated.
    scheme.params.0.clear();
    scheme.demand_stated(&|name| name == "topic");
    assert!(scheme.undemanded().is_empty());
    let problems = Verifier::compile(&scheme).expect_err("no value");
    assert_eq!(problems.first().map(|problem| &*problem.field), Some("require"));
}

#[test]
fn the_address_is_the_configured_one_with_the_query_of_the_request() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, url: 'https://hooks.example.com/a', \
                  message: '{method}{url:decoded}{body}' }";
    let verifier = verifier(scheme, &["key"]);
    let with =
        |uri: &str, method| Request { uri: uri.parse().expect("a target"), method, ..request(&[], "{}") };
    let mut good = signed(&verifier, with("/hooks/x?q=%3A%20", Method::POST));
    assert_eq!(refusal(&verifier, &good), "signature");
    good.headers.insert("host", "evil.example".parse().expect("a value"));
    assert_eq!(refusal(&verifier, &good), "signature", "no part of the request names the address");
    for (uri, method) in
        [("/hooks/x?q=%3A%21", Method::POST), ("/hooks/x", Method::POST), ("/hooks/x?q=%3A%20", Method::PUT)]
    {
        let other = Request { headers: good.headers.clone(), ..with(uri, method) };
        assert_eq!(refusal(&verifier, &other), "mismatch", "{uri}");
    }
    let decoded = Request { headers: good.headers.clone(), ..with("/hooks/x?q=:%20", Method::POST) };
    assert_eq!(refusal(&verifier, &decoded), "signature", "the sender decodes this escape before it signs");
}

#[test]
fn twilio_signs_sorted_fields_or_the_digest_of_another_body() {
    let scheme = "{ algorithm: hmac-sha1, header: x-twilio-signature, encoding: base64, message: twilio, \
                  url: 'https://hooks.example.com/a' }";
    let with_port = scheme.replace("example.com/a", "example.com:443/a");
    let (plain, ported) = (verifier(scheme, &["key"]), verifier(&with_port, &["key"]));
    let good = signed(&plain, request(&[], "B=2&A=1+2&A=0&B=2"));
    assert_eq!(refusal(&plain, &good), "signature");
    assert_eq!(refusal(&ported, &good), "signature", "the port may have been left out");
    let with_body = |body: &str| Request { headers: good.headers.clone(), ..request(&[], body) };
    assert_eq!(
        refusal(&plain, &with_body("A=0&A=1%202&B=2")),
        "signature",
        "order and repeats are not signed"
    );
    assert_eq!(refusal(&plain, &with_body("A=0&A=1+2&B=3")), "mismatch");

    let uri = format!("/?bodySHA256={}", hex::encode(<sha2::Sha256 as sha2::Digest>::digest("{}")));
    let json = |body: &str| Request { uri: uri.parse().expect("a target"), ..request(&[], body) };
    let good = signed(&plain, json("{}"));
    assert_eq!(refusal(&plain, &good), "signature");
    let other = Request { headers: good.headers.clone(), ..json("{ }") };
    assert_eq!(refusal(&plain, &other), "mismatch");
}

#[test]
fn a_text_date_needs_its_day_and_its_zone() {
    let scheme = "{ algorithm: hmac-sha1, header: x-s, message: '{body}{header:date}', \
                  timestamp: { header: date, unit: http-date } }";
    let verifier = verifier(scheme, &["key"]);
    let good = signed(&verifier, request(&[], "{}"));
    assert_eq!(text(&good, "date"), "Mon, 03 Nov 2025 14:00:00 GMT");
    assert_eq!(refusal(&verifier, &good), "signature");
    for (date, answer) in [
        ("Mon 03 Nov 2025 14:00:00 UTC", "mismatch"),
        ("03 Nov 2025 14:00:00 GMT", "malformed"),
        ("on, 03 Nov 2025 14:00:00 GMT", "malformed"),
        ("Mon, 03 Nov 2025 14:00:00", "malformed"),
        ("Mon, 33 Nov 2025 14:00:00 GMT", "malformed"),
    ] {
        let mut other = good.clone();
        put(&mut other, "date", date);
        assert_eq!(refusal(&verifier, &other), answer, "{date}");
    }
}

#[test]
fn a_time_in_the_body_is_judged_where_the_body_is_signed() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, timestamp: { at: /at, unit: ms, tolerance: 60s } }";
    let verifier = verifier(scheme, &["key"]);
    for (ahead, answer) in [(0, "signature"), (60, "signature"), (61, "expired"), (-61, "expired")] {
        let body = format!(r#"{{"at":{}}}"#, (NOW + ahead) * 1000);
        assert_eq!(refusal(&verifier, &signed(&verifier, request(&[], body))), answer, "{ahead}");
    }
    for (body, answer) in [("{}", "missing"), (r#"{"at":1.5}"#, "malformed"), ("[", "malformed")] {
        assert_eq!(refusal(&verifier, &signed(&verifier, request(&[], body))), answer, "{body}");
    }
}

#[test]
fn the_public_half_of_a_key_signs_nothing() {
    let scheme = format!("{{ algorithm: ed25519, header: x-s, public_keys: ['{}'] }}", "00".repeat(32));
    let verifier = verifier(&scheme, &[]);
    assert!(verifier.is_keyed() && !verifier.needs_secret());
    let mut request = request(&[], "{}");
    assert_eq!(verifier.sign(&mut request, now()), Err(SignError::NoPrivateKey));
    assert!(request.headers.is_empty(), "a request that cannot be signed stays as it was");
    assert_eq!(verifier.verify(&request), Err(VerifyError::Missing("header `x-s`".to_owned())));
}

#[test]
fn a_secret_is_taken_as_dashboards_show_it() {
    for shown in
        ["whsec_c2VjcmV0c2VjcmV0c2VjcmV0", "v1,whsec_c2VjcmV0c2VjcmV0c2VjcmV0", "c2VjcmV0c2VjcmV0c2VjcmV0"]
    {
        let shown_so =
            verifier("{ algorithm: hmac-sha256, header: x-s, encoding: hex, key: whsec }", &[shown]);
        let plain = verifier("{ algorithm: hmac-sha256, header: x-s }", &["secretsecretsecret"]);
        assert_eq!(refusal(&shown_so, &signed(&plain, request(&[], "{}"))), "signature", "{shown}");
    }
}

#[test]
fn a_date_in_full_ends_the_header_in_front_of_it() {
    let scheme = "{ algorithm: hmac-sha256, header: x-s, encoding: hex, \
         message: '{header:x-id}{header:x-time}{body}', timestamp: { header: x-time, unit: rfc3339 } }";
    let dated = verifier(scheme, &["key"]);
    let time = "2025-11-03T14:00:00.123456789Z";
    let plain = verifier("{ algorithm: hmac-sha256, header: x-s, message: '{body}' }", &["key"]);
    let made = |id: &str, time: &str, body: &str| {
        let whole = signed(&plain, request(&[], format!("{id}{time}{body}")));
        let digest = whole.headers["x-s"].to_str().expect("hex").to_owned();
        refusal(&dated, &request(&[("x-s", &digest), ("x-id", id), ("x-time", time)], body))
    };
    assert_eq!(made("84c1e79a", time, "{}"), "signature");
    assert_eq!(made("0", "2025-11-03T15:00:00+01:00", "{}"), "signature");
    // Each of these could have been divided in another place.
    assert_eq!(made(&format!("84c1{time}{{"), "2025-11-03T14:00:00Z", "}"), "malformed");
    assert_eq!(made("84c1e79a+00", "2025-11-03T14:00:00Z", "{}"), "signature");
    assert_eq!(made("84c1e79a", "+002025-11-03T14:00:00Z", "{}"), "malformed");
    assert_eq!(made("84c1e79a", "20251103T140000Z", "{}"), "malformed");
    assert_eq!(made("84c1e79a", "2025-11-03T14:00:00Z[UTC]", "{}"), "malformed");
    assert_eq!(made("", time, "{}"), "malformed");
    let wrong = |scheme: &str| Verifier::compile(&spec(scheme)).is_err();
    assert!(wrong(&scheme.replace("rfc3339", "s")), "digits end nothing");
    assert!(wrong(&scheme.replace("{header:x-id}{header:x-time}", "{header:x-time}{header:x-id}")));
    assert!(wrong(&scheme.replace("{header:x-id}", "{header:x-a}{header:x-id}")));
    let unlimited = scheme.replace("unit: rfc3339", "unit: rfc3339, tolerance: off, optional: true");
    let lax = verifier(&unlimited, &["key"]);
    assert_eq!(refusal(&lax, &request(&[("x-s", "00"), ("x-id", "1"), ("x-time", "x")], "{}")), "malformed");
}

#[test]
fn an_event_that_is_not_signed_is_taken_beside_signed_ones_where_the_scheme_says_which() {
    let scheme = "{ algorithm: hmac-sha256, each: /items/*, from: ./sig, encoding: hex, message: '{./id}:{./kind}', \
         any_of: [ {}, { algorithm: none, require: { ./kind: REPORT } }, { algorithm: basic, require: { ./kind: NOTE } } ] }";
    let keyed = verifier(scheme, &["key", "user:password"]);
    let plain = verifier("{ algorithm: hmac-sha256, header: x-s, message: '{body}' }", &["key"]);
    let item = |kind: &str, id: &str| {
        let whole = signed(&plain, request(&[], format!("{id}:{kind}")));
        let digest = whole.headers["x-s"].to_str().expect("hex").to_owned();
        format!(r#"{{"id":"{id}","kind":"{kind}","sig":"{digest}"}}"#)
    };
    let (paid, report, note) =
        (item("PAID", "1"), r#"{"id":"2","kind":"REPORT"}"#, r#"{"id":"3","kind":"NOTE"}"#);
    let answer = |items: &[&str], headers: &[(&str, &str)]| {
        refusal(&keyed, &request(headers, format!(r#"{{"items":[{}]}}"#, items.join(","))))
    };
    assert_eq!(answer(&[&paid], &[]), "secret");
    assert_eq!(answer(&[report], &[]), "none");
    assert_eq!(answer(&[&paid, report], &[]), "none", "no better than the least");
    assert_eq!(answer(&[r#"{"id":"2","kind":"PAID"}"#, report], &[]), "missing");
    assert_eq!(answer(&[r#"{"id":"2","kind":"PAID","sig":"00"}"#], &[]), "malformed", "no digest");
    let basic = ("authorization", "Basic dXNlcjpwYXNzd29yZA==");
    assert_eq!(answer(&[&paid, note], &[basic]), "secret");
    assert_eq!(answer(&[note], &[]), "missing");
    let unkeyed = Verifier::compile(&spec(scheme)).expect("a scheme");
    assert!(!unkeyed.is_keyed(), "the exception is no key");
    assert_eq!(refusal(&unkeyed, &request(&[], format!(r#"{{"items":[{paid}]}}"#))), "unkeyed");
    let open = scheme.replace("require: { ./kind: REPORT }", "require: {}");
    assert!(Verifier::compile(&spec(&open)).is_err(), "it would take all");
    let first = scheme.replace("any_of: [ {}, ", "any_of: [ ").replace(" } } ] }", " } }, {} ] }");
    let keyed = verifier(&first, &["key", "user:password"]);
    let whole = request(&[], format!(r#"{{"items":[{}]}}"#, item("REPORT", "2")));
    assert_eq!(refusal(&keyed, &whole), "secret", "a proof comes before none");
}

#[test]
fn a_demand_that_is_inherited_or_not_stated_binds_no_exception() {
    let scheme = |own: &str| {
        let text = format!(
            "{{ algorithm: hmac-sha256, header: x-s, encoding: hex, message: '{{body}}', \
               require: {{ /kind: [ PAID, REPORT ] }}, any_of: [ {{}}, {{ algorithm: none{own} }} ] }}"
        );
        Verifier::compile(&spec(&text)).is_ok()
    };
    assert!(scheme(", require: { /kind: REPORT }"));
    assert!(!scheme(""), "what it inherits the others demand too");
    assert!(!scheme(", require: { /kind: '[{param:unstated}]' }"), "it would be dropped");
}
