//! What becomes of a decoded wave before anyone hears it, block by block.

use crate::colour::{Colour, ColourStream};
use crate::heard::{Heard, unlevelled};
use crate::seam;

/// A decoded wave on its way to the listener. However it is cut, what comes out is the same to the
/// last bit.
pub(crate) enum Finishing {
    /// As loud as a recording that was multiplied with this.
    Level(f32),
    /// As what follows a recording.
    Continued(Box<Continued>),
}

/// What is heard of a recording before what follows it.
enum Start {
    /// The recording itself.
    Kept,
    /// Nothing, and what follows is as loud as another one that was multiplied with this.
    Dropped { gain: f32 },
}

/// What the codec made of a recording and what follows it, on its way to the recording itself and what
/// follows in its colour.
pub(crate) struct Continued {
    recording: Heard,
    start: Start,
    /// The copy of the recording, until it is whole: its colour is learnt from all of it.
    copy: Vec<f32>,
    colour: Option<ColourStream>,
    n_given: usize,
}

impl Finishing {
    /// Takes samples, and gives those that are done.
    pub(crate) fn push(&mut self, wave: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Level(gain) => unlevelled(wave, *gain),
            Self::Continued(continued) => continued.push(wave),
        }
    }

    /// Gives what is left.
    pub(crate) fn finish(self) -> Vec<f32> {
        match self {
            Self::Level(_) => Vec::new(),
            Self::Continued(continued) => continued.finish(),
        }
    }
}

impl Continued {
    pub(crate) fn new(recording: Heard) -> Self {
        Self { recording, start: Start::Kept, copy: Vec::new(), colour: None, n_given: 0 }
    }

    /// Without the recording, as loud as another one that was multiplied with `gain`.
    pub(crate) fn without(recording: Heard, gain: f32) -> Self {
        Self { start: Start::Dropped { gain }, ..Self::new(recording) }
    }

    fn push(&mut self, wave: Vec<f32>) -> Vec<f32> {
        let coloured = match &mut self.colour {
            Some(colour) => colour.push(&wave),
            None => {
                self.copy.extend(wave);
                if self.copy.len() < self.recording.clip.samples.len() {
                    return Vec::new();
                }
                self.learn_colour()
            }
        };
        self.joined(coloured)
    }

    fn finish(mut self) -> Vec<f32> {
        let mut rest = match self.colour {
            Some(_) => Vec::new(),
            None => self.learn_colour(),
        };
        rest.extend(self.colour.take().map_or(Vec::new(), ColourStream::finish));
        self.joined(rest)
    }

    /// Gives the copy, as far as it has come through the filter that it tells of.
    fn learn_colour(&mut self) -> Vec<f32> {
        let copy = std::mem::take(&mut self.copy);
        let recording = self.recording.levelled();
        let same = &copy[..recording.len().min(copy.len())];
        let colour = Colour::between(same, &recording, self.recording.clip.sample_rate_hz);
        self.colour.insert(colour.into_stream()).push(&copy)
    }

    fn joined(&mut self, coloured: Vec<f32>) -> Vec<f32> {
        let (n_recorded, first) = (self.recording.clip.samples.len(), self.n_given);
        self.n_given += coloured.len();
        match self.start {
            Start::Kept => {
                let mut block = self.recording.unlevelled(coloured);
                seam::keep_start(&mut block, first, &self.recording.clip);
                block
            }
            Start::Dropped { gain } => {
                let n_dropped = n_recorded.saturating_sub(first).min(coloured.len());
                unlevelled(coloured[n_dropped..].to_vec(), gain)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heard::Rate;
    use audiolm_audio::Clip;
    use proptest::prelude::*;

    /// A second of a hum.
    fn recording() -> Heard {
        let hum = |n: usize| (n as f32 * 0.3).sin() + 0.1 * (n as f32 * 2.5).sin();
        let samples: Vec<f32> = (0..16_000).map(|n| 0.2 * hum(n)).collect();
        let rate = Rate { sample_rate_hz: 16_000, hop_samples: 320 };
        Heard::new(&Clip { samples, sample_rate_hz: 16_000 }, 1.0, rate).unwrap()
    }

    /// A copy of it, and as much again, at half the loudness.
    fn decoded() -> Vec<f32> {
        let halved: Vec<f32> = recording().levelled().iter().map(|it| 0.5 * it).collect();
        halved.repeat(2)
    }

    fn continued(blocks: &[usize]) -> Vec<f32> {
        let mut stream = Continued::new(recording());
        let (mut done, mut left) = (Vec::new(), decoded());
        for block in blocks.iter().cycle() {
            let later = left.split_off(left.len().min(*block));
            done.extend(stream.push(left));
            left = later;
            if left.is_empty() {
                break;
            }
        }
        done.extend(stream.finish());
        done
    }

    #[test]
    fn what_follows_has_the_colour_of_the_recording() {
        let (continued, recording) = (continued(&[32_000]), recording().clip.samples);
        assert_eq!(continued[..15_000], recording[..15_000]);
        let follows = &continued[17_000..31_000];
        let power = |wave: &[f32]| wave.iter().map(|it| it * it).sum::<f32>();
        let ratio = power(follows) / power(&recording[1000..15_000]);
        assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_stream_is_the_whole_to_the_bit_however_it_is_cut(
            blocks in prop::collection::vec(1..9000usize, 1..5),
        ) {
            prop_assert!(continued(&blocks) == continued(&[32_000]));
        }
    }

    #[test]
    fn a_wave_that_is_too_short_is_finished_too() {
        let mut stream = Continued::new(recording());
        assert!(stream.push(decoded()[..9000].to_vec()).is_empty());
        assert_eq!(stream.finish().len(), 9000);
    }
}
