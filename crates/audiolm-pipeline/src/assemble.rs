//! From what a training run exports to a bundle.

use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_codec::Codec;
use audiolm_nn::{Precision, save_weights};
use audiolm_text::ConditionerConfig;
use burn::config::Config;
use burn::prelude::*;
use tempfile::TempDir;

use crate::configs::{Configs, Models};
use crate::lineage::check_lineage;
use crate::manifest::{MANIFEST_FILE, PartHashes, VERSION};
use crate::part::{CONDITIONER_FILE, CONFIG_FILE, PROMPT_FILE, WEIGHTS_FILE};
use crate::{Bundle, BundleError, Manifest, Part, WindowFrames, files, json};

/// How to [`assemble`] a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct AssembleOptions {
    /// What the bundle is called.
    pub name: String,
    /// How wide its weights are.
    pub precision: Precision,
    /// What its stages were trained to see at once.
    pub window_frames: WindowFrames,
    /// A recording to try it with.
    pub prompt: Option<Clip>,
}

/// Makes a bundle of what a training run exported: a folder with one folder for each [`Part`] that it
/// has, and in those of the stages a `lineage.json` with the fingerprints of the models that made the tokens
/// they learnt from. A stage that has learnt to be told something has a `conditioner.json` beside that.
///
/// The bundle is written beside its final name, which it takes once it is complete. The weights
/// pass through `device` on their way.
///
/// # Errors
/// Where the name is taken, the export is incomplete, its parts do not fit one another, a stage
/// learnt from another model, or the bundle cannot be written.
pub fn assemble(
    export: &Path,
    out: &Path,
    options: &AssembleOptions,
    device: &Device,
) -> Result<Bundle, BundleError> {
    if out.exists() {
        return Err(BundleError::Exists { path: out.to_owned() });
    }
    options.window_frames.validate(&out.join(MANIFEST_FILE))?;
    let configs = Configs::load(export)?;
    check_lineage(export)?;
    let models = configs.load_models(export, device)?;

    let beside = folder_beside(out)?;
    let unfinished = beside.path().join("bundle");
    write_parts(&unfinished, &configs, &models, options.precision)?;
    write_codec(export, &unfinished, &models.codec, options.precision)?;
    if let Some(prompt) = &options.prompt {
        let path = unfinished.join(PROMPT_FILE);
        prompt.write_wav(&path).map_err(|source| BundleError::Prompt { source })?;
    }
    let manifest =
        Manifest { conditioner: conditioner(export)?, ..manifest(&unfinished, &configs, options)? };
    json::save(&manifest, &unfinished.join(MANIFEST_FILE))?;
    std::fs::rename(&unfinished, out).map_err(unwritable(out))?;
    Bundle::open(out)
}

fn write_parts(
    folder: &Path,
    configs: &Configs,
    models: &Models,
    precision: Precision,
) -> Result<(), BundleError> {
    let at = |part| part_folder(folder, part);
    models.tokenizer.save(&at(Part::SemanticTokenizer)?, precision)?;
    save_stage(&models.semantic, &configs.semantic, &at(Part::Semantic)?, precision)?;
    save_stage(&models.coarse, &configs.coarse, &at(Part::Coarse)?, precision)?;
    save_stage(&models.fine, &configs.fine, &at(Part::Fine)?, precision)?;
    match (&models.parallel, &configs.parallel) {
        (Some(stage), Some(config)) => save_stage(stage, config, &at(Part::Parallel)?, precision),
        _ => Ok(()),
    }
}

/// Ours at a precision; a published codec as it was published, to the byte.
fn write_codec(
    export: &Path,
    folder: &Path,
    codec: &Codec,
    precision: Precision,
) -> Result<(), BundleError> {
    let folder = part_folder(folder, Part::Codec)?;
    if let Some((config, codec)) = codec.as_sound_stream() {
        return Ok(codec.save_to(&folder, config, precision)?);
    }
    for name in [CONFIG_FILE, WEIGHTS_FILE] {
        let (from, to) = (export.join(Part::Codec.folder()).join(name), folder.join(name));
        std::fs::write(&to, files::read(&from)?).map_err(unwritable(&to))?;
    }
    Ok(())
}

/// Writes `config.json` and `model.safetensors`, as the training run does.
pub(crate) fn save_stage<M: Module>(
    stage: &M,
    config: &impl Config,
    folder: &Path,
    precision: Precision,
) -> Result<(), BundleError> {
    let path = folder.join(CONFIG_FILE);
    config.save(&path).map_err(unwritable(&path))?;
    Ok(save_weights(stage, &folder.join(WEIGHTS_FILE), precision)?)
}

/// Makes the folder of one part.
pub(crate) fn part_folder(folder: &Path, part: Part) -> Result<PathBuf, BundleError> {
    let path = folder.join(part.folder());
    std::fs::create_dir_all(&path).map_err(unwritable(&path))?;
    Ok(path)
}

fn manifest(
    folder: &Path,
    configs: &Configs,
    options: &AssembleOptions,
) -> Result<Manifest, BundleError> {
    let parts = Part::ALL.into_iter().filter(|it| it.is_in(folder));
    let hashes = |part: Part| Ok((part, PartHashes::of_folder(&folder.join(part.folder()))?));
    Ok(Manifest {
        version: VERSION,
        name: options.name.clone(),
        created_by: concat!("audiolm ", env!("CARGO_PKG_VERSION")).to_owned(),
        sample_rate_hz: configs.codec.spec().sample_rate_hz,
        window_frames: WindowFrames {
            parallel: options.window_frames.parallel.filter(|_| configs.parallel.is_some()),
            ..options.window_frames
        },
        conditioner: None,
        parts: parts.map(hashes).collect::<Result<_, BundleError>>()?,
    })
}

/// The conditioner that the stages have learnt with, all the same one.
fn conditioner(export: &Path) -> Result<Option<ConditionerConfig>, BundleError> {
    let path = |part: Part| export.join(part.folder()).join(CONDITIONER_FILE);
    let told = [Part::Semantic, Part::Coarse].map(path).into_iter().filter(|it| it.is_file());
    let mut first: Option<(PathBuf, ConditionerConfig)> = None;
    for path in told {
        let found: ConditionerConfig = json::load(&path)?;
        match &first {
            Some((other, expected)) if *expected != found => {
                return Err(BundleError::Conditioners { other: other.clone(), path });
            }
            Some(_) => {}
            None => first = Some((path, found)),
        }
    }
    Ok(first.map(|it| it.1))
}

/// A folder on the same file system as `out`, so that renaming what is in it is one step. It goes
/// away, whatever becomes of the bundle.
pub(crate) fn folder_beside(out: &Path) -> Result<TempDir, BundleError> {
    let parent = out.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent).map_err(unwritable(out))
}

pub(crate) fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> BundleError {
    let path = path.to_owned();
    |source| BundleError::Unwritable { path, source }
}
