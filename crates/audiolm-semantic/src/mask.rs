//! Which frames the encoder must guess.

use audiolm_nn::Generator;
use burn::prelude::*;
use rand::RngExt;

/// Span masking as HuBERT does it (Hsu et al. 2021, arXiv 2106.07447, after SpanBERT and
/// wav2vec 2.0).
///
/// A share of the frames are starts, drawn without replacement; from each start a whole span is
/// masked. Spans may overlap. At the published numbers about half of a long clip is masked: a
/// frame escapes with probability 0.92¹⁰ = 43 %.
#[derive(Config, Debug, PartialEq)]
pub struct SpanMasking {
    /// Share of the frames at which a span starts.
    #[config(default = 0.08)]
    pub start_probability: f64,
    /// Frames of a span: 10 frames are 200 ms.
    #[config(default = 10)]
    pub span_frames: usize,
}

impl SpanMasking {
    /// The mask of one clip: `true` where the encoder must guess.
    ///
    /// At least one span is masked; a clip shorter than a span is masked whole.
    pub fn sample(&self, frames: usize, rng: &mut Generator) -> Vec<bool> {
        let span = self.span_frames.min(frames);
        let mut starts: Vec<usize> = (0..=frames - span).collect();
        let mut mask = vec![false; frames];
        for _ in 0..self.n_spans(frames, rng).min(starts.len()) {
            let start = starts.swap_remove(rng.random_range(0..starts.len()));
            mask[start..start + span].fill(true);
        }
        mask
    }

    /// The masks of a batch, drawn on the host one clip after another: `[batch, frames]`.
    pub fn sample_batch(
        &self,
        [batch, frames]: [usize; 2],
        rng: &mut Generator,
        device: &Device,
    ) -> Tensor<2, Bool> {
        let masks: Vec<bool> = (0..batch).flat_map(|_| self.sample(frames, rng)).collect();
        Tensor::from_data(TensorData::new(masks, [batch, frames]), device)
    }

    /// The expected number of starts, its fraction rounded up or down by chance.
    fn n_spans(&self, frames: usize, rng: &mut Generator) -> usize {
        let expected = self.start_probability * frames as f64;
        ((expected + rng.random::<f64>()) as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use proptest::prelude::*;

    fn sample(frames: usize, seed: u64) -> Vec<bool> {
        SpanMasking::new().sample(frames, &mut generator(seed, "mask", 0))
    }

    #[test]
    fn about_half_of_a_long_clip_is_masked() {
        let masked = sample(100_000, 0).into_iter().filter(|it| *it).count();
        // 1 - 0.92^10 = 0.566, a little more as starts are drawn without replacement.
        assert!((55_000..58_000).contains(&masked), "{masked}");
    }

    #[test]
    fn a_batch_has_a_mask_for_each_clip() {
        let rng = &mut generator(3, "mask", 1);
        let masks = SpanMasking::new().sample_batch([2, 50], rng, &Device::default());
        let masks = masks.try_into_vec_as::<bool>().unwrap();
        assert_ne!(masks[..50], masks[50..]);
    }

    proptest! {
        #[test]
        fn the_same_seed_gives_the_same_mask(frames in 1usize..500, seed: u64) {
            prop_assert_eq!(sample(frames, seed), sample(frames, seed));
        }

        #[test]
        fn every_run_of_masked_frames_is_a_whole_span(frames in 1usize..500, seed: u64) {
            let mask = sample(frames, seed);
            let runs = mask.chunk_by(|a, b| a == b).filter(|it| it[0]).map(<[bool]>::len);
            let runs: Vec<usize> = runs.collect();
            prop_assert!(!runs.is_empty());
            prop_assert!(runs.into_iter().all(|it| it >= 10.min(frames)));
        }
    }
}
