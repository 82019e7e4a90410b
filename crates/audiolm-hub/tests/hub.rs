//! Folders, caches as others leave them, and a hub on this machine; never the network.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audiolm_hub::{Download, Hub, HubError, Mode};

const NAME: &str = "org/codec";
const FILES: [&str; 2] = ["model.safetensors", "config.json"];
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A cache with one file, as programs of Hugging Face lay it out.
fn cache(folder: &Path, files: &[&str]) {
    let repository = folder.join("models--org--codec");
    let snapshot = repository.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), COMMIT).unwrap();
    for file in files {
        fs::write(snapshot.join(file), file).unwrap();
    }
}

fn resolved(hub: &Hub, name: &str) -> Result<std::path::PathBuf, HubError> {
    hub.folder(name, &FILES, &mut |it| assert_eq!(it, never()))
}

/// Equal to no report.
fn never() -> Download {
    Download { file: "no download was expected".to_owned(), done: 0, total: 0 }
}

#[test]
fn a_folder_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let hub = Hub::new(Path::new("nowhere")).with_mode(Mode::Offline);
    assert_eq!(resolved(&hub, name).unwrap(), folder.path());
}

#[test]
fn what_is_cached_is_used_without_asking_anyone() {
    let folder = tempfile::tempdir().unwrap();
    cache(folder.path(), &FILES);
    for mode in [Mode::Offline, Mode::Online] {
        // Nothing listens there.
        let hub = Hub::new(folder.path()).with_mode(mode).with_endpoint("http://127.0.0.1:9");
        let found = resolved(&hub, NAME).unwrap();
        assert_eq!(fs::read_to_string(found.join("config.json")).unwrap(), "config.json");
    }
}

#[test]
fn offline_names_the_file_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    cache(folder.path(), &["model.safetensors"]);
    let hub = Hub::new(folder.path()).with_mode(Mode::Offline);
    let error = resolved(&hub, NAME).unwrap_err().to_string();
    let parts = [NAME, "config.json is not in the cache", "HF_HUB_OFFLINE"];
    assert!(parts.iter().all(|it| error.contains(it)), "{error}");
}

#[test]
fn what_is_no_name_is_never_asked_for() {
    let hub = Hub::new(Path::new("nowhere")).with_endpoint("http://127.0.0.1:9");
    for name in ["codec", "a/b/c", "../codec", "./codec", "org/", "/codec", "org/co dec", ""] {
        let error = resolved(&hub, name).unwrap_err();
        assert!(matches!(error, HubError::Unknown { .. }), "{name}: {error}");
    }
}

#[test]
fn a_hub_that_does_not_answer_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(folder.path()).with_endpoint("http://127.0.0.1:9");
    let error = hub.folder(NAME, &FILES, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("model.safetensors cannot be downloaded"), "{error}");
}

/// Answers as the hub does, each request with the name of the file repeated.
fn serve(listener: TcpListener, requests: Arc<AtomicUsize>) {
    for stream in listener.incoming() {
        requests.fetch_add(1, Ordering::SeqCst);
        answer(stream.unwrap());
    }
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    let headers: Vec<String> =
        lines.map(|it| it.unwrap()).take_while(|it| !it.is_empty()).collect();
    let file = request.split_whitespace().nth(1).unwrap().rsplit('/').next().unwrap();
    let body = file.repeat(1000);
    let range = headers
        .iter()
        .find_map(|it| it.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let (start, end) = range.as_deref().and_then(|it| it.split_once('-')).unwrap();
    let start: usize = start.parse().unwrap();
    let end = end.parse().map_or(body.len(), |it: usize| (it + 1).min(body.len()));
    let part = &body[start..end];
    let (last, total, length) = (end - 1, body.len(), part.len());
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\netag: \"{file}\"\r\nx-repo-commit: {COMMIT}\r\n\
         content-range: bytes {start}-{last}/{total}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{part}"
    )
    .unwrap();
}

#[test]
fn what_is_named_is_downloaded_once_and_told_of() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    std::thread::spawn(move || serve(listener, counted));
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(folder.path()).with_endpoint(&address);

    let mut told = Vec::new();
    let found = hub.folder(NAME, &FILES, &mut |it| told.push(it)).unwrap();
    for file in FILES {
        assert_eq!(fs::read_to_string(found.join(file)).unwrap(), file.repeat(1000));
        let last = told.iter().rfind(|it| it.file == file).unwrap();
        assert_eq!((last.done, last.total), (1000 * file.len() as u64, 1000 * file.len() as u64));
    }
    let asked = requests.load(Ordering::SeqCst);
    assert!(asked > 0);
    assert_eq!(resolved(&hub.clone().with_mode(Mode::Offline), NAME).unwrap(), found);
    assert_eq!(resolved(&hub, NAME).unwrap(), found);
    assert_eq!(requests.load(Ordering::SeqCst), asked);
}

#[track_caller]
fn check_variables(variables: &[(&str, &str)], expected: Hub) {
    let variable = |name: &str| {
        let found = variables.iter().find(|it| it.0 == name);
        found.map(|it| OsString::from(it.1))
    };
    assert_eq!(Hub::of_variables(variable), expected);
}

#[test]
fn the_environment_names_cache_address_and_mode() {
    let home = Hub::new(Path::new("/home/hub"));
    check_variables(&[("HF_HOME", "/home")], home.clone());
    check_variables(&[("HF_HOME", "/home"), ("HF_HUB_OFFLINE", "0")], home.clone());
    let offline = home.clone().with_mode(Mode::Offline);
    check_variables(&[("HF_HOME", "/home"), ("HF_HUB_OFFLINE", "1")], offline);
    check_variables(&[("HF_HUB_CACHE", "/home/hub"), ("HF_HOME", "/other")], home.clone());
    let elsewhere = home.with_endpoint("http://localhost");
    check_variables(&[("HF_HOME", "/home"), ("HF_ENDPOINT", "http://localhost")], elsewhere);
}
