//! What a signed message is made of, in bytes: a wrong length is often the first trace of a changed body.

use crate::request::{
    Request,
    slot::{Params, Slot},
};

/// Returns a template's parts with their lengths, as `{header:x-time} 10 + "." 1 + {body} 245`; `None` for what is no
/// template.
pub(super) fn message(template: &str, request: &Request, params: &Params) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((literal, behind)) = rest.split_once('{') {
        let (slot, tail) = behind.split_once('}')?;
        parts.extend(text(literal));
        let length = length(slot, request, params).map_or_else(|| "?".to_owned(), |bytes| bytes.to_string());
        parts.push(format!("{{{slot}}} {length}"));
        rest = tail;
    }
    parts.extend(text(rest));
    template.contains('{').then(|| parts.join(" + "))
}

fn text(literal: &str) -> Option<String> {
    // Brackets mark what may be left out; how much of it stands there is not looked at.
    let literal = literal.replace(['[', ']'], "");
    (!literal.is_empty()).then(|| format!("{literal:?} {}", literal.len()))
}

/// Returns how long a slot's value is; `None` where that is not known here.
fn length(slot: &str, request: &Request, params: &Params) -> Option<usize> {
    match slot {
        "body" => Some(request.body.len()),
        "method" => Some(request.method.as_str().len()),
        _ => slot
            .split('|')
            .find_map(|slot| Slot::parse(slot).ok()?.read(request, params).ok()?.map(|value| value.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    #[test]
    fn every_part_is_measured_and_an_unknown_one_is_marked() {
        let headers = HeaderMap::from_iter([("x-time".parse().unwrap(), "1762178400".parse().unwrap())]);
        let uri = "/a?b=cd".parse().unwrap();
        let received = "2025-11-03T14:00:00Z".parse().unwrap();
        let request = Request { method: Method::POST, uri, headers, body: "{}".into(), received };
        let measured = |template| message(template, &request, &Params::new());
        assert_eq!(
            measured("v0:{header:x-time}:{body}").unwrap(),
            r#""v0:" 3 + {header:x-time} 10 + ":" 1 + {body} 2"#
        );
        assert_eq!(measured("{header:none|query:b}{crc32}").unwrap(), "{header:none|query:b} 2 + {crc32} ?");
        assert_eq!(measured("json_stringify"), None);
    }
}
