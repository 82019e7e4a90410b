//! What the stages of a bundle can be told, and what they are told.

use std::sync::Arc;

use audiolm_text::{Conditioner, ConditionerConfig, Description};
use audiolm_transformer::{Condition, DecoderConfig};

use crate::configs::Configs;
use crate::{Bundle, PipelineError};

/// What the stages of a bundle can be told, and what they are told.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    config: Option<ConditionerConfig>,
    conditioner: Option<Arc<dyn Conditioner>>,
    /// Numbers of each vector that the first stage reads, where it can be told anything.
    semantic_width: Option<usize>,
    /// The same of the second stage.
    coarse_width: Option<usize>,
    told: Told,
}

/// What stages are told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) semantic: Option<Condition>,
    pub(crate) coarse: Option<Condition>,
}

impl Listening {
    /// The stages of a bundle, told nothing yet.
    pub(crate) fn of(bundle: &Bundle) -> Result<Self, PipelineError> {
        let config = bundle.manifest().conditioner.clone();
        let at_hand = config.as_ref().map_or(Ok(None), ConditionerConfig::at_hand)?;
        let width = |it: &DecoderConfig| it.condition.map(|it| it.d_condition);
        let Configs { semantic, coarse, .. } = bundle.configs();
        let listening = Self {
            config,
            conditioner: None,
            semantic_width: width(&semantic.decoder),
            coarse_width: width(&coarse.decoder),
            told: Told::default(),
        };
        match at_hand {
            Some(conditioner) => listening.with(conditioner),
            None => Ok(listening),
        }
    }

    /// Which conditioner the stages have learnt with.
    pub(crate) fn config(&self) -> Option<&ConditionerConfig> {
        self.config.as_ref()
    }

    /// Told through this conditioner from now on.
    pub(crate) fn with(self, conditioner: Arc<dyn Conditioner>) -> Result<Self, PipelineError> {
        let found = conditioner.width();
        let widths = [self.semantic_width, self.coarse_width];
        if widths == [None, None] {
            return Err(PipelineError::Deaf);
        }
        match widths.into_iter().flatten().find(|it| *it != found) {
            Some(expected) => Err(PipelineError::ConditionWidth { expected, found }),
            None => Ok(Self { conditioner: Some(conditioner), ..self }),
        }
    }

    /// Told this from now on.
    pub(crate) fn told(self, description: &Description<'_>) -> Result<Self, PipelineError> {
        if [self.semantic_width, self.coarse_width] == [None, None] {
            return Err(PipelineError::Deaf);
        }
        let Some(conditioner) = &self.conditioner else {
            return Err(PipelineError::NoConditioner { config: self.config });
        };
        let condition = Condition::new(conditioner.vectors(description)?, conditioner.width())?;
        let told = Told {
            semantic: self.semantic_width.map(|_| condition.clone()),
            coarse: self.coarse_width.map(|_| condition),
        };
        Ok(Self { told, ..self })
    }

    /// What each stage is told.
    pub(crate) fn stages(&self) -> &Told {
        &self.told
    }
}
