//! The routing table against a model: rules are tried from the top, each with its patterns written out by hand.

use super::{event, planned, route};
use crate::{
    event::Event,
    route::{Routes, Unplanned},
};
use proptest::prelude::*;

/// A pattern as a person reads it: `*` for any text, `?` for one character.
fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) if fits(rest, text) => true,
        (Some(('*', _)), Some((_, behind))) => fits(pattern, behind),
        (Some((wanted, rest)), Some((found, behind))) => {
            (*wanted == '?' || wanted == found) && fits(rest, behind)
        }
        _ => false,
    }
}

fn matches(pattern: Option<&String>, text: &str) -> bool {
    let characters = |text: &str| text.chars().collect::<Vec<_>>();
    pattern.is_none_or(|pattern| fits(&characters(pattern), &characters(text)))
}

/// One rule: its patterns, and where it leads; nowhere for `drop`.
type Rule = ([Option<String>; 3], Vec<&'static str>);

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let pattern = || prop::option::weighted(0.6, "[ab*?]{1,4}");
    let to = prop::sample::subsequence(vec!["one", "two", "three"], 0..3);
    let rule = ([pattern(), pattern(), pattern()], to);
    prop::collection::vec(rule, 0..6)
}

/// Returns where the first rule leads that fits all that it asks.
fn model<'r>(rules: &'r [Rule], event: &Event) -> Option<&'r [&'static str]> {
    let fits = |([source, kind, object], _): &&Rule| {
        matches(source.as_ref(), &event.source_name)
            && matches(kind.as_ref(), &event.kind)
            // What is about no object is about none of theirs.
            && (object.is_none() || event.object().is_some_and(|own| matches(object.as_ref(), own)))
    };
    rules.iter().find(fits).map(|(_, to)| to.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_first_rule_that_fits_all_it_asks_decides(
        rules in rules(), source in "[ab]{1,3}", kind in "[ab]{1,4}", subject in prop::option::of("[ab]{1,3}(/[ab]{1,2})?"),
    ) {
        let made = rules.iter().map(|([source, kind, object], to)| {
            route(source.as_deref(), kind.as_deref(), object.as_deref(), to)
        });
        let routes = Routes::new(made.collect());
        let event = event(&source, &kind, subject.as_deref(), None);
        match model(&rules, &event) {
            None => {
                let unplanned: Unplanned = routes.plan(&event).unwrap_err();
                prop_assert!(!unplanned.detail.is_empty());
            }
            Some([]) => prop_assert_eq!(planned(&routes, &event), ["drop"]),
            Some(to) => prop_assert_eq!(planned(&routes, &event), to),
        }
    }

    #[test]
    fn a_rule_that_is_never_reached_changes_nothing(rules in rules(), more in rules(), source in "[ab]{1,3}", kind in "[ab]{1,4}") {
        let everything: Rule = ([None, None, None], vec!["one"]);
        let table = |rules: &[Rule]| {
            let made = rules.iter().map(|([source, kind, object], to)| {
                route(source.as_deref(), kind.as_deref(), object.as_deref(), to)
            });
            Routes::new(made.collect())
        };
        let short = [rules, vec![everything]].concat();
        let long = [short.clone(), more].concat();
        let event = event(&source, &kind, None, None);
        prop_assert_eq!(planned(&table(&short), &event), planned(&table(&long), &event));
    }
}
