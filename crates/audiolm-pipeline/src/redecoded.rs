//! Another decoder for the codes that a bundle's stages know.

use std::path::Path;

use audiolm_codec::{Codec, SoundStream};
use audiolm_nn::Precision;
use burn::prelude::*;

use crate::assemble::{folder_beside, part_folder, unwritable};
use crate::manifest::{MANIFEST_FILE, PartHashes};
use crate::part::{CONFIG_FILE, PROMPT_FILE, WEIGHTS_FILE};
use crate::{Bundle, BundleError, Manifest, Part, files, json};

/// How to make a bundle with [`redecoded`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedecodeOptions {
    /// What the bundle is called.
    pub name: String,
    /// How wide the weights of its codec are.
    pub precision: Precision,
}

/// Makes a bundle of another one, with the codec of the folder `codec` in place of its own. Both must
/// make the same codes, which the language models know: only what they sound like changes.
///
/// # Errors
/// Where the name is taken, the codecs make different codes, also at the precision asked for, or
/// the bundle cannot be written.
pub fn redecoded(
    bundle: &Bundle,
    codec: &Path,
    out: &Path,
    options: &RedecodeOptions,
    device: &Device,
) -> Result<Bundle, BundleError> {
    if out.exists() {
        return Err(BundleError::Exists { path: out.to_owned() });
    }
    let before = sound_stream(&bundle.folder().join(Part::Codec.folder()), device)?;
    let beside = folder_beside(out)?;
    let unfinished = beside.path().join("bundle");
    for &part in bundle.manifest().parts.keys() {
        let folder = part_folder(&unfinished, part)?;
        for file in [CONFIG_FILE, WEIGHTS_FILE] {
            copy(&bundle.folder().join(part.folder()).join(file), &folder.join(file))?;
        }
    }
    let prompt = bundle.folder().join(PROMPT_FILE);
    if prompt.exists() {
        copy(&prompt, &unfinished.join(PROMPT_FILE))?;
    }
    let folder = unfinished.join(Part::Codec.folder());
    let config = audiolm_codec::SoundStreamConfig::load_from(codec)?;
    SoundStream::load_from(codec, device)?.save_to(&folder, &config, options.precision)?;
    if !sound_stream(&folder, device)?.makes_codes_of(&before) {
        return Err(BundleError::OtherCodes { path: codec.to_owned() });
    }
    let mut manifest = Manifest { name: options.name.clone(), ..bundle.manifest().clone() };
    manifest.parts.insert(Part::Codec, PartHashes::of_folder(&folder)?);
    json::save(&manifest, &unfinished.join(MANIFEST_FILE))?;
    std::fs::rename(&unfinished, out).map_err(unwritable(out))?;
    Bundle::open(out)
}

/// A codec of ours: published ones have no other decoder.
fn sound_stream(folder: &Path, device: &Device) -> Result<SoundStream, BundleError> {
    let codec = Codec::load_from(folder, device)?;
    match codec.as_sound_stream() {
        Some((_, codec)) => Ok(codec.clone()),
        None => Err(BundleError::OtherCodes { path: folder.to_owned() }),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), BundleError> {
    std::fs::write(to, files::read(from)?).map_err(unwritable(to))
}
