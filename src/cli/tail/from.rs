//! Where reading begins.

use std::str::FromStr;

/// The most that `-N` may ask for; as many records are held in memory.
const MOST: u32 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum From {
    Start,
    End,
    Last(u32),
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let last = |text: &str| text.strip_prefix('-').and_then(|n| n.parse().ok()).filter(|n| *n <= MOST);
        match text {
            "start" => Ok(Self::Start),
            "end" | "-0" => Ok(Self::End),
            text => last(text).map(Self::Last).ok_or_else(|| format!("expected start, end or -1 to -{MOST}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_word_or_a_number_before_the_end() {
        assert_eq!("start".parse(), Ok(From::Start));
        assert_eq!("end".parse(), Ok(From::End));
        assert_eq!("-25".parse(), Ok(From::Last(25)));
        for wrong in ["", "25", "-", "-x", "-10001", "yesterday"] {
            assert!(wrong.parse::<From>().is_err(), "{wrong}");
        }
    }
}
