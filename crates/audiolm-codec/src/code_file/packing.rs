//! How codes become bytes.

/// How a [`CodeWriter`](crate::CodeWriter) packs codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodePacking {
    /// Each code in as many bits as the highest one needs: files of one length have one size.
    Bits,
    /// By range coding, with a model for each quantizer that learns how often a code comes while
    /// it comes. A block that would be no smaller is packed as bits.
    ///
    /// All of it is arithmetic of whole numbers, the same on every machine. A model begins with a
    /// count of 1 for each code and adds 4 for each that it has seen; where the sum of its counts
    /// exceeds 2^20, it halves them, rounding up. A code that `below` of `total` counts lie below
    /// begins at the probability floor(below * 2^24 / total) / 2^24. The coder is the range coder
    /// of the crate `constriction`, with words of 32 bits and a state of 64; it begins anew with
    /// each block, while the models go on.
    #[default]
    Adaptive,
}
