//! The recipe matrix: place × hash × message form × key decoding, tried on one request until the secret gives the
//! signature that stands there. What fits is a `verify` part for a sender document.

mod messages;
mod places;
mod recipe;

pub use recipe::Recipe;

use super::{Case, Cause, Lab, Reach, lab::Budget, place, secret::forms, stated::stated};
use crate::{
    request::slot::Texts,
    verify::{Algorithm, KeyPosition, VerifyError, VerifySpec},
};
use places::Place;

/// Returns the recipes that verify the case's request with one of its keys, at most one for each place. The second
/// value is true where the body was too large to try all of them.
pub fn discover(case: &Case<'_>) -> (Vec<Recipe>, bool) {
    let budget = Budget::new(Reach::Whole.budget());
    let lab = Lab::new(*case, &budget);
    let mut found: Vec<Recipe> = Vec::new();
    for place in places::all(&lab) {
        // One place can be read in several ways; the simplest that fits is enough.
        let is_known = found.iter().any(|recipe| recipe.stands_with(&place.spec));
        found.extend((!is_known).then(|| at(&lab, &place)).flatten());
    }
    (found, budget.is_spent())
}

/// Tries the right secret under another scheme: another hash, another message, another form of the key.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matches!(error, VerifyError::Mismatch | VerifyError::Malformed(_)).then_some(())?;
    let recipe = at_own_place(lab)?;
    let what = format!("the signature is right under another scheme: {}", recipe.summary());
    Some(Cause::proven("scheme", what, format!("set `verify: {}`", stated(&recipe.spec))))
}

/// Returns the recipe that fits where the case's scheme expects the signature.
fn at_own_place(lab: &Lab<'_>) -> Option<Recipe> {
    let spec = lab.case.spec;
    let own = place::headers(spec);
    let is_own = |place: &Place| {
        let header = place.spec.header.as_ref().and_then(|names| Texts::iter(names).next());
        header.is_some_and(|header| own.iter().any(|name| name.as_str() == header))
            || (place.spec.member.is_some() && place.spec.member == spec.member)
            || (place.spec.from.is_some() && place.spec.from == spec.from)
    };
    places::all(lab).iter().filter(|place| is_own(place)).find_map(|place| at(lab, place))
}

/// Returns the first recipe that fits one place.
fn at(lab: &Lab<'_>, place: &Place) -> Option<Recipe> {
    if place.spec.algorithm.is_some() {
        return lab.fits_scheme(&place.spec).then(|| Recipe { spec: place.spec.clone() });
    }
    let messages = messages::all(lab, place);
    for (algorithm, position) in algorithms(place.bytes) {
        let is_keyed = !algorithm.is_digest() || position.is_some();
        let forms = forms(Some(algorithm));
        for signed in &messages {
            for form in forms.iter().take(if is_keyed { forms.len() } else { 1 }) {
                let spec = VerifySpec {
                    algorithm: Some(algorithm),
                    key_position: position,
                    key: (forms.first() != Some(form) || algorithm.is_public_key()).then_some(*form),
                    ..signed.clone()
                };
                if lab.fits_scheme(&spec) {
                    return Some(Recipe { spec });
                }
            }
        }
    }
    None
}

/// Returns the algorithms whose signatures have so many bytes, HMACs first; a digest without key last.
fn algorithms(bytes: usize) -> impl Iterator<Item = (Algorithm, Option<KeyPosition>)> {
    let fitting =
        move || Algorithm::ALL.into_iter().filter(move |algorithm| algorithm.digest_bytes() == bytes);
    let hmacs = fitting().filter(|algorithm| algorithm.is_hmac()).map(|algorithm| (algorithm, None));
    let digests = move || fitting().filter(|algorithm| algorithm.is_digest());
    let positions = [Some(KeyPosition::Prefix), Some(KeyPosition::Suffix), None];
    let public = [(Algorithm::Ed25519, bytes == 64), (Algorithm::EcdsaP256, places::ECDSA.contains(&bytes))];
    let public = public.into_iter().filter(|(_, fits)| *fits).map(|(algorithm, _)| (algorithm, None));
    let digests =
        positions.into_iter().flat_map(move |position| digests().map(move |algorithm| (algorithm, position)));
    hmacs.chain(public).chain(digests)
}
