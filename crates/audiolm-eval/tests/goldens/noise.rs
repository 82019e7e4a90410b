//! The noise of `noise.py`, by the same formula.

/// White noise in [-1, 1) from a linear congruential generator modulo 2^32.
pub fn noise(n_samples: usize, seed: u32) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / 2f64.powi(31) - 1.0
    };
    (0..n_samples).map(|_| next()).collect()
}
