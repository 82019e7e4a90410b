//! Orders in which the codes of several quantizers can be predicted (Copet et al. 2023, "MusicGen", arXiv
//! 2306.05284, section 2.2 and figure 1).
//!
//! ```text
//!   row-major              delay            parallel
//!   1 · 2 · 3 ·            1 2 3 ·          1 2 3
//!   · 1 · 2 · 3            · 1 2 3          1 2 3
//! ```
//!
//! Each column is a step, each line a quantizer, each number a frame. AudioLM's stages flatten row-major: a code
//! knows all that it depends on, for Q steps a frame. The others take about one step a frame, and predict some
//! codes that depend on one another at once.

use crate::error::TokenError;
use crate::layout::CodeLayout;

/// An order in which codes are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodePattern {
    /// One code a step: every quantizer of a frame, then the next frame (MusicGen's "flattening").
    RowMajor,
    /// A code of every quantizer a step, each one frame behind the quantizer before it.
    Delay,
    /// All codes of a frame in one step.
    Parallel,
}

impl CodePattern {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RowMajor, Self::Delay, Self::Parallel];

    /// The step that predicts the code of a quantizer in a frame, all from 0.
    pub fn step(self, layout: CodeLayout, frame: usize, quantizer: usize) -> usize {
        match self {
            Self::RowMajor => frame * layout.n_quantizers() + quantizer,
            Self::Delay => frame + quantizer,
            Self::Parallel => frame,
        }
    }

    /// How many steps so many frames take.
    pub fn n_steps(self, layout: CodeLayout, n_frames: usize) -> usize {
        match n_frames.checked_sub(1) {
            Some(last) => self.step(layout, last, layout.n_quantizers() - 1) + 1,
            None => 0,
        }
    }

    /// How many frames so many steps are.
    fn n_frames(self, layout: CodeLayout, n_steps: usize) -> Result<usize, TokenError> {
        let n_frames = match self {
            Self::RowMajor => n_steps / layout.n_quantizers(),
            Self::Delay => (n_steps + 1).saturating_sub(layout.n_quantizers()),
            Self::Parallel => n_steps,
        };
        match self.n_steps(layout, n_frames) == n_steps {
            true => Ok(n_frames),
            false => Err(TokenError::PartialPattern { pattern: self, n_steps }),
        }
    }
}

impl CodeLayout {
    /// Row-major codes as a pattern predicts them: of every step one place for each quantizer,
    /// `[step][quantizer]`, none where nothing is predicted.
    ///
    /// # Errors
    /// Where the codes are none, or no whole frames.
    pub fn arrange(
        &self,
        codes: &[u32],
        pattern: CodePattern,
    ) -> Result<Vec<Option<u32>>, TokenError> {
        let width = self.n_quantizers();
        let n_steps = pattern.n_steps(*self, self.n_frames(codes)?);
        let mut places = vec![None; n_steps * width];
        for (at, code) in codes.iter().enumerate() {
            places[self.place(pattern, at)] = Some(*code);
        }
        Ok(places)
    }

    /// The inverse of [`arrange`](Self::arrange): row-major codes.
    ///
    /// # Errors
    /// Where the steps are no whole frames, a place is empty that has a code, or the other way round.
    pub fn rearrange(
        &self,
        places: &[Option<u32>],
        pattern: CodePattern,
    ) -> Result<Vec<u32>, TokenError> {
        let width = self.n_quantizers();
        if !places.len().is_multiple_of(width) {
            return Err(TokenError::PartialFrame { codes: places.len(), per_frame: width });
        }
        let n_codes = width * pattern.n_frames(*self, places.len() / width)?;
        let mut is_read = vec![false; places.len()];
        let mut codes = Vec::with_capacity(n_codes);
        for at in 0..n_codes {
            let place = self.place(pattern, at);
            let (step, quantizer) = (place / width, place % width);
            codes.push(places[place].ok_or(TokenError::NoCode { pattern, step, quantizer })?);
            is_read[place] = true;
        }
        let strange = |(place, is_read): (usize, &bool)| places[place].is_some() && !is_read;
        if let Some(place) = is_read.iter().enumerate().position(strange) {
            let (step, quantizer) = (place / width, place % width);
            return Err(TokenError::StrayCode { pattern, step, quantizer });
        }
        self.n_frames(&codes)?;
        Ok(codes)
    }

    /// Where the row-major code `at` has its place.
    fn place(&self, pattern: CodePattern, at: usize) -> usize {
        let width = self.n_quantizers();
        pattern.step(*self, at / width, at % width) * width + at % width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout(n_quantizers: usize) -> CodeLayout {
        CodeLayout::new(n_quantizers, 10).unwrap()
    }

    fn pattern() -> impl Strategy<Value = CodePattern> {
        proptest::sample::select(CodePattern::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn arranging_is_undone(
            pattern in pattern(), n_quantizers in 1..7usize, n_frames in 0..9usize, seed: u32,
        ) {
            let layout = layout(n_quantizers);
            let codes: Vec<u32> =
                (0..n_quantizers * n_frames).map(|it| seed.wrapping_add(7 * it as u32) % 10).collect();
            let places = layout.arrange(&codes, pattern).unwrap();
            prop_assert_eq!(places.len(), n_quantizers * pattern.n_steps(layout, n_frames));
            prop_assert_eq!(places.iter().flatten().count(), codes.len());
            prop_assert_eq!(layout.rearrange(&places, pattern).unwrap(), codes);
        }

        #[test]
        fn a_code_never_comes_before_what_it_refines(
            pattern in pattern(), n_quantizers in 1..7usize, frame in 0..9usize,
        ) {
            let step = |frame, quantizer| pattern.step(layout(n_quantizers), frame, quantizer);
            for quantizer in 1..n_quantizers {
                prop_assert!(step(frame, quantizer - 1) <= step(frame, quantizer));
                prop_assert!(step(frame, quantizer) < step(frame + 1, quantizer));
            }
        }
    }

    #[track_caller]
    fn check(pattern: CodePattern, expected: [&[u32]; 2]) {
        let places = layout(2).arrange(&[1, 4, 2, 5, 3, 6], pattern).unwrap();
        for (quantizer, expected) in expected.into_iter().enumerate() {
            let line = places.iter().skip(quantizer).step_by(2);
            assert_eq!(line.map(|it| it.unwrap_or(0)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn patterns_are_those_of_the_figure() {
        check(CodePattern::RowMajor, [&[1, 0, 2, 0, 3, 0], &[0, 4, 0, 5, 0, 6]]);
        check(CodePattern::Delay, [&[1, 2, 3, 0], &[0, 4, 5, 6]]);
        check(CodePattern::Parallel, [&[1, 2, 3], &[4, 5, 6]]);
    }

    #[track_caller]
    fn check_refused(places: &[Option<u32>], pattern: CodePattern, message: &str) {
        let found = layout(2).rearrange(places, pattern);
        assert_eq!(found.unwrap_err().to_string(), message);
    }

    #[test]
    fn what_no_pattern_makes_is_named() {
        let all = [Some(1); 6];
        check_refused(
            &all[..3],
            CodePattern::Parallel,
            "3 codes are no whole number of frames of 2",
        );
        let message = "3 steps are no whole number of frames in the pattern RowMajor";
        check_refused(&all, CodePattern::RowMajor, message);
        let message = "step 1 has a code of quantizer 0, the pattern RowMajor has none there";
        check_refused(&[Some(1), None, Some(1), Some(1)], CodePattern::RowMajor, message);
        let message = "step 0 has no code of quantizer 0, the pattern Delay has one there";
        check_refused(&[None, None, None, Some(1)], CodePattern::Delay, message);
        let message = "code 10 at position 1 must be below 10";
        check_refused(&[Some(1), Some(10)], CodePattern::Parallel, message);
    }
}
