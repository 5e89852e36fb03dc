//! A request written into a file, as `hookway explain` reads it again: head and body as they came, without what is
//! secret in them, and with two lines of ours that say when it came and what it was answered.

use super::{Request, Withheld};
use http::HeaderMap;
use std::io::Write as _;

/// The header that says when a captured request came.
pub const CAPTURED: &str = "hookway-captured";

/// The header that says what it was answered.
pub const ANSWERED: &str = "hookway-answered";

/// How a value begins that was taken out; its length follows.
pub const TAKEN_OUT: &str = "[withheld: ";

/// The largest body that is captured, in bytes.
pub const LARGEST: usize = 4 << 20;

/// Returns the request as a file holds it, and `answer` with it.
pub fn write(request: &Request, withheld: &Withheld, secrets: &[&[u8]], answer: &str) -> Vec<u8> {
    let kept = withheld.keep(request);
    let mut file = Vec::with_capacity(request.body.len().min(LARGEST) + 1024);
    let line = |file: &mut Vec<u8>, name: &str, value: &[u8]| {
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(b": ");
        file.extend_from_slice(value);
        file.extend_from_slice(b"\r\n");
    };
    file.extend_from_slice(format!("{} {} HTTP/1.1\r\n", kept.method, kept.target).as_bytes());
    for (name, value) in own_excepted(&request.headers) {
        if kept.headers.contains_key(name) {
            line(&mut file, name, value);
        } else {
            line(&mut file, name, format!("{TAKEN_OUT}{} bytes]", value.len()).as_bytes());
        }
    }
    line(&mut file, CAPTURED, request.received.to_string().as_bytes());
    let answer: String = answer.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    line(&mut file, ANSWERED, answer.as_bytes());
    file.extend_from_slice(b"\r\n");
    if request.body.len() <= LARGEST && !withheld.body {
        file.extend_from_slice(&request.body);
    } else {
        // A writer of memory takes all.
        let _written = write!(file, "{TAKEN_OUT}{} bytes]", request.body.len());
    }
    // A secret of two letters stands everywhere, and is none.
    for secret in secrets.iter().filter(|secret| secret.len() > 3) {
        mask(&mut file, secret);
    }
    file
}

/// The headers but for ours, which a sender has no business to write.
fn own_excepted(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    let all = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    all.filter(|(name, _)| ![CAPTURED, ANSWERED].contains(name))
}

/// Puts stars in the place of a secret, wherever it stands.
fn mask(file: &mut [u8], secret: &[u8]) {
    let places: Vec<usize> = memchr::memmem::find_iter(file, secret).collect();
    for place in places {
        if let Some(found) = file.get_mut(place..place + secret.len()) {
            found.fill(b'*');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, Method};
    use jiff::Timestamp;

    fn request(body: &str) -> Request {
        let headers =
            [("x-sig", "abc"), ("authorization", "Bearer t"), ("x-token", "s3cret"), (ANSWERED, "200")];
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Request {
            method: Method::POST,
            uri: "/hooks/shop?code=q1&x=2".parse().unwrap(),
            headers: headers.into_iter().collect(),
            body: body.to_owned().into(),
            received: Timestamp::UNIX_EPOCH,
        }
    }

    fn withheld() -> Withheld {
        Withheld {
            headers: vec![HeaderName::from_static("x-token")],
            query: vec!["code".into()],
            ..Withheld::default()
        }
    }

    #[test]
    fn what_is_secret_is_taken_out_and_all_else_stays() {
        let file = write(&request(r#"{"key":"topsecret"}"#), &withheld(), &[b"topsecret"], "401\nno: é");
        let text = String::from_utf8(file).unwrap();
        let expected = "POST /hooks/shop?x=2 HTTP/1.1\r\nx-sig: abc\r\nauthorization: [withheld: 8 bytes]\r\n\
             x-token: [withheld: 6 bytes]\r\nhookway-captured: 1970-01-01T00:00:00Z\r\nhookway-answered: 401 no: é\r\n\r\n\
             {\"key\":\"*********\"}";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_body_that_holds_the_token_or_is_large_is_left_out() {
        let in_body = Withheld { body: true, ..Withheld::default() };
        assert!(write(&request("{\"t\":1}"), &in_body, &[], "").ends_with(b"\r\n\r\n[withheld: 7 bytes]"));
        let large = "x".repeat(LARGEST + 1);
        assert!(write(&request(&large), &Withheld::default(), &[], "").len() < 1024);
    }
}
