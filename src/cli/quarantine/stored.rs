//! Reads a record back into the event that it holds, and into the request where the envelope kept that.

use crate::{
    app::replay::Stored,
    cli::tail::row::{Attributes, Row},
    clock,
    event::{Event, Identity, Reason},
    request::Request,
    verify::Assurance,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

/// Returns the event of a record; where its data stand in a file, of that. An error says what is wrong with it.
pub(super) fn read(row: &Row) -> Result<Stored, String> {
    let attributes = row.attributes();
    let (data, is_json) = row.data().ok_or("it is no envelope")?;
    if attributes.get("hookwaycut") == Some("data") {
        let place: serde_json::Value = serde_json::from_slice(&data).unwrap_or_default();
        let file = place.get("file").and_then(serde_json::Value::as_str).ok_or("its data name no file")?;
        let value = std::fs::read(file).map_err(|error| format!("its data stand in {file}: {error}"))?;
        return read(&Row { value: value.into(), ..row.clone() });
    }
    let must = |name: &str| attributes.get(name).ok_or_else(|| format!("its envelope has no {name}"));
    let text = |name: &str| attributes.get(name).map(ToOwned::to_owned);
    let recorded = must("recordedtime")?.parse().map_err(|_| "its recordedtime is none")?;
    let assurance = Assurance::named(must("hookwayverified")?).ok_or("what was verified of it is unknown")?;
    let event = Event {
        id: must("id")?.to_owned(),
        identity: Identity::Fresh,
        id_conflicts: attributes.get("hookwayidconflict").is_some(),
        in_turn: false,
        source: must("source")?.into(),
        source_name: must("hookwaysource")?.into(),
        kind: must("type")?.to_owned(),
        subject: text("subject"),
        key: text("partitionkey"),
        time: attributes.get("time").filter(|_| attributes.get("timesource").is_none()).and_then(clock::read),
        recorded,
        content_type: text("datacontenttype"),
        assurance,
        data,
        data_is_json: is_json,
        type_is_unsigned: attributes.get("typeunsigned").is_some(),
        carried: None,
        quarantine: None,
    };
    let reason = match attributes.get("hookwayreason") {
        Some(name) => Some(Reason::named(name).ok_or_else(|| format!("its reason {name} is unknown"))?),
        None => None,
    };
    let request = if attributes.get("hookwaycut").is_some() { None } else { request(&attributes, &event) };
    Ok(Stored { event, request, reason })
}

/// Returns the request of a quarantined event.
fn request(attributes: &Attributes, event: &Event) -> Option<Request> {
    let pairs: Vec<(String, String)> = serde_json::from_str(attributes.get("hookwayheaders")?).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value: Vec<u8> = percent_decode_str(&value).collect();
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(&value).ok()?);
    }
    Some(Request {
        method: attributes.get("hookwaymethod")?.parse().ok()?,
        uri: attributes.get("hookwaytarget")?.parse().ok()?,
        headers,
        body: event.data.clone(),
        received: event.recorded,
    })
}
