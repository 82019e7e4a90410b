//! The files that weights come in: safetensors, what PyTorch saves, and folders of several of these.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audiolm_pickle::{Array, Bytes, Element, Fault, PickleError, TorchFile, Value};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;

use crate::WeightsError;

/// The files that published weights are looked for in, the best first.
const PUBLISHED: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// Under which names programs save the dict of tensors, where it is not all that they save.
const STATE_DICTS: [&str; 2] = ["state_dict", "model"];

/// A tensor that has not been read yet.
#[derive(Debug)]
pub(crate) enum Stored {
    /// Of a type that is read here.
    Array(Array),
    /// Of another type, which is named.
    Other { shape: Vec<usize>, element: String },
}

impl Stored {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Array(array) => array.shape(),
            Self::Other { shape, .. } => shape,
        }
    }
}

/// The file of weights in the folder of a published model: `model.safetensors` or
/// `pytorch_model.bin`, or the index where the weights are in several files.
///
/// # Errors
/// Where there is none of them.
pub fn published_weights(folder: &Path) -> Result<PathBuf, WeightsError> {
    let found = PUBLISHED.iter().map(|it| folder.join(it)).find(|it| it.is_file());
    found.ok_or_else(|| WeightsError::NoWeights { folder: folder.to_owned(), names: &PUBLISHED })
}

/// The tensors of a file, as its first bytes say what it is; or, of an index, those of all its files.
pub(crate) fn open(path: &Path) -> Result<BTreeMap<String, Stored>, WeightsError> {
    if path.extension().is_some_and(|it| it == "json") {
        return sharded(path);
    }
    match TorchFile::is_one(path).map_err(foreign)? {
        true => torch(path),
        false => safetensors(path),
    }
}

/// What another reader says about a file.
pub(crate) fn foreign(error: PickleError) -> WeightsError {
    match error {
        PickleError { path, fault: Fault::Io(source) } => WeightsError::Io { path, source },
        error => WeightsError::Foreign(error),
    }
}

fn torch(path: &Path) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let file = TorchFile::open(path).map_err(foreign)?;
    let tensors = file.tensors(state_dict(file.root())).map_err(foreign)?;
    Ok(tensors.into_iter().map(|(name, array)| (name, Stored::Array(array))).collect())
}

fn state_dict(root: Value<'_>) -> Value<'_> {
    let named = STATE_DICTS.iter().filter_map(|it| root.get(it));
    named.into_iter().find(|it| it.entries().is_some()).unwrap_or(root)
}

fn safetensors(path: &Path) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let malformed = |reason: String| WeightsError::Malformed { path: path.to_owned(), reason };
    let bytes = Arc::new(Bytes::open(path).map_err(foreign)?);
    let header = header(&bytes).map_err(|it| malformed(it.to_string()))?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|it| malformed(it.to_string()))?;
    let start = (LENGTH + header.len()) as u64;
    let (expected, found) = (start + metadata.data_len() as u64, bytes.length());
    if expected != found {
        return Err(malformed(format!("expected {expected} bytes, found {found}")));
    }
    let stored = metadata.tensors().into_iter().map(|(name, info)| {
        let stored = stored(&bytes, start, info).map_err(|it| malformed(it.to_string()))?;
        Ok((name, stored))
    });
    stored.collect()
}

/// Bytes of the number that a safetensors file begins with.
const LENGTH: usize = size_of::<u64>();

fn header(bytes: &Bytes) -> Result<Vec<u8>, Fault> {
    let length = bytes.read(0, LENGTH as u64)?;
    let length = length.try_into().map_or(u64::MAX, u64::from_le_bytes);
    bytes.read(LENGTH as u64, length)
}

fn stored(bytes: &Arc<Bytes>, start: u64, info: &TensorInfo) -> Result<Stored, Fault> {
    let shape = info.shape.clone();
    let Some(element) = element(info.dtype) else {
        return Ok(Stored::Other { shape, element: info.dtype.to_string() });
    };
    let start = start + info.data_offsets.0 as u64;
    Array::contiguous(bytes.clone(), element, shape, start).map(Stored::Array)
}

fn element(dtype: Dtype) -> Option<Element> {
    match dtype {
        Dtype::F64 => Some(Element::F64),
        Dtype::F32 => Some(Element::F32),
        Dtype::F16 => Some(Element::F16),
        Dtype::BF16 => Some(Element::Bf16),
        Dtype::I64 => Some(Element::I64),
        Dtype::I32 => Some(Element::I32),
        Dtype::I16 => Some(Element::I16),
        Dtype::I8 => Some(Element::I8),
        Dtype::U8 => Some(Element::U8),
        Dtype::BOOL => Some(Element::Bool),
        _ => None,
    }
}

/// What `model.safetensors.index.json` and the like say.
#[derive(Debug, Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// The files that an index names (`model.safetensors.index.json` and the like), all of them beside
/// it.
///
/// # Errors
/// Where it cannot be read, is damaged, or names a file elsewhere.
pub fn shard_names(path: &Path) -> Result<Vec<String>, WeightsError> {
    Index::read(path)?.files(path)
}

impl Index {
    fn read(path: &Path) -> Result<Self, WeightsError> {
        let io = |source| WeightsError::Io { path: path.to_owned(), source };
        let text = std::fs::read(path).map_err(io)?;
        serde_json::from_slice(&text).map_err(|it| invalid(path, it.to_string()))
    }

    fn files(&self, path: &Path) -> Result<Vec<String>, WeightsError> {
        let files: BTreeSet<&String> = self.weight_map.values().collect();
        match files.iter().find(|it| !is_beside(it)) {
            None => Ok(files.into_iter().cloned().collect()),
            Some(file) => {
                let reason = format!("expected the name of a file beside it, found {file:?}");
                Err(invalid(path, reason))
            }
        }
    }
}

fn sharded(path: &Path) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let index = Index::read(path)?;
    let mut whole = BTreeMap::new();
    for file in index.files(path)? {
        whole.extend(open(&path.with_file_name(file))?);
    }
    match index.weight_map.keys().find(|it| !whole.contains_key(*it)) {
        None => Ok(whole),
        Some(name) => Err(invalid(path, format!("no file holds {name:?}"))),
    }
}

fn invalid(path: &Path, reason: String) -> WeightsError {
    WeightsError::Index { path: path.to_owned(), reason }
}

/// Whether a name is that of a file of weights, and leads nowhere else.
fn is_beside(file: &str) -> bool {
    let is_plain = Path::new(file).file_name().is_some_and(|it| it == file);
    is_plain && !file.contains('\\') && !file.ends_with(".json")
}
