//! Letters that are written in several ways, in one: SentencePiece's precompiled map.
//!
//! The map is a trie of UTF-8 bytes as a double array (darts-clone), then the texts that its leaves
//! point to, each up to a zero byte. Every read is checked: the bytes come from a file.

/// A map from sequences of letters to what they are written as.
#[derive(Debug, Clone)]
pub(super) struct CharMap {
    /// The trie.
    units: Vec<u32>,
    /// The texts.
    texts: Vec<u8>,
}

/// Bytes of the number of a map's beginning, and of a unit.
const UNIT: usize = 4;

impl CharMap {
    /// Parts the bytes of a map, or says what is wrong with them.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (size, rest) =
            bytes.split_first_chunk::<UNIT>().ok_or("a map of letters is cut off")?;
        let size = u32::from_le_bytes(*size) as usize;
        if size > rest.len() || !size.is_multiple_of(UNIT) {
            return Err(format!("a trie of {size} bytes in a map of {}", rest.len()));
        }
        let (trie, texts) = rest.split_at(size);
        let units =
            trie.chunks_exact(UNIT).map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]]));
        Ok(Self { units: units.collect(), texts: texts.to_vec() })
    }

    /// The text with each longest sequence that the map knows replaced.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut written = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let length = match self.longest(rest) {
                Some((length, text)) => {
                    written.push_str(text);
                    length
                }
                None => {
                    written.push(letter);
                    letter.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        written
    }

    /// Bytes of the longest beginning of `text` that the map knows, and what it is written as.
    fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut place = offset(*self.units.first()?);
        let mut found = None;
        for (at, byte) in text.bytes().enumerate() {
            place ^= usize::from(byte);
            let Some(unit) = self.units.get(place).copied() else { break };
            if label(unit) != u32::from(byte) {
                break;
            }
            place ^= offset(unit);
            if has_leaf(unit) && text.is_char_boundary(at + 1) {
                let value = self.units.get(place).map(|it| (it & 0x7fff_ffff) as usize);
                found = value.and_then(|it| self.text(it)).map(|it| (at + 1, it)).or(found);
            }
        }
        found
    }

    fn text(&self, start: usize) -> Option<&str> {
        let rest = self.texts.get(start..)?;
        let end = rest.iter().position(|it| *it == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    }
}

/// How far a unit's children are.
fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}

/// The byte that leads to a unit; no byte at all, where the unit is a leaf.
fn label(unit: u32) -> u32 {
    unit & ((1 << 31) | 0xff)
}

fn has_leaf(unit: u32) -> bool {
    (unit >> 8) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_map_is_refused() {
        assert!(CharMap::parse(&[1, 0]).is_err());
        assert!(CharMap::parse(&[8, 0, 0, 0, 1, 2, 3, 4]).is_err());
        assert!(CharMap::parse(&[3, 0, 0, 0, 1, 2, 3, 4]).is_err());
    }

    #[test]
    fn an_empty_map_changes_nothing() {
        let map = CharMap::parse(&[0, 0, 0, 0]).unwrap();
        assert_eq!(map.apply("ﬁ…é"), "ﬁ…é");
    }
}
