//! Numbers of a few bits each in a row of bytes, lowest bit first.

/// Packs numbers.
#[derive(Debug)]
pub(crate) struct BitWriter {
    bits_each: u32,
    bytes: Vec<u8>,
    /// Bits that do not fill a byte yet.
    pending: u64,
    n_pending: u32,
}

impl BitWriter {
    /// For numbers of 1 to 32 bits.
    pub(crate) fn new(bits_each: u32) -> Self {
        Self { bits_each, bytes: Vec::new(), pending: 0, n_pending: 0 }
    }

    pub(crate) fn push(&mut self, number: u32) {
        self.pending |= u64::from(number) << self.n_pending;
        self.n_pending += self.bits_each;
        while self.n_pending >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.n_pending -= 8;
        }
    }

    /// The bytes, the last of them filled up with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.n_pending > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

/// Unpacks numbers, until the bytes hold no further one.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    bits_each: u32,
    bytes: std::slice::Iter<'a, u8>,
    pending: u64,
    n_pending: u32,
}

impl<'a> BitReader<'a> {
    /// For numbers of 1 to 32 bits.
    pub(crate) fn new(bytes: &'a [u8], bits_each: u32) -> Self {
        Self { bits_each, bytes: bytes.iter(), pending: 0, n_pending: 0 }
    }
}

impl Iterator for BitReader<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.n_pending < self.bits_each {
            self.pending |= u64::from(*self.bytes.next()?) << self.n_pending;
            self.n_pending += 8;
        }
        let number = self.pending & ((1 << self.bits_each) - 1);
        self.pending >>= self.bits_each;
        self.n_pending -= self.bits_each;
        Some(number as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            bits in 1_u32..=32,
            numbers in prop::collection::vec(any::<u32>(), 0..40),
        ) {
            let numbers: Vec<u32> =
                numbers.iter().map(|it| (u64::from(*it) & ((1 << bits) - 1)) as u32).collect();
            let mut writer = BitWriter::new(bits);
            numbers.iter().for_each(|it| writer.push(*it));
            let bytes = writer.finish();
            prop_assert_eq!(bytes.len(), (numbers.len() * bits as usize).div_ceil(8));
            let read: Vec<u32> = BitReader::new(&bytes, bits).take(numbers.len()).collect();
            prop_assert_eq!(read, numbers);
        }
    }
}
