//! Several channels to one.

/// Appends the average over the channels of interleaved samples.
///
/// # Panics
/// When `n_channels` is zero.
pub(crate) fn mix_into(mono: &mut Vec<f32>, interleaved: &[f32], n_channels: usize) {
    if n_channels == 1 {
        return mono.extend_from_slice(interleaved);
    }
    let share = 1.0 / n_channels as f32;
    mono.extend(interleaved.chunks_exact(n_channels).map(|it| it.iter().sum::<f32>() * share));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_averaged() {
        let mut mono = vec![9.0];
        mix_into(&mut mono, &[1.0, 0.0, -0.5, 0.5], 2);
        assert_eq!(mono, [9.0, 0.5, 0.0]);
    }
}
