//! What Prometheus scrapes, as it reads it: every sample belongs to a family that says what it is, buckets grow and end in
//! what was counted, and no name, label or number is of another form than the text format prescribes.

use crate::{
    bridge::Bridge,
    client::post,
    doubles::Fault,
    samples::{self, event, likemagic},
};
use hookway::record::PublishError;
use std::collections::{BTreeMap, BTreeSet};

/// A sample: its name, its labels, its value.
type Sample = (String, BTreeMap<String, String>, f64);

/// A scrape, read by the grammar of the text format 0.0.4.
#[derive(Debug, Default)]
struct Scrape {
    help: BTreeMap<String, String>,
    kinds: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// Reads `a="b",c="d"` with its escapes.
fn labels(text: &str) -> BTreeMap<String, String> {
    let (mut labels, mut rest) = (BTreeMap::new(), text);
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").expect("a name and a quote");
        assert!(is_name(name) && !name.contains(':'), "{name} in {text}");
        let (mut value, mut characters) = (String::new(), behind.chars());
        loop {
            match characters.next().expect("a value that ends") {
                '"' => break,
                '\\' => value.push(match characters.next().expect("an escape") {
                    'n' => '\n',
                    itself @ ('\\' | '"') => itself,
                    other => panic!("no escape: {other} in {text}"),
                }),
                character => value.push(character),
            }
        }
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} stands twice in {text}");
        rest = characters.as_str();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}

fn read(text: &str) -> Scrape {
    let mut scrape = Scrape::default();
    assert!(text.ends_with('\n'), "the last line has an end");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and what it is");
            assert!(scrape.help.insert(name.to_owned(), help.to_owned()).is_none(), "{name} is told twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and its kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(scrape.kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} has two kinds");
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            let (name, all) = series.split_once('{').map_or((series, ""), |(name, rest)| {
                (name, rest.strip_suffix('}').expect("labels end in a brace"))
            });
            assert!(is_name(name), "{line}");
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            scrape.samples.push((name.to_owned(), labels(all), value));
        }
    }
    scrape
}

/// Returns the family that a sample belongs to.
fn family<'s>(scrape: &'s Scrape, name: &'s str) -> &'s str {
    let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    let is_histogram = |name: &&str| scrape.kinds.get(*name).is_some_and(|kind| kind == "histogram");
    of_histogram.filter(is_histogram).unwrap_or(name)
}

/// Has a bridge do some of all that can be counted.
async fn busy() -> Bridge {
    let bridge = Bridge::ordinary().await;
    for id in ["1", "2", "2"] {
        assert_eq!(bridge.send(&event(id)).await.status, 200);
    }
    bridge.send(&likemagic("no json")).await;
    bridge.send(&samples::syncaroo()).await;
    bridge.send(&post("/hooks/hotel", &[], b"{}")).await;
    bridge.send(&post("/hooks/nobody\"\\", &[], b"{}")).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("a \"quoted\"\nanswer".to_owned())));
    bridge.send(&event("3")).await;
    bridge
}

#[tokio::test]
async fn every_sample_belongs_to_a_family_that_says_what_it_is() {
    let bridge = busy().await;
    let scrape = read(&bridge.exposition());
    let mut seen = BTreeSet::new();
    for (name, labels, value) in &scrape.samples {
        let family = family(&scrape, name);
        let kind = scrape.kinds.get(family).unwrap_or_else(|| panic!("{name} has no kind"));
        assert!(scrape.help.get(family).is_some_and(|help| help.len() > 5), "{name} is not told");
        assert!(seen.insert((name, labels)), "{name} {labels:?} stands twice");
        match kind.as_str() {
            "counter" => assert!(name.ends_with("_total") && *value >= 0.0, "{name} {value}"),
            "gauge" => assert!(!name.ends_with("_total"), "{name} looks like a counter"),
            _ => assert!(
                ["_seconds", "_bytes"].iter().any(|unit| family.ends_with(unit)),
                "{family} has no unit"
            ),
        }
        let is_ours = name.starts_with("hookway_") || name.starts_with("process_");
        assert!(is_ours, "{name} has no prefix");
    }
    assert!(scrape.kinds.len() > 30, "{:?}", scrape.kinds);
}

#[tokio::test]
async fn buckets_grow_and_end_in_what_was_counted() {
    let bridge = busy().await;
    let scrape = read(&bridge.exposition());
    let mut histograms: BTreeMap<(String, String), Vec<(f64, f64)>> = BTreeMap::new();
    for (name, labels, value) in &scrape.samples {
        let Some(family) = name.strip_suffix("_bucket") else { continue };
        let mut labels = labels.clone();
        let bound = labels.remove("le").expect("a bucket has a bound");
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a number") };
        histograms.entry((family.to_owned(), format!("{labels:?}"))).or_default().push((bound, *value));
    }
    let value = |name: &str, of: &str| {
        let fits = |(own, labels, _): &&Sample| own == name && format!("{labels:?}") == of;
        scrape.samples.iter().find(fits).unwrap_or_else(|| panic!("no {name} {of}")).2
    };
    let mut observed = 0;
    for ((family, labels), buckets) in &histograms {
        assert!(
            buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1),
            "{family} {labels}: {buckets:?}"
        );
        let (bound, last) = *buckets.last().unwrap();
        assert!(bound.is_infinite(), "{family} {labels} has no last bucket");
        let (count, sum) =
            (value(&format!("{family}_count"), labels), value(&format!("{family}_sum"), labels));
        assert!((count - last).abs() < f64::EPSILON, "{family} {labels}: {count} counted, {last} in buckets");
        assert!(sum >= 0.0 && (count > 0.0 || sum == 0.0), "{family} {labels}: {sum}");
        observed += usize::from(count > 0.0);
    }
    assert!(histograms.len() > 15 && observed > 5, "{} of {}", observed, histograms.len());
}

#[tokio::test]
async fn no_counter_ever_falls_and_no_series_ever_goes() {
    let bridge = Bridge::ordinary().await;
    let mut before = read(&bridge.exposition());
    for (number, request) in
        [event("1"), likemagic("no json"), event("1"), samples::syncaroo()].iter().enumerate()
    {
        bridge.send(request).await;
        let after = read(&bridge.exposition());
        for (name, labels, value) in &before.samples {
            let same = after.samples.iter().find(|(own, its, _)| own == name && its == labels);
            let (.., now) = same.unwrap_or_else(|| panic!("{name} {labels:?} has gone"));
            let kind = &before.kinds[family(&before, name)];
            assert!(
                kind == "gauge" || now >= value,
                "{name} {labels:?} fell from {value} to {now} at {number}"
            );
        }
        before = after;
    }
}
