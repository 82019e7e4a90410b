//! Names of classes.

use std::collections::BTreeSet;

use crate::{Conditioner, Description, TextError};

/// One of a known number of names: a word, a speaker, a genre. The vector of a label is one at the
/// label's place and zero elsewhere, so that the stage's own map from it is a learnt table.
#[derive(Debug, Clone)]
pub struct Labels {
    names: Vec<String>,
}

impl Labels {
    /// Labels in their order.
    ///
    /// # Errors
    /// Where there are none, or two have one name.
    pub fn new(names: Vec<String>) -> Result<Self, TextError> {
        let distinct: BTreeSet<&String> = names.iter().collect();
        match names.is_empty() || distinct.len() < names.len() {
            true => Err(TextError::Labels { found: names }),
            false => Ok(Self { names }),
        }
    }

    /// The labels, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl Conditioner for Labels {
    fn width(&self) -> usize {
        self.names.len()
    }

    fn vectors(&self, description: &Description<'_>) -> Result<Vec<f32>, TextError> {
        let found = description.text()?.trim();
        let place = self.names.iter().position(|it| it == found);
        let Some(place) = place else {
            let (known, found) = (self.names.clone(), found.to_owned());
            return Err(TextError::UnknownLabel { known, found });
        };
        let mut row = vec![0.0; self.names.len()];
        row[place] = 1.0;
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Result<Labels, TextError> {
        Labels::new(names.iter().map(|it| it.to_string()).collect())
    }

    #[test]
    fn a_label_is_one_at_its_place() {
        let labels = labels(&["piano", "cello", "oboe"]).unwrap();
        let row = labels.vectors(&Description::Text("cello ")).unwrap();
        assert_eq!(row, [0.0, 1.0, 0.0]);
    }

    #[test]
    fn an_unknown_label_is_refused_with_those_there_are() {
        let error = labels(&["piano", "cello"]).unwrap().vectors(&Description::Text("Piano"));
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "expected one of the labels `piano`, `cello`, found `Piano`");
    }

    #[test]
    fn labels_that_are_none_are_refused() {
        assert!(labels(&[]).is_err());
        assert!(labels(&["a", "b", "a"]).is_err());
    }
}
