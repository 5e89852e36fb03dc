//! Agreement by fetching an address that stands in the request, as Amazon SNS asks for it.
//!
//! An address from outside is a way into one's own network: only `https`, only hosts that the document names, no
//! port, no user; whoever fetches it follows no redirect and throws the answer away.

use super::{
    RespondError,
    value::{Fill, Value},
};
use axum::http::{Uri, uri::Scheme};
use futures_util::future::BoxFuture;
use std::fmt;
use wildmatch::WildMatch;

/// Fetches addresses.
pub trait Confirmer: Send + Sync + fmt::Debug {
    /// Fetches an address once and returns whether the answer was a 2xx, or why there was none.
    fn fetch(&self, address: Uri) -> BoxFuture<'_, Result<(), String>>;
}

/// Where the address stands, and which hosts it may lead to.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) at: Value,
    /// Patterns, label by label.
    pub(super) hosts: Vec<Vec<WildMatch>>,
}

/// Said of an address that leads elsewhere.
const ELSEWHERE: &str = "the address to be confirmed is not an https address of the sender's hosts";

impl Address {
    /// Reads the patterns of hosts; a `*` stays within a label.
    pub(super) fn new(at: Value, hosts: &[String]) -> Self {
        let labels = |host: &String| host.to_ascii_lowercase().split('.').map(WildMatch::new).collect();
        Self { at, hosts: hosts.iter().map(labels).collect() }
    }

    /// Returns the address for one request.
    pub(super) fn read(&self, fill: &Fill<'_>) -> Result<Uri, RespondError> {
        let address: Uri = self.at.read(fill)?.parse().map_err(|_| RespondError::Unusable(ELSEWHERE))?;
        if self.may_be(&address) { Ok(address) } else { Err(RespondError::Unusable(ELSEWHERE)) }
    }

    fn may_be(&self, address: &Uri) -> bool {
        let Some(authority) = address.authority() else { return false };
        let host = authority.host().to_ascii_lowercase();
        // The authority is the host and nothing else: no port, no user.
        address.scheme() == Some(&Scheme::HTTPS)
            && authority.as_str().eq_ignore_ascii_case(&host)
            && self.hosts.iter().any(|labels| fits(labels, &host))
    }
}

fn fits(pattern: &[WildMatch], host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    labels.len() == pattern.len()
        && labels.iter().zip(pattern).all(|(label, pattern)| !label.is_empty() && pattern.matches(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_be(address: &str) -> bool {
        let hosts = ["sns.*.amazonaws.com".to_owned()];
        let address: Option<Uri> = address.parse().ok();
        address.is_some_and(|uri| Address::new(Value::parse("/u").unwrap(), &hosts).may_be(&uri))
    }

    #[test]
    fn an_address_leads_to_a_named_host_by_https_and_nowhere_else() {
        assert!(may_be("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"));
        assert!(may_be("https://SNS.eu-west-1.AmazonAWS.com/"));
        for wrong in [
            "http://sns.eu-west-1.amazonaws.com/",
            "https://sns.eu-west-1.amazonaws.com:8443/",
            "https://sns.eu-west-1.amazonaws.com:443/",
            "https://user@sns.eu-west-1.amazonaws.com/",
            "https://sns.eu-west-1.amazonaws.com@evil.example/",
            "https://sns.a.b.amazonaws.com/",
            "https://sns..amazonaws.com/",
            "https://sns.eu-west-1.amazonaws.com.evil.example/",
            "https://evil.example/sns.eu-west-1.amazonaws.com",
            "https://sns.eu-west-1.amazonaws.com./",
            "https://127.0.0.1/",
            "https://[::1]/",
            "/relative",
            "sns.eu-west-1.amazonaws.com",
            "",
        ] {
            assert!(!may_be(wrong), "{wrong}");
        }
    }
}
