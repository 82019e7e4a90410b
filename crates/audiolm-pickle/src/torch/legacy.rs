//! Files as PyTorch wrote them before 1.6, and writes them when asked to: five pickles (a magic
//! number, the protocol, facts about the machine, the object, the names of the storages), then the
//! storages one after another (`torch/serialization.py`, `_legacy_save`).

use std::collections::BTreeMap;

use super::{Place, Reference, Storages};
use crate::error::quoted;
use crate::machine::{Dialect, read_pickle};
use crate::stream::Stream;
use crate::value::{Pickle, Value};
use crate::{Bytes, Element, Fault, Limits};

/// 0x1950a86a20f9469cfc6c, its lowest byte first.
pub(crate) const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;
/// The share of the memory that each pickle of the header may take, as a divisor.
const HEADER: usize = 64;
/// Likewise of the names of the storages.
const KEYS: usize = 8;

/// The object, and where its storages lie.
pub(crate) fn open(bytes: &Bytes, limits: &Limits) -> Result<(Pickle, Storages), Fault> {
    let mut stream = Stream::new(bytes, 0, bytes.length());
    require_header(&mut stream, limits)?;
    let object = read_pickle(&mut stream, limits, Dialect::Plain)?;
    let limits = Limits { memory: limits.memory / KEYS, ..*limits };
    let keys = read_pickle(&mut stream, &limits, Dialect::Plain)?;
    let storages = storages(&object, keys.root(), &mut stream)?;
    Ok((object, storages))
}

fn require_header(stream: &mut Stream<'_>, limits: &Limits) -> Result<(), Fault> {
    let limits = Limits { memory: limits.memory / HEADER, ..*limits };
    let mut next = || read_pickle(stream, &limits, Dialect::Plain);
    let magic = next()?;
    if magic.root().as_long() != Some(&MAGIC) {
        return Err(magic.root().instead_of("the magic number of PyTorch"));
    }
    let protocol = next()?;
    if protocol.root().as_int() != Some(PROTOCOL) {
        return Err(protocol.root().instead_of("protocol 1001 of PyTorch"));
    }
    require_little_endian(next()?.root())
}

fn require_little_endian(machine: Value<'_>) -> Result<(), Fault> {
    match machine.get("little_endian").and_then(Value::as_bool) {
        Some(false) => Err(Fault::unexpected("numbers with their lowest byte first", "big-endian")),
        _ => Ok(()),
    }
}

/// Each storage is its number of elements, and the elements.
fn storages(object: &Pickle, keys: Value<'_>, stream: &mut Stream<'_>) -> Result<Storages, Fault> {
    let elements = elements(object)?;
    let keys = keys.items().ok_or_else(|| keys.instead_of("a list of storages"))?;
    let mut storages = Storages::new();
    for key in keys {
        let key = key.as_str().ok_or_else(|| key.instead_of("the name of a storage"))?;
        let Some(element) = elements.get(key) else {
            return Err(Fault::unexpected(format!("a type of storage {}", quoted(key)), "none"));
        };
        let length = u64::from_le_bytes(stream.array()?).saturating_mul(element.size() as u64);
        let place = Place { start: stream.position(), length };
        stream.skip(length)?;
        if storages.insert(key.to_owned(), place).is_some() {
            return Err(Fault::unexpected(format!("storage {} once", quoted(key)), "it twice"));
        }
    }
    Ok(storages)
}

/// The type of each storage that the object refers to.
fn elements(object: &Pickle) -> Result<BTreeMap<&str, Element>, Fault> {
    let mut elements = BTreeMap::new();
    for reference in object.references() {
        let reference = Reference::of(reference)?;
        let element = reference.element().ok_or_else(|| {
            Fault::unexpected("a storage of floats, integers or truths", "one of another type")
        })?;
        if elements.insert(reference.key, element).is_some_and(|it| it != element) {
            let expected = format!("one type of storage {}", quoted(reference.key));
            return Err(Fault::unexpected(expected, "two"));
        }
    }
    Ok(elements)
}
