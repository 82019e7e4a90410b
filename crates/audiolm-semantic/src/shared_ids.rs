//! Neighbouring frames that share an id.

use burn::prelude::*;

/// The means of each `n` frames, the last of those that are left: what is clustered where frames share an
/// id.
///
/// # Shapes
/// - features: `[batch, time, width]`
/// - output: `[batch, ceil(time / n), width]`
pub fn means_of_frames(features: Tensor<3>, n: usize) -> Tensor<3> {
    let [batch, time, width] = features.dims();
    if n == 1 {
        return features;
    }
    let (full, left) = (time / n, time % n);
    let mut means = Vec::new();
    if full > 0 {
        let groups = features.clone().slice_dim(1, ..full * n).reshape([batch, full, n, width]);
        means.push(groups.mean_dim(2).squeeze_dim(2));
    }
    if left > 0 {
        means.push(features.slice_dim(1, full * n..).mean_dim(1));
    }
    Tensor::cat(means, 1)
}

/// Each of the groups as often as it has frames, of which there are `time`.
///
/// # Shapes
/// - groups: `[batch, ceil(time / n), width]`
/// - output: `[batch, time, width]`
pub(crate) fn repeated(groups: Tensor<3>, n: usize, time: usize) -> Tensor<3> {
    let [batch, n_groups, width] = groups.dims();
    if n == 1 {
        return groups;
    }
    let frames = groups.unsqueeze_dim::<4>(2).expand([batch, n_groups, n, width]);
    frames.reshape([batch, n_groups * n, width]).slice_dim(1, ..time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_their_means_and_the_last_frame_stays() {
        let device = Device::default();
        let features = Tensor::<3>::from_floats([[[1.0], [3.0], [5.0], [9.0], [4.0]]], &device);
        let groups = means_of_frames(features, 2);
        assert_eq!(groups.to_data(), TensorData::from([[[2.0_f32], [7.0], [4.0]]]));
        let expected = TensorData::from([[[2.0_f32], [2.0], [7.0], [7.0], [4.0]]]);
        assert_eq!(repeated(groups, 2, 5).to_data(), expected);
    }
}
