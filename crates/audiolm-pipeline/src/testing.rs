//! Models that know nothing, small enough for tests and examples.

use std::path::Path;

use audiolm_codec::{CodecConfig, CodecSpec, QuantizerConfig, SoundStream, SoundStreamConfig};
use audiolm_nn::{Precision, fingerprint, generator};
use audiolm_semantic::{Clustering, ConvLayerConfig, HubertConfig, SemanticTokenizer};
use audiolm_transformer::{
    CoarseStageConfig, DecoderConfig, FineStageConfig, ParallelStageConfig, SemanticStageConfig,
};
use burn::prelude::*;
use burn::tensor::Distribution;

use crate::assemble::{part_folder, save_stage};
use crate::lineage::{LINEAGE_FILE, Lineage};
use crate::part::{CONFIG_FILE, WEIGHTS_FILE};
use crate::{AssembleOptions, Bundle, BundleError, Part, WindowFrames, assemble, files, json};

/// Semantic ids of the tiny models.
pub const N_IDS: usize = 6;
/// Quantizers of the tiny codec; the first [`N_COARSE`] are coarse.
pub const N_QUANTIZERS: usize = 4;
/// Coarse quantizers.
pub const N_COARSE: usize = 2;
/// Codes of each quantizer.
pub const CODEBOOK_SIZE: usize = 16;
/// Windows of 0.8, 0.4, 0.3 and 0.4 s.
pub const WINDOW_FRAMES: WindowFrames =
    WindowFrames { semantic: 40, coarse: 20, fine: 15, parallel: Some(20) };

/// Assembles a bundle of fresh models in a new folder `out`.
pub fn tiny_bundle(out: &Path, device: &Device) -> Result<Bundle, BundleError> {
    let unwritable = |source| BundleError::Unwritable { path: out.to_owned(), source };
    let export = tempfile::tempdir().map_err(unwritable)?;
    tiny_export(export.path(), device)?;
    assemble(export.path(), out, &tiny_options(), device)
}

/// How [`tiny_bundle`] assembles.
pub fn tiny_options() -> AssembleOptions {
    AssembleOptions {
        name: "tiny".to_owned(),
        precision: Precision::Full,
        window_frames: WINDOW_FRAMES,
        prompt: None,
    }
}

/// Writes fresh models into an existing folder, as a training run exports them.
pub fn tiny_export(folder: &Path, device: &Device) -> Result<(), BundleError> {
    let config = codec_config();
    let at = part_folder(folder, Part::Codec)?;
    codec(&config, device)?.save_to(&at, &config, Precision::Full)?;
    write_others(folder, device)
}

/// The same with the codec of another folder.
pub fn tiny_export_with(folder: &Path, codec: &Path, device: &Device) -> Result<(), BundleError> {
    let at = part_folder(folder, Part::Codec)?;
    for name in [CONFIG_FILE, WEIGHTS_FILE] {
        let path = at.join(name);
        std::fs::write(&path, files::read(&codec.join(name))?)
            .map_err(|source| BundleError::Unwritable { path, source })?;
    }
    write_others(folder, device)
}

/// The tokenizer, and stages for the codec that is there.
fn write_others(folder: &Path, device: &Device) -> Result<(), BundleError> {
    let at = |part| part_folder(folder, part);
    tokenizer(device)?.save(&at(Part::SemanticTokenizer)?, Precision::Full)?;
    let CodecSpec { n_quantizers, codebook_size, .. } =
        CodecConfig::load_from(&at(Part::Codec)?)?.spec();

    let config = SemanticStageConfig::new(decoder(), N_IDS).with_max_duration(4);
    let stage = config.init(device).map_err(refused(Part::Semantic))?;
    save_stage(&stage, &config, &at(Part::Semantic)?, Precision::Full)?;

    let config = CoarseStageConfig::new(decoder(), N_IDS, N_COARSE, codebook_size);
    let stage = config.init(device).map_err(refused(Part::Coarse))?;
    save_stage(&stage, &config, &at(Part::Coarse)?, Precision::Full)?;

    write_fine(folder, n_quantizers, device)
}

/// Writes fresh fine and parallel stages for the first `n_quantizers` of the codec that is there.
pub fn write_fine(folder: &Path, n_quantizers: usize, device: &Device) -> Result<(), BundleError> {
    let CodecSpec { codebook_size, .. } =
        CodecConfig::load_from(&part_folder(folder, Part::Codec)?)?.spec();
    let config = FineStageConfig::new(decoder(), n_quantizers, N_COARSE, codebook_size);
    let stage = config.init(device).map_err(refused(Part::Fine))?;
    save_stage(&stage, &config, &part_folder(folder, Part::Fine)?, Precision::Full)?;

    let config = ParallelStageConfig::new(decoder(), N_IDS, n_quantizers, codebook_size);
    let stage = config.init(device).map_err(refused(Part::Parallel))?;
    save_stage(&stage, &config, &part_folder(folder, Part::Parallel)?, Precision::Full)?;
    write_lineage(folder)
}

/// Names, in every stage, the models that are in the folder now.
pub fn write_lineage(folder: &Path) -> Result<(), BundleError> {
    for stage in Part::STAGES.into_iter().filter(|it| it.is_in(folder)) {
        let print = |of: &Part| Ok((*of, fingerprint(&folder.join(of.folder()))?));
        let lineage: Lineage =
            stage.learns_from().iter().map(print).collect::<Result<_, BundleError>>()?;
        json::save(&lineage, &folder.join(stage.folder()).join(LINEAGE_FILE))?;
    }
    Ok(())
}

fn refused(part: Part) -> impl FnOnce(audiolm_transformer::ConfigError) -> BundleError {
    move |source| BundleError::Stage { part, source }
}

fn decoder() -> DecoderConfig {
    DecoderConfig::new(16, 1, 2, 32)
}

fn tokenizer(device: &Device) -> Result<SemanticTokenizer, BundleError> {
    let layers = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];
    let layers = layers.map(|(kernel, stride)| ConvLayerConfig::new(8, kernel, stride));
    let config = HubertConfig::new(layers.to_vec(), 16, 1, 2, 32)
        .with_position_kernel_size(8)
        .with_position_groups(2)
        .with_dropout(0.0);
    let encoder = config.init(device).map_err(audiolm_semantic::SemanticError::from)?;
    let features = encoder.features(noise([4, 4000], device), 1).flatten(0, 1);
    let clustering = Clustering::fit(features, N_IDS, 5, &mut generator(0, "k-means", 0));
    Ok(SemanticTokenizer::new(&config, encoder, 1, clustering)?)
}

fn codec_config() -> SoundStreamConfig {
    SoundStreamConfig {
        encoder_channels: 2,
        decoder_channels: 2,
        dimension: 8,
        quantizer: QuantizerConfig::residual(N_QUANTIZERS, CODEBOOK_SIZE),
        ..SoundStreamConfig::tiny_16khz()
    }
}

fn codec(config: &SoundStreamConfig, device: &Device) -> Result<SoundStream, BundleError> {
    let codec = config.init(device)?;
    let vectors = codec.embed(noise([4, 8000], device).unsqueeze_dim(1));
    Ok(codec.fit_codebooks(vectors, &mut generator(0, "codebooks", 0), |_| {}))
}

fn noise(shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::random(shape, Distribution::Normal(0.0, 0.1), device)
}
