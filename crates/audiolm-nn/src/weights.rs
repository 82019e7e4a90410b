//! Weights to and from safetensors, strictly: every tensor of the module must be in the file,
//! and every tensor of the file in the module.

use std::path::Path;

use burn::module::Module;
use burn::store::{ApplyResult, FloatCastAdapter, ModuleSnapshot, SafetensorsStore};
use burn::tensor::DType;

use crate::WeightsError;

/// How wide the floats of a weights file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits: exactly what was trained.
    Full,
    /// 16 bits: half the size, a relative error of up to 2^-11.
    Half,
}

/// Writes the module's tensors, under their paths in it, as one safetensors file. Which variant of
/// an enum holds them is no part of the path: the configuration says that.
///
/// The file appears under its name only when it is complete.
///
/// # Errors
/// Where the file cannot be written.
pub fn save_weights<M: Module>(
    module: &M,
    path: &Path,
    precision: Precision,
) -> Result<(), WeightsError> {
    let io = |source| WeightsError::Io { path: path.to_owned(), source };
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let temporary = tempfile::Builder::new()
        .prefix(".weights-")
        .tempdir_in(folder.unwrap_or(Path::new(".")))
        .map_err(io)?;
    let unfinished = temporary.path().join("model.safetensors");

    let width = match precision {
        Precision::Full => DType::F32,
        Precision::Half => DType::F16,
    };
    let mut store = SafetensorsStore::from_file(&unfinished)
        .clear_metadata()
        .metadata("format", "pt")
        .skip_enum_variants(true)
        .with_to_adapter(FloatCastAdapter::to(width));
    module.save_into(&mut store).map_err(|it| io(std::io::Error::other(it.to_string())))?;
    open_to_others(&unfinished).map_err(io)?;
    std::fs::rename(&unfinished, path).map_err(io)
}

/// Gives a file the permissions of an ordinary new one, rather than the private ones it is written
/// with.
fn open_to_others(path: &Path) -> std::io::Result<()> {
    let ordinary = std::fs::File::create(path.with_extension("empty"))?;
    std::fs::set_permissions(path, ordinary.metadata()?.permissions())
}

/// Fills the module with the tensors of a file that [`save_weights`] wrote, at 32 bits.
///
/// # Errors
/// Where the file is missing or damaged, or holds other tensors than the module; nothing of it is
/// used then.
pub fn load_weights<M: Module>(mut module: M, path: &Path) -> Result<M, WeightsError> {
    std::fs::File::open(path)
        .map_err(|source| WeightsError::Io { path: path.to_owned(), source })?;
    let mut store = SafetensorsStore::from_file(path)
        .allow_partial(true)
        .validate(false)
        .skip_enum_variants(true)
        .with_from_adapter(FloatCastAdapter::to(DType::F32));
    let result = module
        .load_from(&mut store)
        .map_err(|it| WeightsError::Malformed { path: path.to_owned(), reason: it.to_string() })?;
    let mismatch = mismatch(&result);
    if mismatch.is_empty() {
        Ok(module)
    } else {
        Err(WeightsError::Mismatch { path: path.to_owned(), mismatch })
    }
}

/// The number of floats in a module's parameters.
pub fn parameter_count<M: Module>(module: &M) -> usize {
    module.num_params()
}

fn mismatch(result: &ApplyResult) -> Vec<String> {
    let missing: Vec<_> = result.missing.iter().map(|(path, _)| path.clone()).collect();
    let misshapen: Vec<_> = result.errors.iter().map(ToString::to_string).collect();
    [("missing", missing), ("not in the model", result.unused.clone()), ("misfit", misshapen)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| format!("{kind}: {}", shortened(&names)))
        .collect()
}

/// The first few names; files of other models differ in hundreds.
pub(crate) fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::prelude::*;

    fn linear(inputs: usize) -> Linear {
        LinearConfig::new(inputs, 3).init(&Device::default())
    }

    #[track_caller]
    fn check_round_trip(precision: Precision, tolerance: f32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let saved = linear(4);
        save_weights(&saved, &path, precision).unwrap();
        let loaded = load_weights(linear(4), &path).unwrap();
        let difference = (saved.weight.val() - loaded.weight.val()).abs().max();
        assert!(difference.into_scalar::<f32>() <= tolerance);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    #[cfg(unix)]
    fn others_may_read_what_is_saved() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |it: &Path| std::fs::metadata(it).unwrap().permissions().mode();
        let (saved, ordinary) = (folder.path().join("saved"), folder.path().join("ordinary"));
        save_weights(&linear(4), &saved, Precision::Full).unwrap();
        std::fs::write(&ordinary, "").unwrap();
        assert_eq!(mode(&saved), mode(&ordinary));
    }

    #[test]
    fn full_precision_is_exact() {
        check_round_trip(Precision::Full, 0.0);
    }

    #[test]
    fn half_precision_is_near() {
        check_round_trip(Precision::Half, 1e-3);
    }

    #[test]
    fn another_shape_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        save_weights(&linear(4), &path, Precision::Full).unwrap();
        let error = load_weights(linear(5), &path).unwrap_err().to_string();
        assert!(error.contains("weight") && error.contains("model.safetensors"), "{error}");
    }

    #[test]
    fn every_truncation_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        save_weights(&linear(4), &path, Precision::Full).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(load_weights(linear(4), &path).is_err(), "{length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load_weights(linear(4), Path::new("nowhere/model.safetensors")).unwrap_err();
        assert!(matches!(error, WeightsError::Io { .. }), "{error}");
    }
}
