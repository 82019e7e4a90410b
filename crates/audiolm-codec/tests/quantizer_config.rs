//! How quantizers are described, and the descriptions people publish.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use audiolm_codec::{
    FactorizedQuantizerConfig, FiniteScalarQuantizerConfig, QuantizerConfig, SoundStreamConfig,
};
use burn::prelude::*;

fn residual() -> QuantizerConfig {
    QuantizerConfig::residual(4, 16)
}

fn factorized() -> QuantizerConfig {
    QuantizerConfig::Factorized(FactorizedQuantizerConfig::new(4, 16, 3))
}

fn finite_scalar() -> QuantizerConfig {
    QuantizerConfig::FiniteScalar(FiniteScalarQuantizerConfig::new(4, vec![5, 3]))
}

#[track_caller]
fn check_text(text: &str, expected: &QuantizerConfig) {
    let found: QuantizerConfig = serde_json::from_str(text).unwrap();
    assert_eq!(&found, expected);
    assert_eq!(serde_json::to_string(&found).unwrap(), text);
}

#[test]
fn residual_sizes_are_written_without_a_kind() {
    check_text(r#"{"n_quantizers":4,"codebook_size":16}"#, &residual());
}

#[test]
fn other_kinds_are_named() {
    check_text(
        r#"{"kind":"factorized","n_quantizers":4,"codebook_size":16,"codebook_dimension":3}"#,
        &factorized(),
    );
    check_text(r#"{"kind":"finite_scalar","n_quantizers":4,"levels":[5,3]}"#, &finite_scalar());
}

#[track_caller]
fn check_misfit(text: &str, expected: &str) {
    let error = serde_json::from_str::<QuantizerConfig>(text).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn fields_of_another_kind_are_refused() {
    check_misfit(r#"{"n_quantizers":4}"#, "codebook_size");
    check_misfit(r#"{"n_quantizers":4,"codebook_size":16,"levels":[3]}"#, "Residual");
    check_misfit(r#"{"kind":"finite_scalar","n_quantizers":4,"codebook_size":16}"#, "levels");
    check_misfit(r#"{"kind":"spline","n_quantizers":4}"#, "spline");
    check_misfit(r#"{"n_quantizers":4,"codebook_size":16,"depth":1}"#, "depth");
}

#[track_caller]
fn check_nonsense(config: QuantizerConfig, field: &str) {
    let error = config.init(8, &Device::default()).unwrap_err().to_string();
    assert!(error.contains(field), "{error}");
}

#[test]
fn sizes_that_describe_no_quantizer_are_named() {
    let scalars = |levels: &[usize]| {
        QuantizerConfig::FiniteScalar(FiniteScalarQuantizerConfig::new(2, levels.to_vec()))
    };
    check_nonsense(QuantizerConfig::residual(0, 16), "n_quantizers");
    check_nonsense(QuantizerConfig::residual(2, 65_537), "codebook_size");
    check_nonsense(scalars(&[]), "levels");
    check_nonsense(scalars(&[5, 2]), "levels");
    check_nonsense(scalars(&[16; 5]), "codebook_size");
    let flat = FactorizedQuantizerConfig::new(2, 16, 0);
    check_nonsense(QuantizerConfig::Factorized(flat), "codebook_dimension");
}

#[test]
fn presets_have_the_published_bits() {
    let speech = SoundStreamConfig::audiolm_16khz();
    let piano = SoundStreamConfig::audiolm_piano_16khz();
    assert_eq!([speech.bits_per_second(), piano.bits_per_second()], [6000.0, 2100.0]);
    assert_eq!(SoundStreamConfig::uneven_sound_stream_24khz(8, 32).bits_per_second(), 6000.0);
    for config in [
        QuantizerConfig::sound_stream_8x1024(),
        QuantizerConfig::sound_stream_16x32(),
        QuantizerConfig::sound_stream_80x2(),
    ] {
        assert_eq!(config.bits_per_frame(), 80.0);
    }
    assert_eq!(QuantizerConfig::dac_16khz().bits_per_frame(), 120.0);
    assert_eq!(QuantizerConfig::finite_scalar_1000(1).codebook_size(), 1000);
    assert_eq!(QuantizerConfig::finite_scalar_15360(1).codebook_size(), 15_360);
}
