//! Which partition of a topic a key leads to: what Kafka's own producers choose, so that a person can look there.

/// Returns the partition of `key` among `partitions`; `None` for none of them.
///
/// The hash is Kafka's `murmur2` (`org.apache.kafka.common.utils.Utils.murmur2`), its sign bit taken away, as
/// librdkafka's partitioner `murmur2_random` has it.
pub fn partition(key: &str, partitions: u32) -> Option<u32> {
    (murmur2(key.as_bytes()) & 0x7fff_ffff).checked_rem(partitions)
}

fn murmur2(bytes: &[u8]) -> u32 {
    const MIX: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    // A key's length counts modulo 2^32, as Java's `int` does.
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or(u32::MAX);
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = words.iter().fold(SEED ^ length, |hash, word| {
        let word = u32::from_le_bytes(*word).wrapping_mul(MIX);
        hash.wrapping_mul(MIX) ^ (word ^ (word >> 24)).wrapping_mul(MIX)
    });
    if !tail.is_empty() {
        let rest = tail.iter().rev().fold(0, |rest, byte| (rest << 8) | u32::from(*byte));
        hash = (hash ^ rest).wrapping_mul(MIX);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of Kafka's own test (`UtilsTest.testMurmur2`).
    #[test]
    fn the_hash_is_kafkas() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }

    #[test]
    fn a_topic_without_partitions_has_none() {
        assert_eq!(partition("a", 0), None);
        assert_eq!(partition("a", 1), Some(0));
    }
}
