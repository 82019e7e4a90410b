//! The values of a pickle, side by side.

use crate::Array;

/// The place of a [`Node`] among those of its pickle.
///
/// Values refer to one another by place. A value that stands in many others is there once, one that
/// stands in itself does no harm, and nothing here calls itself however deep a file nests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) u32);

/// A value.
#[derive(Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, its lowest byte first, in two's complement.
    Long(Box<[u8]>),
    Float(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Tuple(Box<[Id]>),
    List(Vec<Id>),
    Set(Vec<Id>),
    Dict(Vec<Entry>),
    /// The name of a class or function: nothing but its name.
    Global {
        module: Id,
        name: Id,
    },
    /// What stands outside of the pickle, by the name that the pickle calls it.
    Persistent(Id),
    /// What Python would make by calling something.
    Object(Box<Object>),
    /// Numbers that lie in the file, within or behind the pickle.
    Array(Box<Array>),
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) key: Id,
    pub(crate) value: Id,
}

/// A call that Python would make, and what it would do with the result. Nothing of it is done.
#[derive(Debug)]
pub(crate) struct Object {
    /// What would be called.
    pub(crate) callee: Id,
    /// A tuple of arguments.
    pub(crate) args: Id,
    /// What would be handed to `__setstate__`, or become the attributes.
    pub(crate) state: Option<Id>,
    /// What would be appended.
    pub(crate) items: Vec<Id>,
    /// What would be set by key.
    pub(crate) entries: Vec<Entry>,
}

impl Node {
    /// What it is, for errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Long(_) => "an int",
            Self::Float(_) => "a float",
            Self::Text(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Dict(_) => "a dict",
            Self::Global { .. } => "the name of a class or function",
            Self::Persistent(_) => "a reference",
            Self::Object(_) => "an object",
            Self::Array(_) => "an array",
        }
    }
}
