//! Agreement by fetching an address that stands in the request, as Amazon SNS asks for it.
//!
//! An address from outside is a way into one's own network: only `https`, only hosts that the document names, no
//! port, no user; whoever fetches it follows no redirect and throws the answer away.

use super::{
    RespondError,
    value::{Fill, Value},
};
use crate::fetch::{Client, Pins, Target};
use futures_util::future::BoxFuture;
use std::fmt;

/// Fetches addresses.
pub trait Confirmer: Send + Sync + fmt::Debug {
    /// Fetches an address once; says why where that did not work.
    fn confirm(&self, target: Target) -> BoxFuture<'_, Result<(), String>>;
}

impl Confirmer for Client {
    fn confirm(&self, target: Target) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.get(&target).await.map(drop).map_err(|error| error.to_string()) })
    }
}

/// Where the address stands, and which hosts it may lead to.
#[derive(Debug)]
pub(super) struct Address {
    at: Value,
    hosts: Pins,
}

impl Address {
    /// Takes the address at a slot, where it leads to one of these hosts; a `*` stays within a label.
    pub(super) fn new(at: Value, hosts: &[String]) -> Self {
        Self { at, hosts: Pins::new(hosts.to_vec(), None) }
    }

    pub(super) fn at(&self) -> &Value {
        &self.at
    }

    pub(super) fn read(&self, fill: &Fill<'_>) -> Result<Target, RespondError> {
        let elsewhere = "the address to be confirmed is not an https address of the sender's hosts";
        self.hosts.admit(&self.at.read(fill)?).map_err(|_| RespondError::Unusable(elsewhere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::tests::Server;
    use std::sync::atomic::Ordering;

    #[tokio::test]
    async fn an_agreement_is_one_fetch_over_tls_and_a_refusal_is_told() {
        let address =
            || Target::parse("https://keys.example.com/?Action=ConfirmSubscription&Token=1").unwrap();
        let server = Server::holding("<ConfirmSubscriptionResponse/>").await;
        let confirmer: std::sync::Arc<dyn Confirmer> = server.client();
        assert_eq!(confirmer.confirm(address()).await, Ok(()));
        assert_eq!(server.asked.load(Ordering::SeqCst), 1);
        let refusing = Server::answering("HTTP/1.1 403 X\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
        let confirmer: std::sync::Arc<dyn Confirmer> = refusing.client();
        assert!(confirmer.confirm(address()).await.is_err());
    }

    #[test]
    fn an_address_leads_to_a_named_host_by_https_and_nowhere_else() {
        let hosts = ["sns.???*.amazonaws.com".to_owned()];
        let address = Address::new(Value::parse("/u").unwrap(), &hosts);
        let may_be = |text: &str| address.hosts.admit(text).is_ok();
        assert!(may_be("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"));
        for wrong in [
            "http://sns.eu-west-1.amazonaws.com/",
            "https://sns.eu-west-1.amazonaws.com:8443/",
            "https://user@sns.eu-west-1.amazonaws.com/",
            "https://sns.eu-west-1.amazonaws.com@evil.example/",
            "https://sns.a.b.amazonaws.com/",
            "https://sns.s3.amazonaws.com/",
            "https://sns..amazonaws.com/",
            "https://sns.eu-west-1.amazonaws.com.evil.example/",
            "https://evil.example/sns.eu-west-1.amazonaws.com",
            "https://sns.eu-west-1.amazonaws.com./",
            "https://127.0.0.1/",
            "https://[::1]/",
            "/relative",
            "",
        ] {
            assert!(!may_be(wrong), "{wrong}");
        }
    }
}
