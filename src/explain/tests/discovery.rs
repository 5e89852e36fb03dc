//! What a sender signs with is found from one request, and the printed lines verify it.

use super::*;
use crate::explain::{Recipe, discover};

fn discovered(request: &Request, secrets: &[&str]) -> Vec<Recipe> {
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
    let nothing = VerifySpec { url: Some("https://a.example/in".to_owned()), ..VerifySpec::default() };
    let case = Case::new(&nothing, &secrets, request);
    let (recipes, is_partial) = discover(&case);
    assert!(!is_partial);
    recipes
}

#[test]
fn the_printed_lines_verify_the_request() {
    const BODY: &str = r#"{ "event": "DATA_NEW", "path": "a/b", "name": "Zoë" }"#;
    let schemes = [
        "{ algorithm: hmac-sha256, header: propexo-signature, encoding: hex }",
        "{ algorithm: hmac-sha256, header: propexo-signature, encoding: base64, prefix: 'sha256=' }",
        "{ algorithm: hmac-sha512, header: x-sig, encoding: base64url }",
        "{ algorithm: hmac-sha1, header: x-sig, encoding: hex, key: hex }",
        "{ algorithm: sha512, key_position: suffix, header: x-sig, encoding: hex }",
        "{ algorithm: token, header: authorization, prefix: 'Bearer ' }",
        "{ algorithm: token, header: x-token }",
        "{ algorithm: hmac-sha1, header: x-sig, encoding: hex, key: sha1 }",
        "{ algorithm: hmac-sha256, header: x-sig, encoding: hex, message: '{method}{url}{body}', url: 'https://a.example/in' }",
        "{ algorithm: hmac-sha256, header: x-sig, encoding: hex, message: json_stringify }",
        "{ algorithm: hmac-sha256, header: x-sig, encoding: base64, message: 'v0:{header:x-t}:{body}', timestamp: { header: x-t, unit: ms } }",
        "{ algorithm: hmac-sha256, header: sig, encoding: base64, key: whsec, prefix: 'v1,', separator: ' ', message: '{header:x-id}.{header:x-at}.{body}', timestamp: { header: x-at } }",
        "{ algorithm: hmac-sha256, header: x-sig, prefix: 'sha256=', encoding: hex, message: '{header:x-id}{header:x-at}{body}', timestamp: { header: x-at, unit: rfc3339 } }",
        "{ algorithm: hmac-sha256, member: hash, encoding: hex, message: raw_cut }",
        "{ algorithm: hmac-md5, member: hash, encoding: base64, message: json_stringify }",
        "{ algorithm: sha256, key_position: prefix, member: hash, encoding: hex, message: raw_cut }",
        "{ algorithm: hmac-sha1, member: hash, encoding: hex, message: json_stringify }",
        "{ algorithm: sha1, member: hash, encoding: hex }",
    ];
    for scheme in schemes {
        let secret = "0badcafe0badcafe0badcafe0badcafe";
        let scheme_spec = spec(scheme);
        let is_keyless = scheme.contains("{ algorithm: sha1,");
        let mut request = request(&[("x-id", "msg_7"), ("content-type", "application/json")], BODY);
        let secrets = if is_keyless { &[][..] } else { &[secret][..] };
        verifier(&scheme_spec, secrets).sign(&mut request, now()).expect("signed");
        let found = discovered(&request, &[secret]);
        let [recipe] = found.as_slice() else { panic!("{scheme}: {found:#?}") };
        let printed = serde_saphyr::from_str::<crate::senders::SenderSpec>(&recipe.yaml()).expect("YAML");
        let again = printed.verify.expect("a scheme");
        let proof = verifier(&again, secrets).verify(&request);
        assert!(proof.is_ok(), "{scheme}\n{}\n{proof:?}", recipe.yaml());
        assert_eq!(again.algorithm, scheme_spec.algorithm, "{}", recipe.yaml());
    }
}

#[test]
fn nothing_is_discovered_with_another_secret() {
    let request = signed("{ algorithm: hmac-sha256, header: x-sig, encoding: hex }", SECRET, &[], "{}");
    assert!(discovered(&request, &["another"]).is_empty());
    assert!(discovered(&request, &[]).is_empty());
}

#[test]
fn a_time_in_the_signatures_own_list_is_found() {
    const BODY: &str = r#"{"a":1}"#;
    let hmac = "{ algorithm: hmac-sha256, header: x-bare, encoding: hex, message: '{header:x-t}.{body}', timestamp: { header: x-t } }";
    let bare = signed(hmac, SECRET, &[], BODY);
    let text = |name: &str| bare.headers[name].to_str().expect("text").to_owned();
    let list = format!("t={},v1={},v0=00", text("x-t"), text("x-bare"));
    let request = request(&[("acme-signature", &list)], BODY);
    let found = discovered(&request, &[SECRET]);
    let [recipe] = found.as_slice() else { panic!("{found:#?}") };
    let lines = recipe.yaml();
    assert!(lines.contains("message: \"{field:t}.{body}\"") && lines.contains("prefix: \"v1=\""), "{lines}");
    assert!(lines.contains("timestamp: { at: \"field:t\" }"), "{lines}");
}
