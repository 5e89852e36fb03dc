//! A sender document in the one form that server, `check`, `trigger`, `explain` and tests share: compiled for a source,
//! or all that is wrong with it at once.

use super::SenderSpec;
use crate::{
    normalize::{Normalizer, Setting},
    request::{
        SpecProblem,
        slot::{Params, Slot, Standing},
    },
    respond::{RespondSpec, Responders},
    verify::{Constants, Verifier, VerifySpec},
};

/// A compiled document, still without secrets.
#[derive(Debug)]
pub struct Compiled {
    /// What the verifier was compiled from.
    pub scheme: VerifySpec,
    /// Checks where a request came from.
    pub verifier: Verifier,
    /// Answers handshakes.
    pub responders: Responders,
    /// Makes events of a request.
    pub normalizer: Normalizer,
}

impl Compiled {
    /// Compiles a document for the source of this name, with the constants that have a value now. Each problem names
    /// its place in the document.
    pub fn new(spec: &SenderSpec, source: &str, params: &Params) -> Result<Self, Vec<SpecProblem>> {
        let scheme = spec.scheme(params);
        let verifier = Verifier::compile(&scheme);
        let declared = |param: &str| spec.params.as_ref().is_some_and(|known| known.contains_key(param));
        let responds = spec.respond.as_deref().unwrap_or_default();
        let responders = Responders::compile(responds, &declared, params.clone());
        let normalizer = normalizer(spec, source, params, verifier.as_ref().ok());
        match (verifier, responders, normalizer) {
            (Ok(verifier), Ok(responders), Ok(normalizer)) => {
                Ok(Self { scheme, verifier, responders, normalizer })
            }
            (verifier, responders, normalizer) => {
                let of_scheme = verifier.err().into_iter().flatten().map(SpecProblem::below_verify);
                let others = [responders.err(), normalizer.err()].into_iter().flatten().flatten();
                Err(of_scheme.chain(others).collect())
            }
        }
    }
}

/// Returns what is legal in a document and yet makes repeats unknown; nothing where its check or its events can't be
/// compiled.
pub fn doubts(spec: &SenderSpec, source: &str, params: &Params) -> Vec<SpecProblem> {
    let Ok(verifier) = Verifier::compile(&spec.scheme(params)) else { return Vec::new() };
    let normalizer = normalizer(spec, source, params, Some(&verifier));
    normalizer.iter().flat_map(Normalizer::doubts).collect()
}

fn normalizer(
    spec: &SenderSpec,
    source: &str,
    params: &Params,
    verifier: Option<&Verifier>,
) -> Result<Normalizer, Vec<SpecProblem>> {
    let standing = |slots: &[Slot], each: Option<&str>| {
        verifier.map_or(Standing::Open, |verifier| verifier.standing(slots, each))
    };
    let setting = Setting {
        sender: spec.sender.as_deref().unwrap_or("custom"),
        source,
        params: params.clone(),
        withheld: verifier.map(Verifier::withheld).unwrap_or_default(),
        standing: &standing,
        ids_are_unique: spec.ids_are_unique(),
    };
    Normalizer::compile(&spec.event.clone().unwrap_or_default(), setting)
}

impl SenderSpec {
    /// Returns how requests are verified, with what the check must know of the rest of the document: the constants, which
    /// it names too, and whether handshakes sign with its key.
    pub fn scheme(&self, params: &Params) -> VerifySpec {
        let mut verify = self.verify.clone().unwrap_or_default();
        verify.demand_stated(&|name| self.params.iter().flatten().any(|(stated, _)| stated == name));
        verify.signs_tokens = self.respond.iter().flatten().any(RespondSpec::signs);
        verify.params = Constants(params.clone());
        verify
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::senders;
    use serde_json::json;

    #[test]
    fn all_that_is_wrong_with_a_document_is_told_at_once_each_with_its_place() {
        let document = json!({
            "verify": { "algorithm": "hmac-sha256" },
            "respond": [ { "name": "hello", "when": { "body": "/a" }, "reply": { "status": 999 } } ],
            "event": { "type": "{/type", "id": "/id" },
        });
        let spec: SenderSpec = serde_json::from_value(document).unwrap();
        let problems = Compiled::new(&spec, "doors", &Params::new()).unwrap_err();
        for place in ["verify.", "respond[0]", "event.type"] {
            assert!(problems.iter().any(|problem| problem.field.starts_with(place)), "{place}: {problems:?}");
        }
    }

    #[test]
    fn every_document_beside_the_code_compiles_but_for_what_its_operator_must_say() {
        for name in senders::names() {
            let text = senders::preset(name).unwrap();
            let mut spec: SenderSpec = serde_saphyr::from_str(text).unwrap();
            spec.variants = None;
            let problems = Compiled::new(&spec, "doors", &Params::new()).err().unwrap_or_default();
            let of_operator = |problem: &SpecProblem| {
                problem.field.starts_with("verify.") || problem.problem.contains("param")
            };
            assert!(problems.iter().all(of_operator), "{name}: {problems:?}");
        }
    }
}
