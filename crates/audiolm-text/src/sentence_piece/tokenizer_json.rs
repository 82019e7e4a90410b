//! `tokenizer.json`: the file of Hugging Face's `tokenizers`, as far as unigram models go.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::char_map::CharMap;
use super::{Vocabulary, WHAT};
use crate::TextError;
use crate::hub_file::{HubFile, malformed};

/// The piece that follows every text.
const END: &str = "</s>";

#[derive(Debug, Deserialize)]
struct TokenizerJson {
    model: UnigramJson,
    added_tokens: Vec<AddedToken>,
    normalizer: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct UnigramJson {
    unk_id: u32,
    vocab: Vec<(String, f64)>,
    #[serde(default)]
    byte_fallback: bool,
}

/// A piece that text is never cut into by the model.
#[derive(Debug, Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vocabulary, TextError> {
    let file = HubFile::load(path, WHAT)?;
    // Older files leave out the type of a unigram model.
    let kind = file.values["model"]["type"].as_str().unwrap_or("Unigram");
    if kind != "Unigram" {
        return Err(file.unsupported("model.type", "Unigram", kind.to_owned()));
    }
    let TokenizerJson { model, added_tokens, normalizer } = file.parse()?;
    if model.byte_fallback {
        return Err(file.unsupported("model.byte_fallback", "false", "true".to_owned()));
    }
    let char_map = normalizer.map_or(Ok(None), |it| char_map(&file, &it))?;
    let end = added_tokens.iter().find(|it| it.content == END).map(|it| it.id);
    let end = end.ok_or_else(|| malformed(path, WHAT, format!("it has no {END}")))?;
    let greatest = added_tokens.iter().map(|it| it.id as usize + 1).max().unwrap_or(0);
    let n_ids = greatest.max(model.vocab.len());
    let added: HashSet<u32> = added_tokens.iter().map(|it| it.id).chain([model.unk_id]).collect();
    let pieces = model.vocab.into_iter().zip(0..);
    let pieces = pieces.map(|((text, log_likelihood), id)| {
        ((!added.contains(&id)).then_some(text), log_likelihood)
    });
    let pieces = pieces.collect();
    Ok(Vocabulary { char_map, pieces, unknown: model.unk_id, end, n_ids })
}

/// The map of letters, of a normalizer that besides treats spaces as is usual.
fn char_map(file: &HubFile, normalizer: &Value) -> Result<Option<CharMap>, TextError> {
    match normalizer["type"].as_str().unwrap_or_default() {
        "Precompiled" => {
            let damaged = |reason: String| malformed(file.path(), WHAT, reason);
            let text = normalizer["precompiled_charsmap"].as_str().unwrap_or_default();
            let bytes =
                base64(text).ok_or_else(|| damaged("its map of letters is no base64".into()))?;
            match bytes.is_empty() {
                true => Ok(None),
                false => CharMap::parse(&bytes).map(Some).map_err(damaged),
            }
        }
        "Sequence" => {
            let parts = normalizer["normalizers"].as_array().cloned().unwrap_or_default();
            let maps: Vec<_> =
                parts.iter().map(|it| char_map(file, it)).collect::<Result<_, _>>()?;
            Ok(maps.into_iter().flatten().next())
        }
        // Spaces at the ends, and several in a row, go anyway.
        "Strip" => Ok(None),
        "Replace" if normalizer["pattern"]["Regex"] == " {2,}" => Ok(None),
        _ => {
            let expected = "Precompiled, spaces stripped and joined, or a Sequence of these";
            Err(file.unsupported("normalizer", expected, normalizer.to_string()))
        }
    }
}

/// The bytes that base64 stands for (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let sextet = |it: u8| match it {
        b'A'..=b'Z' => Some(it - b'A'),
        b'a'..=b'z' => Some(it - b'a' + 26),
        b'0'..=b'9' => Some(it - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(sextet(letter)?);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
            bits &= (1 << n_bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        let cases =
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")];
        for (text, bytes) in cases {
            assert_eq!(base64(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(base64("Z*=="), None);
    }
}
