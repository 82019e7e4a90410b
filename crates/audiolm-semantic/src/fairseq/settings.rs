//! What a checkpoint says about its model.

use std::path::{Path, PathBuf};

use audiolm_pickle::{TorchFile, Value};

use crate::SemanticError;

/// Which encoder it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Hubert,
    Wav2Vec2,
    WavLm,
}

impl Family {
    /// What transformers calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hubert => "hubert",
            Self::Wav2Vec2 => "wav2vec2",
            Self::WavLm => "wavlm",
        }
    }

    /// The class of transformers.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Hubert => "HubertModel",
            Self::Wav2Vec2 => "Wav2Vec2Model",
            Self::WavLm => "WavLMModel",
        }
    }
}

/// The settings of a model and those around it, the innermost first: a dict, a `Namespace` or a
/// configuration of omegaconf, as fairseq has saved them over the years.
///
/// What is not set has the value that fairseq's own classes give it.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    path: PathBuf,
    groups: Vec<Value<'a>>,
    family: Family,
}

impl<'a> Settings<'a> {
    pub(super) fn of(file: &'a TorchFile, path: &Path) -> Result<Self, SemanticError> {
        let root = file.root();
        let whole = ["cfg", "args"].iter().find_map(|it| root.get(it).filter(|it| !it.is_none()));
        let groups = whole.map(groups).unwrap_or_default();
        let mut settings = Self { path: path.to_owned(), groups, family: Family::WavLm };
        settings.family = settings.named_family()?;
        Ok(settings)
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    /// A number that counts something.
    pub(super) fn count(&self, name: &str, default: usize) -> Result<usize, SemanticError> {
        self.read(name, default, "a number", Value::as_count)
    }

    /// A number.
    pub(super) fn number(&self, name: &str, default: f64) -> Result<f64, SemanticError> {
        self.read(name, default, "a number", Value::as_float)
    }

    /// True or false.
    pub(super) fn truth(&self, name: &str, default: bool) -> Result<bool, SemanticError> {
        self.read(name, default, "true or false", Value::as_bool)
    }

    /// A word, which may be the value of an enumeration.
    pub(super) fn text(&self, name: &str, default: &'a str) -> Result<&'a str, SemanticError> {
        let text = |it: Value<'a>| it.as_str().or_else(|| it.argument(0)?.as_str());
        self.read(name, default, "a string", text)
    }

    /// Refuses another word than `expected`, which is also what is meant where there is none.
    pub(super) fn require(&self, name: &str, expected: &'static str) -> Result<(), SemanticError> {
        match self.text(name, expected)? == expected {
            true => Ok(()),
            false => Err(self.refused(name, expected)),
        }
    }

    /// Refuses a setting that is on.
    pub(super) fn require_no(&self, name: &str) -> Result<(), SemanticError> {
        match self.truth(name, false)? {
            false => Ok(()),
            true => Err(self.refused(name, "false")),
        }
    }

    /// Says that a setting is not what was expected.
    pub(super) fn refused(&self, name: &str, expected: &str) -> SemanticError {
        let text = |it: Value<'_>| it.as_str().map(|it| format!("{it:.80?}"));
        let found = self.find(name).map(|it| text(it).unwrap_or_else(|| it.describe()));
        self.mismatch(name, expected.to_owned(), found.unwrap_or_else(|| "nothing".to_owned()))
    }

    pub(super) fn mismatch(&self, name: &str, expected: String, found: String) -> SemanticError {
        let setting = name.to_owned();
        SemanticError::Setting { path: self.path.clone(), setting, expected, found }
    }

    fn read<T>(
        &self,
        name: &str,
        default: T,
        expected: &str,
        read: impl Fn(Value<'a>) -> Option<T>,
    ) -> Result<T, SemanticError> {
        match self.find(name) {
            None => Ok(default),
            Some(value) => read(value).ok_or_else(|| self.refused(name, expected)),
        }
    }

    fn find(&self, name: &str) -> Option<Value<'a>> {
        let found = self.groups.iter().find_map(|it| setting(*it, name));
        found.filter(|it| !it.is_none())
    }

    /// fairseq names its models; the files of WavLM name none, and have a bias that others lack.
    fn named_family(&self) -> Result<Family, SemanticError> {
        if self.truth("relative_position_embedding", false)? {
            return Ok(Family::WavLm);
        }
        let key = if self.find("_name").is_some() { "_name" } else { "arch" };
        match self.text(key, "")? {
            name if name.starts_with("hubert") => Ok(Family::Hubert),
            name if name.starts_with("wav2vec2") => Ok(Family::Wav2Vec2),
            _ => Err(self.refused(key, "hubert, wav2vec2, or WavLM's settings")),
        }
    }
}

/// The groups in which a setting of the model is looked for. In a fine-tuned model the settings of
/// the pretrained one come first.
fn groups(whole: Value<'_>) -> Vec<Value<'_>> {
    let model = setting(whole, "model");
    let pretrained = model.into_iter().chain([whole]).find_map(|it| setting(it, "w2v_args"));
    let of_pretrained = pretrained.into_iter().flat_map(own_groups);
    of_pretrained.chain(own_groups(whole)).collect()
}

fn own_groups(whole: Value<'_>) -> Vec<Value<'_>> {
    let inner = ["model", "task"].iter().filter_map(|it| setting(whole, it));
    inner.chain([whole]).collect()
}

/// A setting of a dict, a `Namespace` or a configuration of omegaconf.
fn setting<'a>(group: Value<'a>, name: &str) -> Option<Value<'a>> {
    let content = group.attribute("_content");
    let found = match content {
        Some(content) => content.get(name),
        None => group.get(name).or_else(|| group.attribute(name)),
    };
    // omegaconf keeps a value in a node of its own.
    found.map(|it| it.attribute("_val").unwrap_or(it))
}
