//! The options that say how tokens are drawn.

use audiolm::{AcousticDecoder, Repetition, StageSampling};
use clap::{Args, ValueEnum};

use crate::numbers;

/// How many semantic ids back a repetition is looked for: about a second of speech.
const RECENT_IDS: usize = 20;
/// How many frames back a repetition of codes is looked for.
const RECENT_FRAMES: usize = 10;

/// How tokens are drawn, for the semantic, coarse and fine stage alike. What is not given stays as
/// in the paper: temperatures of 0.6, 0.8 and 0.6, all tokens.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Sampling")]
pub struct SamplingArgs {
    /// Below 1 favours likely tokens, 0 always takes the likeliest [default: 0.6 semantic, 0.8
    /// coarse, 0.6 fine]
    #[arg(long, value_name = "T", value_parser = numbers::temperature, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Draw among so many of the likeliest tokens [default: all]
    #[arg(long, value_name = "K", value_parser = numbers::count, allow_negative_numbers = true)]
    top_k: Option<usize>,
    /// Draw among the fewest tokens whose probabilities sum to this [default: 1]
    #[arg(long, value_name = "P", value_parser = numbers::top_p, allow_negative_numbers = true)]
    top_p: Option<f64>,
    /// Draw among the tokens that are at least so many times as likely as the likeliest [default: 0]
    #[arg(long, value_name = "P", value_parser = numbers::share, allow_negative_numbers = true)]
    min_p: Option<f64>,
    /// Make semantic ids that came within the last 20 so many times less likely: against loops in
    /// what is said [default: 1]
    #[arg(long, value_name = "D", value_parser = numbers::divisor, allow_negative_numbers = true)]
    repetition_penalty: Option<f64>,
    /// Draw codes anew that make up more than this share of their quantizer's last 10: against
    /// hums, where codes are drawn with caution [default: 1]
    #[arg(long, value_name = "SHARE", value_parser = numbers::share, allow_negative_numbers = true)]
    redraw: Option<f64>,
    /// How much of the probability of a code the codes of the prompt have: keeps its voice, 0 leaves
    /// it to the models [default: 0.8]
    #[arg(long, value_name = "SHARE", value_parser = numbers::share, allow_negative_numbers = true)]
    recall: Option<f64>,
    /// What draws the codes: the coarse and the fine stage, one after another, or the parallel stage,
    /// many at once, where the bundle has one
    #[arg(long, value_enum, default_value_t = Decoder::Autoregressive)]
    decoder: Decoder,
}

/// What draws codes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Decoder {
    /// The coarse and the fine stage
    Autoregressive,
    /// The parallel stage
    Parallel,
}

impl SamplingArgs {
    /// The sampling of each stage.
    pub fn stages(&self) -> StageSampling {
        let mut sampling = StageSampling::default();
        let StageSampling { semantic, coarse, fine, parallel, .. } = &mut sampling;
        for stage in [semantic, coarse, fine, parallel] {
            stage.temperature = self.temperature.unwrap_or(stage.temperature);
            stage.top_k = self.top_k.or(stage.top_k);
            stage.top_p = self.top_p.or(stage.top_p);
            stage.min_p = self.min_p.or(stage.min_p);
        }
        if let Some(divisor) = self.repetition_penalty {
            sampling.semantic.repetition = Repetition::Penalty { divisor, window: RECENT_IDS };
        }
        if let Some(share) = self.redraw {
            let redraw = Repetition::Redraw { share, window: RECENT_FRAMES };
            (sampling.coarse.repetition, sampling.fine.repetition) = (redraw, redraw);
        }
        sampling.recall.share = self.recall.unwrap_or(sampling.recall.share);
        sampling.decoder = match self.decoder {
            Decoder::Autoregressive => AcousticDecoder::Autoregressive,
            Decoder::Parallel => AcousticDecoder::Parallel,
        };
        sampling
    }
}
