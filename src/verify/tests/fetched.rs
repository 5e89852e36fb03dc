//! Keys that are fetched: once for many who miss them, not again after a failure, and dropped when they are old; and the
//! whole way of a request whose key is not here yet.

use super::{NOW, json_web_tokens as tokens, public_keys, refusal, verifier};
use crate::{
    delivery::{Delivery, Quota},
    fetch::{Target, tests::Server},
    request::Request,
    verify::{
        Verifier, VerifyError, jwt,
        keys::Keys,
        remote::{PAUSE, Remote},
        scheme::Check,
    },
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const ADDRESS: &str = "https://keys.example.com/one.pem";

fn target() -> Target {
    Target::parse(ADDRESS).expect("an address")
}

fn text(document: &[u8], _: jiff::Timestamp) -> Result<String, String> {
    String::from_utf8(document.to_vec()).map_err(|error| error.to_string())
}

async fn fetch(remote: &Arc<Remote<String>>, server: &Server, fresh: Duration) {
    let _first = remote.client.set(server.client());
    Arc::clone(remote).fetch(ADDRESS, target(), fresh, text).await;
}

#[tokio::test]
async fn many_that_miss_a_key_fetch_it_once() {
    let server = Server::holding("a key").await;
    let remote = Remote::new();
    assert!(remote.get(ADDRESS).is_none());
    let all = (0..10).map(|_| fetch(&remote, &server, Duration::MAX));
    futures_util::future::join_all(all).await;
    assert_eq!(remote.get(ADDRESS).as_deref().map(String::as_str), Some("a key"));
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);
    remote.forget(ADDRESS);
    assert!(remote.get(ADDRESS).is_none(), "what is too old is not believed");
}

#[tokio::test]
async fn a_failure_is_not_tried_again_at_once_and_keeps_what_was_good() {
    let missing = Server::answering("HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let remote = Remote::new();
    for _ in 0..3 {
        fetch(&remote, &missing, Duration::MAX).await;
    }
    assert_eq!(missing.asked.load(Ordering::SeqCst), 1);
    assert!(remote.get(ADDRESS).is_none());

    let server = Server::holding("a key").await;
    let remote = Remote::new();
    fetch(&remote, &server, Duration::ZERO).await;
    tokio::time::pause();
    tokio::time::advance(PAUSE).await;
    tokio::time::resume();
    let unreadable = |_: &[u8], _| Err("not that".to_owned());
    Arc::clone(&remote).fetch(ADDRESS, target(), Duration::ZERO, unreadable).await;
    assert_eq!(server.asked.load(Ordering::SeqCst), 2, "the pause is over");
    assert_eq!(remote.get(ADDRESS).as_deref().map(String::as_str), Some("a key"));
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_no_key() {
    let server = Server::holding("a key").await;
    let remote: Arc<Remote<String>> = Remote::new();
    let never = |_: &[u8], _| Err("not that".to_owned());
    let _first = remote.client.set(server.client());
    Arc::clone(&remote).fetch(ADDRESS, target(), Duration::MAX, never).await;
    assert!(remote.get(ADDRESS).is_none());
}

/// Takes a request the way that the pipeline takes it.
async fn carry(verifier: &Verifier, request: Request) -> Result<(), VerifyError> {
    let shares = [1, 1].map(|part| Quota::new(part).take(part).expect("a share"));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    let delivery = Delivery::new(request, shares).verify_fetching(verifier, deadline).await;
    delivery.map(drop).map_err(|unproven| unproven.error)
}

fn remote_certificates(scheme: &str, server: &Server) -> Verifier {
    let verifier = verifier(scheme, &[]);
    let Some(Check::Signature(signature)) = verifier.schemes.first().map(|scheme| &scheme.check) else {
        panic!("a signature")
    };
    let Keys::Certificate(certificates) = &signature.keys else { panic!("certificates") };
    let _first = certificates.remote.client.set(server.client());
    verifier
}

#[tokio::test]
async fn a_certificate_is_fetched_for_the_first_request_that_names_it() {
    let server = Server::holding(&public_keys::fixture("certificate-1.pem")).await;
    let scheme = public_keys::CERTIFIED
        .replace(", files: [own.pem]", "")
        .replace("api.*.example.com", "keys.example.com");
    let verifier = remote_certificates(&scheme, &server);
    let mut good = public_keys::certified("{}", ADDRESS);
    good.received = "2027-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(carry(&verifier, good.clone()).await, Ok(()));
    assert_eq!(refusal(&verifier, &good), "secret", "it is here now");
    let mut late = good.clone();
    late.received = "2200-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(refusal(&verifier, &late), "malformed", "a certificate has its dates");
    let other = public_keys::certified("{}", "https://other.example.com/one.pem");
    assert!(matches!(carry(&verifier, other).await, Err(VerifyError::Malformed(_))));
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);

    let echo = format!("<Error>{}</Error>", public_keys::fixture("certificate-1.pem"));
    let verifier = remote_certificates(&scheme, &Server::holding(&echo).await);
    let answer = carry(&verifier, good.clone()).await;
    assert_eq!(answer, Err(VerifyError::KeyUnavailable(ADDRESS.to_owned())), "it must begin with the block");

    // The fixtures' certificates chain to nobody.
    let chained = scheme.replace("path:", "chain: true, path:");
    let verifier = remote_certificates(&chained, &server);
    assert_eq!(carry(&verifier, good).await, Err(VerifyError::KeyUnavailable(ADDRESS.to_owned())));
}

#[tokio::test]
async fn a_certificate_that_is_past_its_dates_is_fetched_again_at_the_same_address() {
    let server = Server::holding(&public_keys::fixture("certificate-1.pem")).await;
    let scheme = public_keys::CERTIFIED
        .replace(", files: [own.pem]", "")
        .replace("api.*.example.com", "keys.example.com");
    let verifier = remote_certificates(&scheme, &server);
    let at = |time: &str| Request {
        received: time.parse().expect("a time"),
        ..public_keys::certified("{}", ADDRESS)
    };
    assert_eq!(carry(&verifier, at("2027-01-01T00:00:00Z")).await, Ok(()));
    let (late, asked) = (at("2200-01-01T00:00:00Z"), || server.asked.load(Ordering::SeqCst));
    assert!(matches!(carry(&verifier, late.clone()).await, Err(VerifyError::Malformed(_))));
    assert_eq!(asked(), 1, "not at once");
    let pass = || async {
        tokio::time::pause();
        tokio::time::advance(PAUSE).await;
        tokio::time::resume();
    };
    pass().await;
    assert!(matches!(carry(&verifier, late.clone()).await, Err(VerifyError::Malformed(_))));
    assert_eq!(asked(), 2, "the same stands there");
    server.holds(&public_keys::fixture("certificate-1-renewed.pem"));
    pass().await;
    assert_eq!(carry(&verifier, late.clone()).await, Ok(()));
    assert_eq!((carry(&verifier, late).await, asked()), (Ok(()), 3));
}

#[tokio::test]
async fn for_a_signature_that_cannot_be_read_nothing_is_fetched() {
    let server = Server::holding(&public_keys::fixture("certificate-1.pem")).await;
    let scheme = public_keys::CERTIFIED
        .replace(", files: [own.pem]", "")
        .replace("api.*.example.com", "keys.example.com");
    let verifier = remote_certificates(&scheme, &server);
    for signature in ["", "***", "no base64!", "YQ==="] {
        let mut request = public_keys::certified("{}", ADDRESS);
        request.headers.insert("x-s", signature.parse().expect("a value"));
        let answer = carry(&verifier, request).await;
        assert!(matches!(answer, Err(VerifyError::Malformed(_))), "{signature}: {answer:?}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_key_set_is_fetched_for_the_first_token_and_kept_for_the_next() {
    let server = Server::holding(&tokens::fixture("rsa.jwks.json")).await;
    let scheme = "{ algorithm: jwt, jwt: { algorithms: [RS256], jwks: 'https://keys.example.com/keys', audience: us } }";
    let verifier = verifier(scheme, &[]);
    let Some(Check::Jwt(check)) = verifier.schemes.first().map(|scheme| &scheme.check) else {
        panic!("a token")
    };
    let Some(jwt::Source { remote: Some((_, remote)), .. }) = &check.source else { panic!("an address") };
    let _first = remote.client.set(server.client());

    let header = serde_json::json!({ "alg": "RS256", "kid": tokens::kid("rsa.jwks.json") });
    let token =
        |audience: &str| tokens::token(&header, &serde_json::json!({ "aud": audience, "exp": NOW + 60 }));
    let good = tokens::bearer(&token("us"), "{}");
    assert_eq!(
        refusal(&verifier, &good),
        "key_unavailable",
        "nothing is here yet, which is no fault of the sender"
    );
    assert_eq!(carry(&verifier, good.clone()).await, Ok(()));
    assert_eq!(carry(&verifier, good).await, Ok(()));
    let foreign = carry(&verifier, tokens::bearer(&token("others"), "{}")).await;
    assert!(matches!(foreign, Err(VerifyError::Malformed(_))), "{foreign:?}");
    verifier.refresh().await;
    assert_eq!(server.asked.load(Ordering::SeqCst), 1, "fresh keys are not fetched again");
}

#[tokio::test]
async fn a_genuine_address_is_tried_while_a_flood_of_others_hangs() {
    // Junk is never answered.
    let server = Server::holding("a key").await;
    server.hang_on("/junk");
    let remote: Arc<Remote<String>> = Remote::new();
    let _first = remote.client.set(server.client());
    let flood: Vec<_> = (0..12)
        .map(|number| {
            let address = format!("https://keys.example.com/junk-{number}.pem");
            let target = Target::parse(&address).expect("an address");
            let remote = Arc::clone(&remote);
            tokio::spawn(async move { remote.fetch(&address, target, Duration::MAX, text).await })
        })
        .collect();
    tokio::task::yield_now().await;
    fetch(&remote, &server, Duration::MAX).await;
    assert!(remote.get(ADDRESS).is_some(), "it had its turn");
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_proven_key_makes_no_room_for_others() {
    let server = Server::holding("a key").await;
    let remote: Arc<Remote<String>> = Remote::new();
    fetch(&remote, &server, Duration::MAX).await;
    remote.prove(ADDRESS);
    for number in 0..40 {
        let address = format!("https://keys.example.com/{number}.pem");
        let target = Target::parse(&address).expect("an address");
        Arc::clone(&remote).fetch(&address, target, Duration::MAX, text).await;
    }
    assert!(remote.get(ADDRESS).is_some());
    assert!(remote.get("https://keys.example.com/0.pem").is_none(), "the oldest of the others is gone");
}
