//! What has arrived of a stream and is not used up.

use burn::prelude::*;
use burn::tensor::kind::Basic;

/// Input that waits until there is enough of it.
#[derive(Debug, Clone)]
pub(crate) struct Pending<K: Basic> {
    held: Option<Tensor<3, K>>,
    /// What is used at once is a multiple of this.
    unit: usize,
    /// What has to be there before anything is used.
    least: usize,
}

/// The frames to either side that a codec which looks ahead sees with each frame.
#[derive(Debug, Clone)]
pub(crate) struct Overlap<K: Basic> {
    seen: Option<Tensor<3, K>>,
    /// Frames at the start of `seen` that are done with, and kept as what others see.
    past: usize,
    /// Frames that each frame sees to either side.
    reach: usize,
    /// How long a frame is.
    unit: usize,
}

/// A part of a stream, with what its frames see.
#[derive(Debug)]
pub(crate) struct Window<K: Basic> {
    pub(crate) seen: Tensor<3, K>,
    /// The frames of it that are new and see all they can.
    pub(crate) frames: std::ops::Range<usize>,
}

impl<K: Basic> Pending<K> {
    pub(crate) fn new(unit: usize, least_units: usize) -> Self {
        Self { held: None, unit, least: unit * least_units }
    }

    /// As much as can be used now, in whole units.
    pub(crate) fn with(&mut self, chunk: Tensor<3, K>) -> Option<Tensor<3, K>> {
        let held = followed_by(self.held.take(), chunk);
        let [_, _, time] = held.dims();
        let ready = if time < self.least { 0 } else { time - time % self.unit };
        if ready == 0 {
            self.held = Some(held);
            return None;
        }
        self.least = self.unit;
        self.held = (ready < time).then(|| held.clone().slice_dim(2, ready..));
        Some(held.slice_dim(2, ..ready))
    }

    /// What is left at the end.
    pub(crate) fn rest(self) -> Option<Tensor<3, K>> {
        self.held
    }
}

impl<K: Basic> Overlap<K> {
    pub(crate) fn new(unit: usize, reach: usize) -> Self {
        Self { seen: None, past: 0, reach, unit }
    }

    /// The frames that see as far ahead as they have to, once `chunk` has arrived.
    pub(crate) fn with(&mut self, chunk: Tensor<3, K>) -> Option<Window<K>> {
        let seen = followed_by(self.seen.take(), chunk);
        let end = (seen.dims()[2] / self.unit).saturating_sub(self.reach);
        if end <= self.past {
            self.seen = Some(seen);
            return None;
        }
        let start = end.saturating_sub(self.reach);
        self.seen = Some(seen.clone().slice_dim(2, start * self.unit..));
        let frames = self.past..end;
        self.past = end - start;
        Some(Window { seen, frames })
    }

    /// The frames that are left at the end.
    pub(crate) fn rest(self) -> Option<Window<K>> {
        let seen = self.seen?;
        let frames = self.past..seen.dims()[2] / self.unit;
        (!frames.is_empty()).then_some(Window { seen, frames })
    }
}

fn followed_by<K: Basic>(past: Option<Tensor<3, K>>, chunk: Tensor<3, K>) -> Tensor<3, K> {
    match past {
        None => chunk,
        Some(past) => Tensor::cat(vec![past, chunk], 2),
    }
}
