//! Folders that are there whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use crate::TrainError;

/// What the folder before the present one is called until the present one is in its place.
const OLD: &str = "old";

/// Fills a folder beside `folder`, which then takes its place: whenever the process is killed,
/// either the old or the new one is there, the old one perhaps as [`old_folder`].
pub(crate) fn replace_folder(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let (partial, old) = (folder.with_extension("partial"), old_folder(folder));
    remove(&partial)?;
    fs::create_dir_all(&partial).map_err(TrainError::io(&partial))?;
    fill(&partial)?;
    if folder.exists() {
        remove(&old)?;
        fs::rename(folder, &old).map_err(TrainError::io(folder))?;
    }
    fs::rename(&partial, folder).map_err(TrainError::io(folder))?;
    remove(&old)
}

/// Where a folder is to be found that was about to be replaced.
pub(crate) fn old_folder(folder: &Path) -> PathBuf {
    folder.with_extension(OLD)
}

fn remove(folder: &Path) -> Result<(), TrainError> {
    match folder.exists() {
        true => fs::remove_dir_all(folder).map_err(TrainError::io(folder)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(folder: &Path) -> String {
        fs::read_to_string(folder.join("a")).unwrap()
    }

    fn write(text: &str) -> impl FnOnce(&Path) -> Result<(), TrainError> {
        move |it| fs::write(it.join("a"), text).map_err(TrainError::io(it))
    }

    #[test]
    fn the_new_takes_the_place_of_the_old() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("part");
        replace_folder(&folder, write("one")).unwrap();
        replace_folder(&folder, write("two")).unwrap();
        assert_eq!(text_of(&folder), "two");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_fails_changes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("part");
        replace_folder(&folder, write("one")).unwrap();
        let failed = replace_folder(&folder, |it| {
            write("half")(it)?;
            Err(TrainError::Interrupted)
        });
        assert!(failed.is_err());
        assert_eq!(text_of(&folder), "one");
    }
}
