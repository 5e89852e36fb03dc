//! Reads the text exposition, so that a test asks for a number as a query would.

use std::collections::BTreeMap;

/// Every sample by its series, as `name{label="value"}`.
pub(crate) fn parse(text: &str) -> BTreeMap<String, String> {
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        (series.to_owned(), value.to_owned())
    };
    samples.map(pair).collect()
}

/// Returns the sum over all series of a family whose labels hold all of `labels`.
pub(crate) fn sum(text: &str, family: &str, labels: &[(&str, &str)]) -> i64 {
    let fits = |series: &str| {
        let (name, rest) = series.split_once('{').unwrap_or((series, ""));
        name == family && labels.iter().all(|(label, value)| rest.contains(&format!("{label}=\"{value}\"")))
    };
    let samples = parse(text);
    let values = samples.iter().filter(|(series, _)| fits(series)).map(|(_, value)| value);
    let found: Vec<i64> = values.map(|value| value.parse().expect("a count is whole")).collect();
    assert!(!found.is_empty(), "no series {family} with {labels:?} in:\n{text}");
    found.iter().sum()
}
