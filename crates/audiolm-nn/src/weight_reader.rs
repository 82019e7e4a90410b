//! Weights that other software has named, tensor by tensor, and as strictly as our own: what a
//! model asks for must be in the file, in its shape, and what is in the file must be asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use audiolm_pickle::{Array, Element};
use burn::prelude::*;
use burn::tensor::DType;

use crate::WeightsError;
use crate::weight_file::{self, Stored};
use crate::weights::shortened;

/// The two namings of a weight-normed tensor, PyTorch's older and its newer one: what stands in
/// place of `weight` for the magnitude, and for the direction.
const WEIGHT_NORM: [(&str, &str); 2] = [
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
];

/// A file of weights that a model takes its tensors from. Each is read when it is taken.
///
/// What is wrong is gathered, and told by [`finish`](Self::finish) all at once: until then, a
/// tensor that is not there is zeros.
#[derive(Debug)]
pub struct WeightReader {
    path: PathBuf,
    device: Device,
    /// What nobody has asked for yet.
    left: BTreeMap<String, Stored>,
    missing: Vec<String>,
    misfits: Vec<String>,
}

impl WeightReader {
    /// Opens a file for tensors on `device`: safetensors, what PyTorch saves (`pytorch_model.bin`,
    /// `.pt`, as it is now and as it was before 1.6), or the index of weights in several files
    /// (`model.safetensors.index.json` and the like). The content decides, not the name.
    ///
    /// # Errors
    /// Where it cannot be read, or is of another kind or damaged.
    pub fn open(path: &Path, device: &Device) -> Result<Self, WeightsError> {
        Ok(Self::of_stored(path, weight_file::open(path)?, device))
    }

    /// The tensors of a file that somebody else has opened, by the names that a model knows.
    pub fn of_arrays(path: &Path, arrays: BTreeMap<String, Array>, device: &Device) -> Self {
        let stored = arrays.into_iter().map(|(name, array)| (name, Stored::Array(array)));
        Self::of_stored(path, stored.collect(), device)
    }

    fn of_stored(path: &Path, left: BTreeMap<String, Stored>, device: &Device) -> Self {
        let (missing, misfits) = (Vec::new(), Vec::new());
        Self { path: path.to_owned(), device: device.clone(), left, missing, misfits }
    }

    /// Takes a tensor.
    pub fn take<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Tensor<D> {
        let taken = match self.left.remove(name) {
            Some(stored) => self.fitting(name, shape, stored),
            None => {
                self.missing.push(name.to_owned());
                None
            }
        };
        taken.unwrap_or_else(|| Tensor::zeros(shape, &self.device))
    }

    /// Takes the kernels `NAME.weight` of a convolution, plain or weight-normed in either naming:
    /// direction and magnitude are then folded into the kernels they stand for (Salimans and
    /// Kingma 2016, arXiv 1602.07868, equation 2), each of the first axis with a length of its own.
    pub fn take_kernels(&mut self, name: &str, shape: [usize; 3]) -> Tensor<3> {
        let is_there = |it: &(&str, &str)| self.left.contains_key(&format!("{name}.{}", it.1));
        let Some((magnitude, direction)) = WEIGHT_NORM.into_iter().find(is_there) else {
            return self.take(&format!("{name}.weight"), shape);
        };
        let magnitude = self.take(&format!("{name}.{magnitude}"), [shape[0], 1, 1]);
        let direction: Tensor<3> = self.take(&format!("{name}.{direction}"), shape);
        let length = direction.clone().square().sum_dim(2).sum_dim(1).sqrt();
        direction * (magnitude / length)
    }

    /// Leaves out a tensor that only training needs, where it is there.
    pub fn skip(&mut self, name: &str) {
        self.left.remove(name);
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves out all tensors whose names begin so.
    pub fn skip_all(&mut self, prefix: &str) {
        self.left.retain(|name, _| !name.starts_with(prefix));
    }

    /// Whether a tensor is there, and not taken yet.
    pub fn holds(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Says whether all was as the model expects it.
    ///
    /// # Errors
    /// Where a tensor is missing, has another shape, or was not asked for.
    pub fn finish(self) -> Result<(), WeightsError> {
        let unknown = self.left.into_keys().collect();
        let kinds =
            [("missing", self.missing), ("not in the model", unknown), ("misfit", self.misfits)];
        let of_kind = |(kind, names): (&str, Vec<String>)| format!("{kind}: {}", shortened(&names));
        let mismatch: Vec<String> =
            kinds.into_iter().filter(|it| !it.1.is_empty()).map(of_kind).collect();
        match mismatch.is_empty() {
            true => Ok(()),
            false => Err(WeightsError::Mismatch { path: self.path, mismatch }),
        }
    }

    fn fitting<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        stored: Stored,
    ) -> Option<Tensor<D>> {
        if stored.shape() != shape {
            let found = stored.shape();
            self.misfits.push(format!("{name} (expected {shape:?}, found {found:?})"));
            return None;
        }
        match floats(&stored) {
            Ok(data) => Some(Tensor::from_data(data.convert::<f32>(), &self.device)),
            Err(reason) => {
                self.misfits.push(format!("{name} ({reason})"));
                None
            }
        }
    }
}

fn floats(stored: &Stored) -> Result<TensorData, String> {
    let expected = |found: String| format!("expected floats, found {found}");
    let array = match stored {
        Stored::Array(array) => array,
        Stored::Other { element, .. } => return Err(expected(element.clone())),
    };
    let dtype = float(array.element()).ok_or_else(|| expected(array.element().to_string()))?;
    let bytes = array.read().map_err(|it| it.to_string())?;
    Ok(TensorData::from_bytes_vec(bytes, array.shape().to_vec(), dtype))
}

fn float(element: Element) -> Option<DType> {
    match element {
        Element::F64 => Some(DType::F64),
        Element::F32 => Some(DType::F32),
        Element::F16 => Some(DType::F16),
        Element::Bf16 => Some(DType::BF16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    fn reader(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> WeightReader {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|it| it.2.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
            (name.to_string(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        });
        std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        WeightReader::open(&path, &Device::default()).unwrap()
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.try_into_vec_as().unwrap()
    }

    #[track_caller]
    fn check_folded(magnitude: &str, direction: &str) {
        let mut reader = reader(&[
            (magnitude, vec![2, 1, 1], vec![10.0, 2.0]),
            (direction, vec![2, 1, 2], vec![3.0, 4.0, 0.0, -1.0]),
        ]);
        assert_eq!(values(reader.take_kernels("conv", [2, 1, 2])), [6.0, 8.0, 0.0, -2.0]);
        reader.finish().unwrap();
    }

    #[test]
    fn weight_norm_is_folded_in_both_namings() {
        check_folded("conv.weight_g", "conv.weight_v");
        check_folded(
            "conv.parametrizations.weight.original0",
            "conv.parametrizations.weight.original1",
        );
    }

    #[test]
    fn plain_kernels_are_taken_as_they_are() {
        let mut reader = reader(&[("conv.weight", vec![1, 1, 2], vec![3.0, 4.0])]);
        assert_eq!(values(reader.take_kernels("conv", [1, 1, 2])), [3.0, 4.0]);
        reader.finish().unwrap();
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let mut reader = reader(&[
            ("stranger", vec![1], vec![0.0]),
            ("wide", vec![2], vec![0.0, 1.0]),
            ("seen", vec![1], vec![0.0]),
        ]);
        reader.skip("seen");
        reader.take("wide", [3]);
        reader.take("absent", [1]);
        let error = reader.finish().unwrap_err().to_string();
        let parts =
            ["missing: absent", "not in the model: stranger", "wide (expected [3], found [2])"];
        assert!(parts.iter().all(|it| error.contains(it)), "{error}");
        assert!(!error.contains("seen"), "{error}");
    }

    #[test]
    fn magnitude_without_direction_is_named() {
        let mut reader = reader(&[("conv.weight_g", vec![1, 1, 1], vec![1.0])]);
        reader.take_kernels("conv", [1, 1, 2]);
        let error = reader.finish().unwrap_err().to_string();
        assert!(error.contains("conv.weight_g") && error.contains("missing"), "{error}");
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, "nothing of the kind").unwrap();
        let error = WeightReader::open(&path, &Device::default()).unwrap_err();
        assert!(matches!(error, WeightsError::Malformed { .. }), "{error}");
    }
}
