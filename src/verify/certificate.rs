//! RSA signatures whose key stands in a certificate that the request names by its address. Only addresses on
//! configured hosts count, and only over HTTPS: anything else would let a request choose its own key.
//!
//! A fetched certificate must be within its dates, and chain to a root where the scheme asks for it. One that the
//! operator gives as a file is the operator's own word: it is taken as it is.

use super::{
    SpecProblem, VerifyError,
    der::{self, Der, oid, tag},
    remote::{PAUSE, Remote},
    spec::RsaHash,
    value::{OneOf, Subject},
};
use crate::fetch::Pins;
use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use parking_lot::RwLock;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use rustls_native_certs::load_native_certs;
use std::{ops::RangeInclusive, sync::Arc, time::Duration};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Where the certificates of one scheme come from.
pub(super) struct Certificates {
    /// Where a request names its certificate, and which names count.
    pub(super) named: Option<(OneOf, Pins)>,
    pub(super) hash: RsaHash,
    pub(super) chains: bool,
    /// The files that hold the operator's own.
    pub(super) files: Vec<String>,
    /// What was read from these files.
    pub(super) given: RwLock<Vec<(String, Vec<Certificate>)>>,
    pub(super) remote: Arc<Remote<Certificate>>,
}

/// The part of a certificate that counts here.
#[derive(Clone)]
pub(super) struct Certificate {
    /// The RSA key, as PKCS#1.
    key: Vec<u8>,
    /// The dates between which it counts.
    validity: RangeInclusive<Timestamp>,
}

impl Certificates {
    /// Finds the certificate whose key `verifies`; returns its place among the given ones, or 0.
    pub(super) fn find(
        &self,
        subject: Subject<'_>,
        verifies: impl Fn(&dyn Fn(&[u8], &[u8]) -> bool) -> bool,
    ) -> Result<Option<usize>, VerifyError> {
        let algorithm: &'static dyn VerificationAlgorithm = match self.hash {
            RsaHash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            RsaHash::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        };
        let made_by = |certificate: &Certificate| {
            let key = UnparsedPublicKey::new(algorithm, &certificate.key);
            verifies(&|message, signature| key.verify(message, signature).is_ok())
        };
        let address = self.address(subject)?;
        if !self.files.is_empty() {
            let given = self.given.read();
            let mut all = given.iter().flat_map(|(_, certificates)| certificates);
            if given.is_empty() {
                return Err(VerifyError::Unkeyed);
            }
            return Ok(all.position(made_by));
        }
        let Some(address) = address else { return Err(VerifyError::Unkeyed) };
        let certificate =
            self.remote.get(&address).ok_or_else(|| VerifyError::KeyUnavailable(address.clone()))?;
        if !certificate.validity.contains(&subject.request.received) {
            // Its sender may have put another one there.
            if self.remote.ages(&address).1.is_none_or(|age| age >= PAUSE) {
                return Err(VerifyError::KeyUnavailable(address));
            }
            return Err(VerifyError::malformed("the certificate is not valid at this time"));
        }
        let is_made_by_it = made_by(&certificate);
        if is_made_by_it {
            self.remote.prove(&address);
        }
        Ok(is_made_by_it.then_some(0))
    }

    /// Returns the address of the certificate that a request names, if it may be used.
    fn address(&self, subject: Subject<'_>) -> Result<Option<String>, VerifyError> {
        let Some((at, pins)) = &self.named else { return Ok(None) };
        let address = at.demand(subject)?;
        match pins.admit(&address) {
            Ok(_) => Ok(Some(address.into_owned())),
            Err(error) => Err(VerifyError::Malformed(format!("the certificate's address: {error}"))),
        }
    }

    pub(super) async fn fetch(&self, address: &str) {
        let Some((_, pins)) = &self.named else { return };
        let Ok(target) = pins.admit(address) else { return };
        let chains = self.chains;
        let remote = Arc::clone(&self.remote);
        let read = move |body: &[u8], now| read(body, chains.then_some(now));
        // What is here and was asked for all the same is past its dates.
        remote.fetch(address, target, PAUSE, read).await;
    }

    /// Takes the content of one of the files.
    pub(super) fn give(&self, file: &str, text: &str) -> Result<(), SpecProblem> {
        let blocks = der::pems(text, "CERTIFICATE");
        let certificates: Option<Vec<Certificate>> =
            blocks.iter().map(|block| Certificate::read(block)).collect();
        let certificates = certificates.filter(|certificates| !certificates.is_empty()).ok_or_else(|| {
            let problem = format!("`{file}` does not hold certificates with RSA keys");
            SpecProblem::new("certificate.files", problem, "give them as PEM")
        })?;
        let mut given = self.given.write();
        given.retain(|(known, _)| known != file);
        given.push((file.to_owned(), certificates));
        Ok(())
    }
}

/// Reads a fetched certificate, the first of a PEM text; with a time, it must chain to one of the system's roots.
fn read(body: &[u8], chained_at: Option<Timestamp>) -> Result<Certificate, String> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not PEM".to_owned())?;
    // Not one that stands somewhere in a text: that could be an answer that repeats what was asked.
    if !text.trim_ascii_start().starts_with("-----BEGIN CERTIFICATE-----") {
        return Err("it does not begin with a PEM block".to_owned());
    }
    let blocks = der::pems(text, "CERTIFICATE");
    let (first, others) = blocks.split_first().ok_or("it is not PEM")?;
    if let Some(now) = chained_at {
        chain(first, others, now)?;
    }
    Certificate::read(first).ok_or_else(|| "it holds no RSA key".to_owned())
}

/// Follows the chain of a certificate to one of the system's roots.
fn chain(first: &[u8], others: &[Vec<u8>], now: Timestamp) -> Result<(), String> {
    let leaf = CertificateDer::from(first);
    let leaf = EndEntityCert::try_from(&leaf).map_err(|error| error.to_string())?;
    let roots = load_native_certs().certs;
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let others: Vec<_> = others.iter().map(|other| CertificateDer::from(other.as_slice())).collect();
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &others, now, KeyUsage::server_auth(), None, None)
        .map(|_| ())
        .map_err(|error| format!("its chain: {error}"))
}

impl Certificate {
    /// Reads a certificate (RFC 5280, 4.1) as far as its key and dates; `None` where it holds no RSA key.
    fn read(certificate: &[u8]) -> Option<Self> {
        let mut signed = Der(certificate).sequence()?.sequence()?;
        let (first, _) = signed.next()?;
        if first == tag::VERSION {
            signed.take(tag::INTEGER)?; // the serial number
        }
        signed.sequence()?; // the signature's algorithm
        signed.sequence()?; // the issuer
        let mut dates = signed.sequence()?;
        let validity = date(dates.next()?)?..=date(dates.next()?)?;
        signed.sequence()?; // the subject
        let key = der::public_key(signed.0, oid::RSA)?.to_vec();
        Some(Self { key, validity })
    }
}

/// Reads one of a certificate's dates (RFC 5280, 4.1.2.5).
fn date((kind, content): (u8, &[u8])) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?;
    let text = match kind {
        // Two digits of the year: 50 to 99 are in the last century.
        tag::UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" };
            format!("{century}{text}")
        }
        tag::GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let parts = strtime::parse("%Y%m%d%H%M%SZ", &text).ok()?;
    parts.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
