//! Training of the codec: reconstruction through a quantizer that learns by averages, at first alone
//! and then against discriminators.

mod adversary;
mod crops;
mod losses;
mod report;
mod settings;
mod start;
mod validation;
mod weight_average;

use std::path::Path;

use audiolm_codec::{
    Denoise, LossBalancer, MultiScaleMelLoss, QuantizedOutput, ReconstructionOutput, ResidualEma,
    SoundStream, feature_matching, generator_hinge,
};
use audiolm_data::Split;
use audiolm_nn::{Precision, generator};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use rand::{Rng, RngExt};

use crate::checkpoint::{
    is_finite, load_module, load_optimizer, load_state, save_module, save_optimizer, save_state,
};
use crate::codec_noise::{CodecExamples, NoiseMixer};
use crate::drive::{Drive, Trainee};
use crate::guard::Guard;
use crate::layer_rates::LayerRates;
use crate::recordings::{Recordings, require_seconds};
use crate::run::StageRun;
use crate::{Ending, Measures, MetricsLine, Observer, TrainError, Trouble};
use adversary::{Adversary, Judging};
use crops::Crops;
use losses::{AdversarialLosses, Heard, WaveLosses, decibels, log_noise_share, scalar};
pub use settings::{AdversarySettings, CodecSettings, Learns, LossWeights, Weighed};
use weight_average::averaged;

/// Trains the codec of a run, or goes on with it, and exports it when it is finished.
///
/// # Errors
/// Where settings, recordings or the run's files cannot be used, or training goes wrong more often
/// than it may.
pub(crate) fn train_codec(
    mut run: StageRun<'_>,
    settings: &CodecSettings,
) -> Result<Ending, TrainError> {
    settings.model.require_mono()?;
    settings.validate()?;
    let rate = settings.model.sample_rate_hz as u32;
    let recordings = Recordings::open(run.data, rate, &run.cache_folder(), run.observer)?;
    let crop_seconds = settings.crop_samples as f64 / f64::from(rate);
    require_seconds(&recordings.train, Split::Train, crop_seconds)?;
    require_seconds(&recordings.valid, Split::Valid, crop_seconds)?;

    let noise = NoiseMixer::open(&mut run, settings)?;
    let mut trainee = CodecTrainee::new(settings, &recordings, noise, run.device)?;
    let drive = Drive::new(&mut run, "codec", settings.schedule.steps, settings.cadence)?;
    let ending = drive.run(&mut trainee)?;
    if ending == Ending::Finished {
        let codec = trainee.finished();
        run.export("codec", |it| Ok(codec.save_to(it, &settings.model, Precision::Full)?))?;
    }
    Ok(ending)
}

struct CodecTrainee<'a> {
    settings: &'a CodecSettings,
    crops: Crops<'a>,
    seed: u64,
    noise: NoiseMixer,
    device: Device,
    mel: MultiScaleMelLoss,
    codec: SoundStream,
    codebooks: ResidualEma,
    optimizer: ModuleOptimizer,
    /// The running average of the codec's weights, where one is kept.
    average: Option<SoundStream>,
    /// The discriminators, where there are any.
    adversary: Option<Adversary>,
    guard: Guard,
}

impl<'a> CodecTrainee<'a> {
    fn new(
        settings: &'a CodecSettings,
        recordings: &'a Recordings,
        noise: NoiseMixer,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let seed = noise.seed;
        let device = device.clone().autodiff();
        device.seed(seed);
        let codec = settings.model.init(&device)?;
        Ok(Self {
            settings,
            crops: Crops::new(settings, recordings),
            seed,
            noise,
            mel: MultiScaleMelLoss::new(settings.model.sample_rate_hz, &device),
            codebooks: ResidualEma::new(codec.quantizer(), settings.vectors_per_batch()),
            optimizer: settings.optimizer(),
            average: (settings.average_decay > 0.0).then(|| codec.valid()),
            adversary: Adversary::new(settings, &device)?,
            guard: Guard::default(),
            codec,
            device,
        })
    }

    /// What this attempt draws from.
    fn draws(&self) -> u64 {
        match self.guard.rollbacks {
            0 => self.seed,
            attempt => generator(self.seed, "attempt", attempt.into()).next_u64(),
        }
    }

    /// How many leading quantizers each example uses: uniform over all numbers for those that drop
    /// some (quantizer dropout, arXiv 2107.03312, section III-C).
    fn active(&self, batch: u64) -> Vec<usize> {
        let mut rng = generator(self.draws(), "quantizer dropout", batch);
        let n_quantizers = self.settings.model.quantizer.n_quantizers();
        let mut drawn = || match rng.random::<f64>() < self.settings.quantizer_dropout {
            true => rng.random_range(1..=n_quantizers),
            false => n_quantizers,
        };
        (0..self.settings.batch).map(|_| drawn()).collect()
    }

    /// Encodes and decodes, with gradients for what learns.
    fn reconstruct(
        &self,
        wave: Tensor<3>,
        denoise: &[Denoise],
        batch: u64,
    ) -> ReconstructionOutput {
        let active = self.active(batch);
        if self.settings.learns == Learns::Everything {
            return self.codec.forward_with(wave, &active, denoise);
        }
        let frozen = self.codec.valid();
        let quantized = frozen.quantizer().forward(frozen.encoder().forward(wave.inner()), &active);
        let wave = self.codec.decoder().forward(Tensor::from_inner(quantized.quantized.clone()));
        ReconstructionOutput { wave, quantized }
    }

    fn learn_codebooks(&mut self, seen: &QuantizedOutput, batch: u64) {
        let rng = &mut generator(self.draws(), "revival", batch);
        let (averages, quantizer) =
            self.codebooks.clone().learn(self.codec.quantizer().clone(), seen, rng);
        self.codebooks = averages;
        self.codec = self.codec.clone().with_quantizer(quantizer);
    }

    /// Moves the average of the weights that gradients teach. The rest is kept to the bit: codebooks
    /// that are averages already, and where the decoder learns alone, all that makes codes.
    fn average_weights(&mut self, step: u64) {
        let Some(average) = self.average.take() else { return };
        let latest = self.codec.valid();
        let young = (1.0 + step as f64) / (10.0 + step as f64);
        let moved = averaged(average, &latest, self.settings.average_decay.min(young));
        let has_averages = !latest.quantizer().codebooks().is_empty();
        self.average = Some(match self.settings.learns {
            Learns::Decoder => moved.with_codes_of(latest),
            Learns::Everything if has_averages => moved.with_quantizer(latest.quantizer().clone()),
            Learns::Everything => moved,
        });
    }

    /// What is measured and exported.
    fn finished(&self) -> SoundStream {
        self.average.clone().unwrap_or_else(|| self.codec.valid())
    }
}

impl Trainee for CodecTrainee<'_> {
    fn stage(&self) -> &'static str {
        "codec"
    }

    fn prepare(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (settings, codec) = (self.settings, self.codec.clone());
        self.codec = match settings.init_from.as_os_str().is_empty() {
            true => {
                start::with_fitted_codebooks(&codec, &self.crops, settings, self.seed, observer)?
            }
            false => start::trained_before(codec, settings, &self.device)?,
        };
        self.codebooks = ResidualEma::new(self.codec.quantizer(), settings.vectors_per_batch());
        self.average = self.average.take().map(|_| self.codec.valid());
        Ok(())
    }

    fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
        let settings = self.settings;
        let weights = &settings.adversary.weights;
        let n_batches = settings.batches_per_step;
        let judging =
            if step < self.guard.paused_until { Judging::Only } else { Judging::Learning };
        let mut gradients = GradientsAccumulator::new();
        let mut measures = Measures::default();

        for batch in step * n_batches as u64..(step + 1) * n_batches as u64 {
            let clean = self.crops.batch(self.draws(), "crops", batch, &self.device)?;
            let CodecExamples { input, target: wave, denoise } =
                self.noise.examples(clean, batch)?;
            let output = self.reconstruct(input, &denoise, batch);
            let adversary =
                self.adversary.as_mut().filter(|_| step >= settings.adversary.starts_at);
            let of = if adversary.is_some() { weights.of } else { Weighed::Losses };
            let heard = Heard::new(&output.wave, of);

            // What the wave is judged by.
            let mel = self.mel.forward(wave.clone(), heard.reconstruction());
            let noise = log_noise_share(wave.clone(), heard.reconstruction());
            let mut of_batch = Measures::default()
                .with("mel", scalar(mel.clone()))
                .with("snr_db", decibels(noise.clone()));
            let mut losses = WaveLosses {
                reconstruction: mel + noise * settings.wave_weight,
                adversarial: None,
            };
            let mut alone = LossBalancer::default();
            let mut balancer = &mut alone;
            if let Some(adversary) = adversary {
                let judged = adversary.judge(wave, &heard, judging, n_batches);
                let distance = settings.adversary.feature_distance;
                let adversarial = AdversarialLosses {
                    verdict: generator_hinge(&judged.reconstruction),
                    features: feature_matching(&judged.recording, &judged.matched, distance),
                };
                of_batch = of_batch
                    .with("discriminator", scalar(judged.discriminator))
                    .with("adversarial", scalar(adversarial.verdict.clone()))
                    .with("features", scalar(adversarial.features.clone()));
                losses.adversarial = Some(adversarial);
                balancer = &mut adversary.balancer;
            }

            // What all of it comes to.
            let mut loss = scalar(losses.weighed(weights));
            let mut pull = losses.pull(output.wave, &heard, weights, balancer);
            if settings.learns == Learns::Everything {
                let commitment = output.quantized.commitment.clone();
                let weight = settings.commitment_weight;
                let size = settings.model.quantizer.codebook_size();
                let usage = validation::used_in_batch(output.quantized.codes.clone(), size)?;
                of_batch =
                    of_batch.with("commitment", scalar(commitment.clone())).with("usage", usage);
                let codebook = output.quantized.codebook.clone();
                loss += weight * scalar(commitment.clone()) + scalar(codebook.clone());
                pull = pull + commitment * weight + codebook;
            }
            let of_codec = (pull / n_batches as f32).backward();
            gradients.accumulate(&self.codec, GradientsParams::from_grads(of_codec, &self.codec));
            if settings.learns == Learns::Everything {
                self.learn_codebooks(&output.quantized, batch);
            }
            measures = measures.plus(of_batch.with("loss", loss), 1.0 / n_batches as f64);
        }

        let share = self.guard.rate_share(&settings.guard);
        let rate = share * settings.schedule.learning_rate(step);
        let rates = LayerRates::of(&self.codec).at(rate);
        self.codec = self.optimizer.step(rates, self.codec.clone(), gradients.grads());
        self.average_weights(step);
        let begun = step.checked_sub(settings.adversary.starts_at);
        if let (Some(adversary), Some(begun), Judging::Learning) =
            (&mut self.adversary, begun, judging)
        {
            adversary.step(share * settings.adversary_schedule().learning_rate(begun));
        }
        Ok(measures.with("learning_rate", rate))
    }

    fn trouble(&mut self, measures: &Measures) -> Option<Trouble> {
        let settings = &self.settings.guard;
        if settings.max_rollbacks == 0 {
            return None;
        }
        let seen = self.guard.look(settings, measures);
        let adversary = self.adversary.as_ref().map(Adversary::module);
        let sound = is_finite(&self.codec) && adversary.is_none_or(is_finite);
        seen.or((!sound).then_some(Trouble::WeightNotFinite))
    }

    fn retry(&mut self, trouble: Trouble, step: u64) -> Result<Measures, TrainError> {
        let settings = &self.settings.guard;
        let rollbacks = self.guard.rollbacks;
        if rollbacks >= settings.max_rollbacks {
            return Err(TrainError::GaveUp { stage: "codec", step, rollbacks, trouble });
        }
        self.guard.retry(settings, &trouble, step);
        Ok(Measures::default()
            .with("rollbacks", self.guard.rollbacks.into())
            .with("rate_share", self.guard.rate_share(settings)))
    }

    fn validate(&mut self, _steps_done: u64) -> Result<Measures, TrainError> {
        let device = self.device.clone().without_autodiff();
        let wave = self.crops.held_out(self.seed, &device)?;
        validation::measured(&self.finished(), wave, self.settings)
    }

    fn report(&self, folder: &Path, lines: &[MetricsLine]) -> Result<(), TrainError> {
        let device = self.device.clone().without_autodiff();
        report::write(folder, &self.finished(), &self.crops, lines, &device)
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        save_module(&self.codec, &folder.join("codec.bpk"))?;
        save_module(&self.codebooks, &folder.join("averages.bpk"))?;
        save_optimizer(&self.optimizer, &folder.join("optimizer.bpk"))?;
        if let Some(average) = &self.average {
            save_module(average, &folder.join("average.bpk"))?;
        }
        if let Some(adversary) = &self.adversary {
            adversary.save(folder)?;
        }
        save_state(&self.guard, &folder.join("guard.json"))
    }

    fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.codec = load_module(self.codec.clone(), &folder.join("codec.bpk"))?;
        self.codebooks = load_module(self.codebooks.clone(), &folder.join("averages.bpk"))?;
        let empty = self.settings.optimizer();
        self.optimizer = load_optimizer(empty, &folder.join("optimizer.bpk"))?;
        if let Some(average) = self.average.take() {
            self.average = Some(load_module(average, &folder.join("average.bpk"))?);
        }
        if let Some(adversary) = &mut self.adversary {
            adversary.restore(folder, self.settings.optimizer())?;
        }
        self.guard = load_state(&folder.join("guard.json"))?;
        Ok(())
    }
}
