//! What the codec begins with: fresh weights and codebooks fitted to them, or a trained codec.

use std::path::{Path, PathBuf};

use audiolm_codec::{SoundStream, SoundStreamConfig};
use audiolm_nn::generator;
use burn::module::Module;
use burn::prelude::*;

use super::crops::Crops;
use crate::{CodecSettings, Learns, Measures, Observer, TrainError};

/// Vectors for each entry of a codebook that the initialisation by k-means looks at. The encoder that makes
/// them changes from the first step on, so more of them would cost time before it and be outdated after it.
const VECTORS_PER_ENTRY: usize = 32;

/// `codec` with codebooks that fit what its untrained encoder makes of the first batches (arXiv
/// 2107.03312, section III-C).
pub(crate) fn with_fitted_codebooks(
    codec: &SoundStream,
    crops: &Crops<'_>,
    settings: &CodecSettings,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<SoundStream, TrainError> {
    let quantizers = settings.model.quantizer.n_quantizers() as u64;
    let wanted = VECTORS_PER_ENTRY * settings.model.quantizer.codebook_size();
    let codec = codec.valid();
    let device = codec.devices().into_iter().next().expect("a codec has weights");
    let mut vectors = Vec::new();
    for batch in 0..wanted.div_ceil(settings.vectors_per_batch()) as u64 {
        vectors.push(codec.embed(crops.batch(seed, "codebooks", batch, &device)?));
    }
    let rng = &mut generator(seed, "codebooks", 0);
    observer.begin("codec: codebooks", 0, quantizers);
    let fitted = codec.fit_codebooks(Tensor::cat(vectors, 0), rng, |done| {
        observer.advance(done as u64, &Measures::default());
    });
    observer.end();
    Ok(fitted.train())
}

/// The codec of the folder that the settings name, behind the decoder of `fresh` where the settings
/// want another than the folder's.
pub(crate) fn trained_before(
    fresh: SoundStream,
    settings: &CodecSettings,
    device: &Device,
) -> Result<SoundStream, TrainError> {
    let folder = codec_folder(&settings.init_from);
    let found = SoundStreamConfig::load_from(&folder)?;
    let mut comparable = found.clone();
    if settings.learns == Learns::Decoder {
        comparable.decoder_channels = settings.model.decoder_channels;
    }
    if comparable != settings.model {
        return Err(TrainError::Setting {
            setting: "codec.model".to_owned(),
            expected: format!("that of {}, {found:?}", folder.display()),
            found: format!("{:?}", settings.model),
        });
    }
    let trained = SoundStream::load_from(&folder, device)?;
    Ok(match found == settings.model {
        true => trained,
        false => fresh.with_codes_of(trained),
    })
}

/// The folder itself, or that of the codec in a bundle.
fn codec_folder(folder: &Path) -> PathBuf {
    let within = folder.join("codec");
    if within.join("config.json").is_file() { within } else { folder.to_owned() }
}
