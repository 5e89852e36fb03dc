//! `hookway senders`: whom does Hookway know, and how? Lists the presets, or prints the document of one.

mod row;
mod show;

use super::{
    exit::{Exit, Stop},
    out::{Out, Style},
};
use crate::senders;
use clap::{Args, Subcommand};
use row::Row;

pub(super) const HELP: &str = "\
Examples:
  hookway senders                          every preset: how it signs, what its events are keyed by, its handshakes
  hookway senders show github              its document, to read or to copy
  hookway senders show github > acme.yaml  the beginning of one of your own: `preset: ./acme.yaml`
  hookway senders --json | jq -r '.[].name'

A variant is another name of a preset under which some fields differ; `preset:` takes both.

Exit codes: 0 well, 64 there is no such preset.";

#[derive(Debug, Args)]
pub(super) struct Senders {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Prints the document of a preset, or the effective one of a variant
    Show {
        /// The preset or variant
        name: String,
    },
}

pub(super) fn run(senders: &Senders, out: &mut Out) -> Result<Exit, Stop> {
    match &senders.what {
        Some(What::Show { name }) => show::run(name, out),
        None => list(out),
    }
}

fn list(out: &mut Out) -> Result<Exit, Stop> {
    let rows = senders::names().map(Row::of).collect::<Result<Vec<_>, Stop>>()?;
    if out.is_json() {
        out.object(&rows)?;
    } else {
        print(&rows, out)?;
    }
    Ok(Exit::Well)
}

/// The titles of the columns; the last one is as wide as it comes.
const TITLES: [&str; 5] = ["SENDER", "SCHEME", "KEYED BY", "HANDSHAKE", "ABOUT"];

fn print(rows: &[Row], out: &mut Out) -> Result<(), Stop> {
    let mut widths = TITLES.map(|title| title.chars().count());
    for cell in rows.iter().map(Row::cells) {
        for (width, cell) in widths.iter_mut().zip(&cell) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let padded = |cells: [&str; 5]| {
        let pad = |(cell, width): (&str, &usize)| format!("{cell:width$}", width = *width);
        cells.into_iter().zip(&widths).map(pad).collect::<Vec<String>>()
    };
    let titles = padded(TITLES).join("  ");
    let titles = out.paint(Style::Faint, titles.trim_end()).into_owned();
    out.line(titles)?;
    for row in rows {
        let cells = row.cells();
        let cells = padded(cells.each_ref().map(String::as_str));
        let Some((name, rest)) = cells.split_first() else { continue };
        let name = out.paint(Style::Strong, name).into_owned();
        out.line(format!("{name}  {}", rest.join("  ")).trim_end())?;
        if !row.variants.is_empty() {
            let variants = format!("  also {}", row.variants.join(", "));
            let variants = out.paint(Style::Faint, &variants).into_owned();
            out.line(variants)?;
        }
    }
    Ok(())
}
