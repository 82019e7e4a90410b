//! The files of a published encoder.

use std::path::Path;

use audiolm_nn::{WeightReader, published_weights};
use burn::prelude::*;

use crate::folder::{CONFIG_FILE, json};
use crate::{FairseqCheckpoint, SemanticError, TransformersConfig};

/// What a published encoder says of itself, as transformers would say it, and its tensors.
#[derive(Debug)]
pub struct PublishedFile {
    /// What stands beside the tensors.
    pub config: TransformersConfig,
    /// The tensors, by the names of transformers.
    pub weights: WeightReader,
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
        let path = folder.join(CONFIG_FILE);
        let config = TransformersConfig::load(&path, json(&path)?)?;
        let weights = WeightReader::open(&published_weights(folder)?, device)?;
        Ok(Self { config, weights })
    }

    fn of_checkpoint(path: &Path, device: &Device) -> Result<Self, SemanticError> {
        let checkpoint = FairseqCheckpoint::open(path)?;
        let config = TransformersConfig {
            path: path.to_owned(),
            model: checkpoint.config().clone(),
            preprocessor: Some(checkpoint.preprocessor().clone()),
        };
        Ok(Self { config, weights: checkpoint.weights(device) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PublishedEncoder;
    use crate::parity::{Reference, fixture};
    use burn::tensor::Tolerance;

    /// Another order of summation moves features of this size by less.
    const ROUNDING: f32 = 1e-5;

    #[track_caller]
    fn check(path: &Path) {
        let published = PublishedEncoder::load(path, &Device::default()).unwrap();
        let reference = Reference::read("fairseq/hubert.reference.safetensors");
        let wave: Tensor<2> = reference.floats("input.wave");
        let found = published.encoder.features(wave, 2).into_data();
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
    fn the_other_models_of_fairseq_are_read() {
        for name in ["fairseq/wavlm.pt", "fairseq/wav2vec2.pt"] {
            let published = PublishedEncoder::load(&fixture(name), &Device::default()).unwrap();
            assert_eq!(published.encoder.n_layers(), published.config.n_layers());
        }
    }

    #[test]
    fn a_folder_of_transformers_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = FairseqCheckpoint::open(&fixture("fairseq/hubert_namespace.pt")).unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), checkpoint.config().to_string()).unwrap();
        let weights = fixture("fairseq/hubert.safetensors");
        std::fs::copy(weights, folder.path().join("model.safetensors")).unwrap();
        check(folder.path());
    }

    #[test]
    fn a_folder_without_weights_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), "{}").unwrap();
        let error = PublishedFile::open(folder.path(), &Device::default()).unwrap_err();
        assert!(error.to_string().contains("pytorch_model.bin"), "{error}");
    }
}
