//! The binary, run on a bundle that knows nothing, in a folder of its own.

#![allow(dead_code, reason = "each file of tests needs a part of it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use audiolm::Clip;
use audiolm::pipeline::testing::tiny_bundle;
use tempfile::TempDir;

/// Samples per second of everything here.
pub const RATE_HZ: u32 = 16_000;

/// A folder to call the binary in.
pub struct Bench {
    folder: TempDir,
}

/// What a call left behind.
pub struct Called {
    /// The exit code.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    /// With `prompt.wav` of two seconds in it.
    pub fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        tone(2.0).write_wav(bench.path("prompt.wav")).unwrap();
        bench
    }

    /// Also with a folder `data` of recordings by three speakers.
    pub fn with_data() -> Self {
        let bench = Self::new();
        for speaker in ["data/a", "data/b", "data/c"] {
            std::fs::create_dir_all(bench.path(speaker)).unwrap();
            tone(3.0).write_wav(bench.path(speaker).join("tone.wav")).unwrap();
        }
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Calls the binary here, with the tiny bundle as the default one.
    pub fn call(&self, arguments: &str) -> Called {
        self.call_with(arguments, &[])
    }

    pub fn call_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Called {
        Called::of(self.command(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    /// A call that has not been made yet.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audiolm"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command.env("AUDIOLM_BUNDLE", bundle()).env_remove("RUST_BACKTRACE");
        command
    }

    /// Calls the binary, which has to succeed and to print nothing but its output, with an input.
    #[track_caller]
    pub fn pipe(&self, arguments: &str, input: Vec<u8>) -> Vec<u8> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feeding = std::thread::spawn(move || stdin.write_all(&input).unwrap());
        let output = child.wait_with_output().unwrap();
        feeding.join().unwrap();
        assert!(output.status.success(), "{arguments}");
        output.stdout
    }

    /// Calls the binary, which has to succeed, and reads what it prints as JSON.
    #[track_caller]
    pub fn json(&self, arguments: &str) -> serde_json::Value {
        let called = self.call(&format!("{arguments} --json"));
        assert_eq!(called.code, Some(0), "{arguments}: {}", called.stderr);
        serde_json::from_str(&called.stdout).unwrap()
    }

    /// A copy of the tiny bundle, to be spoilt.
    pub fn copied_bundle(&self) -> PathBuf {
        let copy = self.path("bundle");
        copy_folder(bundle(), &copy);
        copy
    }

    /// Calls the binary, which has to refuse in one line that holds all `parts`, and to leave no
    /// file that was not there.
    #[track_caller]
    pub fn check_refused(&self, arguments: &str, code: i32, parts: &[&str]) {
        let before = names(self.folder.path());
        let called = self.call(arguments);
        called.check_refused(code, parts);
        assert_eq!(names(self.folder.path()), before, "{arguments} left something");
    }
}

impl Called {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub fn check_refused(&self, code: i32, parts: &[&str]) {
        let Self { stderr, stdout, .. } = self;
        assert_eq!(self.code, Some(code), "{stderr}");
        assert_eq!(stdout, "", "{stderr}");
        // On a slow device lines of progress come before; the error is the last one.
        let is_progress = |line: &&str| line.contains(" of ") && line.contains("/s, ");
        let lines: Vec<&str> = stderr.lines().skip_while(is_progress).collect();
        assert_eq!(lines.len(), 1, "{stderr}");
        assert!(lines[0].starts_with("error: "), "{stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("internal error"), "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "expected {part:?} in {stderr}");
        }
    }
}

/// A sound that changes.
pub fn tone(seconds: f32) -> Clip {
    let sample = |n: u32| {
        let time = n as f32 / RATE_HZ as f32;
        let hz = 200.0 + 300.0 * (time * 3.0).floor();
        0.2 * (std::f32::consts::TAU * hz * time).sin()
    };
    let n_samples = (seconds * RATE_HZ as f32) as u32;
    Clip { samples: (0..n_samples).map(sample).collect(), sample_rate_hz: RATE_HZ }
}

/// A bundle of fresh models with a prompt, made once by each file of tests.
pub fn bundle() -> &'static Path {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let tests = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
        // What an earlier run has left, if any.
        let _ = std::fs::remove_dir_all(&tests);
        std::fs::create_dir(&tests).unwrap();
        let bundle = tests.join("tiny");
        tiny_bundle(&bundle, &audiolm::device(None).unwrap()).unwrap();
        tone(1.0).write_wav(bundle.join("prompt.wav")).unwrap();
        bundle
    })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_folder(&path, &copy),
            false => drop(std::fs::copy(&path, copy).unwrap()),
        }
    }
}
