//! Which conditioner stages have learnt with, as bundles record it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Characters, Conditioner, Labels, TextError};

/// Which conditioner stages have learnt with: what a bundle has to know to be told something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ConditionerConfig {
    /// [`Characters`].
    Characters,
    /// [`Labels`] of these names.
    Labels {
        /// In their order.
        names: Vec<String>,
    },
    /// A [`T5`](crate::T5), which lies elsewhere.
    T5 {
        /// Where: a folder, or the name of a repository on Hugging Face.
        name: String,
    },
    /// One that a program of its own brings, such as a [`Joint`](crate::Joint) embedding.
    Provided,
}

impl ConditionerConfig {
    /// The conditioner, where it needs nothing that lies elsewhere.
    ///
    /// # Errors
    /// Where the labels are none.
    pub fn at_hand(&self) -> Result<Option<Arc<dyn Conditioner>>, TextError> {
        Ok(match self {
            Self::Characters => Some(Arc::new(Characters)),
            Self::Labels { names } => Some(Arc::new(Labels::new(names.clone())?)),
            Self::T5 { .. } | Self::Provided => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_json(config: ConditionerConfig, text: &str) {
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
        assert_eq!(serde_json::from_str::<ConditionerConfig>(text).unwrap(), config);
    }

    #[test]
    fn json_names_the_kind() {
        check_json(ConditionerConfig::Characters, r#"{"kind":"characters"}"#);
        check_json(ConditionerConfig::Provided, r#"{"kind":"provided"}"#);
        let names = vec!["two".to_owned()];
        check_json(ConditionerConfig::Labels { names }, r#"{"kind":"labels","names":["two"]}"#);
        let name = "google/t5-v1_1-base".to_owned();
        check_json(ConditionerConfig::T5 { name }, r#"{"kind":"t5","name":"google/t5-v1_1-base"}"#);
    }

    #[test]
    fn what_lies_elsewhere_is_not_at_hand() {
        assert!(ConditionerConfig::Characters.at_hand().unwrap().is_some());
        let elsewhere = ConditionerConfig::T5 { name: "t5".into() };
        assert!(elsewhere.at_hand().unwrap().is_none());
        assert!(ConditionerConfig::Labels { names: vec![] }.at_hand().is_err());
    }
}
