//! How well the language models predict held-out tokens, as training has measured it.

use std::fs::read;
use std::path::Path;

use audiolm_pipeline::Part;
use audiolm_train::StageLikelihood as Likelihood;
use serde::{Deserialize, Serialize};

use super::EvaluationError;

/// Where a finished stage has its likelihood, in its folder.
const LIKELIHOOD_FILE: &str = "likelihood.json";

/// How well one stage predicts held-out tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageLikelihood {
    /// The stage.
    pub stage: Part,
    /// Its likelihood, beside that of a bigram model.
    #[serde(flatten)]
    pub likelihood: Likelihood,
}

impl StageLikelihood {
    /// What a training run has measured of its language models, as many as it has.
    ///
    /// # Errors
    /// Where a stage has not finished, or its file cannot be read.
    pub fn of_run(run: &Path) -> Result<Vec<Self>, EvaluationError> {
        let is_there = |it: &Part| {
            Part::REQUIRED.contains(it) || run.join("export").join(it.folder()).exists()
        };
        Part::STAGES.into_iter().filter(is_there).map(|it| Self::of_stage(run, it)).collect()
    }

    fn of_stage(run: &Path, stage: Part) -> Result<Self, EvaluationError> {
        let path = run.join("export").join(stage.folder()).join(LIKELIHOOD_FILE);
        let text = read(&path)
            .map_err(|source| EvaluationError::Unreadable { path: path.clone(), source })?;
        let likelihood = serde_json::from_slice(&text)
            .map_err(|source| EvaluationError::Malformed { path, source })?;
        Ok(Self { stage, likelihood })
    }
}
