//! Bytes that the client holds: it takes messages also while there is no connection, and keeps them after their sender
//! was refused. So each payload carries a share of a bound, given back when the client has let go of it.

use crate::delivery::{Quota, Share};
use bytes::Bytes;
use std::sync::Arc;

/// A payload with its share.
struct Held {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the payload as bytes that hold a share of `quota` for as long as anybody has them; `None` where no room is
/// left.
pub(super) fn until_written(payload: Bytes, quota: &Arc<Quota>) -> Option<Bytes> {
    let share = quota.take(u64::try_from(payload.len()).unwrap_or(u64::MAX))?;
    Some(Bytes::from_owner(Held { bytes: payload, _share: share }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_holds_its_share_until_the_last_copy_of_it_is_gone() {
        let quota = Quota::new(10);
        let first = until_written(Bytes::from_static(b"123456"), &quota).unwrap();
        assert_eq!(&*first, b"123456");
        let copy = first.slice(1..3);
        drop(first);
        assert!(until_written(Bytes::from_static(b"12345"), &quota).is_none());
        drop(copy);
        assert!(until_written(Bytes::from_static(b"1234567890"), &quota).is_some());
    }
}
