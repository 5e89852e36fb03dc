//! Draws the curves as SVG: for each a panel with the rate and one below it with the processor time, both on logarithmic
//! scales; a bar at each point reaches from the lowest round to the highest.

use super::Measured;
use crate::figure::{Figure, Spread};
use std::fmt::Write;

/// A panel's frame, and the room around it for titles and numbers, in pixels.
const FRAME: (f64, f64) = (190.0, 170.0);
const LEFT: f64 = 62.0;
const TOP: f64 = 66.0;
const BELOW: f64 = 62.0;

/// Returns the drawing.
pub(super) fn svg(all: &[Measured]) -> String {
    let rows = [(Figure::Rate, "events/s"), (Figure::Cpu, "CPU per event, µs")];
    let is_drawn = |measured: &&Measured| measured.points.iter().any(|(_, rounds)| !rounds.is_empty());
    let curves: Vec<&Measured> = all.iter().filter(is_drawn).collect();
    let cell = (FRAME.0 + LEFT + 12.0, FRAME.1 + BELOW);
    let columns = f64::from(u32::try_from(curves.len()).unwrap());
    let (width, height) = (columns * cell.0 + 12.0, 2.0 * cell.1 + TOP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<title>What an event costs Hookway</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let middle = width / 2.0;
    text(
        &mut out,
        (middle, 20.0),
        "middle\" font-size=\"15",
        "What an event costs Hookway, publishing to Kafka",
    );
    text(
        &mut out,
        (middle, 36.0),
        "middle",
        "Medians, with the lowest and the highest round; logarithmic scales",
    );
    let mut top = TOP;
    for (figure, unit) in rows {
        let mut left = LEFT;
        for measured in &curves {
            panel(&mut out, (left, top), measured, figure, unit);
            left += cell.0;
        }
        top += cell.1;
    }
    out.push_str("</svg>\n");
    out
}

/// A logarithmic scale from one power of ten to another.
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let from = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let to = values.fold(0.0, f64::max).log10().ceil();
        Self { from, to: to.max(from + 1.0) }
    }

    /// Returns the place of a value, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.to - self.from)
    }

    /// Returns 1, 2 and 5 times each power of ten.
    fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut power = self.from;
        while power < self.to {
            ticks.extend([1.0, 2.0, 5.0].map(|times| times * 10f64.powf(power)));
            power += 1.0;
        }
        ticks.push(10f64.powf(self.to));
        ticks
    }
}

fn panel(out: &mut String, (left, top): (f64, f64), measured: &Measured, figure: Figure, unit: &str) {
    let spreads: Vec<(f64, Spread)> = (measured.points.iter())
        .map(|(x, rounds)| (f64::from(*x), Spread::of(rounds.iter().map(|sample| sample.get(figure)))))
        .filter(|(_, spread)| !spread.median.is_nan())
        .collect();
    let across = Scale::around(measured.points.iter().map(|(x, _)| f64::from(*x)));
    let up = Scale::around(spreads.iter().flat_map(|(_, spread)| [spread.low, spread.high]));
    let x = |value| left + FRAME.0 * across.place(value);
    let y = |value| top + FRAME.1 * (1.0 - up.place(value));
    text(out, (left + FRAME.0 / 2.0, top - 8.0), "middle\" font-weight=\"bold", unit);
    let below = top + FRAME.1;
    text(out, (left + FRAME.0 / 2.0, below + 32.0), "middle", measured.curve);
    for tick in up.ticks() {
        line(out, (left, y(tick)), (left + FRAME.0, y(tick)), "#ddd");
        text(out, (left - 6.0, y(tick) + 4.0), "end", &short(tick));
    }
    for (value, _) in &measured.points {
        let value = f64::from(*value);
        line(out, (x(value), below), (x(value), below + 4.0), "#444");
        text(out, (x(value), below + 16.0), "middle", &short(value));
    }
    line(out, (left, top), (left, below), "#444");
    line(out, (left, below), (left + FRAME.0, below), "#444");
    let mut path = String::new();
    for (value, spread) in &spreads {
        write!(path, "{:.1},{:.1} ", x(*value), y(spread.median)).unwrap();
        line(out, (x(*value), y(spread.low)), (x(*value), y(spread.high)), "#1f6feb");
        let (x, y) = (x(*value), y(spread.median));
        writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#1f6feb\"/>").unwrap();
    }
    writeln!(out, "<polyline points=\"{}\" fill=\"none\" stroke=\"#1f6feb\"/>", path.trim_end()).unwrap();
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(out, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>")
        .unwrap();
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>").unwrap();
}

/// Writes 10 000 as 10k and 1 000 000 as 1M.
fn short(value: f64) -> String {
    let rounded = |value: f64| format!("{}", (value * 1000.0).round() / 1000.0);
    match value {
        1e6.. => format!("{}M", rounded(value / 1e6)),
        1e3.. => format!("{}k", rounded(value / 1e3)),
        _ => rounded(value),
    }
}
