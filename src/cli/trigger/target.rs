//! Where a triggered event is sent: from the listener's address, or from `--url`.

use crate::cli::{exit::Stop, told::loopback};
use http::{Uri, uri::PathAndQuery};
use std::{fmt::Display, net::SocketAddr};

/// The address of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Host and port, as they stand in `Host`.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
    secure: bool,
}

impl Target {
    /// Returns the address of a source on a listener of this machine.
    pub(super) fn local(listen: SocketAddr, source: &str) -> Self {
        let authority = loopback(listen).to_string();
        Self { authority, path: format!("/hooks/{source}"), secure: false }
    }

    /// Reads `--url`; without a path, that of the source is added.
    pub(super) fn parse(url: &str, source: &str) -> Result<Self, Stop> {
        let expected = |what: &str| {
            Stop::usage(format!("--url: expected {what}, as http://127.0.0.1:8080; found {url:?}"))
        };
        let uri: Uri = url.parse().map_err(|_| expected("an URL"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) | None => return Err(expected("http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| expected("a host"))?;
        if authority.as_str().contains('@') {
            return Err(expected("an URL without a user"));
        }
        let path = match uri.path_and_query().map(PathAndQuery::as_str) {
            None | Some("" | "/") => format!("/hooks/{source}"),
            Some(path) => path.to_owned(),
        };
        Ok(Self { authority: authority.to_string(), path, secure })
    }

    /// Returns host and port to connect to, or why this can't be sent to.
    pub(super) fn address(&self) -> Result<String, Stop> {
        if self.secure {
            return Err(Stop::usage(
                "trigger speaks plain http: send to the port behind the proxy that terminates TLS, \
                 or hand the signed request to curl with --print=curl",
            ));
        }
        let has_port = self.authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(if has_port { self.authority.clone() } else { format!("{}:80", self.authority) })
    }

    /// Returns the whole URL.
    pub(super) fn url(&self) -> String {
        self.url_of(&self.path)
    }

    /// Returns the whole URL with another path and query: a request's may hold its signature.
    pub(super) fn url_of(&self, path: impl Display) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(listen: &str) -> String {
        Target::local(listen.parse().unwrap(), "hotel").url()
    }

    #[test]
    fn a_listener_on_every_address_is_reached_on_loopback() {
        assert_eq!(local("0.0.0.0:8080"), "http://127.0.0.1:8080/hooks/hotel");
        assert_eq!(local("[::]:8080"), "http://[::1]:8080/hooks/hotel");
        assert_eq!(local("192.0.2.7:80"), "http://192.0.2.7:80/hooks/hotel");
    }

    #[test]
    fn an_url_without_a_path_gets_that_of_the_source() {
        let url = |text| Target::parse(text, "hotel").unwrap().url();
        assert_eq!(url("http://h:1"), "http://h:1/hooks/hotel");
        assert_eq!(url("http://h:1/"), "http://h:1/hooks/hotel");
        assert_eq!(url("http://h:1/proxied/hotel?a=b"), "http://h:1/proxied/hotel?a=b");
    }

    #[test]
    fn the_port_of_http_is_80() {
        assert_eq!(Target::parse("http://h", "hotel").unwrap().address().unwrap(), "h:80");
        assert_eq!(Target::parse("http://[::1]", "hotel").unwrap().address().unwrap(), "[::1]:80");
        assert_eq!(Target::parse("http://[::1]:7", "hotel").unwrap().address().unwrap(), "[::1]:7");
    }

    #[test]
    fn https_can_be_printed_and_not_sent() {
        let target = Target::parse("https://hooks.example.com", "hotel").unwrap();
        assert_eq!(target.url(), "https://hooks.example.com/hooks/hotel");
        assert!(target.address().unwrap_err().to_string().contains("--print=curl"));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in ["", "h:1", "ftp://h", "http://u:p@h", "/hooks"] {
            assert!(Target::parse(url, "hotel").is_err(), "{url}");
        }
    }
}
