//! T5 (Raffel et al. 2020, arXiv 1910.10683): the encoder of text, as published.

mod config;
mod encoder;

use std::path::Path;

use burn::prelude::*;

pub use config::T5Config;
pub use encoder::T5Encoder;

use crate::{Conditioner, Description, SentencePiece, TextError};

/// Captions as T5 encodes them: a vector for each piece of the text and one for its end.
#[derive(Debug, Clone)]
pub struct T5 {
    encoder: T5Encoder,
    pieces: SentencePiece,
}

impl T5 {
    /// Reads a folder as Hugging Face has it: `config.json`, the weights (`model.safetensors`,
    /// `pytorch_model.bin` or several of either with an index), and the tokenizer (`tokenizer.json`
    /// or `spiece.model`).
    ///
    /// # Errors
    /// Where a file is missing or damaged, they do not fit one another, or describe a variant that
    /// is not implemented.
    pub fn load_from(folder: &Path, device: &Device) -> Result<Self, TextError> {
        let pieces = SentencePiece::load_from(folder)?;
        let encoder = T5Encoder::load_from(folder, device)?;
        // Published vocabularies are filled up to round numbers; the tokenizer's may be smaller.
        let (most, found) = (encoder.config().vocab_size, pieces.n_ids());
        match found <= most {
            true => Ok(Self { encoder, pieces }),
            false => Err(TextError::Unsupported {
                path: folder.to_owned(),
                field: "the tokenizer's number of ids",
                expected: format!("at most {most}, the encoder's"),
                found: found.to_string(),
            }),
        }
    }
}

impl Conditioner for T5 {
    fn width(&self) -> usize {
        self.encoder.config().d_model
    }

    fn vectors(&self, description: &Description<'_>) -> Result<Vec<f32>, TextError> {
        let ids: Vec<i32> =
            self.pieces.ids(description.text()?).into_iter().map(|it| it as i32).collect();
        let n = ids.len();
        let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &self.encoder.device());
        let vectors = self.encoder.forward(ids.reshape([1, n]), &[n]);
        Ok(vectors.into_data().convert::<f32>().try_to_vec().expect("floats, as just made"))
    }
}
