//! Log-mels that are hidden, so that no letter hangs on a few of them.

use audiolm_nn::Generator;
use burn::prelude::*;
use rand::RngExt;

use crate::ConformerConfig;

/// Which log-mels are hidden (Park et al. 2019, arXiv 1904.08779): whole bands, and whole spans.
#[derive(Config, Debug, PartialEq)]
pub struct MelMasking {
    /// Bands of a clip.
    #[config(default = 2)]
    pub bands: usize,
    /// Mels of the widest band.
    #[config(default = 16)]
    pub band_mels: usize,
    /// Frames for each span; a clip has one span at least.
    #[config(default = 50)]
    pub frames_per_span: usize,
    /// Frames of the longest span, and never more than a quarter of the clip.
    #[config(default = 6)]
    pub span_frames: usize,
}

impl MelMasking {
    /// 1 where a log-mel can be seen, 0 where it is hidden, for clips of so many frames:
    /// `[batch, frames, features]`.
    pub(super) fn draw(
        &self,
        frames: &[usize],
        encoder: &ConformerConfig,
        rng: &mut Generator,
        device: &Device,
    ) -> Tensor<3> {
        let (longest, width) = (frames.iter().copied().max().unwrap_or(0), encoder.n_features());
        let n_mels = encoder.n_mels;
        let mut visible = vec![1.0f32; frames.len() * longest * width];
        for (clip, n) in visible.chunks_exact_mut(longest * width).zip(frames) {
            for _ in 0..self.bands {
                let band = part(n_mels, self.band_mels.min(n_mels), rng);
                clip.chunks_exact_mut(n_mels).for_each(|it| it[band.clone()].fill(0.0));
            }
            for _ in 0..(n / self.frames_per_span.max(1)).max(1) {
                let span = part(*n, self.span_frames.min(n / 4), rng);
                clip[span.start * width..span.end * width].fill(0.0);
            }
        }
        Tensor::from_data(TensorData::new(visible, [frames.len(), longest, width]), device)
    }
}

/// A part of `n`, of no more than `longest`.
fn part(n: usize, longest: usize, rng: &mut Generator) -> std::ops::Range<usize> {
    let length = rng.random_range(0..=longest);
    let start = rng.random_range(0..=n - length);
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;
    use audiolm_nn::generator;

    #[test]
    fn bands_and_spans_are_hidden_and_most_is_seen() {
        let masking = MelMasking::new();
        let device = Device::default();
        let drawn = |seed| {
            let rng = &mut generator(seed, "masks", 0);
            masking
                .draw(&[100, 8], &presets::w2v_bert_tiny(), rng, &device)
                .into_data()
                .try_to_vec::<f32>()
                .unwrap()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let seen: f32 = (0..50).map(|it| drawn(it)[..100 * 160].iter().sum::<f32>()).sum();
        let share = seen / (50.0 * 100.0 * 160.0);
        // Two bands of 8 mels and two spans of 3 frames on average.
        assert!((0.7..0.85).contains(&share), "{share}");
    }
}
