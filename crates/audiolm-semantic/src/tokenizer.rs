//! From a wave to semantic tokens.

use std::path::Path;

use audiolm_nn::{Precision, load_weights, save_weights};
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::folder::{CONFIG_FILE, WEIGHTS_FILE};
use crate::shared_ids::{means_of_frames, repeated};
use crate::windows::{Window, Windows};
use crate::{
    Clips, Clustering, ClusteringConfig, Encoder, EncoderConfig, FrameGeometry, SemanticError,
    SemanticTokens, TappedLayers, TokenStream, WindowConfig,
};

/// The version of `config.json` that this build writes and reads.
const VERSION: usize = 1;

/// What a [`SemanticTokenizer`] is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SemanticTokenizerConfig {
    /// The encoder up to the layer that is tapped, which is its last.
    pub encoder: EncoderConfig,
    /// Layers below it whose features stand beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<usize>,
    /// Clusters: the number of ids.
    pub n_clusters: usize,
    /// The version of this format.
    #[serde(default = "version")]
    pub version: usize,
    /// How long recordings are divided.
    #[serde(default)]
    pub windows: WindowConfig,
    /// Frames that share an id, which is that of the mean of their features: with 2, there are at most
    /// 25 ids a second of 50 frames, as in AudioLM.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub frames_per_id: usize,
}

impl Config for SemanticTokenizerConfig {}

fn version() -> usize {
    VERSION
}

fn one() -> usize {
    1
}

fn is_one(it: &usize) -> bool {
    *it == 1
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
    /// One id for each frame, and the usual windows.
    pub fn new(encoder: EncoderConfig, n_clusters: usize) -> Self {
        let (version, windows) = (VERSION, WindowConfig::new());
        Self { encoder, beside: Vec::new(), n_clusters, version, windows, frames_per_id: 1 }
    }

    /// Builds a tokenizer with fresh weights, to be filled from a file.
    ///
    /// # Errors
    /// Where the numbers describe no tokenizer.
    pub fn init(&self, device: &Device) -> Result<SemanticTokenizer, SemanticError> {
        self.checked_windows()?;
        let layers = self.layers();
        layers.validate(self.encoder.n_layers())?;
        let encoder = self.encoder.init(device)?;
        let n_features = layers.n_features(self.encoder.d_model());
        let clustering = ClusteringConfig::new(self.n_clusters, n_features).init(device);
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

    /// The layers whose features are clustered.
    pub fn layers(&self) -> TappedLayers {
        TappedLayers { top: self.encoder.n_layers(), beside: self.beside.clone() }
    }

    fn checked_windows(&self) -> Result<Windows, SemanticError> {
        match self.frames_per_id {
            0 => Err(SemanticError::NoFrameOfAnId),
            n => self.windows.of_ids(n),
        }
    }
}

impl SemanticTokenizer {
    /// Puts a trained encoder and the clusters of one of its layers, or of several side by side,
    /// together; the layers above are dropped. `config` is the encoder's.
    ///
    /// An encoder that was trained comes here by way of [`Module::valid`], so that tokenizing
    /// records no gradients.
    ///
    /// # Errors
    /// Where there is no such layer, or the clusters are of features of another width.
    pub fn new(
        config: impl Into<EncoderConfig>,
        encoder: impl Into<Encoder>,
        layers: impl Into<TappedLayers>,
        clustering: Clustering,
    ) -> Result<Self, SemanticError> {
        let (encoder, layers) = (encoder.into(), layers.into());
        layers.validate(encoder.n_layers())?;
        let expected = layers.n_features(encoder.d_model());
        let TappedLayers { top, beside } = layers;
        let tapped = config.into().truncated(top);
        let (found, n_clusters) = (clustering.n_features(), clustering.n_clusters());
        if found != expected {
            return Err(SemanticError::FeatureWidth { expected, found });
        }
        let config =
            SemanticTokenizerConfig { beside, ..SemanticTokenizerConfig::new(tapped, n_clusters) };
        Ok(Self { encoder: encoder.truncated(top), clustering, config })
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
        self.config.windows = windows;
        self.config.checked_windows()?;
        Ok(self)
    }

    /// The same tokenizer with an id for each `n` frames: clusters are best fitted to such means
    /// ([`SemanticTokenizer::features`] gives them).
    ///
    /// # Errors
    /// Where `n` is zero, or a window has no room beside its contexts.
    pub fn with_frames_per_id(mut self, n: usize) -> Result<Self, SemanticError> {
        self.config.frames_per_id = n;
        self.config.checked_windows()?;
        Ok(self)
    }

    /// A wave that comes in chunks.
    pub fn stream(&self) -> TokenStream<'_> {
        TokenStream::new(self)
    }

    /// Samples after the beginning of a frame by which a [`TokenStream`] knows its id, unless the wave
    /// ends before: those of a window, and of one id and one hop more.
    pub fn latency_samples(&self) -> usize {
        let frames = self.windows().frames() + self.config.frames_per_id + 1;
        frames * self.geometry().hop_samples
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
        let fit = longest <= self.windows().frames() && self.config.frames_per_id == 1;
        let together = !lengths.contains(&0) && fit;
        match together || clips.are_of_one_length() {
            true => self.ids_of_batch(clips, &lengths),
            false => clips.one_by_one().flat_map(|it| self.frame_ids(it)).collect(),
        }
    }

    /// What is clustered: the tapped layer's output, window by window as for the ids. Frames that
    /// share an id have their mean.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`, with at least one frame
    /// - output: `[batch, frames, n_features]`
    pub fn features(&self, wave: Tensor<2>) -> Tensor<3> {
        let n_frames = wave.dims()[1] / self.geometry().hop_samples;
        let padded = Clips::from(wave).padded(self.geometry());
        let of_window = |it: Window| {
            let means =
                self.means_of_piece(padded.within(self.geometry().samples(it.seen.clone())), &it);
            repeated(means, self.config.frames_per_id, it.kept.len())
        };
        Tensor::cat(self.windows().all(n_frames).into_iter().map(of_window).collect(), 1)
    }

    /// What the tokenizer is made of, as [`save`](Self::save) writes it.
    pub fn config(&self) -> &SemanticTokenizerConfig {
        &self.config
    }

    /// The clusters of the tapped layer's output.
    pub fn clustering(&self) -> &Clustering {
        &self.clustering
    }

    /// The layer that is tapped, the highest where there are several.
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
        for window in self.windows().all(n_frames) {
            let piece = padded.within(self.geometry().samples(window.seen.clone()));
            let found = self.ids_of_piece(piece, &window);
            for (clip, found) in ids.iter_mut().zip(found.chunks_exact(window.kept.len())) {
                clip.extend_from_slice(found);
            }
        }
        ids.iter_mut().zip(lengths).for_each(|(ids, length)| ids.truncate(*length));
        ids
    }

    /// The ids of the frames that are kept of what a window sees, clip after clip.
    pub(crate) fn ids_of_piece(&self, piece: Clips, window: &Window) -> Vec<u32> {
        let ids = self.clustering.assign(self.means_of_piece(piece, window));
        let n_ids = ids.dims()[1];
        let ids = ids.try_into_vec_as::<u32>().expect("cluster ids are small and can be read back");
        let (n, n_kept) = (self.config.frames_per_id, window.kept.len());
        let frames = |ids: &[u32]| -> Vec<u32> {
            ids.iter().flat_map(|id| std::iter::repeat_n(*id, n)).take(n_kept).collect()
        };
        ids.chunks_exact(n_ids).flat_map(frames).collect()
    }

    fn means_of_piece(&self, piece: Clips, window: &Window) -> Tensor<3> {
        let Window { seen, kept } = window;
        let features = self.config.layers().features(&self.encoder, piece);
        let kept = features.slice_dim(1, kept.start - seen.start..kept.end - seen.start);
        means_of_frames(kept, self.config.frames_per_id)
    }

    pub(crate) fn windows(&self) -> Windows {
        self.config.checked_windows().expect("checked where they were set")
    }

    /// Samples of silence before and after a wave.
    pub(crate) fn margins(&self) -> (usize, usize) {
        let FrameGeometry { window_samples, hop_samples } = self.geometry();
        let both = window_samples.saturating_sub(hop_samples);
        (both / 2, both - both / 2)
    }

    pub(crate) fn device(&self) -> Device {
        self.clustering.device()
    }
}
