//! What a check comes to: a proof and how much it proves, or why there is none.

/// What verification established about a request's origin; weaker towards the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// The sender holds the secret, and the body is as it left it.
    Signature,
    /// The sender holds the secret; the body is not covered.
    Secret,
    /// The body is consistent with its own digest; anyone could have made both.
    Integrity,
    /// Nothing was checked.
    None,
}

impl Assurance {
    /// True where only the sender can have sent it.
    pub fn proves_the_sender(self) -> bool {
        match self {
            Self::Signature | Self::Secret => true,
            Self::Integrity | Self::None => false,
        }
    }

    /// Returns the assurance of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Signature, Self::Secret, Self::Integrity, Self::None];
        all.into_iter().find(|assurance| assurance.name() == name)
    }

    /// Returns the stable name that stands in the envelope's `hookwayverified`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Secret => "secret",
            Self::Integrity => "integrity",
            Self::None => "none",
        }
    }
}

/// What was proven of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// How much it proves.
    pub assurance: Assurance,
    /// Which of the source's secrets matched, counted from 0 in the order of configuration; 0 where the
    /// scheme has no secret.
    pub key: usize,
}

impl Proof {
    /// Returns the proof of a request that nobody checked.
    pub fn none() -> Self {
        Self { assurance: Assurance::None, key: 0 }
    }
}

/// Why a request was not believed. For log and metric only: a sender is never told which one it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header or another value that the scheme needs is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A header, parameter, field or member that must stand once stands there several times.
    #[error("{0} stands more than once")]
    Repeated(String),
    /// A part of the request is not written the way the scheme prescribes.
    #[error("{0}")]
    Malformed(String),
    /// It is well-formed, and another value is demanded there.
    #[error("`{0}` has a value that is not allowed")]
    NotAllowed(String),
    /// Everything is well-formed, but no secret gives this signature or token.
    #[error("no configured secret matches")]
    Mismatch,
    /// The signature is right, but its time is outside the window.
    #[error("the signed time is {off_by_seconds} s away from ours (positive: in the past)")]
    Expired {
        /// Our time less the signed time, in seconds.
        off_by_seconds: i64,
    },
    /// The source has no usable secret: our fault, not the sender's.
    #[error("the source has no usable secret")]
    Unkeyed,
    /// The sender's key at this address is not here yet: it can be fetched, and the check run again.
    #[error("the sender's key at {0} is not here")]
    KeyUnavailable(String),
}

impl VerifyError {
    /// Returns the stable name of the metric label `result`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Repeated(_) | Self::Malformed(_) | Self::NotAllowed(_) => "malformed",
            Self::Mismatch => "mismatch",
            Self::Expired { .. } => "expired",
            Self::Unkeyed => "unkeyed",
            Self::KeyUnavailable(_) => "key_unavailable",
        }
    }

    /// Returns how much it says beside the errors of other alternatives.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::KeyUnavailable(_) => 7,
            Self::Expired { .. } => 6,
            Self::Mismatch => 5,
            Self::Repeated(_) | Self::Malformed(_) => 4,
            Self::Missing(_) => 3,
            // This alternative is for other requests.
            Self::NotAllowed(_) => 2,
            Self::Unkeyed => 1,
        }
    }

    pub(super) fn malformed(detail: &str) -> Self {
        Self::Malformed(detail.to_owned())
    }
}
