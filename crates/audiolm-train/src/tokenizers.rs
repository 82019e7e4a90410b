//! Tokenizers that a run takes from a bundle instead of training its own.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use audiolm_codec::CodecConfig;
use audiolm_nn::fingerprint;
use audiolm_semantic::SemanticTokenizerConfig;

use crate::plan_check::require;
use crate::run::created;
use crate::tokens::CODEC_PART;
use crate::{Plan, TrainError, kmeans};

/// The parts that make tokens.
const PARTS: [&str; 2] = [kmeans::PART, CODEC_PART];
/// The files of a part.
const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// Copies the tokenizers of `bundle` to where the stages of a run look for them. What is there
/// already stays, if it is the same.
///
/// # Errors
/// Where the bundle lacks a tokenizer, one of them is not what the plan describes, the run has
/// another, or files cannot be copied.
pub(crate) fn take_tokenizers(bundle: &Path, plan: &Plan, run: &Path) -> Result<(), TrainError> {
    check_codec(&bundle.join(CODEC_PART), plan)?;
    check_clusters(&bundle.join(kmeans::PART), plan)?;
    PARTS.into_iter().try_for_each(|part| take(&bundle.join(part), &run.join("export").join(part)))
}

fn check_codec(folder: &Path, plan: &Plan) -> Result<(), TrainError> {
    let published = match CodecConfig::load_from(folder)? {
        CodecConfig::SoundStream(found) => {
            return described("codec.model", &found, &plan.codec.model, folder);
        }
        published => published.spec(),
    };
    let fine = &plan.fine.model;
    let at_most = || format!("at most {}, as {}", published.n_quantizers, folder.display());
    let fits = fine.n_quantizers <= published.n_quantizers;
    require(fits, "fine.model.n_quantizers", at_most, fine.n_quantizers)?;
    described("fine.model.codebook_size", &published.codebook_size, &fine.codebook_size, folder)
}

fn check_clusters(folder: &Path, plan: &Plan) -> Result<(), TrainError> {
    let found = SemanticTokenizerConfig::load_from(folder)?;
    described("kmeans.n_clusters", &found.n_clusters, &plan.kmeans.n_clusters, folder)
}

/// Refuses a tokenizer that differs from what a setting says of it.
fn described<T: PartialEq + Debug>(
    setting: &str,
    found: &T,
    planned: &T,
    folder: &Path,
) -> Result<(), TrainError> {
    match found == planned {
        true => Ok(()),
        false => Err(TrainError::Setting {
            setting: setting.to_owned(),
            expected: format!("{found:?}, as {}", folder.display()),
            found: format!("{planned:?}"),
        }),
    }
}

fn take(from: &Path, to: &Path) -> Result<(), TrainError> {
    let wanted = fingerprint(from)?;
    if FILES.iter().all(|it| to.join(it).exists()) {
        return match fingerprint(to)? == wanted {
            true => Ok(()),
            false => Err(TrainError::OtherTokenizer { found: to.into(), wanted: from.into() }),
        };
    }
    created(to.to_owned())?;
    FILES.into_iter().try_for_each(|it| copy(&from.join(it), &to.join(it)))
}

/// Copies a file to a name that it takes once it is whole.
fn copy(from: &Path, to: &Path) -> Result<(), TrainError> {
    let beside = to.with_extension("copying");
    fs::copy(from, &beside).map_err(TrainError::io(&beside))?;
    fs::rename(&beside, to).map_err(TrainError::io(to))
}
