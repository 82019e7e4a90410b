//! Files that PyTorch has written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::quoted;
use crate::limits::Budget;
use crate::torch::{self, Storages, legacy, zip};
use crate::value::{Pickle, Value};
use crate::{Array, Bytes, Fault, Limits, PickleError};

/// What `torch.save` has written, as a zip archive or in the form before PyTorch 1.6.
///
/// Refused: numbers with their highest byte first, compressed entries, and the tar archives of
/// PyTorch before 0.2. The checksums of the zip format are not compared, since PyTorch can be told
/// to leave them out.
#[derive(Debug)]
pub struct TorchFile {
    path: PathBuf,
    pickle: Pickle,
    storages: Storages,
    bytes: Arc<Bytes>,
    limits: Limits,
}

/// What a tensor may take beside its name and shape, in a tree that is half empty.
const ENTRY: usize = 256;

/// The forms of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Zip,
    Legacy,
}

impl Form {
    /// As the first bytes of a file say.
    fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [b'P', b'K', 3, 4, ..] => Some(Self::Zip),
            // A protocol, and an integer of ten bytes.
            [0x80, _, 0x8a, 10, magic @ ..] if magic.starts_with(&legacy::MAGIC) => {
                Some(Self::Legacy)
            }
            _ => None,
        }
    }
}

impl TorchFile {
    /// Whether a file begins like one that PyTorch has written.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn is_one(path: &Path) -> Result<bool, PickleError> {
        let form = form(&Bytes::open(path)?).map_err(|it| it.of(path))?;
        Ok(form.is_some())
    }

    /// Reads a file, without its tensors.
    ///
    /// # Errors
    /// Where it cannot be read, is of another kind or damaged, or asks for more than the default
    /// [`Limits`].
    pub fn open(path: &Path) -> Result<Self, PickleError> {
        Self::open_within(path, &Limits::default())
    }

    /// As [`open`](Self::open), within other limits.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_within(path: &Path, limits: &Limits) -> Result<Self, PickleError> {
        Self::of_bytes(Bytes::open(path)?, path, limits)
    }

    /// As [`open_within`](Self::open_within), of bytes that errors shall name `path`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_bytes(bytes: Bytes, path: &Path, limits: &Limits) -> Result<Self, PickleError> {
        let opened = opened(&bytes, limits);
        let (pickle, storages) = opened.map_err(|it| it.of(path))?;
        let (path, bytes, limits) = (path.to_owned(), Arc::new(bytes), *limits);
        Ok(Self { path, pickle, storages, bytes, limits })
    }

    /// What was saved.
    pub fn root(&self) -> Value<'_> {
        self.pickle.root()
    }

    /// The tensor that a value stands for, or nothing where it is no tensor.
    ///
    /// # Errors
    /// Where its elements are of a type that is not read here, or are not in the file.
    pub fn tensor(&self, value: Value<'_>) -> Result<Option<Array>, PickleError> {
        torch::tensor(value, &self.storages, &self.bytes).map_err(|it| it.of(&self.path))
    }

    /// The tensors of a dict, by name.
    ///
    /// # Errors
    /// Where it is no dict of strings, one of its values no tensor that can be read, or where they
    /// are more than the limits of the file allow.
    pub fn tensors(&self, dict: Value<'_>) -> Result<BTreeMap<String, Array>, PickleError> {
        self.all_tensors(dict).map_err(|it| it.of(&self.path))
    }

    fn all_tensors(&self, dict: Value<'_>) -> Result<BTreeMap<String, Array>, Fault> {
        let entries = dict.entries().ok_or_else(|| dict.instead_of("a dict of tensors"))?;
        let mut budget = Budget::new(&self.limits);
        let mut tensors = BTreeMap::new();
        for (name, value) in entries {
            let (name, tensor) = self.named(name, value)?;
            // A shape and as many strides.
            budget.charge(ENTRY + name.len() + 2 * size_of_val(tensor.shape()))?;
            tensors.insert(name, tensor);
        }
        Ok(tensors)
    }

    fn named(&self, name: Value<'_>, value: Value<'_>) -> Result<(String, Array), Fault> {
        let name = name.as_str().ok_or_else(|| name.instead_of("the name of a tensor"))?;
        let tensor = torch::tensor(value, &self.storages, &self.bytes)?;
        let tensor =
            tensor.ok_or_else(|| value.instead_of(format!("a tensor {}", quoted(name))))?;
        Ok((name.to_owned(), tensor))
    }
}

fn opened(bytes: &Bytes, limits: &Limits) -> Result<(Pickle, Storages), Fault> {
    match form(bytes)? {
        Some(Form::Zip) => zip::open(bytes, limits),
        Some(Form::Legacy) => legacy::open(bytes, limits),
        None => Err(Fault::unexpected("a file of PyTorch", "a file of another kind")),
    }
}

fn form(bytes: &Bytes) -> Result<Option<Form>, Fault> {
    let mut beginning = [0; 16];
    let n = bytes.read_some(0, &mut beginning)?;
    Ok(Form::of(&beginning[..n]))
}
