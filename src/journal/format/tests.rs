//! Tests of the codec: every record survives, and nothing that was changed passes for a record.

use super::{
    FRAME_LEN, HEADER_LEN, Header, MAX_PAYLOAD, PREFIX_LEN, Prefix, decode, encode, frame_len, is_whole,
};
use crate::record::Record;
use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*};
use std::{borrow::Cow, sync::Arc};

fn records() -> impl Strategy<Value = Record> {
    let headers = vec((".{0,12}", ".{0,40}"), 0..6);
    (".{0,30}", option::of(".{0,30}"), headers, vec(any::<u8>(), 0..300), any::<i64>(), ".{0,40}").prop_map(
        |(destination, key, headers, value, timestamp_ms, message_id)| Record {
            destination: Arc::from(destination),
            key,
            headers: headers.into_iter().map(|(name, value)| (Cow::Owned(name), Cow::Owned(value))).collect(),
            value: Bytes::from(value),
            timestamp_ms,
            in_turn: false,
            message_id,
        },
    )
}

fn framed(record: &Record) -> Vec<u8> {
    let mut buffer = Vec::new();
    encode(&mut buffer, 7, 42, record, frame_len(record).unwrap());
    buffer
}

fn payload(frame: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&frame[super::payload_range(frame.len())])
}

proptest! {
    #[test]
    fn every_record_comes_back_as_it_was(record in records()) {
        let frame = framed(&record);
        let prefix = Prefix::decode(&frame).unwrap();
        prop_assert_eq!(prefix, Prefix { tag: 7, sequence: 42, frame_len: frame.len() });
        prop_assert!(is_whole(&frame));
        prop_assert_eq!(decode(payload(&frame)), Some(record));
    }

    #[test]
    fn a_frame_with_any_bit_flipped_is_not_whole(record in records(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut frame = framed(&record);
        let at = at.index(frame.len());
        frame[at] ^= 1_u8 << bit;
        prop_assert!(!is_whole(&frame));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..200)) {
        decode(Bytes::from(bytes.clone()));
        Prefix::decode(&bytes);
        Header::decode(&bytes);
    }

    #[test]
    fn a_payload_cut_before_its_value_is_not_a_record(record in records(), at in any::<prop::sample::Index>()) {
        let frame = framed(&record);
        let payload = payload(&frame);
        let before_value = payload.len() - record.value.len();
        prop_assert_eq!(decode(payload.slice(..at.index(before_value))), None);
    }
}

#[test]
fn the_bytes_of_a_segment_stand_as_documented() {
    let header = Header { version: 1, tag: 0x0403_0201, first: 9, previous: 8 }.encode();
    assert_eq!(header[..32], *b"HOOKWAY\n\x01\0\0\0\x01\x02\x03\x04\x09\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0");
    assert_eq!(header.len(), HEADER_LEN);
    let record = Record {
        destination: Arc::from("d"),
        key: Some("k".to_owned()),
        headers: vec![(Cow::Borrowed("n"), "v".into())],
        value: Bytes::from_static(b"body"),
        timestamp_ms: -2,
        in_turn: false,
        message_id: "m".to_owned(),
    };
    let frame = framed(&record);
    let payload = b"\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x01\0\0\0d\x01\0\0\0m\x01\0\0\0k\x01\0\0\0\x01\0\0\0n\x01\0\0\0vbody";
    assert_eq!(frame[..PREFIX_LEN], *b"\xF7HWR\x07\0\0\0\x2A\0\0\0\x2A\0\0\0\0\0\0\0");
    assert_eq!(frame[PREFIX_LEN..frame.len() - 4], *payload);
    // Reckoned by another implementation (zlib's crc32).
    assert_eq!(frame[frame.len() - 4..], 0xca27_b04b_u32.to_le_bytes());
}

#[test]
fn a_damaged_header_is_no_header() {
    let header = Header { version: 1, tag: 5, first: 1, previous: 0 };
    let bytes = header.encode();
    assert_eq!(Header::decode(&bytes), Some(header));
    for at in 0..HEADER_LEN {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert_eq!(Header::decode(&damaged), None, "byte {at}");
        assert_eq!(Header::decode(&bytes[..at]), None, "{at} bytes");
    }
}

#[test]
fn a_record_over_the_limit_has_no_frame() {
    let mut record = Record {
        destination: Arc::from(""),
        key: None,
        headers: Vec::new(),
        value: Bytes::new(),
        timestamp_ms: 0,
        in_turn: false,
        message_id: String::new(),
    };
    let fixed = frame_len(&record).unwrap() - FRAME_LEN;
    record.value = Bytes::from(vec![0; MAX_PAYLOAD - fixed]);
    assert_eq!(frame_len(&record), Some(FRAME_LEN + MAX_PAYLOAD));
    record.value = Bytes::from(vec![0; MAX_PAYLOAD - fixed + 1]);
    assert_eq!(frame_len(&record), None);
}
