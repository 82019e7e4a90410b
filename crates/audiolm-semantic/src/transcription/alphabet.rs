//! What recordings are spelt in.

use std::collections::BTreeSet;

use super::Lexicon;

/// What recordings are spelt in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Spelling {
    /// The letters, digits and apostrophes of their transcripts, and the space between words. Upper
    /// case is lower case, and all else is left out.
    #[default]
    Letters,
    /// The phones of their words.
    Phones(Lexicon),
}

/// The letters or phones of some transcripts. Class 0 is the blank, which says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    spelling: Spelling,
    symbols: Vec<String>,
}

impl Spelling {
    /// The letters or phones of a transcript; none where a word is not in the lexicon.
    fn symbols(&self, transcript: &str) -> Option<Vec<String>> {
        match self {
            Self::Letters => Some(letters(transcript)),
            Self::Phones(lexicon) => {
                Some(lexicon.phones(transcript)?.into_iter().map(str::to_owned).collect())
            }
        }
    }
}

impl Alphabet {
    /// That of these transcripts.
    pub fn of<'a>(spelling: Spelling, transcripts: impl IntoIterator<Item = &'a str>) -> Self {
        let known = transcripts.into_iter().filter_map(|it| spelling.symbols(it));
        let symbols: BTreeSet<String> = known.flatten().collect();
        Self { spelling, symbols: symbols.into_iter().collect() }
    }

    /// Classes that a frame may have: the letters or phones, and the blank.
    pub fn n_classes(&self) -> usize {
        self.symbols.len() + 1
    }

    /// The classes of a transcript's letters or phones, those left out that are not of this alphabet;
    /// none where a word is not in the lexicon.
    pub fn classes(&self, transcript: &str) -> Option<Vec<usize>> {
        let class = |it| self.symbols.binary_search(&it).ok().map(|it| it + 1);
        Some(self.spelling.symbols(transcript)?.into_iter().filter_map(class).collect())
    }
}

/// The letters of a transcript, with one space between two words.
fn letters(transcript: &str) -> Vec<String> {
    let is_letter = |it: &char| it.is_alphanumeric() || *it == '\'' || it.is_whitespace();
    let lower: String = transcript.to_lowercase().chars().filter(is_letter).collect();
    let words: Vec<_> = lower.split_whitespace().collect();
    words.join(" ").chars().map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcripts_are_spelt_in_lower_case_with_single_spaces() {
        let alphabet = Alphabet::of(Spelling::Letters, ["Ba,  AB'", "C"]);
        assert_eq!(alphabet.n_classes(), 6); // blank, space, apostrophe, a, b, c
        assert_eq!(alphabet.classes("a \t Cab!").unwrap(), [3, 1, 5, 3, 4]);
        assert_eq!(alphabet.classes("xyz").unwrap(), [0usize; 0]);
    }

    #[test]
    fn phones_are_those_of_the_words_that_a_lexicon_has() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "one W AH1 N\nwon W AH1 N\nnow N AW1\n").unwrap();
        let spelling = Spelling::Phones(Lexicon::read(file.path()).unwrap());
        let alphabet = Alphabet::of(spelling, ["one", "now", "someone"]);
        assert_eq!(alphabet.n_classes(), 5); // blank, AH, AW, N, W
        assert_eq!(alphabet.classes("Won now").unwrap(), [4, 1, 3, 3, 2]);
        assert_eq!(alphabet.classes("one more"), None);
    }
}
