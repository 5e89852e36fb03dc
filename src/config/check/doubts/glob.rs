//! Whether two patterns have a text in common. `*` stands for any text, `?` for one character.

use crate::senders::SenderSpec;

/// Returns whether some text fits both.
pub(super) fn meet(left: &str, right: &str) -> bool {
    let right: Vec<char> = right.chars().collect();
    let mut left: Vec<Option<char>> = left.chars().map(Some).collect();
    left.push(None);
    // For each end of `right`, from none of it to all: whether it meets what is left of `left`.
    let mut below: Vec<bool> = Vec::new();
    for from in left.iter().rev() {
        let mut row: Vec<bool> = Vec::with_capacity(right.len() + 1);
        // From the back, so that `row.last()` is one character further in `right`.
        let ends = right.iter().map(|to| Some(*to)).chain([None]).rev();
        for (k, to) in ends.enumerate() {
            let down = below.get(k).copied().unwrap_or(false);
            let along = row.last().copied().unwrap_or(false);
            let both = k.checked_sub(1).and_then(|k| below.get(k)).copied().unwrap_or(false);
            row.push(match (from, to) {
                (None, None) => true,
                (Some('*'), _) | (_, Some('*')) => down || along,
                (Some(a), Some(b)) => (*a == b || *a == '?' || b == '?') && both,
                _ => false,
            });
        }
        below = row;
    }
    below.last().copied().unwrap_or(false)
}

/// Returns a pattern of all types that a sender's events may have; `None` where they are its own.
pub(super) fn of_types(sender: &SenderSpec) -> Option<String> {
    let event = sender.event.as_ref()?;
    if event.format == Some(crate::normalize::Format::Cloudevents) {
        return None;
    }
    let name = of_template(event.kind.as_deref().unwrap_or("/"));
    let prefix = event.type_prefix.as_deref().filter(|prefix| !prefix.is_empty());
    Some(prefix.map_or(name.clone(), |prefix| format!("{prefix}.{name}")))
}

/// Returns a template as a pattern: each slot, and what may be left out, stands for any text.
fn of_template(template: &str) -> String {
    let quoted = template.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(constant) = quoted.filter(|text| !text.contains('\'')) {
        return constant.to_owned();
    }
    let is_slot = ["'", "/", "./", "../", "header:", "query:", "form:", "path:", "param:"];
    if is_slot.iter().any(|start| template.starts_with(start)) {
        return "*".to_owned();
    }
    let (mut pattern, mut depth) = (String::new(), 0_usize);
    for c in template.chars() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && !pattern.ends_with('*') {
                    pattern.push('*');
                }
            }
            _ if depth == 0 => pattern.push(c),
            _ => {}
        }
    }
    pattern
}

/// Returns whether a stream's subject takes a subject that is published to, in which a token in braces stands for any.
pub(super) fn takes(held: &str, subject: &str) -> bool {
    let (mut held, mut subject) = (held.split('.'), subject.split('.'));
    loop {
        match (held.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a == b || b.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wildmatch::WildMatch;

    #[test]
    fn patterns_meet_where_a_text_fits_both() {
        for (left, right) in [
            ("a*", "*b"),
            ("tech.likemagic.RESERVATION_*", "tech.likemagic.*"),
            ("*", ""),
            ("a?c", "ab*"),
            ("*.created", "com.github.*"),
        ] {
            assert!(meet(left, right) && meet(right, left), "{left} {right}");
        }
        for (left, right) in [
            ("likemagic.*", "tech.likemagic.*"),
            ("a", "a?"),
            ("", "?*"),
            ("^tech*", "tech.*"),
            ("a*b", "*c"),
        ] {
            assert!(!meet(left, right) && !meet(right, left), "{left} {right}");
        }
    }

    #[test]
    fn a_template_is_the_pattern_of_what_it_makes() {
        assert_eq!(of_template("/type"), "*");
        assert_eq!(of_template("{header:x-github-event}[.{/action}]"), "*");
        assert_eq!(of_template("order.{/kind}.v1"), "order.*.v1");
        assert_eq!(of_template("push[.{/action}]"), "push*");
        assert_eq!(of_template("ping"), "ping");
        assert_eq!(of_template("'ping'"), "ping");
        assert_eq!(of_template("'ping'|/type"), "*");
    }

    #[test]
    fn a_slot_of_a_subject_may_be_any_token() {
        assert!(takes("webhooks.>", "webhooks.{source}.{key}"));
        assert!(takes("webhooks.*.orders", "webhooks.{source}.orders"));
        assert!(takes("webhooks.hotel", "webhooks.{source}"));
        assert!(!takes("webhooks.>", "webhooks"));
        assert!(!takes("webhooks.*", "other.x"));
        assert!(!takes("webhooks.*", "webhooks.{source}.{key}"));
    }

    proptest! {
        #[test]
        fn a_text_that_fits_a_pattern_meets_it(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(meet(&pattern, &text), WildMatch::new(&pattern).matches(&text));
        }
    }
}
