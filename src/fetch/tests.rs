//! Tests of fetching: which addresses may be fetched, what is taken of an answer, and how keys come to a check.

use super::{Client, FetchError, Pins, Target};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

#[test]
fn a_pinned_path_cannot_be_walked_out_of() {
    let pins = Pins::new(vec!["keys.example.com".to_owned()], Some("/certs/*.pem".to_owned()));
    let admit = |path: &str| pins.admit(&format!("https://keys.example.com{path}"));
    assert!(admit("/certs/a.pem").is_ok() && admit("/certs/b/a-1..2.pem").is_ok());
    for path in [
        "/certs/../x.pem",
        "/certs/%2e%2e/x.pem",
        "/certs/.%2E/x.pem",
        "/certs/..%2fx.pem",
        "/certs/..\\x.pem",
        "/certs//x.pem",
        "/certs/./x.pem",
        "/certs/%09/x.pem",
        "/certs/%252e%252e/x.pem",
        "/certs/\t/x.pem",
    ] {
        assert!(matches!(admit(path), Err(FetchError::Forbidden(_))), "{path}");
    }
}

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys");

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_file(format!("{KEYS}/server.pem")).unwrap()
}

/// A server for `keys.example.com` that gives every request the same answer.
pub(crate) struct Server {
    address: SocketAddr,
    /// How many requests it had.
    pub(crate) asked: Arc<AtomicUsize>,
    /// What the paths begin with that it never answers.
    hangs: Arc<OnceLock<&'static str>>,
    answer: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) async fn answering(answer: String) -> Self {
        let key = PrivateKeyDer::from_pem_file(format!("{KEYS}/server-key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let hangs = Arc::new(OnceLock::<&'static str>::new());
        let hanging = Arc::clone(&hangs);
        let answer = Arc::new(Mutex::new(answer));
        let said = Arc::clone(&answer);
        let (counter, tls) = (Arc::clone(&asked), TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (tls, counter, answer) = (tls.clone(), Arc::clone(&counter), Arc::clone(&said));
                let hanging = Arc::clone(&hanging);
                tokio::spawn(async move {
                    // A client that does not trust us ends here.
                    let Ok(mut stream) = tls.accept(tcp).await else { return };
                    let mut head = [0; 4096];
                    let read = stream.read(&mut head).await.unwrap();
                    assert!(head[..read].starts_with(b"GET /"));
                    counter.fetch_add(1, Ordering::SeqCst);
                    if hanging.get().is_some_and(|path| head[4..].starts_with(path.as_bytes())) {
                        std::future::pending::<()>().await;
                    }
                    let answer = answer.lock().clone();
                    drop(stream.write_all(answer.as_bytes()).await);
                    drop(stream.shutdown().await);
                });
            }
        });
        Self { address, asked, hangs, answer }
    }

    pub(crate) async fn holding(document: &str) -> Self {
        Self::answering(found(document)).await
    }

    /// Holds another document from now on.
    pub(crate) fn holds(&self, document: &str) {
        *self.answer.lock() = found(document);
    }

    /// Never answers requests whose path begins with this.
    pub(crate) fn hang_on(&self, path: &'static str) {
        let _first = self.hangs.set(path);
    }

    /// Returns a client that finds every host here.
    pub(crate) fn client(&self) -> Arc<Client> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate()).unwrap();
        Arc::new(Client::new(roots, Some(self.address)))
    }
}

fn found(document: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}", document.len())
}

fn target(address: &str) -> Target {
    Target::parse(address).unwrap()
}

#[test]
fn only_pinned_addresses_are_admitted() {
    let pins = Pins::new(vec!["sns.???*.example.com".to_owned()], Some("/*.pem".to_owned()));
    for right in ["https://sns.eu-1.example.com/a.pem", "https://SNS.EU-1.Example.com/a/b.pem"] {
        assert!(pins.admit(right).is_ok(), "{right}");
    }
    for wrong in [
        "http://sns.eu-1.example.com/a.pem",
        "https://sns.s3.example.com/a.pem",
        "https://sns.eu.west.example.com/a.pem",
        "https://sns.eu-1.example.com./a.pem",
        "https://sns.eu-1.example.com:443/a.pem",
        "https://me@sns.eu-1.example.com/a.pem",
        "https://sns.eu-1.example.com/a.pem?b",
        "https://sns.eu-1.example.com/a.pem#b",
        "https://sns.eu-1.example.com/a",
        "https://127.0.0.1/a.pem",
        "ftp://sns.eu-1.example.com/a.pem",
        "sns.eu-1.example.com/a.pem",
        "",
    ] {
        let admitted = pins.admit(wrong);
        assert!(admitted.is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_admitted_is_fetched_from_a_pinned_host_and_from_no_other(
        address in prop_oneof![
            "https://[a-z.@:/?#%\\\\-]{0,24}keys\\.example\\.com[a-z.@:/?#%\\\\-]{0,24}",
            "[a-z]{0,6}:?/{0,3}[a-zA-Z0-9.@:\\[\\]-]{0,24}(keys\\.example\\.com)?[ -~]{0,12}",
            "https://keys\\.example\\.com/certs/[a-z./%\\\\?#]{0,12}\\.pem",
        ],
    ) {
        let pins = Pins::new(vec!["keys.example.com".to_owned()], Some("/certs/*.pem".to_owned()));
        if let Ok(target) = pins.admit(&address) {
            prop_assert_eq!(target.host(), "keys.example.com", "{}", address);
            // What is asked for is what was looked at: another reader finds the same host and path.
            let again: http::Uri = target.to_string().parse().unwrap();
            prop_assert_eq!(again.authority().map(|it| it.as_str().to_ascii_lowercase()), Some("keys.example.com".to_owned()));
            prop_assert_eq!((again.scheme_str(), again.query()), (Some("https"), None));
            let segments: Vec<&str> = again.path().split('/').skip(1).collect();
            prop_assert!(segments.first() == Some(&"certs") && segments.last().is_some_and(|last| last.contains(".pem")), "{}", address);
            prop_assert!(segments.iter().all(|segment| !matches!(*segment, "" | "." | "..") && !segment.contains(['%', '\\'])));
        }
    }

    #[test]
    fn no_label_of_a_host_is_matched_by_another_s_pattern(
        host in "[a-z0-9-]{0,6}(\\.[a-z0-9-]{0,6}){0,4}", region in "[a-z0-9-]{1,8}",
    ) {
        let pins = Pins::new(vec!["sns.*.amazonaws.com".to_owned()], None);
        let right = format!("https://sns.{region}.amazonaws.com/x");
        prop_assert!(pins.admit(&right).is_ok(), "{}", right);
        for wrong in [
            format!("https://sns.{region}.amazonaws.com.{region}/x"),
            format!("https://{region}sns.{region}.amazonaws.com/x"),
            format!("https://sns.{region}.{region}.amazonaws.com/x"),
            format!("https://sns.{region}.amazonaws.co{region}/x"),
        ] {
            // `co` and `m` make the right one.
            prop_assert!(pins.admit(&wrong).is_err() || wrong == right || region == "m", "{}", wrong);
        }
        let labels: Vec<&str> = host.split('.').collect();
        let is_right = matches!(labels.as_slice(), ["sns", region, "amazonaws", "com"] if !region.is_empty());
        prop_assert_eq!(pins.admit(&format!("https://{host}/x")).is_ok(), is_right, "{}", host);
    }
}

#[tokio::test]
async fn a_document_is_fetched_over_tls_and_nothing_else_is() {
    let server = Server::holding("a document").await;
    let document = server.client().get(&target("https://keys.example.com/a?b=c")).await;
    assert_eq!(document.unwrap(), "a document");
    let other = server.client().get(&target("https://other.example.com/")).await;
    assert!(
        matches!(other, Err(FetchError::Unreachable(_))),
        "the certificate is for another name: {other:?}"
    );
    let distrusting = Client::new(RootCertStore::empty(), Some(server.address));
    let refused = distrusting.get(&target("https://keys.example.com/")).await;
    assert!(matches!(refused, Err(FetchError::Unreachable(_))), "{refused:?}");
    assert_eq!(server.asked.load(Ordering::SeqCst), 1, "no request was sent to whom we do not trust");
}

#[tokio::test]
async fn redirects_errors_and_large_answers_are_refused() {
    for status in [301_u16, 302, 204, 404, 500] {
        let answer = format!(
            "HTTP/1.1 {status} X\r\nlocation: https://keys.example.com/b\r\ncontent-length: 0\r\n\r\n"
        );
        let server = Server::answering(answer).await;
        let refused = server.client().get(&target("https://keys.example.com/a")).await;
        assert_eq!(refused, Err(FetchError::Refused(status)));
        assert_eq!(server.asked.load(Ordering::SeqCst), 1, "not followed");
    }
    let server = Server::holding(&"x".repeat(super::LARGEST + 1)).await;
    let large = server.client().get(&target("https://keys.example.com/a")).await;
    assert!(matches!(large, Err(FetchError::Unreachable(_))), "{large:?}");
}
