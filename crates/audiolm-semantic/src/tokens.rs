//! What was said, as a sequence of ids.

use serde::{Deserialize, Serialize};

/// Semantic tokens: ids of which no two neighbours are equal, and how long each lasts.
///
/// AudioLM removes repeats and with them the tempo. Here the durations are
/// kept beside the ids, so that nothing is lost: [`to_frames`](Self::to_frames) undoes
/// [`from_frames`](Self::from_frames).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SemanticTokens {
    ids: Vec<u32>,
    durations: Vec<u32>,
}

impl SemanticTokens {
    /// Collapses each run of equal ids, one id per frame, to one token.
    pub fn from_frames(frames: &[u32]) -> Self {
        let runs = || frames.chunk_by(|a, b| a == b);
        Self {
            ids: runs().map(|run| run[0]).collect(),
            durations: runs().map(|run| run.len() as u32).collect(),
        }
    }

    /// One id per frame.
    pub fn to_frames(&self) -> Vec<u32> {
        let runs = self.ids.iter().zip(&self.durations);
        runs.flat_map(|(&id, &frames)| std::iter::repeat_n(id, frames as usize)).collect()
    }

    /// The ids, no two neighbours equal.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// How many frames each id lasts, at least 1.
    pub fn durations(&self) -> &[u32] {
        &self.durations
    }

    /// Frames of all tokens together.
    pub fn n_frames(&self) -> usize {
        self.durations.iter().map(|it| *it as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_collapse_and_keep_their_length() {
        let tokens = SemanticTokens::from_frames(&[7, 7, 7, 2, 7, 7]);
        assert_eq!((tokens.ids(), tokens.durations()), (&[7, 2, 7][..], &[3, 1, 2][..]));
    }

    #[test]
    fn silence_of_no_length_has_no_token() {
        assert_eq!(SemanticTokens::from_frames(&[]), SemanticTokens::default());
    }

    proptest! {
        #[test]
        fn frames_survive_the_round_trip(frames in prop::collection::vec(0u32..4, 0..200)) {
            let tokens = SemanticTokens::from_frames(&frames);
            prop_assert!(tokens.ids().windows(2).all(|it| it[0] != it[1]));
            prop_assert!(tokens.durations().iter().all(|it| *it > 0));
            prop_assert_eq!(tokens.n_frames(), frames.len());
            prop_assert_eq!(tokens.to_frames(), frames);
        }
    }
}
