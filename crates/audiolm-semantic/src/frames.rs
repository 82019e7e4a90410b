//! Which samples a frame sees.

use std::ops::Range;

use burn::prelude::*;

/// How a stack of strided windows divides a wave into frames.
///
/// The encoder and the MFCCs share one geometry, so their frames are the same stretches of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameGeometry {
    /// Samples that one frame sees.
    pub window_samples: usize,
    /// Samples from one frame to the next.
    pub hop_samples: usize,
}

impl FrameGeometry {
    /// The geometry of layers given as (kernel size, stride), the one nearest to the wave first.
    pub fn of_layers(layers: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let point = Self { window_samples: 1, hop_samples: 1 };
        layers.into_iter().fold(point, |seen, (kernel_size, stride)| Self {
            window_samples: seen.window_samples + (kernel_size - 1) * seen.hop_samples,
            hop_samples: seen.hop_samples * stride,
        })
    }

    /// Frames that fit into `samples`; windows never reach past either end.
    pub fn frames(&self, samples: usize) -> usize {
        match samples.checked_sub(self.window_samples) {
            Some(rest) => rest / self.hop_samples + 1,
            None => 0,
        }
    }

    /// The samples that `frames` see together.
    pub fn samples(&self, frames: Range<usize>) -> Range<usize> {
        assert!(!frames.is_empty(), "no frame sees no sample: {frames:?}");
        let last = (frames.end - 1) * self.hop_samples;
        frames.start * self.hop_samples..last + self.window_samples
    }

    /// Surrounds a wave with the silence that makes its frames one per whole hop.
    ///
    /// HuBERT pads nothing, so 400 samples seen and a hop of 320 give 49 frames for a second. A
    /// codec of the same hop gives 50. With half the difference, 40 samples, of silence on each
    /// side, `n` hops give `n` frames, each centered on its hop.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`
    /// - output: `[batch, samples + window_samples - hop_samples]`
    pub fn pad(&self, wave: Tensor<2>) -> Tensor<2> {
        let margin = self.window_samples.saturating_sub(self.hop_samples);
        wave.pad([(margin / 2, margin - margin / 2)], 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;
    use proptest::prelude::*;

    #[test]
    fn hubert_sees_400_samples_every_320() {
        let expected = FrameGeometry { window_samples: 400, hop_samples: 320 };
        assert_eq!(presets::base().geometry(), expected);
        assert_eq!(presets::tiny().geometry(), expected);
    }

    #[test]
    fn short_waves_give_no_frame() {
        let geometry = presets::base().geometry();
        assert_eq!([0, 399, 400, 719, 720].map(|it| geometry.frames(it)), [0, 0, 1, 1, 2]);
    }

    #[test]
    fn padded_hops_are_frames() {
        let geometry = presets::base().geometry();
        for hops in [1, 2, 50] {
            let wave = geometry.pad(Tensor::zeros([1, hops * 320], &Device::default()));
            assert_eq!(geometry.frames(wave.dims()[1]), hops);
        }
    }

    proptest! {
        #[test]
        fn samples_of_frames_give_those_frames(start in 0usize..1000, length in 1usize..1000) {
            let geometry = presets::base().geometry();
            let samples = geometry.samples(start..start + length);
            prop_assert_eq!(samples.start, start * 320);
            prop_assert_eq!(geometry.frames(samples.len()), length);
            prop_assert_eq!(geometry.frames(samples.len() - 1), length - 1);
        }
    }
}
