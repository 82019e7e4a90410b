//! From frames to letters or phones, and how many of them are wrong.

/// Letters or phones that were to be spelt, and those that were spelt wrongly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpellingErrors {
    /// Symbols to be put in, taken out or replaced.
    pub wrong: usize,
    /// Symbols of what is said.
    pub symbols: usize,
}

impl SpellingErrors {
    /// Of a spelling (Levenshtein 1966).
    pub fn of(spelt: &[usize], said: &[usize]) -> Self {
        let mut distances: Vec<usize> = (0..=said.len()).collect();
        for (row, guess) in spelt.iter().enumerate() {
            let mut before = row;
            distances[0] = row + 1;
            for (column, symbol) in said.iter().enumerate() {
                let replaced = before + usize::from(guess != symbol);
                before = distances[column + 1];
                distances[column + 1] = replaced.min(before + 1).min(distances[column] + 1);
            }
        }
        Self { wrong: distances[said.len()], symbols: said.len() }
    }

    /// Those of both.
    pub fn plus(self, other: Self) -> Self {
        Self { wrong: self.wrong + other.wrong, symbols: self.symbols + other.symbols }
    }

    /// Wrong symbols for each that is said: 1 for one who says nothing.
    pub fn rate(self) -> f64 {
        self.wrong as f64 / self.symbols.max(1) as f64
    }
}

/// What frames say: the class of each, without repeats, then without blanks.
pub(super) fn spelt(classes: &[i64]) -> Vec<usize> {
    let mut runs = classes.to_vec();
    runs.dedup();
    runs.into_iter().filter(|it| *it != 0).map(|it| it as usize).collect()
}

/// The fewest frames that can spell these symbols: between two equal ones there has to be a blank.
pub fn frames_to_spell(symbols: &[usize]) -> usize {
    symbols.len() + symbols.windows(2).filter(|it| it[0] == it[1]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_one_symbol_unless_a_blank_is_between() {
        assert_eq!(spelt(&[0, 3, 3, 0, 3, 1, 1, 0]), [3, 3, 1]);
        assert_eq!(frames_to_spell(&[3, 3, 1]), 4);
        assert_eq!(spelt(&[0, 0]), [0usize; 0]);
    }

    #[test]
    fn errors_are_the_fewest_changes() {
        let wrong = |spelt: &[usize], said: &[usize]| SpellingErrors::of(spelt, said).wrong;
        assert_eq!(wrong(&[], &[1, 2]), 2);
        assert_eq!(wrong(&[1, 2, 3], &[1, 3]), 1);
        // kitten, sitting
        assert_eq!(wrong(&[11, 9, 20, 20, 5, 14], &[19, 9, 20, 20, 9, 14, 7]), 3);
        let both = SpellingErrors::of(&[1], &[1, 2]).plus(SpellingErrors::of(&[5], &[5, 5]));
        assert_eq!(both, SpellingErrors { wrong: 2, symbols: 4 });
        assert_eq!(both.rate(), 0.5);
    }
}
