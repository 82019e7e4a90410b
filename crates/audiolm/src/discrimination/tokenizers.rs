//! What is measured.

use std::path::Path;

use audiolm_codec::{Codec, SoundStream};
use audiolm_pipeline::{Bundle, Part};
use audiolm_semantic::SemanticTokenizer;
use burn::prelude::*;

use super::DiscriminationError;

/// A semantic tokenizer, and a codec whose codes are measured beside its tokens.
#[derive(Debug, Clone)]
pub struct Tokenizers {
    pub(super) semantic: SemanticTokenizer,
    pub(super) codec: Option<SoundStream>,
    pub(super) device: Device,
}

impl Tokenizers {
    /// Those of a bundle. A codec that is not a SoundStream is left out.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn of_bundle(bundle: &Bundle, device: &Device) -> Result<Self, DiscriminationError> {
        let part = |it: Part| bundle.folder().join(it.folder());
        let codec = Codec::load_from(&part(Part::Codec), device)?;
        let codec = codec.as_sound_stream().map(|(_, codec)| codec.clone());
        Ok(Self { codec, ..Self::semantic(&part(Part::SemanticTokenizer), device)? })
    }

    /// A semantic tokenizer alone.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn semantic(folder: &Path, device: &Device) -> Result<Self, DiscriminationError> {
        let semantic = SemanticTokenizer::load(folder, device)?;
        Ok(Self { semantic, codec: None, device: device.clone() })
    }
}
