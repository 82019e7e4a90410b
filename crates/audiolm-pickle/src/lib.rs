//! Tensors in the files of PyTorch, joblib and scikit-learn, read without running what is in them.
//!
//! These files are pickles: programs that Python runs, and that can do whatever Python can. Here a
//! pickle is only ever read. Where Python would import a class or call a function, the reader makes
//! a [`Value`] that says so; what weights are made of is recognised by name, from short lists in
//! this crate, and everything else stays data. No file makes the reader panic or allocate beyond its
//! [`Limits`].
//!
//! A [`TorchFile`] is what `torch.save` writes, in its zip format or in the older one; a
//! [`JoblibFile`] what `joblib.dump` writes, plain or compressed by zlib or gzip. Both know where
//! their [`Array`]s lie, and read one when they are asked to.
//!
//! ```no_run
//! use audiolm_pickle::{JoblibFile, TorchFile};
//! use std::path::Path;
//!
//! let file = TorchFile::open(Path::new("hubert_base_ls960.pt"))?;
//! let model = file.root().get("model").expect("what fairseq saves");
//! for (name, tensor) in file.tensors(model)? {
//!     println!("{name}: {} {:?}", tensor.element(), tensor.shape());
//! }
//! let centers = JoblibFile::open(Path::new("km500.bin"))?.cluster_centers()?;
//! # Ok::<(), audiolm_pickle::PickleError>(())
//! ```

mod array;
mod bytes;
mod element;
mod error;
mod joblib;
mod joblib_file;
mod limits;
mod machine;
mod node;
mod stream;
mod torch;
mod torch_file;
mod value;

pub use array::Array;
pub use bytes::Bytes;
pub use element::Element;
pub use error::{Fault, PickleError};
pub use joblib_file::JoblibFile;
pub use limits::Limits;
pub use torch_file::TorchFile;
pub use value::{Global, Value};
