//! What a bundle accepts, and what it says of everything else.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::path::{Path, PathBuf};

use audiolm_audio::Clip;
use audiolm_codec::{SoundStream, SoundStreamConfig};
use audiolm_nn::Precision;
use audiolm_pipeline::testing::{self, CODEBOOK_SIZE, N_IDS, WINDOW_FRAMES};
use audiolm_pipeline::{
    AssembleOptions, AudioLm, Bundle, BundleError, Coder, Part, PipelineError, RedecodeOptions,
    WindowFrames, assemble, redecoded,
};
use burn::prelude::*;
use tempfile::TempDir;

/// A bundle of its own for every test, in a folder that goes away.
struct Fixture {
    _parent: TempDir,
    folder: PathBuf,
}

impl Fixture {
    fn bundle() -> Self {
        Self::of(|folder| drop(testing::tiny_bundle(folder, &Device::default()).unwrap()))
    }

    fn export() -> Self {
        Self::of(|folder| {
            std::fs::create_dir(folder).unwrap();
            testing::tiny_export(folder, &Device::default()).unwrap();
        })
    }

    fn of(fill: impl Fn(&Path)) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("it");
        fill(&folder);
        Self { _parent: parent, folder }
    }

    fn file(&self, part: Part, name: &str) -> PathBuf {
        self.folder.join(part.folder()).join(name)
    }

    /// The folder of the bundle that is assembled of this export.
    fn out(&self) -> PathBuf {
        self.folder.with_file_name("out")
    }

    fn assembled(&self, precision: Precision) -> Result<Bundle, BundleError> {
        let options = AssembleOptions { precision, ..testing::tiny_options() };
        assemble(&self.folder, &self.out(), &options, &Device::default())
    }

    /// What is in the folder above.
    fn siblings(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.parent().unwrap()).unwrap();
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn edit(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

/// Damages a bundle; the error must be of a kind, and its message must name certain things.
#[track_caller]
fn check(damage: impl Fn(&Fixture), is_kind: impl Fn(&BundleError) -> bool, named: &[&str]) {
    let fixture = Fixture::bundle();
    damage(&fixture);
    let error = Bundle::open(&fixture.folder).unwrap_err();
    let message = error.to_string();
    assert!(is_kind(&error), "{message}");
    for name in named {
        assert!(message.contains(name), "{name} is not in: {message}");
    }
}

#[test]
fn a_bundle_says_what_it_is() {
    let fixture = Fixture::bundle();
    let bundle = Bundle::open(&fixture.folder).unwrap();
    let manifest = bundle.manifest();
    assert_eq!((manifest.name.as_str(), manifest.sample_rate_hz), ("tiny", 16_000));
    assert_eq!((manifest.window_frames, manifest.parts.len()), (WINDOW_FRAMES, 6));
    let mut files: Vec<_> = std::fs::read_dir(&fixture.folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let parts = ["coarse", "codec", "fine", "parallel", "semantic", "semantic-tokenizer"];
    assert_eq!(files, [&["bundle.json"][..], &parts].concat());
}

#[test]
fn a_bundle_may_lack_the_parallel_stage_and_no_other() {
    let without = |part: Part| {
        let export = Fixture::export();
        std::fs::remove_dir_all(export.folder.join(part.folder())).unwrap();
        let made = export.assembled(Precision::Full);
        let window = made.as_ref().ok().map(|it| it.manifest().window_frames.parallel);
        (made.map(|it| it.manifest().parts.len()), window)
    };
    for part in Part::REQUIRED {
        assert!(without(part).0.is_err(), "{part}");
    }
    let (n_parts, window) = without(Part::Parallel);
    assert_eq!((n_parts.unwrap(), window), (5, Some(None)));
}

#[test]
fn a_parallel_stage_that_no_hash_vouches_for_is_refused() {
    let unlisted = |it: &BundleError| matches!(it, BundleError::Unlisted { .. });
    let forget = |it: &Fixture| {
        let path = it.folder.join("bundle.json");
        let mut value: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        value["parts"].as_object_mut().unwrap().remove("parallel");
        std::fs::write(path, value.to_string()).unwrap();
    };
    check(forget, unlisted, &["none of parallel"]);
}

#[test]
fn every_flipped_bit_is_found() {
    for part in Part::ALL {
        for file in ["config.json", "model.safetensors"] {
            let flip = |bytes: &mut Vec<u8>| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            };
            let altered = |it: &BundleError| matches!(it, BundleError::Altered { .. });
            check(|it| edit(&it.file(part, file), flip), altered, &[part.folder(), file]);
        }
    }
}

#[test]
fn a_cut_file_is_found() {
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 3);
    let altered = |it: &BundleError| matches!(it, BundleError::Altered { .. });
    check(|it| edit(&it.file(Part::Fine, "model.safetensors"), cut), altered, &["fine", "SHA-256"]);
}

#[test]
fn a_missing_file_is_named() {
    let missing = |it: &BundleError| matches!(it, BundleError::Missing { .. });
    let remove = |path: PathBuf| std::fs::remove_file(path).unwrap();
    check(|it| remove(it.file(Part::Codec, "config.json")), missing, &["codec", "config.json"]);
    check(|it| remove(it.folder.join("bundle.json")), missing, &["bundle.json"]);
    let folder = |it: &Fixture| std::fs::remove_dir_all(it.folder.join("coarse")).unwrap();
    check(folder, missing, &["coarse"]);
}

#[test]
fn swapped_folders_are_called_so() {
    let swap = |it: &Fixture| {
        let [one, other, free] = ["coarse", "fine", "free"].map(|name| it.folder.join(name));
        for (from, to) in [(&one, &free), (&other, &one), (&free, &other)] {
            std::fs::rename(from, to).unwrap();
        }
    };
    let swapped = |it: &BundleError| {
        matches!(it, BundleError::Swapped { part: Part::Coarse, other: Part::Fine, .. })
    };
    check(swap, swapped, &["coarse", "that of fine", "swapped"]);
}

#[test]
fn a_part_of_another_bundle_is_refused() {
    let other = Fixture::bundle();
    let name = "model.safetensors";
    let replace = |it: &Fixture| {
        std::fs::copy(other.file(Part::Codec, name), it.file(Part::Codec, name)).unwrap();
    };
    let altered = |it: &BundleError| matches!(it, BundleError::Altered { .. });
    check(replace, altered, &["codec", "another bundle"]);
}

#[test]
fn another_version_is_refused_before_anything_else() {
    let change = |it: &Fixture| {
        std::fs::write(it.folder.join("bundle.json"), r#"{"version": 7, "strange": true}"#)
            .unwrap();
    };
    let version = |it: &BundleError| matches!(it, BundleError::Version { found: 7, .. });
    check(change, version, &["bundle.json", "version 7", "version 1"]);
}

#[test]
fn a_description_that_is_none_is_refused() {
    let malformed = |it: &BundleError| matches!(it, BundleError::Malformed { .. });
    let write = |it: &Fixture, text: &str| {
        std::fs::write(it.folder.join("bundle.json"), text).unwrap();
    };
    check(|it| write(it, "{"), malformed, &["bundle.json"]);
    check(|it| write(it, r#"{"version": 1}"#), malformed, &["missing field"]);
    let misspelt = |it: &Fixture| {
        replace(&it.folder.join("bundle.json"), "\"created_by\"", "\"made_by\"");
    };
    check(misspelt, malformed, &["made_by"]);
    let unlisted = |it: &BundleError| matches!(it, BundleError::Unlisted { .. });
    let forget = |it: &Fixture| {
        let path = it.folder.join("bundle.json");
        let mut value: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        value["parts"].as_object_mut().unwrap().remove("fine");
        std::fs::write(path, value.to_string()).unwrap();
    };
    check(forget, unlisted, &["none of fine"]);
}

#[test]
fn another_rate_than_the_codecs_is_refused() {
    let change = |it: &Fixture| replace(&it.folder.join("bundle.json"), "16000", "24000");
    let mismatch = |it: &BundleError| matches!(it, BundleError::Mismatch { .. });
    let named = ["samples per second", "bundle.json has 24000", "codec has 16000"];
    check(change, mismatch, &named);
}

#[test]
fn the_assembled_bundle_can_be_loaded() {
    let export = Fixture::export();
    let bundle = export.assembled(Precision::Full).unwrap();
    assert_eq!(bundle.folder(), export.out());
    AudioLm::of_bundle(&bundle, &Device::default()).unwrap();
    let name = "model.safetensors";
    let copy = export.out().join("codec").join(name);
    assert_eq!(
        std::fs::read(export.file(Part::Codec, name)).unwrap(),
        std::fs::read(copy).unwrap()
    );
}

#[test]
fn half_precision_is_half_the_size() {
    let export = Fixture::export();
    export.assembled(Precision::Half).unwrap();
    AudioLm::load(export.out(), &Device::default()).unwrap();
    let size = |path: PathBuf| std::fs::metadata(path).unwrap().len() as f64;
    let before = size(export.file(Part::Coarse, "model.safetensors"));
    let after = size(export.out().join("coarse/model.safetensors"));
    assert!(after < 0.8 * before, "{after} of {before} bytes");
}

/// Changes an export; assembling must fail with a message that names certain things, and leave
/// nothing behind.
#[track_caller]
fn check_export(change: impl Fn(&Fixture), named: &[&str]) {
    let export = Fixture::export();
    change(&export);
    let message = export.assembled(Precision::Full).unwrap_err().to_string();
    for name in named {
        assert!(message.contains(name), "{name} is not in: {message}");
    }
    assert_eq!(export.siblings(), ["it"], "nothing is left over");
}

#[test]
fn a_stage_that_learnt_from_another_model_is_refused() {
    let foreign = |of: Part| {
        move |it: &Fixture| {
            // The same codec or tokenizer as JSON, but not to the byte.
            edit(&it.file(of, "config.json"), |bytes| bytes.push(b'\n'));
        }
    };
    check_export(foreign(Part::Codec), &["coarse", "lineage.json", "another codec"]);
    let named = ["semantic", "lineage.json", "another semantic-tokenizer"];
    check_export(foreign(Part::SemanticTokenizer), &named);
    let forget = |it: &Fixture| std::fs::write(it.file(Part::Fine, "lineage.json"), "{}").unwrap();
    check_export(forget, &["fine", "another codec", "found none"]);
    let lose = |it: &Fixture| std::fs::remove_file(it.file(Part::Fine, "lineage.json")).unwrap();
    check_export(lose, &["fine", "lineage.json", "not found"]);
}

#[test]
fn stages_that_do_not_fit_are_refused() {
    let number = |field: &str, value: usize| format!("\"{field}\": {value}");
    let change = |part: Part, field: &'static str, from: usize| {
        move |it: &Fixture| {
            let path = it.file(part, "config.json");
            replace(&path, &number(field, from), &number(field, from + 1));
        }
    };
    check_export(
        change(Part::Semantic, "n_ids", N_IDS),
        &["semantic ids: semantic-tokenizer has 6, but semantic has 7"],
    );
    check_export(change(Part::Coarse, "n_semantic_ids", N_IDS), &["semantic ids", "coarse has 7"]);
    check_export(
        change(Part::Coarse, "codebook_size", CODEBOOK_SIZE),
        &["codes per quantizer: codec has 16, but coarse has 17"],
    );
    check_export(change(Part::Fine, "codebook_size", CODEBOOK_SIZE), &["fine has 17"]);
    check_export(
        change(Part::Fine, "n_quantizers", 4),
        &["quantizers: codec has 4, but fine has 5"],
    );
    check_export(
        change(Part::Fine, "n_coarse", 2),
        &["coarse quantizers: coarse has 2, but fine has 3"],
    );
    check_export(
        change(Part::Parallel, "n_semantic_ids", N_IDS),
        &["semantic ids: coarse has 6, but parallel has 7"],
    );
    check_export(
        change(Part::Parallel, "n_quantizers", 4),
        &["quantizers: fine has 4, but parallel has 5"],
    );
    check_export(
        change(Part::Parallel, "codebook_size", CODEBOOK_SIZE),
        &["codes per quantizer: fine has 16, but parallel has 17"],
    );
    check_export(change(Part::Codec, "sample_rate_hz", 16_000), &["samples per second"]);
    let stereo = |it: &Fixture| {
        let rate = "\"sample_rate_hz\"";
        replace(&it.file(Part::Codec, "config.json"), rate, &format!("\"channels\": 2, {rate}"));
    };
    check_export(stereo, &["expected a codec of 1, found 2"]);
    let hop = |it: &Fixture| {
        let path = it.file(Part::Codec, "config.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["strides"] = serde_json::json!([4, 4, 4]);
        std::fs::write(path, value.to_string()).unwrap();
    };
    check_export(hop, &["samples per frame: codec has 64, but semantic-tokenizer has 320"]);
}

#[test]
fn an_incomplete_export_is_refused() {
    let remove = |name: &'static str| {
        move |it: &Fixture| std::fs::remove_file(it.file(Part::Semantic, name)).unwrap()
    };
    check_export(remove("config.json"), &["semantic", "config.json"]);
    check_export(remove("model.safetensors"), &["semantic", "model.safetensors"]);
    let cut = |it: &Fixture| {
        edit(&it.file(Part::Semantic, "model.safetensors"), |bytes| bytes.truncate(99));
    };
    check_export(cut, &["semantic", "model.safetensors"]);
    let nonsense = |it: &Fixture| std::fs::write(it.file(Part::Fine, "config.json"), "{}").unwrap();
    check_export(nonsense, &["configuration of fine"]);
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let export = Fixture::export();
    std::fs::create_dir(export.out()).unwrap();
    let error = export.assembled(Precision::Full).unwrap_err();
    assert!(matches!(error, BundleError::Exists { .. }), "{error}");
}

#[test]
fn a_window_without_room_is_refused() {
    let export = Fixture::export();
    let window_frames = WindowFrames { coarse: 1, ..WINDOW_FRAMES };
    let options = AssembleOptions { window_frames, ..testing::tiny_options() };
    let error = assemble(&export.folder, &export.out(), &options, &Device::default()).unwrap_err();
    assert!(matches!(error, BundleError::Window { part: Part::Coarse, .. }), "{error}");
}

/// A bundle with the decoder of a wider codec, whose codes are those of the bundle or not.
fn check_redecoded(same_codes: bool) -> (Fixture, Result<Bundle, BundleError>) {
    let (fixture, device) = (Fixture::bundle(), Device::default());
    let codec = fixture.folder.join(Part::Codec.folder());
    let before = SoundStreamConfig::load_from(&codec).unwrap();
    let config = SoundStreamConfig { decoder_channels: 2 * before.decoder_channels, ..before };
    let wider = config.init(&device).unwrap();
    let wider = match same_codes {
        true => wider.with_codes_of(SoundStream::load_from(&codec, &device).unwrap()),
        false => wider,
    };
    let folder = fixture.folder.with_file_name("codec");
    std::fs::create_dir(&folder).unwrap();
    wider.save_to(&folder, &config, Precision::Full).unwrap();
    let options = RedecodeOptions { name: "wider".to_owned(), precision: Precision::Full };
    let bundle = Bundle::open(&fixture.folder).unwrap();
    let made = redecoded(&bundle, &folder, &fixture.out(), &options, &device);
    (fixture, made)
}

#[test]
fn another_decoder_changes_the_sound_and_nothing_else() {
    let (fixture, made) = check_redecoded(true);
    let (before, made) = (Bundle::open(&fixture.folder).unwrap(), made.unwrap());
    assert_eq!(made.manifest().name, "wider");
    for part in Part::ALL {
        let is_same = before.manifest().parts[&part] == made.manifest().parts[&part];
        assert_eq!(is_same, part != Part::Codec, "{part}");
    }
    AudioLm::load(fixture.out(), &Device::default()).unwrap();
}

#[test]
fn a_decoder_of_other_codes_is_refused() {
    let (fixture, made) = check_redecoded(false);
    let error = made.unwrap_err().to_string();
    assert!(
        error.ends_with("codec: this codec makes other codes than that of the bundle"),
        "{error}"
    );
    assert!(!fixture.out().exists());
}

#[test]
fn the_codec_alone_needs_no_other_part() {
    let bundle = Fixture::bundle();
    let device = Device::default();
    let whole = AudioLm::load(&bundle.folder, &device).unwrap();
    for part in Part::ALL.into_iter().filter(|it| *it != Part::Codec) {
        let _ = std::fs::remove_dir_all(bundle.folder.join(part.folder()));
    }
    let coder = Coder::of_bundle(&bundle.folder, &device).unwrap();
    let clip = Clip { samples: vec![0.1; 4000], sample_rate_hz: whole.sample_rate_hz() };
    let [expected, found] = [whole.coder(), &coder].map(|it| it.encode(&clip, None).unwrap());
    assert_eq!(found, expected);

    edit(&bundle.file(Part::Codec, "model.safetensors"), |bytes| bytes[900] ^= 1);
    let altered = Coder::of_bundle(&bundle.folder, &device).unwrap_err();
    assert!(matches!(altered, PipelineError::Bundle(BundleError::Altered { .. })), "{altered}");
}
