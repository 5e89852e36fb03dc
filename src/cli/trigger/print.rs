//! Prints a signed request instead of sending it. A secret that is sent as it is never stands in the output: what
//! stands there is where the shell finds it.

use super::{Form, draft::Fill, plan::Plan, signer::STAND_IN};
use crate::{
    cli::{
        exit::{Exit, Stop},
        out::Out,
    },
    clock,
    config::SecretRef,
    request::Request,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(super) fn run(plan: &Plan, form: Form, out: &mut Out) -> Result<Exit, Stop> {
    let (fill, now) = (Fill::fresh(&plan.event, 0), clock::now());
    let mut sent = plan.draft.request(&fill).map_err(Stop::usage)?;
    let mut shown = plan.draft.request(&fill).map_err(Stop::usage)?;
    plan.signer.sign(&mut sent, now)?;
    plan.signer.sign_shown(&mut shown, now)?;
    let reference = plan.signer.secret.as_ref().map(reference).unwrap_or_default();
    if holds_stand_in(&shown) {
        out.note("the secret is not printed: the shell puts it in");
    }
    if out.is_json() {
        let resolved = |text: String| resolved(&text, &reference);
        let headers: Vec<_> = headers(&shown).map(|(name, value)| (name, resolved(value))).collect();
        let body = resolved(String::from_utf8_lossy(&shown.body).into_owned());
        let url = resolved(plan.target.url_of(&shown.uri));
        out.object(&serde_json::json!({ "method": "POST", "url": url, "headers": headers, "body": body }))?;
        return Ok(Exit::Well);
    }
    match form {
        Form::Http => out.bytes(&http(plan, &shown, sent.body.len(), &reference))?,
        // As it is: a shell is to read it.
        Form::Curl => out.bytes((curl(plan, &shown, &reference) + "\n").as_bytes())?,
    }
    Ok(Exit::Well)
}

fn headers(request: &Request) -> impl Iterator<Item = (String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    request.headers.iter().map(move |(name, value)| (name.to_string(), text(value.as_bytes())))
}

/// Returns where a shell finds a secret.
fn reference(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => format!("${{{name}}}"),
        SecretRef::File(path) => format!("$(cat {})", quoted(&path.display().to_string())),
    }
}

/// The forms in which the stand-in may be written, and what of the secret belongs there.
fn stand_ins(reference: &str) -> [(String, String); 3] {
    let in_query = percent_encoding::utf8_percent_encode(STAND_IN, percent_encoding::NON_ALPHANUMERIC);
    [
        (STAND_IN.to_owned(), reference.to_owned()),
        (in_query.to_string(), reference.to_owned()),
        (STANDARD.encode(STAND_IN), format!("$(printf %s \"{reference}\" | base64 | tr -d '\\n')")),
    ]
}

fn holds_stand_in(request: &Request) -> bool {
    let texts = headers(request).map(|(_, value)| value);
    let texts = texts.chain([request.uri.to_string(), String::from_utf8_lossy(&request.body).into_owned()]);
    texts.into_iter().any(|text| stand_ins("").iter().any(|(stand_in, _)| text.contains(stand_in)))
}

/// Puts references where the stand-in is.
fn resolved(text: &str, reference: &str) -> String {
    stand_ins(reference).iter().fold(text.to_owned(), |text, (stand_in, what)| text.replace(stand_in, what))
}

fn http(plan: &Plan, request: &Request, length: usize, reference: &str) -> Vec<u8> {
    let mut text = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", request.uri, plan.target.authority);
    for (name, value) in headers(request) {
        text += &name;
        text += ": ";
        text += &value;
        text += "\r\n";
    }
    text += "content-length: ";
    text += &length.to_string();
    text += "\r\n\r\n";
    let head = resolved(&text, reference);
    match std::str::from_utf8(&request.body) {
        Ok(body) => [head.as_bytes(), resolved(body, reference).as_bytes()].concat(),
        Err(_) => [head.as_bytes(), &request.body].concat(),
    }
}

/// Returns a command that sends the request. The body comes through a pipe: in an argument it would be bounded, could hold
/// no NUL, and an `@` in front would have curl read a file of this machine.
fn curl(plan: &Plan, request: &Request, reference: &str) -> String {
    // Only between double quotes does a shell resolve a reference.
    let word = |text: &str| {
        let whole = quoted(text);
        stand_ins(reference)
            .iter()
            .fold(whole, |text, (stand_in, what)| text.replace(stand_in, &format!("'\"{what}\"'")))
    };
    let body = match std::str::from_utf8(&request.body) {
        Ok(text) if !text.contains('\0') => format!("printf %s {}", word(text)),
        Ok(_) | Err(_) => format!("printf {}", quoted(&octal(&request.body))),
    };
    // Brackets and dots of a path are the sender's, not curl's.
    let mut command =
        format!("{body} |\n  curl -i -g --path-as-is {}", word(&plan.target.url_of(&request.uri)));
    for (name, value) in headers(request) {
        command += " \\\n  -H ";
        // curl takes a header away that ends with its colon.
        command +=
            &if value.is_empty() { quoted(&format!("{name};")) } else { word(&format!("{name}: {value}")) };
    }
    command + " \\\n  --data-binary @-"
}

/// Returns bytes as a format of the shell's `printf`.
fn octal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<Vec<_>>().concat()
}

/// Returns text as one word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{octal, quoted};

    fn said(script: &str) -> Vec<u8> {
        std::process::Command::new("sh").args(["-c", script]).output().unwrap().stdout
    }

    #[test]
    fn a_shell_reads_back_bytes_that_are_no_text() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(said(&format!("printf {}", quoted(&octal(&bytes)))), bytes);
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["plain", "it's", "$HOME `id` \"x\" \\", "a\nb"] {
            assert_eq!(said(&format!("printf %s {}", quoted(text))), text.as_bytes());
        }
    }
}
