//! Telling the code of a hidden frame from those of others.

use audiolm_nn::Generator;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::log_softmax;
use rand::RngExt;

use super::W2vBertPretrainingConfig;
use super::gumbel_quantizer::Quantized;
use crate::prediction_head::of_length_one;

/// The contrastive task of wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477, equation 3): the
/// logit of a candidate is the cosine between it and the context, divided by a temperature.
#[derive(Module, Debug)]
pub(crate) struct ContrastiveTask {
    context: Linear,
    codes: Linear,
    temperature: f64,
}

/// What each hidden frame is compared with: itself, and distractors among the other hidden frames of
/// its clip.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    /// Indices among the hidden frames of the clip, the frame itself first:
    /// `[n_hidden, 1 + n_distractors]`
    indices: Tensor<2, Int>,
    /// Hidden frames of each clip.
    counts: Vec<usize>,
}

/// Each a tensor `[1]`.
#[derive(Debug, Clone)]
pub(crate) struct ContrastiveOutput {
    /// Mean cross-entropy, in nats.
    pub(crate) loss: Tensor<1>,
    /// Share of the frames that are told from every distractor of another code, of which there has
    /// to be one.
    pub(crate) accuracy: Tensor<1>,
    /// The same for one who draws a candidate by lot.
    pub(crate) chance: Tensor<1>,
}

impl Candidates {
    /// Draws the distractors on the host, each frame but the own being equally likely, with
    /// repetition.
    ///
    /// # Panics
    /// Where a clip has a single hidden frame: there is none to tell it from.
    pub(crate) fn draw(
        counts: &[usize],
        n_distractors: usize,
        rng: &mut Generator,
        device: &Device,
    ) -> Self {
        assert!(!counts.contains(&1), "{counts:?} hidden frames: one has no distractors");
        let frames = counts.iter().flat_map(|count| (0..*count).map(move |own| (own, *count)));
        let indices: Vec<i64> =
            frames.flat_map(|frame| candidates(frame, n_distractors, rng)).collect();
        let shape = [counts.iter().sum(), 1 + n_distractors];
        let indices = Tensor::from_data(TensorData::new(indices, shape), device);
        Self { indices, counts: counts.to_vec() }
    }

    #[cfg(test)]
    pub(super) fn of(indices: Tensor<2, Int>, counts: Vec<usize>) -> Self {
        Self { indices, counts }
    }

    /// The product of each frame's query with the key of each of its candidates.
    ///
    /// # Shapes
    /// - queries, keys: `[n_hidden, width]`
    /// - output: `[n_hidden, 1 + n_distractors]`
    fn products(&self, queries: &Tensor<2>, keys: &Tensor<2>) -> Tensor<2> {
        let mut start = 0;
        let products = self.counts.iter().map(|count| {
            let clip = start..start + count;
            start = clip.end;
            let [queries, keys] = [queries, keys].map(|it| it.clone().slice_dim(0, clip.clone()));
            let indices = self.indices.clone().slice_dim(0, clip);
            queries.matmul(keys.transpose()).gather(1, indices)
        });
        Tensor::cat(products.collect(), 0)
    }

    /// Which candidates are other frames with the same codes.
    fn same_codes(&self, quantized: &Quantized) -> Tensor<2, Bool> {
        let [_, n_groups, _] = quantized.chosen.dims();
        let chosen: Tensor<2> = quantized.chosen.clone().flatten(1, 2);
        let agreeing = self.products(&chosen, &chosen).greater_elem(n_groups as f64 - 0.5);
        let [n, width] = agreeing.dims();
        let own = Tensor::<1, Int>::arange(0..width as i64, &agreeing.device()).equal_elem(0);
        agreeing.bool_and(own.bool_not().unsqueeze::<2>().expand([n, width]))
    }
}

/// A frame and its distractors.
fn candidates((own, count): (usize, usize), n_distractors: usize, rng: &mut Generator) -> Vec<i64> {
    let distractor = |_| {
        let other = rng.random_range(0..count - 1);
        (other + usize::from(other >= own)) as i64
    };
    let distractors: Vec<i64> = (0..n_distractors).map(distractor).collect();
    [vec![own as i64], distractors].concat()
}

impl ContrastiveTask {
    pub(crate) fn new(config: &W2vBertPretrainingConfig, device: &Device) -> Self {
        let (d_code, d_projection) =
            (config.quantizer.n_groups * config.quantizer.d_entry, config.d_projection);
        Self {
            context: LinearConfig::new(config.encoder.d_model, d_projection).init(device),
            codes: LinearConfig::new(d_code, d_projection).init(device),
            temperature: config.contrastive_temperature,
        }
    }

    #[cfg(test)]
    pub(super) fn of(context: Linear, codes: Linear, temperature: f64) -> Self {
        Self { context, codes, temperature }
    }

    /// Distractors with the codes of the frame itself do not count.
    ///
    /// # Shapes
    /// - context: `[n_hidden, d_model]`
    pub(crate) fn forward(
        &self,
        context: Tensor<2>,
        quantized: &Quantized,
        candidates: &Candidates,
    ) -> ContrastiveOutput {
        let context = of_length_one(self.context.forward(context));
        let codes = of_length_one(self.codes.forward(quantized.vectors.clone()));
        let logits = candidates.products(&context, &codes) / self.temperature;
        let logits = logits.mask_fill(candidates.same_codes(quantized), f32::NEG_INFINITY);
        ContrastiveOutput::new(logits)
    }
}

impl ContrastiveOutput {
    /// From logits whose first column is the truth, and which are infinite where nothing counts.
    fn new(logits: Tensor<2>) -> Self {
        let loss = -log_softmax(logits.clone(), 1).slice_dim(1, ..1).mean();
        let logits = logits.detach();
        let (own, others) = (logits.clone().slice_dim(1, ..1), logits.slice_dim(1, 1..));
        let n_others = others.clone().greater_elem(f32::NEG_INFINITY).float().sum_dim(1);
        let any = n_others.clone().greater_elem(0.0);
        let told = own.greater(others.max_dim(1)).bool_and(any.clone());
        let chance = (n_others + 1.0).recip() * any.float();
        Self { loss, accuracy: told.float().mean(), chance: chance.mean() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn distractors_are_other_hidden_frames_of_the_clip(
            counts in proptest::collection::vec(2usize..60, 1..4),
            n_distractors in 1usize..120,
            seed: u64,
        ) {
            let rng = &mut generator(seed, "distractors", 0);
            let drawn = Candidates::draw(&counts, n_distractors, rng, &Device::default());
            let indices = drawn.indices.try_into_vec_as::<i64>().unwrap();
            let mut rows = indices.chunks_exact(1 + n_distractors);
            for count in counts {
                for own in 0..count as i64 {
                    let row = rows.next().unwrap();
                    prop_assert_eq!(row[0], own);
                    prop_assert!(row[1..].iter().all(|it| *it != own && *it < count as i64));
                }
            }
            prop_assert!(rows.next().is_none());
        }
    }

    #[test]
    fn every_other_frame_is_drawn() {
        let rng = &mut generator(0, "distractors", 0);
        let drawn = Candidates::draw(&[5], 200, rng, &Device::default());
        let row = drawn.indices.slice_dim(0, 2..3).try_into_vec_as::<i64>().unwrap();
        for other in [0, 1, 3, 4] {
            let times = row.iter().filter(|it| **it == other).count();
            assert!((30..70).contains(&times), "{other} was drawn {times} times of 200");
        }
    }

    /// Logits of one frame: the truth, then its distractors.
    #[track_caller]
    fn check(logits: [f32; 3], accuracy: f32, chance: f32) {
        let logits = Tensor::<1>::from_floats(logits, &Device::default()).unsqueeze();
        let found = ContrastiveOutput::new(logits);
        assert_eq!(found.accuracy.into_scalar::<f32>(), accuracy);
        assert_eq!(found.chance.into_scalar::<f32>(), chance);
    }

    #[test]
    fn a_frame_is_told_from_other_codes_alone() {
        check([2.0, 1.0, 0.0], 1.0, 1.0 / 3.0);
        check([1.0, 2.0, 0.0], 0.0, 1.0 / 3.0);
        check([2.0, f32::NEG_INFINITY, 0.0], 1.0, 0.5);
        // Where all codes are one, nothing is told.
        check([2.0, f32::NEG_INFINITY, f32::NEG_INFINITY], 0.0, 0.0);
    }
}
