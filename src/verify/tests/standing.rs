//! Whose word a value is: what is signed, what a proven sender says, what anybody could have changed.

use super::verifier;
use crate::request::slot::{Slot, Standing};

const SECRET: &str = "00112233445566778899aabbccddeeff";

fn standing(scheme: &str, slots: &[&str], each: Option<&str>) -> Standing {
    let slots: Vec<Slot> = slots.iter().map(|slot| Slot::parse(slot).expect("a slot")).collect();
    let secrets =
        if scheme.contains("none") || scheme.contains("algorithm: md5") { &[][..] } else { &[SECRET] };
    verifier(scheme, secrets).standing(&slots, each)
}

#[test]
fn a_signature_vouches_for_what_it_covers_and_for_nothing_else() {
    let body =
        "{ algorithm: hmac-sha256, header: x-s, encoding: hex, message: '{header:x-id|header:y-id}.{body}' }";
    for (slots, wanted) in [
        (&["/id"][..], Standing::Signed),
        (&["form:id"], Standing::Signed),
        (&["header:x-id"], Standing::Signed),
        (&["header:x-id", "header:y-id"], Standing::Signed),
        (&["header:y-id"], Standing::Open),
        (&["header:other"], Standing::Open),
        (&["query:id"], Standing::Open),
        (&["path:1"], Standing::Open),
        (&["'text'"], Standing::Signed),
    ] {
        assert_eq!(standing(body, slots, None), wanted, "{slots:?}");
    }
    let fields =
        "{ algorithm: hmac-sha256, from: form:mac, encoding: hex, message: '{form:time}:[{form:token}]' }";
    for (slot, wanted) in [
        ("form:token", Standing::Signed),
        ("form:time", Standing::Signed),
        ("form:id", Standing::Open),
        ("/id", Standing::Open),
    ] {
        assert_eq!(standing(fields, &[slot], None), wanted, "{slot}");
    }
}

#[test]
fn elements_that_are_signed_one_by_one_are_asked_by_their_own_pointer() {
    let scheme = "{ algorithm: hmac-sha256, each: '/items/*/item', from: ./mac, encoding: hex, message: '[{./id}]:[{./n}]' }";
    let of = |slot, each| standing(scheme, &[slot], each);
    assert_eq!(of("/id", Some("/items/*/item")), Standing::Signed);
    assert_eq!(of("/other", Some("/items/*/item")), Standing::Open);
    assert_eq!(of("/id", Some("/items/*")), Standing::Open, "other elements");
    assert_eq!(of("/id", None), Standing::Open, "the body's own");
}

#[test]
fn without_a_signature_the_sender_is_believed_as_a_whole_or_not_at_all() {
    for (scheme, body, header) in [
        ("{ algorithm: token, header: x-token }", Standing::Vouched, Standing::Vouched),
        ("{ algorithm: basic, header: authorization }", Standing::Vouched, Standing::Vouched),
        ("{ algorithm: none }", Standing::Unproven, Standing::Unproven),
        ("{ algorithm: md5, member: hash }", Standing::Unproven, Standing::Open),
    ] {
        assert_eq!(standing(scheme, &["/id"], None), body, "{scheme}");
        assert_eq!(standing(scheme, &["header:x-id"], None), header, "{scheme}");
    }
}

#[test]
fn of_several_schemes_the_weakest_decides() {
    let both = "{ any_of: [ { algorithm: hmac-sha256, header: x-s, encoding: hex, message: '{body}' }, \
                { algorithm: token, header: x-token } ] }";
    assert_eq!(standing(both, &["/id"], None), Standing::Vouched);
    assert_eq!(standing(both, &["header:x-id"], None), Standing::Open);
}
