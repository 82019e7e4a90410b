//! Encoders that others have published: a folder of transformers, or a checkpoint of fairseq.

use std::path::{Path, PathBuf};

use audiolm_nn::{WeightReader, WeightsError, published_weights};
use burn::prelude::*;
use serde_json::Value as Json;

use crate::{
    ConvLayerConfig, FairseqCheckpoint, Hubert, HubertConfig, SemanticError, load_transformers,
};

/// What transformers calls the description of a model, and of what it is fed with.
const CONFIG: &str = "config.json";
const PREPROCESSOR: &str = "preprocessor_config.json";

/// An encoder that has been published, and what describes it.
#[derive(Debug)]
pub struct PublishedEncoder {
    /// Its configuration.
    pub config: HubertConfig,
    /// The encoder.
    pub encoder: Hubert,
}

/// What a published encoder says of itself, as transformers would say it, and its tensors.
#[derive(Debug)]
pub struct PublishedFile {
    /// Where that stands.
    pub path: PathBuf,
    /// What stands in `config.json`.
    pub config: Json,
    /// What stands in `preprocessor_config.json`, where there is one.
    pub preprocessor: Option<Json>,
    /// The tensors, by the names of transformers.
    pub weights: WeightReader,
}

impl PublishedEncoder {
    /// Reads the folder of a model of transformers (`config.json`, and `model.safetensors` or
    /// `pytorch_model.bin`, in one file or several), or a checkpoint of fairseq. Nothing in the files
    /// is run.
    ///
    /// # Errors
    /// Where files are missing or damaged, or describe a model that is not covered.
    pub fn load(path: &Path, device: &Device) -> Result<Self, SemanticError> {
        let file = PublishedFile::open(path, device)?;
        let config = file.hubert_config()?;
        let folder = tempfile::tempdir().map_err(|it| file.io(it))?;
        let staged = folder.path().join("model.safetensors");
        file.weights.save(&staged)?;
        let encoder = load_transformers(&config, &staged, device).map_err(|it| file.named(it))?;
        Ok(Self { config, encoder })
    }
}

impl PublishedFile {
    /// Opens a folder of transformers or a checkpoint of fairseq, for tensors on `device`.
    ///
    /// # Errors
    /// Where files are missing or damaged.
    pub fn open(path: &Path, device: &Device) -> Result<Self, SemanticError> {
        match path.is_dir() {
            true => Self::of_folder(path, device),
            false => Self::of_checkpoint(path, device),
        }
    }

    fn of_folder(folder: &Path, device: &Device) -> Result<Self, SemanticError> {
        let config = json(&folder.join(CONFIG))?;
        let preprocessor = folder.join(PREPROCESSOR);
        let preprocessor = preprocessor.is_file().then(|| json(&preprocessor)).transpose()?;
        let weights = WeightReader::open(&published_weights(folder)?, device)?;
        Ok(Self { path: folder.join(CONFIG), config, preprocessor, weights })
    }

    fn of_checkpoint(path: &Path, device: &Device) -> Result<Self, SemanticError> {
        let checkpoint = FairseqCheckpoint::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            config: checkpoint.config().clone(),
            preprocessor: Some(checkpoint.preprocessor().clone()),
            weights: checkpoint.weights(device),
        })
    }

    fn hubert_config(&self) -> Result<HubertConfig, SemanticError> {
        self.require("model_type", "hubert")?;
        self.require("feat_extract_norm", "group")?;
        self.require("hidden_act", "gelu")?;
        self.require("do_stable_layer_norm", false)?;
        self.require("conv_bias", false)?;
        let (channels, kernels, strides) =
            (self.counts("conv_dim")?, self.counts("conv_kernel")?, self.counts("conv_stride")?);
        let layers = channels.into_iter().zip(kernels).zip(strides);
        let layers = layers.map(|it| ConvLayerConfig::new(it.0.0, it.0.1, it.1)).collect();
        let (d_model, n_layers) = (self.count("hidden_size")?, self.count("num_hidden_layers")?);
        let (n_heads, inner) =
            (self.count("num_attention_heads")?, self.count("intermediate_size")?);
        Ok(HubertConfig::new(layers, d_model, n_layers, n_heads, inner)
            .with_position_kernel_size(self.count("num_conv_pos_embeddings")?)
            .with_position_groups(self.count("num_conv_pos_embedding_groups")?))
    }

    fn require(&self, key: &str, expected: impl Into<Json>) -> Result<(), SemanticError> {
        let expected = expected.into();
        match self.config.get(key) == Some(&expected) {
            true => Ok(()),
            false => Err(self.refused(key, &expected.to_string())),
        }
    }

    fn count(&self, key: &str) -> Result<usize, SemanticError> {
        let number = self.config.get(key).and_then(number);
        number.ok_or_else(|| self.refused(key, "a number"))
    }

    fn counts(&self, key: &str) -> Result<Vec<usize>, SemanticError> {
        let list = self.config.get(key).and_then(Json::as_array);
        let numbers = list.and_then(|it| it.iter().map(number).collect());
        numbers.ok_or_else(|| self.refused(key, "a list of numbers"))
    }

    fn refused(&self, key: &str, expected: &str) -> SemanticError {
        let found = self.config.get(key).map_or("nothing".to_owned(), Json::to_string);
        SemanticError::Setting {
            path: self.path.clone(),
            setting: key.to_owned(),
            expected: expected.to_owned(),
            found,
        }
    }

    fn io(&self, source: std::io::Error) -> SemanticError {
        WeightsError::Io { path: self.path.clone(), source }.into()
    }

    /// What is said of the staged weights is true of the published ones.
    fn named(&self, error: SemanticError) -> SemanticError {
        match error {
            SemanticError::Weights(WeightsError::Mismatch { mismatch, .. }) => {
                let path = self.weights.path().to_owned();
                WeightsError::Mismatch { path, mismatch }.into()
            }
            error => error,
        }
    }
}

fn number(value: &Json) -> Option<usize> {
    value.as_u64().and_then(|it| it.try_into().ok())
}

fn json(path: &Path) -> Result<Json, SemanticError> {
    let unreadable = |reason: String| SemanticError::ConfigFile { path: path.to_owned(), reason };
    let text = std::fs::read(path).map_err(|it| unreadable(it.to_string()))?;
    serde_json::from_slice(&text).map_err(|it| unreadable(it.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::{Reference, fixture};
    use burn::tensor::Tolerance;

    /// Another order of summation moves features of this size by less.
    const ROUNDING: f32 = 1e-5;

    #[track_caller]
    fn check(path: &Path) {
        let published = PublishedEncoder::load(path, &Device::default()).unwrap();
        let reference = Reference::read("fairseq/hubert.reference.safetensors");
        let found = published.encoder.features(reference.floats("input.wave"), 2).into_data();
        let expected = reference.floats::<3>("output.hidden_states.2").into_data();
        found.assert_approx_eq(&expected, Tolerance::<f32>::absolute(ROUNDING));
    }

    #[test]
    fn what_fairseq_saved_gives_the_features_of_transformers() {
        check(&fixture("fairseq/hubert_namespace.pt"));
        check(&fixture("fairseq/hubert_omegaconf.pt"));
        check(&fixture("fairseq/hubert_fine_tuned.pt"));
    }

    #[test]
    fn a_folder_of_transformers_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = FairseqCheckpoint::open(&fixture("fairseq/hubert_namespace.pt")).unwrap();
        std::fs::write(folder.path().join(CONFIG), checkpoint.config().to_string()).unwrap();
        let weights = fixture("fairseq/hubert.safetensors");
        std::fs::copy(weights, folder.path().join("model.safetensors")).unwrap();
        check(folder.path());
    }

    #[test]
    fn a_model_that_is_not_covered_is_named() {
        let path = fixture("fairseq/wavlm.pt");
        let error = PublishedEncoder::load(&path, &Device::default()).unwrap_err().to_string();
        assert!(error.contains("wavlm.pt: setting model_type: expected \"hubert\""), "{error}");
    }

    #[test]
    fn a_folder_without_weights_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG), "{}").unwrap();
        let error = PublishedFile::open(folder.path(), &Device::default()).unwrap_err();
        assert!(error.to_string().contains("pytorch_model.bin"), "{error}");
    }
}
