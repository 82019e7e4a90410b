//! The model card: whole, of figures from the files, and refused where there are none.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use std::fs;

use support::Bench;

const REPORT: &str = r#"{
    "codec": {"n_passages": 24, "seconds": 96.2, "rows": [
        {"quantizers": 1, "stoi": 0.7123, "si_sdr_db": -3.4, "log_mel_distance": 1.0234}
    ]},
    "continuation": {
        "speakers": ["a", "b"], "n_own": 1, "n_own_by_chance": 1.0, "nearest_prompts": [0, 0],
        "prompt_seconds": 3.0, "seconds": 4.0, "seed": 7,
        "elapsed_seconds": 5.0, "real_time_factor": 0.8
    },
    "likelihood": [{
        "stage": "semantic",
        "nats_per_token": 2.5, "bigram_nats_per_token": 3.125, "n_tokens": 40000
    }]
}"#;

/// With a copied bundle, and a run that has finished one stage.
fn bench() -> Bench {
    let bench = Bench::with_data();
    bench.copied_bundle();
    bench.json("train semantic-encoder --data data --run run --preset smoke");
    bench
}

#[test]
fn a_card_holds_metadata_notes_figures_and_curves() {
    let bench = bench();
    fs::write(bench.path("report.json"), REPORT).unwrap();
    fs::write(bench.path("about.md"), "It knows tones.\n").unwrap();
    let written = bench.json(
        "card --bundle bundle --run run --report report.json --notes about.md --license cc-by-4.0",
    );
    assert_eq!(written["card"], "bundle/README.md");

    let card = fs::read_to_string(bench.path("bundle/README.md")).unwrap();
    for part in [
        "---\nlicense: cc-by-4.0\nlibrary_name: audiolm\n",
        "\n\nIt knows tones.\n\n",
        "| semantic-encoder | 4 | 2 | 0.5 |",
        "| 1 | 0.712 | -3.40 | 1.023 |",
        "1 of 2 sound most like their own prompt, 1 would by chance",
        "| semantic | 2.500 | 3.125 | 40000 |",
        "(curves/semantic-encoder.png)",
    ] {
        assert!(card.contains(part), "expected {part:?} in {card}");
    }
    let picture = fs::read(bench.path("bundle/curves/semantic-encoder.png")).unwrap();
    assert_eq!(&picture[1..4], b"PNG");
    bench.json("info bundle");
}

#[test]
fn what_makes_no_card_is_named() {
    let bench = bench();
    let check = |arguments: &str, parts: &[&str]| {
        bench.check_refused(&format!("card --bundle bundle {arguments}"), 1, parts);
    };
    check("--run data", &["data", "plan.toml"]);
    check("--run run --report prompt.wav", &["prompt.wav", "not a report"]);
    check("--run run --notes missing.md", &["missing.md"]);
}
