//! The likeliest way to cut a text.

use std::collections::HashMap;

/// How much less likely than any piece a letter is that is in none; as in SentencePiece.
const UNKNOWN_PENALTY: f32 = 10.0;

/// Pieces, each with how likely it is by itself.
#[derive(Debug, Clone)]
pub(super) struct Unigram {
    pieces: HashMap<String, Piece>,
    /// Letters of the longest piece.
    longest: usize,
    unknown: Piece,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    log_likelihood: f32,
    id: u32,
}

/// The best way to a place in the text.
#[derive(Debug, Clone, Copy)]
struct Way {
    log_likelihood: f32,
    /// Where its last piece starts.
    start: usize,
    id: u32,
}

impl Unigram {
    /// Of the text, log-likelihood and id of each piece, and the id of what is none.
    pub(super) fn new(pieces: Vec<(String, f32, u32)>, unknown: u32) -> Self {
        let least = pieces.iter().map(|it| it.1).fold(f32::INFINITY, f32::min);
        let longest = pieces.iter().map(|it| it.0.chars().count()).max().unwrap_or(0);
        let piece = |(text, log_likelihood, id)| (text, Piece { log_likelihood, id });
        Self {
            pieces: pieces.into_iter().map(piece).collect(),
            longest,
            unknown: Piece { log_likelihood: least - UNKNOWN_PENALTY, id: unknown },
        }
    }

    /// The ids of the likeliest sequence of pieces that make up `text` (Viterbi). Letters in a row
    /// that are in no piece are one unknown.
    pub(super) fn ids(&self, text: &str) -> Vec<u32> {
        let mut ways: Vec<Option<Way>> = vec![None; text.len() + 1];
        ways[0] = Some(Way { log_likelihood: 0.0, start: 0, id: 0 });
        for (start, letter) in text.char_indices() {
            let Some(before) = ways[start] else { continue };
            let first = start + letter.len_utf8();
            let rest = text[start..].char_indices().take(self.longest);
            for end in rest.map(|(at, letter)| start + at + letter.len_utf8()) {
                let known = self.pieces.get(&text[start..end]).copied();
                let unknown = (end == first).then_some(self.unknown);
                let Some(piece) = known.or(unknown) else { continue };
                let log_likelihood = before.log_likelihood + piece.log_likelihood;
                if ways[end].is_none_or(|it| log_likelihood > it.log_likelihood) {
                    ways[end] = Some(Way { log_likelihood, start, id: piece.id });
                }
            }
        }
        self.followed_back(&ways)
    }

    fn followed_back(&self, ways: &[Option<Way>]) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut end = ways.len() - 1;
        while let Some(Way { start, id, .. }) = ways[end].filter(|_| end > 0) {
            ids.push(id);
            end = start;
        }
        ids.reverse();
        ids.dedup_by(|a, b| a == b && *a == self.unknown.id);
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNKNOWN: u32 = 9;

    fn unigram() -> Unigram {
        let pieces =
            [("a", -2.0, 0), ("b", -2.5, 1), ("ab", -3.0, 2), ("aba", -6.0, 3), ("é", -4.0, 4)];
        let pieces = pieces.map(|(text, score, id)| (text.to_owned(), score, id));
        Unigram::new(pieces.to_vec(), UNKNOWN)
    }

    /// The likelihood of the best cut, by trying all.
    fn best(unigram: &Unigram, text: &str) -> f32 {
        if text.is_empty() {
            return 0.0;
        }
        let ends = text.char_indices().map(|(at, it)| at + it.len_utf8()).enumerate();
        let ways = ends.filter_map(|(place, end)| {
            let known = unigram.pieces.get(&text[..end]).copied();
            let piece = known.or((place == 0).then_some(unigram.unknown))?;
            Some(piece.log_likelihood + best(unigram, &text[end..]))
        });
        ways.fold(f32::NEG_INFINITY, f32::max)
    }

    #[test]
    fn the_likeliest_cut_is_found() {
        assert_eq!(unigram().ids("aba"), [2, 0]);
        assert_eq!(unigram().ids("bé"), [1, 4]);
        assert_eq!(unigram().ids(""), [0u32; 0]);
    }

    #[test]
    fn unknown_letters_in_a_row_are_one() {
        assert_eq!(unigram().ids("axyzb"), [0, UNKNOWN, 1]);
        assert_eq!(unigram().ids("日本"), [UNKNOWN]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_cut_is_likelier(text in "[abéx]{0,9}") {
            let unigram = unigram();
            let of_id = |id: &u32| match unigram.pieces.values().find(|it| it.id == *id) {
                Some(piece) => piece.log_likelihood,
                None => 0.0,
            };
            let n_unknown = text.chars().filter(|it| *it == 'x').count() as f32;
            let unknowns = n_unknown * unigram.unknown.log_likelihood;
            let found = unigram.ids(&text).iter().map(of_id).sum::<f32>() + unknowns;
            prop_assert!((found - best(&unigram, &text)).abs() < 1e-3);
        }
    }
}
