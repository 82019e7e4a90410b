//! Amplitudes as 16-bit integers, the resolution recordings are stored with.

/// One more than the largest 16-bit sample: the amplitude 1.0, which is just out of reach.
const FULL_SCALE: f32 = 32_768.0;

/// The nearest 16-bit sample; amplitudes beyond [-1, 1) are clipped.
pub fn to_int16(amplitude: f32) -> i16 {
    // The cast saturates.
    (amplitude * FULL_SCALE).round() as i16
}

/// The amplitude of a 16-bit sample, within [-1, 1).
pub fn from_int16(sample: i16) -> f32 {
    f32::from(sample) / FULL_SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_16_bit_sample_survives() {
        assert!((i16::MIN..=i16::MAX).all(|it| to_int16(from_int16(it)) == it));
    }

    #[test]
    fn amplitudes_are_clipped() {
        assert_eq!([1.0, 2.0, -1.0, -2.0].map(to_int16), [32_767, 32_767, -32_768, -32_768]);
    }
}
