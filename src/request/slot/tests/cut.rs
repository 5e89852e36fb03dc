//! A body that broke off, or to which something was added, gives a slot its value, none, or an error: never a part of the value,
//! and never another one. What a slot reads decides ids and keys.

use super::{MULTIPART, read, request};
use crate::request::slot::{Pointer, SlotError};
use proptest::prelude::*;
use serde_json::json;

fn form(fields: &[(String, String)], with_file: bool) -> String {
    let part = |(name, value): &(String, String)| {
        format!("--x Y\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--x Y\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\nx\r\n";
    let file = if with_file { file } else { "" };
    fields.iter().map(part).chain([file.to_owned(), "--x Y--\r\n".to_owned()]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_multipart_form_cut_at_any_byte_has_no_part_of_a_value(
        fields in prop::collection::btree_map("[a-z]{1,3}", "[a-z0-9 ]{1,12}", 1..4), with_file: bool,
    ) {
        let fields: Vec<(String, String)> = fields.into_iter().collect();
        let whole = form(&fields, with_file);
        // Behind the two hyphens of the last boundary stands nothing that counts.
        let end = whole.trim_end().len();
        for (name, value) in &fields {
            let slot = format!("form:{name}");
            prop_assert_eq!(read(&slot, &request("/", &[MULTIPART], &whole)), Ok(Some(value.clone())));
            for at in 0..end {
                let (part, _) = whole.split_at(at);
                let cut = read(&slot, &request("/", &[MULTIPART], part));
                prop_assert!(matches!(cut, Err(SlotError::Malformed(_))), "{:?} of {:?}", cut, part);
            }
        }
    }

    #[test]
    fn a_json_text_cut_at_any_byte_has_no_value_at_all(
        members in prop::collection::btree_map("[a-z]{1,3}", prop_oneof!["[a-zé\"]{0,6}".prop_map(|text| json!(text)), any::<u16>().prop_map(|n| json!(n))], 1..4),
    ) {
        let name = members.keys().next().unwrap().clone();
        let whole = json!(members).to_string();
        let pointer = Pointer::parse(&format!("/{name}")).unwrap();
        prop_assert!(pointer.scalar(&whole).unwrap().is_some());
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let (part, _) = whole.split_at(at);
            let cut = pointer.scalar(part);
            prop_assert!(cut.is_err(), "{:?} of {}", cut, part);
        }
        for behind in ["x", "{}", "]", ",", "\u{0}"] {
            prop_assert!(pointer.scalar(&format!("{whole}{behind}")).is_err(), "{} behind", behind);
        }
        for blank in [" ", "\n", "\r\n\t"] {
            let spaced = [blank, &whole, blank].concat();
            prop_assert!(pointer.scalar(&spaced).unwrap().is_some());
        }
    }

    #[test]
    fn a_form_s_field_is_read_whatever_stands_around_it(
        value in "[a-zA-Z0-9]{1,8}",
        before in "([b-z]{1,3}=[a-z%+]{0,4}&){0,3}", behind in "(&[b-z]{1,3}(=[a-z%+]{0,4})?){0,3}",
    ) {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let body = format!("{before}a={value}{behind}");
        prop_assert_eq!(read("form:a", &request("/", &kind, &body)), Ok(Some(value.clone())), "{}", body);
        for twice in [format!("{body}&a={value}"), format!("%61=x&{body}"), format!("{body}&a")] {
            let found = read("form:a", &request("/", &kind, &twice));
            prop_assert!(matches!(found, Err(SlotError::Repeated(_))), "{} gives {:?}", twice, found);
        }
        prop_assert_eq!(read("form:A", &request("/", &kind, &body)), Ok(None), "names have their case");
    }
}
