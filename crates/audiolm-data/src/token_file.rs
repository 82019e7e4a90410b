//! A [`TokenStore`] as a SafeTensors file.
//!
//! | Entry | Content |
//! | --- | --- |
//! | tensor `tokens`, U16, `[frames, width]` | all tokens, recording after recording |
//! | tensor `frames`, U64, `[recordings]` | the length of each recording |
//! | metadata `format` | `audiolm-tokens-1` |
//! | metadata `keys` | the keys of the recordings, a JSON list |
//! | metadata `fingerprint` | that of the tokenizer |
//! | metadata `frames_per_second` | a decimal number |
//! | metadata `checksum` | a hash of the two tensors |

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use audiolm_audio::{WriteError, write_whole};
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorView};

use crate::error::TokensProblem;
use crate::hash::Fnv;
use crate::{DataError, TokenStore};

const FORMAT: &str = "audiolm-tokens-1";
const TOKENS: &str = "tokens";
const FRAMES: &str = "frames";

/// Saves a store.
pub(crate) fn save(store: &TokenStore, path: &Path) -> Result<(), DataError> {
    let bad = |source| DataError::BadSafeTensors { path: path.into(), source };
    let tokens: Vec<u8> = store.ids.iter().flat_map(|it| it.to_le_bytes()).collect();
    let frames = store.lengths();
    let frames: Vec<u8> = frames.iter().flat_map(|it| (*it as u64).to_le_bytes()).collect();
    let shape = vec![store.total_frames(), store.width];
    let tensors = [
        (TOKENS, TensorView::new(Dtype::U16, shape, &tokens).map_err(bad)?),
        (FRAMES, TensorView::new(Dtype::U64, vec![store.len()], &frames).map_err(bad)?),
    ];
    let metadata = HashMap::from([
        ("format".into(), FORMAT.into()),
        ("keys".into(), serde_json::Value::from(store.keys.as_slice()).to_string()),
        ("fingerprint".into(), store.fingerprint.clone()),
        ("frames_per_second".into(), store.frames_per_second.to_string()),
        ("checksum".into(), checksum(&tokens, &frames)),
    ]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(bad)?;
    write_whole(path, |out| {
        out.write_all(&bytes)
            .map_err(|source| WriteError::Failed { path: path.into(), source }.into())
    })
}

/// Loads a store, or says what is wrong with the file.
pub(crate) fn load(path: &Path) -> Result<TokenStore, DataError> {
    let bytes = fs::read(path)
        .map_err(|source| DataError::UnreadableTokens { path: path.into(), source })?;
    let bad = |source| DataError::BadSafeTensors { path: path.into(), source };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(bad)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(bad)?;
    store_of(&Entries(&header), &tensors)
        .map_err(|problem| DataError::BadTokens { path: path.into(), problem })
}

fn store_of(entries: &Entries, tensors: &SafeTensors) -> Result<TokenStore, TokensProblem> {
    if entries.text("format")? != FORMAT {
        return Err(TokensProblem::Metadata("format"));
    }
    let (tokens, shape) = tensor(tensors, TOKENS, Dtype::U16)?;
    let (frames, _) = tensor::<1>(tensors, FRAMES, Dtype::U64)?;
    if entries.text("checksum")? != checksum(tokens, frames) {
        return Err(TokensProblem::Checksum);
    }
    let [total_frames, width] = shape;
    let keys: Vec<String> = entries.parsed("keys", |it| serde_json::from_str(it).ok())?;
    let starts = starts(frames.as_chunks().0)?;
    count("recordings", keys.len(), starts.len() - 1)?;
    count("frames", starts[keys.len()], total_frames)?;
    if width == 0 {
        return Err(TokensProblem::Tensor(TOKENS));
    }
    let is_rate = |it: &f64| it.is_finite() && *it > 0.0;
    Ok(TokenStore {
        width,
        frames_per_second: entries
            .parsed("frames_per_second", |it| it.parse().ok().filter(is_rate))?,
        fingerprint: entries.text("fingerprint")?.to_string(),
        keys,
        starts,
        ids: tokens.as_chunks().0.iter().map(|it| u16::from_le_bytes(*it)).collect(),
    })
}

/// The bytes and shape of a tensor of the given type and rank.
fn tensor<'a, const RANK: usize>(
    tensors: &SafeTensors<'a>,
    name: &'static str,
    dtype: Dtype,
) -> Result<(&'a [u8], [usize; RANK]), TokensProblem> {
    let wrong = || TokensProblem::Tensor(name);
    let view = tensors.tensor(name).map_err(|_| wrong())?;
    let shape = view.shape().try_into().map_err(|_| wrong())?;
    if view.dtype() == dtype { Ok((view.data(), shape)) } else { Err(wrong()) }
}

/// Where recordings of these lengths start, and where the last one ends.
fn starts(lengths: &[[u8; 8]]) -> Result<Vec<usize>, TokensProblem> {
    let mut starts = vec![0usize];
    for length in lengths {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok();
        let end = length.and_then(|it| starts[starts.len() - 1].checked_add(it));
        starts.push(end.ok_or(TokensProblem::Tensor(FRAMES))?);
    }
    Ok(starts)
}

fn count(what: &'static str, expected: usize, found: usize) -> Result<(), TokensProblem> {
    let (expected, found) = (expected as u64, found as u64);
    if expected == found { Ok(()) } else { Err(TokensProblem::Count { what, expected, found }) }
}

fn checksum(tokens: &[u8], frames: &[u8]) -> String {
    format!("{:016x}", Fnv::new().with(tokens).with(frames).finish())
}

/// The metadata of a file.
struct Entries<'a>(&'a Metadata);

impl Entries<'_> {
    fn text(&self, name: &'static str) -> Result<&str, TokensProblem> {
        let text = self.0.metadata().as_ref().and_then(|it| it.get(name));
        text.map(String::as_str).ok_or(TokensProblem::Metadata(name))
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, TokensProblem> {
        parse(self.text(name)?).ok_or(TokensProblem::Metadata(name))
    }
}
