//! As much of DER (X.690) as keys and certificates need: one value after another, lengths strict, nothing copied.

pub(super) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const VERSION: u8 = 0xa0;
}

/// What is left of a DER text.
#[derive(Clone, Copy)]
pub(super) struct Der<'d>(pub(super) &'d [u8]);

impl<'d> Der<'d> {
    /// Takes the next value, whatever it is: its tag and its content.
    pub(super) fn next(&mut self) -> Option<(u8, &'d [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
                let length = digits.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// Takes the next value, which must have this tag.
    pub(super) fn take(&mut self, wanted: u8) -> Option<&'d [u8]> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
    }

    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.take(tag::SEQUENCE).map(Der)
    }

    /// Takes the next value, a bit string of whole bytes.
    pub(super) fn bits(&mut self) -> Option<&'d [u8]> {
        self.take(tag::BIT_STRING)?.split_first().filter(|(unused, _)| **unused == 0).map(|(_, bits)| bits)
    }
}

/// The algorithms of public keys, as the content of their OID.
pub(super) mod oid {
    pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
}

/// Returns the key inside a `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7), whose algorithm must be this one.
pub(super) fn public_key<'d>(spki: &'d [u8], algorithm: &[u8]) -> Option<&'d [u8]> {
    let mut info = Der(spki).sequence()?;
    let is_wanted = info.sequence()?.take(tag::OID)? == algorithm;
    info.bits().filter(|_| is_wanted)
}

/// Returns the content of the first PEM block with this label.
pub(super) fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    pems(text, label).into_iter().next()
}

/// Returns the contents of all PEM blocks with this label.
pub(super) fn pems(text: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let block = |block: &str| {
        let inner: String = block.split_once(&end)?.0.split_ascii_whitespace().collect();
        super::grammar::base64_key(&inner)
    };
    text.split(&begin).skip(1).filter_map(block).collect()
}
