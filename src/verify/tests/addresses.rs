//! Tests of what a signature over the address covers: the segments behind the source, as they were received.

use super::{refusal, request, spec, verifier};
use crate::request::Request;

const URL: &str = "https://example.com/hooks/shop";

/// Schemes that sign the address: as it is, decoded, and in Twilio's form.
const SCHEMES: [&str; 3] = [
    "{ algorithm: hmac-sha256, header: x-sig, message: '{method}{url}{body}', url: 'https://example.com/hooks/shop' }",
    "{ algorithm: hmac-sha256, header: x-sig, message: '{url:decoded}{body}', url: 'https://example.com/hooks/shop' }",
    "{ algorithm: hmac-sha256, header: x-sig, message: twilio, url: 'https://example.com/hooks/shop' }",
];

fn at(uri: &str, headers: &http::HeaderMap) -> Request {
    Request { uri: uri.parse().expect("a target"), headers: headers.clone(), ..request(&[], "a=b") }
}

#[test]
fn the_segments_behind_a_source_are_part_of_the_signed_address() {
    for scheme in SCHEMES {
        let verifier = verifier(scheme, &["topsecret-value-1"]);
        let signed = |uri: &str| {
            let mut request = at(uri, &http::HeaderMap::new());
            verifier.sign(&mut request, super::now()).expect("a signature");
            request
        };
        let one = signed("/hooks/shop/tenant%2F1/b?q=1");
        assert_eq!(refusal(&verifier, &one), "signature", "{scheme}");
        for other in [
            "/hooks/shop?q=1",
            "/hooks/shop/tenant2/b?q=1",
            "/hooks/shop/tenant%2F1/b/?q=1",
            "/hooks/shop/tenant%2F1?q=1",
        ] {
            assert_eq!(refusal(&verifier, &at(other, &one.headers)), "mismatch", "{scheme} {other}");
        }
        let bare = signed("/hooks/shop");
        assert_eq!(refusal(&verifier, &at("/hooks/shop/tenant2", &bare.headers)), "mismatch", "{scheme}");
        assert_eq!(
            refusal(&verifier, &at("/hooks/shop/", &bare.headers)),
            "signature",
            "a slash is no segment"
        );
        let again = spec(scheme);
        let full = format!("{URL}/tenant1");
        let own = crate::verify::VerifySpec { url: Some(full), ..again };
        let own = crate::verify::Verifier::compile(&own).expect("a scheme");
        super::set(&own, &["topsecret-value-1"]).expect("a secret");
        let tenant = signed("/hooks/shop/tenant1");
        assert_eq!(
            refusal(&own, &at("/hooks/shop", &tenant.headers)),
            "signature",
            "it is what the sender signs"
        );
    }
}
