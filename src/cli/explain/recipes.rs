//! `--discover`: prints the `verify` lines that fit a request.

use super::{Explain, subject};
use crate::{
    cli::{
        Common,
        exit::{Exit, Stop},
        out::{Out, Style},
    },
    explain::{Case, Recipe, discover},
    request::Request,
    verify::VerifySpec,
};
use serde_json::json;

pub(super) fn run(
    explain: &Explain,
    common: &Common,
    request: &Request,
    out: &mut Out,
) -> Result<Exit, Stop> {
    let secrets = match (&explain.source, subject::keys(explain)?) {
        (Some(_), keys) if keys.is_empty() => subject::Subject::of(explain, common, request)?.secrets,
        (_, keys) => keys,
    };
    let spec = VerifySpec { url: explain.url(request), ..VerifySpec::default() };
    let (recipes, is_partial) = discover(&Case::new(&spec, &secrets, request));
    if out.is_json() {
        let found = recipes.iter().map(|recipe| json!({ "verify": recipe.verify(), "yaml": recipe.yaml() }));
        out.object(&json!({ "discovered": found.collect::<Vec<_>>(), "complete": !is_partial }))?;
    } else {
        print(&recipes, out)?;
        if is_partial {
            out.note("the body is large: not all recipes were tried");
        }
    }
    Ok(if recipes.is_empty() { Exit::Negative } else { Exit::Well })
}

fn print(recipes: &[Recipe], out: &mut Out) -> Result<(), Stop> {
    if recipes.is_empty() {
        let verdict = out.paint(Style::Bad, "no known recipe fits").into_owned();
        return out.line(format!("{verdict}: most likely another secret, or a body that is not byte-exact"));
    }
    for recipe in recipes {
        out.line(recipe.yaml().trim_end())?;
    }
    Ok(())
}
