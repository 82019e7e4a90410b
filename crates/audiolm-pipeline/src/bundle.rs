//! A folder with everything that continuing audio needs.

use std::path::{Path, PathBuf};

use audiolm_codec::CodecId;

use crate::configs::{Configs, agree};
use crate::manifest::{MANIFEST_FILE, PartHashes};
use crate::{BundleError, Manifest, Part, files};

/// A bundle whose files are known to be those it was made with, and to fit one another.
///
/// One folder, which is also a valid model repository of Hugging Face:
///
/// ```text
/// bundle.json          what the bundle is, and the SHA-256 of every file below
/// README.md            the model card (optional here)
/// prompt.wav           a recording to try it with (optional)
/// semantic-tokenizer/  config.json, model.safetensors
/// codec/               config.json, model.safetensors
/// semantic/            config.json, model.safetensors
/// coarse/              config.json, model.safetensors
/// fine/                config.json, model.safetensors
/// parallel/            config.json, model.safetensors (optional)
/// ```
#[derive(Debug, Clone)]
pub struct Bundle {
    folder: PathBuf,
    manifest: Manifest,
    configs: Configs,
}

impl Bundle {
    /// Reads what a bundle says about itself and checks every file against it. No model is built.
    ///
    /// # Errors
    /// Where the version is unknown, a file is missing or not the one the bundle was made with, or
    /// two configurations do not fit one another.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, BundleError> {
        let folder = folder.as_ref();
        let description = folder.join(MANIFEST_FILE);
        let manifest = Manifest::load(&description)?;
        let is_expected = |it: &Part| it.is_in(folder) || manifest.parts.contains_key(it);
        for part in Part::ALL.into_iter().filter(is_expected) {
            let hashes = manifest.hashes(part, &description)?;
            check_part(&folder.join(part.folder()), part, hashes, &manifest)?;
        }
        let configs = Configs::load(folder)?;
        let (stated, codec) = (manifest.sample_rate_hz, configs.codec.spec().sample_rate_hz);
        agree("samples per second", (MANIFEST_FILE, stated), (Part::Codec.folder(), codec))?;
        Ok(Self { folder: folder.to_owned(), manifest, configs })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Checks the codec of a bundle against what that says about itself, and reads nothing else of it.
    ///
    /// # Errors
    /// As [`open`](Self::open), of the codec alone.
    pub(crate) fn check_codec(folder: &Path) -> Result<CodecId, BundleError> {
        let description = folder.join(MANIFEST_FILE);
        let manifest = Manifest::load(&description)?;
        let hashes = manifest.hashes(Part::Codec, &description)?;
        check_part(&folder.join(Part::Codec.folder()), Part::Codec, hashes, &manifest)?;
        codec_id(&manifest, description)
    }

    /// What tells its codec from others, in files of codes.
    pub(crate) fn codec_id(&self) -> Result<CodecId, BundleError> {
        codec_id(&self.manifest, self.folder.join(MANIFEST_FILE))
    }

    pub(crate) fn configs(&self) -> &Configs {
        &self.configs
    }
}

fn codec_id(manifest: &Manifest, description: PathBuf) -> Result<CodecId, BundleError> {
    let digits = &manifest.hashes(Part::Codec, &description)?.weights;
    CodecId::from_sha256(digits).ok_or_else(|| BundleError::Hash {
        path: description,
        part: Part::Codec,
        found: digits.clone(),
    })
}

/// Compares a part's files with their hashes.
fn check_part(
    folder: &Path,
    part: Part,
    hashes: &PartHashes,
    manifest: &Manifest,
) -> Result<(), BundleError> {
    for (file, expected) in hashes.files() {
        let path = folder.join(file);
        let found = files::sha256(&path)?;
        if found == expected {
            continue;
        }
        return Err(match owner(&found, manifest) {
            Some(other) => BundleError::Swapped { path, part, other },
            None => BundleError::Altered { path, expected: expected.to_owned(), found },
        });
    }
    Ok(())
}

/// The part whose file has this hash.
fn owner(hash: &str, manifest: &Manifest) -> Option<Part> {
    let owns = |(_, hashes): &(&Part, &PartHashes)| hashes.files().iter().any(|it| it.1 == hash);
    manifest.parts.iter().find(owns).map(|(part, _)| *part)
}
