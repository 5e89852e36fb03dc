//! Payloads as real senders write them: lists, lists in lists, lines, forms, forms that hold JSON. Each element is
//! an event of its own; one that fails, or can't be mapped, takes no other along.

use crate::{
    bridge::Bridge,
    client::{Connection, Reply, post},
    doubles::Fault,
    samples::hmac,
    series,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookway::record::PublishError;
use serde_json::Value;
use std::{
    future::poll_fn,
    mem,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
};

const CONFIG: &str = "
sources:
  mail:
    preset: hmac
    secrets: [ file:$home/secret ]
    event:
      format: json
      each: /*
      type_prefix: com.mail
      type: ./event
      object: message
      object_id: ./sg_message_id
      id: '{./sg_event_id}'
      time: ./timestamp
  pages:
    preset: hmac
    secrets: [ file:$home/secret ]
    event:
      each: /entry/*/changes/*|/entry/*/messaging/*|/entry/*
      type: '{/object}.{./field|''message''}'
      key: page:{../id}
      time: ../time
      id: '{index}-{sha256:32}'
  logs:
    preset: hmac
    secrets: [ file:$home/secret ]
    event: { each: '/*|lines', type: ./data/type, key: 'user:{./data/user_id}', id: '{./log_id}' }
  graph:
    preset: hmac
    secrets: [ file:$home/secret ]
    event: { each: /value/*, type: ./changeType, object: resource, object_id: ./resourceData/id }
  chat:
    preset: hmac
    secrets: [ file:$home/secret ]
    event:
      type: '{/event/type|form:payload/type|form:command}'
      key: '{/team_id|form:payload/team/id|form:team_id}'
  calls:
    preset: hmac
    secrets: [ file:$home/secret ]
    event:
      format: form
      type: form:MessageStatus
      object: message
      object_id: form:MessageSid
      id: '{header:i-twilio-idempotency-token}-{sha256:32}'
  tenants:
    preset: hmac
    secrets: [ file:$home/secret ]
    event: { type: 'order[.{path:2}]', account: path:1, key: '{path:1}:{/id}' }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(bridge: &Bridge, source: &str, kind: &str, body: &str) -> Reply {
    let signature = hmac(body.as_bytes());
    let headers = [
        ("x-signature", signature.as_str()),
        ("content-type", kind),
        ("i-twilio-idempotency-token", "try-1"),
    ];
    bridge.send(&post(&format!("/hooks/{source}"), &headers, body.as_bytes())).await
}

/// Returns one attribute of all that a sink holds; absent ones are empty.
fn all(bridge: &Bridge, sink: &str, attribute: &str) -> Vec<String> {
    let text = |envelope: &Value| envelope[attribute].as_str().unwrap_or_default().to_owned();
    bridge.stored(sink).iter().map(|stored| text(&stored.envelope)).collect()
}

fn mail(id: &str, message: &str, at: u32) -> String {
    format!(r#"{{"event":"delivered", "sg_event_id":"{id}","sg_message_id":"{message}","timestamp":{at}}}"#)
}

fn accounted(bridge: &Bridge) {
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn an_element_that_cannot_be_mapped_is_put_aside_alone() {
    let bridge = Bridge::start(CONFIG).await;
    let (first, unnamed, last) = (mail("e1", "m1", 10), r#"{"event":"open","n":1.0}"#, mail("e3", "m3", 20));
    let reply =
        send(&bridge, "mail", "application/json", &format!("[{first},\r\n {unnamed},{last}]\r\n")).await;
    assert_eq!(reply.status, 200);
    let (kept, aside) = (bridge.stored("kept"), bridge.stored("aside"));
    assert_eq!(all(&bridge, "kept", "id"), ["e1", "e3"]);
    assert_eq!(all(&bridge, "kept", "partitionkey"), ["message:m1", "message:m3"]);
    assert_eq!((kept[0].data(), kept[1].data()), (first.as_bytes(), last.as_bytes()), "byte for byte");
    assert_eq!((aside.len(), aside[0].data()), (1, unnamed.as_bytes()));
    let id = aside[0].envelope["id"].as_str().unwrap();
    assert!(id.starts_with("sha256:") && id.ends_with("/1"), "{id}");
    assert_eq!(reply.event_id(), format!("e1,{id},e3"));
    let quarantined = [("source", "mail"), ("reason", "unrecognized")];
    assert_eq!(bridge.count("hookway_events_quarantined_total", &quarantined), 1);
    assert_eq!(bridge.count("hookway_events_accepted_total", &[("source", "mail")]), 3);
    accounted(&bridge);
}

#[tokio::test]
async fn a_retry_of_a_list_publishes_only_what_was_missing() {
    let bridge = Bridge::start(CONFIG).await;
    let body = format!(
        r#"[{},{},{{"event":"lost"}},{}]"#,
        mail("e1", "m1", 1),
        mail("e2", "BROKEN", 2),
        mail("e3", "m3", 3)
    );
    bridge.sink("kept").becomes(Fault::FailsFor("BROKEN", PublishError::Unavailable("planted".to_owned())));
    for _ in 0..2 {
        let reply = send(&bridge, "mail", "application/json", &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "sink_unavailable"));
    }
    let held = all(&bridge, "kept", "id");
    assert!(!held.contains(&"e2".to_owned()) && held.len() <= 2, "{held:?}");

    bridge.sink("kept").becomes(Fault::None);
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.status, 200);
    let mut ids = all(&bridge, "kept", "id");
    ids.sort();
    assert_eq!(ids, ["e1", "e2", "e3"], "each stands once");
    assert_eq!(bridge.stored("aside").len(), 1);
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.status, 200);
    assert_eq!((bridge.stored("kept").len(), bridge.stored("aside").len()), (3, 1));
    assert_eq!(bridge.count("hookway_events_published_total", &[("source", "mail")]), 3);
    accounted(&bridge);
}

#[tokio::test]
async fn a_panic_over_one_element_leaves_the_others_counted() {
    let bridge = Bridge::start(CONFIG).await;
    let body = format!("[{},{},{}]", mail("e1", "m1", 1), mail("e2", "BROKEN", 2), mail("e3", "m3", 3));
    bridge.sink("kept").becomes(Fault::PanicsFor("BROKEN"));
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.code(), "internal");
    accounted(&bridge);
    bridge.sink("kept").becomes(Fault::None);
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.status, 200);
    let mut ids = all(&bridge, "kept", "id");
    ids.sort();
    assert_eq!(ids, ["e1", "e2", "e3"]);
    accounted(&bridge);
}

#[tokio::test]
async fn a_long_list_keeps_the_order_of_each_object_and_names_its_first_events() {
    let bridge = Bridge::start(CONFIG).await;
    let mails: Vec<String> =
        (0..400).map(|n| mail(&format!("e{n:03}"), &format!("m{}", n % 7), 400 - n)).collect();
    let reply = send(&bridge, "mail", "application/json", &format!("[{}]", mails.join(","))).await;
    assert_eq!(reply.status, 200);
    assert!(reply.event_id().starts_with("e000,e001,") && reply.event_id().ends_with("e019,+380"));
    let stored = bridge.stored("kept");
    assert_eq!(stored.len(), 400);
    for object in 0..7 {
        let key = format!("message:m{object}");
        let of_object = stored.iter().filter(|event| event.record.key.as_deref() == Some(&key));
        let ids: Vec<&str> = of_object.map(|event| event.envelope["id"].as_str().unwrap()).collect();
        assert!(ids.len() > 50 && ids.is_sorted(), "{key}: {ids:?}");
    }
    // The times run backwards: every event but the first of each object is older than one before.
    assert_eq!(bridge.count("hookway_events_out_of_order_total", &[("source", "mail")]), 393);
    accounted(&bridge);
}

#[tokio::test]
async fn the_events_of_all_lists_at_once_are_bounded_and_those_of_one_source_leave_room() {
    let bridge = Bridge::start(CONFIG).await;
    bridge.sink("aside").becomes(Fault::HeldThenFails);
    let signed = |source: &str, number: usize| {
        let body = format!("[{}{number}]", "1,".repeat(9_999));
        let signature = hmac(body.as_bytes());
        let headers = [("x-signature", signature.as_str()), ("content-type", "application/json")];
        post(&format!("/hooks/{source}"), &headers, body.as_bytes())
    };
    // Bodies of 20 kB hold nearly all the events that may be on their way: of one source, then of all.
    let (mut held, mut handed) = (Vec::new(), 0);
    for (source, lists) in [("mail", 4), ("logs", 2)] {
        for number in 0..lists {
            let mut connection = Connection::open(bridge.address).await;
            connection.send(&signed(source, number)).await;
            held.push(connection);
            handed += 64;
        }
        bridge.handed("aside", handed).await;
        let refused = bridge.send(&signed(source, 7)).await;
        assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"), "{source}");
    }

    for _ in 0..handed {
        bridge.sink("aside").let_one_through();
    }
    for connection in &mut held {
        assert_eq!(connection.reply().await.unwrap().status, 503, "its sink has failed");
    }
    bridge.sink("aside").becomes(Fault::None);
    bridge.until_in_flight(0).await;
    assert_eq!(send(&bridge, "mail", "application/json", "[1,2,3]").await.status, 200);
    accounted(&bridge);
}

/// Lets every other task have one turn. Tokio's own yield waits until none is left that wants one.
async fn turn() {
    let mut is_over = false;
    poll_fn(|context| {
        if mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_list_of_repeats_lets_others_have_their_turns() {
    // Sockets are looked at after each turn, though another task always wants one.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().event_interval(1).build().unwrap();
    runtime.block_on(repeats_are_told_in_many_turns());
}

async fn repeats_are_told_in_many_turns() {
    let bridge = Bridge::start(CONFIG).await;
    let elements: Vec<String> = (0..1000)
        .map(|n| format!(r#"{{"event":"open","sg_message_id":"m{n}","sg_event_id":"e{n}"}}"#))
        .collect();
    let body = format!("[{}]", elements.join(","));
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.status, 200);
    // The server runs on this thread, so that its turns and those of another task alternate.
    let (metrics, most) = (bridge.metrics.clone(), Arc::new(AtomicI64::new(0)));
    let (kept, mut before) = (Arc::clone(&most), 0);
    let other = tokio::spawn(async move {
        loop {
            turn().await;
            let text = metrics.render().unwrap();
            let now = series::sum(&text, "hookway_events_suppressed_total", &[("source", "mail")]);
            kept.fetch_max(now - before, Ordering::Relaxed);
            before = now;
        }
    });
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.status, 200);
    other.abort();
    let most = most.load(Ordering::Relaxed);
    assert!((1..=256).contains(&most), "{most} of 1000 repeats in one turn");
    assert_eq!(bridge.count("hookway_events_suppressed_total", &[("source", "mail")]), 1000);
}

#[tokio::test]
async fn more_elements_than_are_taken_are_put_aside_as_one() {
    let bridge = Bridge::start(CONFIG).await;
    let body = format!("[{}1]", "1,".repeat(10_000));
    assert_eq!(send(&bridge, "mail", "application/json", &body).await.status, 200);
    assert_eq!(all(&bridge, "aside", "hookwayreason"), ["malformed"]);
    assert_eq!(bridge.stored("aside")[0].data(), body.as_bytes());
    assert_eq!(send(&bridge, "mail", "application/json", "[]").await.status, 200);
    assert_eq!(all(&bridge, "aside", "hookwayreason"), ["malformed", "unrecognized"]);
}

#[tokio::test]
async fn a_sign_of_life_is_a_success_without_an_event() {
    let bridge = Bridge::start(&CONFIG.replace("each: /value/*,", "each: /value/*, empty: ignore,")).await;
    let reply = send(&bridge, "graph", "application/json", r#"{"value":[]}"#).await;
    assert_eq!((reply.status, reply.header("hookway-event-id")), (200, None));
    assert!(bridge.stored("kept").is_empty() && bridge.stored("aside").is_empty());
    assert_eq!(bridge.count("hookway_events_accepted_total", &[("source", "graph")]), 0);
    assert_eq!(bridge.count("hookway_http_requests_total", &[("source", "graph"), ("code", "200")]), 1);
    accounted(&bridge);
}

#[tokio::test]
async fn lists_in_lists_find_their_object_around_them() {
    let bridge = Bridge::start(CONFIG).await;
    let body = r#"{"object":"page","entry":[
        {"id":"p1","time":1700000000,"changes":[{"field":"feed","value":1},{"field":"likes","value":2}]},
        {"id":"p2","messaging":[{"text":"hi"}]}, {"id":"p3","standby":[]}]}"#;
    let reply = send(&bridge, "pages", "application/json", body).await;
    assert_eq!(reply.status, 200);
    let mut kept: Vec<_> = all(&bridge, "kept", "id").into_iter().zip(bridge.stored("kept")).collect();
    // Only the events of one object stand in an order; the id begins with the place in the body.
    kept.sort_by(|(one, _), (other, _)| one.cmp(other));
    let found: Vec<_> = kept
        .iter()
        .map(|(id, stored)| {
            let place = id.split('-').next().unwrap();
            (place, stored.envelope["type"].as_str().unwrap(), stored.record.key.as_deref().unwrap())
        })
        .collect();
    let expected = [
        ("0", "dev.hookway.page.feed", "page:p1"),
        ("1", "dev.hookway.page.likes", "page:p1"),
        ("2", "dev.hookway.page.message", "page:p2"),
    ];
    assert_eq!(found, expected);
    assert_eq!(kept[2].1.data(), br#"{"text":"hi"}"#);
    let aside = bridge.stored("aside");
    assert_eq!((aside.len(), aside[0].data()), (1, &br#"{"id":"p3","standby":[]}"#[..]), "not left behind");
    assert_eq!(send(&bridge, "pages", "application/json", body).await.event_id(), reply.event_id());
    assert_eq!(bridge.stored("kept").len(), 3, "the same body again is the same events");
}

#[tokio::test]
async fn lines_of_json_are_events_as_a_list_is() {
    let bridge = Bridge::start(CONFIG).await;
    let line = |id: &str| format!(r#"{{"log_id":"{id}","data":{{"type":"s","user_id":"auth0|{id}"}}}}"#);
    let lines = format!("{}\r\n{}\nbroken\n", line("1"), line("2"));
    assert_eq!(send(&bridge, "logs", "application/x-ndjson", &lines).await.status, 200);
    let list = format!("[{},{}]", line("3"), line("1"));
    assert_eq!(send(&bridge, "logs", "application/json", &list).await.status, 200);
    assert_eq!(all(&bridge, "kept", "id"), ["1", "2", "3"], "an element seen in another request is a repeat");
    assert_eq!(all(&bridge, "kept", "partitionkey")[0], "user:auth0|1");
    assert_eq!(all(&bridge, "aside", "hookwayreason"), ["malformed"]);
    assert_eq!(all(&bridge, "aside", "data_base64"), ["YnJva2Vu"]);
    assert_eq!(bridge.count("hookway_events_suppressed_total", &[("source", "logs")]), 1);
}

#[tokio::test]
async fn a_list_below_a_member_is_divided_and_a_body_without_it_is_one_event() {
    let bridge = Bridge::start(CONFIG).await;
    let body = r#"{"value":[{"changeType":"updated","resourceData":{"id":"r1"}},{"changeType":"deleted","resourceData":{"id":"r2"}}]}"#;
    assert_eq!(send(&bridge, "graph", "application/json", body).await.status, 200);
    let alone = r#"{"changeType":"missed","resourceData":{"id":"r3"}}"#;
    assert_eq!(send(&bridge, "graph", "application/json", alone).await.status, 200);
    assert_eq!(all(&bridge, "kept", "subject"), ["resource/r1", "resource/r2", "resource/r3"]);
    assert_eq!(bridge.stored("kept")[2].data(), alone.as_bytes());
}

#[tokio::test]
async fn forms_and_the_json_in_them_are_read_and_kept_as_sent() {
    let bridge = Bridge::start(CONFIG).await;
    let payload = "payload=%7B%22type%22%3A%22block_actions%22%2C%22team%22%3A%7B%22id%22%3A%22T1%22%7D%7D";
    for (kind, body) in [
        ("application/json", r#"{"team_id":"T0","event":{"type":"message","text":"&payload={}"}}"#),
        (FORM, payload),
        (FORM, "command=%2Fweather&team_id=T2"),
    ] {
        assert_eq!(send(&bridge, "chat", kind, body).await.status, 200, "{body}");
    }
    let sms = "MessageSid=SM1&MessageStatus=delivered&To=%2B431";
    assert_eq!(send(&bridge, "calls", FORM, sms).await.status, 200);
    assert_eq!(send(&bridge, "calls", "application/json", "{}").await.status, 200);

    let names =
        ["message", "block_actions", "/weather", "delivered"].map(|name| format!("dev.hookway.{name}"));
    assert_eq!(all(&bridge, "kept", "type"), names);
    assert_eq!(all(&bridge, "kept", "partitionkey"), ["T0", "T1", "T2", "message:SM1"]);
    assert!(all(&bridge, "kept", "id")[3].starts_with("try-1-"));
    let kept = bridge.stored("kept");
    assert_eq!(kept[1].envelope["data_base64"], STANDARD.encode(payload));
    assert_eq!(kept[3].envelope["datacontenttype"], FORM);
    assert_eq!(all(&bridge, "aside", "hookwayreason"), ["malformed"], "that is no form");
}

#[tokio::test]
async fn a_type_from_a_header_that_nobody_signed_is_marked() {
    let config =
        CONFIG.replace("sinks:", "  hub: { preset: github, secrets: [ file:$home/secret ] }\nsinks:");
    let bridge = Bridge::start(&config).await;
    let body = r#"{"action":"opened","issue":{"number":1},"repository":{"id":2}}"#;
    let signature = format!("sha256={}", hmac(body.as_bytes()));
    let headers = [
        ("x-hub-signature-256", signature.as_str()),
        ("x-github-event", "issues"),
        ("x-github-delivery", "d1"),
        ("content-type", "application/json"),
    ];
    assert_eq!(bridge.send(&post("/hooks/hub", &headers, body.as_bytes())).await.status, 200);
    let envelope = &bridge.stored("kept")[0].envelope;
    assert_eq!(
        (&envelope["type"], &envelope["typeunsigned"]),
        (&"com.github.issues.opened".into(), &true.into())
    );
    send(&bridge, "graph", "application/json", r#"{"changeType":"a","resourceData":{"id":1}}"#).await;
    assert!(bridge.stored("kept")[1].envelope.get("typeunsigned").is_none());
}

#[tokio::test]
async fn a_longer_path_is_taken_only_where_events_read_it() {
    let bridge = Bridge::start(CONFIG).await;
    let body = r#"{"id":7}"#;
    assert_eq!(send(&bridge, "tenants/acme%20ag/paid", "application/json", body).await.status, 200);
    assert_eq!(all(&bridge, "kept", "source"), ["/hmac/tenants/acme%20ag"]);
    assert_eq!(all(&bridge, "kept", "type"), ["dev.hookway.order.paid"]);
    assert_eq!(all(&bridge, "kept", "partitionkey"), ["acme ag:7"]);
    assert_eq!(bridge.stored("kept")[0].envelope["typeunsigned"], true, "nothing covers the path");
    assert_eq!(send(&bridge, "calls/acme", "application/json", body).await.status, 404);
    accounted(&bridge);
}
