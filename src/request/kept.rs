//! What the quarantine keeps of a request beside its body, so that it can be mapped again: all that a slot can read,
//! less what holds a credential.

use super::{
    Request,
    slot::{SOURCE_SEGMENTS, Slot, form},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, percent_decode_str, percent_encode};

/// Headers that carry credentials, whatever a source's check reads.
const CREDENTIALS: [HeaderName; 3] = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

/// And a parameter that does (RFC 6750, section 2.3).
const CREDENTIAL: &[u8] = b"access_token";

/// What stands in the place of a withheld segment, so that those behind it keep their numbers.
const WITHHELD: &str = "*";

/// What a kept header's value encodes.
const WRITTEN: &AsciiSet = &CONTROLS.add(b'%');

/// Where a request carries a secret as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withheld {
    /// Headers.
    pub headers: Vec<HeaderName>,
    /// Parameters of the query.
    pub query: Vec<Box<str>>,
    /// Segments of the path behind the source's own, from 1.
    pub path: Vec<usize>,
    /// True where it stands in the body, which the quarantine keeps as it is.
    pub body: bool,
}

/// A request without its body and its credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
}

impl Withheld {
    /// Adds a place, or that the body is one.
    pub fn add(&mut self, slot: &Slot) {
        match slot {
            Slot::Header(name) => self.headers.push(name.clone()),
            Slot::Query(name) => self.query.push(name.clone()),
            Slot::Path(number) => self.path.push(*number),
            Slot::Form(..) | Slot::Json(_) => self.body = true,
            Slot::Param(_) | Slot::Text(_) => {}
        }
    }

    /// Returns the request less these places.
    pub fn keep(&self, request: &Request) -> Kept {
        let mut headers = request.headers.clone();
        for name in CREDENTIALS.iter().chain(&self.headers) {
            headers.remove(name);
        }
        let mut target = self.path(request.uri.path());
        let fields = request.uri.query().unwrap_or_default().split('&').filter(|field| self.shows(field));
        let query: Vec<&str> = fields.collect();
        if request.uri.query().is_some() && query != [""] && !query.is_empty() {
            target.push('?');
            target.push_str(&query.join("&"));
        }
        Kept { method: request.method.clone(), target, headers }
    }

    /// Puts a star in the place of each segment that holds a secret. As where slots count, empty segments do not.
    fn path(&self, path: &str) -> String {
        let mut number = 0;
        let segments = path.split('/').enumerate().map(|(at, segment)| {
            let is_counted = at >= SOURCE_SEGMENTS && !segment.is_empty();
            number += usize::from(is_counted);
            if is_counted && self.path.contains(&number) { WITHHELD } else { segment }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn shows(&self, field: &str) -> bool {
        let is_withheld =
            |name: &[u8]| name == CREDENTIAL || self.query.iter().any(|withheld| withheld.as_bytes() == name);
        !form::pairs(field.as_bytes()).any(|(name, _)| is_withheld(&name))
    }
}

impl Kept {
    /// Returns a header's value as it is written: all outside printable ASCII is percent-encoded, and `%` itself so that it
    /// can be read back.
    pub fn written(value: &HeaderValue) -> PercentEncode<'_> {
        percent_encode(value.as_bytes(), WRITTEN)
    }

    /// Returns the headers as a JSON list of pairs, so that repeated names and their order survive.
    pub fn written_headers(&self) -> String {
        let pairs: Vec<(&str, String)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), Self::written(value).to_string()))
            .collect();
        // Serializing strings cannot fail.
        serde_json::to_string(&pairs).unwrap_or_default()
    }

    /// Reads back what was written; `None` where it is no request.
    pub fn read(method: &str, target: &str, headers: &str) -> Option<Self> {
        let pairs: Vec<(String, String)> = serde_json::from_str(headers).ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value: Vec<u8> = percent_decode_str(&value).collect();
            headers.append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(&value).ok()?);
        }
        Some(Self { method: method.parse().ok()?, target: target.to_owned(), headers })
    }

    /// Returns what fits into `room` bytes each of headers and target, as they are written: small headers stay, large ones
    /// go.
    #[must_use]
    pub fn cut(&self, room: usize) -> Self {
        let (mut headers, mut left) = (HeaderMap::new(), room);
        for (name, value) in &self.headers {
            let written: usize = Self::written(value).map(str::len).sum();
            if let Some(rest) = left.checked_sub(name.as_str().len() + written) {
                left = rest;
                headers.append(name.clone(), value.clone());
            }
        }
        let end = self.target.floor_char_boundary(room);
        let target = self.target.get(..end).unwrap_or_default().to_owned();
        Self { method: self.method.clone(), target, headers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use jiff::Timestamp;

    fn request(target: &str, headers: &[(&'static str, &'static str)]) -> Request {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let (uri, body) = (target.parse().unwrap(), Bytes::new());
        Request { method: Method::PUT, uri, headers: map, body, received: Timestamp::UNIX_EPOCH }
    }

    fn withheld() -> Withheld {
        Withheld {
            headers: vec![HeaderName::from_static("x-secret")],
            query: vec!["code".into(), "a b".into()],
            path: vec![2],
            body: false,
        }
    }

    #[test]
    fn all_that_a_slot_reads_is_kept_but_the_credentials() {
        let headers = [
            ("authorization", "a"),
            ("cookie", "b"),
            ("proxy-authorization", "c"),
            ("x-secret", "d"),
            ("x-kept", "1"),
            ("x-kept", "2"),
        ];
        let kept = withheld().keep(&request("/hooks/a/one/SECRET/3?topic=x&code=SECRET&y", &headers));
        assert_eq!((kept.method, &*kept.target), (Method::PUT, "/hooks/a/one/*/3?topic=x&y"));
        assert_eq!(kept.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
        assert_eq!(kept.headers.get_all("x-kept").iter().count(), 2);
    }

    #[test]
    fn a_secret_is_withheld_however_its_name_is_written_and_however_often() {
        for (target, kept) in [
            ("/hooks/a?code=1&%63ode=2&code&x=3", "/hooks/a?x=3"),
            ("/hooks/a?a+b=1&a%20b=2", "/hooks/a"),
            ("/hooks/a?access_token=1&x", "/hooks/a?x"),
            ("/hooks/a//one//SECRET", "/hooks/a//one//*"),
            ("/hooks/a?", "/hooks/a"),
            ("/hooks/a", "/hooks/a"),
        ] {
            assert_eq!(withheld().keep(&request(target, &[])).target, kept, "{target}");
        }
    }

    #[test]
    fn what_is_cut_keeps_the_small_headers() {
        let kept =
            Withheld::default().keep(&request("/hooks/a/é?x", &[("x-large", "123456789"), ("x", "1")]));
        let cut = kept.cut(10);
        assert_eq!((cut.headers.len(), cut.headers.contains_key("x"), &*cut.target), (1, true, "/hooks/a/"));
    }

    #[test]
    fn what_is_cut_counts_a_value_as_it_is_written() {
        let kept = Withheld::default().keep(&request("/hooks/a", &[("x", "%%%"), ("y", "123")]));
        let cut = kept.cut(9);
        assert_eq!(cut.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["y"]);
        assert_eq!(kept.cut(14).headers.len(), 2);
    }
}
