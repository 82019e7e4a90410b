//! What is hidden of the codes of a clip (SoundStorm, sections 3.2 and 3.3).
//!
//! ```text
//!              prompt │ the rest
//!   level 1    ■ ■ ■  │ ■ ■ ■ ■ ■     coarser levels are seen
//!   level 2    ■ ■ ■  │ ■ ? ? ■ ?     the level q: what is hidden of it is predicted
//!   level 3    ■ ■ ■  │ ░ ░ ░ ░ ░     finer levels are hidden
//! ```
//!
//! Training draws such a mask for each clip; decoding goes through them, from all hidden of the first
//! level to nothing hidden of the last. So the model never reads in one what it has not learnt in
//! the other.

use std::f64::consts::FRAC_PI_2;
use std::ops::Range;

use audiolm_nn::Generator;
use rand::RngExt;

use crate::layout::CodeLayout;

/// What is hidden of the codes of a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    level: usize,
    /// From the end of the prompt to the end of the clip.
    rest: Range<usize>,
    /// The frames whose code of the level is hidden, in order.
    hidden: Vec<usize>,
}

impl Mask {
    /// Hides of a clip what training hides: the end of the prompt and the level are drawn
    /// uniformly, and each code of that level after the prompt is hidden with probability cos(u), u
    /// uniform in [0, π/2].
    pub fn draw(layout: CodeLayout, n_frames: usize, rng: &mut Generator) -> Self {
        let prompt = if n_frames == 0 { 0 } else { rng.random_range(0..n_frames) };
        let level = rng.random_range(0..layout.n_quantizers());
        let share = (rng.random::<f64>() * FRAC_PI_2).cos();
        let rest = prompt..n_frames;
        let hidden = rest.clone().filter(|_| rng.random::<f64>() < share).collect();
        Self { level, rest, hidden }
    }

    /// Hides all of a level, and of those finer than it, in the frames of `rest`, which end the clip.
    pub fn of_level(level: usize, rest: Range<usize>) -> Self {
        Self { level, hidden: rest.clone().collect(), rest }
    }

    /// The level that is predicted, from 0.
    pub fn level(&self) -> usize {
        self.level
    }

    /// How many frames the clip has.
    pub fn n_frames(&self) -> usize {
        self.rest.end
    }

    /// The frames whose code of the level is hidden, in order.
    pub fn hidden(&self) -> &[usize] {
        &self.hidden
    }

    /// Shows the code of the level in some frames.
    pub(crate) fn reveal(&mut self, frames: &[usize]) {
        self.hidden.retain(|it| !frames.contains(it));
    }

    /// Whether each code of the clip is hidden, row-major.
    pub(crate) fn flags(&self, n_levels: usize) -> Vec<bool> {
        let mut flags = vec![false; self.n_frames() * n_levels];
        for frame in self.rest.clone() {
            flags[frame * n_levels..][self.level + 1..n_levels].fill(true);
        }
        for frame in &self.hidden {
            flags[frame * n_levels + self.level] = true;
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;
    use proptest::prelude::*;

    fn layout(n_levels: usize) -> CodeLayout {
        CodeLayout::new(n_levels, 8).unwrap()
    }

    proptest! {
        #[test]
        fn a_prompt_is_seen_and_finer_levels_are_hidden(
            n_levels in 1..5usize, n_frames in 1..30usize, seed: u64,
        ) {
            let mask = Mask::draw(layout(n_levels), n_frames, &mut generator(seed, "test", 0));
            prop_assert!(mask.level < n_levels && mask.rest.start < n_frames);
            let flags = mask.flags(n_levels);
            for (at, is_hidden) in flags.into_iter().enumerate() {
                let (frame, level) = (at / n_levels, at % n_levels);
                let expected = match level.cmp(&mask.level) {
                    std::cmp::Ordering::Less => false,
                    std::cmp::Ordering::Equal => mask.hidden.contains(&frame),
                    std::cmp::Ordering::Greater => frame >= mask.rest.start,
                };
                prop_assert_eq!(is_hidden, expected);
            }
            prop_assert!(mask.hidden.iter().all(|it| mask.rest.contains(it)));
            prop_assert!(mask.hidden.is_sorted());
        }
    }

    #[test]
    fn levels_and_shares_are_those_of_the_paper() {
        const DRAWS: u64 = 4000;
        let (mut of_level, mut hidden, mut rest) = ([0; 4], 0, 0);
        for step in 0..DRAWS {
            let mask = Mask::draw(layout(4), 50, &mut generator(1, "test", step));
            of_level[mask.level] += 1;
            hidden += mask.hidden.len();
            rest += mask.rest.len();
        }
        assert!(of_level.iter().all(|it| (900..1100).contains(it)), "{of_level:?}");
        // The mean of the cosine over a quarter of its period is 2/π; that of the rest half a clip.
        let share = f64::from(hidden as u32) / f64::from(rest as u32);
        assert!((share - std::f64::consts::FRAC_2_PI).abs() < 0.02, "{share}");
        let rest = f64::from(rest as u32) / (DRAWS as f64 * 50.0);
        assert!((rest - 0.51).abs() < 0.02, "{rest}");
    }

    #[test]
    fn what_is_revealed_is_no_longer_hidden() {
        let mut mask = Mask::of_level(1, 2..6);
        mask.reveal(&[4, 2]);
        assert_eq!((mask.hidden(), mask.level(), mask.n_frames()), (&[3, 5][..], 1, 6));
    }

    #[test]
    fn a_clip_of_no_frames_has_nothing_to_hide() {
        let mask = Mask::draw(layout(2), 0, &mut generator(1, "test", 0));
        assert_eq!(mask.hidden(), &[] as &[usize]);
    }
}
