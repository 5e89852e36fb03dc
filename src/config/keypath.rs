//! Where a value stands in a document: the way from its root, as `sources.hotel.verify.algorithm` or
//! `routes[1].to`. Every problem carries one.

use std::fmt;

/// One step from a map or list to a value in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into a map.
    Key(String),
    /// Into a list, counted from 0.
    Index(usize),
}

/// The way from a document's root to one of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyPath(Vec<Step>);

impl KeyPath {
    /// Returns the path that leads through these keys.
    pub(super) fn of<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.to_owned())).collect())
    }

    /// Reads a path as it is shown; a number is the place in a list, in brackets or between dots.
    pub(super) fn parse(text: &str) -> Self {
        let words = text.split(['.', '[', ']']).filter(|word| !word.is_empty());
        Self(
            words.map(|word| word.parse().map_or_else(|_| Step::Key(word.to_owned()), Step::Index)).collect(),
        )
    }

    /// Returns the path to a member of the map that stands here.
    pub(super) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// Returns the path to an element of the list that stands here.
    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// Returns the path that goes on from here along `rest`.
    pub(super) fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// Returns the path to what this one stands in; `None` for the root.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, steps) = self.0.split_last()?;
        Some(Self(steps.to_vec()))
    }

    /// Returns true where this path is `other` or leads on from it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Returns the keys of the path; list indices are left out.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
