//! Pieces of text, as SentencePiece cuts it (Kudo and Richardson 2018, arXiv 1808.06226).

mod char_map;
mod model_file;
mod tokenizer_json;

use std::path::Path;

use tokenizers::Model;
use tokenizers::models::unigram::Unigram;

use crate::TextError;
use crate::hub_file::malformed;
use char_map::CharMap;

/// The files that a tokenizer is looked for in, the best first. T5 version 1.1 is published with the
/// second alone.
const FILES: [&str; 2] = ["tokenizer.json", "spiece.model"];

/// What stands for a space within pieces.
const SPACE: char = '▁';

/// What the names of special pieces begin with, and no text that is cut holds.
const NO_TEXT: char = '\0';

/// A tokenizer of a unigram language model (Kudo 2018, arXiv 1804.10959), as T5 has it: text becomes
/// the likeliest sequence of pieces, and the end follows.
#[derive(Debug, Clone)]
pub struct SentencePiece {
    /// What is written in several ways, in one; nothing to leave text as it is.
    char_map: Option<CharMap>,
    pieces: Unigram,
    end: u32,
    n_ids: usize,
}

/// What the files are, in messages.
const WHAT: &str = "tokenizer";

/// What the files say, in one form.
#[derive(Debug)]
struct Vocabulary {
    char_map: Option<CharMap>,
    /// The text and log-likelihood of each piece by its id; no text where the piece is special, and
    /// text is never cut into it.
    pieces: Vec<(Option<String>, f64)>,
    /// What stands for text that no piece covers.
    unknown: u32,
    /// What follows every text.
    end: u32,
    /// One more than the greatest id.
    n_ids: usize,
}

impl SentencePiece {
    /// Reads `tokenizer.json` of a folder, or `spiece.model` where there is none.
    ///
    /// # Errors
    /// Where there is neither, or the file is damaged or of another kind of tokenizer.
    pub fn load_from(folder: &Path) -> Result<Self, TextError> {
        let [json, model] = FILES.map(|it| folder.join(it));
        if json.is_file() {
            return Self::of(tokenizer_json::read(&json)?, &json);
        }
        if model.is_file() {
            return Self::of(model_file::read(&model)?, &model);
        }
        Err(TextError::NoTokenizer { folder: folder.to_owned(), names: &FILES })
    }

    fn of(vocabulary: Vocabulary, path: &Path) -> Result<Self, TextError> {
        let Vocabulary { char_map, pieces, unknown, end, n_ids } = vocabulary;
        let named = pieces.into_iter().zip(0..).map(|((text, log_likelihood), id)| {
            (text.unwrap_or_else(|| format!("{NO_TEXT}{id}")), log_likelihood)
        });
        let pieces = Unigram::from(named.collect(), Some(unknown as usize), false);
        let pieces = pieces.map_err(|it| malformed(path, WHAT, it))?;
        Ok(Self { char_map, pieces, end, n_ids })
    }

    /// One more than the greatest id.
    pub fn n_ids(&self) -> usize {
        self.n_ids
    }

    /// The ids of a text and, last, of its end. A text of nothing is its end alone.
    ///
    /// What looks like a special piece within the text, such as `</s>`, is text.
    pub fn ids(&self, text: &str) -> Vec<u32> {
        let pieces = self.pieces.tokenize(&self.normalized(text));
        let pieces = pieces.expect("a model with an unknown piece cuts any text");
        pieces.into_iter().map(|it| it.id).chain([self.end]).collect()
    }

    /// Written in one way, each word after a mark of its beginning.
    fn normalized(&self, text: &str) -> String {
        let text = match &self.char_map {
            Some(char_map) => char_map.apply(text),
            None => text.to_owned(),
        };
        let words = text.split([' ', NO_TEXT]).filter(|it| !it.is_empty());
        words.flat_map(|it| [SPACE.to_string(), it.to_owned()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::fixture;
    use serde::Deserialize;

    /// What SentencePiece itself makes of a text.
    #[derive(Deserialize)]
    struct Case {
        text: String,
        ids: Vec<u32>,
    }

    fn cases() -> Vec<Case> {
        let text = std::fs::read(fixture("sentence_piece/cases.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[track_caller]
    fn check_parity(folder: &str) {
        let pieces = SentencePiece::load_from(&fixture(folder)).unwrap();
        for Case { text, ids } in cases() {
            assert_eq!(pieces.ids(&text), ids, "{text:?}");
        }
    }

    #[test]
    fn the_model_file_cuts_as_sentencepiece_does() {
        check_parity("sentence_piece/model");
    }

    #[test]
    fn tokenizer_json_cuts_the_same() {
        check_parity("sentence_piece/json");
    }

    #[track_caller]
    fn check_refused(name: &str, bytes: &[u8], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let error = SentencePiece::load_from(folder.path()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    }

    #[test]
    fn other_tokenizers_are_refused_by_name() {
        let bpe = br#"{"model": {"type": "BPE", "vocab": {}}, "added_tokens": []}"#;
        check_refused("tokenizer.json", bpe, "model.type is BPE; supported is only Unigram");
        check_refused("tokenizer.json", b"nonsense", "not a readable tokenizer");
        check_refused("spiece.model", b"\xff\xff", "not a readable tokenizer");
        let empty = tempfile::tempdir().unwrap();
        let error = SentencePiece::load_from(empty.path()).unwrap_err();
        assert!(matches!(error, TextError::NoTokenizer { .. }), "{error}");
    }

    #[test]
    fn every_truncation_is_an_error_or_a_smaller_vocabulary() {
        let whole = std::fs::read(fixture("sentence_piece/model/spiece.model")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spiece.model");
        for length in (0..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..length]).unwrap();
            if let Ok(pieces) = SentencePiece::load_from(folder.path()) {
                pieces.ids("it says nothing");
            }
        }
    }
}
