//! A codec that is taken as it is, in place of one that a run trains.

use std::fs;
use std::path::Path;

use audiolm_codec::{CodecConfig, CodecSpec};
use audiolm_nn::fingerprint;

use crate::run::created;
use crate::tokens::CODEC_PART;
use crate::{Plan, Stage, TrainError};

/// The files of a codec.
const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// Makes the codec of the folder `source` that of a run: its stages then learn from this codec's
/// codes, and bundles hold it to the byte. The same codec may be taken again.
///
/// # Errors
/// Where the folder holds no codec, the run has another codec already, or a file cannot be written.
pub fn take_codec(run: &Path, source: &Path) -> Result<CodecSpec, TrainError> {
    let spec = CodecConfig::load_from(source)?.spec();
    let (taken, print) = (run.join("export").join(CODEC_PART), fingerprint(source)?);
    created(run.join("export"))?;
    if !taken.exists() {
        copy(source, &taken)?;
    }
    match fingerprint(&taken)? == print {
        true => Ok(spec),
        false => Err(TrainError::OtherCodec { path: taken, source_folder: source.to_owned() }),
    }
}

/// What the codec makes that a run has taken, if it has taken one.
///
/// # Errors
/// Where that codec cannot be read.
pub fn taken_codec(run: &Path) -> Result<Option<CodecSpec>, TrainError> {
    let folder = run.join("export").join(CODEC_PART);
    let trained = run.join(Stage::Codec.name());
    match folder.exists() && !trained.exists() {
        true => Ok(Some(CodecConfig::load_from(&folder)?.spec())),
        false => Ok(None),
    }
}

/// What the codec makes whose codes the stages of a run learn from, where the plan does not describe
/// it: one that the run has taken, or a published one of the bundle that it has its tokenizers from.
///
/// # Errors
/// Where that codec cannot be read.
pub fn given_codec(plan: &Plan, run: &Path) -> Result<Option<CodecSpec>, TrainError> {
    let Some(bundle) = plan.tokenizers() else { return taken_codec(run) };
    match CodecConfig::load_from(&bundle.join(CODEC_PART))? {
        CodecConfig::SoundStream(_) => Ok(None),
        published => Ok(Some(published.spec())),
    }
}

/// Copies beside the final name first.
fn copy(source: &Path, taken: &Path) -> Result<(), TrainError> {
    let parent = taken.parent().expect("a folder within that of the run");
    let unfinished = created(parent.join(format!(".{CODEC_PART}-unfinished")))?;
    for name in FILES {
        let (from, to) = (source.join(name), unfinished.join(name));
        let bytes = fs::read(&from).map_err(TrainError::io(&from))?;
        fs::write(&to, bytes).map_err(TrainError::io(&to))?;
    }
    fs::rename(&unfinished, taken).map_err(TrainError::io(taken))
}

impl Plan {
    /// The same plan for stages that learn from the codes of another codec, of as many quantizers
    /// as it says, or all where there are fewer.
    pub fn with_codec(mut self, spec: CodecSpec) -> Self {
        self.coarse.model.codebook_size = spec.codebook_size;
        self.fine.model.codebook_size = spec.codebook_size;
        self.fine.model.n_quantizers = self.fine.model.n_quantizers.min(spec.n_quantizers);
        self.parallel.model.codebook_size = spec.codebook_size;
        self.parallel.model.n_quantizers = self.parallel.model.n_quantizers.min(spec.n_quantizers);
        self
    }
}
