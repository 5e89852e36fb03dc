//! The table of mistakes: each is made on purpose, and the explainer must name it, and prove it where it can.

use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, GzBuilder};
use std::io::Write as _;

const HEX: &str = "{ algorithm: hmac-sha256, header: x-signature, encoding: hex }";
const TIMED: &str = "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, \
     message: '{header:x-time}.{body}', timestamp: { header: x-time, unit: s } }";
const BODY: &str = r#"{"b":"é/<x>","a":[1.50,{"c":null}]}"#;

/// One mistake: the scheme and secret of the sender, those of the source, and what happens on the way.
struct Mistake {
    code: &'static str,
    sender: &'static str,
    source: &'static str,
    sent_with: &'static str,
    held: &'static str,
    body: &'static str,
    way: fn(&mut Request),
}

/// Nothing happens on the way.
const NOTHING: fn(&mut Request) = |_| {};

const fn changed(code: &'static str, body: &'static str, way: fn(&mut Request)) -> Mistake {
    Mistake { code, sender: HEX, source: HEX, sent_with: SECRET, held: SECRET, body, way }
}

const fn keyed(code: &'static str, sent_with: &'static str, held: &'static str) -> Mistake {
    Mistake { code, sender: HEX, source: HEX, sent_with, held, body: BODY, way: NOTHING }
}

const fn schemed(code: &'static str, sender: &'static str, source: &'static str) -> Mistake {
    Mistake { code, sender, source, sent_with: SECRET, held: SECRET, body: BODY, way: NOTHING }
}

fn rewritten(request: &mut Request, body: impl Into<Vec<u8>>) {
    request.body = body.into().into();
}

fn replaced(request: &mut Request, from: &str, to: &str) {
    let text = String::from_utf8(request.body.to_vec()).expect("text");
    assert!(text.contains(from), "the mistake must change something");
    rewritten(request, text.replace(from, to));
}

fn reheaded(request: &mut Request, change: fn(&str) -> String) {
    let text = change(request.headers["x-signature"].to_str().expect("text"));
    request.headers.insert("x-signature", text.parse().expect("a value"));
}

fn value(request: &Request) -> serde_json::Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn headers_and_writing() -> Vec<Mistake> {
    vec![
        changed("missing", BODY, |r| {
            r.headers.remove("x-signature");
        }),
        changed("repeated", BODY, |r| {
            let one = r.headers["x-signature"].clone();
            r.headers.append("x-signature", one);
        }),
        schemed("other_header", "{ algorithm: hmac-sha256, header: x-sig, encoding: hex }", HEX),
        schemed("encoding", "{ algorithm: hmac-sha256, header: x-signature, encoding: base64 }", HEX),
        schemed("encoding", HEX, "{ algorithm: hmac-sha256, header: x-signature, encoding: base64url }"),
        schemed(
            "prefix",
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, prefix: 'sha256=' }",
            HEX,
        ),
        schemed(
            "prefix",
            HEX,
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, prefix: 'sha256=' }",
        ),
        changed("prefix", BODY, |r| reheaded(r, |text| format!("v0=00,v1={text}"))),
        changed("signature_text", BODY, |r| reheaded(r, |text| format!("\"{text}\""))),
    ]
}

fn times() -> Vec<Mistake> {
    let timed = |code, way| Mistake { sender: TIMED, source: TIMED, ..changed(code, BODY, way) };
    vec![
        timed("stale", |r| r.received += jiff::SignedDuration::from_secs(4000)),
        timed("stale", |r| r.received -= jiff::SignedDuration::from_secs(301)),
        schemed(
            "time_unit",
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, message: '{header:x-time}.{body}', timestamp: { header: x-time, unit: ms } }",
            TIMED,
        ),
        schemed(
            "time_unit",
            TIMED,
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, message: '{header:x-time}.{body}', timestamp: { header: x-time, unit: ms } }",
        ),
        schemed(
            "time_unit",
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, message: '{header:x-time}.{body}', timestamp: { header: x-time, unit: rfc3339 } }",
            TIMED,
        ),
    ]
}

fn texts() -> Vec<Mistake> {
    vec![
        changed("body_newline", BODY, |r| rewritten(r, [&r.body[..], b"\n"].concat())),
        changed("body_newline", "{\"a\":1}\r\n", |r| rewritten(r, r.body.trim_ascii_end().to_vec())),
        changed("body_line_ends", "{\r\n\"a\":1\r\n}", |r| replaced(r, "\r\n", "\n")),
        changed("body_line_ends", "{\n\"a\":1\n}", |r| replaced(r, "\n", "\r\n")),
        changed("body_mark", "\u{feff}{}", |r| replaced(r, "\u{feff}", "")),
        changed("body_mark", BODY, |r| rewritten(r, [b"\xef\xbb\xbf", &r.body[..]].concat())),
        changed("body_blanks", BODY, |r| rewritten(r, [b"  ", &r.body[..], b" \n\n"].concat())),
        changed("body_characters", BODY, |r| replaced(r, "é", "Ã©")),
        changed("body_base64", BODY, |r| rewritten(r, STANDARD.encode(&r.body))),
        changed("body_quoted", BODY, |r| {
            rewritten(r, serde_json::Value::from(std::str::from_utf8(&r.body).expect("text")).to_string());
        }),
        changed("body_wrapped", BODY, |r| {
            let body = STANDARD.encode(&r.body);
            rewritten(
                r,
                serde_json::json!({ "headers": {}, "body": body, "isBase64Encoded": true }).to_string(),
            );
        }),
        changed("body_wrapped", BODY, |r| {
            let body = std::str::from_utf8(&r.body).expect("text");
            rewritten(r, serde_json::json!({ "version": "2.0", "Records": [{ "body": body }] }).to_string());
        }),
        changed("body_empty", BODY, |r| rewritten(r, "")),
        changed("body_cut", BODY, |r| rewritten(r, r.body.slice(..10).to_vec())),
        changed("body_packed", BODY, |r| {
            let mut packer = GzBuilder::new().mtime(77).filename("x").write(Vec::new(), Compression::best());
            packer.write_all(&r.body).expect("memory");
            rewritten(r, packer.finish().expect("memory"));
        }),
        changed("body_form", "b=1+2&a=%7E%C3%A9*", |r| {
            r.headers.insert("content-type", "application/x-www-form-urlencoded".parse().expect("a type"));
            rewritten(r, "b=1%202&a=~%c3%a9%2a");
        }),
        changed("body_form", "a=1&b=%2F", |r| {
            r.headers.insert(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".parse().expect("a type"),
            );
            rewritten(r, "b=%2f&a=1");
        }),
    ]
}

fn json() -> Vec<Mistake> {
    let php = r#"{"b":"\u00e9\/<x>","a":[1.50,{"c":null}]}"#;
    let python = r#"{"b": "\u00e9/<x>", "a": [1.50, {"c": null}]}"#;
    let go = r#"{"b":"é/\u003cx\u003e","a":[1.50,{"c":null}]}"#;
    let dotnet = r#"{"b":"\u00E9/\u003Cx\u003E","a":[1.50,{"c":null}]}"#;
    let pretty = "{\n  \"b\": \"é/<x>\",\n  \"a\": [\n    1.50,\n    {\n      \"c\": null\n    }\n  ]\n}";
    let sorted = r#"{"a":[1.50,{"c":null}],"b":"é/<x>"}"#;
    let back = |r: &mut Request| rewritten(r, BODY);
    let mut table: Vec<Mistake> =
        [php, python, go, dotnet, pretty, sorted].map(|sent| changed("body_json", sent, back)).into();
    table.extend([
        changed("body_json", BODY, |r| rewritten(r, r#"{"b":"\u00e9\/<x>","a":[1.50,{"c":null}]}"#)),
        changed("body_json", BODY, |r| {
            rewritten(r, "{\n\t\"b\": \"é/<x>\",\n\t\"a\": [ 1.50, { \"c\": null } ]\n}\n");
        }),
        changed("body_json", r#"{"a":1,"b":{"c":2,"d":[]}}"#, |r| {
            let again = serde_json::to_vec_pretty(&value(r)).expect("JSON");
            rewritten(r, again);
        }),
    ]);
    table
}

fn secrets() -> Vec<Mistake> {
    vec![
        keyed("secret_blank", SECRET, "a secret of the tests\n"),
        keyed("secret_blank", SECRET, " a secret of the tests"),
        keyed("secret_blank", "a secret of the tests\n", SECRET),
        keyed("secret_blank", SECRET, "\"a secret of the tests\""),
        keyed("secret_blank", SECRET, "SHOP_SECRET=a secret of the tests"),
        keyed("secret_blank", "0badcafe0badcafe", "0BADCAFE0BADCAFE"),
        Mistake {
            sent_with: "c2VjcmV0IG9mIHRoZSB0ZXN0cw==",
            held: "c2VjcmV0IG9mIHRoZSB0ZXN0cw==",
            ..schemed(
                "secret_form",
                "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, key: base64 }",
                HEX,
            )
        },
        Mistake {
            sent_with: "0badcafe0badcafe",
            held: "0badcafe0badcafe",
            ..schemed(
                "secret_form",
                "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, key: hex }",
                HEX,
            )
        },
        Mistake {
            sent_with: "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==",
            held: "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==",
            ..schemed(
                "secret_form",
                HEX,
                "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, key: whsec }",
            )
        },
        // Not base64 at all: the source has no usable key.
        schemed(
            "secret_form",
            HEX,
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, key: hex }",
        ),
        Mistake {
            held: "a secret of the tests\r",
            ..schemed(
                "secret_blank",
                "{ algorithm: token, header: x-signature }",
                "{ algorithm: token, header: x-signature }",
            )
        },
        keyed("unknown", SECRET, "another secret altogether"),
    ]
}

fn schemes() -> Vec<Mistake> {
    let hash = |algorithm: &'static str| schemed("scheme", algorithm, HEX);
    vec![
        hash("{ algorithm: hmac-sha1, header: x-signature, encoding: hex }"),
        hash("{ algorithm: hmac-sha512, header: x-signature, encoding: base64 }"),
        hash("{ algorithm: sha256, key_position: prefix, header: x-signature, encoding: hex }"),
        hash("{ algorithm: sha256, key_position: suffix, header: x-signature, encoding: hex }"),
        hash("{ algorithm: hmac-md5, header: x-signature, encoding: hex }"),
        schemed("scheme", TIMED, HEX),
        schemed(
            "scheme",
            "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, message: 'v0:{header:x-time}:{body}', timestamp: { header: x-time, unit: s } }",
            TIMED,
        ),
        schemed(
            "scheme",
            "{ algorithm: hmac-sha1, header: x-signature, encoding: hex, message: '{header:x-time}{body}', timestamp: { header: x-time, unit: ms } }",
            HEX,
        ),
    ]
}

fn urls() -> Vec<Mistake> {
    const SENT: &str = "{ algorithm: hmac-sha256, header: x-signature, encoding: base64, message: '{url}{body}', url: 'https://a.example/hooks/shop' }";
    let configured = |source: &'static str| schemed("url", SENT, source);
    vec![
        configured(
            "{ algorithm: hmac-sha256, header: x-signature, encoding: base64, message: '{url}{body}', url: 'http://a.example/hooks/shop' }",
        ),
        configured(
            "{ algorithm: hmac-sha256, header: x-signature, encoding: base64, message: '{url}{body}', url: 'https://a.example/hooks/shop/' }",
        ),
        configured(
            "{ algorithm: hmac-sha256, header: x-signature, encoding: base64, message: '{url}{body}', url: 'https://a.example:8443/hooks/shop' }",
        ),
        configured(
            "{ algorithm: hmac-sha256, header: x-signature, encoding: base64, message: '{url}{body}', url: 'http://a.example/behind/the/proxy' }",
        ),
        Mistake { way: |r| r.uri = "/hooks/shop?added=1".parse().expect("a path"), ..configured(SENT) },
    ]
}

#[test]
fn every_mistake_is_named() {
    let mut wrong = Vec::new();
    let tables = [headers_and_writing(), times(), texts(), json(), secrets(), urls(), schemes()];
    for (place, mistake) in tables.into_iter().flatten().enumerate() {
        let mut request = signed(mistake.sender, mistake.sent_with, &[], mistake.body);
        (mistake.way)(&mut request);
        let causes = explained(mistake.source, &[mistake.held], &request, &Beside::default(), Reach::Whole);
        let may_be_hint =
            ["missing", "repeated", "unknown", "body_empty", "body_cut"].contains(&mistake.code);
        if causes.first().is_none_or(|cause| cause.code != mistake.code || !(cause.proven || may_be_hint)) {
            wrong.push(format!("{place}: wanted {}, got {causes:#?}", mistake.code));
        }
        let told = format!("{causes:?}");
        let signature =
            request.headers.get("x-signature").map_or("none", |value| value.to_str().expect("text"));
        assert!(
            ![mistake.sent_with, mistake.held, signature].iter().any(|text| told.contains(text)),
            "{told}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_request_of_another_sender_is_recognised() {
    let other = "{ algorithm: hmac-sha1, header: x-acme-signature, encoding: base64, message: '{body}' }";
    let relatives = [("acme".to_owned(), spec(other))];
    let beside = Beside { relatives: &relatives, ..Beside::default() };
    let request = signed(other, SECRET, &[], BODY);
    let ours = explained(HEX, &[SECRET], &request, &beside, Reach::Whole);
    assert_eq!((ours[0].code, ours[0].proven), ("other_sender", true), "{ours:?}");
    let foreign = explained(HEX, &["not their secret"], &request, &beside, Reach::Whole);
    let hints: Vec<(&str, bool)> = foreign.iter().map(|cause| (cause.code, cause.proven)).collect();
    assert_eq!(hints, [("looks_like_sender", false), ("missing", false)], "each once");
}

#[test]
fn every_alternative_of_a_scheme_is_examined() {
    let either = "{ header: x-signature, encoding: hex, any_of: [ { algorithm: hmac-sha512 }, { algorithm: hmac-sha256, message: 'a{body}' } ] }";
    let sent = "{ algorithm: hmac-sha256, header: x-signature, encoding: hex, message: 'a{body}' }";
    let mut request = signed(sent, SECRET, &[], BODY);
    rewritten(&mut request, [BODY.as_bytes(), b"\n"].concat());
    let causes = explained(either, &[SECRET], &request, &Beside::default(), Reach::Whole);
    assert_eq!((causes[0].code, causes[0].proven), ("body_newline", true), "{causes:?}");
}

#[test]
fn the_secret_of_another_source_is_recognised() {
    let strangers = [("warehouse".to_owned(), vec!["its own secret".into()])];
    let beside = Beside { strangers: &strangers, ..Beside::default() };
    let causes = explained(HEX, &[SECRET], &signed(HEX, "its own secret", &[], BODY), &beside, Reach::Whole);
    assert_eq!(causes[0].code, "secret_other");
    assert!(causes[0].what.contains("`warehouse`"), "{causes:?}");
}

#[test]
fn what_cannot_be_undone_is_hinted_at() {
    let mut request = signed(HEX, SECRET, &[("content-encoding", "br")], "{\"name\":\"Zoë\"}");
    replaced(&mut request, "ë", "\u{fffd}");
    let beside = Beside { declared: Some(14), ..Beside::default() };
    let causes = explained(HEX, &[SECRET], &request, &beside, Reach::Whole);
    let codes: Vec<&str> = causes.iter().map(|cause| cause.code).collect();
    assert_eq!(codes, ["body_length", "body_unpacked", "body_characters"]);
    assert!(causes.iter().all(|cause| !cause.proven));
}

#[test]
fn a_body_that_was_unpacked_on_its_way_is_recognised() {
    // As PHP and Node pack: no time, no name, system Unix.
    let mut packer = GzBuilder::new().operating_system(3).write(Vec::new(), Compression::new(6));
    packer.write_all(BODY.as_bytes()).expect("memory");
    let mut request = signed(HEX, SECRET, &[], packer.finish().expect("memory"));
    rewritten(&mut request, BODY);
    let causes = explained(HEX, &[SECRET], &request, &Beside::default(), Reach::Whole);
    assert_eq!((causes[0].code, causes[0].proven), ("body_unpacked", true), "{causes:?}");
}

#[test]
fn a_busy_server_finds_the_cheap_causes_and_only_those() {
    let cheap = |request: &Request, secret: &str| {
        let causes = explained(HEX, &[secret], request, &Beside::default(), Reach::Cheap);
        causes.first().map(|cause| cause.code)
    };
    let right = || signed(HEX, SECRET, &[], BODY);
    let mut longer = right();
    rewritten(&mut longer, [BODY.as_bytes(), b"\n"].concat());
    let mut reordered = right();
    rewritten(&mut reordered, r#"{"a":[1.50,{"c":null}],"b":"é/<x>"}"#);
    let base64 =
        signed("{ algorithm: hmac-sha256, header: x-signature, encoding: base64 }", SECRET, &[], BODY);
    assert_eq!(cheap(&longer, SECRET), Some("body_newline"));
    assert_eq!(cheap(&right(), "a secret of the tests "), Some("secret_blank"));
    assert_eq!(cheap(&base64, SECRET), Some("encoding"));
    assert_eq!(cheap(&request(&[], BODY), SECRET), Some("missing"));
    assert_eq!(cheap(&reordered, SECRET), None);
    let mut huge = right();
    rewritten(&mut huge, vec![b'x'; 8 << 20]);
    assert_eq!(cheap(&huge, SECRET), None, "beyond the budget nothing is hashed");
}
