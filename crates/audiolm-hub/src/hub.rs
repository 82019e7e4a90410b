//! From a name to a folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hf_hub::api::Progress;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, CacheRepo};

use crate::HubError;

/// Where models are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// The folder with one folder for each repository.
    cache: PathBuf,
    /// The address of the hub, where it is another than the usual one.
    endpoint: Option<String>,
    mode: Mode,
}

/// Whether downloads are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What the cache lacks is downloaded.
    Online,
    /// Only what the cache has is used.
    Offline,
}

/// How a download goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The file.
    pub file: String,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes there will be.
    pub total: u64,
}

impl Hub {
    /// A hub with this cache, online.
    pub fn new(cache: &Path) -> Self {
        Self { cache: cache.to_owned(), endpoint: None, mode: Mode::Online }
    }

    /// The hub that the environment names, as other programs of Hugging Face read it: the cache is
    /// `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in `~/.cache/huggingface`; `HF_ENDPOINT` is the
    /// address, and `HF_HUB_OFFLINE=1` forbids downloads.
    pub fn from_env() -> Self {
        Self::of_variables(|name| std::env::var_os(name))
    }

    /// As [`from_env`](Self::from_env), of variables from elsewhere.
    pub fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|it| !it.is_empty());
        let home = || Some(PathBuf::from(set("HF_HOME")?).join("hub"));
        let cache = set("HF_HUB_CACHE").map(PathBuf::from).or_else(home);
        let text = |name: &str| set(name)?.into_string().ok();
        let is_on = |it: String| ["1", "ON", "YES", "TRUE"].contains(&it.to_uppercase().as_str());
        Self {
            cache: cache.unwrap_or_else(|| Cache::default().path().clone()),
            endpoint: text("HF_ENDPOINT"),
            mode: match text("HF_HUB_OFFLINE").is_some_and(is_on) {
                true => Mode::Offline,
                false => Mode::Online,
            },
        }
    }

    /// The same hub at another address.
    pub fn with_endpoint(self, endpoint: &str) -> Self {
        Self { endpoint: Some(endpoint.to_owned()), ..self }
    }

    /// The same hub in another mode.
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The folder that `name` means: a folder of that name, else that of the repository `org/name`
    /// with at least these `files` in it.
    ///
    /// # Errors
    /// Where `name` is neither, a file is not in the cache while offline, or a download fails.
    pub fn folder(
        &self,
        name: &str,
        files: &[&str],
        on_download: &mut dyn FnMut(Download),
    ) -> Result<PathBuf, HubError> {
        if Path::new(name).is_dir() {
            return Ok(name.into());
        }
        if !is_repository(name) {
            return Err(HubError::Unknown { name: name.to_owned() });
        }
        let mut folder: Option<PathBuf> = None;
        for file in files {
            let path = self.file(name, file, on_download)?;
            let parent = path.parent().unwrap_or(&path).to_owned();
            if folder.as_ref().is_some_and(|it| *it != parent) {
                let (name, file) = (name.to_owned(), (*file).to_owned());
                return Err(HubError::Revision { name, file });
            }
            folder = Some(parent);
        }
        folder.ok_or_else(|| HubError::Unknown { name: name.to_owned() })
    }

    fn file(
        &self,
        name: &str,
        file: &str,
        on_download: &mut dyn FnMut(Download),
    ) -> Result<PathBuf, HubError> {
        if let Some(path) = self.cached(name).get(file) {
            return Ok(path);
        }
        let (name_of, file_of) = (name.to_owned(), file.to_owned());
        if self.mode == Mode::Offline {
            let cache = self.cache.clone();
            return Err(HubError::Offline { name: name_of, file: file_of, cache });
        }
        let failed = |source| HubError::Download {
            name: name_of.clone(),
            file: file_of.clone(),
            source: Box::new(source),
        };
        let repository = self.repository(name).map_err(failed)?;
        let report = Report { file, done: 0, total: 0, on_download };
        repository.download_with_progress(file, report).map_err(failed)
    }

    fn cached(&self, name: &str) -> CacheRepo {
        Cache::new(self.cache.clone()).model(name.to_owned())
    }

    fn repository(&self, name: &str) -> Result<ApiRepo, hf_hub::api::sync::ApiError> {
        let builder = ApiBuilder::from_cache(Cache::new(self.cache.clone())).with_progress(false);
        let builder = match &self.endpoint {
            None => builder,
            Some(endpoint) => builder.with_endpoint(endpoint.trim_end_matches('/').to_owned()),
        };
        Ok(builder.build()?.model(name.to_owned()))
    }
}

/// `org/name`, of the characters that the hub allows: no path that someone mistyped.
fn is_repository(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it))
    };
    matches!(name.split('/').collect::<Vec<_>>().as_slice(), [org, name] if is_part(org) && is_part(name))
}

/// Tells of bytes as they come.
struct Report<'a> {
    file: &'a str,
    done: u64,
    total: u64,
    on_download: &'a mut dyn FnMut(Download),
}

impl Report<'_> {
    fn tell(&mut self) {
        let (file, done, total) = (self.file.to_owned(), self.done, self.total);
        (self.on_download)(Download { file, done, total });
    }
}

impl Progress for Report<'_> {
    fn init(&mut self, size: usize, _: &str) {
        (self.done, self.total) = (0, size as u64);
        self.tell();
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.tell();
    }

    fn finish(&mut self) {}
}
