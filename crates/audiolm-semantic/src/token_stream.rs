//! Ids of sound that is still coming.

use burn::prelude::*;

use crate::SemanticTokenizer;
use crate::windows::{Extent, Window};

/// A wave that comes in chunks, and the ids of its frames as soon as they are known.
///
/// Chunks of any lengths together give exactly the ids that [`SemanticTokenizer::frame_ids`] gives for
/// the whole wave, in memory for little more than a window.
///
/// # Look-ahead
/// An id is known when the window that keeps it has been heard, and that the recording goes on after
/// it: at the latest [`SemanticTokenizer::latency_samples`] after its frame began. Smaller windows, with
/// a short [`ahead_frames`](crate::WindowConfig::ahead_frames), answer sooner, and cost more.
///
/// ```
/// # use audiolm_nn::generator;
/// # use audiolm_semantic::{Clustering, SemanticTokenizer, WindowConfig, presets};
/// # use burn::prelude::*;
/// # let device = Device::default();
/// # let encoder = presets::tiny().init(&device)?;
/// # let wave = Tensor::<2>::random([1, 16_000], burn::tensor::Distribution::Default, &device);
/// # let points = encoder.features(wave, 1).flatten(0, 1);
/// # let clustering = Clustering::fit(points, 8, 10, &mut generator(0, "k-means", 0));
/// # let tokenizer = SemanticTokenizer::new(presets::tiny(), encoder, 1, clustering)?;
/// // Windows of 2 s, of which each frame sees at least 1 s before itself and 0.2 s after.
/// let windows = WindowConfig::new().with_frames(100).with_context_frames(50).with_ahead_frames(10);
/// let tokenizer = tokenizer.with_windows(windows)?;
/// let mut stream = tokenizer.stream();
/// let mut ids = Vec::new();
/// for chunk in vec![0.0; 48_000].chunks(1_000) {
///     ids.extend(stream.push(chunk));
/// }
/// ids.extend(stream.finish());
/// assert_eq!(ids.len(), 150);
/// # Ok::<(), audiolm_semantic::SemanticError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenStream<'a> {
    tokenizer: &'a SemanticTokenizer,
    /// The padded wave from its sample `start` on.
    samples: Vec<f32>,
    start: usize,
    /// Samples of the wave that have come.
    n_heard: usize,
    /// Frames whose ids are out.
    n_known: usize,
}

impl<'a> TokenStream<'a> {
    pub(crate) fn new(tokenizer: &'a SemanticTokenizer) -> Self {
        let samples = vec![0.0; tokenizer.margins().0];
        Self { tokenizer, samples, start: 0, n_heard: 0, n_known: 0 }
    }

    /// Hears more of the wave: the ids that are known now and were not before.
    pub fn push(&mut self, wave: &[f32]) -> Vec<u32> {
        self.samples.extend_from_slice(wave);
        self.n_heard += wave.len();
        let geometry = self.tokenizer.geometry();
        // The last frame of a window sees a few samples of what follows it.
        let complete = geometry.frames(self.start + self.samples.len());
        self.known(Extent::AtLeast(complete.min(self.n_heard / geometry.hop_samples)))
    }

    /// Hears that the wave has ended: the ids that are left.
    pub fn finish(mut self) -> Vec<u32> {
        self.samples.extend(vec![0.0; self.tokenizer.margins().1]);
        self.known(Extent::Exactly(self.n_heard / self.tokenizer.geometry().hop_samples))
    }

    fn known(&mut self, extent: Extent) -> Vec<u32> {
        let mut ids = Vec::new();
        while let Some(window) = self.tokenizer.windows().after(self.n_known, extent) {
            ids.extend(self.ids_of(&window));
            self.n_known = window.kept.end;
            self.forget_before(&window);
        }
        ids
    }

    fn ids_of(&self, window: &Window) -> Vec<u32> {
        let seen = self.tokenizer.geometry().samples(window.seen.clone());
        let wave = &self.samples[seen.start - self.start..seen.end - self.start];
        let wave = Tensor::<1>::from_floats(wave, &self.tokenizer.device()).unsqueeze();
        self.tokenizer.ids_of_piece(wave.into(), window)
    }

    /// No later window begins before this one.
    fn forget_before(&mut self, window: &Window) {
        let start = self.tokenizer.geometry().samples(window.seen.clone()).start;
        self.samples.drain(..start - self.start);
        self.start = start;
    }
}
