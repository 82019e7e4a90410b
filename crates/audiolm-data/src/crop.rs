//! Which parts of which recordings a step trains on.

use rand_chacha::rand_core::Rng;

use crate::hash::generator;

/// The name of the stream of randomness that crops are drawn from.
const STREAM: &str = "crops";

/// A part of a recording, in the unit of the lengths given to the sampler: samples or frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Index of the recording.
    pub recording: usize,
    /// Where the crop starts in it.
    pub start: usize,
    /// Its length: that of all crops, or of the whole recording where that is shorter.
    pub length: usize,
}

/// Draws crops: a recording in proportion to its length, then a position in it.
///
/// So every part of the sound is heard about as often, whatever the lengths of the recordings it
/// came in. Drawing uniformly over positions instead would all but leave out the recordings that
/// are shorter than a crop, and with them most beginnings and endings.
///
/// The crops of a step depend on nothing but the seed and the number of the step: there is no
/// state, so a run resumes where it stopped by knowing its step. The mapping is the same on every
/// platform.
///
/// ```
/// use audiolm_data::CropSampler;
///
/// let sampler = CropSampler::new(&[48_000, 9_000, 160_000], 16_000).with_hop(320);
/// let batch = sampler.batch(1, 0, 4);
/// assert_eq!(batch, sampler.batch(1, 0, 4));
/// assert!(batch.iter().all(|it| it.start % 320 == 0));
/// assert!(batch.iter().all(|it| it.length == if it.recording == 1 { 9_000 } else { 16_000 }));
/// ```
#[derive(Debug, Clone)]
pub struct CropSampler {
    lengths: Vec<usize>,
    crop_length: usize,
    hop: usize,
    /// For each recording, its length and that of all before it.
    ends: Vec<u64>,
}

impl CropSampler {
    /// A sampler over recordings of these lengths. An empty recording is never drawn.
    ///
    /// # Panics
    /// When `crop_length` is zero, or no recording has a length above zero.
    pub fn new(lengths: &[usize], crop_length: usize) -> Self {
        assert!(crop_length > 0, "a crop needs a length");
        assert!(lengths.iter().any(|it| *it > 0), "there is nothing to crop");
        let running = |total: &mut u64, length: &usize| {
            *total += *length as u64;
            Some(*total)
        };
        let ends = lengths.iter().scan(0, running).collect();
        Self { lengths: lengths.to_vec(), crop_length, hop: 1, ends }
    }

    /// Lets crops start at multiples of `hop` only.
    ///
    /// # Panics
    /// When `hop` is zero.
    pub fn with_hop(self, hop: usize) -> Self {
        assert!(hop > 0, "a hop needs a length");
        Self { hop, ..self }
    }

    /// The crops of one step.
    pub fn batch(&self, seed: u64, step: u64, size: usize) -> Vec<Crop> {
        let mut generator = generator(seed, STREAM, step);
        (0..size).map(|_| self.draw(&mut generator)).collect()
    }

    fn draw(&self, generator: &mut impl Rng) -> Crop {
        let point = below(generator, self.ends.last().copied().unwrap_or(0));
        let recording = self.ends.partition_point(|it| *it <= point);
        let length = self.crop_length.min(self.lengths[recording]);
        let n_positions = (self.lengths[recording] - length) / self.hop + 1;
        let start = below(generator, n_positions as u64) as usize * self.hop;
        Crop { recording, start, length }
    }
}

/// A number below `bound`: the high half of a product, whose bias, `bound` / 2^64, is nothing here
/// (Lemire 2019). Written out so that no release of a library changes what a seed means.
fn below(generator: &mut impl Rng, bound: u64) -> u64 {
    ((u128::from(generator.next_u64()) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn crops_stay_inside(
            lengths in prop::collection::vec(0usize..500, 1..8),
            crop_length in 1usize..300,
            hop in 1usize..50,
            seed in any::<u64>(),
        ) {
            prop_assume!(lengths.iter().any(|it| *it > 0));
            let sampler = CropSampler::new(&lengths, crop_length).with_hop(hop);
            for crop in sampler.batch(seed, 7, 16) {
                let whole = lengths[crop.recording];
                prop_assert!(crop.length > 0);
                prop_assert!(crop.start + crop.length <= whole);
                prop_assert_eq!(crop.length, crop_length.min(whole));
                prop_assert_eq!(crop.start % hop, 0);
            }
        }
    }

    #[test]
    fn a_batch_is_a_function_of_seed_and_step() {
        let sampler = CropSampler::new(&[100_000, 200_000], 1_000);
        assert_eq!(sampler.batch(3, 4, 8), sampler.batch(3, 4, 8));
        assert_ne!(sampler.batch(3, 4, 8), sampler.batch(3, 5, 8));
        assert_ne!(sampler.batch(3, 4, 8), sampler.batch(4, 4, 8));
        assert_eq!(sampler.batch(3, 4, 2), sampler.batch(3, 4, 8)[..2]);
    }

    #[test]
    fn the_mapping_is_pinned() {
        let sampler = CropSampler::new(&[48_000, 9_000, 160_000], 16_000).with_hop(320);
        let crops = [(0, 0), (0, 1), (1, 0)].map(|(seed, step)| sampler.batch(seed, step, 2));
        let pairs =
            crops.map(|it| it.iter().map(|it| (it.recording, it.start)).collect::<Vec<_>>());
        let expected =
            [[(2, 118_080), (0, 7_040)], [(0, 25_280), (0, 24_320)], [(2, 36_800), (2, 92_160)]];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn recordings_are_heard_in_proportion_to_their_lengths() {
        let sampler = CropSampler::new(&[1_000, 3_000, 50, 0], 100);
        let mut counts = [0; 4];
        for step in 0..506 {
            sampler.batch(1, step, 16).iter().for_each(|it| counts[it.recording] += 1);
        }
        let expected = [2_000, 5_997, 100, 0];
        for (count, expected) in counts.into_iter().zip(expected) {
            assert!(i32::abs(count - expected) <= 150, "{counts:?}");
        }
        assert!(counts[2] > 50, "{counts:?}");
    }

    #[test]
    fn starts_are_uniform_up_to_the_last_that_fits() {
        let sampler = CropSampler::new(&[103], 100);
        let mut counts = [0; 4];
        for step in 0..250 {
            sampler.batch(1, step, 16).iter().for_each(|it| counts[it.start] += 1);
        }
        assert!(counts.iter().all(|it| (900..1_100).contains(it)), "{counts:?}");
    }

    #[test]
    fn every_position_is_drawn() {
        let sampler = CropSampler::new(&[13, 3, 9], 4).with_hop(3);
        let mut found: Vec<_> = (0..200)
            .flat_map(|step| sampler.batch(0, step, 1))
            .map(|it| (it.recording, it.start, it.length))
            .collect();
        found.sort_unstable();
        found.dedup();
        let expected =
            [(0, 0, 4), (0, 3, 4), (0, 6, 4), (0, 9, 4), (1, 0, 3), (2, 0, 4), (2, 3, 4)];
        assert_eq!(found, expected);
    }
}
