//! Clips side by side, and which of their frames are theirs.

use std::ops::Range;

use burn::prelude::*;

use crate::FrameGeometry;

/// Keeps a silent clip from being divided by its deviation.
const SMALLEST_VARIANCE: f64 = 1e-7;

/// Waves of one batch, of one length or of several.
///
/// The shorter ones are followed by samples that nobody looks at. Each clip gives what it would
/// give alone, and then frames that mean nothing.
#[derive(Debug, Clone)]
pub struct Clips {
    /// `[batch, samples]`
    wave: Tensor<2>,
    /// Samples of each clip, where they differ.
    lengths: Option<Vec<usize>>,
}

/// Which frames belong to the clips of a batch; where there is none, all do.
#[derive(Debug, Clone)]
pub(crate) struct FrameMask {
    /// `true` where a frame is the clip's: `[batch, time]`
    own: Tensor<2, Bool>,
    /// Frames of each clip: `[batch, 1, 1]`
    counts: Tensor<3>,
}

impl From<Tensor<2>> for Clips {
    /// Clips of one length.
    fn from(wave: Tensor<2>) -> Self {
        Self { wave, lengths: None }
    }
}

impl Clips {
    /// Clips of their own lengths, in samples.
    ///
    /// # Shapes
    /// - wave: `[batch, samples]`, with as many lengths as clips, none greater than `samples`
    ///
    /// # Panics
    /// On any other shape.
    pub fn of_lengths(wave: Tensor<2>, lengths: &[usize]) -> Self {
        let [batch, samples] = wave.dims();
        assert_eq!(batch, lengths.len(), "each clip needs a length");
        assert!(lengths.iter().all(|it| *it <= samples), "{lengths:?} of {samples} samples");
        let differ = lengths.iter().any(|it| *it < samples);
        Self { wave, lengths: differ.then(|| lengths.to_vec()) }
    }

    /// Samples of each clip.
    pub fn lengths(&self) -> Vec<usize> {
        let [batch, samples] = self.wave.dims();
        self.lengths.clone().unwrap_or_else(|| vec![samples; batch])
    }

    /// `[batch, samples]`
    pub fn wave(&self) -> &Tensor<2> {
        &self.wave
    }

    /// Whether no clip is shorter than another.
    pub(crate) fn are_of_one_length(&self) -> bool {
        self.lengths.is_none()
    }

    /// Each clip by itself, without what follows it.
    pub(crate) fn one_by_one(&self) -> impl Iterator<Item = Clips> {
        let alone = |(row, length)| self.wave.clone().narrow(0, row, 1).slice_dim(1, ..length);
        self.lengths().into_iter().enumerate().map(alone).map(Clips::from)
    }

    /// What lies within a range of samples of each clip.
    pub(crate) fn within(&self, samples: Range<usize>) -> Self {
        let wave = self.wave.clone().slice_dim(1, samples.clone());
        let within = |it: &usize| it.clamp(&samples.start, &samples.end) - samples.start;
        let lengths = self.lengths.as_ref().map(|it| it.iter().map(within).collect());
        Self { wave, lengths }
    }

    /// The same clips with zeros where a clip has ended.
    pub(crate) fn ended_by_silence(self) -> Self {
        match FrameMask::new(self.lengths.as_deref(), &self.wave) {
            None => self,
            Some(mask) => {
                let wave = mask.silenced(self.wave.unsqueeze_dim(2)).squeeze_dim(2);
                Self { wave, ..self }
            }
        }
    }

    /// Each clip surrounded by the silence of [`FrameGeometry::pad`].
    pub(crate) fn padded(self, geometry: FrameGeometry) -> Self {
        let Self { wave, lengths } = self.ended_by_silence();
        let before = wave.dims()[1];
        let wave = geometry.pad(wave);
        let margins = wave.dims()[1] - before;
        let lengths = lengths.map(|it| it.into_iter().map(|length| length + margins).collect());
        Self { wave, lengths }
    }

    /// Each clip without what lies behind its end of `ends`, in samples.
    pub(crate) fn ended_at(self, ends: &[usize]) -> Self {
        let sooner = |(length, end): (usize, &usize)| length.min(*end);
        let lengths = self.lengths.map(|it| it.into_iter().zip(ends).map(sooner).collect());
        Self { lengths, ..self }
    }

    /// Each clip brought to zero mean and unit variance over its own samples.
    pub(crate) fn of_unit_variance(self) -> Self {
        let mask = FrameMask::new(self.lengths.as_deref(), &self.wave);
        let mean = |it: Tensor<3>| match &mask {
            Some(mask) => mask.mean(it),
            None => it.mean_dim(1),
        };
        let wave: Tensor<3> = self.wave.unsqueeze_dim(2);
        let centered = wave.clone() - mean(wave);
        let variance = mean(centered.clone().square());
        let wave = (centered / (variance + SMALLEST_VARIANCE).sqrt()).squeeze_dim(2);
        Self { wave, lengths: self.lengths }
    }

    /// Which frames of features are the clips', as layers of `geometry` divide the waves.
    ///
    /// # Panics
    /// Where a clip is too short for one frame.
    pub(crate) fn mask(&self, geometry: FrameGeometry) -> Option<FrameMask> {
        let lengths = self.lengths.as_ref()?;
        let frames: Vec<usize> = lengths.iter().map(|it| geometry.frames(*it)).collect();
        assert!(frames.iter().all(|it| *it > 0), "{lengths:?} samples: too short for a frame");
        let time = geometry.frames(self.wave.dims()[1]);
        Some(FrameMask::of_counts(&frames, time, &self.wave.device()))
    }
}

impl FrameMask {
    fn new(lengths: Option<&[usize]>, wave: &Tensor<2>) -> Option<Self> {
        lengths.map(|it| Self::of_counts(it, wave.dims()[1], &wave.device()))
    }

    /// So many frames of each clip, of `time` in all.
    pub(crate) fn of_counts(frames: &[usize], time: usize, device: &Device) -> Self {
        let batch = frames.len();
        let own: Vec<bool> =
            frames.iter().flat_map(|own| (0..time).map(move |it| it < *own)).collect();
        let counts: Vec<f32> = frames.iter().map(|it| *it as f32).collect();
        Self {
            own: Tensor::from_data(TensorData::new(own, [batch, time]), device),
            counts: Tensor::from_data(TensorData::new(counts, [batch, 1, 1]), device),
        }
    }

    /// The mean over each clip's own frames: `[batch, time, channels]` to `[batch, 1, channels]`.
    pub(crate) fn mean(&self, features: Tensor<3>) -> Tensor<3> {
        self.silenced(features).sum_dim(1) / self.counts.clone()
    }

    /// The mean square over each clip's own frames, of which one is subtracted: what turns it into
    /// the unbiased variance of features whose mean is zero.
    pub(crate) fn unbiased_variance(&self, centered: Tensor<3>) -> Tensor<3> {
        let squares = self.silenced(centered.square()).sum_dim(1);
        squares / (self.counts.clone() - 1.0).clamp_min(1.0)
    }

    /// The same features, zero beyond each clip's end: `[batch, time, channels]`.
    pub(crate) fn silenced(&self, features: Tensor<3>) -> Tensor<3> {
        let shape = features.dims();
        let beyond = self.own.clone().bool_not().unsqueeze_dim::<3>(2).expand(shape);
        features.mask_fill(beyond, 0.0)
    }

    /// What is added to scores, so that no frame attends to one beyond its clip's end:
    /// `[batch, 1, 1, time]`.
    pub(crate) fn bias(&self) -> Tensor<4> {
        let [batch, time] = self.own.dims();
        let zeros = Tensor::<2>::zeros([batch, time], &self.own.device());
        let bias = zeros.mask_fill(self.own.clone().bool_not(), f32::NEG_INFINITY);
        bias.reshape([batch, 1, 1, time])
    }
}
