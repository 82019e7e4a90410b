//! A folder that is there whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A folder that is filled beside its name, and removed where it is not kept.
#[derive(Debug)]
pub struct NewFolder {
    name: PathBuf,
    unfinished: PathBuf,
}

impl NewFolder {
    /// Begins a folder. Refuses a name that is taken, and one that cannot be written to.
    pub fn create(name: &Path) -> Result<Self> {
        let shown = name.display();
        ensure!(!name.exists(), "{shown}: is there already, expected the name of a new folder");
        let last = name.file_name().with_context(|| format!("{shown}: expected a name"))?;
        let hidden = format!(".{}.unfinished", last.to_string_lossy());
        let unfinished = name.with_file_name(hidden);
        if unfinished.exists() {
            // What a call that was killed has left.
            fs::remove_dir_all(&unfinished).with_context(|| unfinished.display().to_string())?;
        }
        fs::create_dir(&unfinished).with_context(|| format!("{shown}: cannot be written"))?;
        Ok(Self { name: name.to_owned(), unfinished })
    }

    /// Where to put files for now.
    pub fn path(&self) -> &Path {
        &self.unfinished
    }

    /// Gives the folder its name.
    pub fn keep(self) -> Result<()> {
        let shown = || self.name.display().to_string();
        fs::rename(&self.unfinished, &self.name).with_context(shown)
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // It is gone where it was kept, and there is no one to tell where it cannot be removed.
        let _ = fs::remove_dir_all(&self.unfinished);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_when_it_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let name = root.path().join("a");
        let folder = NewFolder::create(&name).unwrap();
        fs::write(folder.path().join("file"), "text").unwrap();
        assert!(!name.exists());
        folder.keep().unwrap();
        assert_eq!(fs::read_to_string(name.join("file")).unwrap(), "text");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
    #[test]
    fn a_folder_that_is_not_kept_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        drop(NewFolder::create(&root.path().join("a")).unwrap());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
    #[test]
    fn a_name_that_is_taken_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let refusal = NewFolder::create(root.path()).unwrap_err().to_string();
        assert!(refusal.contains("is there already"), "{refusal}");
    }
}
