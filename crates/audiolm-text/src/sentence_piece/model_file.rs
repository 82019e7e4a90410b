//! `spiece.model`: the protocol buffer that SentencePiece writes (`sentencepiece_model.proto`).

use std::path::Path;

use super::char_map::CharMap;
use super::{Vocabulary, WHAT};
use crate::TextError;
use crate::hub_file::{malformed, read as bytes_of};

/// The field numbers of the messages, as far as they are read.
mod field {
    pub const PIECE: u64 = 1;
    pub const TRAINER: u64 = 2;
    pub const NORMALIZER: u64 = 3;
    pub const PIECE_TEXT: u64 = 1;
    pub const PIECE_SCORE: u64 = 2;
    pub const PIECE_KIND: u64 = 3;
    pub const MODEL_KIND: u64 = 3;
    pub const SUFFIX_SPACES: u64 = 24;
    pub const BYTE_FALLBACK: u64 = 35;
    pub const CHAR_MAP: u64 = 2;
    pub const DUMMY_PREFIX: u64 = 3;
    pub const FEWER_SPACES: u64 = 4;
    pub const ESCAPED_SPACES: u64 = 5;
}

/// The kinds of piece.
mod kind {
    pub const NORMAL: u64 = 1;
    pub const UNKNOWN: u64 = 2;
    pub const CONTROL: u64 = 3;
    pub const UNUSED: u64 = 5;
}

/// The kind of model that is read here.
const UNIGRAM: u64 = 1;
/// The piece that follows every text.
const END: &str = "</s>";

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vocabulary, TextError> {
    let bytes = bytes_of(path)?;
    let fields = fields(&bytes).ok_or_else(|| malformed(path, WHAT, "no protocol buffer"))?;
    let mut char_map = None;
    let mut pieces = Vec::new();
    for (number, value) in &fields {
        match (*number, value) {
            (field::PIECE, Value::Bytes(message)) => pieces.push(piece(message, path)?),
            (field::TRAINER, Value::Bytes(message)) => check_trainer(message, path)?,
            (field::NORMALIZER, Value::Bytes(message)) => char_map = normalizer(message, path)?,
            _ => {}
        }
    }
    vocabulary(pieces, char_map, path)
}

/// A piece as it is written.
struct Piece {
    text: String,
    score: f32,
    kind: u64,
}

fn vocabulary(
    pieces: Vec<Piece>,
    char_map: Option<CharMap>,
    path: &Path,
) -> Result<Vocabulary, TextError> {
    let lacks = |what: &str| malformed(path, WHAT, format!("it has no {what}"));
    let place = |found: &dyn Fn(&Piece) -> bool| pieces.iter().position(found).map(|it| it as u32);
    let unknown = place(&|it| it.kind == kind::UNKNOWN).ok_or_else(|| lacks("unknown piece"))?;
    let end = place(&|it| it.kind == kind::CONTROL && it.text == END);
    let end = end.ok_or_else(|| lacks("end of texts"))?;
    let n_ids = pieces.len();
    let pieces = pieces
        .into_iter()
        .map(|it| ((it.kind == kind::NORMAL).then_some(it.text), f64::from(it.score)));
    let pieces = pieces.collect();
    Ok(Vocabulary { char_map, pieces, unknown, end, n_ids })
}

fn piece(message: &[u8], path: &Path) -> Result<Piece, TextError> {
    let damaged = || malformed(path, WHAT, "a piece is damaged");
    let mut piece = Piece { text: String::new(), score: 0.0, kind: kind::NORMAL };
    for (number, value) in fields(message).ok_or_else(damaged)? {
        match (number, value) {
            (field::PIECE_TEXT, Value::Bytes(text)) => {
                piece.text = String::from_utf8(text.to_vec()).map_err(|_| damaged())?;
            }
            (field::PIECE_SCORE, Value::Float(score)) => piece.score = score,
            (field::PIECE_KIND, Value::Number(kind)) => piece.kind = kind,
            _ => {}
        }
    }
    let kinds = [kind::NORMAL, kind::UNKNOWN, kind::CONTROL, kind::UNUSED];
    match kinds.contains(&piece.kind) {
        true => Ok(piece),
        false => Err(unsupported(path, "the kind of a piece", "1, 2, 3 or 5", piece.kind)),
    }
}

fn check_trainer(message: &[u8], path: &Path) -> Result<(), TextError> {
    for (number, value) in
        fields(message).ok_or_else(|| malformed(path, WHAT, "its settings are damaged"))?
    {
        match (number, value) {
            (field::MODEL_KIND, Value::Number(kind)) if kind != UNIGRAM => {
                return Err(unsupported(path, "model_type", "1, a unigram model", kind));
            }
            (field::BYTE_FALLBACK, Value::Number(on)) if on != 0 => {
                return Err(unsupported(path, "byte_fallback", "0", on));
            }
            (field::SUFFIX_SPACES, Value::Number(on)) if on != 0 => {
                return Err(unsupported(path, "treat_whitespace_as_suffix", "0", on));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The map of letters, of a normalizer that treats spaces as is usual.
fn normalizer(message: &[u8], path: &Path) -> Result<Option<CharMap>, TextError> {
    let damaged = |reason: String| malformed(path, WHAT, reason);
    let mut char_map = None;
    for (number, value) in
        fields(message).ok_or_else(|| damaged("its normalizer is damaged".into()))?
    {
        match (number, value) {
            (field::CHAR_MAP, Value::Bytes(map)) if !map.is_empty() => {
                char_map = Some(CharMap::parse(map).map_err(damaged)?);
            }
            (field::DUMMY_PREFIX, Value::Number(0)) => {
                return Err(unsupported(path, "add_dummy_prefix", "1", 0));
            }
            (field::FEWER_SPACES, Value::Number(0)) => {
                return Err(unsupported(path, "remove_extra_whitespaces", "1", 0));
            }
            (field::ESCAPED_SPACES, Value::Number(0)) => {
                return Err(unsupported(path, "escape_whitespaces", "1", 0));
            }
            _ => {}
        }
    }
    Ok(char_map)
}

fn unsupported(path: &Path, field: &'static str, expected: &str, found: u64) -> TextError {
    let (path, expected) = (path.to_owned(), expected.to_owned());
    TextError::Unsupported { path, field, expected, found: found.to_string() }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value<'a> {
    Number(u64),
    Float(f32),
    Bytes(&'a [u8]),
}

/// The fields of a message by number, or nothing where it is none.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut message)?),
            1 => Value::Bytes(taken(&mut message, 8)?),
            2 => {
                let length = varint(&mut message)?;
                Value::Bytes(taken(&mut message, usize::try_from(length).ok()?)?)
            }
            5 => Value::Float(f32::from_le_bytes(taken(&mut message, 4)?.try_into().ok()?)),
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

/// Seven bits a byte, the least first, up to a byte without its highest bit.
fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn taken<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart() {
        let message = [0x08, 0x96, 0x01, 0x15, 0, 0, 0x80, 0x3f, 0x1a, 2, b'h', b'i'];
        let expected = [(1, Value::Number(150)), (2, Value::Float(1.0)), (3, Value::Bytes(b"hi"))];
        assert_eq!(fields(&message).unwrap(), expected);
    }

    #[test]
    fn what_is_cut_off_is_no_message() {
        for message in [&[0x08][..], &[0x08, 0x80], &[0x15, 0, 0], &[0x1a, 3, b'h'], &[0x0b]] {
            assert_eq!(fields(message), None, "{message:?}");
        }
    }
}
