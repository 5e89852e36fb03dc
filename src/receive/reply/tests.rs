//! Each refusal's status, headers and body; the bodies of success.

use super::*;
use crate::{
    record::{Plan, PublishError},
    verify::VerifyError,
};
use http_body_util::BodyExt as _;
use std::collections::BTreeSet;

/// One refusal of every kind, and more than one where a kind has several causes.
fn refusals() -> Vec<Refusal> {
    let unverified = [
        VerifyError::Missing("header `x-signature`".to_owned()),
        VerifyError::Repeated("x-signature".to_owned()),
        VerifyError::Malformed("not hex".to_owned()),
        VerifyError::Mismatch,
        VerifyError::Expired { off_by_seconds: 900 },
    ];
    let sinks = [
        PublishError::Unprepared("bus".to_owned()),
        PublishError::Unavailable("no answer".to_owned()),
        PublishError::Down { seconds: 12 },
        PublishError::Saturated,
        PublishError::Misconfigured("no topic".to_owned()),
        PublishError::Refused("no permission".to_owned()),
        PublishError::TooLarge("1 MiB".to_owned()),
        PublishError::Full("no room".to_owned()),
        PublishError::Disk("full".to_owned()),
    ];
    let unpublished = sinks.map(|error| Refusal::Unpublished { sink: "bus".to_owned(), error });
    let mut all = vec![
        Refusal::UnknownSource,
        Refusal::MethodNotAllowed { allowed: "POST".to_owned() },
        Refusal::Unanswered,
        Refusal::Unready("it is not agreed".to_owned()),
        Refusal::Malformed("two hosts".into()),
        Refusal::HeadTooLarge,
        Refusal::Unsized,
        Refusal::TooLarge { limit: 10 },
        Refusal::Encoded,
        Refusal::Stalled,
        Refusal::Unkeyed,
        Refusal::KeyUnavailable("https://keys.example.com/".to_owned()),
        Refusal::Overloaded("requests"),
        Refusal::InFlight,
        Refusal::Deadline,
        Refusal::Internal,
    ];
    all.extend(unverified.map(Refusal::from));
    all.extend(unpublished);
    all
}

async fn body(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn receipt(id: &str) -> Receipt {
    Receipt::new(id.to_owned(), Plan::Drop.targets().unwrap_err())
}

#[test]
fn the_list_of_codes_is_the_codes_of_all_refusals() {
    let shown: BTreeSet<&str> = refusals().iter().map(Refusal::code).collect();
    assert_eq!(shown, BTreeSet::from(Refusal::CODES));
}

#[test]
fn only_what_the_sender_must_change_is_a_4xx_and_nothing_redirects() {
    for refusal in refusals() {
        let response = refused(&refusal, true);
        let status = response.status().as_u16();
        let is_senders = refusal.fault() == Fault::Sender;
        assert!(if is_senders { (400..500).contains(&status) } else { status == 503 }, "{refusal}: {status}");
        assert_eq!(response.headers().contains_key(header::RETRY_AFTER), !is_senders, "{refusal}");
        assert!(!response.headers().contains_key(header::LOCATION), "{refusal}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_that_names_its_public_code_only() {
    for refusal in refusals() {
        let response = refused(&refusal, true);
        let status = response.status().as_u16();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let problem: serde_json::Value = serde_json::from_str(&body(response).await).unwrap();
        assert_eq!(problem["code"], refusal.code());
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        let members: Vec<&String> = problem.as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "status", "title", "type"], "nothing of the reason is told");
    }
}

#[tokio::test]
async fn every_failed_check_looks_the_same() {
    let mut seen = BTreeSet::new();
    for refusal in refusals().into_iter().filter(|refusal| matches!(refusal, Refusal::Unverified(..))) {
        let response = refused(&refusal, true);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
        let headers = format!("{:?}", response.headers());
        seen.insert((headers, body(response).await));
    }
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_refusal_without_a_body_differs_in_nothing_else() {
    for refusal in refusals().into_iter().filter(|refusal| refusal.fault() == Fault::Sender) {
        let (with, without) = (refused(&refusal, true), refused(&refusal, false));
        assert_eq!(without.status(), with.status());
        let mut headers = with.headers().clone();
        headers.remove(header::CONTENT_TYPE);
        assert_eq!(*without.headers(), headers);
        assert_eq!(body(without).await, "", "{refusal}");
    }
}

#[test]
fn a_wrong_method_is_told_the_right_one_and_an_unread_body_ends_the_connection() {
    let wrong = Refusal::MethodNotAllowed { allowed: "POST, GET".to_owned() };
    assert_eq!(refused(&wrong, true).headers()[header::ALLOW], "POST, GET");
    let malformed = Refusal::Malformed("two lengths".into());
    for refusal in
        [Refusal::TooLarge { limit: 1 }, Refusal::Stalled, Refusal::Encoded, Refusal::Unsized, malformed]
    {
        assert_eq!(refused(&refusal, true).headers()[header::CONNECTION], "close", "{refusal}");
    }
    assert!(!refused(&Refusal::Deadline, true).headers().contains_key(header::CONNECTION));
}

#[test]
fn pauses_are_whole_seconds_spread_from_5_to_15() {
    let pauses: BTreeSet<u32> = (0..RETRY_SPREAD).map(|_| retry_after()).collect();
    assert!(pauses.iter().all(|pause| (5..=15).contains(pause)), "{pauses:?}");
    assert!(pauses.len() > 5, "other tests take turns too, but most stay: {pauses:?}");
}

#[tokio::test]
async fn a_success_names_its_events_and_has_the_configured_status_and_body() {
    let response = accepted(&[receipt("a")], 200, &Bytes::new());
    assert_eq!(
        (response.status(), &response.headers()[EVENT_ID]),
        (StatusCode::OK, &HeaderValue::from_static("a"))
    );
    assert!(!response.headers().contains_key(header::CONTENT_TYPE));
    assert_eq!(body(response).await, "");

    let response = accepted(&[receipt("a"), receipt("b")], 204, &Bytes::new());
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()[EVENT_ID], "a,b");

    let response = accepted(&[receipt("a")], 200, &Bytes::from_static(b"{\"ok\":true}"));
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let response = accepted(&[receipt("a")], 200, &Bytes::from_static(b"<b>ok"));
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[test]
fn an_id_that_no_header_holds_is_left_out() {
    let response = accepted(&[receipt("a\r\nset-cookie: b")], 200, &Bytes::new());
    assert!(!response.headers().contains_key(EVENT_ID));
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn the_ids_of_many_events_are_bounded() {
    let listed = |ids: &[String]| {
        let receipts: Vec<Receipt> = ids.iter().map(|id| receipt(id)).collect();
        let response = accepted(&receipts, 200, &Bytes::new());
        response.headers().get(EVENT_ID).map(|ids| ids.to_str().unwrap().to_owned())
    };
    let numbers = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(listed(&numbers(3)).as_deref(), Some("0,1,2"));
    assert_eq!(listed(&numbers(20)), Some(numbers(20).join(",")));
    assert_eq!(listed(&numbers(523)), Some(format!("{},+503", numbers(20).join(","))));
    let mixed = ["a", "\u{e9}", "b"].map(str::to_owned);
    assert_eq!(listed(&mixed).as_deref(), Some("a,b,+1"), "what no header holds is only counted");
    let long = vec!["x".repeat(1000); 5];
    assert_eq!(listed(&long), Some(format!("{0},{0},+3", "x".repeat(1000))));
    assert_eq!(listed(&["\u{e9}".to_owned()]), None);
    assert_eq!(listed(&vec!["\u{e9}".to_owned(); 2]).as_deref(), Some("+2"));
}
