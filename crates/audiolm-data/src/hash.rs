//! Hashes and generators that mean the same on every platform and in every version.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The Fowler-Noll-Vo hash FNV-1a, 64 bits, taken over several byte strings in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        Self(
            bytes.iter().fold(self.0, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            }),
        )
    }

    pub(crate) fn with_number(self, number: u64) -> Self {
        self.with(&number.to_le_bytes())
    }

    /// The hash, mixed once more: FNV alone leaves its high bits poorly mixed on short strings.
    pub(crate) fn finish(self) -> u64 {
        split_mix(self.0)
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014).
fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The generator for one `stream` (what is drawn) at one `step` of a run.
pub(crate) fn generator(seed: u64, stream: &str, step: u64) -> ChaCha8Rng {
    let mut state = 0;
    let mut key = [0u8; 32];
    let words = [seed, Fnv::new().with(stream.as_bytes()).0, step, 0];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        state = split_mix(state ^ word);
        bytes.copy_from_slice(&state.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_of_fnv_hold() {
        assert_eq!(Fnv::new().with(b"a").0, 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Fnv::new().with(b"foo").with(b"bar").0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn published_values_of_split_mix_hold() {
        assert_eq!(split_mix(0), 0xe220_a839_7b1d_cdaf);
    }
}
