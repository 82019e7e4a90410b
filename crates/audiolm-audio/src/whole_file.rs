//! Files that are there whole or not at all.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::WriteError;

/// Writes a file through a temporary one beside it, which takes the name once it is complete.
///
/// Whoever is interrupted, by an error or by the end of the process, leaves what had that name
/// before.
///
/// ```
/// use std::io::Write;
/// use audiolm_audio::{WriteError, write_whole};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes.txt");
/// write_whole(&path, |out| {
///     writeln!(out, "whole").map_err(|source| WriteError::Failed { path: path.clone(), source })
/// })?;
/// assert_eq!(std::fs::read_to_string(&path)?, "whole\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What `fill` returns; [`WriteError`] when the folder is missing or the system refuses.
pub fn write_whole<E: From<WriteError>>(
    path: &Path,
    fill: impl FnOnce(&mut WholeFile) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = WholeFile::create(path)?;
    fill(&mut file)?;
    Ok(file.keep()?)
}

/// A file on its way to its name: see [`write_whole`]. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl WholeFile {
    /// Begins the file.
    ///
    /// # Errors
    /// When the folder is missing or the system refuses.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, WriteError> {
        let path = path.as_ref();
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(WriteError::NoFolder { path: path.into(), folder: folder.into() });
        }
        let failed = |source| WriteError::Failed { path: path.into(), source };
        let out = BufWriter::new(temporary_in(folder).map_err(failed)?);
        Ok(Self { path: path.into(), out })
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn keep(self) -> Result<(), WriteError> {
        let Self { path, out } = self;
        let keep = || {
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        keep().map_err(|source| WriteError::Failed { path: path.clone(), source })
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for WholeFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

/// A temporary file with the permissions of an ordinary new file, rather than the private ones
/// that temporary files get.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".audiolm-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
