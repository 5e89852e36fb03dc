//! The grammar of sender templates: what is taken, what is found, what is refused.

mod model;

use super::*;
use crate::{
    event::Reason,
    normalize::json::Pointers,
    request::{
        Request,
        slot::{Params, Standing},
    },
};
use bytes::Bytes;
use grammar::{Tries, begins_a_slot};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use proptest::prelude::*;
use std::cell::OnceCell;

fn request(body: &str, headers: &[(&str, &str)]) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let body = Bytes::copy_from_slice(body.as_bytes());
    let uri = "/hooks/a?team=T+1&twice=1&twice=2".parse().unwrap();
    Request { method: Method::POST, uri, headers: map, body, received: Timestamp::UNIX_EPOCH }
}

fn grammar(root: &str) -> Grammar<'static> {
    Grammar {
        tries: Tries::default(),
        root: root.to_owned(),
        each: None,
        standing: &|_, _| Standing::Signed,
        reads_path: false,
    }
}

/// Renders one template over one request; the root of `./` pointers is `/data`.
fn render(template: &str, request: &Request) -> Result<Option<String>, Unmappable> {
    let mut grammar = grammar("/data");
    let template = Template::compile(template, &mut grammar).unwrap();
    over(&template, &grammar.tries.whole, request)
}

fn over(template: &Template, pointers: &Pointers, request: &Request) -> Result<Option<String>, Unmappable> {
    let found = pointers.scan(&request.body).unwrap_or_else(|_| pointers.nothing());
    let (params, digest) = (Params::from([("shop".into(), "s1".into())]), OnceCell::new());
    template.render(&Values::new(request, &params, &found, &digest))
}

fn rendered(template: &str, body: &str) -> Option<String> {
    render(template, &request(body, &[("x-event", "push")])).unwrap()
}

fn problem(template: &str) -> String {
    Template::compile(template, &mut grammar("")).unwrap_err()
}

#[test]
fn a_template_joins_literal_text_and_slots() {
    let body = r#"{"type":"ORDER","data":{"id":7},"flag":true}"#;
    for (template, text) in [
        ("/type", "ORDER"),
        ("./id", "7"),
        ("/data/id", "7"),
        ("{/type}:{./id}", "ORDER:7"),
        ("header:X-Event", "push"),
        ("{header:x-event}.{/flag}", "push.true"),
        ("webhook", "webhook"),
        ("{'a b'}", "a b"),
    ] {
        assert_eq!(rendered(template, body).as_deref(), Some(text), "{template}");
    }
}

#[test]
fn the_first_alternative_that_is_present_wins() {
    assert_eq!(rendered("/a|/b", r#"{"b":"second"}"#).as_deref(), Some("second"));
    assert_eq!(rendered("/a|/b", r#"{"a":null,"b":"second"}"#).as_deref(), Some("second"));
    assert_eq!(rendered("/a|/b", r#"{"a":"","b":"second"}"#).as_deref(), Some("second"));
    assert_eq!(rendered("{/a | 'none'}", "{}").as_deref(), Some("none"));
    assert_eq!(rendered("/a|/b", "{}"), None);
}

#[test]
fn a_constant_in_quotes_may_hold_bars_and_braces() {
    assert_eq!(rendered("{/absent|'a|b}'|/c}!", "{}").as_deref(), Some("a|b}!"));
    assert_eq!(rendered("{/it's}, {/a|'b'}", r#"{"it's":1}"#).as_deref(), Some("1, b"));
}

#[test]
fn text_in_brackets_is_left_out_with_its_absent_slot() {
    assert_eq!(rendered("push[.{/action}]!", r#"{"action":"opened"}"#).as_deref(), Some("push.opened!"));
    assert_eq!(rendered("push[.{/action}]!", "{}").as_deref(), Some("push!"));
    assert_eq!(rendered("{/type}[.{/action}]", r#"{"action":"opened"}"#), None);
}

#[test]
fn objects_and_lists_are_no_text() {
    assert_eq!(rendered("/a", r#"{"a":{}}"#), None);
    assert_eq!(rendered("/a", r#"{"a":[1]}"#), None);
}

#[test]
fn escapes_are_read_and_numbers_are_left_as_sent() {
    assert_eq!(rendered("/a", r#"{"a":"\u00e9\t\"\ud83d\ude00"}"#).as_deref(), Some("é\t\"😀"));
    assert_eq!(
        rendered("/a", r#"{"a":12345678901234567890.50}"#).as_deref(),
        Some("12345678901234567890.50")
    );
}

#[test]
fn a_lone_surrogate_is_malformed_and_no_panic() {
    let refused = render("/a", &request(r#"{"a":"\ud800"}"#, &[])).unwrap_err();
    assert_eq!(refused.reason, Reason::Malformed);
}

#[test]
fn a_header_that_stands_twice_is_ambiguous() {
    let refused =
        render("header:x-event", &request("{}", &[("x-event", "a"), ("x-event", "b")])).unwrap_err();
    assert_eq!(refused.reason, Reason::Ambiguous);
    let mut request = request("{}", &[]);
    request.headers.insert("x-event", HeaderValue::from_bytes(b"\xe9").unwrap());
    assert_eq!(render("header:x-event", &request).unwrap_err().reason, Reason::Malformed);
}

#[test]
fn slots_of_the_request_are_read_as_everywhere() {
    assert_eq!(rendered("query:team", "{}").as_deref(), Some("T 1"));
    assert_eq!(rendered("{query:other|param:shop}", "{}").as_deref(), Some("s1"));
    assert_eq!(render("query:twice", &request("{}", &[])).unwrap_err().reason, Reason::Ambiguous);
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = "payload=%7B%22team%22%3A%7B%22id%22%3A%22T1%22%7D%2C%22n%22%3A1.50%7D&ok=true";
    let from = |template, headers: &[(&str, &str)]| render(template, &request(body, headers)).unwrap();
    assert_eq!(from("form:payload/team/id", &form).as_deref(), Some("T1"));
    assert_eq!(from("{form:ok}:{form:payload/n}", &form).as_deref(), Some("true:1.50"));
    assert_eq!(from("[{form:absent}]", &form).as_deref(), Some(""));
    assert_eq!(
        from("form:ok", &[("content-type", "application/json")]),
        None,
        "text that looks like a field"
    );
    let broken = render("form:ok/x", &request("ok={", &form)).unwrap_err();
    assert_eq!(broken.reason, Reason::Malformed);
}

#[test]
fn digests_name_the_bytes_and_fresh_ids_differ() {
    let whole = rendered("sha256:{sha256}", "{}").unwrap();
    assert_eq!(whole, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(rendered("{sha256:32}", "{}").as_deref(), Some("44136fa355b3678a1146ad16f7e8649e"));
    assert_ne!(rendered("{uuid}", "{}"), rendered("{uuid}", "{}"));
    let minted =
        |text| Template::compile(text, &mut grammar("")).unwrap().reads(|place| *place == Place::Fresh);
    assert!(minted("{uuid}") && minted("{/id|uuid}") && minted("a[{uuid}]"));
    assert!(!minted("{/id}") && !minted("{sha256}"));
}

#[test]
fn what_is_wrong_with_a_template_is_said() {
    for (template, part) in [
        ("{/a", "is not closed by `}`"),
        ("a}", "a `}` stands where none belongs"),
        ("[{/a}", "a `[` is not closed"),
        ("a]", "a `]` stands where none belongs"),
        ("[[{/a}]]", "a `[` stands where none belongs"),
        ("{a}", "`a` is not a slot"),
        ("{}", "`` is not a slot"),
        ("{sha256:8}", "expected 16 to 64 digits"),
        ("{sha256:many}", "expected 16 to 64 digits"),
        ("{header:a b}", "does not name a header"),
        ("{query:}", "is not a slot"),
        ("{'a}", "lacks its second"),
        ("{index}", "needs a split body"),
        ("../id", "needs a split body"),
        ("{/a|b}", "`b` is not a slot"),
    ] {
        let problem = problem(template);
        assert!(problem.contains(part), "{template}: {problem}");
    }
}

proptest! {
    #[test]
    fn any_text_compiles_or_is_refused_without_a_panic(text in r"[\[\]{}/|.':a-z0-9 -]{0,24}|.{0,24}") {
        let mut grammar = grammar("/data");
        if let Ok(template) = Template::compile(&text, &mut grammar) {
            let request = request(r#"{"a":1,"data":{"b":"c"}}"#, &[]);
            prop_assert!(over(&template, &grammar.tries.whole, &request).is_ok());
        }
    }

    #[test]
    fn literal_text_stands_as_it_is(text in "[a-z0-9 .:_-]{1,24}") {
        prop_assume!(!begins_a_slot(&text));
        prop_assert_eq!(rendered(&text, "{}"), Some(text));
    }
}
