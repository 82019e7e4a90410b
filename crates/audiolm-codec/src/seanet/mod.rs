//! The convolutional network that EnCodec and Mimi share: SEANet (Tagliasacchi et al. 2020,
//! arXiv 2009.02095), as in arXiv 2210.13438, section 3.1.

mod conv;
mod conv_transpose;
mod lstm;
mod network;
mod residual_block;
mod residual_codebooks;

pub(crate) use conv::{Edge, EdgedConv, EdgedConvState};
pub(crate) use conv_transpose::{UpsamplingConv, UpsamplingConvState};
pub(crate) use network::{Seanet, SeanetConfig, SeanetState, Shortcut};
pub(crate) use residual_codebooks::ResidualCodebooks;
