//! Which codec made codes.

use std::fmt;

/// Tells a codec from others by its weights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodecId(pub(super) [u8; 16]);

impl CodecId {
    /// The codec whose weights have this SHA-256, in hexadecimal digits; none where it is no such
    /// thing.
    pub fn from_sha256(digits: &str) -> Option<Self> {
        let mut id = [0; 16];
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        (digits.len() == 64).then_some(Self(id))
    }
}

impl fmt::Display for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| write!(f, "{it:02x}"))
    }
}

impl fmt::Debug for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodecId({self})")
    }
}
