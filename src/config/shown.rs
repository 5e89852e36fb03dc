//! What of the file's text may be told to somebody: never the user and password in front of an address.

use std::borrow::Cow;

/// Returns text in which nothing stands between an address' beginning and its `@`: `nats://…@host` for
/// `nats://user:password@host`. Words without a `:` in front of the `@` stay, as `a@b`. A password may hold all that parts
/// addresses elsewhere, a comma or a bracket, so that rather too much is left out.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let (mut told, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('@') {
        let start = before.rfind([' ', '"', '`', '\n']).map_or(0, |at| at + 1);
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_password_holds_none_of_it_is_shown(
            user in "[a-z]{1,8}",
            password in r"[!$&'()*+,;=:@#/A-Z0-9_.~%-]{4,24}",
            scheme in prop::sample::select(vec!["nats://", "tls://", "https://", ""]),
            before in prop::sample::select(vec!["", "no answer from ", "\"", "`", "(", "nats://h1:4222,", "nats://h1:4222, "]),
            behind in prop::sample::select(vec!["", ":4222", "\" is away", ",nats://h3:4222", ")"]),
        ) {
            let told = without_credentials(&format!("{before}{scheme}{user}:{password}@host{behind}")).into_owned();
            let pieces = password.as_bytes().windows(4).map(|piece| std::str::from_utf8(piece).unwrap());
            for piece in pieces.filter(|piece| piece.bytes().filter(u8::is_ascii_uppercase).count() > 1) {
                prop_assert!(!told.contains(piece), "{piece:?} of {password:?} in {told:?}");
            }
            prop_assert!(told.contains("@host"), "and where it is, is told: {told:?}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (text, told) in [
            ("nats://u:p@h:4222", "nats://…@h:4222"),
            ("nats://u:p@ss@h:4222", "nats://…@…@h:4222"),
            ("nats://u:A(A=@h", "nats://…@h"),
            ("nats://u:p/a://ss@h", "nats://…@h"),
            ("u:p@h:4222", "…@h:4222"),
            ("tls://h:4222", "tls://h:4222"),
            ("no sink \"u:p@h\", nor a@b", "no sink \"…@h\", nor a@b"),
        ] {
            assert_eq!(without_credentials(text), told);
        }
    }
}
