//! Files that joblib has written.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::array::Array;
use crate::machine::{Dialect, read_pickle};
use crate::stream::Stream;
use crate::value::{Pickle, Value};
use crate::{Bytes, Element, Fault, Limits, PickleError};

/// Bytes that are inflated at once.
const BLOCK: usize = 1 << 16;

/// Where scikit-learn keeps k-means, now and before 0.22.
const K_MEANS: [&str; 2] = ["sklearn.cluster._kmeans", "sklearn.cluster.k_means_"];

/// How compressed files begin that are not read.
const FOREIGN: [(&[u8], &str); 5] = [
    (b"BZh", "a file compressed by bzip2"),
    (b"\xfd7zXZ", "a file compressed by xz"),
    (b"\x5d\x00\x00", "a file compressed by lzma"),
    (b"\x04\x22\x4d\x18", "a file compressed by lz4"),
    (b"ZF", "a file of joblib before 0.10"),
];

/// What joblib has written: a pickle, with the numbers of its arrays between its instructions;
/// plain, or compressed by zlib or gzip.
#[derive(Debug)]
pub struct JoblibFile {
    path: PathBuf,
    pickle: Pickle,
}

impl JoblibFile {
    /// Reads a file, without the numbers of its arrays.
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
        let pickle = pickle(bytes, limits).map_err(|it| it.of(path))?;
        Ok(Self { path: path.to_owned(), pickle })
    }

    /// What the file holds.
    pub fn root(&self) -> Value<'_> {
        self.pickle.root()
    }

    /// The centers of the `KMeans` or `MiniBatchKMeans` of scikit-learn that the file holds:
    /// floats, `[n_clusters, n_features]`.
    ///
    /// # Errors
    /// Where it holds something else, or a model that has not been fitted.
    pub fn cluster_centers(&self) -> Result<Array, PickleError> {
        self.centers().map_err(|it| it.of(&self.path))
    }

    fn centers(&self) -> Result<Array, Fault> {
        let model = self.root();
        let is_model = |name| model.callee().is_some_and(|it| it.is(&K_MEANS, name));
        if !is_model("KMeans") && !is_model("MiniBatchKMeans") {
            return Err(model.instead_of("KMeans or MiniBatchKMeans of scikit-learn"));
        }
        let Some(centers) = model.attribute("cluster_centers_") else {
            return Err(Fault::unexpected("a fitted model", "one without cluster_centers_"));
        };
        let array = centers.as_array().ok_or_else(|| centers.instead_of("an array of centers"))?;
        let is_float = matches!(array.element(), Element::F64 | Element::F32);
        match array.shape() {
            [clusters, features] if is_float && *clusters > 0 && *features > 0 => Ok(array.clone()),
            shape => {
                let found = format!("{} of shape {shape:?}", array.element());
                Err(Fault::unexpected("floats [n_clusters, n_features]", found))
            }
        }
    }
}

fn pickle(bytes: Bytes, limits: &Limits) -> Result<Pickle, Fault> {
    let mut beginning = [0; 8];
    let n = bytes.read_some(0, &mut beginning)?;
    let bytes = match &beginning[..n] {
        [0x80, ..] => bytes,
        [0x1f, 0x8b, ..] => inflated(MultiGzDecoder::new(FromStart::of(&bytes)), limits)?,
        // Its two bytes are a multiple of 31 (RFC 1950, 2.2).
        [0x78, second, ..] if (0x7800 + u16::from(*second)) % 31 == 0 => {
            inflated(ZlibDecoder::new(FromStart::of(&bytes)), limits)?
        }
        other => return Err(Fault::unexpected("a file of joblib", kind(other))),
    };
    let bytes = Arc::new(bytes);
    let mut stream = Stream::new(&bytes, 0, bytes.length());
    read_pickle(&mut stream, limits, Dialect::Joblib(bytes.clone()))
}

fn kind(beginning: &[u8]) -> &'static str {
    let foreign = FOREIGN.iter().find(|it| beginning.starts_with(it.0));
    foreign.map_or("a file of another kind", |it| it.1)
}

fn inflated(mut from: impl Read, limits: &Limits) -> Result<Bytes, Fault> {
    let limit = usize::try_from(limits.inflated).unwrap_or(usize::MAX);
    let (mut whole, mut block) = (Vec::new(), vec![0; BLOCK]);
    loop {
        let n = from.read(&mut block)?;
        if n == 0 {
            return Ok(Bytes::of_memory(whole));
        }
        if n > limit - whole.len() {
            return Err(Fault::Limit { of: "inflated bytes", limit: limits.inflated });
        }
        grow(&mut whole, n, limit);
        whole.extend_from_slice(&block[..n]);
    }
}

/// Makes room for `more` bytes, twice as much as before but never beyond the limit.
fn grow(whole: &mut Vec<u8>, more: usize, limit: usize) {
    let needed = whole.len() + more;
    if needed > whole.capacity() {
        let grown = needed.max(whole.capacity().saturating_mul(2)).min(limit);
        whole.reserve_exact(grown - whole.len());
    }
}

/// Reads some bytes from their first to their last.
struct FromStart<'a> {
    bytes: &'a Bytes,
    next: u64,
}

impl<'a> FromStart<'a> {
    fn of(bytes: &'a Bytes) -> Self {
        Self { bytes, next: 0 }
    }
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.bytes.read_some(self.next, buffer).map_err(std::io::Error::other)?;
        self.next += n as u64;
        Ok(n)
    }
}
