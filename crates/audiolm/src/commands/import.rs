//! `audiolm import`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use audiolm::Device;
use audiolm::nn::{Precision, save_weights};
use audiolm::pickle::TorchFile;
use audiolm::semantic::{Clustering, ClusteringConfig, PublishedEncoder, SemanticTokenizer};
use burn::config::Config;
use clap::Args;
use serde::Serialize;

use super::bundle::Width;
use crate::new_folder::NewFolder;
use crate::session::Session;

/// Convert a published encoder, or k-means, to files of ours
///
/// Reads safetensors and what PyTorch, fairseq and joblib save, and runs nothing that is in them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    /// The encoder: a folder of transformers, a checkpoint of fairseq (.pt), or a name on Hugging
    /// Face such as facebook/hubert-base-ls960; or k-means of scikit-learn alone
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The result, a new folder
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// K-means of the encoder's features, as scikit-learn and joblib save it: makes a semantic
    /// tokenizer of both
    #[arg(long, value_name = "FILE", requires = "layer")]
    kmeans: Option<PathBuf>,
    /// The layer whose output the k-means was fitted to, counted from 1; 0 is what enters the first
    #[arg(long, value_name = "N", requires = "kmeans")]
    layer: Option<usize>,
    /// How wide the weights are
    #[arg(long, value_enum, default_value_t = Width::Full)]
    precision: Width,
}

const EXAMPLES: &str = "\
Examples:
  audiolm import facebook/hubert-base-ls960 -o hubert
  audiolm import hubert_base_ls960.pt -o hubert
  audiolm import hubert_base_ls960.pt --kmeans km500.bin --layer 9 -o semantic-tokenizer
  audiolm tokenize hello.flac --tokenizer semantic-tokenizer
  audiolm import km500.bin -o clusters";

/// What was made.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Made {
    Encoder { output: PathBuf, layers: usize, features: usize },
    Tokenizer { output: PathBuf, layer: usize, features: usize, clusters: usize },
    Clustering { output: PathBuf, features: usize, clusters: usize },
}

impl ImportArgs {
    /// Converts.
    pub fn run(&self, session: &Session) -> Result<()> {
        let folder = NewFolder::create(&self.output)?;
        let source = session.published(&self.source)?;
        let device = session.device()?;
        let made = match (&self.kmeans, self.layer) {
            (Some(kmeans), Some(layer)) => {
                self.tokenizer(&source, (kmeans, layer), folder.path(), &device)?
            }
            _ if is_clustering(&source)? => self.clustering(&source, folder.path(), &device)?,
            _ => self.encoder(&source, folder.path(), &device)?,
        };
        folder.keep()?;
        session.print(&made)
    }

    fn encoder(&self, source: &Path, folder: &Path, device: &Device) -> Result<Made> {
        let PublishedEncoder { config, encoder } = PublishedEncoder::load(source, device)?;
        config.save(folder.join("config.json"))?;
        self.save(&encoder, folder)?;
        let (layers, features) = (encoder.n_layers(), encoder.d_model());
        Ok(Made::Encoder { output: self.output.clone(), layers, features })
    }

    fn tokenizer(
        &self,
        source: &Path,
        (kmeans, layer): (&Path, usize),
        folder: &Path,
        device: &Device,
    ) -> Result<Made> {
        let clustering = Clustering::load_joblib(kmeans, device)?;
        let PublishedEncoder { config, encoder } = PublishedEncoder::load(source, device)?;
        let (features, clusters) = (encoder.d_model(), clustering.n_clusters());
        let tokenizer = SemanticTokenizer::new(&config, encoder, layer, clustering)?;
        tokenizer.save(folder, self.precision.into())?;
        Ok(Made::Tokenizer { output: self.output.clone(), layer, features, clusters })
    }

    fn clustering(&self, source: &Path, folder: &Path, device: &Device) -> Result<Made> {
        let clustering = Clustering::load_joblib(source, device)?;
        let (clusters, features) = (clustering.n_clusters(), clustering.n_features());
        ClusteringConfig::new(clusters, features).save(folder.join("config.json"))?;
        self.save(&clustering, folder)?;
        Ok(Made::Clustering { output: self.output.clone(), features, clusters })
    }

    fn save<M: burn::module::Module>(&self, module: &M, folder: &Path) -> Result<()> {
        let precision: Precision = self.precision.into();
        Ok(save_weights(module, &folder.join("model.safetensors"), precision)?)
    }
}

/// Whether a source is a file that PyTorch has not written: encoders come from PyTorch alone.
fn is_clustering(source: &Path) -> Result<bool> {
    let is_safetensors = source.extension().is_some_and(|it| it == "safetensors");
    ensure!(
        !is_safetensors,
        "{}: expected the folder of the model, with its config.json",
        source.display()
    );
    Ok(source.is_file() && !TorchFile::is_one(source)?)
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder { output, layers, features } => {
                write!(f, "{}: encoder, {layers} layers, {features} features", output.display())
            }
            Self::Tokenizer { output, layer, features, clusters } => write!(
                f,
                "{}: semantic tokenizer, {clusters} clusters of the {features} features of layer \
                 {layer}",
                output.display()
            ),
            Self::Clustering { output, features, clusters } => {
                write!(f, "{}: {clusters} clusters of {features} features", output.display())
            }
        }
    }
}
