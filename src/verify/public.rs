//! Signatures that are checked with a public key: Ed25519 and ECDSA with P-256. A private key among the secrets
//! serves both ways, so that `hookway trigger` can play the sender.

use super::{
    der::{self, oid},
    grammar,
    spec::{Algorithm, KeyForm},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _, UnparsedPublicKey, VerificationAlgorithm,
    },
};

/// The length of an Ed25519 key, and of the seed it is made from, in bytes.
const ED25519_BYTES: usize = 32;

/// The length of an uncompressed point on P-256, in bytes.
const POINT_BYTES: usize = 65;

pub(super) struct PublicKey {
    algorithm: &'static dyn VerificationAlgorithm,
    bytes: Vec<u8>,
    signer: Option<Signer>,
}

enum Signer {
    Ed25519(Ed25519KeyPair),
    EcdsaP256(EcdsaKeyPair),
}

impl PublicKey {
    /// Reads a public or private key; `None` where the text holds none for the algorithm.
    pub(super) fn read(text: &str, algorithm: Algorithm, form: Option<KeyForm>) -> Option<Self> {
        let bytes = bytes(text, form)?;
        let is_ed25519 = algorithm == Algorithm::Ed25519;
        let signer = if is_ed25519 {
            ed25519_pair(text, &bytes).map(Signer::Ed25519)
        } else {
            let read =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &bytes, &SystemRandom::new());
            read.ok().map(Signer::EcdsaP256)
        };
        let (algorithm, oid, length): (&'static dyn VerificationAlgorithm, _, _) = if is_ed25519 {
            (&ED25519, oid::ED25519, ED25519_BYTES)
        } else {
            (&ECDSA_P256_SHA256_ASN1, oid::EC, POINT_BYTES)
        };
        let public = match &signer {
            Some(Signer::Ed25519(pair)) => pair.public_key().as_ref(),
            Some(Signer::EcdsaP256(pair)) => pair.public_key().as_ref(),
            None => der::public_key(&bytes, oid).unwrap_or(&bytes),
        };
        let bytes = public.to_vec();
        (bytes.len() == length).then_some(Self { algorithm, bytes, signer })
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.bytes).verify(message, signature).is_ok()
    }

    /// Signs a message; `None` where only the public half of the key is there.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self.signer.as_ref()? {
            Signer::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Signer::EcdsaP256(pair) => {
                pair.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
            }
        }
    }
}

/// Returns the bytes of a key's text: PEM, hex, or base64 with the letters that Standard Webhooks puts in front.
fn bytes(text: &str, form: Option<KeyForm>) -> Option<Vec<u8>> {
    let text = text.trim();
    if let Some(bytes) = ["PRIVATE KEY", "PUBLIC KEY"].iter().find_map(|label| der::pem(text, label)) {
        return Some(bytes);
    }
    let bare = text.strip_prefix("whpk_").or_else(|| text.strip_prefix("whsk_")).unwrap_or(text);
    // Hex digits are base64, too; but then the lengths do not fit.
    let is_hex =
        form == Some(KeyForm::Hex) || bare.len() == 2 * ED25519_BYTES || bare.len() == 2 * POINT_BYTES;
    let hex = is_hex.then(|| hex::decode(bare).ok()).flatten();
    hex.or_else(|| grammar::base64_key(bare))
}

/// Reads a private key: PKCS#8, or `whsk_` with the seed in front of the public half.
fn ed25519_pair(text: &str, bytes: &[u8]) -> Option<Ed25519KeyPair> {
    if text.trim().starts_with("whsk_") {
        let (seed, public) = bytes.split_at_checked(ED25519_BYTES)?;
        return match public {
            [] => Ed25519KeyPair::from_seed_unchecked(seed).ok(),
            _ => Ed25519KeyPair::from_seed_and_public_key(seed, public).ok(),
        };
    }
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).ok()
}
