//! The messages that vendors build of a request, against the vendors' own descriptions written down once more: Twilio's form,
//! the lines of Amazon SNS, Atlassian's query hash, JavaScript's numbers, lists of signatures in any layout.

use super::{now, refusal, request, verifier};
use crate::{
    request::Request,
    verify::{jwt::claims::qsh, rewrite::rewrite},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

const KEY: &str = "a key of the tests";

fn sha1(message: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn sha256(message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// Fields of a form, with what has a meaning in one.
fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let text = || prop_oneof!["[A-Za-z]{1,4}", r"[a-b&=+% é]{0,4}", ".{0,4}"];
    prop::collection::vec((text(), text()), 1..6).prop_map(|mut fields| {
        fields.retain(|(name, value)| !(name.is_empty() && value.is_empty()) && name != "bodySHA256");
        fields
    })
}

fn encoded(fields: &[(String, String)]) -> String {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%20", "+");
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

const TWILIO: &str = "{ algorithm: hmac-sha1, header: x-twilio-signature, encoding: base64, message: twilio, \
                      url: 'https://hooks.example.com/a' }";

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn twilio_s_message_is_the_address_and_the_sorted_fields_without_any_sign_between(fields in fields(), query in "[a-z=&]{0,8}") {
        let verifier = verifier(TWILIO, &[KEY]);
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let glued: String = sorted.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
        let question = if query.is_empty() { "" } else { "?" };
        let signature = sha1(&format!("https://hooks.example.com/a{question}{query}{glued}"));
        let made = |body: String| {
            let mut made = request(&[("x-twilio-signature", &signature)], body);
            made.uri = format!("/hooks/a{question}{query}").parse().unwrap();
            made
        };
        prop_assert_eq!(refusal(&verifier, &made(encoded(&fields))), "signature");
        let mut turned = fields.clone();
        turned.reverse();
        turned.extend(fields.first().cloned());
        prop_assert_eq!(refusal(&verifier, &made(encoded(&turned))), "signature", "neither order nor repeats count");
        let mut more = fields;
        more.push(("zz".to_owned(), "z".to_owned()));
        prop_assert_eq!(refusal(&verifier, &made(encoded(&more))), "mismatch", "a field more is another form");
    }

    #[test]
    fn the_query_hash_counts_each_parameter_whatever_its_order(
        fields in fields(), path in "(/[a-zA-Z0-9_~.-]{1,6}){0,3}/?", jwt in prop::option::of("[A-Za-z0-9._-]{1,8}"),
    ) {
        let asked = |fields: &[(String, String)]| {
            let jwt: Vec<(String, String)> = jwt.iter().map(|token| ("jwt".to_owned(), token.clone())).collect();
            let query = encoded(&[fields, &jwt].concat());
            let uri = format!("{}?{query}", if path.is_empty() { "/" } else { &path });
            Request { method: Method::GET, uri: uri.parse().unwrap(), ..request(&[], "") }
        };
        let fields: Vec<(String, String)> = fields.into_iter().filter(|(name, _)| name != "jwt").collect();
        // As Atlassian describes it: escaped by RFC 3986, sorted by name, values of one name sorted between commas.
        let escape = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect::<String>()
        };
        let mut names: Vec<String> = fields.iter().map(|(name, _)| escape(name)).collect();
        names.sort_unstable();
        names.dedup();
        let values = |name: &String| {
            let mut values: Vec<String> = fields.iter().filter(|(own, _)| escape(own) == *name).map(|(_, value)| escape(value)).collect();
            values.sort_unstable();
            format!("{name}={}", values.join(","))
        };
        let query: Vec<String> = names.iter().map(values).collect();
        let canonical = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let expected = hex::encode(Sha256::digest(format!("GET&{canonical}&{}", query.join("&"))));
        prop_assert_eq!(qsh(&asked(&fields)), expected.clone());
        let mut turned = fields.clone();
        turned.reverse();
        prop_assert_eq!(qsh(&asked(&turned)), expected.clone());
        let mut more = fields;
        more.push(("zz".to_owned(), "z".to_owned()));
        prop_assert_ne!(qsh(&asked(&more)), expected);
    }

    #[test]
    fn a_list_of_signatures_verifies_in_any_order_beside_entries_of_others(
        before in prop::collection::vec("(v0|v2|te|x)=[a-z0-9]{0,8}", 0..3),
        behind in prop::collection::vec("(v0|v2|te|x)=[a-z0-9]{0,8}", 0..3),
        blank in prop::sample::select(vec!["", " "]),
        time_first: bool,
        body in ".{0,24}",
    ) {
        let scheme = "{ algorithm: hmac-sha256, header: x-s, separator: ',', prefix: 'v1=', encoding: hex, \
                      message: '{field:t}.{body}', timestamp: { at: field:t } }";
        let verifier = verifier(scheme, &[KEY]);
        let at = now().as_second();
        let signature = format!("v1={}", sha256(format!("{at}.{body}").as_bytes()));
        let time = format!("t={at}");
        let (one, two) = if time_first { (time.clone(), signature.clone()) } else { (signature.clone(), time.clone()) };
        let list = |entries: &[String]| entries.join(&format!(",{blank}"));
        let all = [before.clone(), vec![one, two], behind.clone()].concat();
        prop_assert_eq!(refusal(&verifier, &request(&[("x-s", &list(&all))], &body)), "signature", "{}", list(&all));
        // Without the time, or with two, nobody knows what was signed.
        let timeless = [before.clone(), vec![signature.clone()], behind.clone()].concat();
        prop_assert_eq!(refusal(&verifier, &request(&[("x-s", &list(&timeless))], &body)), "missing");
        let twice = [before.clone(), vec![time.clone(), signature.clone(), format!("t={}", at + 1)], behind.clone()].concat();
        prop_assert_eq!(refusal(&verifier, &request(&[("x-s", &list(&twice))], &body)), "malformed");
        // Of two signatures one may be of a key that is not ours; a wrong one alone is none.
        let wrong = format!("v1={}", "0".repeat(64));
        let both = [before.clone(), vec![time.clone(), wrong.clone(), signature], behind.clone()].concat();
        prop_assert_eq!(refusal(&verifier, &request(&[("x-s", &list(&both))], &body)), "signature");
        let alone = [before, vec![time, wrong], behind].concat();
        prop_assert_eq!(refusal(&verifier, &request(&[("x-s", &list(&alone))], &body)), "mismatch");
    }

    #[test]
    fn a_number_is_written_as_javascript_writes_it(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
        let written = rewrite(&json!(number).to_string(), None).unwrap();
        let written = String::from_utf8(written).unwrap();
        prop_assert_eq!(written.parse::<f64>().unwrap().abs().to_bits(), number.abs().to_bits(), "{}", written);
        let bare = written.trim_start_matches('-');
        let magnitude = number.abs();
        // ECMA-262: a plain number from 1e-6 up to, not with, 1e21; digits and an exponent with its sign beyond.
        let is_plain = magnitude == 0.0 || (1e-6..1e21).contains(&magnitude);
        prop_assert_eq!(!bare.contains('e'), is_plain, "{}", written);
        match bare.split_once('e') {
            None => {
                let (whole, fraction) = bare.split_once('.').unwrap_or((bare, "1"));
                prop_assert!(whole == "0" || !whole.starts_with('0'), "{}", written);
                prop_assert!(!fraction.is_empty() && !fraction.ends_with('0'), "{}", written);
            }
            Some((digits, exponent)) => {
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "1"));
                prop_assert!(whole.len() == 1 && whole != "0" && !fraction.ends_with('0'), "{}", written);
                prop_assert!(exponent.strip_prefix(['+', '-']).is_some_and(|power| !power.starts_with('0')), "{}", written);
            }
        }
        prop_assert!(!written.starts_with('-') || number < 0.0, "minus nothing is nothing: {}", written);
    }

    #[test]
    fn what_javascript_would_write_again_keeps_its_meaning_and_loses_its_layout(
        members in prop::collection::btree_map("[a-zé\"\\\\/\u{2028}]{0,4}", any::<i32>(), 0..6), indent in "[ \n\t]{0,3}",
    ) {
        let compact = Value::Object(members.iter().map(|(name, value)| (name.clone(), json!(value))).collect()).to_string();
        let parts: Vec<String> = members.iter().map(|(name, value)| format!("{indent}{}{indent}:{indent}{value}", json!(name))).collect();
        let spaced = format!("{indent}{{{}{indent}}}{indent}", parts.join(","));
        prop_assert_eq!(rewrite(&spaced, None), Some(compact.into_bytes()), "{}", spaced);
    }
}

#[test]
fn a_form_of_more_fields_than_twilio_sends_is_refused_before_it_is_sorted() {
    let verifier = verifier(TWILIO, &[KEY]);
    let of = |count: usize| {
        let body: Vec<String> = (0..count).map(|n| format!("f{n}=")).collect();
        refusal(&verifier, &request(&[("x-twilio-signature", &sha1("another"))], body.join("&")))
    };
    assert_eq!((of(1000), of(1001)), ("mismatch", "malformed"));
}
