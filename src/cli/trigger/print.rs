//! Prints a signed request instead of sending it. A secret that is sent as it is never stands in the output: what
//! stands there is where the shell finds it.

use super::{Form, draft::Fill, plan::Plan};
use crate::{
    cli::{
        exit::{Exit, Stop},
        out::Out,
    },
    clock,
    config::SecretRef,
    delivery::Request,
};
use axum::http::HeaderValue;

/// Prints one request.
pub(super) fn run(plan: &Plan, form: Form, out: &mut Out) -> Result<Exit, Stop> {
    let mut request = plan.draft.request(&Fill::fresh(&plan.event, 0)).map_err(Stop::usage)?;
    plan.signer.sign(&mut request, clock::now())?;
    let headers = headers(plan, &request);
    if out.is_json() {
        let body = String::from_utf8_lossy(&request.body);
        out.object(&serde_json::json!({ "method": "POST", "url": plan.target.url(), "headers": headers, "body": body }))?;
        return Ok(Exit::Well);
    }
    if plan.signer.secret.is_some() && request.headers.values().any(HeaderValue::is_sensitive) {
        out.note("the secret is not printed: the shell puts it in");
    }
    match form {
        Form::Http => out.bytes(&http(plan, &request, &headers))?,
        Form::Curl => out.line(curl(plan, &request, &headers)?)?,
    }
    Ok(Exit::Well)
}

/// Returns the headers in text, a secret as a reference that a shell resolves.
fn headers(plan: &Plan, request: &Request) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| match reference(plan).filter(|_| value.is_sensitive()) {
        Some(reference) => format!("{}{reference}", plan.signer.prefix),
        None => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn reference(plan: &Plan) -> Option<String> {
    plan.signer.secret.as_ref().map(|secret| match secret {
        SecretRef::Env(name) => format!("${{{name}}}"),
        SecretRef::File(path) => format!("$(cat {})", quoted(&path.display().to_string())),
    })
}

fn http(plan: &Plan, request: &Request, headers: &[(String, String)]) -> Vec<u8> {
    let mut text = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", plan.target.path, plan.target.authority);
    for (name, value) in headers {
        text += name;
        text += ": ";
        text += value;
        text += "\r\n";
    }
    text += "content-length: ";
    text += &request.body.len().to_string();
    text += "\r\n\r\n";
    [text.as_bytes(), &request.body].concat()
}

fn curl(plan: &Plan, request: &Request, headers: &[(String, String)]) -> Result<String, Stop> {
    let body = std::str::from_utf8(&request.body);
    let body = body.map_err(|_| Stop::usage("the body is not text: print it with --print=http"))?;
    let mut command = format!("curl -i {}", quoted(&plan.target.url()));
    for (name, value) in headers {
        let sensitive = request.headers.get(name).is_some_and(HeaderValue::is_sensitive);
        let value = format!("{name}: {value}");
        // Only between double quotes does a shell resolve the reference.
        let value = if sensitive { format!("\"{value}\"") } else { quoted(&value) };
        command += " \\\n  -H ";
        command += &value;
    }
    command += " \\\n  --data-binary ";
    command += &quoted(body);
    Ok(command)
}

/// Returns text as one word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["plain", "it's", "$HOME `id` \"x\" \\", "a\nb"] {
            let echoed = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(text))])
                .output();
            assert_eq!(String::from_utf8(echoed.unwrap().stdout).unwrap(), text);
        }
    }
}
