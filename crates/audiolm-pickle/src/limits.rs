//! What a file can make us allocate.

use crate::Fault;

/// Bounds on what a file may ask for. All are far above what published weights need.
///
/// # Memory
/// Opening a file allocates for its pickles and its table of contents, never for its tensors: at
/// most twice `memory`, and no more than 256 times their bytes and 256 KiB. Naming its tensors takes at
/// most `memory` again. Where a joblib file is compressed, up to twice `inflated` is added. Reading a
/// tensor allocates its bytes, and where it is no contiguous piece of its storage, the bytes of that
/// storage too; a tensor cannot be larger than its storage, nor a storage reach beyond the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes for the values of a pickle.
    pub memory: usize,
    /// Values of a pickle.
    pub values: usize,
    /// Bytes of one string or number.
    pub text: usize,
    /// Collections that are open at once while a pickle is read.
    pub nesting: usize,
    /// Bytes that a compressed file may become.
    pub inflated: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            values: 1 << 20,
            text: 16 << 20,
            nesting: 1000,
            inflated: 256 << 20,
        }
    }
}

/// Memory that may still be allocated.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limit: limits.memory, left: limits.memory }
    }

    /// Refuses what would be too much, before it is allocated.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        let limit = self.limit as u64;
        self.left =
            self.left.checked_sub(bytes).ok_or(Fault::Limit { of: "bytes of values", limit })?;
        Ok(())
    }

    /// Makes room for `more` elements, and pays for it.
    pub(crate) fn reserve<T>(&mut self, list: &mut Vec<T>, more: usize) -> Result<(), Fault> {
        const FIRST: usize = 4;
        let (needed, capacity) = (list.len().saturating_add(more), list.capacity());
        if needed <= capacity {
            return Ok(());
        }
        let grown = needed.max(capacity.saturating_mul(2)).max(FIRST);
        self.charge((grown - capacity).saturating_mul(size_of::<T>()))?;
        list.reserve_exact(grown - list.len());
        Ok(())
    }

    /// Appends one element.
    pub(crate) fn push<T>(&mut self, list: &mut Vec<T>, element: T) -> Result<(), Fault> {
        self.reserve(list, 1)?;
        list.push(element);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_stops_growing_at_the_limit() {
        let limits = Limits { memory: 64, ..Limits::default() };
        let (mut budget, mut list) = (Budget::new(&limits), Vec::<u64>::new());
        let pushed = (0..100).take_while(|it| budget.push(&mut list, *it).is_ok()).count();
        assert_eq!((pushed, list.capacity()), (8, 8));
    }
}
