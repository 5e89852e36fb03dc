//! The URL, where it is signed: behind a proxy it is easily another one than the sender was given.

use super::{Cause, Lab};
use crate::{
    request::Request,
    verify::{VerifyError, VerifySpec},
};
use http::{Uri, header};

/// Tries the URL with another scheme, port, host, path, slash, and without the query.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let spec = lab.case.spec;
    let url = spec.url.as_deref().filter(|_| matters(spec, error))?;
    let right = variants(lab, url)
        .into_iter()
        .find(|url| lab.fits_scheme(&VerifySpec { url: Some(url.clone()), ..spec.clone() }));
    if let Some(right) = right {
        let what = format!("the sender signs another URL than the configured one: {right}");
        let mend = format!("set `verify.url` to {right}, or enter the configured one at the sender");
        return Some(Cause::proven("url", what, mend));
    }
    let request = lab.case.request;
    let bare: Uri = request.uri.query().and_then(|_| request.uri.path().parse().ok())?;
    lab.fits_request(&Request { uri: bare, ..request.clone() }).then(|| {
        let what = "the sender signs the URL without the query that the request has";
        let mend = "something on the way adds a query: let it pass the sender's URL on as it is";
        Cause::proven("url", what, mend)
    })
}

fn matters(spec: &VerifySpec, error: &VerifyError) -> bool {
    let message = spec.message.as_deref().unwrap_or_default();
    matches!(error, VerifyError::Mismatch) && (message.contains("{url") || message == "twilio")
}

/// Returns the URLs that may be meant by `url`.
fn variants(lab: &Lab<'_>, url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let request = lab.case.request;
    let named =
        |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok())
        .map_or(authority, |(host, _)| host);
    let hosts = [
        Some(authority.to_owned()),
        Some(host.to_owned()),
        Some(format!("{host}:443")),
        Some(format!("{host}:80")),
        named(header::HOST.as_str()),
        named("x-forwarded-host"),
        request.uri.authority().map(ToString::to_string),
    ];
    let slashed = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    // What stands behind the source comes from each request, as the query does.
    let asked = request.uri.path();
    let source = asked.strip_prefix("/hooks/").and_then(|behind| behind.split('/').next());
    let asked = source.map_or_else(|| asked.to_owned(), |source| format!("/hooks/{source}"));
    let paths = [path.to_owned(), slashed, asked];
    let schemes = [scheme, if scheme == "https" { "http" } else { "https" }];
    let mut found = Vec::new();
    for scheme in schemes {
        for host in hosts.iter().flatten() {
            found.extend(paths.iter().map(|path| format!("{scheme}://{host}{path}")));
        }
    }
    found.retain(|variant| variant != url);
    found
}
