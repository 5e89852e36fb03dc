//! Reads a record back into the event that it holds, and into the request where the envelope kept that.

use crate::{
    app::replay::Stored,
    cli::tail::row::Row,
    event::{Event, envelope::read::Attributes},
    request::{Kept, Request},
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::{fmt::Display, fs, path::Path};

/// Returns the event of a record; where its data stand in a file of the folder `aside`, of that. An error says what is wrong
/// with it.
pub(super) fn read(row: &Row, aside: &Path) -> Result<Stored, String> {
    let attributes = row.attributes();
    let (data, is_json) = row.data().ok_or("it is no envelope")?;
    if attributes.get("hookwaycut") != Some("data") {
        return event(&attributes, data, is_json);
    }
    let whole = Row { value: document(&data, aside)?, ..row.clone() };
    let (data, is_json) = whole.data().ok_or("its file is no envelope")?;
    event(&whole.attributes(), data, is_json)
}

/// Returns the document that a record names. A topic may have other writers than we, so that it is looked for in our folder
/// alone, and must have the digest that the record says.
fn document(data: &[u8], aside: &Path) -> Result<Bytes, String> {
    let place: serde_json::Value = serde_json::from_slice(data).unwrap_or_default();
    let text = |name: &str| place.get(name).and_then(serde_json::Value::as_str);
    let name = text("file").and_then(|file| Path::new(file).file_name()).ok_or("its data name no file")?;
    let file = aside.join(name);
    let failed = |error: &dyn Display| format!("its data stand in {}: {error}", file.display());
    let whole = fs::read(&file).map_err(|error| failed(&error))?;
    if text("sha256") != Some(&hex::encode(Sha256::digest(&whole))) {
        return Err(failed(&"its digest is another"));
    }
    Ok(whole.into())
}

fn event(attributes: &Attributes, data: Bytes, is_json: bool) -> Result<Stored, String> {
    let event = attributes.event(data, is_json)?;
    let reason = attributes.reason()?;
    let request = if attributes.get("hookwaycut").is_some() { None } else { request(attributes, &event) };
    Ok(Stored { event, request, reason })
}

/// Returns the request of a quarantined event.
fn request(attributes: &Attributes, event: &Event) -> Option<Request> {
    let text = |name| attributes.get(name);
    let kept = Kept::read(text("hookwaymethod")?, text("hookwaytarget")?, text("hookwayheaders")?)?;
    Some(Request {
        method: kept.method,
        uri: kept.target.parse().ok()?,
        headers: kept.headers,
        body: event.data.clone(),
        received: event.recorded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_from_our_folder_alone_and_with_its_digest() {
        let home = tempfile::tempdir().unwrap();
        let aside = home.path().join("aside");
        fs::create_dir(&aside).unwrap();
        fs::write(home.path().join("secret"), "a secret").unwrap();
        fs::write(aside.join("kept"), "{}").unwrap();
        let named = |file: &str, content: &str| {
            let sha256 = hex::encode(Sha256::digest(content));
            let place = serde_json::json!({ "file": file, "bytes": content.len(), "sha256": sha256 });
            document(place.to_string().as_bytes(), &aside)
        };
        assert_eq!(named("/elsewhere/aside/kept", "{}").unwrap(), "{}", "the folder may have moved");
        assert!(named("kept", "[]").unwrap_err().contains("digest"));
        let secret = home.path().join("secret");
        for file in [secret.to_str().unwrap(), "../secret", ".."] {
            assert!(named(file, "a secret").is_err(), "{file}");
        }
    }
}
