//! What the samples of a preset are about: all that is told of one object has its key, so that it is in order, and two objects
//! never share one.

use super::{
    sample,
    source::{self, Source},
};
use std::collections::BTreeSet;

/// Returns the keys of the events of one sample.
fn keys(source: &Source, name: &str) -> Vec<String> {
    let sample = source.samples().iter().find(|sample| sample.names.iter().any(|own| own == name)).unwrap();
    let request = source.signed(&sample::request(source, sample, name, source::now()), 0);
    let events = source.events(request).unwrap();
    events.into_iter().filter_map(|event| event.key).collect()
}

#[test]
fn all_that_is_told_of_one_object_has_one_key() {
    let of_a_pull_request = &["pull_request.opened", "issue_comment.created"][..];
    for (preset, names) in [
        ("github", &["pull_request.opened", "issue_comment.created", "pull_request_review.submitted"][..]),
        ("gitea", of_a_pull_request),
        ("forgejo", of_a_pull_request),
        ("gogs", of_a_pull_request),
        ("gitlab", &["note", "work_item.update"]),
        ("discord", &["LOBBY_MESSAGE_CREATE", "LOBBY_MESSAGE_DELETE"]),
        ("twilio", &["onMessageAdded", "onMessageUpdated"]),
        ("twilio", &["task.created", "reservation.accepted"]),
        ("propexo", &["SYNC_COMPLETE", "sync"]),
    ] {
        let source = Source::new(preset);
        let all: BTreeSet<String> = names.iter().flat_map(|name| keys(&source, name)).collect();
        assert_eq!(all.len(), 1, "{preset}: {all:?}");
    }
}

#[test]
fn two_objects_never_share_a_key() {
    for (preset, names) in [
        ("github", &["pull_request.opened", "issues.opened"][..]),
        ("github-form", &["issue_comment.created", "issues.opened"]),
        ("azure-event-grid", &["Acme.Door.Opened", "Microsoft.Storage.BlobCreated"]),
        ("adyen", &["AUTHORISATION", "CAPTURE", "REPORT_AVAILABLE"]),
        ("dropbox", &["several"]),
    ] {
        let source = Source::new(preset);
        let all: Vec<String> = names.iter().flat_map(|name| keys(&source, name)).collect();
        assert!(all.len() > 1, "{preset}: {all:?}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{preset}: {all:?}");
    }
}
