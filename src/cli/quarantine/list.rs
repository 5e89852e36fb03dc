//! Lists and shows what stands in the quarantine, and notes what is dealt with.

use super::{
    choose::{Choice, From},
    notes::Notes,
    position::Position,
};
use crate::{
    app::replay::notes_dir,
    cli::{
        exit::{Exit, Stop},
        out::{Out, Style, printable},
        tail::row::Row,
    },
    config::Loaded,
};
use std::collections::BTreeSet;

/// What is listed of an event, in this order.
const LISTED: [&str; 6] = ["recordedtime", "hookwaysource", "hookwayreason", "type", "id", "partitionkey"];

pub(super) async fn ls(loaded: &Loaded, choice: &Choice, all: bool, out: &mut Out) -> Result<Exit, Stop> {
    let notes = Notes::read(notes_dir(loaded))?;
    let mut reading = choice.from.open(loaded).await?;
    let mut is_any = false;
    while let Some((position, row)) = reading.next().await? {
        if !choice.takes(&row, true) {
            continue;
        }
        let attributes = row.attributes();
        let note = notes.get(&position, attributes.get("id").unwrap_or_default());
        if note.is_some() && !all {
            continue;
        }
        is_any = true;
        let of = |name: &str| attributes.get(name);
        if out.is_json() {
            out.object(&serde_json::json!({
                "position": position.to_string(), "time": of("recordedtime"), "source": of("hookwaysource"),
                "reason": of("hookwayreason"), "detail": of("hookwaydetail"), "type": of("type"), "id": of("id"),
                "key": of("partitionkey"), "size": row.value.len(), "done": note.map(|note| &note.done),
                "why": note.and_then(|note| note.why.as_ref()),
            }))?;
            continue;
        }
        let place = out.paint(Style::Strong, &printable(&position.to_string())).into_owned();
        let said: Vec<_> =
            LISTED.iter().map(|name| printable(of(name).unwrap_or("-")).into_owned()).collect();
        let size = bytesize::ByteSize(row.value.len().try_into().unwrap_or(u64::MAX));
        let done = note.map(|note| {
            let why = note.why.as_deref().map(|why| format!(": {}", printable(why)));
            format!("  ({}{})", printable(&note.done), why.unwrap_or_default())
        });
        out.line(format!("{place}  {}  {size}{}", said.join("  "), done.unwrap_or_default()))?;
    }
    if !is_any {
        out.note("nothing that fits waits in the quarantine");
    }
    Ok(if is_any { Exit::Well } else { Exit::Negative })
}

pub(super) async fn show(
    loaded: &Loaded,
    position: &Position,
    from: &From,
    out: &mut Out,
) -> Result<Exit, Stop> {
    let row = find(loaded, &BTreeSet::from([position.to_string()]), from).await?.pop();
    let Some((_, event)) = row.and_then(|(place, row)| Some((place, row.event()?))) else {
        return Err(Stop::new(Exit::Negative, format!("no event stands at {position}")));
    };
    // Credentials were taken out before it was quarantined.
    if out.is_json() {
        out.object(&event)?;
    } else {
        out.document(&parsed(event.get()))?;
    }
    Ok(Exit::Well)
}

/// Returns an envelope as people read it: the headers of its request are a list, and not a text that holds one.
fn parsed(event: &str) -> serde_json::Value {
    let mut event: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
    if let Some(headers) = event.get_mut("hookwayheaders")
        && let Some(Ok(list)) = headers.as_str().map(serde_json::from_str::<serde_json::Value>)
    {
        *headers = list;
    }
    event
}

pub(super) async fn put_off(
    loaded: &Loaded,
    positions: &[Position],
    why: &str,
    from: &From,
    out: &mut Out,
) -> Result<Exit, Stop> {
    let mut wanted: BTreeSet<String> = positions.iter().map(ToString::to_string).collect();
    let found = find(loaded, &wanted, from).await?;
    let mut notes = Notes::take(notes_dir(loaded))?;
    for (position, row) in found {
        notes.add(&position, row.attributes().get("id").unwrap_or_default(), "dropped", Some(why))?;
        wanted.remove(&position.to_string());
        if out.is_json() {
            out.object(
                &serde_json::json!({ "position": position.to_string(), "done": "dropped", "why": why }),
            )?;
        } else {
            out.line(format!("{position}  dropped: {}", printable(why)))?;
        }
    }
    for missing in &wanted {
        out.note(format!("no quarantined event stands at {missing}"));
    }
    Ok(if wanted.is_empty() { Exit::Well } else { Exit::Negative })
}

/// Returns the quarantined events at these places.
async fn find(loaded: &Loaded, places: &BTreeSet<String>, from: &From) -> Result<Vec<(Position, Row)>, Stop> {
    let (mut reading, mut found) = (from.open(loaded).await?, Vec::new());
    while let Some((position, row)) = reading.next().await? {
        if places.contains(&position.to_string()) && row.attributes().get("hookwayreason").is_some() {
            found.push((position, row));
        }
        if found.len() == places.len() {
            break;
        }
    }
    Ok(found)
}
