//! The values of headers that the signature itself names, as Hook0 signs them: they stand in a message between dots.

use crate::{
    request::Request,
    verify::{VerifyError, demanded_header},
};
use http::HeaderName;

/// Returns the values of the headers in a list of names between blanks, joined by dots. Only the last may hold a dot, and
/// none where a JSON body could begin: else one signature would stand for several cuts.
pub(super) fn listed(request: &Request, names: &str) -> Result<String, VerifyError> {
    let mut values = Vec::new();
    for name in names.split(' ').filter(|name| !name.is_empty()) {
        let header = HeaderName::try_from(name)
            .map_err(|_| VerifyError::malformed("the signature lists what is not a header's name"))?;
        values.push(demanded_header(&request.headers, &header)?);
    }
    let (last, others) = values.split_last().unwrap_or((&"", &[]));
    if others.iter().any(|value| value.contains('.')) || [".{", ".["].iter().any(|cut| last.contains(cut)) {
        return Err(VerifyError::malformed("a header that the signature lists holds what separates it"));
    }
    Ok(values.join("."))
}
