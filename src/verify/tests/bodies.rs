//! Signatures inside the body: where they are cut out, what else makes a body malformed, and how
//! JavaScript writes it again.

use super::{SYNCAROO, refusal, request, verifier};
use crate::verify::{member, rewrite::rewrite};

/// Returns the body less its `hash`, and the hash.
fn cut(body: &str) -> Option<(String, String)> {
    let found = member::find(body.as_bytes(), "hash").expect("an object")?;
    let left = [found.before, found.after].concat();
    Some((String::from_utf8(left).expect("text"), found.value.into_owned()))
}

fn rewritten(text: &str) -> String {
    String::from_utf8(rewrite(text, Some("hash")).expect("JSON")).expect("text")
}

#[test]
fn the_member_is_cut_at_any_position_and_all_other_bytes_stay() {
    for (body, left) in [
        (r#"{"a":1,"b":2,"hash":"x"}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1,"hash":"x","b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"hash":"x","a":1,"b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"hash":"x"}"#, "{}"),
        ("{ \"hash\" : \"x\" }\n", "{  }\n"),
        ("{\n  \"a\": 1,\n  \"hash\": \"x\"\n}\n", "{\n  \"a\": 1\n}\n"),
        ("{\n  \"hash\": \"x\",\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"),
        ("{\n  \"a\": 1,\n  \"hash\": \"x\",\n  \"b\": 2\n}", "{\n  \"a\": 1,\n  \"b\": 2\n}"),
        (" {\"a\" : [1 , 2] , \"h\\u0061sh\":\"x\" }", " {\"a\" : [1 , 2]  }"),
        (r#"{"m":{"hash":"n"},"hash":"x","l":[{"hash":"o"}]}"#, r#"{"m":{"hash":"n"},"l":[{"hash":"o"}]}"#),
        (r#"{"a":"\",\"hash\":\"y","hash":"x"}"#, r#"{"a":"\",\"hash\":\"y"}"#),
        (r#"{"a":"\ud800","hash":"x"}"#, r#"{"a":"\ud800"}"#),
        (r#"{"\udc00":1.50e+3,"hash":"x"}"#, r#"{"\udc00":1.50e+3}"#),
    ] {
        assert_eq!(cut(body), Some((left.to_owned(), "x".to_owned())), "{body}");
    }
    assert_eq!(cut(r#"{"Hash":"x","m":{"hash":"y"}}"#), None);
    assert_eq!(cut(r#"{"hash":"a\/b\u002b"}"#).map(|(_, hash)| hash), Some("a/b+".to_owned()));
}

#[test]
fn a_second_digest_is_refused_even_where_one_of_them_is_right() {
    let (header, inside) =
        (verifier("{ algorithm: hmac-sha256, header: x-s }", &["key"]), verifier(SYNCAROO, &["key"]));
    for first in ["hash", "h\\u0061sh"] {
        let mut original = request(&[], format!(r#"{{"{first}":"00","a":1}}"#));
        header.sign(&mut original, super::now()).expect("a signature");
        let digest = original.headers["x-s"].to_str().expect("hex");
        let body = format!(r#"{{"{first}":"00","a":1,"hash":"{digest}"}}"#);
        assert_eq!(refusal(&inside, &request(&[], body)), "malformed", "{first}");
    }
}

#[test]
fn a_body_that_cannot_be_cut_is_malformed() {
    let verifier = verifier(SYNCAROO, &["key"]);
    for body in [
        r#"{"hash":"x","hash":"x"}"#,
        r#"{"hash":"x","a":1,"\u0068ash":"x"}"#,
        r#"{"hash":1}"#,
        r#"{"hash":"\ud800"}"#,
        r#"["hash"]"#,
        r#"{"hash":"x"} {}"#,
        r#"{"hash":"x"#,
        r#"{"hash":"x",}"#,
        "",
    ] {
        assert_eq!(refusal(&verifier, &request(&[], body)), "malformed", "{body}");
    }
    assert_eq!(refusal(&verifier, &request(&[], b"{\"hash\":\"\xff\"}")), "malformed");
}

#[test]
fn deep_bodies_are_cut_but_not_written_again() {
    let nested = |depth: usize| format!(r#"{{"a":{}{},"hash":"00"}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(cut(&nested(100_000)).is_some());
    assert!(rewrite(&nested(127), None).is_some());
    assert!(rewrite(&nested(128), None).is_none());
    let written = verifier(&super::syncaroo("json_stringify"), &["key"]);
    assert_eq!(refusal(&written, &request(&[], nested(100_000))), "malformed");
}

#[test]
fn a_text_is_escaped_and_spaced_as_javascript_does() {
    let text = "{ \"b\" : \"\\u00e9/\\ud83d\\ude00\\u007f\\u0001\\b\\f\\n\\r\\t\\\"\\\\\", \"hash\":\"x\", \"a\":[ ], \
                \"\\u0061\" : [1.50, {} ,-0, 1E3],\"m\":{\"hash\":null}}";
    assert_eq!(
        rewritten(text),
        "{\"b\":\"é/😀\u{7f}\\u0001\\b\\f\\n\\r\\t\\\"\\\\\",\"a\":[1.5,{},0,1000],\"m\":{\"hash\":null}}"
    );
}

#[test]
fn javascript_moves_integer_names_to_the_front_and_keeps_the_last_of_repeated_ones() {
    // What `JSON.stringify(JSON.parse(text))` gives (ECMA-262, 10.1.11.1).
    let text = r#"{"x":1,"10":2,"9":3,"01":4,"x":5,"4294967295":6,"4294967294":7,"-1":8,"\ud800":"\udfff"}"#;
    let again = r#"{"9":3,"10":2,"4294967294":7,"x":5,"01":4,"4294967295":6,"-1":8,"\ud800":"\udfff"}"#;
    assert_eq!(rewritten(text), again);
}

#[test]
fn javascript_prints_numbers_as_ecma_262_does() {
    for (text, again) in [
        ("-0.0", "0"),
        ("1.0", "1"),
        ("-12.50", "-12.5"),
        ("100", "100"),
        ("123456789012345680000", "123456789012345680000"),
        ("1e21", "1e+21"),
        ("1.5E+22", "1.5e+22"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("-1.25e-9", "-1.25e-9"),
        ("0.1", "0.1"),
        ("9007199254740993", "9007199254740992"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("1e400", "null"),
        // Two texts of 17 digits are equally near: the even one.
        ("1764237600123456.25", "1764237600123456.2"),
        ("900719925474099.25", "900719925474099.2"),
        ("562949953421312.75", "562949953421312.8"),
    ] {
        assert_eq!(rewritten(text), again, "{text}");
    }
}

#[test]
fn a_signed_body_gives_its_original_back_when_cut() {
    for body in ["{}", "{ }", " {\n  \"a\": 1\n}\n", r#"{"a":"{"}"#] {
        let signed = member::add(body.as_bytes(), "hash", "a\"/b").expect("an object");
        let signed = String::from_utf8(signed).expect("text");
        assert_eq!(cut(&signed), Some((body.to_owned(), "a\"/b".to_owned())), "{signed}");
    }
    assert_eq!(member::add(b"[]", "hash", ""), None);
    assert_eq!(member::add(br#"{"hash":1}"#, "hash", ""), None);
}
