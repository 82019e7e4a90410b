//! Codes of several quantizers in one row: `[frame][quantizer]`.
//!
//! AudioLM (section III-C) flattens row-major: every quantizer of frame t, then frame t + 1; `pattern.rs`
//! has other orders. The code at position i (from 1) of a row is shifted by o_i = ((i − 1) mod Q)·N, so that
//! no two quantizers share a token.

use crate::error::{ConfigError, TokenError};

/// The shape of a row of codes: Q quantizers of N codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeLayout {
    n_quantizers: usize,
    codebook_size: usize,
}

/// The codes of the same frames, parted between two stages; both row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitCodes {
    /// The first quantizers of every frame.
    pub coarse: Vec<u32>,
    /// The other quantizers of every frame.
    pub fine: Vec<u32>,
}

impl CodeLayout {
    /// A layout of `n_quantizers` (Q in the paper) with `codebook_size` codes each (N).
    pub fn new(n_quantizers: usize, codebook_size: usize) -> Result<Self, ConfigError> {
        nonzero("n_quantizers", n_quantizers)?;
        nonzero("codebook_size", codebook_size)?;
        Ok(Self { n_quantizers, codebook_size })
    }

    /// A layout whose numbers a model's configuration has already vouched for.
    pub(crate) fn of_model(n_quantizers: usize, codebook_size: usize) -> Self {
        Self { n_quantizers, codebook_size }
    }

    /// Codes of one frame.
    pub fn n_quantizers(&self) -> usize {
        self.n_quantizers
    }

    /// Codes of one quantizer.
    pub fn codebook_size(&self) -> usize {
        self.codebook_size
    }

    /// Tokens of all quantizers.
    pub fn n_tokens(&self) -> usize {
        self.n_quantizers * self.codebook_size
    }

    /// The token of a code: shifted past those of the quantizers before. The quantizer may be one past
    /// the last: its first token is the number of all.
    ///
    /// # Panics
    /// In debug builds, if there is no such quantizer or code.
    pub fn token(&self, quantizer: usize, code: u32) -> u32 {
        debug_assert!(quantizer <= self.n_quantizers && (code as usize) < self.codebook_size);
        (quantizer * self.codebook_size) as u32 + code
    }

    /// The inverse of [`token`](Self::token): a quantizer and its code.
    pub fn code(&self, token: u32) -> (usize, u32) {
        let size = self.codebook_size as u32;
        ((token / size) as usize, token % size)
    }

    /// Row-major codes as tokens.
    ///
    /// # Errors
    /// Where the codes are none, or no whole frames.
    pub fn shift(&self, codes: &[u32]) -> Result<Vec<u32>, TokenError> {
        self.n_frames(codes)?;
        let token = |(at, code): (usize, &u32)| self.token(at % self.n_quantizers, *code);
        Ok(codes.iter().enumerate().map(token).collect())
    }

    /// The inverse of [`shift`](Self::shift).
    ///
    /// # Errors
    /// Where a token is none, or one of another quantizer than its place has.
    pub fn unshift(&self, tokens: &[u32]) -> Result<Vec<u32>, TokenError> {
        in_range("token", tokens, self.n_tokens())?;
        let code = |(position, token): (usize, &u32)| {
            let (found, code) = self.code(*token);
            let expected = position % self.n_quantizers;
            match found == expected {
                true => Ok(code),
                false => Err(TokenError::OtherQuantizer { position, expected, found }),
            }
        };
        let codes = tokens.iter().enumerate().map(code).collect::<Result<Vec<_>, _>>()?;
        self.n_frames(&codes)?;
        Ok(codes)
    }

    /// How many frames these row-major codes are, once each is known to be a code.
    pub fn n_frames(&self, codes: &[u32]) -> Result<usize, TokenError> {
        in_range("code", codes, self.codebook_size)?;
        let per_frame = self.n_quantizers;
        if !codes.len().is_multiple_of(per_frame) {
            return Err(TokenError::PartialFrame { codes: codes.len(), per_frame });
        }
        Ok(codes.len() / per_frame)
    }

    /// Codes as a codec gives them, `[quantizer][frame]`, to row-major `[frame][quantizer]`.
    pub fn interleave(&self, by_quantizer: &[u32]) -> Result<Vec<u32>, TokenError> {
        let n_frames = self.n_frames(by_quantizer)?;
        Ok(transposed(by_quantizer, n_frames))
    }

    /// Row-major codes back to `[quantizer][frame]`.
    pub fn deinterleave(&self, codes: &[u32]) -> Result<Vec<u32>, TokenError> {
        self.n_frames(codes)?;
        Ok(transposed(codes, self.n_quantizers))
    }

    /// Parts every frame after its first `n_coarse` codes.
    ///
    /// # Panics
    /// If a frame has fewer than `n_coarse` codes.
    pub fn split(&self, codes: &[u32], n_coarse: usize) -> Result<SplitCodes, TokenError> {
        self.n_frames(codes)?;
        let (mut coarse, mut fine) = (Vec::new(), Vec::new());
        for frame in codes.chunks_exact(self.n_quantizers) {
            coarse.extend_from_slice(&frame[..n_coarse]);
            fine.extend_from_slice(&frame[n_coarse..]);
        }
        Ok(SplitCodes { coarse, fine })
    }

    /// The inverse of [`split`](Self::split): whole frames, row-major.
    ///
    /// # Panics
    /// If a frame has fewer than `n_coarse` codes.
    pub fn join(&self, parts: &SplitCodes, n_coarse: usize) -> Result<Vec<u32>, TokenError> {
        let n_fine = self.n_quantizers - n_coarse;
        let coarse = parts.coarse.chunks(n_coarse.max(1));
        let fine = parts.fine.chunks(n_fine.max(1));
        let (expected, found) = (coarse.len(), fine.len());
        if n_coarse > 0 && n_fine > 0 && expected != found {
            return Err(TokenError::TooManyFrames {
                expected: expected.min(found),
                found: expected.max(found),
            });
        }
        let n_frames = expected.max(found);
        let (mut coarse, mut fine) = (coarse, fine);
        let mut codes = Vec::with_capacity(n_frames * self.n_quantizers);
        for _ in 0..n_frames {
            codes.extend_from_slice(coarse.next().unwrap_or(&[]));
            codes.extend_from_slice(fine.next().unwrap_or(&[]));
        }
        self.n_frames(&codes)?;
        Ok(codes)
    }
}

/// Reads a matrix with rows of `width` column by column.
fn transposed(values: &[u32], width: usize) -> Vec<u32> {
    (0..width).flat_map(|at| values.iter().skip(at).step_by(width).copied()).collect()
}

/// Refuses a size of zero.
pub(crate) fn nonzero(field: &'static str, size: usize) -> Result<(), ConfigError> {
    if size == 0 { Err(ConfigError::ZeroSize { field }) } else { Ok(()) }
}

/// Refuses the first of `values` that reaches `bound`.
pub(crate) fn in_range(
    token: &'static str,
    values: &[u32],
    bound: usize,
) -> Result<(), TokenError> {
    match values.iter().position(|value| *value as usize >= bound) {
        Some(position) => {
            Err(TokenError::OutOfRange { token, position, value: values[position], bound })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout_and_codes() -> impl Strategy<Value = (CodeLayout, Vec<u32>)> {
        (1..7usize, 1..50usize, 0..9usize).prop_flat_map(|(n_quantizers, size, n_frames)| {
            let layout = CodeLayout::new(n_quantizers, size).unwrap();
            let code = 0..size as u32;
            (Just(layout), proptest::collection::vec(code, n_quantizers * n_frames))
        })
    }

    proptest! {
        #[test]
        fn interleaving_is_undone((layout, codes) in layout_and_codes()) {
            let rows = layout.interleave(&codes).unwrap();
            prop_assert_eq!(layout.deinterleave(&rows).unwrap(), codes);
        }

        #[test]
        fn shifting_is_undone((layout, codes) in layout_and_codes()) {
            let tokens = layout.shift(&codes).unwrap();
            prop_assert!(tokens.iter().all(|it| (*it as usize) < layout.n_tokens()));
            prop_assert_eq!(layout.unshift(&tokens).unwrap(), codes);
        }

        #[test]
        fn splitting_is_undone((layout, codes) in layout_and_codes(), at in 0..9usize) {
            let at = at % (layout.n_quantizers() + 1);
            let parts = layout.split(&codes, at).unwrap();
            prop_assert_eq!(layout.join(&parts, at).unwrap(), codes);
        }
    }

    #[test]
    fn rows_are_frames() {
        let layout = CodeLayout::new(2, 10).unwrap();
        assert_eq!(layout.interleave(&[1, 2, 3, 7, 8, 9]).unwrap(), [1, 7, 2, 8, 3, 9]);
        let parts = layout.split(&[1, 7, 2, 8], 1).unwrap();
        assert_eq!(parts, SplitCodes { coarse: vec![1, 2], fine: vec![7, 8] });
    }

    #[track_caller]
    fn check_refused<T: std::fmt::Debug>(found: Result<T, TokenError>, message: &str) {
        assert_eq!(found.unwrap_err().to_string(), message);
    }

    #[test]
    fn messages_name_the_code_and_its_bound() {
        let layout = CodeLayout::new(2, 10).unwrap();
        check_refused(layout.n_frames(&[1, 10]), "code 10 at position 1 must be below 10");
        check_refused(layout.n_frames(&[1, 2, 3]), "3 codes are no whole number of frames of 2");
        let parts = SplitCodes { coarse: vec![1, 2], fine: vec![7] };
        check_refused(layout.join(&parts, 1), "expected at most 1 frames, found 2");
        check_refused(layout.unshift(&[3, 20]), "token 20 at position 1 must be below 20");
        let message = "token 1 must be one of quantizer 1, found one of quantizer 0";
        check_refused(layout.unshift(&[3, 4]), message);
        let error = CodeLayout::new(0, 10).unwrap_err();
        assert_eq!(error.to_string(), "n_quantizers must be at least 1");
    }
}
