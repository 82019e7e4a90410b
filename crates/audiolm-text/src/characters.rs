//! Text letter by letter, for those who have no encoder of it.

use std::f32::consts::TAU;

use crate::{Conditioner, Description, TextError};

/// Kinds of byte.
const BYTES: usize = 256;
/// Waves that tell the places of letters, each by its sine and its cosine.
const WAVES: usize = 8;
/// Letters of one turn of the slowest wave: texts are shorter.
const LONGEST_TURN: f32 = 1024.0;
/// Letters of one turn of the fastest.
const SHORTEST_TURN: f32 = 4.0;

/// Text spelt out: one vector for each byte of its UTF-8, which says which byte it is and where it
/// stands.
///
/// The stage's own map from these vectors is a learnt table of letters, so nothing else has to be
/// learnt or loaded. The place is told by sines and cosines (Vaswani et al. 2017, arXiv 1706.03762,
/// section 3.5), because attention alone does not know "on" from "no". Upper and lower case are
/// one, and so is all white space.
#[derive(Debug, Clone, Copy)]
pub struct Characters;

impl Characters {
    /// Features of a vector.
    pub const WIDTH: usize = BYTES + 2 * WAVES;
}

impl Conditioner for Characters {
    fn width(&self) -> usize {
        Self::WIDTH
    }

    fn vectors(&self, description: &Description<'_>) -> Result<Vec<f32>, TextError> {
        let text = normalized(description.text()?);
        if text.is_empty() {
            return Err(TextError::Empty { expected: "a text" });
        }
        Ok(text.bytes().enumerate().flat_map(|(place, byte)| vector(place, byte)).collect())
    }
}

/// One case, single spaces, none at the ends.
fn normalized(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Of length one for the byte, and of as much for its place.
fn vector(place: usize, byte: u8) -> Vec<f32> {
    let mut vector = vec![0.0; BYTES];
    vector[usize::from(byte)] = 1.0;
    for wave in 0..WAVES {
        let share = wave as f32 / (WAVES - 1) as f32;
        let turn = SHORTEST_TURN * (LONGEST_TURN / SHORTEST_TURN).powf(share);
        let angle = TAU * place as f32 / turn;
        let scale = (WAVES as f32).powf(-0.5);
        vector.extend([scale * angle.sin(), scale * angle.cos()]);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<f32>> {
        let values = Characters.vectors(&Description::Text(text)).unwrap();
        values.chunks(Characters::WIDTH).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn case_and_white_space_say_nothing() {
        assert_eq!(rows(" Twenty\n ONE"), rows("twenty one"));
    }

    #[test]
    fn the_same_letters_in_another_order_are_another_text() {
        let sorted = |text| {
            let mut rows = rows(text);
            rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
            rows
        };
        assert_ne!(sorted("on"), sorted("no"));
    }

    #[test]
    fn every_place_is_told_from_every_other() {
        let text = "a".repeat(LONGEST_TURN as usize - 1);
        let rows = rows(&text);
        let apart =
            |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum() };
        for (place, row) in rows.iter().enumerate().skip(1) {
            assert!(apart(row, &rows[0]) > 1e-3, "{place}");
        }
    }

    #[test]
    fn any_script_is_spelt() {
        assert_eq!(rows("été").len(), 5);
    }

    #[test]
    fn an_empty_text_is_refused() {
        let refusal = Characters.vectors(&Description::Text(" \t")).unwrap_err();
        assert!(matches!(refusal, TextError::Empty { .. }), "{refusal}");
    }
}
