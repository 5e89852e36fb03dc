//! The first noun of the path: a [`Request`] and what is known of its origin.
//!
//! A [`Delivery`] is born [`Unverified`] in `receive` and becomes [`Verified`] through one door,
//! [`Delivery::verify`]. Everything behind that door takes only a verified one, so a delivery that was not
//! checked cannot be normalized:
//!
//! ```compile_fail
//! use hookway::delivery::{Delivery, Unverified};
//! use hookway::normalize::Normalizer;
//! fn skip_the_check(normalizer: &Normalizer, delivery: &Delivery<Unverified>) {
//!     let _ = normalizer.normalize(delivery);
//! }
//! ```
//!
//! and the proof cannot be forged elsewhere:
//!
//! ```compile_fail
//! let forged = hookway::delivery::Verified(hookway::verify::Proof::none());
//! ```

mod share;

pub use share::{Quota, Share};

use crate::{
    request::Request,
    verify::{Proof, Verifier, VerifyError},
};
use tokio::time::{Instant, timeout_at};

/// The state of a delivery that nobody has checked yet; holds its share of what its sender may have unverified.
#[derive(Debug)]
pub struct Unverified {
    _share: Share,
}

/// The state of a delivery whose origin was checked; holds what was proven.
#[derive(Debug)]
pub struct Verified(Proof);

/// One request from a sender on its way through the path.
#[derive(Debug)]
pub struct Delivery<State = Unverified> {
    // Boxed: the stages hand it on, and a future has room for each that does.
    request: Box<Request>,
    state: State,
    /// This delivery's share of the bytes of all bodies; given back when it is dropped.
    share: Share,
}

/// A delivery whose origin was not proven, and why.
#[derive(Debug)]
pub struct Unproven {
    /// What the check found.
    pub error: VerifyError,
    /// The delivery as it was.
    pub delivery: Delivery<Unverified>,
}

impl Delivery<Unverified> {
    /// Takes a request as it was read, with its share of the bytes of all bodies, and its share of those that its sender
    /// may have unverified.
    pub fn new(request: Request, [share, unverified]: [Share; 2]) -> Self {
        Self { request: Box::new(request), state: Unverified { _share: unverified }, share }
    }

    /// Checks where the request came from: the only way to a [`Verified`] delivery.
    pub fn verify(self, verifier: &Verifier) -> Result<Delivery<Verified>, Box<Unproven>> {
        match verifier.verify(&self.request) {
            Ok(proof) => Ok(Delivery { request: self.request, state: Verified(proof), share: self.share }),
            Err(error) => Err(Box::new(Unproven { error, delivery: self })),
        }
    }

    /// Likewise; where the check misses a key that the sender publishes, the key is fetched, until `deadline` at
    /// most, and the check runs once more.
    pub async fn verify_fetching(
        self,
        verifier: &Verifier,
        deadline: Instant,
    ) -> Result<Delivery<Verified>, Box<Unproven>> {
        match self.verify(verifier) {
            Ok(delivery) => Ok(delivery),
            // Rare, and so not worth room in the future of every request.
            Err(unproven) => Box::pin(unproven.fetch(verifier, deadline)).await,
        }
    }
}

impl Unproven {
    async fn fetch(
        self: Box<Self>,
        verifier: &Verifier,
        deadline: Instant,
    ) -> Result<Delivery<Verified>, Box<Self>> {
        let VerifyError::KeyUnavailable(address) = &self.error else { return Err(self) };
        // Too late or not: the second check tells.
        drop(timeout_at(deadline, verifier.fetch(address)).await);
        self.delivery.verify(verifier)
    }
}

impl Delivery<Verified> {
    /// What verification established.
    pub fn proof(&self) -> &Proof {
        &self.state.0
    }
}

impl<State> Delivery<State> {
    /// The request as it was received.
    pub fn request(&self) -> &Request {
        &self.request
    }
}
