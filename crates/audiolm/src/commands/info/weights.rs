//! What a file of weights holds.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use safetensors::SafeTensors;
use serde::Serialize;

/// A file of weights.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct WeightsInfo {
    /// The file.
    file: PathBuf,
    /// Its size.
    pub(in crate::commands) bytes: u64,
    /// How many tensors it holds.
    pub(super) tensors: usize,
    /// How many numbers.
    pub(in crate::commands) parameters: usize,
    /// Their types.
    pub(in crate::commands) types: BTreeSet<String>,
}

impl WeightsInfo {
    pub(in crate::commands) fn of_file(path: &Path) -> Result<Self> {
        let shown = || path.display().to_string();
        let bytes = std::fs::read(path).with_context(shown)?;
        let weights = SafeTensors::deserialize(&bytes)
            .with_context(|| format!("{}: not a safetensors file", path.display()))?;
        let tensors = weights.tensors();
        Ok(Self {
            file: path.to_owned(),
            bytes: bytes.len() as u64,
            tensors: tensors.len(),
            parameters: tensors.iter().map(|it| it.1.shape().iter().product::<usize>()).sum(),
            types: tensors.iter().map(|it| format!("{:?}", it.1.dtype())).collect(),
        })
    }
}

impl fmt::Display for WeightsInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        write!(
            f,
            "{} parameters in {} tensors of {}, {}",
            grouped(self.parameters),
            self.tensors,
            types.join(" and "),
            indicatif::DecimalBytes(self.bytes)
        )
    }
}

/// 1234567 as `1,234,567`.
fn grouped(number: usize) -> String {
    indicatif::HumanCount(number as u64).to_string()
}
