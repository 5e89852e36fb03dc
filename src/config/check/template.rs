//! Rules of the templates of topics and subjects: known slots, legal characters, and a beginning that no sender
//! can choose.

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Literal(&'t str),
    Slot(&'t str),
}

const SLOTS: [&str; 4] = ["source", "object", "key", "type"];

/// The longest name of a topic that Kafka takes (`Topic.MAX_NAME_LENGTH`).
const LONGEST_TOPIC: usize = 249;

/// Checks the template of a Kafka topic; the error says what was expected.
pub(super) fn topic(template: &str) -> Result<(), String> {
    let pieces = parse(template)?;
    begins_safely(&pieces)?;
    let literals: Vec<&str> = pieces.iter().filter_map(Piece::literal).collect();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if let Some(wrong) = literals.iter().flat_map(|text| text.chars()).find(|c| !legal(*c)) {
        return Err(format!("expected letters, digits, `.`, `_` and `-`, found {wrong:?} in a topic"));
    }
    if literals.iter().map(|text| text.len()).sum::<usize>() > LONGEST_TOPIC {
        return Err(format!("expected at most {LONGEST_TOPIC} characters in a topic"));
    }
    if matches!(template, "." | "..") {
        return Err("expected a topic's name, found only dots".into());
    }
    Ok(())
}

/// Checks the template of a NATS subject that is published to; the error says what was expected.
pub(super) fn subject(template: &str) -> Result<(), String> {
    let pieces = parse(template)?;
    begins_safely(&pieces)?;
    if template.starts_with('$') {
        return Err("expected a subject of your own; those that begin with `$` belong to the server".into());
    }
    for token in template.split('.') {
        let slot = token.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let is_slot = slot.is_some_and(|slot| SLOTS.contains(&slot));
        if token.is_empty() {
            return Err("expected text between two dots of a subject".into());
        }
        if token.contains(['{', '}']) && !is_slot {
            return Err(format!(
                "expected a slot as a token of its own between dots, found \"{}\"",
                token.escape_debug()
            ));
        }
        if token.contains(['*', '>']) {
            return Err("expected a subject to publish to, found a wildcard".into());
        }
        only_graphic(token)?;
    }
    Ok(())
}

/// Checks a subject of a stream, where wildcards are legal.
pub(super) fn stream_subject(subject: &str) -> Result<(), String> {
    let tokens: Vec<&str> = subject.split('.').collect();
    for (n, token) in tokens.iter().enumerate() {
        if token.is_empty() {
            return Err("expected text between two dots of a subject".into());
        }
        if *token == ">" && n + 1 != tokens.len() {
            return Err("expected `>` only at the end of a subject".into());
        }
        if token.len() > 1 && token.contains(['*', '>']) {
            return Err("expected a wildcard as a token of its own between dots".into());
        }
        only_graphic(token)?;
    }
    Ok(())
}

fn only_graphic(token: &str) -> Result<(), String> {
    match token.chars().find(|c| c.is_whitespace() || c.is_control()) {
        Some(wrong) => Err(format!("expected no blanks in a subject, found {wrong:?}")),
        None => Ok(()),
    }
}

impl<'t> Piece<'t> {
    fn literal(&self) -> Option<&'t str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Slot(_) => None,
        }
    }
}

fn parse(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        if literal.contains('}') {
            return Err("expected `{` before `}`".into());
        }
        let Some((slot, after)) = tail.split_once('}') else { return Err("expected `}` after `{`".into()) };
        if !SLOTS.contains(&slot) {
            let known = "{source}, {object}, {key} or {type}";
            return Err(format!("expected {known}, found \"{{{}}}\"", slot.escape_debug()));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.push(Piece::Slot(slot));
        rest = after;
    }
    if rest.contains('}') {
        return Err("expected `{` before `}`".into());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

/// What a sender writes can fill a slot; were it the first, the sender would choose among all topics.
fn begins_safely(pieces: &[Piece<'_>]) -> Result<(), String> {
    match pieces.first() {
        Some(Piece::Literal(_) | Piece::Slot("source")) => Ok(()),
        Some(Piece::Slot(slot)) => Err(format!(
            "expected text or {{source}} at the beginning, found {{{slot}}}, which the sender chooses"
        )),
        None => Err("expected a name, found nothing".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_never_chooses_the_beginning_of_a_destination() {
        assert_eq!(topic("{source}.x"), Ok(()));
        assert_eq!(subject("webhooks.{source}.{object}.{key}"), Ok(()));
        assert!(topic("{type}").is_err());
        assert!(subject("{key}.x").is_err());
    }

    #[test]
    fn topics_and_subjects_have_only_legal_characters() {
        for wrong in ["", "a b", "a/b", "..", "{sauce}", "x{", "x}", "a}{key", "x{{key}}"] {
            assert!(topic(wrong).is_err(), "{wrong:?}");
        }
        assert!(topic(&"a".repeat(249)).is_ok());
        assert!(topic(&"a".repeat(250)).is_err());
        for wrong in ["", ".a", "a.", "a..b", "a.*", "a.>", "$JS.API", "a.x{key}", "a b", "a.{key}{type}"] {
            assert!(subject(wrong).is_err(), "{wrong:?}");
        }
        for (right, wrong) in [("webhooks.>", "webhooks.>.x"), ("a.*.b", "a.x*"), (">", "")] {
            assert!(stream_subject(right).is_ok(), "{right:?}");
            assert!(stream_subject(wrong).is_err(), "{wrong:?}");
        }
    }
}
