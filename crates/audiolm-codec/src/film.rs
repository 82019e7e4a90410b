//! Denoising on request: feature-wise linear modulation (FiLM).

use burn::module::{Initializer, Param};
use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// Whether a codec is to leave background noise out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Denoise {
    /// Everything that is heard is coded.
    #[default]
    Off,
    /// Noise is left out.
    On,
}

/// Where a codec leaves noise out (arXiv 2107.03312, section III-F).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilmSide {
    /// Before the encoder's last convolution: the codes hold no noise.
    Encoder,
    /// After the decoder's first convolution: the codes hold the noise, the listener chooses.
    Decoder,
}

/// Scales and shifts each channel by what a [`Denoise`] says (arXiv 2107.03312, section III-F).
///
/// The paper's γ and β come from a linear layer on a one-hot vector of two numbers; the rows of its
/// matrix are the tables here. Before training both rows leave the signal as it is.
#[derive(Module, Debug)]
pub struct Film {
    /// γ: `[2, channels]`
    scales: Param<Tensor<2>>,
    /// β: `[2, channels]`
    shifts: Param<Tensor<2>>,
}

impl Film {
    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self {
            scales: Initializer::Ones.init([2, channels], device),
            shifts: Initializer::Zeros.init([2, channels], device),
        }
    }

    /// # Shapes
    /// - hidden and output: `[batch, time, channels]`
    /// - denoise: one for each example
    ///
    /// # Panics
    /// On any other shape.
    pub(crate) fn forward(&self, hidden: Tensor<3>, denoise: &[Denoise]) -> Tensor<3> {
        let [batch, _, _] = hidden.dims();
        assert_eq!(denoise.len(), batch, "one choice for each example");
        let rows: Vec<i32> = denoise.iter().map(|it| *it as i32).collect();
        let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &hidden.device());
        let of = |table: &Param<Tensor<2>>| table.val().select(0, rows.clone()).unsqueeze_dim(1);
        hidden * of(&self.scales) + of(&self.shifts)
    }
}

/// What `film` makes of `hidden`, which is `hidden` itself where there is none.
///
/// # Panics
/// Where noise is to be left out and there is no `film` to do it.
pub(crate) fn modulated(film: Option<&Film>, hidden: Tensor<3>, denoise: &[Denoise]) -> Tensor<3> {
    match film {
        Some(film) => film.forward(hidden, denoise),
        None => {
            let asked = denoise.contains(&Denoise::On);
            assert!(!asked, "this side of the codec has no FiLM layer to leave noise out with");
            hidden
        }
    }
}
