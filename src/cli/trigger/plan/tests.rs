//! Which sample the name of an event finds, and what is said where it finds none.

use super::*;
use std::collections::BTreeMap;

fn samples() -> Vec<SampleSpec> {
    let sample = |names: &[&str], body: &str| SampleSpec {
        names: names.iter().map(ToString::to_string).collect(),
        headers: BTreeMap::new(),
        body: body.to_owned(),
    };
    vec![
        sample(&["RESERVATION_CREATED", "RESERVATION_UPDATED"], r#"{"t":"$name","o":"RESERVATION"}"#),
        sample(&["TASK_CREATED"], r#"{"t":"$name","o":"TASK"}"#),
        sample(&["PING"], r#"{"t":"PING"}"#),
    ]
}

fn body_of(event: &str) -> (String, Option<String>) {
    let samples = samples();
    let (sample, note) = find_sample(&samples, event).unwrap();
    (sample.body.clone(), note)
}

#[test]
fn a_sample_is_found_by_any_of_its_names() {
    assert_eq!(body_of("RESERVATION_UPDATED"), (r#"{"t":"$name","o":"RESERVATION"}"#.to_owned(), None));
    assert_eq!(body_of("PING").0, r#"{"t":"PING"}"#);
}

#[test]
fn a_name_without_a_sample_takes_the_family_most_like_it_and_says_so() {
    let (body, note) = body_of("TASK_ARCHIVED");
    assert!(body.contains("TASK"));
    assert!(note.unwrap().contains("in the form of TASK_CREATED"));
    assert!(body_of("SOMETHING_NEW").0.contains("RESERVATION"));
}

#[test]
fn a_slip_of_the_hand_is_pointed_out() {
    assert!(body_of("RESERVATION_CREATES").1.unwrap().contains("did you mean RESERVATION_CREATED?"));
}

#[test]
fn a_sender_whose_samples_have_fixed_names_takes_no_others() {
    let fixed = &samples()[2..];
    let stop = find_sample(fixed, "PONG").unwrap_err();
    assert!(stop.to_string().contains("PING"), "{stop}");
    assert!(find_sample(&[], "PONG").unwrap_err().to_string().contains("--data"));
}
