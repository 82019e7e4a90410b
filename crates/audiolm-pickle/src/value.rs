//! A view of one value of a pickle.

use crate::error::quoted;
use crate::node::{Entry, Id, Node, Object};
use crate::{Array, Fault};

/// The values of a pickle. Classes and functions are names, objects are records of what Python
/// would have called: data, all of it.
#[derive(Debug)]
pub(crate) struct Pickle {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Id,
}

impl Pickle {
    pub(crate) fn root(&self) -> Value<'_> {
        self.value(self.root)
    }

    fn value(&self, id: Id) -> Value<'_> {
        Value { pickle: self, id }
    }

    /// Every reference to what stands outside.
    pub(crate) fn references(&self) -> impl Iterator<Item = Value<'_>> {
        self.nodes.iter().filter_map(|it| match it {
            Node::Persistent(id) => Some(self.value(*id)),
            _ => None,
        })
    }
}

/// One value of a pickle. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    pickle: &'a Pickle,
    id: Id,
}

/// The name of a class or function, as `module.name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Global<'a> {
    /// Its module.
    pub module: &'a str,
    /// Its name in the module.
    pub name: &'a str,
}

impl<'a> Value<'a> {
    /// A string.
    pub fn as_str(self) -> Option<&'a str> {
        match self.node() {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An integer of 64 bits.
    pub fn as_int(self) -> Option<i64> {
        match self.node() {
            Node::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// An integer that counts something.
    pub fn as_count(self) -> Option<usize> {
        self.as_int().and_then(|it| it.try_into().ok())
    }

    /// A number.
    pub fn as_float(self) -> Option<f64> {
        match self.node() {
            Node::Float(float) => Some(*float),
            Node::Int(int) => Some(*int as f64),
            _ => None,
        }
    }

    /// True or false.
    pub fn as_bool(self) -> Option<bool> {
        match self.node() {
            Node::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// Whether it is `None`.
    pub fn is_none(self) -> bool {
        matches!(self.node(), Node::None)
    }

    /// The elements of a tuple or list.
    pub fn items(self) -> Option<impl ExactSizeIterator<Item = Value<'a>>> {
        let ids: &[Id] = match self.node() {
            Node::Tuple(ids) => ids,
            Node::List(ids) => ids,
            _ => return None,
        };
        Some(ids.iter().map(move |it| self.pickle.value(*it)))
    }

    /// Element `index` of a tuple or list.
    pub fn item(self, index: usize) -> Option<Value<'a>> {
        self.items()?.nth(index)
    }

    /// Keys and values of a dict, or of an object that was filled like one.
    pub fn entries(self) -> Option<impl ExactSizeIterator<Item = (Value<'a>, Value<'a>)>> {
        let entries: &[Entry] = match self.node() {
            Node::Dict(entries) => entries,
            Node::Object(object) if is_mapping(self.callee()?) => &object.entries,
            _ => return None,
        };
        let value = move |it| self.pickle.value(it);
        Some(entries.iter().map(move |it| (value(it.key), value(it.value))))
    }

    /// The value of a key of a dict.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        // Of two values of one key, Python keeps the later one.
        self.entries()?.filter(|it| it.0.as_str() == Some(key)).last().map(|it| it.1)
    }

    /// A class or function that is named.
    pub fn as_global(self) -> Option<Global<'a>> {
        let Node::Global { module, name } = self.node() else { return None };
        let text = |it: Id| self.pickle.value(it).as_str();
        Some(Global { module: text(*module)?, name: text(*name)? })
    }

    /// The class or function that an object would be made by.
    pub fn callee(self) -> Option<Global<'a>> {
        self.pickle.value(self.object()?.callee).as_global()
    }

    /// An argument of the call that would make an object.
    pub fn argument(self, index: usize) -> Option<Value<'a>> {
        self.pickle.value(self.object()?.args).item(index)
    }

    /// The state that an object would be given.
    pub fn state(self) -> Option<Value<'a>> {
        self.object()?.state.map(|it| self.pickle.value(it))
    }

    /// An attribute of an object, as its state has it.
    pub fn attribute(self, name: &str) -> Option<Value<'a>> {
        let state = self.state()?;
        state.get(name).or_else(|| state.items()?.find_map(|it| it.get(name)))
    }

    /// Numbers that lie in the file, where joblib has written it.
    pub fn as_array(self) -> Option<&'a Array> {
        match self.node() {
            Node::Array(array) => Some(array),
            _ => None,
        }
    }

    /// What it refers to outside of the pickle.
    pub(crate) fn as_reference(self) -> Option<Value<'a>> {
        match self.node() {
            Node::Persistent(id) => Some(self.pickle.value(*id)),
            _ => None,
        }
    }

    pub(crate) fn as_long(self) -> Option<&'a [u8]> {
        match self.node() {
            Node::Long(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Bytes.
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        match self.node() {
            Node::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// What it is, for errors.
    pub fn describe(self) -> String {
        let kind = self.node().kind();
        match self.as_global().or_else(|| self.callee()) {
            Some(Global { module, name }) => {
                format!("{kind} ({}.{})", quoted(module), quoted(name))
            }
            None => kind.to_owned(),
        }
    }

    /// Says that it is not what was expected.
    pub(crate) fn instead_of(self, expected: impl Into<String>) -> Fault {
        Fault::unexpected(expected, self.describe())
    }

    fn node(self) -> &'a Node {
        &self.pickle.nodes[self.id.0 as usize]
    }

    fn object(self) -> Option<&'a Object> {
        match self.node() {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl Global<'_> {
    /// Whether it is `name` of one of the `modules`.
    pub(crate) fn is(self, modules: &[&str], name: &str) -> bool {
        self.name == name && modules.contains(&self.module)
    }
}

/// The classes whose objects are filled like a dict.
fn is_mapping(class: Global<'_>) -> bool {
    class.is(&["collections"], "OrderedDict") || class.is(&["collections"], "defaultdict")
}
