//! What of the file's text may be told to somebody: never the user and password in front of an address.

use std::borrow::Cow;

/// Returns text in which nothing stands between an address' beginning and its `@`: `nats://…@host` for
/// `nats://user:password@host`. Words without a `:` in front of the `@` stay, as `a@b`.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let (mut told, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('@') {
        let start = before.rfind([' ', '"', '`', '\n', ',', '(']).map_or(0, |at| at + 1);
        let (kept, word) = before.split_at(start);
        told += kept;
        match word.split_once("://") {
            Some((scheme, _)) => told.extend([scheme, "://…"]),
            None if word.contains(':') || told.ends_with('@') => told.push('…'),
            None => told += word,
        }
        told.push('@');
        rest = behind;
    }
    told += rest;
    Cow::Owned(told)
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (text, told) in [
            ("nats://u:p@h:4222", "nats://…@h:4222"),
            ("nats://u:p@ss@h:4222", "nats://…@…@h:4222"),
            ("u:p@h:4222", "…@h:4222"),
            ("tls://h:4222", "tls://h:4222"),
            ("no sink \"u:p@h\", nor a@b", "no sink \"…@h\", nor a@b"),
        ] {
            assert_eq!(without_credentials(text), told);
        }
    }
}
