//! Bodies are divided as the document says, in their order, byte for byte, and nothing is left behind.

use super::*;
use proptest::prelude::*;

/// Returns the elements of a body as text.
fn divided(each: &str, body: &str) -> Vec<String> {
    let division = Split::compile(each).unwrap().divide(body).unwrap();
    division.elements.iter().map(|element| String::from_utf8(element.bytes.to_vec()).unwrap()).collect()
}

#[test]
fn every_element_of_the_array_is_one() {
    for (each, body, elements) in [
        ("/*", r#"[ {"a":1} , 2,"x" ]"#, &[r#"{"a":1}"#, "2", r#""x""#][..]),
        ("/*", " [1]\n", &["1"]),
        ("/value/*", r#"{"value":[{"id":1},{"id":2}],"n":1.0}"#, &[r#"{"id":1}"#, r#"{"id":2}"#]),
        ("/a~1b/0/*", r#"{"a/b":[[1,2]]}"#, &["1", "2"]),
        ("/items/*/inner", r#"{"items":[{"inner":{"x":1}},{"inner":7}]}"#, &[r#"{"x":1}"#, "7"]),
        ("/*", "[]", &[]),
        ("/entry/*/changes/*", r#"{"entry":[{"changes":[]},{"changes":[1]}]}"#, &["1"]),
        ("/*/*", "[[1,2],[3]]", &["1", "2", "3"]),
    ] {
        assert_eq!(divided(each, body), elements, "{each} of {body}");
    }
}

#[test]
fn what_does_not_go_on_stands_for_itself() {
    let entries = r#"{"entry":[{"changes":[1,2]},{"other":[3]},{"messaging":[4]},5]}"#;
    for (each, body, elements) in [
        ("/value/*", r#"{"value":{}}"#, &[r#"{"value":{}}"#][..]),
        ("/value/*", " 1.5\n", &[" 1.5\n"]),
        ("/value/*", r#"{"value":1e999}"#, &[r#"{"value":1e999}"#]),
        ("/items/*/inner", "[1]", &["[1]"]),
        ("/items/*/inner", r#"{"items":[{"outer":1}]}"#, &[r#"{"outer":1}"#]),
        ("/entry/*/changes/*", entries, &["1", "2", r#"{"other":[3]}"#, r#"{"messaging":[4]}"#, "5"]),
        ("/entry/*/changes/*|/entry/*/messaging/*", entries, &["1", "2", r#"{"other":[3]}"#, "4", "5"]),
    ] {
        assert_eq!(divided(each, body), elements, "{each} of {body}");
    }
}

#[test]
fn no_list_hides_another_beside_it() {
    let each = "/entry/*/changes/*|/entry/*/messaging/*|/other/*";
    let body = r#"{"entry":[{"messaging":[1],"changes":[2,3]},{"changes":{},"messaging":[4]}],"other":[5]}"#;
    assert_eq!(divided(each, body), ["2", "3", "1", "4", "5"]);
    assert_eq!(divided("/a/*|/a/*/b", r#"{"a":[{"b":1},2]}"#), ["1", "2"]);
}

#[test]
fn every_alternative_whose_array_stands_there_is_taken() {
    let each = "/events/* | /*";
    assert_eq!(divided(each, r#"{"events":[1]}"#), ["1"]);
    assert_eq!(divided(each, "[2]"), ["2"]);
    assert_eq!(divided(each, "{}"), ["{}"]);
}

#[test]
fn an_element_knows_what_it_was_taken_from() {
    let body = r#"{"entry":[{"id":1,"changes":["a","b"]},{"id":2,"changes":["c"]},3]}"#;
    let split = Split::compile("/entry/*/changes/*").unwrap();
    let division = split.divide(body).unwrap();
    let around: Vec<&str> = division.elements.iter().map(|element| division.around[element.around]).collect();
    let (first, second) = (r#"{"id":1,"changes":["a","b"]}"#, r#"{"id":2,"changes":["c"]}"#);
    assert_eq!(around, [first, first, second, body]);
}

#[test]
fn a_member_that_stands_twice_stops_only_its_own_part() {
    let split = Split::compile("/entry/*/changes/*").unwrap();
    let division = split.divide(r#"{"entry":[{"changes":[1],"changes":[2]},{"changes":[3]}]}"#).unwrap();
    let repeated: Vec<bool> = division.elements.iter().map(|element| element.repeated.is_some()).collect();
    assert_eq!(repeated, [true, false]);
}

#[test]
fn lines_are_elements_however_they_end() {
    let lines = |body: &[u8]| -> Vec<Vec<u8>> {
        let division = Split::lines(body).unwrap();
        division.elements.iter().map(|element| element.bytes.to_vec()).collect()
    };
    assert_eq!(lines(b"{}\r\n\n  [1] \nx\xff"), [&b"{}"[..], b"[1]", b"x\xff"]);
    assert!(lines(b" \n\r\n").is_empty());
}

#[test]
fn more_elements_than_the_bound_are_refused() {
    let array = |count: usize| format!("[{}1]", "1,".repeat(count - 1));
    let split = Split::compile("/*").unwrap();
    assert_eq!(split.divide(&array(MAX_ELEMENTS)).unwrap().elements.len(), MAX_ELEMENTS);
    assert_eq!(split.divide(&array(MAX_ELEMENTS + 1)).unwrap_err().reason, Reason::Malformed);
    assert!(Split::lines("1\n".repeat(MAX_ELEMENTS).as_bytes()).is_ok());
    assert!(Split::lines("1\n".repeat(MAX_ELEMENTS + 1).as_bytes()).is_err());
    // Empty inner arrays give no elements and cost work all the same.
    let hollow = format!("[{}[]]", "[],".repeat(MAX_ELEMENTS - 1));
    assert!(Split::compile("/*/*").unwrap().divide(&hollow).is_err());
}

#[test]
fn what_is_no_split_is_refused() {
    for each in ["", "value/*", "/value", "/", "*", "/*|", "/a~2/*", "line", "/a*/b"] {
        assert!(Split::compile(each).is_err(), "{each}");
    }
    assert!(Split::compile("/*|lines").unwrap().takes_lines());
    assert!(!Split::compile("/*").unwrap().takes_lines());
}

/// JSON texts of some depth, and blanks to stand between them.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i32>().prop_map(|number| number.to_string()),
        ".{0,6}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            inner.prop_map(|value| format!(r#"{{"[,]": {value}}}"#)),
        ]
    })
}

proptest! {
    #[test]
    fn elements_and_what_stands_between_them_are_the_body(
        values in prop::collection::vec((value(), "[ \n\t]{0,3}"), 1..12), blank in "[ \n\t]{0,3}",
    ) {
        let items: Vec<String> = values.iter().map(|(value, blank)| format!("{blank}{value}{blank}")).collect();
        let body = format!(r#"{blank}{{"n":[1],"list":{blank}[{}]{blank}}}"#, items.join(","));
        let division = Split::compile("/list/*").unwrap().divide(&body).unwrap();
        let expected: Vec<&[u8]> = values.iter().map(|(value, _)| value.as_bytes()).collect();
        let found: Vec<&[u8]> = division.elements.iter().map(|element| &*element.bytes).collect();
        prop_assert_eq!(found, expected);

        // Put back into their places they give the body: each is a slice of it, in order, and no two overlap.
        let start = body.as_ptr().addr();
        let (mut joined, mut at) = (Vec::new(), 0);
        for element in &division.elements {
            let begin = element.bytes.as_ptr().addr() - start;
            let between = &body.as_bytes()[at..begin];
            let head = joined.is_empty();
            prop_assert!(head || between.iter().all(|byte| b" \n\t,".contains(byte)));
            joined.extend_from_slice(between);
            joined.extend_from_slice(&element.bytes);
            at = begin + element.bytes.len();
        }
        joined.extend_from_slice(&body.as_bytes()[at..]);
        prop_assert_eq!(joined, body.as_bytes());
    }

    #[test]
    fn any_text_divides_or_is_refused_without_a_panic(
        each in r"[/*a~01| ]{0,12}|lines", body in r#"[\[\]{}:,"a1 ]{0,24}"#,
    ) {
        if let Ok(split) = Split::compile(&each) {
            if json::is_valid(body.as_bytes()) {
                prop_assert!(split.divide(&body).is_ok());
            }
            prop_assert!(Split::lines(body.as_bytes()).is_ok());
        }
    }
}
