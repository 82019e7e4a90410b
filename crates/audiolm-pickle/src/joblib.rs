//! How joblib writes the arrays of numpy: a description in the pickle, the numbers behind it.
//!
//! The format of joblib since 0.10 (`joblib/numpy_pickle.py`, `NumpyArrayWrapper`); since 1.2 the
//! numbers are aligned, behind a byte that says by how many others.

use std::sync::Arc;

use crate::array::count;
use crate::stream::Stream;
use crate::value::Value;
use crate::{Array, Bytes, Element, Fault};

/// The modules in which joblib is found; scikit-learn before 0.23 brought its own.
const MODULES: [&str; 2] = ["joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"];

/// What follows an object in the file.
#[derive(Debug)]
pub(crate) enum Described {
    /// Nothing that is not part of the pickle.
    Nothing,
    /// Numbers, which have been left out.
    Numbers(Array),
    /// Objects, as another pickle.
    Objects,
}

/// The type of a numpy array.
struct NumpyType {
    /// Where it is one of ours.
    element: Option<Element>,
    /// Bytes of an element.
    size: usize,
    holds_objects: bool,
}

/// Looks whether `object` describes an array whose numbers come next in the stream, and leaves them
/// out. They lie in `bytes`.
pub(crate) fn array_of(
    object: Value<'_>,
    stream: &mut Stream<'_>,
    bytes: Arc<Bytes>,
) -> Result<Described, Fault> {
    if !object.callee().is_some_and(|it| it.is(&MODULES, "NumpyArrayWrapper")) {
        return Ok(Described::Nothing);
    }
    let shape = shape(object)?;
    let kind = NumpyType::of(attribute(object, "dtype")?)?;
    if kind.holds_objects {
        return Ok(Described::Objects);
    }
    if object.attribute("numpy_array_alignment_bytes").is_some_and(|it| !it.is_none()) {
        let padding = stream.byte()?;
        stream.skip(padding.into())?;
    }
    let start = stream.position();
    let length = count(&shape).and_then(|it| it.checked_mul(kind.size));
    let length = length.ok_or_else(|| {
        Fault::unexpected("an array that fits into memory", format!("shape {shape:?}"))
    })?;
    stream.skip(length as u64)?;
    let Some(element) = kind.element else { return Ok(Described::Nothing) };
    let array = match attribute(object, "order")?.as_str() {
        Some("C") => Array::contiguous(bytes, element, shape, start)?,
        Some("F") => Array::contiguous(bytes, element, shape.into_iter().rev().collect(), start)?
            .transposed(),
        _ => return Err(Fault::unexpected("an array in the order of C or F", "another order")),
    };
    Ok(Described::Numbers(array))
}

fn attribute<'a>(object: Value<'a>, name: &str) -> Result<Value<'a>, Fault> {
    let absent = || Fault::unexpected(format!("an array with `{name}`"), object.describe());
    object.attribute(name).ok_or_else(absent)
}

fn shape(object: Value<'_>) -> Result<Vec<usize>, Fault> {
    let value = attribute(object, "shape")?;
    counts(value).ok_or_else(|| value.instead_of("the shape of an array"))
}

/// A tuple or list of numbers that count something. At most as many as an array has axes.
pub(crate) fn counts(value: Value<'_>) -> Option<Vec<usize>> {
    const MOST: usize = 64;
    value.items().filter(|it| it.len() <= MOST)?.map(Value::as_count).collect()
}

impl NumpyType {
    /// Of a `numpy.dtype`, which names itself in its first argument and says in its state how its
    /// bytes are ordered.
    fn of(dtype: Value<'_>) -> Result<Self, Fault> {
        let expected = || dtype.instead_of("a dtype of numpy");
        if !dtype.callee().is_some_and(|it| it.is(&["numpy"], "dtype")) {
            return Err(expected());
        }
        let name = dtype.argument(0).and_then(Value::as_str).ok_or_else(expected)?;
        let order = dtype.state().and_then(|it| it.item(1)).and_then(Value::as_str);
        let is_ours = matches!(order, None | Some("<" | "|" | "="));
        let element = Element::of_numpy(name).filter(|_| is_ours);
        let size = match element {
            Some(element) => element.size(),
            None => size(name).ok_or_else(expected)?,
        };
        Ok(Self { element, size, holds_objects: name.starts_with('O') })
    }
}

/// Bytes of an element of a type that is called like `U12`, a letter and how many of it.
fn size(name: &str) -> Option<usize> {
    let mut letters = name.chars();
    let letter = letters.next()?;
    let number: usize = letters.as_str().parse().ok()?;
    match letter {
        // A character of numpy has four bytes.
        'U' => number.checked_mul(4),
        _ => Some(number),
    }
}
