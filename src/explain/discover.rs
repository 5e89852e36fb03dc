//! The recipe matrix: place × hash × message form × key decoding, tried on one request until the secret gives the
//! signature that stands there. What fits is a `verify` part for a sender document.

mod messages;
mod places;
mod recipe;

pub use recipe::Recipe;

use super::{Case, Lab, Reach, place, secret};
use crate::verify::{Algorithm, KeyPosition, VerifySpec};
use messages::Signed;
use places::Place;

/// Returns the recipes that verify the case's request with one of its secrets, at most one for each place. The
/// second value is true where the body was too large to try all of them.
pub fn discover(case: &Case<'_>) -> (Vec<Recipe>, bool) {
    let lab = Lab::new(*case, Reach::Whole.budget());
    let mut found: Vec<Recipe> = Vec::new();
    for place in places::all(&lab) {
        // One header can be read in several ways; the simplest that fits is enough.
        let is_known = found.iter().any(|recipe| recipe.stands_with(&place.spec));
        found.extend((!is_known).then(|| at(&lab, &place)).flatten());
    }
    (found, lab.is_spent())
}

/// Returns the recipe that fits where the case's scheme expects the signature.
pub(super) fn at_own_place(lab: &Lab<'_>) -> Option<Recipe> {
    let spec = lab.case.spec;
    let own = place::headers(spec);
    let is_own = |place: &Place| match (&place.spec.header, &place.spec.member) {
        (Some(header), _) => header.iter().any(|text| own.iter().any(|name| name.as_str() == text)),
        (None, member) => member.is_some() && *member == spec.member,
    };
    places::all(lab).iter().filter(|place| is_own(place)).find_map(|place| at(lab, place))
}

/// Returns the first recipe that fits one place.
fn at(lab: &Lab<'_>, place: &Place) -> Option<Recipe> {
    if place.spec.algorithm.is_some() {
        return lab.fits_scheme(&place.spec).then(|| Recipe::new(place.spec.clone()));
    }
    let messages = messages::all(lab, place);
    for (algorithm, position) in algorithms(place.bytes) {
        for Signed { message, timestamp } in &messages {
            let forms = if algorithm.is_hmac() || position.is_some() {
                &secret::FORMS[..]
            } else {
                &secret::FORMS[..1]
            };
            for form in forms {
                let spec = VerifySpec {
                    algorithm: Some(algorithm),
                    key_position: position,
                    key: (*form != secret::FORMS[0]).then_some(*form),
                    message: Some(message.clone()),
                    timestamp: timestamp.clone(),
                    ..place.spec.clone()
                };
                if lab.fits_scheme(&spec) {
                    return Some(Recipe::new(spec));
                }
            }
        }
    }
    None
}

/// Returns the algorithms whose digests have so many bytes, HMACs first; a digest without key last.
fn algorithms(bytes: usize) -> impl Iterator<Item = (Algorithm, Option<KeyPosition>)> {
    let fitting =
        move || Algorithm::ALL.into_iter().filter(move |algorithm| algorithm.digest_bytes() == bytes);
    let hmacs = fitting().filter(|algorithm| algorithm.is_hmac()).map(|algorithm| (algorithm, None));
    let digests = move || fitting().filter(|algorithm| !algorithm.is_hmac());
    let positions = [Some(KeyPosition::Prefix), Some(KeyPosition::Suffix), None];
    hmacs.chain(
        positions.into_iter().flat_map(move |position| digests().map(move |algorithm| (algorithm, position))),
    )
}
