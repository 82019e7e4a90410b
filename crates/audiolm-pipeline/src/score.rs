//! How likely a recording is to the language models.

use audiolm_transformer::LogLikelihood;

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scored {
    /// What is said: semantic ids and their durations.
    #[default]
    Semantic,
    /// That, and how it sounds: coarse and fine codes as well.
    Everything,
}

/// Log-likelihoods of a recording. Only tokens of the same tokenizers can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// How long the recording is, in whole frames.
    pub seconds: f64,
    /// Of its semantic ids, runs collapsed: log p(z_t | z_<t), AudioLM's first stage.
    pub semantic: LogLikelihood,
    /// Of how long each of them lasts, given which they are; the paper has no such thing.
    pub durations: LogLikelihood,
    /// Of its codes, where they were asked for.
    pub codes: Option<CodeScore>,
}

/// Log-likelihoods of the codes of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodeScore {
    /// Of coarse codes given the semantic ids.
    pub coarse: LogLikelihood,
    /// Of fine codes given the coarse ones.
    pub fine: LogLikelihood,
}
