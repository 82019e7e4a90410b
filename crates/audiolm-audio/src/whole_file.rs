//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

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
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| WriteError::Failed { path: path.into(), source };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(WriteError::NoFolder { path: path.into(), folder: folder.into() }.into());
    }
    let mut file = temporary_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(file.as_file_mut());
    fill(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|it| failed(it.error))?;
    Ok(())
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
