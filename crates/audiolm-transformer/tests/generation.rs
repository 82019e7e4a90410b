//! What generation must not get wrong. Each of these goes wrong in audiolm-pytorch 2.4.0, in silence:
//!
//! | There | Here noticed by |
//! |---|---|
//! | guidance does nothing in two of the three stages: no null condition ever reaches the logits | `what_a_stage_is_told_changes_its_logits`, `guidance_goes_from_no_condition_to_more_of_it` |
//! | a condition as prefix drops the cache: logits of a wrong place are drawn from after the first token | `what_is_drawn_is_as_likely_as_the_whole_sequence_says` |
//! | the last code of every quantizer but the first of a frame cannot be drawn | `every_token_can_be_drawn` |
//! | every crop is taught to end where it was cut | `only_what_ends_is_said_to_end` |
//! | an end that was drawn ends nothing: all is drawn, and cut off afterwards | `nothing_is_drawn_behind_an_end` |
//! | the end of one quantizer is the first code of the next | `every_code_of_every_quantizer_has_its_own_token`, in `codes.rs` |

// Clippy's leave for tests ends at their helpers.
#![allow(clippy::unwrap_used)]

use audiolm_nn::generator;
use audiolm_transformer::{
    CoarseBatch, CoarseRequest, CoarseRow, CoarseStage, CoarseStageConfig, Condition,
    ConditionConfig, Conditioning, DecoderConfig, FineBatch, FineRequest, FineRow, FineStage,
    FineStageConfig, Guidance, Length, LogLikelihood, Recall, Runs, Sampling, SemanticBatch,
    SemanticPrompt, SemanticRequest, SemanticRow, SemanticStage, SemanticStageConfig, Stage,
};
use burn::prelude::*;

const N_IDS: usize = 6;
const N_COARSE: usize = 2;
const N_QUANTIZERS: usize = 5;
const CODES: usize = 8;
/// Frames that are drawn.
const N_FRAMES: usize = 20;
/// Codes of one frame before these.
const PROMPT: [u32; N_QUANTIZERS] = [7, 0, 3, 5, 1];
/// Semantic ids of a clip, one for each two frames.
const SAID: [u32; 11] = [0, 5, 2, 3, 1, 4, 0, 1, 2, 5, 3];

/// One of the three stages; its weights are fresh, and everything here holds of any weights.
enum Model {
    Semantic(SemanticStage),
    Coarse(CoarseStage),
    Fine(FineStage),
}

/// Tokens that a stage drew, and how likely it found them meanwhile.
struct Drawn {
    tokens: Vec<u32>,
    /// Of each id; none where there are no ids.
    durations: Vec<u32>,
    likelihood: LogLikelihood,
}

/// How to draw, told what.
#[derive(Clone, Copy)]
struct Asked<'a> {
    condition: Option<&'a Condition>,
    guidance: Guidance,
    temperature: f64,
    seed: u64,
}

impl Model {
    fn drawn(&self, asked: Asked) -> Drawn {
        let Asked { condition, guidance, temperature, seed } = asked;
        let (rng, sampling) = (generator(seed, "test", 0), Sampling::at(temperature));
        let (recall, recalled_frames) = (Recall::NONE, 0);
        match self {
            Self::Semantic(stage) => {
                let request = SemanticRequest {
                    length: Length::Exactly(N_FRAMES),
                    ids: sampling,
                    durations: sampling,
                    guidance,
                };
                let mut generation = stage.begin(&prompt(condition), &request, rng).unwrap();
                let runs = std::iter::from_fn(|| stage.next_run(&mut generation));
                let Runs { ids, durations } = runs.collect();
                Drawn { tokens: ids, durations, likelihood: generation.likelihood() }
            }
            Self::Coarse(stage) => {
                let request = CoarseRequest {
                    semantic: &SAID,
                    semantic_frames: &said_frames(),
                    prompt_codes: &PROMPT[..N_COARSE],
                    n_frames: N_FRAMES,
                    sampling,
                    recall,
                    recalled_frames,
                    condition,
                    guidance,
                };
                let mut generation = stage.begin(&request, rng).unwrap();
                let codes = std::iter::from_fn(|| stage.next_frame(&mut generation));
                let tokens = codes.flatten().collect();
                Drawn { tokens, durations: Vec::new(), likelihood: generation.likelihood() }
            }
            Self::Fine(stage) => {
                let request = FineRequest {
                    coarse: &coarse(),
                    prompt_fine: &PROMPT[N_COARSE..],
                    sampling,
                    recall,
                    recalled_frames,
                    condition,
                    guidance,
                };
                let mut generation = stage.begin(&request, rng).unwrap();
                let codes = std::iter::from_fn(|| stage.next_frame(&mut generation));
                let tokens = codes.flatten().collect();
                Drawn { tokens, durations: Vec::new(), likelihood: generation.likelihood() }
            }
        }
    }

    /// What the stage says of the tokens in a pass over the whole sequence.
    fn log_likelihoods(&self, drawn: &Drawn, condition: Option<&Condition>) -> Vec<f32> {
        let condition = condition.cloned();
        let of_all = match self {
            Self::Semantic(stage) => {
                let SemanticPrompt { ids, durations, starts, .. } = prompt(None);
                let row = SemanticRow {
                    ids: [ids, drawn.tokens.clone()].concat(),
                    durations: [durations, drawn.durations.clone()].concat(),
                    starts,
                    ends: false,
                    condition,
                };
                stage.log_likelihoods(&SemanticBatch { rows: vec![row] })
            }
            Self::Coarse(stage) => {
                let row = CoarseRow {
                    semantic: SAID.to_vec(),
                    semantic_frames: said_frames(),
                    codes: [PROMPT[..N_COARSE].to_vec(), drawn.tokens.clone()].concat(),
                    condition,
                };
                stage.log_likelihoods(&CoarseBatch { rows: vec![row] })
            }
            Self::Fine(stage) => {
                let fine = [PROMPT[N_COARSE..].to_vec(), drawn.tokens.clone()].concat();
                let frames = coarse();
                let frames = frames.chunks(N_COARSE).zip(fine.chunks(N_QUANTIZERS - N_COARSE));
                let codes = frames.flat_map(|(coarse, fine)| [coarse, fine].concat()).collect();
                stage.log_likelihoods(&FineBatch { rows: vec![FineRow { codes, condition }] })
            }
        };
        let of_all = of_all.unwrap().concat();
        of_all[of_all.len() - drawn.tokens.len()..].to_vec()
    }
}

/// All stages, told so.
fn models(by: Conditioning) -> [Model; 3] {
    let device = Device::default();
    let condition = ConditionConfig { dropout: 0.0, ..ConditionConfig::new(3, by) };
    let decoder = || DecoderConfig::new(16, 2, 2, 32).with_dropout(0.0).with_condition(condition);
    let semantic = SemanticStageConfig::new(decoder(), N_IDS).with_max_duration(4);
    let coarse = CoarseStageConfig::new(decoder(), N_IDS, N_COARSE, CODES);
    let fine = FineStageConfig::new(decoder(), N_QUANTIZERS, N_COARSE, CODES);
    [
        Model::Semantic(semantic.init(&device).unwrap()),
        Model::Coarse(coarse.init(&device).unwrap()),
        Model::Fine(fine.init(&device).unwrap()),
    ]
}

fn all_models() -> impl Iterator<Item = Model> {
    [Conditioning::CrossAttention, Conditioning::Prefix].into_iter().flat_map(models)
}

fn condition() -> Condition {
    Condition::new(vec![3.0, -1.0, 0.5, -2.0, 2.0, 1.0], 3).unwrap()
}

fn prompt(condition: Option<&Condition>) -> SemanticPrompt {
    let condition = condition.cloned();
    SemanticPrompt { ids: vec![1, 5], durations: vec![2, 4], starts: true, condition }
}

fn said_frames() -> Vec<u32> {
    (0..SAID.len() as u32).map(|it| 2 * it).collect()
}

/// Coarse codes of the prompt and of all that is drawn.
fn coarse() -> Vec<u32> {
    let drawn = (0..N_FRAMES * N_COARSE).map(|it| (it * it + 3) as u32 % CODES as u32);
    PROMPT[..N_COARSE].iter().copied().chain(drawn).collect()
}

fn told(condition: Option<&Condition>, scale: f64) -> Asked<'_> {
    Asked { condition, guidance: Guidance { scale }, temperature: 1.0, seed: 3 }
}

#[test]
fn what_a_stage_is_told_changes_its_logits() {
    let condition = condition();
    for model in all_models() {
        let drawn = model.drawn(told(Some(&condition), 1.0));
        let [with, without] =
            [Some(&condition), None].map(|told| model.log_likelihoods(&drawn, told));
        assert!(with.iter().zip(&without).all(|(with, without)| with != without));
    }
}

#[test]
fn guidance_goes_from_no_condition_to_more_of_it() {
    let condition = condition();
    for model in all_models() {
        let tokens = |condition, scale| {
            let Drawn { tokens, durations, .. } = model.drawn(told(condition, scale));
            (tokens, durations)
        };
        // Without a condition there is nothing to be guided by.
        let untold = tokens(None, 1.0);
        assert_eq!(tokens(None, 7.0), untold);
        assert_eq!(tokens(Some(&condition), 0.0), untold);
        let as_learnt = tokens(Some(&condition), 1.0);
        // Close to 1 both rows are read; the logits are those of one.
        assert_eq!(tokens(Some(&condition), 1.0 + 1e-9), as_learnt);
        assert_ne!(tokens(Some(&condition), 30.0), as_learnt);
    }
}

#[test]
fn what_is_drawn_is_as_likely_as_the_whole_sequence_says() {
    let condition = condition();
    for model in all_models() {
        for (told, scale) in [(None, 1.0), (Some(&condition), 1.0), (Some(&condition), 3.0)] {
            let drawn = model.drawn(Asked { temperature: 0.5, ..self::told(told, scale) });
            let expected = model.log_likelihoods(&drawn, told);
            assert_eq!(drawn.likelihood.tokens, expected.len());
            let expected = f64::from(expected.iter().sum::<f32>());
            let found = drawn.likelihood.nats;
            assert!((found - expected).abs() < 1e-3, "{found} for {expected}");
        }
    }
}

#[test]
fn every_token_can_be_drawn() {
    let condition = condition();
    for model in all_models() {
        let width = match &model {
            Model::Semantic(_) => 1,
            Model::Coarse(_) => N_COARSE,
            Model::Fine(_) => N_QUANTIZERS - N_COARSE,
        };
        let n_tokens = if width == 1 { N_IDS } else { CODES };
        let mut drawn = vec![std::collections::BTreeSet::new(); width];
        for seed in 0..20 {
            // So hot that all tokens are about as likely.
            let asked = Asked { temperature: 50.0, seed, ..told(Some(&condition), 2.0) };
            for (at, token) in model.drawn(asked).tokens.into_iter().enumerate() {
                drawn[at % width].insert(token);
            }
        }
        assert!(drawn.iter().all(|it| it.iter().copied().eq(0..n_tokens as u32)), "{drawn:?}");
    }
}

#[test]
fn only_what_ends_is_said_to_end() {
    let Model::Semantic(stage) = &models(Conditioning::Prefix)[0] else { unreachable!() };
    let n_predicted = |starts, ends| {
        let (ids, durations) = (vec![1, 5, 2], vec![2, 4, 1]);
        let row = SemanticRow { ids, durations, starts, ends, condition: None };
        stage.loss(&SemanticBatch { rows: vec![row] }).unwrap().tokens
    };
    // Every id but one that nothing stands before, and the end where there is one.
    assert_eq!(n_predicted(true, true), 4);
    assert_eq!(n_predicted(true, false), 3);
    assert_eq!(n_predicted(false, true), 3);
    assert_eq!(n_predicted(false, false), 2);
}

#[test]
fn nothing_is_drawn_behind_an_end() {
    let Model::Semantic(stage) = &models(Conditioning::Prefix)[0] else { unreachable!() };
    let sampling = Sampling::at(1.0);
    let request = SemanticRequest {
        length: Length::AtMost(500),
        ids: sampling,
        durations: sampling,
        guidance: Guidance::NONE,
    };
    let mut n_ended = 0;
    for seed in 0..10 {
        let rng = generator(seed, "test", 0);
        let mut generation = stage.begin(&prompt(None), &request, rng).unwrap();
        let runs: Runs = std::iter::from_fn(|| stage.next_run(&mut generation)).collect();
        let ended = runs.n_frames() < 500;
        n_ended += usize::from(ended);
        // As many draws of ids as there are runs, and that of the end: none behind it.
        let n_draws = generation.likelihood().tokens;
        assert_eq!(n_draws, runs.ids.len() + usize::from(ended));
        assert_eq!((generation.n_left(), stage.next_run(&mut generation)), (0, None));
        assert_eq!(generation.likelihood().tokens, n_draws);
    }
    assert!(n_ended > 0, "a model that knows nothing ends after some hundred runs");
}
