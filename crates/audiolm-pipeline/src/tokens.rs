//! What a recording is to the models.

use audiolm_transformer::{CodeLayout, Runs, SplitCodes, TokenError};
use serde::Serialize;

/// A recording as tokens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tokens {
    /// What is said: semantic ids, no two neighbours equal.
    pub semantic_ids: Vec<u32>,
    /// How many frames each id lasts.
    pub durations: Vec<u32>,
    /// How it sounds: the codes of each quantizer, one per frame.
    pub codes: Vec<Vec<u32>>,
    /// Frames in a second.
    pub frames_per_second: f64,
}

/// The same, as the stages extend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameTokens {
    /// One id per frame.
    pub(crate) semantic: Vec<u32>,
    /// Row-major codes, `[frame][quantizer]`.
    pub(crate) codes: SplitCodes,
}

/// How codes lie in a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Of all quantizers.
    pub(crate) layout: CodeLayout,
    /// How many of them are coarse.
    pub(crate) n_coarse: usize,
}

impl Tokens {
    /// How many frames there are.
    pub fn n_frames(&self) -> usize {
        self.codes.first().map_or(0, Vec::len)
    }
}

impl FrameTokens {
    /// Of no recording.
    pub(crate) fn none() -> Self {
        Self::without_codes(Vec::new())
    }

    /// Only what is said.
    pub(crate) fn without_codes(semantic: Vec<u32>) -> Self {
        Self { semantic, codes: SplitCodes { coarse: Vec::new(), fine: Vec::new() } }
    }

    /// Those after the first frames.
    pub(crate) fn after(&self, n_frames: usize, frame: Frame) -> Self {
        let rest = |values: &[u32], width: usize| {
            values.get(n_frames * width..).unwrap_or_default().to_vec()
        };
        let coarse = rest(&self.codes.coarse, frame.n_coarse);
        let fine = rest(&self.codes.fine, frame.n_fine());
        Self { semantic: rest(&self.semantic, 1), codes: SplitCodes { coarse, fine } }
    }

    /// Those of the first frames.
    pub(crate) fn first(&self, n_frames: usize, frame: Frame) -> Self {
        let first = |values: &[u32], width: usize| values[..n_frames * width].to_vec();
        let coarse = first(&self.codes.coarse, frame.n_coarse);
        let fine = first(&self.codes.fine, frame.n_fine());
        let semantic = self.semantic[..n_frames.min(self.semantic.len())].to_vec();
        Self { semantic, codes: SplitCodes { coarse, fine } }
    }

    pub(crate) fn to_tokens(
        &self,
        frame: Frame,
        frames_per_second: f64,
    ) -> Result<Tokens, TokenError> {
        let Runs { ids, durations } = Runs::of(&self.semantic);
        let codes = frame.by_quantizer(&self.codes)?;
        let n_frames = codes.len() / frame.layout.n_quantizers();
        Ok(Tokens {
            semantic_ids: ids,
            durations,
            codes: codes.chunks(n_frames.max(1)).map(<[u32]>::to_vec).collect(),
            frames_per_second,
        })
    }
}

impl Frame {
    /// Codes as a codec gives them, `[quantizer][frame]`, parted for the stages.
    pub(crate) fn split(&self, by_quantizer: &[u32]) -> Result<SplitCodes, TokenError> {
        self.layout.split(&self.layout.interleave(by_quantizer)?, self.n_coarse)
    }

    /// The inverse of [`split`](Self::split).
    pub(crate) fn by_quantizer(&self, codes: &SplitCodes) -> Result<Vec<u32>, TokenError> {
        self.layout.deinterleave(&self.layout.join(codes, self.n_coarse)?)
    }

    /// All codes of the frame at `idx`.
    pub(crate) fn codes_at(&self, codes: &SplitCodes, idx: usize) -> Vec<u32> {
        let of = |codes: &[u32], width: usize| codes[idx * width..(idx + 1) * width].to_vec();
        [of(&codes.coarse, self.n_coarse), of(&codes.fine, self.n_fine())].concat()
    }

    /// Codes of a frame that are not coarse.
    pub(crate) fn n_fine(&self) -> usize {
        self.layout.n_quantizers() - self.n_coarse
    }
}
