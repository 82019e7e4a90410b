//! The outputs of some layers out of many, from one pass.

use burn::prelude::*;

/// What leaves each of the `layers`, in their order; 0 is what enters the first. `run` gives what
/// leaves a layer, counted from 1, from what enters it; layers above the highest are not run, and
/// of the others only what is asked for is kept.
pub(crate) fn tapped(
    entered: Tensor<3>,
    layers: &[usize],
    run: impl Fn(usize, Tensor<3>) -> Tensor<3>,
) -> Vec<Tensor<3>> {
    let Some(&top) = layers.iter().max() else { return vec![] };
    let mut outputs = vec![None; layers.len()];
    let mut hidden = entered;
    for layer in 0..=top {
        if layer > 0 {
            hidden = run(layer, hidden);
        }
        for (output, _) in outputs.iter_mut().zip(layers).filter(|it| *it.1 == layer) {
            *output = Some(hidden.clone());
        }
    }
    outputs.into_iter().map(|it| it.expect("every layer up to the highest was run")).collect()
}
