//! The figures of a bundle, as JSON and as small tables.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::StageLikelihood;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What is left of a recording after the codec.
    pub codec: CodecReport,
    /// Whether continuations sound like their prompts.
    pub continuation: ContinuationReport,
    /// How well the stages predict held-out tokens; empty where no run was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likelihood: Vec<StageLikelihood>,
}

/// What is left of a recording after the codec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodecReport {
    /// Passages that the means are over, each counting the same.
    pub n_passages: usize,
    /// How long they are together.
    pub seconds: f64,
    /// From few quantizers to all.
    pub rows: Vec<CodecRow>,
}

/// The means with one number of quantizers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CodecRow {
    /// How many leading quantizers were decoded.
    pub quantizers: usize,
    /// Short-time objective intelligibility (Taal et al. 2011): about 0 for noise, 1 for a copy.
    pub stoi: f64,
    /// Scale-invariant signal to distortion ratio (Le Roux et al. 2019), in decibels.
    pub si_sdr_db: f64,
    /// Mean absolute difference of natural-log mel power; 0 for a copy.
    pub log_mel_distance: f64,
}

/// Whether continuations sound like their prompts, and how long they take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContinuationReport {
    /// Who is heard, with one prompt each.
    pub speakers: Vec<String>,
    /// How many continuations sound most like their own prompt.
    pub n_own: usize,
    /// How many would by chance.
    pub n_own_by_chance: f64,
    /// The index of the speaker whose prompt each continuation sounds most like.
    pub nearest_prompts: Vec<usize>,
    /// The mean length of a prompt.
    pub prompt_seconds: f64,
    /// The mean length of what was added to it.
    pub seconds: f64,
    /// What chance was made of.
    pub seed: u64,
    /// The mean time that a continuation took.
    pub elapsed_seconds: f64,
    /// Seconds of sound made in a second: above 1 is faster than it plays.
    pub real_time_factor: f64,
}

/// The mean of some figures.
pub(super) fn mean(figures: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = figures.len();
    figures.sum::<f64>() / n as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.codec, self.continuation)?;
        if self.likelihood.is_empty() {
            return Ok(());
        }
        write!(f, "\n\nheld-out likelihood, in nats per token")?;
        write!(f, "\n{:>10} {:>8} {:>8} {:>10}", "stage", "model", "bigram", "tokens")?;
        self.likelihood.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}

impl fmt::Display for CodecReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "codec, on {} passages of {:.0} s together", self.n_passages, self.seconds)?;
        write!(f, "{:>10} {:>8} {:>10} {:>8}", "quantizers", "STOI", "SI-SDR", "log-mel")?;
        self.rows.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}

impl fmt::Display for CodecRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quantizers, stoi, si_sdr_db, log_mel_distance } = self;
        write!(f, "{quantizers:>10} {stoi:>8.3} {si_sdr_db:>7.2} dB {log_mel_distance:>8.3}")
    }
}

impl fmt::Display for ContinuationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { speakers, n_own, n_own_by_chance, .. } = self;
        writeln!(
            f,
            "continuation, by {:.1} s after prompts of {:.1} s, seed {}",
            self.seconds, self.prompt_seconds, self.seed
        )?;
        writeln!(
            f,
            "{n_own} of {} sound most like their own prompt ({n_own_by_chance} by chance)",
            speakers.len()
        )?;
        write!(
            f,
            "made in {:.2} s each, {:.2} seconds of sound in a second",
            self.elapsed_seconds, self.real_time_factor
        )
    }
}

impl fmt::Display for StageLikelihood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = &self.likelihood;
        let (stage, model, bigram) =
            (self.stage.folder(), it.nats_per_token, it.bigram_nats_per_token);
        write!(f, "{stage:>10} {model:>8.3} {bigram:>8.3} {:>10}", it.n_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "\
codec, on 24 passages of 96 s together
quantizers     STOI     SI-SDR  log-mel
         1    0.712   -3.40 dB    1.023
        12    0.931    7.25 dB    0.500

continuation, by 4.0 s after prompts of 3.0 s, seed 7
1 of 2 sound most like their own prompt (1 by chance)
made in 5.00 s each, 0.80 seconds of sound in a second

held-out likelihood, in nats per token
     stage    model   bigram     tokens
  semantic    2.500    3.125      40000";

    const JSON: &str = r#"{
        "codec": {"n_passages": 24, "seconds": 96.2, "rows": [
            {"quantizers": 1, "stoi": 0.7123, "si_sdr_db": -3.4, "log_mel_distance": 1.0234},
            {"quantizers": 12, "stoi": 0.931, "si_sdr_db": 7.25, "log_mel_distance": 0.5}
        ]},
        "continuation": {
            "speakers": ["a", "b"],
            "n_own": 1, "n_own_by_chance": 1.0, "nearest_prompts": [0, 0],
            "prompt_seconds": 3.0, "seconds": 4.0, "seed": 7,
            "elapsed_seconds": 5.0, "real_time_factor": 0.8
        },
        "likelihood": [{
            "stage": "semantic",
            "nats_per_token": 2.5, "bigram_nats_per_token": 3.125, "n_tokens": 40000
        }]
    }"#;

    #[test]
    fn tables_show_what_json_holds() {
        let report: Report = serde_json::from_str(JSON).unwrap();
        assert_eq!(report.to_string(), SHOWN);
        let json: serde_json::Value = serde_json::from_str(JSON).unwrap();
        assert_eq!(serde_json::to_value(report).unwrap(), json);
    }
}
