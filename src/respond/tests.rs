//! Handshakes as functions: what is recognised, what is answered, what is refused.

use super::{template::Template, *};
use crate::verify::{Algorithm, VerifySpec};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

/// The secrets of a source that has one, or none.
fn keys(is_keyed: bool) -> Verifier {
    let spec = json!({ "algorithm": "hmac-sha256", "header": "x-signature", "encoding": "hex" });
    let spec: VerifySpec = serde_json::from_value(spec).unwrap();
    let verifier = Verifier::compile(&spec).unwrap();
    let secrets = if is_keyed { vec!["a secret of these tests".into()] } else { Vec::new() };
    verifier.set_secrets(secrets).unwrap();
    verifier
}

fn hmac(algorithm: Algorithm, message: &str) -> Vec<u8> {
    keys(true).hmac(algorithm, message.as_bytes()).unwrap()
}

fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    Request {
        method,
        uri: target.parse().unwrap(),
        headers: map,
        body: body.to_vec().into(),
        received: Timestamp::UNIX_EPOCH,
    }
}

fn get(target: &str) -> Request {
    request(Method::GET, target, &[], b"")
}

fn posted(body: &str) -> Request {
    request(Method::POST, "/hooks/a", &[], body.as_bytes())
}

fn compile(respond: serde_json::Value, params: &[(&str, &str)]) -> Result<Responders, Vec<SpecProblem>> {
    let specs: Vec<RespondSpec> = serde_json::from_value(respond).unwrap();
    let params: Params = params.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let declared = |name: &str| name == "late" || params.contains_key(name);
    Responders::compile(&specs, &declared, params.clone())
}

fn responders(respond: serde_json::Value) -> Responders {
    compile(respond, &[("token", "right")]).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn answer<'r>(responders: &'r Responders, request: &Request) -> Result<Option<Handshake<'r>>, RespondError> {
    responders.answer(request, Step::Unverified, &keys(true))
}

fn body(responders: &Responders, request: &Request) -> String {
    let handshake = answer(responders, request).unwrap().expect("a handshake");
    String::from_utf8(handshake.reply.body.to_vec()).unwrap()
}

#[test]
fn a_value_comes_back_as_text_json_or_header() {
    let echo = responders(json!([
        { "name": "text", "when": { "method": "GET", "has": ["query:t"] }, "reply": { "text": "<{query:t}>" } },
        { "name": "json", "when": { "method": "GET", "has": ["query:j"] },
          "reply": { "json": { "a": ["{query:j}", 1, null, true], "b": "'{'\"'}" } } },
        { "name": "header", "when": { "method": "GET" }, "reply": { "status": 202, "headers": { "x-a": "{query:h|'none'}" } } },
    ]));
    assert_eq!(body(&echo, &get("/?t=a%20b+c")), "<a b c>");
    let json: serde_json::Value = serde_json::from_str(&body(&echo, &get("/?j=%22%5C"))).unwrap();
    assert_eq!(json, json!({ "a": ["\"\\", 1, null, true], "b": "'\"" }));
    let handshake = answer(&echo, &get("/?h=v")).unwrap().unwrap();
    assert_eq!((handshake.name, handshake.reply.status), ("header", 202));
    assert_eq!(handshake.reply.headers["x-a"], "v");
    assert!(!handshake.reply.headers.contains_key(header::CONTENT_TYPE));
    assert_eq!(answer(&echo, &get("/")).unwrap().unwrap().reply.headers["x-a"], "none");
}

#[test]
fn an_hmac_is_written_as_the_document_says() {
    let signed = |slot: &str| {
        responders(json!([{ "name": "a", "when": { "method": "GET" }, "reply": { "text": slot } }]))
    };
    let hex = body(&signed("k|{hmac:sha1:hex:query:c}"), &get("/?c=x"));
    assert_eq!(hex, format!("k|{}", hex::encode(hmac(Algorithm::HmacSha1, "x"))));
    assert_eq!(
        body(&signed("{hmac:sha256:base64:query:c}"), &get("/?c=x")),
        STANDARD.encode(hmac(Algorithm::HmacSha256, "x"))
    );
    assert_eq!(
        body(&signed("{hmac:md5:base64url:query:c}"), &get("/?c=~~".replace('~', "%2F").as_str())),
        URL_SAFE_NO_PAD.encode(hmac(Algorithm::HmacMd5, "//"))
    );
    let unkeyed = signed("{hmac:sha512:hex:query:c}");
    let refused = unkeyed.answer(&get("/?c=x"), Step::Unverified, &keys(false));
    assert_eq!(refused.unwrap_err(), RespondError::Unkeyed);
}

#[test]
fn what_stands_there_decides_which_handshake_it_is() {
    let several = responders(json!([
        { "name": "a", "when": { "is": { "/type": ["x", "y"], "header:k": "1" } } },
        { "name": "b", "when": { "has": ["/b|header:b"], "matches": { "/b|header:b": "hex" } } },
        { "name": "c", "when": { "is": { "/token": "{param:token}" } } },
    ]));
    let name =
        |request: &Request| answer(&several, request).unwrap().map(|handshake| handshake.name.to_owned());
    let keyed = |body: &str| request(Method::POST, "/", &[("k", "1")], body.as_bytes());
    assert_eq!(name(&keyed(r#"{"type":"y"}"#)).as_deref(), Some("a"));
    assert_eq!(name(&posted(r#"{"type":"y"}"#)), None);
    assert_eq!(name(&keyed(r#"{"type":"z"}"#)), None);
    assert_eq!(name(&posted(r#"{"b":"0aF9"}"#)).as_deref(), Some("b"));
    assert_eq!(name(&posted(r#"{"b":"0xF9"}"#)), None);
    assert_eq!(name(&posted(r#"{"b":""}"#)), None);
    assert_eq!(
        name(&request(Method::POST, "/", &[("b", "00")], b"no json, so the header can't be reached")),
        None
    );
    assert_eq!(name(&request(Method::POST, "/", &[("b", "00")], b"{}")).as_deref(), Some("b"));
    assert_eq!(name(&posted(r#"{"token":"right"}"#)).as_deref(), Some("c"));
    assert_eq!(name(&posted(r#"{"token":"wrong"}"#)), None);
    assert_eq!(name(&posted(r#"{"token":"right","token":"right"}"#)), None);
    assert_eq!(name(&request(Method::GET, "/", &[("k", "1")], br#"{"type":"y"}"#)), None);
}

#[test]
fn a_constant_that_has_no_value_now_fails_only_what_is_a_handshake_otherwise() {
    let waiting = responders(json!([
        { "name": "a", "when": { "is": { "/mode": "subscribe", "/token": "{param:late}" } } },
    ]));
    assert_eq!(answer(&waiting, &posted(r#"{"mode":"event","token":"a"}"#)).unwrap().map(|h| h.name), None);
    let unset = answer(&waiting, &posted(r#"{"mode":"subscribe","token":"a"}"#)).unwrap_err();
    assert_eq!(unset, RespondError::Unset("late".into()));
}

#[test]
fn a_secret_is_taken_only_while_there_is_none() {
    let capture = responders(json!([{ "name": "a", "when": { "has": ["/t"] }, "capture": "/t" }]));
    let handed = posted(r#"{"t":"s3cret"}"#);
    assert!(capture.answer(&handed, Step::Unverified, &keys(true)).unwrap().is_none());
    let handshake = capture.answer(&handed, Step::Unverified, &keys(false)).unwrap().unwrap();
    let Some(Effect::Capture(secret)) = &handshake.effect else { panic!("{handshake:?}") };
    assert_eq!(secrecy::ExposeSecret::expose_secret(secret), "s3cret");
    assert!(!format!("{handshake:?}").contains("s3cret"));
}

#[test]
fn a_word_that_a_constant_must_equal_and_an_address_that_agrees_are_withheld() {
    let responders = responders(json!([
        { "name": "a", "when": { "method": "GET", "is": { "query:mode": "subscribe", "query:word": "{param:token}" } } },
        { "name": "b", "verified": true, "when": { "is": { "/kind": "confirm" } }, "confirm": { "at": "/address", "hosts": ["a.example"] } },
        { "name": "c", "when": { "is": { "/word": ["plain", "{param:token}"] } } },
    ]));
    for (body, is_withheld) in [
        (r#"{"kind":"confirm","address":"https://a.example/?token=1"}"#, true),
        (r#"{"word":"right"}"#, true),
        (r#"{"kind":"event","id":"1"}"#, false),
    ] {
        let mut withheld = Withheld::default();
        responders.withhold(&posted(body), &keys(true), &mut withheld);
        assert_eq!((withheld.query, withheld.body), (vec!["word".into()], is_withheld), "{body}");
    }
}

#[test]
fn what_is_verified_first_is_not_answered_before() {
    let verified = responders(json!([{ "name": "a", "verified": true, "when": { "has": ["/t"] } }]));
    let request = posted(r#"{"t":1}"#);
    assert!(answer(&verified, &request).unwrap().is_none());
    assert!(verified.answer(&request, Step::Verified, &keys(true)).unwrap().is_some());
}

#[test]
fn methods_are_told_in_one_order() {
    let several = responders(json!([
        { "name": "a", "when": { "method": "OPTIONS" } }, { "name": "b", "when": { "method": "GET" } },
    ]));
    assert_eq!(several.allowed(), "POST, GET, OPTIONS");
    assert_eq!(Responders::default().allowed(), "POST");
    assert!(several.uses(&Method::GET) && !several.uses(&Method::POST) && !several.uses(&Method::HEAD));
}

#[test]
fn a_document_that_cannot_be_meant_is_refused_with_the_place() {
    let place = |respond: serde_json::Value| -> Vec<String> {
        let problems = compile(respond, &[]).expect_err("a refusal");
        problems.into_iter().map(|problem| problem.field.into_owned()).collect()
    };
    let when = json!({ "has": ["/a"] });
    for (respond, field) in [
        (json!([{ "name": "", "when": when }]), "respond[0].name"),
        (json!([{ "name": "A b", "when": when }]), "respond[0].name"),
        (json!([{ "name": "a", "when": when }, { "name": "a", "when": when }]), "respond[1].name"),
        (json!([{ "name": "a" }]), "respond[0].when"),
        (json!([{ "name": "a", "when": { "has": ["nothing"] } }]), "respond[0].when.has"),
        (json!([{ "name": "a", "when": { "has": ["hmac:sha1:hex:/a"] } }]), "respond[0].when.has"),
        (json!([{ "name": "a", "when": { "is": { "/a": [] } } }]), "respond[0].when.is"),
        (json!([{ "name": "a", "when": { "is": { "/a": "{param:b}" } } }]), "respond[0].when.is"),
        (json!([{ "name": "a", "when": when, "reply": { "status": 302 } }]), "respond[0].reply.status"),
        (json!([{ "name": "a", "when": when, "reply": { "status": 204, "text": "a" } }]), "respond[0].reply"),
        (json!([{ "name": "a", "when": when, "reply": { "json": 1, "text": "a" } }]), "respond[0].reply"),
        (json!([{ "name": "a", "when": when, "reply": { "text": "{/a" } }]), "respond[0].reply.text"),
        (json!([{ "name": "a", "when": when, "reply": { "text": "a}" } }]), "respond[0].reply.text"),
        (
            json!([{ "name": "a", "when": when, "reply": { "text": "{hmac:sha3:hex:/a}" } }]),
            "respond[0].reply.text",
        ),
        (json!([{ "name": "a", "when": when, "reply": { "json": ["{param:b}"] } }]), "respond[0].reply.json"),
        (
            json!([{ "name": "a", "when": when, "reply": { "headers": { "Location": "a" } } }]),
            "respond[0].reply.headers",
        ),
        (
            json!([{ "name": "a", "when": when, "reply": { "headers": { "a b": "a" } } }]),
            "respond[0].reply.headers",
        ),
        (json!([{ "name": "a", "when": when, "verified": true, "capture": "/a" }]), "respond[0].verified"),
        (
            json!([{ "name": "a", "when": when, "confirm": { "at": "/a", "hosts": ["a.example"] } }]),
            "respond[0].confirm",
        ),
        (
            json!([{ "name": "a", "when": when, "verified": true, "confirm": { "at": "/a", "hosts": ["*.com"] } }]),
            "respond[0].confirm.hosts",
        ),
        (
            json!([{ "name": "a", "when": when, "verified": true, "confirm": { "at": "/a" } }]),
            "respond[0].confirm.hosts",
        ),
        (json!([{ "name": "a", "when": { "method": "HEAD" }, "verified": true }]), "respond[0].verified"),
    ] {
        assert_eq!(place(respond.clone()), [field], "{respond}");
    }
}

#[test]
fn constants_are_not_shown() {
    let secret = responders(json!([{ "name": "a", "when": { "is": { "/t": "{param:token}" } } }]));
    assert!(!format!("{secret:?}").contains("right"));
}

proptest! {
    #[test]
    fn only_a_token_is_ever_signed(value in "\\PC{0,200}") {
        let signed = responders(json!([
            { "name": "a", "when": { "has": ["/c"] }, "reply": { "text": "{hmac:sha256:hex:/c}" } },
        ]));
        let body = json!({ "c": value }).to_string();
        match answer(&signed, &posted(&body)) {
            Ok(Some(handshake)) => {
                prop_assert!(crate::verify::is_token(value.bytes()));
                let expected = hex::encode(hmac(Algorithm::HmacSha256, &value));
                prop_assert_eq!(&handshake.reply.body[..], expected.as_bytes());
            }
            Ok(None) => prop_assert!(value.is_empty()),
            Err(_) => prop_assert!(!crate::verify::is_token(value.bytes())),
        }
    }

    #[test]
    fn what_comes_back_is_what_was_sent_or_nothing(value in any::<Vec<char>>()) {
        let value: String = value.into_iter().collect();
        let echo = responders(json!([
            { "name": "a", "when": { "method": "GET" }, "reply": { "json": { "v": "{query:v|'none'}" } } },
        ]));
        let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
        match answer(&echo, &get(&format!("/?v={encoded}"))) {
            Ok(handshake) => {
                let body = handshake.unwrap().reply.body;
                let back: serde_json::Value = serde_json::from_slice(&body).unwrap();
                prop_assert_eq!(back["v"].as_str(), Some(value.as_str()));
            }
            Err(_) => prop_assert!(value.len() > 1024 || value.chars().any(char::is_control)),
        }
    }

    #[test]
    fn any_template_is_read_or_refused(text in "[{}|':/a-c]{0,24}") {
        let _read_or_refused = Template::parse(&text);
    }

    #[test]
    fn any_body_is_a_handshake_or_none(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let json = responders(json!([{ "name": "a", "when": { "has": ["/a/b"] }, "reply": { "text": "{/a/b}" } }]));
        let _no_panic = answer(&json, &request(Method::POST, "/", &[], &body));
    }
}

#[test]
fn the_handshakes_of_every_preset_compile() {
    #[derive(serde::Deserialize)]
    struct Document {
        respond: Option<Vec<RespondSpec>>,
    }
    let mut names = 0;
    for name in crate::senders::names() {
        let document: Document = serde_saphyr::from_str(crate::senders::preset(name).unwrap()).unwrap();
        let specs = document.respond.unwrap_or_default();
        // Constants are the operator's to give.
        let compiled = Responders::compile(&specs, &|_| true, Params::new());
        names += compiled.unwrap_or_else(|problems| panic!("{name}: {problems:#?}")).names().count();
    }
    assert!(names > 15, "{names}");
}
