//! How PyTorch writes tensors: calls of functions that rebuild them, in the pickle, and storages
//! outside of it.
//!
//! The functions are those of `torch/_utils.py`; what is not listed here stays the record of a call
//! that nobody makes.

pub(crate) mod legacy;
pub(crate) mod zip;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::array::{Layout, Storage};
use crate::error::quoted;
use crate::joblib::counts;
use crate::value::{Global, Value};
use crate::{Array, Bytes, Element, Fault};

/// Where each storage lies, by the name that the pickle calls it.
pub(crate) type Storages = BTreeMap<String, Place>;

/// Where the bytes of a storage lie.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) start: u64,
    /// Bytes.
    pub(crate) length: u64,
}

/// A storage as a pickle refers to it: the word `storage`, the type, the name, the device and the
/// number of elements (`torch/serialization.py`, `persistent_id`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'a> {
    class: Global<'a>,
    pub(crate) key: &'a str,
    length: usize,
}

impl<'a> Reference<'a> {
    pub(crate) fn of(value: Value<'a>) -> Result<Self, Fault> {
        let read = || {
            let is_storage = value.item(0)?.as_str() == Some("storage");
            // A part of another storage, as PyTorch before 0.4 had it.
            let is_part = value.item(5).is_some_and(|it| !it.is_none());
            let class = value.item(1)?.as_global().filter(|_| is_storage && !is_part)?;
            Some(Self { class, key: value.item(2)?.as_str()?, length: value.item(4)?.as_count()? })
        };
        read().ok_or_else(|| value.instead_of("a reference to a storage"))
    }

    /// The type of its elements, where the storage itself knows it.
    pub(crate) fn element(self) -> Option<Element> {
        Element::of_storage(self.class.name)
    }

    /// Its elements as it says itself, which are bytes where it has no type.
    fn length_of(self, element: Element) -> usize {
        match self.element() {
            Some(_) => self.length,
            None => self.length / element.size(),
        }
    }
}

/// The tensor that a value stands for, in `storages` of these bytes; nothing where it is none.
pub(crate) fn tensor(
    value: Value<'_>,
    storages: &Storages,
    bytes: &Arc<Bytes>,
) -> Result<Option<Array>, Fault> {
    let Some(rebuilt) = Rebuilt::of(value)? else { return Ok(None) };
    let Rebuilt { reference, element, layout } = rebuilt;
    let place = storages.get(reference.key).ok_or_else(|| {
        Fault::unexpected(format!("a storage {}", quoted(reference.key)), "none of that name")
    })?;
    let length = reference.length_of(element);
    let fits = length.checked_mul(element.size()).is_some_and(|it| it as u64 <= place.length);
    if !fits {
        let expected = format!("{length} elements of storage {}", quoted(reference.key));
        return Err(Fault::unexpected(expected, format!("{} bytes", place.length)));
    }
    let storage = Storage { bytes: bytes.clone(), element, start: place.start, length };
    Array::of_storage(&storage, layout).map(Some)
}

/// What a call that rebuilds a tensor is given.
struct Rebuilt<'a> {
    reference: Reference<'a>,
    element: Element,
    layout: Layout,
}

impl<'a> Rebuilt<'a> {
    fn of(value: Value<'a>) -> Result<Option<Self>, Fault> {
        const MODULE: [&str; 1] = ["torch._utils"];
        let Some(function) = value.callee() else { return Ok(None) };
        let is = |name| function.is(&MODULE, name);
        let tensor = match is("_rebuild_parameter") || is("_rebuild_parameter_with_state") {
            true => value.argument(0).ok_or_else(|| value.instead_of("a parameter's tensor"))?,
            false => value,
        };
        let Some(function) = tensor.callee() else { return Ok(None) };
        let is = |name| function.is(&MODULE, name);
        if is("_rebuild_tensor") || is("_rebuild_tensor_v2") {
            return Self::typed_by_storage(tensor).map(Some);
        }
        match is("_rebuild_tensor_v3") {
            true => Self::typed_by_argument(tensor).map(Some),
            false => Ok(None),
        }
    }

    fn typed_by_storage(tensor: Value<'a>) -> Result<Self, Fault> {
        let reference = Self::reference(tensor)?;
        let element = reference.element().ok_or_else(|| {
            let found = quoted(reference.class.name);
            Fault::unexpected("a storage of floats, integers or truths", found)
        })?;
        Ok(Self { reference, element, layout: layout(tensor)? })
    }

    fn typed_by_argument(tensor: Value<'a>) -> Result<Self, Fault> {
        const DTYPE: usize = 6;
        let dtype = tensor.argument(DTYPE).and_then(Value::as_global);
        let name = dtype.filter(|it| it.module == "torch").map_or("", |it| it.name);
        let element = Element::of_torch(name)
            .ok_or_else(|| Fault::unexpected("a tensor of floats or integers", quoted(name)))?;
        Ok(Self { reference: Self::reference(tensor)?, element, layout: layout(tensor)? })
    }

    fn reference(tensor: Value<'a>) -> Result<Reference<'a>, Fault> {
        let storage = tensor.argument(0).and_then(Value::as_reference);
        Reference::of(storage.ok_or_else(|| tensor.instead_of("a tensor with a storage"))?)
    }
}

/// Offset, shape and strides, which follow the storage.
fn layout(tensor: Value<'_>) -> Result<Layout, Fault> {
    let read = || {
        let offset = tensor.argument(1)?.as_count()?;
        let shape = counts(plain(tensor.argument(2)?))?;
        Some(Layout { offset, shape, strides: counts(tensor.argument(3)?)? })
    };
    read().ok_or_else(|| tensor.instead_of("a tensor with offset, shape and strides"))
}

/// The tuple that a `torch.Size` is made of.
fn plain(size: Value<'_>) -> Value<'_> {
    match size.callee().is_some_and(|it| it.is(&["torch"], "Size")) {
        true => size.argument(0).unwrap_or(size),
        false => size,
    }
}
