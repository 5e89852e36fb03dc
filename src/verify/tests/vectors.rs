//! Vectors from outside: GitHub's and Standard Webhooks' documentation, RFC 4231 and RFC 2202, and our own,
//! which were computed with other tools.

use super::{GITHUB, LIKEMAGIC, PROPEXO, STANDARD, SYNCAROO, refusal, request, syncaroo, verifier};
use crate::verify::{Assurance, Proof, VerifyError};

const PROPEXO_BODY: &str = r#"{"context":{"property_id":"prop_1"},"event":"DATA_UPDATE","diff":{"new":{"first_name":"Mary"},"previous":{"first_name":"Sarah"}},"integration_id":"int_1","job_id":"job_1","job_type":"READ_RESIDENTS","object":"residents","record_id":"rec_1","root_job_id":"root_1","vendor":"YARDI"}"#;
const PROPEXO_HEX: &str = "e886e92f43c30414f3c380bd0a4ce258944fcdad78617f0bcab483e02d6a8fc2";

const SYNCAROO_BODY: &str = r#"{"connectionId":555,"webhookType":"data","locationId":"11980","metaData":{"syncarooId":"61116c0bab789b6cc1feec23","resourceType":"meeting-room","resourceId":"","attributeType":"resources","apiUrl":"https://app.syncaroo.com/api/v1/555/locations/L1/resources/R1"},"action":"new"}"#;
const COMPACT: &str = "25617e74ea3128e121fba099748569f47e7410be8b0b4fa01c7f2e6e7f92b617";
const PHP: &str = "b7958462f000c3d803ab5230bdd349066c4c4ae869df3e0f3237d7024e3219aa";
const SORTED: &str = "94fbe6e58b871c691e3159ce74d00bce79dac21e2c8e199bdf78e181033a77bb";
const PYTHON: &str = "531bc5b8452f1a2842a8b4d0cf8f11c078da71b3a64ac9dfdb398cd5cdf3dfeb";

/// Puts `hash` behind the last member.
fn with_hash(body: &str, hash: &str) -> String {
    format!(r#"{},"hash":"{hash}"}}"#, body.strip_suffix('}').expect("an object"))
}

#[test]
fn likemagic_accepts_any_configured_secret_and_nothing_near_it() {
    let verifier = verifier(LIKEMAGIC, &["s3cr3t-A", "s3cr3t-B"]);
    let answer = |value: &str| verifier.verify(&request(&[("Lm-Webhook-Secret", value)], "{}"));
    assert_eq!(answer("s3cr3t-B"), Ok(Proof { assurance: Assurance::Secret, key: 1 }));
    assert_eq!(answer("s3cr3t-A"), Ok(Proof { assurance: Assurance::Secret, key: 0 }));
    for wrong in ["s3cr3t-b", "s3cr3t-B,", "s3cr3t-", "s3cr3t-B ", "", "s3cr3t-A, s3cr3t-B"] {
        assert_eq!(answer(wrong), Err(VerifyError::Mismatch), "{wrong:?}");
    }
    let twice = request(&[("lm-webhook-secret", "s3cr3t-A"), ("lm-webhook-secret", "s3cr3t-A")], "{}");
    assert_eq!(verifier.verify(&twice), Err(VerifyError::Repeated("lm-webhook-secret".into())));
    assert_eq!(refusal(&verifier, &request(&[], "{}")), "missing");
}

#[test]
fn propexo_verifies_in_hex_and_base64_with_and_without_prefix() {
    let verifier = verifier(PROPEXO, &["another", "test-propexo-secret"]);
    assert_eq!(PROPEXO_BODY.len(), 280);
    let base64 = "6IbpL0PDBBTzw4C9CkziWJRPza14YX8LyrSD4C1qj8I=";
    let url = "6IbpL0PDBBTzw4C9CkziWJRPza14YX8LyrSD4C1qj8I";
    let upper = PROPEXO_HEX.to_uppercase();
    for signature in [PROPEXO_HEX, &upper, base64, url, &format!("sha256={PROPEXO_HEX}")] {
        let proof = verifier.verify(&request(&[("propexo-signature", signature)], PROPEXO_BODY));
        assert_eq!(proof, Ok(Proof { assurance: Assurance::Signature, key: 1 }), "{signature}");
    }
    let spaced = PROPEXO_BODY.replacen(':', ": ", 1);
    assert_eq!(refusal(&verifier, &request(&[("propexo-signature", PROPEXO_HEX)], spaced)), "mismatch");
}

#[test]
fn propexo_json_stringify_undoes_the_spacing_of_a_body() {
    let scheme = PROPEXO.replace("encoding: auto", "encoding: auto, message: json_stringify");
    let verifier = verifier(&scheme, &["test-propexo-secret"]);
    let spaced = PROPEXO_BODY.replace(':', " : ").replace(',', "\n, ");
    assert_eq!(refusal(&verifier, &request(&[("propexo-signature", PROPEXO_HEX)], spaced)), "signature");
}

#[test]
fn syncaroo_raw_cut_follows_whatever_serialiser_the_sender_has() {
    let verifier = verifier(SYNCAROO, &["test-syncaroo-key"]);
    assert_eq!(SYNCAROO_BODY.len(), 277);
    let php = SYNCAROO_BODY.replace('/', "\\/");
    let python = SYNCAROO_BODY.replace("\":", "\": ").replace(",\"", ", \"");
    for (body, hash, length) in [(SYNCAROO_BODY, COMPACT, 277), (&php, PHP, 286), (&python, PYTHON, 295)] {
        assert_eq!(body.len(), length);
        assert_eq!(refusal(&verifier, &request(&[], with_hash(body, hash))), "signature", "{hash}");
        assert_eq!(refusal(&verifier, &request(&[], with_hash(body, SORTED))), "mismatch");
    }
}

#[test]
fn syncaroo_is_verified_from_a_body_in_another_writing_where_javascript_signed_it() {
    let sent = SYNCAROO_BODY.replace("\":", "\" :\t").replace('/', "\\u002f");
    let verifier = verifier(&syncaroo("json_stringify"), &["test-syncaroo-key"]);
    assert_eq!(refusal(&verifier, &request(&[], with_hash(&sent, COMPACT))), "signature");
    let first = sent.replacen('{', &format!(r#"{{"\u0068ash":"{COMPACT}","#), 1);
    assert_eq!(refusal(&verifier, &request(&[], first)), "signature");
}

#[test]
fn github_verifies_the_example_of_its_documentation() {
    let verifier = verifier(GITHUB, &["It's a Secret to Everybody"]);
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let good = request(&[("X-Hub-Signature-256", signature)], "Hello, World!");
    assert_eq!(verifier.verify(&good), Ok(Proof { assurance: Assurance::Signature, key: 0 }));
    let bare = signature.strip_prefix("sha256=").expect("a prefix");
    assert_eq!(refusal(&verifier, &request(&[("x-hub-signature-256", bare)], "Hello, World!")), "malformed");
}

#[test]
fn standard_webhooks_verifies_the_example_of_its_specification() {
    let verifier = verifier(STANDARD, &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    let mut example = request(
        &[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        r#"{"test": 2432232314}"#,
    );
    assert_eq!(
        verifier.verify(&example),
        Err(VerifyError::Expired { off_by_seconds: super::NOW - 1_614_265_330 })
    );
    example.received = jiff::Timestamp::from_second(1_614_265_330 + 300).expect("a time");
    assert_eq!(verifier.verify(&example), Ok(Proof { assurance: Assurance::Signature, key: 0 }));
}

#[test]
fn rfc_4231_and_rfc_2202_vectors_verify_for_every_hmac() {
    // RFC 4231 case 2 and RFC 2202 case 2.
    let cases = [
        ("hmac-sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "hmac-sha512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
        ("hmac-sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("hmac-md5", "750c783e6ab0b503eaa86e310a5db738"),
    ];
    for (algorithm, tag) in cases {
        let verifier = verifier(&format!("{{ algorithm: {algorithm}, header: x-mac }}"), &["Jefe"]);
        let good = request(&[("x-mac", tag)], "what do ya want for nothing?");
        assert_eq!(refusal(&verifier, &good), "signature", "{algorithm}");
    }
    // RFC 4231 case 6: a key longer than the block.
    let verifier = verifier("{ algorithm: hmac-sha256, header: x-mac, key: hex }", &[&"aa".repeat(131)]);
    let tag = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
    let body = "Test Using Larger Than Block-Size Key - Hash Key First";
    assert_eq!(refusal(&verifier, &request(&[("x-mac", tag)], body)), "signature");
}

#[test]
fn plain_digests_take_the_key_in_front_or_behind_or_not_at_all() {
    // FIPS 180 and RFC 1321: the digests of "abc".
    let cases = [
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
    ];
    for (algorithm, digest) in cases {
        let front = format!("{{ algorithm: {algorithm}, header: x-d, key_position: prefix }}");
        let behind = format!("{{ algorithm: {algorithm}, header: x-d, key_position: suffix }}");
        let none = format!("{{ algorithm: {algorithm}, header: x-d }}");
        let headers = [("x-d", digest)];
        assert_eq!(refusal(&verifier(&front, &["a"]), &request(&headers, "bc")), "signature", "{algorithm}");
        assert_eq!(refusal(&verifier(&behind, &["c"]), &request(&headers, "ab")), "signature", "{algorithm}");
        assert_eq!(refusal(&verifier(&none, &[]), &request(&headers, "abc")), "integrity", "{algorithm}");
        assert_eq!(refusal(&verifier(&front, &["c"]), &request(&headers, "ab")), "mismatch", "{algorithm}");
    }
}
