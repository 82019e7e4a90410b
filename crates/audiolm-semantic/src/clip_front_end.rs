//! The front end on a CPU: clip by clip, so that the norm over a clip's time costs no pass over what is
//! convolved, and some seconds at a time, so that nothing between the convolutions is as long as the clip.

use audiolm_nn::{gelu, native_windows_product};
use burn::prelude::*;

use crate::clips::Clips;
use crate::front_end::{ConvLayer, FrontEnd};
use crate::window_moments::WindowMoments;
use crate::{FrameGeometry, FrontEndNorm};

/// Frames at a time: ten seconds. Shorter products are slower.
const FRAMES: usize = 500;

/// The first convolution for one clip, with the norm over the clip's time in it.
struct NormalisingConv {
    /// `[kernel_size, 1, channels]`
    taps: Tensor<3>,
    /// `[channels]`
    bias: Tensor<1>,
    stride: usize,
}

impl FrontEnd {
    /// The features of each frame: `[batch, time, channels]`. Behind the end of a clip there are zeros.
    pub(crate) fn clip_by_clip(&self, clips: &Clips) -> Tensor<3> {
        let layers = self.layers.iter().map(|it| it.conv.kernel_and_stride());
        let geometry = FrameGeometry::of_layers(layers);
        let longest = geometry.frames(clips.wave().dims()[1]);
        let features = clips.one_by_one().map(|clip| {
            let features = self.in_blocks(clip.wave().clone(), geometry);
            let missing = longest - features.dims()[1];
            if missing == 0 { features } else { features.pad([(0, missing), (0, 0)], 0.0) }
        });
        Tensor::cat(features.collect(), 0)
    }

    /// The features of a clip `[1, samples]`.
    fn in_blocks(&self, wave: Tensor<2>, geometry: FrameGeometry) -> Tensor<3> {
        let FrameGeometry { window_samples, hop_samples } = geometry;
        let n_frames = geometry.frames(wave.dims()[1]);
        assert!(n_frames > 0, "{} samples: too short for a frame", wave.dims()[1]);
        let normalising = self.layers[0].for_clip(&wave);
        let block = |start: usize| {
            let end = (start + FRAMES).min(n_frames);
            let samples = start * hop_samples..(end - 1) * hop_samples + window_samples;
            let samples = wave.clone().slice_dim(1, samples).unsqueeze_dim(2);
            let entered = match &normalising {
                Some(first) => gelu(first.forward(&samples)),
                None => self.layers[0].forward(samples, None),
            };
            self.layers[1..].iter().fold(entered, |it, layer| layer.forward(it, None))
        };
        Tensor::cat((0..n_frames).step_by(FRAMES).map(block).collect(), 1)
    }
}

impl ConvLayer {
    /// The convolution of the first layer for a clip `[1, samples]`, where it has a norm over time.
    ///
    /// A convolution is linear, so mean and variance of a channel follow from those of the windows that
    /// it sees, before anything is convolved; and a norm that knows them is a scale of the taps and a
    /// bias.
    fn for_clip(&self, wave: &Tensor<2>) -> Option<NormalisingConv> {
        let norm = self.norm.as_ref().filter(|it| it.over() == FrontEndNorm::Clip)?;
        let (kernel_size, stride) = self.conv.kernel_and_stride();
        let moments = WindowMoments::of(&host(wave.clone()), [kernel_size, stride]);
        let weight = host(self.conv.weight.val());
        let affine =
            norm.affine_of(weight.chunks_exact(kernel_size).map(|it| moments.of_filter(it)));
        let scaled = weight.chunks_exact(kernel_size).zip(&affine);
        let scaled = scaled.flat_map(|(taps, affine)| taps.iter().map(|it| it * affine.scale));
        let shape = self.conv.weight.dims();
        let weight = TensorData::new(scaled.collect::<Vec<f32>>(), shape);
        let bias: Vec<f32> = affine.iter().map(|it| it.offset).collect();
        Some(NormalisingConv {
            taps: Tensor::<3>::from_data(weight, &wave.device()).permute([2, 1, 0]),
            bias: Tensor::from_floats(bias.as_slice(), &wave.device()),
            stride,
        })
    }
}

impl NormalisingConv {
    /// `[1, samples, 1]` to `[1, time, channels]`.
    fn forward(&self, samples: &Tensor<3>) -> Tensor<3> {
        native_windows_product(samples, &self.taps, Some(self.bias.clone()), self.stride)
            .expect("a backend with kernels multiplies windows")
    }
}

pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().expect("numbers")
}
