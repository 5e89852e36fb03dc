//! How far the value of a slot can be believed, as verification says.

/// How far a value can be believed; less towards the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is signed: a changed value fails the check.
    Signed,
    /// Nothing is signed, and a secret proves who sent it.
    Vouched,
    /// Nobody was proven.
    Unproven,
    /// It is not signed, and something else is: whoever has one request can change it and send it again.
    Open,
}
