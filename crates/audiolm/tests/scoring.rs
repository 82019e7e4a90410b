//! Scoring from the command line, by models that know nothing.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use serde_json::Value;
use support::{Bench, tone};

#[test]
fn recordings_are_scored() {
    let bench = Bench::new();
    tone(0.5).write_wav(bench.path("short.wav")).unwrap();
    let scores = bench.json("score prompt.wav short.wav");
    let rows = scores["recordings"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let tokens = bench.json("tokenize prompt.wav");
    let semantic = &rows[0]["semantic"];
    assert_eq!(semantic["n_tokens"], tokens["semantic_ids"].as_array().unwrap().len());
    let number = |it: &Value| it.as_f64().unwrap();
    let of_two_seconds = number(&semantic["nats_per_second"]) * 2.0;
    assert!((of_two_seconds - number(&semantic["nats"])).abs() < 1e-9);
    assert_eq!(rows[1]["recording"], "short.wav");
    assert_eq!((&scores["preference"], &rows[0]["coarse"]), (&Value::Null, &Value::Null));

    let scores = bench.json("score prompt.wav --codes");
    assert_eq!(scores["recordings"][0]["semantic"], *semantic);
    assert_eq!(scores["recordings"][0]["fine"]["n_tokens"], 200);
    let shown = bench.call("score prompt.wav --codes").stdout;
    assert!(
        ["semantic", "durations", "coarse", "fine"].iter().all(|it| shown.contains(it)),
        "{shown}"
    );
}

#[test]
fn pairs_are_compared() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pairs")).unwrap();
    tone(0.5).write_wav(bench.path("pairs/short.wav")).unwrap();
    let pairs = |rows: &str| {
        std::fs::write(bench.path("pairs/pairs.csv"), format!("wrong,right\n{rows}")).unwrap();
    };
    // Fewer tokens are likelier.
    pairs(
        "../prompt.wav,short.wav\n../prompt.wav,short.wav\nshort.wav,short.wav\nshort.wav,../prompt.wav\n",
    );
    let found = &bench.json("score --pairs pairs/pairs.csv")["preference"];
    assert_eq!((&found["n_pairs"], &found["accuracy"]), (&Value::from(4), &Value::from(0.625)));
    assert!(found["accuracy_per_token"].is_number());
    assert!(bench.call("score --pairs pairs/pairs.csv").stdout.contains("62.5 %"));

    pairs("");
    bench.check_refused("score --pairs pairs/pairs.csv", 1, &["at least one pair"]);
    pairs("short.wav,nothing.wav\n");
    bench.check_refused("score --pairs pairs/pairs.csv", 1, &["nothing.wav: no such file"]);
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let bench = Bench::new();
    tone(0.05).write_wav(bench.path("short.wav")).unwrap();
    bench.check_refused("score", 2, &["<RECORDING>"]);
    bench.check_refused("score short.wav", 1, &["short.wav", "0.050 s"]);
    bench.check_refused("score --pairs nothing.csv", 1, &["nothing.csv"]);
}
