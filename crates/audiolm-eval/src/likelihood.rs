//! How surprised a model is by tokens.

/// The surprise of a model at sequences that it was not fitted on.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Likelihood {
    /// The mean negative log-likelihood of a token, in nats.
    pub nats_per_token: f64,
    /// The same for each class of positions (each quantizer), NaN for one without tokens.
    pub nats_per_class: Vec<f64>,
    /// Over how many tokens the mean is.
    pub n_tokens: usize,
}
