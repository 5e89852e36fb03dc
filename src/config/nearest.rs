//! Finds what somebody meant who wrote something else.

/// Returns the candidate nearest to `word`, where one is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase().replace('_', "-");
    let reach = word.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&folded, &candidate.to_lowercase().replace('_', "-")), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the least number of insertions, deletions and replacements that make `right` of `left`.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (n, from) in left.chars().enumerate() {
        let mut diagonal = n;
        let mut last = n + 1;
        if let Some(first) = row.first_mut() {
            *first = last;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(right.chars()) {
            let cost = (diagonal + usize::from(from != to)).min(last + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cost);
            last = cost;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Names the word that was meant, and in front of it those that end with it: `hmac-sha256` is wanted far more often by
/// whoever writes `sha-256` than the digest without a secret.
pub(super) fn did_you_mean(meant: &str, words: &[&str]) -> String {
    let longer =
        words.iter().filter(|word| word.strip_suffix(meant).is_some_and(|start| start.ends_with('-')));
    let all: Vec<String> = longer.chain([&meant]).map(|word| format!("`{word}`")).collect();
    format!("did you mean {}?", one_of(all.iter().map(String::as_str)))
}

/// Joins words for a sentence: `a, b or c`.
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_recognised_and_a_stranger_is_not() {
        let keys = ["brokers", "options", "format", "hmac-sha256"];
        assert_eq!(nearest("broker", keys), Some("brokers"));
        assert_eq!(nearest("formta", keys), Some("format"));
        assert_eq!(nearest("tpye", ["type", "time", "key"]), Some("type"));
        assert_eq!(nearest("HMAC_SHA256", keys), Some("hmac-sha256"));
        assert_eq!(nearest("servers", keys), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
