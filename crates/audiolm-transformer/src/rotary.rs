//! Positions as angles (RoPE; Su et al. 2021, "RoFormer", arXiv 2104.09864).
//!
//! Every head's features are taken in pairs, and each pair is turned by an angle that grows with
//! the position, the first fast and the last slowly (section 3.2.2). The product of a query and a
//! key then depends on how far they stand apart alone. As in most models since, the pairs are a
//! feature of the first half and its like in the second.

use burn::prelude::*;

/// What the slowest pair's period is in proportion to the fastest's, but for one step.
const BASE: f64 = 10_000.0;

/// The angles of consecutive positions: `[1, 1, time, d_head / 2]` each.
#[derive(Debug, Clone)]
pub(crate) struct Angles {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl Angles {
    /// Those of the first `time` positions.
    pub(crate) fn new(time: usize, d_head: usize, device: &Device) -> Self {
        let rate = |pair: usize| BASE.powf(-2.0 * pair as f64 / d_head as f64);
        let at = |position: usize| (0..d_head / 2).map(move |pair| position as f64 * rate(pair));
        let angles: Vec<f64> = (0..time).flat_map(at).collect();
        // In double precision up to here, for far positions make great angles.
        let of = |part: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|it| part(*it) as f32).collect();
            Tensor::<1>::from_data(values.as_slice(), device).reshape([1, 1, time, d_head / 2])
        };
        Self { cos: of(f64::cos), sin: of(f64::sin) }
    }

    /// Those of `time` positions from `start` on.
    pub(crate) fn slice(&self, start: usize, time: usize) -> Self {
        let part = |it: &Tensor<4>| it.clone().slice_dim(2, start..start + time);
        Self { cos: part(&self.cos), sin: part(&self.sin) }
    }

    /// Turns features by these angles.
    ///
    /// # Shapes
    /// - features, output: `[batch, heads, time, d_head]`
    pub(crate) fn turn(&self, features: Tensor<4>) -> Tensor<4> {
        let half = features.dims()[3] / 2;
        let first = features.clone().slice_dim(3, 0..half);
        let second = features.slice_dim(3, half..2 * half);
        let turned = [
            first.clone() * self.cos.clone() - second.clone() * self.sin.clone(),
            second * self.cos.clone() + first * self.sin.clone(),
        ];
        Tensor::cat(turned.into(), 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::check_close;

    const D_HEAD: usize = 8;

    /// The same features at every position, turned.
    fn turned(n_positions: usize) -> Tensor<4> {
        let device = Device::default();
        let features = Tensor::<1>::from_data([0.3, -1.0, 0.7, 0.1, 0.9, -0.4, 0.2, 1.1], &device);
        let features = features.reshape([1, 1, 1, D_HEAD]);
        Angles::new(n_positions, D_HEAD, &device).turn(features.expand([1, 1, n_positions, D_HEAD]))
    }

    #[test]
    fn only_distances_count() {
        let turned = turned(900);
        let product = |query: usize, key: usize| {
            let at = |position| turned.clone().slice_dim(2, position..position + 1);
            (at(query) * at(key)).sum().into_scalar::<f32>()
        };
        check_close(&[product(7, 2), product(600, 500)], &[product(805, 800), product(899, 799)]);
        assert!((product(7, 2) - product(7, 3)).abs() > 0.1);
    }

    #[test]
    fn the_first_position_is_not_turned() {
        let turned: Vec<f32> = turned(1).into_data().try_to_vec().unwrap();
        check_close(&turned, &[0.3, -1.0, 0.7, 0.1, 0.9, -0.4, 0.2, 1.1]);
    }
}
