//! Learning from what is said: an encoder that spells recordings.
//!
//! Transcripts teach which differences between sounds matter, and which are the speaker's. The layers
//! below what is spelt make tokens as those of a pretrained encoder do.

mod alphabet;
mod lexicon;
mod mel_masking;
mod symbols;

use audiolm_nn::Generator;
use burn::nn::loss::CTCLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::log_softmax;

use crate::{Clips, Conformer, ConformerConfig, HubertError};
pub use alphabet::{Alphabet, Spelling};
pub use lexicon::Lexicon;
pub use mel_masking::MelMasking;
use symbols::spelt;
pub use symbols::{SpellingErrors, frames_to_spell};

/// Configuration of a [`TranscriptionTraining`].
#[derive(Config, Debug, PartialEq)]
pub struct TranscriptionConfig {
    /// The encoder to be trained.
    pub encoder: ConformerConfig,
    /// A layer below the last that has to spell too (Lee and Watanabe 2021, arXiv 2102.03216); 0 for
    /// none.
    pub middle_layer: usize,
    /// Share of the middle layer in the loss.
    #[config(default = 0.3)]
    pub middle_share: f64,
    /// Which log-mels are hidden.
    #[config(default = "MelMasking::new()")]
    pub masking: MelMasking,
}

/// The encoder together with what only its training needs: connectionist temporal classification
/// (Graves et al. 2006) of the letters or phones of what is said.
///
/// Dropout is the one random thing in here, and burn draws it from the device's own generator:
/// call `device.seed` with a seed made from the step before each step, and an interrupted run
/// resumes exactly. All else is drawn with the [batch](TranscriptionBatch).
#[derive(Module, Debug)]
pub struct TranscriptionTraining {
    /// The encoder.
    pub encoder: Conformer,
    /// What spells: the middle layer's where there is one, and the last layer's.
    heads: Vec<Linear>,
    #[module(skip)]
    config: TranscriptionConfig,
}

/// Clips and what is said in them.
#[derive(Debug, Clone)]
pub struct TranscriptionBatch {
    clips: Clips,
    /// The letters or phones of each clip, as classes of an [`Alphabet`].
    symbols: Vec<Vec<usize>>,
    /// 1 where a log-mel can be seen, 0 where it is hidden: `[batch, frames, features]`
    visible: Option<Tensor<3>>,
}

/// What a step gives.
#[derive(Debug, Clone)]
pub struct TranscriptionOutput {
    /// Mean over letters or phones, in nats: `[1]`, to be differentiated.
    pub loss: Tensor<1>,
    /// What leaves the last head: `[batch, frames, classes]`
    log_probabilities: Tensor<3>,
    /// Frames of each clip.
    frames: Vec<usize>,
    symbols: Vec<Vec<usize>>,
}

impl TranscriptionConfig {
    /// Builds the encoder and the heads for an alphabet with fresh weights.
    ///
    /// # Errors
    /// Where the numbers describe no model.
    pub fn init(
        &self,
        alphabet: &Alphabet,
        device: &Device,
    ) -> Result<TranscriptionTraining, HubertError> {
        self.validate()?;
        let head = LinearConfig::new(self.encoder.d_model, alphabet.n_classes());
        let heads = self.layers().iter().map(|_| head.init(device)).collect();
        Ok(TranscriptionTraining {
            encoder: self.encoder.init(device)?,
            heads,
            config: self.clone(),
        })
    }

    /// Clips and their letters or phones, with log-mels hidden as the configuration says.
    pub fn training_batch(
        &self,
        clips: Clips,
        symbols: Vec<Vec<usize>>,
        rng: &mut Generator,
    ) -> TranscriptionBatch {
        let clips = clips.padded(self.encoder.geometry());
        let frames: Vec<_> = clips.lengths().iter().map(|it| self.encoder.frames(*it)).collect();
        let device = clips.wave().device();
        let visible = self.masking.draw(&frames, &self.encoder, rng, &device);
        TranscriptionBatch { clips, symbols, visible: Some(visible) }
    }

    /// Clips to be judged by, of which everything is seen.
    pub fn held_out_batch(&self, clips: Clips, symbols: Vec<Vec<usize>>) -> TranscriptionBatch {
        let clips = clips.padded(self.encoder.geometry());
        TranscriptionBatch { clips, symbols, visible: None }
    }

    /// Checks that the numbers describe a model and its losses.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn validate(&self) -> Result<(), HubertError> {
        self.encoder.validate()?;
        let (found, n_layers) = (self.middle_layer, self.encoder.n_layers);
        match found < n_layers {
            true => Ok(()),
            false => Err(HubertError::MiddleLayer { found, n_layers }),
        }
    }

    /// The layers that spell.
    fn layers(&self) -> Vec<usize> {
        let layers = [self.middle_layer, self.encoder.n_layers];
        layers.into_iter().filter(|it| *it > 0).collect()
    }

    /// The weight of each of these layers.
    fn weights(&self) -> Vec<f64> {
        match self.middle_layer {
            0 => vec![1.0],
            _ => vec![self.middle_share, 1.0 - self.middle_share],
        }
    }
}

impl TranscriptionTraining {
    /// Spells the clips, and says how well.
    ///
    /// # Panics
    /// Where a clip is too short for one frame, or a class is not of the alphabet.
    pub fn forward(&self, batch: TranscriptionBatch) -> TranscriptionOutput {
        let TranscriptionBatch { clips, symbols, visible } = batch;
        let geometry = self.encoder.geometry();
        let frames: Vec<_> = clips.lengths().iter().map(|it| geometry.frames(*it)).collect();
        let mels = self.encoder.normalised_mels(&clips);
        let mels = match visible {
            Some(visible) => mels * visible,
            None => mels,
        };
        let mask = clips.mask(geometry);
        let outputs = self.encoder.outputs_of_mels(mels, mask, &self.config.layers());
        let said: Vec<_> = outputs
            .into_iter()
            .zip(&self.heads)
            .map(|(output, head)| log_softmax(head.forward(output), 2))
            .collect();
        let losses = said.iter().zip(self.config.weights());
        let loss = losses
            .map(|(said, weight)| spelling_loss(said.clone(), &symbols, &frames) * weight)
            .reduce(|sum, it| sum + it)
            .expect("the last layer spells");
        let log_probabilities = said.into_iter().next_back().expect("the last layer spells");
        TranscriptionOutput { loss, log_probabilities, frames, symbols }
    }
}

impl TranscriptionOutput {
    /// How many letters or phones are wrong where each frame says its likeliest.
    pub fn errors(&self) -> SpellingErrors {
        let guesses = self.log_probabilities.clone().argmax(2).squeeze_dim::<2>(2);
        let [_, time] = guesses.dims();
        let guesses: Vec<i64> = guesses.into_data().iter::<i64>().collect();
        let clips = guesses.chunks_exact(time).zip(&self.frames).zip(&self.symbols);
        clips
            .map(|((guess, frames), symbols)| {
                SpellingErrors::of(&spelt(&guess[..*frames]), symbols)
            })
            .fold(SpellingErrors::default(), SpellingErrors::plus)
    }
}

/// The mean over all letters or phones, in nats, of the negative logarithm of the probability of what
/// is said: `[batch, frames, classes]` to `[1]`.
fn spelling_loss(
    log_probabilities: Tensor<3>,
    symbols: &[Vec<usize>],
    frames: &[usize],
) -> Tensor<1> {
    let device = log_probabilities.device();
    let longest = symbols.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let padded = |it: &Vec<usize>| {
        let rest = std::iter::repeat_n(1, longest - it.len());
        it.iter().map(|it| *it as i64).chain(rest).collect::<Vec<_>>()
    };
    let targets: Vec<i64> = symbols.iter().flat_map(padded).collect();
    let targets = Tensor::from_data(TensorData::new(targets, [symbols.len(), longest]), &device);
    let lengths = |all: Vec<i64>| Tensor::<1, Int>::from_data(all.as_slice(), &device);
    let n_frames = lengths(frames.iter().map(|it| *it as i64).collect());
    let n_symbols = lengths(symbols.iter().map(|it| it.len() as i64).collect());
    let total: usize = symbols.iter().map(Vec::len).sum();
    let loss = CTCLossConfig::new().with_zero_infinity(true).init();
    let losses = loss.forward(log_probabilities.swap_dims(0, 1), targets, n_frames, n_symbols);
    losses.sum() / total.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConvPadding;
    use audiolm_nn::generator;
    use burn::optim::{AdamWConfig, GradientsParams};
    use std::f32::consts::TAU;

    /// Tones, one after another, each of a fifth of a second: a letter each.
    fn melody(letters: &[usize]) -> Vec<f32> {
        let tone = |letter: &usize| {
            let hertz = 300.0 * 1.5f32.powi(*letter as i32);
            (0..3200).map(move |it| 0.3 * (TAU * hertz * it as f32 / 16_000.0).sin())
        };
        letters.iter().flat_map(tone).collect()
    }

    fn config() -> TranscriptionConfig {
        let encoder = ConformerConfig {
            conv_padding: ConvPadding::Same,
            dropout: 0.0,
            ..ConformerConfig::new(32, 2, 2, 64)
        };
        // A tone is in few mels, so none are hidden.
        TranscriptionConfig::new(encoder, 1).with_masking(MelMasking::new().with_bands(0))
    }

    fn clips(device: &Device) -> (Clips, Vec<Vec<usize>>) {
        let letters = vec![vec![1, 2, 3], vec![3, 1, 3, 2], vec![2, 3]];
        let waves: Vec<_> = letters.iter().map(|it| melody(it)).collect();
        let lengths: Vec<_> = waves.iter().map(Vec::len).collect();
        let longest = *lengths.iter().max().unwrap();
        let samples: Vec<f32> = waves
            .into_iter()
            .flat_map(|it| {
                let rest = longest - it.len();
                it.into_iter().chain(std::iter::repeat_n(0.0, rest))
            })
            .collect();
        let wave = Tensor::from_data(TensorData::new(samples, [lengths.len(), longest]), device);
        (Clips::of_lengths(wave, &lengths), letters)
    }

    #[test]
    fn learns_to_spell_a_batch() {
        let device = Device::default().autodiff();
        device.seed(0);
        let config = config();
        let mut model = config.init(&Alphabet::of(Spelling::Letters, ["abc"]), &device).unwrap();
        let mut optimizer = AdamWConfig::new().init();
        let (clips, letters) = clips(&device);
        let first = model.forward(config.held_out_batch(clips.clone(), letters.clone()));
        // First weights depend on the tests beside this one, and so does how long it takes.
        let learnt = (0..400).find_map(|step| {
            let rng = &mut generator(0, "masks", step);
            let batch = config.training_batch(clips.clone(), letters.clone(), rng);
            let gradients = model.forward(batch).loss.backward();
            let gradients = GradientsParams::from_grads(gradients, &model);
            model = optimizer.step(3e-3, model.clone(), gradients);
            let output = model.forward(config.held_out_batch(clips.clone(), letters.clone()));
            (output.errors().rate() == 0.0).then(|| output.loss.into_scalar::<f32>())
        });
        let [first, last] = [Some(first.loss.into_scalar::<f32>()), learnt];
        assert!(last.is_some() && last < first, "{first:?} to {last:?}");
    }

    #[test]
    fn a_clip_is_spelt_alike_alone_and_beside_longer_ones() {
        let device = Device::default();
        device.seed(0);
        let config = config();
        let model = config.init(&Alphabet::of(Spelling::Letters, ["abc"]), &device).unwrap();
        let (clips, letters) = clips(&device);
        let n_letters: usize = letters.iter().map(Vec::len).sum();
        let together = model.forward(config.held_out_batch(clips.clone(), letters.clone()));
        let alone: f32 = clips
            .one_by_one()
            .zip(letters)
            .map(|(clip, letters)| {
                let share = letters.len() as f32 / n_letters as f32;
                let output = model.forward(config.held_out_batch(clip, vec![letters]));
                output.loss.into_scalar::<f32>() * share
            })
            .sum();
        let together = together.loss.into_scalar::<f32>();
        assert!((together - alone).abs() < 1e-4 * alone, "{together}, {alone}");
    }

    #[test]
    fn the_middle_layer_lies_below_the_last() {
        let config = TranscriptionConfig { middle_layer: 2, ..config() };
        let error =
            config.init(&Alphabet::of(Spelling::Letters, ["a"]), &Device::default()).unwrap_err();
        assert_eq!(error, HubertError::MiddleLayer { found: 2, n_layers: 2 });
    }
}
