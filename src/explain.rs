//! Says why a request was refused: tries the usual mistakes one by one, each by verifying again with one thing
//! changed, until one of them makes the signature right.
//!
//! Stands beside the path: `hookway explain` asks for the whole truth, the log line of a 401 for what is cheap to
//! find out ([`Reach`]). Nothing is computed here; a probe changes the scheme, the secrets or the request and asks
//! the [`Verifier`](crate::verify::Verifier). No cause ever holds a secret, a signature or a piece of the body.

mod body;
mod capture;
mod discover;
mod lab;
mod live;
mod partition;
mod place;
mod secret;
mod stated;
mod time;
mod url;
mod writing;

#[cfg(test)]
mod tests;

pub use capture::Captured;
pub use discover::{Recipe, discover};
pub use live::Explainer;
pub use partition::partition;

use crate::{
    refusal::Cause,
    request::Request,
    verify::{VerifyError, VerifySpec},
};
use lab::{Budget, Lab};
use secrecy::SecretString;

/// A request that was refused, and all that may help to see why.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// How the source verifies.
    pub spec: &'c VerifySpec,
    /// Its secrets.
    pub secrets: &'c [SecretString],
    /// The files that its scheme names, each with its text: certificates, key sets.
    pub files: &'c [(String, String)],
    /// What was refused.
    pub request: &'c Request,
    /// How other presets sign, by their names: this may be a request of theirs.
    pub relatives: &'c [(String, VerifySpec)],
    /// The secrets of other sources, by their names: the sender may have one of these.
    pub strangers: &'c [(String, Vec<SecretString>)],
    /// What `Content-Length` said, where the body has another length.
    pub declared: Option<u64>,
}

impl<'c> Case<'c> {
    /// Makes the case of a request alone, of which nothing else is known.
    pub fn new(spec: &'c VerifySpec, secrets: &'c [SecretString], request: &'c Request) -> Self {
        Self { spec, secrets, files: &[], request, relatives: &[], strangers: &[], declared: None }
    }
}

/// How much may be spent on an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What a busy server can afford: a handful of digests of the body.
    Cheap,
    /// Everything that is known.
    Whole,
}

impl Reach {
    /// Bytes that may be hashed; each verification counts for some of its own.
    fn budget(self) -> u64 {
        match self {
            Self::Cheap => 1 << 20,
            Self::Whole => 1 << 30,
        }
    }

    fn probes(self) -> &'static [Probe] {
        match self {
            Self::Cheap => &[place::absent, time::probe, writing::plain, secret::blanks, body::cheap],
            Self::Whole => &[
                unavailable,
                secret::absent,
                place::repeated,
                place::elsewhere,
                time::probe,
                secret::probe,
                writing::probe,
                body::probe,
                url::probe,
                discover::probe,
                place::relatives,
                place::alike,
                place::absent,
                secret::strangers,
                body::of_other_length,
                body::lost,
                body::packed_by_name,
                body::unreadable,
            ],
        }
    }
}

/// Looks for one kind of mistake, given how verification failed.
type Probe = fn(&Lab<'_>, &VerifyError) -> Option<Cause>;

/// Returns why `error` came about: the proven cause alone, or else the hints, the likeliest first. Empty only where
/// nothing fits and `reach` is [`Reach::Cheap`].
pub fn causes(case: &Case<'_>, error: &VerifyError, reach: Reach) -> Vec<Cause> {
    let schemes = case.spec.alternatives();
    let budget = Budget::new(reach.budget());
    let mut hints = Vec::new();
    for spec in &schemes {
        let lab = Lab::new(Case { spec, ..*case }, &budget);
        let own = if schemes.len() > 1 { lab.error() } else { Some(error.clone()) };
        let Some(own) = own else { continue };
        let found = examine(&lab, &own, reach);
        if found.iter().any(|cause| cause.proven) {
            return found;
        }
        // Of several schemes, the one that came as far as the whole check says most.
        if own == *error || hints.is_empty() {
            hints = found;
        }
    }
    if hints.is_empty() && reach == Reach::Whole {
        hints.push(unknown(error, budget.is_spent()));
    }
    hints
}

/// Returns the proven cause alone, or the hints.
fn examine(lab: &Lab<'_>, error: &VerifyError, reach: Reach) -> Vec<Cause> {
    let mut hints = Vec::new();
    for cause in reach.probes().iter().filter_map(|probe| probe(lab, error)) {
        if cause.proven {
            return vec![cause];
        }
        hints.push(cause);
    }
    hints
}

/// Says that a key is missing which the sender publishes.
fn unavailable(_: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let VerifyError::KeyUnavailable(address) = error else { return None };
    let what = format!("the sender's key at {address} is not here, and nothing is fetched");
    let mend = "fetch it yourself and hand it over with --certificate or --jwks";
    Some(Cause::hint("key_unavailable", what, mend))
}

/// Says where a scheme expects its signature; empty where it needs none.
pub fn places(spec: &VerifySpec) -> String {
    let schemes = spec.alternatives();
    let mut places: Vec<String> = schemes.iter().flat_map(place::named).collect();
    places.dedup();
    places.join(" or ")
}

fn unknown(error: &VerifyError, is_spent: bool) -> Cause {
    if !matches!(error, VerifyError::Mismatch) {
        let what = format!("{error}, and no known mistake explains it");
        let mend = "compare the request with the sender's documents: it is not written as this scheme is; `--discover` \
                    tries others";
        return Cause::hint("unknown", what, mend);
    }
    let what = if is_spent {
        "the body is too large to try all known mistakes, and none of those tried explains it"
    } else {
        "no known mistake explains it: most likely another secret, or a body that was changed"
    };
    let mend = "compare the secret with the sender's, by copying it again; then send one request and capture its raw \
                bytes where they arrive";
    Cause::hint("unknown", what, mend)
}
