//! How words are said.

use std::collections::HashMap;
use std::path::Path;

use crate::SemanticError;

/// A pronouncing dictionary: words, in lower case, and the phones that each is said with.
///
/// Of a word that can be said in several ways the first is taken, and stress, which is a digit at a
/// phone's end, is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lexicon {
    phones: HashMap<String, Vec<String>>,
}

impl Lexicon {
    /// Reads a file in the format of the CMU Pronouncing Dictionary: a word and its phones a line, with
    /// blanks between them; what follows `#`, and lines that begin with `;;;`, are remarks.
    ///
    /// # Errors
    /// Where the file cannot be read, or a word has no phones.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SemanticError> {
        let path = path.as_ref();
        let failed = |reason| SemanticError::Lexicon { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|it| failed(it.to_string()))?;
        // Older editions are in Latin-1, which matters to a few words alone.
        Self::parse(&String::from_utf8_lossy(&bytes)).map_err(failed)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut phones = HashMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, it)| !it.starts_with(";;;")) {
            let said = line.split_once(" #").map_or(line, |(said, _)| said);
            let mut parts = said.split_whitespace();
            let Some(word) = parts.next() else { continue };
            let said: Vec<_> = parts.map(without_stress).collect();
            if said.is_empty() {
                let line = index + 1;
                return Err(format!("line {line}: expected a word and its phones, found {word:?}"));
            }
            phones.entry(word.to_lowercase()).or_insert(said);
        }
        Ok(Self { phones })
    }

    /// The phones of all words of a transcript, one after another; none where a word is not in here.
    pub fn phones(&self, transcript: &str) -> Option<Vec<&str>> {
        let lower = transcript.to_lowercase();
        let words = lower.split(|it: char| !it.is_alphanumeric() && it != '\'');
        let said: Option<Vec<_>> = words
            .filter(|it| it.contains(char::is_alphanumeric))
            .map(|it| self.phones.get(it).or_else(|| self.phones.get(&it.replace('\'', ""))))
            .collect();
        Some(said?.into_iter().flatten().map(String::as_str).collect())
    }
}

fn without_stress(phone: &str) -> String {
    phone.trim_end_matches(|it: char| it.is_ascii_digit()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEXICON: &str = ";;; remarks\nzero  Z IH1 R OW0\nzero(2) Z IY1 R OW0\nIT'S IH1 T S # as one\n\n\
                           one W AH1 N\nolds OW1 L D Z\n";

    #[test]
    fn words_are_said_as_the_first_of_their_lines_says() {
        let lexicon = Lexicon::parse(LEXICON).unwrap();
        let phones = |transcript| lexicon.phones(transcript).map(|it| it.join(" "));
        assert_eq!(phones("It's zero-one!").as_deref(), Some("IH T S Z IH R OW W AH N"));
        assert_eq!(phones("'old's' ' zero").as_deref(), Some("OW L D Z Z IH R OW"));
        assert_eq!(phones("one two"), None);
        assert_eq!(phones(" ... ").as_deref(), Some(""));
    }

    #[test]
    fn a_word_without_phones_is_named() {
        let error = Lexicon::parse("one W AH1 N\ntwo # T UW1").unwrap_err();
        assert_eq!(error, "line 2: expected a word and its phones, found \"two\"");
        let error = Lexicon::read("no/such.dict").unwrap_err().to_string();
        assert!(error.starts_with("no/such.dict: "), "{error}");
    }
}
