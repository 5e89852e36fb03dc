//! A body that was packed when it was signed, or is packed now. zlib packs it again, as most senders do, so that
//! their bytes come out.

use super::Variant;
use flate2::{Compress, Compression, Crc, FlushCompress, Status, read::MultiGzDecoder};
use std::io::Read as _;

/// The largest body that is unpacked, in bytes.
const LARGEST: u64 = 64 << 20;

/// True for a body that begins as gzip does (RFC 1952).
pub(super) fn is_packed(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// Returns the body unpacked, or packed by the habits of common senders.
pub(super) fn variants(body: &[u8]) -> impl Iterator<Item = Variant> {
    let is_packed = is_packed(body);
    let plain = is_packed.then(|| unpacked(body)).flatten();
    let plain = plain.map(|plain| {
        Variant::new("body_packed", "before it was packed (gzip): the sender signs the plain text", plain)
    });
    let levels = if is_packed { &[][..] } else { &[6, 9, 1][..] };
    let packed = levels
        .iter()
        .flat_map(move |level| packed(body, *level))
        .map(|bytes| Variant::new("body_unpacked", "packed (gzip): it was unpacked on its way", bytes));
    plain.into_iter().chain(packed)
}

fn unpacked(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(body).take(LARGEST + 1).read_to_end(&mut plain).ok()?;
    u64::try_from(read).is_ok_and(|read| read <= LARGEST).then_some(plain)
}

/// Packs `body` at one level, with the header's flags and system as libraries write them, and no time.
fn packed(body: &[u8], level: u32) -> Vec<Vec<u8>> {
    let Some(deflated) = deflate(body, level) else { return Vec::new() };
    let mut crc = Crc::new();
    crc.update(body);
    let length = u32::try_from(body.len() & 0xffff_ffff).unwrap_or(u32::MAX);
    // RFC 1952, section 2.3.1: XFL 2 says slowest, 4 fastest; OS 3 is Unix, 255 unknown, 0 FAT (older Java).
    let flag = match level {
        9 => 2,
        1 => 4,
        _ => 0,
    };
    let mut flags = vec![0_u8, flag];
    flags.dedup();
    let habits = flags.into_iter().flat_map(|flag| [3_u8, 255, 0, 19].map(|system| (flag, system)));
    habits
        .map(|(flag, system)| {
            let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, flag, system];
            [&head[..], &deflated, &crc.sum().to_le_bytes(), &length.to_le_bytes()].concat()
        })
        .collect()
}

fn deflate(body: &[u8], level: u32) -> Option<Vec<u8>> {
    let mut packer = Compress::new(Compression::new(level), false);
    // Deflate adds at most 5 bytes for each stored block.
    let mut deflated = Vec::with_capacity(body.len() + body.len() / 1000 + 64);
    let status = packer.compress_vec(body, &mut deflated, FlushCompress::Finish).ok()?;
    (status == Status::StreamEnd).then_some(deflated)
}
