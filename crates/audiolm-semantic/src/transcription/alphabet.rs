//! The letters of a language.

use std::collections::BTreeSet;

/// The letters, digits and apostrophes that transcripts are made of, and the space between words.
///
/// Upper case is lower case here, and all else is left out. Class 0 is the blank, which says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    letters: Vec<char>,
}

impl Alphabet {
    /// That of these transcripts.
    pub fn of<'a>(transcripts: impl IntoIterator<Item = &'a str>) -> Self {
        let letters: BTreeSet<char> = transcripts.into_iter().flat_map(plain).collect();
        Self { letters: letters.into_iter().collect() }
    }

    /// Classes that a frame may have: the letters and the blank.
    pub fn n_classes(&self) -> usize {
        self.letters.len() + 1
    }

    /// The classes of a transcript's letters. Letters that are not of this alphabet are left out.
    pub fn classes(&self, transcript: &str) -> Vec<usize> {
        let class = |it| self.letters.binary_search(&it).ok().map(|it| it + 1);
        plain(transcript).filter_map(class).collect()
    }
}

/// The letters of a transcript, with one space between two words.
fn plain(transcript: &str) -> impl Iterator<Item = char> {
    let is_letter = |it: &char| it.is_alphanumeric() || *it == '\'' || it.is_whitespace();
    let lower: String = transcript.to_lowercase().chars().filter(is_letter).collect();
    let words: Vec<_> = lower.split_whitespace().collect();
    words.join(" ").chars().collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcripts_are_spelt_in_lower_case_with_single_spaces() {
        let alphabet = Alphabet::of(["Ba,  AB'", "C"]);
        assert_eq!(alphabet.n_classes(), 6); // blank, space, apostrophe, a, b, c
        assert_eq!(alphabet.classes("a \t Cab!"), [3, 1, 5, 3, 4]);
        assert_eq!(alphabet.classes("xyz"), [0usize; 0]);
    }
}
