//! The public address that a sender was given, for those that sign it. It is configured, and never made from the
//! request's `Host`: anybody can send one.

use crate::request::Request;
use percent_encoding::percent_decode_str;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) struct Url(Box<str>);

/// The escapes that `HubSpot` decodes in an address before it signs it.
const DECODED: [&str; 12] =
    ["%3A", "%2F", "%3F", "%40", "%21", "%24", "%27", "%28", "%29", "%2A", "%2C", "%3B"];

impl Url {
    /// Takes an absolute address without query and fragment, or says what is wrong with it.
    pub(in crate::verify) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or("it does not begin with `https://` or `http://`")?;
        if rest.is_empty() || rest.starts_with('/') {
            return Err("it has no host");
        }
        if text.contains(['?', '#', ' ']) {
            return Err("it has a query or a fragment; the query is taken from each request");
        }
        Ok(Self(text.into()))
    }

    /// Takes an address that was made from one that was parsed.
    pub(super) fn plain(text: &str) -> Self {
        Self(text.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address with the segments behind the source and the query that the request has.
    pub(super) fn with_query(&self, request: &Request) -> String {
        let query = request.uri.query().map(|query| format!("?{query}"));
        format!("{}{}{}", self.0, self.behind(request), query.unwrap_or_default())
    }

    /// Returns what the request's path has behind `/hooks/<source>`, as it was received, to be put behind the address. A
    /// lone slash names no segment.
    pub(super) fn behind<'r>(&self, request: &'r Request) -> &'r str {
        let path = request.uri.path().strip_prefix("/hooks/").unwrap_or_default();
        let behind = path.find('/').and_then(|at| path.get(at..)).filter(|behind| *behind != "/");
        let behind = behind.unwrap_or_default();
        if self.0.ends_with('/') { behind.strip_prefix('/').unwrap_or(behind) } else { behind }
    }

    /// Returns the same with the escapes decoded that `HubSpot` decodes, and no others.
    pub(super) fn decoded(&self, request: &Request) -> String {
        DECODED.iter().fold(self.with_query(request), |address, escape| {
            let character = percent_decode_str(escape).decode_utf8_lossy();
            address.replace(escape, &character).replace(&escape.to_ascii_lowercase(), &character)
        })
    }
}
