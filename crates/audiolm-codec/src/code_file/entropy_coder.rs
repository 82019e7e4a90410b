//! Codes as range coding.

use constriction::stream::queue::{DefaultRangeDecoder, DefaultRangeEncoder};
use constriction::stream::{Decode, Encode};

use super::adaptive_model::AdaptiveModel;
use super::header::require;
use crate::{CodeFileError, CodeFileHeader};

/// Counts of all models: they must not take memory that a file does not warrant.
const MOST_COUNTS: u64 = 1 << 22;

/// One model for each quantizer.
#[derive(Debug, Clone)]
pub(super) struct EntropyCoder {
    models: Vec<AdaptiveModel>,
}

impl EntropyCoder {
    /// For the codes of a file.
    pub(super) fn new(header: &CodeFileHeader) -> Result<Self, CodeFileError> {
        let n_quantizers = u64::from(header.n_quantizers);
        let counts = n_quantizers * u64::from(header.codebook_size);
        let expected = "at most 4194304 for this packing";
        require(counts <= MOST_COUNTS, "entries of all codebooks", expected, counts)?;
        let model = AdaptiveModel::new(header.codebook_size);
        Ok(Self { models: vec![model; usize::from(header.n_quantizers)] })
    }

    /// The words of codes `[frame][quantizer]`.
    pub(super) fn encode(&mut self, codes: &[u32]) -> Vec<u32> {
        let mut encoder = DefaultRangeEncoder::new();
        for (code, quantizer) in codes.iter().zip((0..self.models.len()).cycle()) {
            let model = &mut self.models[quantizer];
            encoder.encode_symbol(code, &*model).expect("codes are below the codebook's size");
            model.learn(*code);
        }
        let Ok(words) = encoder.into_compressed();
        words
    }

    /// The reverse of [`encode`](Self::encode); none where the words hold other codes.
    pub(super) fn decode(&mut self, words: Vec<u32>, n_codes: usize) -> Option<Vec<u32>> {
        let Ok(mut decoder) = DefaultRangeDecoder::from_compressed(words);
        let mut codes = Vec::new();
        for quantizer in (0..self.models.len()).cycle().take(n_codes) {
            let model = &mut self.models[quantizer];
            let code = decoder.decode_symbol(&*model).ok()?;
            model.learn(code);
            codes.push(code);
        }
        decoder.maybe_exhausted().then_some(codes)
    }

    /// Takes note of codes that were written otherwise.
    pub(super) fn learn(&mut self, codes: &[u32]) {
        for (code, quantizer) in codes.iter().zip((0..self.models.len()).cycle()) {
            self.models[quantizer].learn(*code);
        }
    }
}
