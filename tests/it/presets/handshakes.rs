//! The handshakes of presets: what each sender asks before it sends events. Written from the vendors' descriptions.

use super::{
    cases::{Case, Wanted},
    outcome::Outcome,
    source::{self, Source},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookway::request::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use ring::{digest, hmac};
use serde_json::{Value, json};

/// A request without signature: method, query, headers, body.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

/// What a sender hands over or wants to hear again.
const HANDED: &str = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7";

/// Gathers the cases of one source.
struct Asking<'s> {
    source: &'s Source,
    cases: Vec<Case>,
}

impl Asking<'_> {
    fn add(&mut self, name: &str, asked: Asked<'_>, wanted: Wanted) {
        let request = request(self.source, asked);
        self.cases.push(Case { name: format!("handshake-{name}"), request, wanted });
    }

    fn add_signed(&mut self, name: &str, asked: Asked<'_>, wanted: Wanted) {
        let request = self.source.signed(&request(self.source, asked), 0);
        self.cases.push(Case { name: format!("handshake-{name}"), request, wanted });
    }
}

fn text(text: &str) -> Wanted {
    Wanted::Answered { status: 200, body: json!(text) }
}

fn object(body: Value) -> Wanted {
    Wanted::Answered { status: 200, body }
}

fn empty(status: u16) -> Wanted {
    Wanted::Answered { status, body: Value::Null }
}

const UNSIGNED: Wanted = Wanted::Refused(&["missing", "malformed"]);

/// Returns the handshakes of a source, answered and not.
pub(super) fn of(source: &Source) -> Vec<Case> {
    let mut asking = Asking { source, cases: Vec::new() };
    echoes(&mut asking);
    behind_the_check(&mut asking);
    proofs(&mut asking);
    asking.cases
}

/// Senders to whom something is said back.
fn echoes(asking: &mut Asking<'_>) {
    let origin = [("webhook-request-origin", "eventemitter.example.test"), ("webhook-request-rate", "120")];
    match asking.source.name {
        "meta" => {
            let right = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=fixture-verify-token";
            asking.add("subscribe", ("GET", right, &[], ""), text("1158201444"));
            let wrong = right.replace("fixture-verify-token", "guess");
            asking.add("subscribe-with-a-wrong-token", ("GET", &wrong, &[], ""), UNSIGNED);
        }
        "dropbox" => asking.add("challenge", ("GET", "challenge=a%20b", &[], ""), text("a b")),
        "okta" => {
            let headers = [("x-okta-verification-challenge", "abc-123")];
            let reply = json!({ "verification": "abc-123" });
            asking.add("verification", ("GET", "", &headers, ""), object(reply));
        }
        "microsoft-graph" => {
            let query = "validationToken=Validation%3A%20Testing%20client%20application";
            let reply = text("Validation: Testing client application");
            asking.add("validation", ("POST", query, &[], ""), reply);
        }
        "azure-event-grid" | "cloudevents" => {
            asking.add("permission", ("OPTIONS", "", &origin, ""), empty(200));
        }
        "bitbucket" => {
            let test = |key: &'static str| [("x-event-key", key), ("content-type", "application/json")];
            asking.add("ping", ("POST", "", &test("diagnostics:ping"), r#"{"test": true}"#), empty(200));
            asking.add("no-ping", ("POST", "", &test("pr:opened"), r#"{"test": true}"#), UNSIGNED);
        }
        "trello" | "intercom" => asking.add("head", ("HEAD", "", &[], ""), empty(200)),
        "asana" => {
            let headers = [("x-hook-secret", HANDED)];
            asking.add("handshake-with-a-secret-there", ("POST", "", &headers, "{}"), UNSIGNED);
        }
        "notion" => {
            let body = json!({ "verification_token": HANDED }).to_string();
            asking.add("verification-with-a-secret-there", ("POST", "", &[], &body), UNSIGNED);
        }
        _ => {}
    }
}

/// Senders whose handshake is signed as an event is.
fn behind_the_check(asking: &mut Asking<'_>) {
    match asking.source.name {
        "slack" => {
            let headers = [("x-slack-request-timestamp", "1767323045")];
            let body = json!({ "token": "x", "challenge": HANDED, "type": "url_verification" }).to_string();
            asking.add_signed("url-verification", ("POST", "", &headers, &body), text(HANDED));
            asking.add("url-verification-unsigned", ("POST", "", &headers, &body), UNSIGNED);
            let form = [("content-type", "application/x-www-form-urlencoded")];
            asking.add("ssl-check", ("POST", "", &form, "ssl_check=1&token=x"), empty(200));
            asking.add("no-ssl-check", ("POST", "", &form, "ssl_check=0&token=x"), UNSIGNED);
        }
        "azure-event-grid" => {
            let headers = [("aeg-event-type", "SubscriptionValidation")];
            let body = r#"[{"id":"1","topic":"/t","subject":"","data":{"validationCode":"512d38b6"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-01-02T03:04:05Z"}]"#;
            let reply = json!({ "validationResponse": "512d38b6" });
            asking.add_signed("validation", ("POST", "", &headers, body), object(reply));
        }
        "discord" => {
            let headers = [("x-signature-timestamp", "1767323045")];
            let ping = r#"{"version":1,"type":0}"#;
            asking.add_signed("ping", ("POST", "", &headers, ping), empty(204));
            asking.add("ping-unsigned", ("POST", "", &headers, ping), UNSIGNED);
            let body = r#"{"type":1,"id":"1","token":"x"}"#;
            asking.add_signed("interaction-ping", ("POST", "", &headers, body), object(json!({ "type": 1 })));
        }
        "aws-sns" => {
            let body = r#"{"Type":"SubscriptionConfirmation","MessageId":"165545c9-2a5c-472c-8df2-7ff2be2b3b1b","Token":"2336412f37","TopicArn":"arn:aws:sns:eu-central-1:123456789012:doors","Message":"You have chosen to subscribe","SubscribeURL":"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37","Timestamp":"2026-01-02T03:04:05Z","SignatureVersion":"2","Signature":"","SigningCertURL":"https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem"}"#;
            asking.add_signed("subscription", ("POST", "", &[], body), empty(200));
            let other = body.replace("123456789012", "210987654321");
            let refused = Wanted::Refused(&["malformed"]);
            asking.add_signed("subscription-to-a-stranger", ("POST", "", &[], &other), refused);
        }
        _ => {}
    }
}

/// Senders who want a proof that the source has the secret. What could be an event's message gets none: whoever had it
/// signed could forge that event.
fn proofs(asking: &mut Asking<'_>) {
    let source = asking.source;
    let hmac_of = |message: &str| keyed(source.signing(0).as_bytes(), hmac::HMAC_SHA256, message);
    match source.name {
        "zoom" => {
            let body = |token: &str| {
                let payload = json!({ "plainToken": token });
                json!({ "event": "endpoint.url_validation", "payload": payload, "event_ts": 1 }).to_string()
            };
            let token = "qgg8vlvZRS6UYooatFL8Aw";
            let reply = json!({ "plainToken": token, "encryptedToken": hex::encode(hmac_of(token)) });
            asking.add("url-validation", ("POST", "", &[], &body(token)), object(reply));
            let message = body("v0:1767323045:{}");
            asking.add("url-validation-of-a-message", ("POST", "", &[], &message), Wanted::Unanswered);
        }
        "x" => {
            let reply = json!({ "response_token": format!("sha256={}", STANDARD.encode(hmac_of("challenge_string"))) });
            asking.add("crc", ("GET", "crc_token=challenge_string&nonce=1", &[], ""), object(reply));
            let body = "crc_token=%7B%22for_user_id%22%3A1%7D";
            asking.add("crc-of-a-body", ("GET", body, &[], ""), Wanted::Unanswered);
            asking.add_signed("crc-as-an-event", ("POST", "", &[], "1"), Wanted::Refused(&["mismatch"]));
        }
        "braintree" => {
            let challenge = "20f9f8ed05f77439fe955c977e4c8a53";
            // The key is the digest of the secret, as for events.
            let key = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, source.signing(0).as_bytes());
            let proof = keyed(key.as_ref(), hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, challenge);
            let reply = format!("fixture_public_key|{}", hex::encode(proof));
            asking.add("challenge", ("GET", &format!("bt_challenge={challenge}"), &[], ""), text(&reply));
            let payload = "bt_challenge=PG5vdGlmaWNhdGlvbj4%3D";
            asking.add("challenge-of-a-payload", ("GET", payload, &[], ""), UNSIGNED);
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            let event = ("POST", "", &headers[..], "bt_payload=deadbeef");
            asking.add_signed("challenge-as-an-event", event, Wanted::Refused(&["mismatch"]));
        }
        _ => {}
    }
}

fn request(source: &Source, (method, query, added, body): Asked<'_>) -> Request {
    let mut headers = HeaderMap::new();
    if !body.is_empty() {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    for (name, value) in added {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    Request {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        uri: format!("/hooks/{}{query}", source.name).parse().unwrap(),
        headers,
        body: body.to_owned().into(),
        received: source::now(),
    }
}

fn keyed(key: &[u8], algorithm: hmac::Algorithm, message: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes()).as_ref().to_vec()
}

#[test]
fn a_secret_is_taken_only_from_a_sender_that_has_none_yet() {
    let asana: Asked<'_> = ("POST", "", &[("x-hook-secret", HANDED)], "{}");
    let body = json!({ "verification_token": HANDED }).to_string();
    let notion: Asked<'_> = ("POST", "", &[], &body);
    for (name, asked) in [("asana", asana), ("notion", notion)] {
        let (unkeyed, keyed) = (Source::unkeyed(name), Source::new(name));
        let outcome = unkeyed.judge(request(&unkeyed, asked));
        assert!(
            matches!(&outcome, Outcome::Answered { status: 200, effect: Some(effect), .. } if effect == "capture"),
            "{name}: {outcome:?}"
        );
        let outcome = keyed.judge(request(&keyed, asked));
        assert!(matches!(outcome, Outcome::Refused { .. }), "{name}: {outcome:?}");
    }
}
