//! From a wave to semantic tokens.

use std::path::Path;

use audiolm_nn::{Precision, load_weights, save_weights};
use burn::prelude::*;

use crate::folder::{CONFIG_FILE, WEIGHTS_FILE};
use crate::windows::Window;
use crate::{
    Clips, Clustering, ClusteringConfig, Encoder, EncoderConfig, FrameGeometry, SemanticError,
    SemanticTokens, WindowConfig,
};

/// The version of `config.json` that this build writes and reads.
const VERSION: usize = 1;

/// What a [`SemanticTokenizer`] is made of.
#[derive(Config, Debug, PartialEq)]
pub struct SemanticTokenizerConfig {
    /// The version of this format.
    #[config(default = 1)]
    pub version: usize,
    /// The encoder up to the layer that is tapped, which is its last.
    pub encoder: EncoderConfig,
    /// Clusters: the number of ids.
    pub n_clusters: usize,
    /// How long recordings are divided.
    #[config(default = "WindowConfig::new()")]
    pub windows: WindowConfig,
}

/// An encoder up to the layer that is tapped, and the clusters of that layer's output.
///
/// # Frames
/// A wave is surrounded by the silence of [`FrameGeometry::pad`] (for HuBERT 40 samples on each side),
/// so that `n` hops of 320 samples give exactly `n` frames, each centered on its hop: those of a codec
/// at 50 Hz. A last hop that is not whole gives none.
///
/// # Long recordings
/// A wave longer than a window of [`WindowConfig`] is encoded window by window, so that memory
/// depends on the window and not on the recording. The attention and whatever takes a mean over the
/// clip (the norm of the first convolution, that of waves, that of log-mels) then see one window
/// each, so tokens are not those of the whole wave in one piece. The
/// tests of this room find 193 of 200 frames unchanged by windows of 2 s with 0.5 s of context, but
/// for noise and random weights; the change of a trained tokenizer is to be measured with it.
/// Where windows begin depends on the length of the wave alone.
#[derive(Module, Debug)]
pub struct SemanticTokenizer {
    encoder: Encoder,
    clustering: Clustering,
    #[module(skip)]
    config: SemanticTokenizerConfig,
}

impl SemanticTokenizerConfig {
    /// Builds a tokenizer with fresh weights, to be filled from a file.
    ///
    /// # Errors
    /// Where the numbers describe no tokenizer.
    pub fn init(&self, device: &Device) -> Result<SemanticTokenizer, SemanticError> {
        self.windows.validate()?;
        let encoder = self.encoder.init(device)?;
        let clustering =
            ClusteringConfig::new(self.n_clusters, self.encoder.d_model()).init(device);
        Ok(SemanticTokenizer { encoder, clustering, config: self.clone() })
    }

    /// Reads the configuration of the folder of a tokenizer.
    ///
    /// # Errors
    /// Where the file is missing, damaged, or of another version.
    pub fn load_from(folder: &Path) -> Result<Self, SemanticError> {
        let path = &folder.join(CONFIG_FILE);
        let unreadable = |it: burn::config::ConfigError| SemanticError::ConfigFile {
            path: path.to_owned(),
            reason: it.to_string(),
        };
        let config = <Self as Config>::load(path).map_err(unreadable)?;
        match config.version {
            VERSION => Ok(config),
            found => {
                Err(SemanticError::Version { path: path.to_owned(), expected: VERSION, found })
            }
        }
    }
}

impl SemanticTokenizer {
    /// Puts a trained encoder and the clusters of its layer `layer` together; the layers above are
    /// dropped. `config` is the encoder's.
    ///
    /// An encoder that was trained comes here by way of [`Module::valid`], so that tokenizing
    /// records no gradients.
    ///
    /// # Errors
    /// Where there is no such layer, or the clusters are of features of another width.
    pub fn new(
        config: impl Into<EncoderConfig>,
        encoder: impl Into<Encoder>,
        layer: usize,
        clustering: Clustering,
    ) -> Result<Self, SemanticError> {
        let encoder = encoder.into();
        let (n_layers, expected) = (encoder.n_layers(), encoder.d_model());
        if layer > n_layers {
            return Err(SemanticError::NoSuchLayer { found: layer, n_layers });
        }
        let tapped = config.into().truncated(layer);
        let (found, n_clusters) = (clustering.n_features(), clustering.n_clusters());
        if found != expected {
            return Err(SemanticError::FeatureWidth { expected, found });
        }
        let config = SemanticTokenizerConfig::new(tapped, n_clusters);
        Ok(Self { encoder: encoder.truncated(layer), clustering, config })
    }

    /// Reads the folder that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// Where a file is missing or damaged, or the two do not belong together.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, SemanticError> {
        let config = SemanticTokenizerConfig::load_from(folder)?;
        Ok(load_weights(config.init(device)?, &folder.join(WEIGHTS_FILE))?)
    }

    /// Writes `config.json` and `model.safetensors` into an existing folder.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn save(&self, folder: &Path, precision: Precision) -> Result<(), SemanticError> {
        save_weights(self, &folder.join(WEIGHTS_FILE), precision)?;
        let path = folder.join(CONFIG_FILE);
        let saved = self.config.save(&path);
        saved.map_err(|it| SemanticError::ConfigFile { path, reason: it.to_string() })
    }

    /// The same tokenizer with other windows for long recordings.
    ///
    /// # Errors
    /// Where a window has no room beside its contexts.
    pub fn with_windows(mut self, windows: WindowConfig) -> Result<Self, SemanticError> {
        windows.validate()?;
        self.config.windows = windows;
        Ok(self)
    }

    /// The tokens of each clip.
    ///
    /// # Shapes
    /// - clips: `[batch, samples]`, waves of one length or [`Clips`] of several
    pub fn tokenize(&self, clips: impl Into<Clips>) -> Vec<SemanticTokens> {
        self.frame_ids(clips).iter().map(|it| SemanticTokens::from_frames(it)).collect()
    }

    /// The id of each frame of each clip, `samples / hop_samples` of them: those that the clip
    /// would have alone.
    ///
    /// # Shapes
    /// - clips: `[batch, samples]`, waves of one length or [`Clips`] of several
    pub fn frame_ids(&self, clips: impl Into<Clips>) -> Vec<Vec<u32>> {
        let clips = clips.into();
        let geometry = self.geometry();
        let frames = |samples: &usize| samples / geometry.hop_samples;
        let lengths: Vec<usize> = clips.lengths().iter().map(frames).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        // Clips of several lengths share a window as long as all fit into one; windows of longer
        // ones begin elsewhere in each.
        let together = !lengths.contains(&0) && longest <= self.config.windows.frames;
        match together || clips.are_of_one_length() {
            true => self.ids_of_batch(clips, &lengths),
            false => clips.one_by_one().flat_map(|it| self.frame_ids(it)).collect(),
        }
    }

    /// What is clustered: the tapped layer's output, window by window as for the ids.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`, with at least one frame
    /// - output: `[batch, frames, n_features]`
    pub fn features(&self, wave: Tensor<2>) -> Tensor<3> {
        let n_frames = wave.dims()[1] / self.geometry().hop_samples;
        let padded = Clips::from(wave).padded(self.geometry());
        let windows = self.config.windows.windows(n_frames).into_iter();
        Tensor::cat(windows.map(|it| self.features_of_window(&padded, &it)).collect(), 1)
    }

    /// What the tokenizer is made of, as [`save`](Self::save) writes it.
    pub fn config(&self) -> &SemanticTokenizerConfig {
        &self.config
    }

    /// The clusters of the tapped layer's output.
    pub fn clustering(&self) -> &Clustering {
        &self.clustering
    }

    /// The layer that is tapped.
    pub fn layer(&self) -> usize {
        self.encoder.n_layers()
    }

    /// How many frames a padded wave gives, and which samples each of them sees.
    pub fn geometry(&self) -> FrameGeometry {
        self.encoder.geometry()
    }

    /// The ids of clips that share their windows, of so many frames each.
    fn ids_of_batch(&self, clips: Clips, lengths: &[usize]) -> Vec<Vec<u32>> {
        // A clip alone is cut where its last whole frame ends: what follows has no part in its norms.
        let end = |n_frames: &usize| match *n_frames {
            0 => 0,
            n => self.geometry().samples(0..n).end,
        };
        let ends: Vec<usize> = lengths.iter().map(end).collect();
        let padded = clips.padded(self.geometry()).ended_at(&ends);
        let n_frames = lengths.iter().copied().max().unwrap_or(0);
        let mut ids = vec![Vec::with_capacity(n_frames); lengths.len()];
        for window in self.config.windows.windows(n_frames) {
            let found = self.ids_of_window(&padded, &window);
            for (clip, found) in ids.iter_mut().zip(found.chunks_exact(window.kept.len())) {
                clip.extend_from_slice(found);
            }
        }
        ids.iter_mut().zip(lengths).for_each(|(ids, length)| ids.truncate(*length));
        ids
    }

    /// The ids of the frames that are kept, clip after clip.
    fn ids_of_window(&self, clips: &Clips, window: &Window) -> Vec<u32> {
        let ids = self.clustering.assign(self.features_of_window(clips, window));
        ids.try_into_vec_as::<u32>().expect("cluster ids are small and can be read back")
    }

    fn features_of_window(&self, clips: &Clips, window: &Window) -> Tensor<3> {
        let Window { seen, kept } = window;
        let samples = self.geometry().samples(seen.clone());
        let features = self.encoder.features(clips.within(samples), self.layer());
        features.slice_dim(1, kept.start - seen.start..kept.end - seen.start)
    }
}
