//! Files as PyTorch has written them since 1.6: a zip archive with the pickle, and each storage as an
//! entry that is not compressed (`caffe2/serialize/inline_container.h`).

use rawzip::{
    CompressionMethod, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive, ZipFileHeaderRecord,
    ZipLocator,
};

use super::{Place, Storages};
use crate::error::quoted;
use crate::limits::Budget;
use crate::machine::{Dialect, read_pickle};
use crate::stream::Stream;
use crate::value::Pickle;
use crate::{Bytes, Fault, Limits};

/// What an entry may take beside its name, in a tree that is half empty.
const ENTRY: usize = 128;
/// Bytes of a name that is of interest.
const LONGEST_NAME: usize = 1024;

/// The object, and where its storages lie.
pub(crate) fn open(bytes: &Bytes, limits: &Limits) -> Result<(Pickle, Storages), Fault> {
    let Contents { pickle, storages, byte_order } = Contents::read(bytes, limits)?;
    if let Some(place) = byte_order {
        require_little_endian(bytes, &place)?;
    }
    let pickle =
        pickle.ok_or_else(|| Fault::unexpected("an archive with data.pkl", "one without"))?;
    let mut stream = Stream::new(bytes, pickle.start, pickle.start + pickle.length);
    Ok((read_pickle(&mut stream, limits, Dialect::Plain)?, storages))
}

/// The entries that are of interest. All lie in one folder, whose name is that of the file.
#[derive(Default)]
struct Contents {
    pickle: Option<Place>,
    byte_order: Option<Place>,
    storages: Storages,
}

impl Contents {
    fn read(bytes: &Bytes, limits: &Limits) -> Result<Self, Fault> {
        let mut budget = Budget::new(&Limits { memory: limits.memory / 4, ..*limits });
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let located = ZipLocator::new().locate_in_reader(bytes, &mut buffer, bytes.length());
        let archive = located.map_err(|it| damaged(it.1))?;
        let mut contents = Self::default();
        let mut entries = archive.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().map_err(damaged)? {
            contents.take(&archive, &entry, &mut budget)?;
        }
        Ok(contents)
    }

    fn take(
        &mut self,
        archive: &ZipArchive<&Bytes>,
        entry: &ZipFileHeaderRecord<'_>,
        budget: &mut Budget,
    ) -> Result<(), Fault> {
        let path = entry.file_path();
        let Some(name) = within_folder(path.as_ref()) else { return Ok(()) };
        let place = || place(archive, entry, name);
        let earlier = match name {
            "data.pkl" => self.pickle.replace(place()?),
            "byteorder" => self.byte_order.replace(place()?),
            _ => {
                let Some(key) = name.strip_prefix("data/") else { return Ok(()) };
                budget.charge(ENTRY + key.len())?;
                self.storages.insert(key.to_owned(), place()?)
            }
        };
        match earlier {
            None => Ok(()),
            Some(_) => Err(Fault::unexpected(format!("entry {} once", quoted(name)), "it twice")),
        }
    }
}

/// The name of an entry without that of the folder around everything.
fn within_folder(path: &[u8]) -> Option<&str> {
    let path = str::from_utf8(path).ok().filter(|it| it.len() <= LONGEST_NAME)?;
    path.split_once('/').map(|it| it.1)
}

/// Where the bytes of an entry lie, which are there as they are.
fn place(
    archive: &ZipArchive<&Bytes>,
    entry: &ZipFileHeaderRecord<'_>,
    name: &str,
) -> Result<Place, Fault> {
    let (compressed, whole) = (entry.compressed_size_hint(), entry.uncompressed_size_hint());
    if entry.compression_method() != CompressionMethod::STORE || compressed != whole {
        let expected = format!("entry {} as it is", quoted(name));
        return Err(Fault::unexpected(expected, "it compressed"));
    }
    let (start, end) =
        archive.get_entry(entry.wayfinder()).map_err(damaged)?.compressed_data_range();
    let left = archive.get_ref().length().saturating_sub(start);
    match end.checked_sub(start).filter(|it| *it <= left) {
        Some(length) => Ok(Place { start, length }),
        None => Err(Fault::Truncated { at: start, wanted: whole, left }),
    }
}

fn require_little_endian(bytes: &Bytes, place: &Place) -> Result<(), Fault> {
    const LITTLE: &[u8] = b"little";
    let is_little =
        place.length == LITTLE.len() as u64 && bytes.read(place.start, place.length)? == LITTLE;
    match is_little {
        true => Ok(()),
        false => {
            Err(Fault::unexpected("numbers with their lowest byte first", "another byte order"))
        }
    }
}

fn damaged(error: rawzip::Error) -> Fault {
    Fault::Zip { reason: quoted(&error.to_string()) }
}

impl ReaderAt for Bytes {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.read_some(offset, buffer).map_err(std::io::Error::other)
    }
}
