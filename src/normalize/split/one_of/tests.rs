//! Each item of an element's lists stands alone, with all that the element says beside them.

use super::super::Split;

fn parted(lists: &[&str], body: &str) -> Vec<String> {
    let lists: Vec<String> = lists.iter().map(|list| (*list).to_owned()).collect();
    let split = Split::compile("/changes/*").unwrap().with_lists(&lists).unwrap();
    let division = split.divide(body).unwrap();
    division.elements.iter().map(|element| String::from_utf8(element.bytes.to_vec()).unwrap()).collect()
}

#[test]
fn an_element_has_one_item_of_all_its_lists() {
    let body = r#"{"changes":[{"of":"P1","m":[{"id":1}, {"id":2}],"s":[3],"end":true},{"m":[4]}]}"#;
    assert_eq!(
        parted(&["/s", "/m"], body),
        [
            r#"{"of":"P1","m":[{"id":1}],"s":[],"end":true}"#,
            r#"{"of":"P1","m":[{"id":2}],"s":[],"end":true}"#,
            r#"{"of":"P1","m":[],"s":[3],"end":true}"#,
            r#"{"m":[4]}"#,
        ]
    );
}

#[test]
fn an_element_with_one_item_keeps_its_bytes() {
    for element in [r#"{"m":[ 1 ],"s":[]}"#, r#"{"m":[]}"#, r#"{"m":{"a":[1,2]}}"#, "{}", "7"] {
        assert_eq!(parted(&["/m", "/s"], &format!(r#"{{"changes":[{element}]}}"#)), [element]);
    }
}

#[test]
fn a_list_that_stands_twice_stops_its_element() {
    let split = Split::compile("/changes/*").unwrap().with_lists(&["/m".to_owned()]).unwrap();
    let division = split.divide(r#"{"changes":[{"m":[1,2],"m":[3]},{"m":[4,5]}]}"#).unwrap();
    let repeated: Vec<bool> = division.elements.iter().map(|element| element.repeated.is_some()).collect();
    assert_eq!(repeated, [true, false, false]);
}

#[test]
fn elements_that_repeat_more_than_memory_holds_are_none() {
    let items = vec!["1"; 2_000].join(",");
    let body = format!(r#"{{"changes":[{{"shared":"{}","m":[{items}]}}]}}"#, "x".repeat(10_000));
    let split = Split::compile("/changes/*").unwrap().with_lists(&["/m".to_owned()]).unwrap();
    assert!(split.divide(&body).is_err());
}

#[test]
fn a_list_within_a_list_is_refused() {
    let refused = |lists: &[&str]| {
        let lists: Vec<String> = lists.iter().map(|list| (*list).to_owned()).collect();
        Split::default().with_lists(&lists).is_err()
    };
    assert!(refused(&["/a", "/a/0/b"]) && refused(&["/a", "/a"]) && refused(&["/a/*"]) && refused(&["a"]));
    assert!(!refused(&["/a", "/ab"]));
}
