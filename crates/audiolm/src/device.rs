//! The one place that knows which backends are compiled in, and opens a device of one.

use std::fmt;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::str::FromStr;

use burn::prelude::*;

/// The environment variable that names a device where nothing else does; burn reads it too.
const DEVICE_VARIABLE: &str = "BURN_DEVICE";

/// Where tensors live and are computed on. Each is compiled in by the cargo feature of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// CPUs, in Rust alone.
    Flex,
    /// GPUs through whatever wgpu finds.
    Wgpu,
    /// GPUs through Vulkan.
    Vulkan,
    /// GPUs through Metal.
    Metal,
    /// NVIDIA's GPUs.
    Cuda,
    /// AMD's GPUs.
    Rocm,
}

/// A device by name: `flex`, `cuda`, `cuda:1`. The number counts the GPUs of a backend from 0;
/// for wgpu, Vulkan and Metal only the discrete ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceName {
    backend: Backend,
    index: Option<usize>,
}

/// Why a device cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The name is not one of a device.
    #[error(
        "there is no device {name:?}: expected one of {}, with the number of a GPU as in cuda:1",
        names(&Backend::ALL)
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// The CPU has no number.
    #[error("there is no device {name:?}: {backend} has a single device")]
    Single {
        /// The name.
        name: String,
        /// Its backend.
        backend: Backend,
    },
    /// The backend exists but is not in this program.
    #[error(
        "the device {name} is not compiled in; this program has {}: build it with \
         `--features {}`, or choose another device",
        compiled_in_names(),
        name.backend
    )]
    NotCompiledIn {
        /// The name.
        name: DeviceName,
    },
    /// No backend is in this program.
    #[error("no device is compiled in: build with one of the features {}", names(&Backend::ALL))]
    NoneCompiledIn,
    /// The backend does not start on this machine.
    #[error(
        "the device {name} cannot be used on this machine ({reason}); compiled in: {}",
        compiled_in_names()
    )]
    DoesNotStart {
        /// The name.
        name: String,
        /// What the backend said.
        reason: String,
    },
}

impl Backend {
    /// Every backend.
    pub const ALL: [Self; 6] =
        [Self::Flex, Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda, Self::Rocm];

    /// Its name on the command line, in `BURN_DEVICE` and among the cargo features.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        }
    }

    /// The backends of this program.
    pub fn compiled_in() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|it| it.is_compiled_in())
    }

    const fn is_compiled_in(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
        }
    }
}

impl DeviceName {
    /// What `BURN_DEVICE` names, if it is set.
    ///
    /// # Errors
    /// Where it names no device.
    pub fn from_environment() -> Result<Option<Self>, DeviceError> {
        match std::env::var(DEVICE_VARIABLE) {
            Ok(name) if !name.is_empty() => name.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// Opens the device and computes a number on it.
    ///
    /// # Errors
    /// Where its backend is not compiled in, or does not start on this machine.
    pub fn open(self) -> Result<Device, DeviceError> {
        if !self.backend.is_compiled_in() {
            return Err(DeviceError::NotCompiledIn { name: self });
        }
        started(&self.to_string(), || self.device())
    }

    fn device(self) -> Device {
        #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal"))]
        let kind = self.index.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu);
        match self.backend {
            #[cfg(feature = "flex")]
            Backend::Flex => Device::flex(),
            #[cfg(feature = "wgpu")]
            Backend::Wgpu => Device::wgpu(kind),
            #[cfg(feature = "vulkan")]
            Backend::Vulkan => Device::vulkan(kind),
            #[cfg(feature = "metal")]
            Backend::Metal => Device::metal(kind),
            #[cfg(feature = "cuda")]
            Backend::Cuda => Device::cuda(self.index.unwrap_or(0)),
            #[cfg(feature = "rocm")]
            Backend::Rocm => Device::rocm(self.index.unwrap_or(0)),
            #[allow(unreachable_patterns)]
            backend => unreachable!("{backend} is not compiled in"),
        }
    }
}

/// The device of this name; without one, what `BURN_DEVICE` names; without that, the first that is
/// compiled in, GPUs before CPUs.
///
/// # Errors
/// Where `BURN_DEVICE` names no device, or the device cannot be had.
///
/// ```
/// let device = audiolm::device(Some("flex".parse()?))?;
/// assert!("cuda:one".parse::<audiolm::DeviceName>().is_err());
/// # Ok::<(), audiolm::DeviceError>(())
/// ```
pub fn device(name: Option<DeviceName>) -> Result<Device, DeviceError> {
    let named = match name {
        Some(name) => Some(name),
        None => DeviceName::from_environment()?,
    };
    match named {
        Some(name) => name.open(),
        None if Backend::compiled_in().next().is_none() => Err(DeviceError::NoneCompiledIn),
        None => started("default", Device::default),
    }
}

/// A device that has shown that it computes. Backends of GPUs report a missing driver by a panic:
/// it is turned into an error here, before there is anything to lose.
fn started(name: &str, open: impl FnOnce() -> Device) -> Result<Device, DeviceError> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let opened = catch_unwind(std::panic::AssertUnwindSafe(|| {
        #[cfg(feature = "flex")]
        audiolm_flex::install();
        let device = open();
        let _ = Tensor::<1>::ones([2], &device).sum().into_data();
        device
    }));
    set_hook(hook);
    opened.map_err(|payload| DeviceError::DoesNotStart {
        name: name.to_owned(),
        reason: panic_text(payload.as_ref()),
    })
}

/// The first line of what a panic said.
fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied());
    let first_line = said.and_then(|it| it.lines().find(|line| !line.trim().is_empty()));
    first_line.unwrap_or("it gave no reason").trim().to_owned()
}

fn names(backends: &[Backend]) -> String {
    backends.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ")
}

fn compiled_in_names() -> String {
    match Backend::compiled_in().collect::<Vec<_>>() {
        none if none.is_empty() => "none".to_owned(),
        some => names(&some),
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown { name: text.to_owned() };
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        let is_meant = |it: &Backend| it.name().eq_ignore_ascii_case(name);
        let backend = Backend::ALL.into_iter().find(is_meant).ok_or_else(unknown)?;
        match (backend, index) {
            (Backend::Flex, Some(_)) => Err(DeviceError::Single { name: text.to_owned(), backend }),
            _ => Ok(Self { backend, index }),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{}:{index}", self.backend),
            None => write!(f, "{}", self.backend),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let found = text.parse::<DeviceName>().map(|it| it.to_string());
        match expected {
            Ok(name) => assert_eq!(found.as_deref(), Ok(name)),
            Err(part) => {
                let message = found.unwrap_err().to_string();
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn names_are_read_whatever_their_case() {
        check("flex", Ok("flex"));
        check("CUDA", Ok("cuda"));
        check("wgpu:2", Ok("wgpu:2"));
    }
    #[test]
    fn names_that_mean_nothing_are_refused() {
        check("tpu", Err("\"tpu\": expected one of flex, wgpu, vulkan, metal, cuda, rocm"));
        check("cuda:", Err("there is no device \"cuda:\""));
        check("cuda:-1", Err("there is no device \"cuda:-1\""));
        check("flex:1", Err("flex has a single device"));
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_backend_that_is_not_compiled_in_is_named_with_those_that_are() {
        let error = "cuda".parse::<DeviceName>().unwrap().open().unwrap_err().to_string();
        assert!(error.contains("cuda is not compiled in; this program has "), "{error}");
        assert!(error.contains("--features cuda"), "{error}");
    }
}
