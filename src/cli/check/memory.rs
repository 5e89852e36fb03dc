//! `hookway check --memory`: the most that the configuration allows, as a table.

use crate::{
    app::memory::Memory,
    cli::{exit::Stop, out::Out},
};

pub(super) fn print(memory: &Memory, out: &mut Out) -> Result<(), Stop> {
    let width = memory.parts.iter().map(|part| part.part.chars().count()).max().unwrap_or(0);
    for part in &memory.parts {
        out.line(format!("{:width$}  {:>6} MiB  {}", part.part, mebibytes(part.bytes), part.by))?;
    }
    out.line(format!("{:width$}  {:>6} MiB  at most", "sum", mebibytes(memory.total)))
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
