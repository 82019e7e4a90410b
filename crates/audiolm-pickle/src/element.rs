//! What an array is made of.

use std::fmt;

/// The type of an array's elements. All lie in files with their lowest byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A float of 64 bits.
    F64,
    /// A float of 32 bits.
    F32,
    /// A float of 16 bits.
    F16,
    /// A float of 16 bits with the exponents of 32.
    Bf16,
    /// A signed integer of 64 bits.
    I64,
    /// A signed integer of 32 bits.
    I32,
    /// A signed integer of 16 bits.
    I16,
    /// A signed integer of 8 bits.
    I8,
    /// An unsigned integer of 8 bits.
    U8,
    /// A truth, of 8 bits.
    Bool,
}

/// The elements with their names in PyTorch and in numpy, and PyTorch's name of storages of them.
const NAMES: [(Element, &str, &str, &str); 10] = [
    (Element::F64, "float64", "f8", "DoubleStorage"),
    (Element::F32, "float32", "f4", "FloatStorage"),
    (Element::F16, "float16", "f2", "HalfStorage"),
    (Element::Bf16, "bfloat16", "bfloat16", "BFloat16Storage"),
    (Element::I64, "int64", "i8", "LongStorage"),
    (Element::I32, "int32", "i4", "IntStorage"),
    (Element::I16, "int16", "i2", "ShortStorage"),
    (Element::I8, "int8", "i1", "CharStorage"),
    (Element::U8, "uint8", "u1", "ByteStorage"),
    (Element::Bool, "bool", "b1", "BoolStorage"),
];

impl Element {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    pub(crate) fn of_torch(name: &str) -> Option<Self> {
        NAMES.iter().find(|it| it.1 == name).map(|it| it.0)
    }

    pub(crate) fn of_numpy(name: &str) -> Option<Self> {
        NAMES.iter().find(|it| it.2 == name).map(|it| it.0)
    }

    pub(crate) fn of_storage(name: &str) -> Option<Self> {
        NAMES.iter().find(|it| it.3 == name).map(|it| it.0)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|it| it.0 == *self).map_or("", |it| it.1);
        f.write_str(name)
    }
}
