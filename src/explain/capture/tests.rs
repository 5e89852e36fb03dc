//! Tests of the readers: what stands in a file comes back byte for byte.

use super::*;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

fn parsed(text: impl AsRef<[u8]>) -> Captured {
    raw::parse(text.as_ref()).expect("a request")
}

#[test]
fn the_body_is_the_rest_of_the_file_whatever_ends_the_lines() {
    for end in ["\n", "\r\n"] {
        let text =
            format!("POST /hooks/a?b=c HTTP/1.1{end}Host: x{end}X-Two: 1{end}x-two:2{end}{end}a\r\nb\n");
        let captured = parsed(text);
        assert_eq!(
            (captured.request.method, captured.request.uri.to_string()),
            (Method::POST, "/hooks/a?b=c".into())
        );
        assert_eq!(captured.request.headers.get_all("x-two").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(captured.request.body, "a\r\nb\n");
        assert!(captured.notes.is_empty());
    }
}

#[test]
fn the_line_end_of_an_editor_is_not_part_of_the_body() {
    let captured = parsed("POST / HTTP/1.1\nContent-Length: 2\n\n{}\n");
    assert_eq!((captured.request.body, captured.declared), (Bytes::from("{}"), None));
    let shorter = parsed("POST / HTTP/1.1\nContent-Length: 9\n\n{}");
    assert_eq!((shorter.request.body, shorter.declared), (Bytes::from("{}"), Some(9)));
    let longer = parsed("POST / HTTP/1.1\nContent-Length: 1\n\nab c");
    assert_eq!((longer.request.body, longer.declared), (Bytes::from("ab c"), Some(1)));
}

#[test]
fn a_chunked_body_is_put_together_and_one_that_is_not_is_kept() {
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n";
    let whole = parsed(format!("{head}3\r\nab\n\r\n2;x=y\r\ncd\r\n0\r\n\r\n"));
    assert_eq!((whole.request.body, whole.notes.len()), (Bytes::from("ab\ncd"), 0));
    let plain = parsed(format!("{head}{{\"a\":1}}"));
    assert_eq!((plain.request.body, plain.notes.len()), (Bytes::from("{\"a\":1}"), 1));
}

#[test]
fn what_is_no_request_is_named_by_its_line() {
    let problem = |text: &str| raw::parse(text.as_bytes()).unwrap_err();
    assert_eq!(problem(""), "the file is empty");
    assert!(problem("hello").contains("first line"));
    assert!(problem("POST / SMTP/1").contains("first line"));
    assert!(problem("POST / HTTP/1.1\nHost: a\nno colon\n\n").contains("line 3"));
    assert!(problem("POST / HTTP/1.1\nA : b\n\n").contains("line 2"));
}

#[test]
fn an_archive_gives_its_first_post_or_the_one_that_was_chosen() {
    let har = br#"{"log":{"entries":[
        {"request":{"method":"GET","url":"https://a/x","headers":[]}},
        {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"POST","url":"https://a/y?z=1",
         "headers":[{"name":":path","value":"/y"},{"name":"X-Sig","value":"1"}],"postData":{"text":"{\"a\": 1}"}}},
        {"request":{"method":"POST","url":"https://a/b","postData":{"text":"/w==","encoding":"base64"}}}]}}"#;
    let entries = har::entries(har).unwrap().unwrap();
    let first = har::request(&entries, None).unwrap();
    assert_eq!((first.request.uri.path(), first.request.uri.query()), ("/y", Some("z=1")));
    assert_eq!((first.request.body, first.request.headers.len()), (Bytes::from("{\"a\": 1}"), 1));
    assert_eq!(first.request.received.to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(har::request(&entries, Some(2)).unwrap().request.body, &b"\xff"[..]);
    assert!(har::request(&entries, Some(3)).unwrap_err().contains("has 3"));
    assert!(har::entries(b"POST / HTTP/1.1\n\n").is_none());
    assert!(har::entries(b"{}").unwrap().is_err());
}

proptest! {
    #[test]
    fn a_written_request_is_read_back(
        names in prop::collection::vec("[a-z][a-z0-9-]{0,20}", 0..8),
        value in "[!-~]([ -~]{0,30}[!-~])?",
        body in prop::collection::vec(any::<u8>(), 0..300),
        crlf: bool,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut headers = HeaderMap::new();
        for name in names.iter().filter(|name| !["content-length", "transfer-encoding"].contains(&name.as_str())) {
            headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(&value).unwrap());
        }
        let mut text = format!("POST /a?b HTTP/1.1{end}").into_bytes();
        for (name, value) in &headers {
            text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), end.as_bytes()].concat());
        }
        text.extend([end.as_bytes(), &body].concat());
        let captured = parsed(&text);
        prop_assert_eq!(captured.request.body, body);
        prop_assert_eq!(captured.request.headers, headers);
    }

    #[test]
    fn no_file_makes_the_readers_fall(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _any = raw::parse(&bytes);
        let head = b"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n";
        let _any = raw::parse(&[&head[..], &bytes].concat());
        let _any = har::entries(&[b"{", &bytes[..]].concat());
    }
}
