//! The counting models: what they learn, and that they are honest.

use audiolm_eval::{Bigram, EvalError, GivenStart, Likelihood, Unigram};
use proptest::prelude::*;

/// Deterministic pseudo-random sequences in which each id is followed by its successor with
/// probability 3/4, and by any id otherwise.
fn chains(n_sequences: usize, length: usize, vocabulary_size: u32) -> Vec<Vec<u32>> {
    let mut state = 1u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut chain = |_| {
        let mut id = random(vocabulary_size);
        let mut next = |_| {
            id = if random(4) < 3 { (id + 1) % vocabulary_size } else { random(vocabulary_size) };
            id
        };
        (0..length).map(&mut next).collect()
    };
    (0..n_sequences).map(&mut chain).collect()
}

/// The entropy rate of [`chains`] in nats: what no model can beat.
fn entropy_of_chains(vocabulary_size: u32) -> f64 {
    let other = 0.25 / f64::from(vocabulary_size);
    let successor = 0.75 + other;
    -(successor * successor.ln() + f64::from(vocabulary_size - 1) * other * other.ln())
}

#[track_caller]
fn check(found: Result<Likelihood, EvalError>, expected_nats: f64, tolerance: f64) {
    let found = found.expect("a likelihood").nats_per_token;
    assert!((found - expected_nats).abs() < tolerance, "{found} nats, expected {expected_nats}");
}

#[test]
fn bigram_reaches_the_entropy_of_a_markov_chain() {
    let chains = chains(40, 1000, 20);
    let bigram = Bigram::fit(&chains[..30], &[20]).unwrap();
    check(bigram.evaluate(&chains[30..]), entropy_of_chains(20), 0.03);
}

#[test]
fn unigram_learns_nothing_from_order() {
    let chains = chains(40, 1000, 20);
    let unigram = Unigram::fit(&chains[..30], &[20]).unwrap();
    check(unigram.evaluate(&chains[30..]), 20f64.ln(), 0.01);
}

#[test]
fn a_bigram_of_noise_falls_back_on_the_unigram() {
    let noise: Vec<Vec<u32>> = chains(40, 400, 500).into_iter().map(shuffled).collect();
    let unigram = Unigram::fit(&noise[..30], &[500]).unwrap().evaluate(&noise[30..]).unwrap();
    let bigram = Bigram::fit(&noise[..30], &[500]).unwrap();
    check(bigram.evaluate(&noise[30..]), unigram.nats_per_token, 0.02);
}

/// The ids in an order that has lost every neighbourhood.
fn shuffled(chain: Vec<u32>) -> Vec<u32> {
    (0..chain.len()).map(|i| chain[i * 149 % chain.len()]).collect()
}

#[test]
fn each_quantizer_has_a_table_of_its_own() {
    // The second code of a frame repeats the first, the first is any: log 8 and nothing.
    let frames = chains(40, 400, 8).into_iter().map(shuffled);
    let codes: Vec<Vec<u32>> =
        frames.map(|it| it.iter().flat_map(|&code| [code, code]).collect()).collect();
    let bigram = Bigram::fit(&codes[..30], &[8, 8]).unwrap();
    let found = bigram.evaluate(&codes[30..]).unwrap();
    assert!((found.nats_per_class[0] - 8f64.ln()).abs() < 0.03, "{found:?}");
    assert!(found.nats_per_class[1] < 0.01, "{found:?}");
    assert_eq!(found.n_tokens, 8000);
}

#[test]
fn the_last_quantizer_may_have_a_smaller_vocabulary() {
    let codes = [[7, 1, 6, 0], [5, 1, 4, 0]];
    assert!(Bigram::fit(&codes, &[8, 2]).unwrap().evaluate(&codes).is_ok());
}

#[track_caller]
fn check_error(sequences: &[&[u32]], vocabulary_sizes: &[usize], expected: EvalError) {
    assert_eq!(Bigram::fit(sequences, vocabulary_sizes).expect_err("a name"), expected);
    assert_eq!(Unigram::fit(sequences, vocabulary_sizes).expect_err("a name"), expected);
}

#[test]
fn names_an_unknown_id() {
    let expected = EvalError::UnknownId { sequence_idx: 1, position: 1, id: 4, vocabulary_size: 2 };
    check_error(&[&[0, 1], &[3, 4]], &[4, 2], expected);
}
#[test]
fn names_a_lone_sequence() {
    check_error(&[&[0, 1]], &[2], EvalError::TooFewSequences { found: 1, needed: 2 });
}
#[test]
fn names_a_vocabulary_without_ids() {
    check_error(&[&[0], &[0]], &[2, 0], EvalError::EmptyVocabulary { found: vec![2, 0] });
}
#[test]
fn names_missing_vocabularies() {
    check_error(&[&[0], &[0]], &[], EvalError::EmptyVocabulary { found: vec![] });
}
#[test]
fn names_an_evaluation_without_tokens() {
    let bigram = Bigram::fit(&[[0, 1], [1, 0]], &[2]).unwrap();
    assert_eq!(bigram.evaluate(&[[]; 3]), Err(EvalError::NoTokens));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Given any history, the probabilities of all ids sum to one: no mass is invented.
    #[test]
    fn probabilities_sum_to_one(
        train in prop::collection::vec(prop::collection::vec(0u32..6, 0..30), 2..8),
        history in prop::collection::vec(0u32..6, 0..5),
    ) {
        let bigram = Bigram::fit(&train, &[6, 6]).unwrap();
        let nats = |sequence: &[u32]| {
            let found = bigram.evaluate(&[sequence]).unwrap();
            found.nats_per_token * found.n_tokens as f64
        };
        let before = if history.is_empty() { 0.0 } else { nats(&history) };
        let next = |id: u32| (before - nats(&[&history[..], &[id]].concat())).exp();
        let sum: f64 = (0..6).map(next).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
    }
}

#[test]
fn given_tokens_are_read_and_not_judged() {
    let counting = |from: u32, n: u32| -> Vec<u32> { (from..from + n).map(|it| it % 4).collect() };
    let bigram = Bigram::fit(&[counting(0, 400), counting(2, 400)], &[4]).unwrap();
    // The second id is a surprise and the context of a third that is none.
    let ids = vec![0, 3, 0, 1];
    let after =
        |n_given| bigram.evaluate_after(&[GivenStart { ids: ids.clone(), n_given }]).unwrap();
    assert_eq!(after(0), bigram.evaluate(&[&ids]).unwrap());
    assert_eq!(after(2).n_tokens, 2);
    assert!(after(2).nats_per_token < 0.1, "{:?}", after(2));
    assert!(after(1).nats_per_token > 1.0, "{:?}", after(1));
    assert_eq!(bigram.evaluate_after(&[GivenStart { ids, n_given: 4 }]), Err(EvalError::NoTokens));
}
