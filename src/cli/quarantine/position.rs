//! Where a record stands, as text: `kept#4`, `WEBHOOKS#17`, `orders/3@88213`; several between commas, one a partition.

use crate::cli::tail::row::{Place, Row};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The last place of each journal, stream or partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position(BTreeMap<String, u64>);

impl Position {
    /// Returns where a record of a sink stands.
    pub(super) fn of(sink: &str, row: &Row) -> Self {
        let (lane, number) = match &row.place {
            Place::Kafka { partition, offset } => {
                (format!("{}/{partition}@", row.destination), u64::try_from(*offset).unwrap_or_default())
            }
            Place::Nats { stream, sequence } => (format!("{stream}#"), *sequence),
            Place::Journal { sequence } => (format!("{sink}#"), *sequence),
        };
        Self(BTreeMap::from([(lane, number)]))
    }

    /// Goes on to another place.
    pub(super) fn advance(&mut self, to: &Self) {
        self.0.extend(to.0.iter().map(|(lane, number)| (lane.clone(), *number)));
    }

    /// True where the other stands at one of these places or before it, in its own journal, stream or partition.
    pub(super) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(lane, number)| self.0.get(lane).is_some_and(|last| number <= last))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (lane, number)) in self.0.iter().enumerate() {
            write!(f, "{}{lane}{number}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = |text: &str| {
            let split = text.rfind(['#', '@']).map(|at| text.split_at(at + 1));
            let (lane, number) = split.filter(|(lane, _)| lane.len() > 1)?;
            Some((lane.to_owned(), number.parse().ok()?))
        };
        let places: Option<BTreeMap<_, _>> = text.split(',').map(place).collect();
        places.map(Self).ok_or_else(|| "expected a position as kept#4, STREAM#17 or topic/3@88213".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written_and_covers_what_stands_before_it() {
        let position: Position = "orders/3@17,orders/4@2".parse().unwrap();
        assert_eq!(position.to_string(), "orders/3@17,orders/4@2");
        for (other, is_covered) in [("orders/3@17", true), ("orders/3@18", false), ("orders/5@0", false)] {
            assert_eq!(position.covers(&other.parse().unwrap()), is_covered, "{other}");
        }
        for wrong in ["", "4", "#4", "kept#", "kept#x", "kept#1,"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
