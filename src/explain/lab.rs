//! Where probes verify again: compiles a changed scheme, gives it keys and asks, within a bound on what may be hashed.

use super::Case;
use crate::{
    request::Request,
    verify::{Assurance, Verifier, VerifyError, VerifySpec},
};
use bytes::Bytes;
use secrecy::SecretString;
use std::cell::Cell;

/// What one verification costs beside its body, in bytes hashed.
const EACH: u64 = 2048;

pub(super) struct Budget {
    left: Cell<u64>,
    spent: Cell<bool>,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self { left: Cell::new(bytes), spent: Cell::new(false) }
    }

    /// True where something was left untried for its cost.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// Pays for one verification; false where there is not enough left.
    fn pays(&self, body: &Bytes) -> bool {
        let cost = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add(EACH);
        match self.left.get().checked_sub(cost) {
            Some(left) => self.left.set(left),
            None => self.spent.set(true),
        }
        !self.spent.get()
    }
}

pub(super) struct Lab<'c> {
    pub(super) case: Case<'c>,
    budget: &'c Budget,
}

impl<'c> Lab<'c> {
    /// Examines `case` until the budget is spent.
    pub(super) fn new(case: Case<'c>, budget: &'c Budget) -> Self {
        Self { case, budget }
    }

    /// Returns why the case's own scheme refuses its request; `None` where it does not.
    pub(super) fn error(&self) -> Option<VerifyError> {
        let verifier = self.compiled(self.case.spec, self.case.secrets)?;
        verifier.verify(self.case.request).err()
    }

    /// True where the case's request verifies by another scheme.
    pub(super) fn fits_scheme(&self, spec: &VerifySpec) -> bool {
        self.fits(spec, self.case.secrets, self.case.request)
    }

    /// True where the case's request verifies with other secrets.
    pub(super) fn fits_secrets(&self, spec: &VerifySpec, secrets: &[SecretString]) -> bool {
        self.fits(spec, secrets, self.case.request)
    }

    /// True where the case's request verifies by another scheme and its time is within the window.
    pub(super) fn verifies_now(&self, spec: &VerifySpec) -> bool {
        self.keyed(spec, self.case.secrets).is_some_and(|verifier| verifier.verify(self.case.request).is_ok())
    }

    /// True where another request verifies by the case's scheme and secrets.
    pub(super) fn fits_request(&self, request: &Request) -> bool {
        self.fits(self.case.spec, self.case.secrets, request)
    }

    /// Returns the verifier of the case, to try many requests with; `None` without a usable secret.
    pub(super) fn verifier(&self) -> Option<Verifier> {
        self.keyed(self.case.spec, self.case.secrets)
    }

    fn fits(&self, spec: &VerifySpec, secrets: &[SecretString], request: &Request) -> bool {
        self.keyed(spec, secrets).is_some_and(|verifier| self.proves(&verifier, request))
    }

    /// True where the request's origin is proven, whenever it was signed.
    pub(super) fn proves(&self, verifier: &Verifier, request: &Request) -> bool {
        self.budget.pays(&request.body)
            && match verifier.verify(request) {
                Ok(proof) => proof.assurance != Assurance::None,
                Err(error) => matches!(error, VerifyError::Expired { .. }),
            }
    }

    /// Returns a verifier with its usable keys; `None` where the scheme can't be compiled or has none.
    fn keyed(&self, spec: &VerifySpec, secrets: &[SecretString]) -> Option<Verifier> {
        self.compiled(spec, secrets).filter(Verifier::is_keyed)
    }

    fn compiled(&self, spec: &VerifySpec, secrets: &[SecretString]) -> Option<Verifier> {
        let verifier = Verifier::compile(spec).ok()?;
        // A secret that does not decode is left out; the others are tried.
        drop(verifier.set_secrets(secrets.to_vec()));
        for (file, text) in self.case.files {
            drop(verifier.set_file(file, text));
        }
        Some(verifier)
    }
}
