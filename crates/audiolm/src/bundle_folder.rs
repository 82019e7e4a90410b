//! Which bundle is meant when none is named.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The environment variable that names a bundle.
const VARIABLE: &str = "AUDIOLM_BUNDLE";
/// The bundle that ships with the project, from its root.
const SHIPPED: &str = "models/speech-tiny";
/// The file that every bundle has.
const MANIFEST: &str = "bundle.json";

/// The folder of the bundle to use: the one named; else the one that `AUDIOLM_BUNDLE` names; else
/// `models/speech-tiny` in a folder that holds this program, or that we are in.
pub fn find(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = named {
        return Ok(folder.to_owned());
    }
    if let Some(folder) = std::env::var_os(VARIABLE).filter(|it| !it.is_empty()) {
        return Ok(folder.into());
    }
    let starts: Vec<PathBuf> =
        [std::env::current_exe(), std::env::current_dir()].into_iter().flatten().collect();
    let found = starts.iter().flat_map(|it| it.ancestors()).map(|it| it.join(SHIPPED));
    match found.into_iter().find(|it| it.join(MANIFEST).is_file()) {
        Some(folder) => Ok(folder),
        None => bail!(
            "no bundle: {VARIABLE} is not set, and there is no {SHIPPED} in or above {}; \
             name one with --bundle DIR",
            starts.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join(" or ")
        ),
    }
}
