//! Where results go: checked before the work, whole after it.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use audiolm::audio::{WriteError, write_whole};

/// A file to be written, in a folder that can be written to.
#[derive(Debug, Clone)]
pub struct Output(PathBuf);

impl Output {
    /// A WAV file, refused now where writing it later would fail.
    pub fn wav(path: &Path) -> Result<Self> {
        Self::with_extension(path, "wav")
    }

    /// A PNG file, likewise.
    pub fn png(path: &Path) -> Result<Self> {
        Self::with_extension(path, "png")
    }

    /// A JSON file, likewise.
    pub fn json(path: &Path) -> Result<Self> {
        Self::with_extension(path, "json")
    }

    /// A file of codes, likewise.
    pub fn codes(path: &Path) -> Result<Self> {
        Self::with_extension(path, "alm")
    }

    /// Refuses to write over the file that is read.
    pub fn beside(self, input: &Path) -> Result<Self> {
        let is_input = match (self.0.canonicalize(), input.canonicalize()) {
            (Ok(output), Ok(input)) => output == input,
            _ => false,
        };
        ensure!(!is_input, "{}: the output would replace the input", self.0.display());
        Ok(self)
    }

    /// Writes the whole file, or none.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        write_bytes(&self.0, bytes)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn with_extension(path: &Path, extension: &str) -> Result<Self> {
        let shown = path.display();
        let found = path.extension().unwrap_or_default();
        ensure!(
            found.eq_ignore_ascii_case(extension),
            "{shown}: expected an output name that ends in .{extension}"
        );
        ensure!(!path.is_dir(), "{shown}: is a folder, expected the name of a file to write");
        check_folder(path)?;
        Ok(Self(path.to_owned()))
    }
}

/// Replaces a file by a whole one.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| WriteError::Failed { path: path.to_owned(), source };
    Ok(write_whole(path, |out| out.write_all(bytes).map_err(failed))?)
}

/// Tries whether the folder of `path` takes a new file, and removes it again.
fn check_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!("{}: cannot be written: there is no folder {}", path.display(), folder.display());
    }
    tempfile::Builder::new()
        .prefix(".audiolm-")
        .tempfile_in(folder)
        .map(drop)
        .with_context(|| format!("{}: cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("folder.wav")).unwrap();
        let found = Output::wav(&folder.path().join(name)).map_err(|it| it.to_string());
        match expected {
            None => assert!(found.is_ok(), "{found:?}"),
            Some(part) => assert!(found.unwrap_err().contains(part)),
        }
    }

    #[test]
    fn a_new_wav_in_a_folder_is_fine() {
        check("new.wav", None);
        check("NEW.WAV", None);
    }
    #[test]
    fn what_could_not_be_written_is_refused() {
        check("new.mp3", Some("ends in .wav"));
        check("new", Some("ends in .wav"));
        check("folder.wav", Some("is a folder"));
        check("missing/new.wav", Some("there is no folder"));
    }
    #[test]
    fn the_input_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, "sound").unwrap();
        let refusal = Output::wav(&path).unwrap().beside(&path).unwrap_err();
        assert!(refusal.to_string().contains("would replace the input"));
    }
}
