//! From the data form of a scheme to its check: finds everything that is wrong with it at once, so that a person
//! mends a configuration in one go. A scheme that would seem to verify more than it does is refused.

mod places;
mod signed;
mod tokens;

use super::{
    message::Url,
    scheme::{Check, Each, Required, Scheme},
    spec::{Algorithm, VerifySpec, layers::optional},
    value::{OneOf, fill},
};
use crate::request::{
    SpecProblem,
    slot::{Params, Pointer},
};

/// Builds the schemes that are tried in turn, with their algorithms, or returns all problems.
pub(super) fn compile(spec: &VerifySpec) -> Result<Vec<(Algorithm, Scheme)>, Vec<SpecProblem>> {
    let alternatives = spec.alternatives();
    let is_list = spec.any_of.as_ref().is_some_and(|list| !list.is_empty());
    let (mut schemes, mut problems) = (Vec::new(), Vec::new());
    for (place, alternative) in alternatives.iter().enumerate() {
        let mut reader =
            Reader { spec: alternative, params: &spec.params.0, url: None, problems: Vec::new() };
        schemes.extend(reader.scheme());
        let is_none = alternative.algorithm == Some(Algorithm::None);
        if alternatives.len() > 1 && is_none && !is_bound(spec, place) {
            let problem = "`none` takes whatever the other alternatives refuse";
            let fix = "say in `require` which events are not signed, or take this alternative away";
            reader.report("algorithm", problem, fix);
        }
        let found = reader.problems.into_iter();
        problems.extend(found.map(|problem| if is_list { problem.of_alternative(place) } else { problem }));
    }
    // A proof comes before none, wherever they stand in the list.
    schemes.sort_by_key(|(algorithm, _)| *algorithm == Algorithm::None);
    if problems.is_empty() { Ok(schemes) } else { Err(problems) }
}

/// True where an alternative says itself which requests it takes: what it inherits the others demand too, and a demand whose
/// constant is not stated is dropped.
fn is_bound(spec: &VerifySpec, place: usize) -> bool {
    let own = spec.any_of.as_ref().and_then(|list| list.get(place)?.require.as_ref());
    let is_stated = |text: &str| optional(text).is_none_or(|name| spec.params.0.contains_key(name));
    own.is_some_and(|own| !own.is_empty() && own.values().all(|values| values.iter().any(is_stated)))
}

/// Reads the fields of one scheme and collects their problems.
struct Reader<'s> {
    spec: &'s VerifySpec,
    params: &'s Params,
    url: Option<Url>,
    problems: Vec<SpecProblem>,
}

impl Reader<'_> {
    fn report(&mut self, field: &'static str, problem: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(SpecProblem::new(field, problem, fix));
    }

    fn scheme(&mut self) -> Option<(Algorithm, Scheme)> {
        let Some(algorithm) = self.spec.algorithm else {
            let choices = Algorithm::ALL.map(|algorithm| format!("`{}`", algorithm.name())).join(", ");
            let fix = format!("set it to what the sender uses: one of {choices}");
            self.report("algorithm", "it is not set, and nothing is assumed", fix);
            return None;
        };
        // Written out by a person, so the rest of a preset's scheme may stand beside it; what it requires still holds.
        if algorithm == Algorithm::None {
            let required = self.required();
            let each = required.iter().any(|required| required.at.is_relative()).then(|| self.each());
            return Some((algorithm, Scheme { required, each: each.flatten(), check: Check::Nothing }));
        }
        self.url();
        let (required, each) = (self.required(), self.each());
        let check = if algorithm == Algorithm::Jwt {
            self.jwt().map(|jwt| Check::Jwt(Box::new(jwt)))
        } else if algorithm.signs_nothing() {
            self.token(algorithm).map(Check::Token)
        } else {
            self.signature(algorithm).map(|signature| Check::Signature(Box::new(signature)))
        };
        Some((algorithm, Scheme { required, each, check: check? }))
    }

    /// Reports fields that are set and mean nothing here.
    fn unfit(&mut self, fields: &[(&'static str, bool)], problem: &str) {
        for (field, _) in fields.iter().filter(|(_, is_set)| *is_set) {
            self.report(field, problem, "take it away");
        }
    }

    fn url(&mut self) {
        let fix = "write the address that the sender was given, as `https://hooks.example.com/hooks/shop`";
        let url = self.spec.url.as_deref().map(Url::parse).transpose();
        self.url = url.unwrap_or_else(|problem| {
            self.report("url", problem, fix);
            None
        });
    }

    fn required(&mut self) -> Vec<Required> {
        let mut all = Vec::new();
        for (at, values) in self.spec.require.iter().flatten() {
            let mut allowed = Vec::new();
            let (mut is_open, mut is_word) = (false, false);
            for text in values.iter() {
                let constant = optional(text).map(|name| self.params.get(name).map(ToString::to_string));
                match constant.map_or_else(|| fill(text, self.params).map(Some), Ok) {
                    Ok(Some(value)) => {
                        is_word |= text.contains("{param:");
                        allowed.push(value);
                    }
                    Ok(None) => is_open = true,
                    Err(problem) => self.report("require", problem, "set the constant, or take it out"),
                }
            }
            if !is_open || !allowed.is_empty() {
                all.extend(self.slots("require", at).map(|at| Required { at, values: allowed, is_word }));
            }
        }
        all
    }

    fn slots(&mut self, field: &'static str, text: &str) -> Option<OneOf> {
        match OneOf::parse(text, self.params) {
            Ok(slots) => {
                self.readable(field, &slots);
                Some(slots)
            }
            Err(problem) => {
                let fix =
                    "write a slot as `header:x-id`, `query:id`, `form:id`, `/id`, or several between bars";
                self.report(field, problem, fix);
                None
            }
        }
    }

    /// Reports slots for which nothing says where to look.
    fn readable(&mut self, field: &'static str, slots: &OneOf) {
        if slots.is_relative() && self.spec.each.is_none() {
            let problem = format!("`{slots}` is relative to an element, and `each` names none");
            self.report(field, problem, "set `each`, or write the pointer from the body's root");
        }
        if slots.fields().next().is_some() && self.spec.separator.is_none() {
            let problem = format!("`{slots}` is an entry of a list, and the signature is none");
            self.report(field, problem, "set `separator`");
        }
    }

    fn each(&mut self) -> Option<Each> {
        let text = self.spec.each.as_deref()?;
        let parents = text.rfind("/*").and_then(|at| text.get(..at + 2));
        let parents = parents.ok_or_else(|| format!("`{text}` has no `*` for the elements"));
        let each = Pointer::parse(text)
            .and_then(|all| Ok(Each { all, parents: Pointer::parse(parents?)? }))
            .map_err(|problem| self.report("each", problem, "write it as `/items/*`"));
        each.ok()
    }
}
