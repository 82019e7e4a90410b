//! The convolutions, which fairseq describes by an expression of Python:
//! `[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2`. It is parsed; nothing else is understood.

use super::settings::Settings;
use crate::SemanticError;

/// What fairseq takes where nothing is set.
const DEFAULT: &str = "[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2";
/// More convolutions than any model has.
const MOST: usize = 64;
const SETTING: &str = "conv_feature_layers";

/// One convolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConvLayer {
    pub(super) channels: usize,
    pub(super) kernel_size: usize,
    pub(super) stride: usize,
}

/// The convolutions of a model, the one nearest to the wave first.
pub(super) fn parsed(settings: &Settings<'_>) -> Result<Vec<ConvLayer>, SemanticError> {
    let text = settings.text(SETTING, DEFAULT)?;
    layers(text).ok_or_else(|| settings.refused(SETTING, "a list such as [(512,10,5)] * 2"))
}

fn layers(text: &str) -> Option<Vec<ConvLayer>> {
    let text: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    let mut layers = Vec::new();
    for term in text.split('+') {
        let (list, times) = match term.split_once('*') {
            Some((list, times)) => (list, times.parse().ok()?),
            None => (term, 1),
        };
        let list = list_of(list)?;
        if times > MOST || layers.len() + list.len().checked_mul(times)? > MOST {
            return None;
        }
        layers.extend((0..times).flat_map(|_| list.clone()));
    }
    Some(layers).filter(|it| !it.is_empty())
}

/// `[(c,k,s),(c,k,s)]`
fn list_of(text: &str) -> Option<Vec<ConvLayer>> {
    let inner = text.strip_prefix("[(")?.strip_suffix("]")?;
    let inner = inner.strip_suffix(',').unwrap_or(inner).strip_suffix(')')?;
    inner.split("),(").map(layer).collect()
}

fn layer(text: &str) -> Option<ConvLayer> {
    let numbers: Vec<usize> = text.split(',').map(|it| it.parse().ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [channels, kernel_size, stride] => Some(ConvLayer { channels, kernel_size, stride }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, usize, usize)]) {
        let layer = |it: &(usize, usize, usize)| ConvLayer {
            channels: it.0,
            kernel_size: it.1,
            stride: it.2,
        };
        assert_eq!(layers(text), Some(expected.iter().map(layer).collect()));
    }

    #[test]
    fn sums_and_multiples_are_understood() {
        let expected = [(512, 10, 5), (512, 3, 2), (512, 3, 2), (512, 2, 2)];
        check("[(512,10,5)] + [(512,3,2)] * 2 + [(512, 2, 2)]", &expected);
        check("[(512,10,5),(512,3,2),(512,3,2),(512,2,2)]", &expected);
    }
    #[test]
    fn anything_else_is_refused() {
        let parted = ["", "[]", "[(1,2)]", "[(1,2,3)] * x", "[(1,2,3)] - [(1,2,3)]", "exit()"];
        let long = ["[(1,2,3)] * 65", "[(1,2,3)] * 18446744073709551615"];
        for text in parted.iter().chain(&long) {
            assert_eq!(layers(text), None, "{text}");
        }
    }
}
