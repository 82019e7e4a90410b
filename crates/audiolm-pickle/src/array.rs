//! Numbers that lie in a file.

use std::sync::Arc;

use crate::error::Fault;
use crate::{Bytes, Element};

/// Axes of an array, more than any weights have.
const MOST_AXES: usize = 32;

/// An array that has not been read yet: where its numbers lie, and how.
#[derive(Debug, Clone)]
pub struct Array {
    bytes: Arc<Bytes>,
    element: Element,
    shape: Vec<usize>,
    /// Elements from one index of an axis to the next.
    strides: Vec<usize>,
    /// The byte of the first element.
    start: u64,
}

/// Where the numbers of one or more arrays lie.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub(crate) bytes: Arc<Bytes>,
    pub(crate) element: Element,
    /// Its first byte.
    pub(crate) start: u64,
    /// Its elements.
    pub(crate) length: usize,
}

/// How an array lies in its storage, in elements.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

impl Array {
    /// An array of `shape`, in the order of C, whose first element is at byte `start`.
    ///
    /// # Errors
    /// Where it reaches beyond the bytes.
    pub fn contiguous(
        bytes: Arc<Bytes>,
        element: Element,
        shape: Vec<usize>,
        start: u64,
    ) -> Result<Self, Fault> {
        let strides = strides_of_c(&shape)?;
        let left = bytes.length().saturating_sub(start) / element.size() as u64;
        let length = usize::try_from(left).unwrap_or(usize::MAX);
        let storage = Storage { bytes, element, start, length };
        Self::of_storage(&storage, Layout { offset: 0, shape, strides })
    }

    /// A part of a storage, which it must lie in and cannot have more elements than.
    pub(crate) fn of_storage(storage: &Storage, layout: Layout) -> Result<Self, Fault> {
        let Layout { offset, shape, strides } = layout;
        let too_large = || {
            let found = format!("shape {shape:?}, strides {strides:?} from element {offset} on");
            Fault::unexpected(format!("a tensor within {} elements", storage.length), found)
        };
        if shape.len() != strides.len() || shape.len() > MOST_AXES {
            return Err(too_large());
        }
        let length = count(&shape).ok_or_else(too_large)?;
        let end = end(offset, &shape, &strides).ok_or_else(too_large)?;
        if length > storage.length || (length > 0 && end > storage.length) {
            return Err(too_large());
        }
        let size = storage.element.size();
        // An empty array may begin anywhere.
        let start = storage.start + if length == 0 { 0 } else { (offset * size) as u64 };
        Ok(Self { bytes: storage.bytes.clone(), element: storage.element, shape, strides, start })
    }

    /// The same numbers with the order of the axes reversed.
    pub(crate) fn transposed(mut self) -> Self {
        self.shape.reverse();
        self.strides.reverse();
        self
    }

    /// The type of its elements.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in the order of C, each with its lowest byte first.
    ///
    /// # Errors
    /// Where the file cannot be read, or has become shorter.
    pub fn read(&self) -> Result<Vec<u8>, Fault> {
        let length = count(&self.shape).unwrap_or(0);
        if length == 0 {
            return Ok(Vec::new());
        }
        let size = self.element.size();
        let reach = end(0, &self.shape, &self.strides).unwrap_or(0);
        let region = self.bytes.read(self.start, (reach * size) as u64)?;
        if strides_of_c(&self.shape)? == self.strides {
            return Ok(region);
        }
        let mut elements = Vec::with_capacity(length * size);
        self.gather(&region, &mut elements);
        Ok(elements)
    }

    /// Copies element after element, the last axis fastest.
    fn gather(&self, region: &[u8], elements: &mut Vec<u8>) {
        let size = self.element.size();
        let mut index = vec![0; self.shape.len()];
        loop {
            let at: usize = index.iter().zip(&self.strides).map(|it| it.0 * it.1).sum();
            elements.extend_from_slice(&region[at * size..(at + 1) * size]);
            if !advance(&mut index, &self.shape) {
                return;
            }
        }
    }
}

/// Moves an index to the next element; false after the last one.
fn advance(index: &mut [usize], shape: &[usize]) -> bool {
    for (at, length) in index.iter_mut().zip(shape).rev() {
        *at += 1;
        if *at < *length {
            return true;
        }
        *at = 0;
    }
    false
}

/// The strides of an array without gaps whose last axis is the fastest.
pub(crate) fn strides_of_c(shape: &[usize]) -> Result<Vec<usize>, Fault> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1usize;
    for (axis, length) in shape.iter().enumerate().rev() {
        strides[axis] = stride;
        stride = stride.checked_mul((*length).max(1)).ok_or_else(|| {
            Fault::unexpected("an array that fits into memory", format!("shape {shape:?}"))
        })?;
    }
    Ok(strides)
}

/// Elements of an array.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, it| product.checked_mul(*it))
}

/// One element beyond the last one of an array that is not empty.
fn end(offset: usize, shape: &[usize], strides: &[usize]) -> Option<usize> {
    let last = shape.iter().zip(strides).try_fold(offset, |last, (length, stride)| {
        last.checked_add(length.saturating_sub(1).checked_mul(*stride)?)
    });
    last?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(length: usize) -> Storage {
        let bytes = Arc::new(Bytes::of_memory((0..length as u8).collect()));
        Storage { bytes, element: Element::U8, start: 0, length }
    }

    fn layout(offset: usize, shape: &[usize], strides: &[usize]) -> Layout {
        Layout { offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    #[track_caller]
    fn check_read(layout: Layout, expected: &[u8]) {
        let array = Array::of_storage(&storage(12), layout).unwrap();
        assert_eq!(array.read().unwrap(), expected);
    }

    #[track_caller]
    fn check_refused(layout: Layout) {
        let refusal = Array::of_storage(&storage(12), layout).unwrap_err();
        assert!(matches!(refusal, Fault::Unexpected { .. }), "{refusal}");
    }

    #[test]
    fn a_contiguous_part_is_read() {
        check_read(layout(2, &[2, 3], &[3, 1]), &[2, 3, 4, 5, 6, 7]);
    }
    #[test]
    fn a_transposed_part_is_read() {
        check_read(layout(1, &[2, 3], &[1, 4]), &[1, 5, 9, 2, 6, 10]);
    }
    #[test]
    fn a_repeated_element_is_read() {
        check_read(layout(3, &[2, 2], &[0, 1]), &[3, 4, 3, 4]);
    }
    #[test]
    fn a_number_alone_is_read() {
        check_read(layout(11, &[], &[]), &[11]);
    }
    #[test]
    fn nothing_is_read() {
        check_read(layout(12, &[0, 3], &[3, 1]), &[]);
    }
    #[test]
    fn what_reaches_beyond_the_storage_is_refused() {
        check_refused(layout(7, &[2, 3], &[3, 1]));
        check_refused(layout(0, &[2], &[12]));
        check_refused(layout(usize::MAX, &[2], &[1]));
        check_refused(layout(0, &[2, usize::MAX], &[1, 1]));
        check_refused(layout(0, &[3], &[usize::MAX]));
    }
    #[test]
    fn more_elements_than_the_storage_has_are_refused() {
        check_refused(layout(0, &[13], &[0]));
    }
    #[test]
    fn strides_must_be_as_many_as_axes() {
        check_refused(layout(0, &[2, 2], &[1]));
        check_refused(layout(0, &[1; 33], &[1; 33]));
    }
}
