//! Filling in the codes of a clip, level by level, the surest first (SoundStorm, section 3.3).
//!
//! A level is filled in passes, as by MaskGIT (Chang et al. 2022). Each guesses every code of it that is
//! still hidden, and keeps the guesses that the model is surest of; how many stay hidden follows a
//! cosine. Sureness is the likelihood of the guess, and chance, less and less of it: without, likely
//! codes would come first everywhere and unlikely ones never. The last pass of a level takes the
//! likeliest code everywhere, as SoundStorm found to sound better. The paper gives the first level 16
//! passes and each other one: given what is coarser, codes of a fine level depend little on one another.

use std::f64::consts::FRAC_PI_2;

use audiolm_nn::Generator;
use rand::RngExt;

use super::{Mask, ParallelRow, ParallelStage};
use crate::error::{GenerateError, TokenError};
use crate::sampler::{Sampling, sample};

/// What [`ParallelStage::generate`] shall complete.
#[derive(Debug, Clone, Copy)]
pub struct ParallelRequest<'a> {
    /// The semantic id of every frame, of the prompt and of what is drawn.
    pub semantic: &'a [u32],
    /// All codes of the first frames, row-major; may be empty.
    pub prompt_codes: &'a [u32],
    /// How to guess codes that later passes can still go by.
    pub sampling: Sampling,
    /// In how many passes the first level is filled, at least 1; each other takes one.
    pub passes: usize,
}

/// How much chance there is in the sureness of guesses before the first pass: what MaskGIT's published
/// program has.
const CHANCE: f64 = 4.5;

/// One pass through what is hidden of a level.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pass {
    /// How many codes stay hidden.
    n_left: usize,
    /// The share of the passes that are still to come.
    share_left: f64,
}

/// The code that is drawn for a hidden one, and how sure the model is of it.
#[derive(Debug, Clone, Copy)]
struct Guess {
    frame: usize,
    code: u32,
    sureness: f64,
}

impl ParallelStage {
    /// The passes of the first level in the paper (section 4).
    pub const PAPER_PASSES: usize = 16;

    /// Draws all codes of the frames after the prompt, row-major, without the prompt's.
    ///
    /// `on_codes` is called after each pass with the number of codes drawn so far.
    pub fn generate(
        &self,
        request: &ParallelRequest,
        rng: &mut Generator,
        on_codes: &mut dyn FnMut(usize),
    ) -> Result<Vec<u32>, GenerateError> {
        request.sampling.validate()?;
        let mut row = self.unfilled(request)?;
        let n_levels = self.layout().n_quantizers();
        let n_prompt = request.prompt_codes.len();
        let mut n_drawn = 0;
        for level in 0..n_levels {
            row.mask = Mask::of_level(level, n_prompt / n_levels..request.semantic.len());
            let most = if level == 0 { request.passes } else { 1 };
            for pass in passes(row.mask.hidden().len(), most) {
                let logits = self.hidden_logits(&row);
                let guesses = guesses(&row.mask, &logits, pass.of(&request.sampling), rng);
                n_drawn += fill(&mut row, guesses, pass.n_left, n_levels);
                on_codes(n_drawn);
            }
        }
        Ok(row.codes.split_off(n_prompt))
    }

    /// The prompt, and room for the rest.
    fn unfilled(&self, request: &ParallelRequest) -> Result<ParallelRow, TokenError> {
        let layout = self.layout();
        let (expected, found) = (request.semantic.len(), layout.n_frames(request.prompt_codes)?);
        if found > expected {
            return Err(TokenError::TooManyFrames { expected, found });
        }
        let mut codes = request.prompt_codes.to_vec();
        codes.resize(expected * layout.n_quantizers(), 0);
        let mask = Mask::of_level(0, found..expected);
        let row = ParallelRow { semantic: request.semantic.to_vec(), codes, mask };
        self.validate(&row)?;
        Ok(row)
    }
}

/// How to guess in one pass.
#[derive(Debug, Clone, Copy)]
struct Guessing {
    sampling: Sampling,
    /// The size of the chance in sureness.
    chance: f64,
}

impl Pass {
    /// The last pass of a level is greedy; and where nothing is drawn at random, nothing is chosen so.
    fn of(&self, sampling: &Sampling) -> Guessing {
        match self.n_left == 0 || sampling.temperature == 0.0 {
            true => Guessing { sampling: Sampling::GREEDY, chance: 0.0 },
            false => Guessing { sampling: *sampling, chance: CHANCE * self.share_left },
        }
    }
}

/// The passes through `n_hidden` codes: at most so many, fewer where there are fewer codes, for each
/// fills one or more.
fn passes(n_hidden: usize, most: usize) -> Vec<Pass> {
    let mut passes = Vec::new();
    let mut n_left = n_hidden;
    while n_left > 0 {
        let done = ((passes.len() + 1) as f64 / most as f64).min(1.0);
        let by_cosine = ((done * FRAC_PI_2).cos() * n_hidden as f64) as usize;
        n_left = by_cosine.min(n_left - 1);
        passes.push(Pass { n_left, share_left: 1.0 - done });
    }
    passes
}

/// A guess at every hidden code, in the order of frames.
fn guesses(mask: &Mask, logits: &[f32], how: Guessing, rng: &mut Generator) -> Vec<Guess> {
    let n_codes = logits.len() / mask.hidden().len().max(1);
    let guess = |(frame, logits): (&usize, &[f32])| {
        let code = sample(logits, &how.sampling, rng);
        let chance = if how.chance > 0.0 { how.chance * gumbel(rng) } else { 0.0 };
        let sureness = log_likelihood(logits, code) + chance;
        Guess { frame: *frame, code: code as u32, sureness }
    };
    mask.hidden().iter().zip(logits.chunks_exact(n_codes)).map(guess).collect()
}

/// A number that makes the greatest of some log-likelihoods, each with one added, a draw from them.
fn gumbel(rng: &mut Generator) -> f64 {
    let uniform: f64 = rng.random();
    -(-uniform.max(f64::MIN_POSITIVE).ln()).ln()
}

fn log_likelihood(logits: &[f32], code: usize) -> f64 {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|it| f64::from(it - peak).exp()).sum();
    f64::from(logits[code] - peak) - sum.ln()
}

/// Keeps the surest guesses, all but `n_left`; of equally sure ones, the earlier. How many are kept.
fn fill(row: &mut ParallelRow, mut guesses: Vec<Guess>, n_left: usize, n_levels: usize) -> usize {
    guesses.sort_by(|a, b| b.sureness.total_cmp(&a.sureness));
    guesses.truncate(guesses.len() - n_left);
    for Guess { frame, code, .. } in &guesses {
        row.codes[frame * n_levels + row.mask.level()] = *code;
    }
    let frames: Vec<usize> = guesses.iter().map(|it| it.frame).collect();
    row.mask.reveal(&frames);
    frames.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::tokens;
    use crate::parallel::tests::{CODES, N_IDS, N_LEVELS, stage};
    use audiolm_nn::generator;
    use burn::prelude::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    struct Clip {
        semantic: Vec<u32>,
        prompt: Vec<u32>,
    }

    impl Clip {
        fn new(n_prompt: usize, n_frames: usize) -> Self {
            let semantic = tokens(n_frames, N_IDS as u32, 5);
            Self { semantic, prompt: tokens(n_prompt * N_LEVELS, CODES as u32, 6) }
        }

        fn request(&self, temperature: f64, passes: usize) -> ParallelRequest<'_> {
            let sampling = Sampling::at(temperature);
            let Self { semantic, prompt } = self;
            ParallelRequest { semantic, prompt_codes: prompt, sampling, passes }
        }
    }

    fn drawn(request: &ParallelRequest, seed: u64) -> Vec<u32> {
        let stage = stage(&Device::default());
        stage.generate(request, &mut generator(seed, "test", 0), &mut |_| {}).unwrap()
    }

    fn n_left(n_hidden: usize, most: usize) -> Vec<usize> {
        passes(n_hidden, most).into_iter().map(|it| it.n_left).collect()
    }

    proptest! {
        #[test]
        fn every_pass_fills_codes_until_none_is_left(n in 1..400usize, most in 1..40usize) {
            let left: Vec<usize> = n_left(n, most);
            prop_assert!(left.len() <= most.min(n));
            prop_assert_eq!(left.last(), Some(&0));
            prop_assert!([n].iter().chain(&left).is_sorted_by(|a, b| a > b));
        }

        #[test]
        fn each_code_is_filled_once_and_the_others_stay(
            n_prompt in 0..9usize, n_rest in 1..30usize, most in 1..9usize, seed: u64,
        ) {
            let mut rng = generator(seed, "test", 0);
            let rest = n_prompt..n_prompt + n_rest;
            let codes = tokens(rest.end * N_LEVELS, CODES as u32, 7);
            let semantic = vec![0; rest.end];
            let mut row = ParallelRow { semantic, codes, mask: Mask::of_level(1, rest.clone()) };
            let mut filled = BTreeSet::new();
            for pass in passes(n_rest, most) {
                let before = row.clone();
                let n_logits = before.mask.hidden().len() * CODES;
                let logits: Vec<f32> = tokens(n_logits, 100, seed as u32).iter().map(|it| *it as f32).collect();
                let how = pass.of(&Sampling::at(1.0));
                let guesses = guesses(&row.mask, &logits, how, &mut rng);
                fill(&mut row, guesses, pass.n_left, N_LEVELS);
                prop_assert_eq!(row.mask.hidden().len(), pass.n_left);
                for (at, (was, is)) in before.codes.iter().zip(&row.codes).enumerate() {
                    let (frame, level) = (at / N_LEVELS, at % N_LEVELS);
                    let revealed = before.mask.hidden().contains(&frame) && !row.mask.hidden().contains(&frame);
                    if level == 1 && revealed {
                        prop_assert!(filled.insert(frame), "{frame} is filled twice");
                    } else {
                        prop_assert_eq!(was, is);
                    }
                }
            }
            prop_assert!(filled.into_iter().eq(rest));
        }
    }

    #[test]
    fn few_are_filled_at_first_and_many_at_last() {
        assert_eq!(n_left(100, 4), [92, 70, 38, 0]);
        assert_eq!(n_left(100, 1), [0]);
        assert_eq!(n_left(3, 16), [2, 1, 0]);
        assert_eq!(n_left(0, 16), [0; 0]);
    }

    #[test]
    fn the_surest_guess_is_kept_first() {
        let mut row = ParallelRow {
            semantic: vec![0; 3],
            codes: vec![0; 3 * N_LEVELS],
            mask: Mask::of_level(0, 0..3),
        };
        let guess = |frame, sureness| Guess { frame, code: 5, sureness };
        fill(&mut row, vec![guess(0, -2.0), guess(1, -0.5), guess(2, -0.5)], 2, N_LEVELS);
        assert_eq!(row.mask.hidden(), [0, 2]);
        assert_eq!(row.codes[N_LEVELS], 5);
    }

    #[test]
    fn likelihoods_are_normalised() {
        assert!((log_likelihood(&[0.0, 0.0], 1) - 0.5f64.ln()).abs() < 1e-12);
        let sum: f64 = (0..3).map(|it| log_likelihood(&[90.0, -3.0, 88.0], it).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn continues_the_same_for_the_same_seed() {
        let clip = Clip::new(3, 20);
        let request = clip.request(1.0, 4);
        assert_eq!(drawn(&request, 1).len(), 17 * N_LEVELS);
        assert_eq!(drawn(&request, 1), drawn(&request, 1));
        assert_ne!(drawn(&request, 1), drawn(&request, 2));
    }

    #[test]
    fn progress_counts_codes_up_to_all() {
        let clip = Clip::new(3, 20);
        let mut heard = Vec::new();
        let mut rng = generator(1, "test", 0);
        let stage = stage(&Device::default());
        stage.generate(&clip.request(1.0, 4), &mut rng, &mut |it| heard.push(it)).unwrap();
        // Four passes for the first level and one for each other.
        assert_eq!(heard.len(), 4 + N_LEVELS - 1);
        assert!(heard.is_sorted() && heard.last() == Some(&(17 * N_LEVELS)));
    }

    #[test]
    fn every_code_can_be_drawn() {
        let codes = drawn(&Clip::new(0, 300).request(4.0, 4), 1);
        let drawn: BTreeSet<u32> = codes.into_iter().step_by(N_LEVELS).collect();
        assert!(drawn.into_iter().eq(0..CODES as u32), "of the first level");
        // Greedily, as in the levels after it: wherever it is the likeliest.
        let mask = Mask::of_level(1, 0..CODES);
        let diagonal = (0..CODES * CODES).map(|at| f32::from(at / CODES == at % CODES));
        let logits: Vec<f32> = diagonal.collect();
        let how = Pass { n_left: 0, share_left: 0.0 }.of(&Sampling::at(1.0));
        let guesses = guesses(&mask, &logits, how, &mut generator(1, "test", 0));
        assert!(guesses.iter().map(|it| it.code).eq(0..CODES as u32));
    }

    #[test]
    fn chance_becomes_less_and_never_decides_what_is_greedy() {
        let chances = |temperature| -> Vec<f64> {
            let sampling = Sampling::at(temperature);
            passes(100, 4).iter().map(|it| it.of(&sampling).chance / CHANCE).collect()
        };
        assert_eq!(chances(1.0), [0.75, 0.5, 0.25, 0.0]);
        assert_eq!(chances(0.0), [0.0; 4]);
    }

    #[test]
    fn gumbels_draw_from_likelihoods() {
        const DRAWS: usize = 20_000;
        let mut rng = generator(1, "test", 0);
        let rare =
            (0..DRAWS).filter(|_| 0.2f64.ln() + gumbel(&mut rng) > 0.8f64.ln() + gumbel(&mut rng));
        let share = rare.count() as f64 / DRAWS as f64;
        assert!((share - 0.2).abs() < 0.012, "{share}");
    }

    #[test]
    fn nothing_is_added_to_a_whole_prompt() {
        assert_eq!(drawn(&Clip::new(4, 4).request(1.0, 4), 1), [0; 0]);
        assert_eq!(drawn(&Clip::new(0, 0).request(1.0, 4), 1), [0; 0]);
    }

    #[track_caller]
    fn check_refused(request: &ParallelRequest, expected: GenerateError) {
        let stage = stage(&Device::default());
        let error = stage.generate(request, &mut generator(1, "test", 0), &mut |_| {}).unwrap_err();
        assert_eq!(error, expected);
    }

    #[test]
    fn refuses_what_cannot_be_continued() {
        let clip = Clip::new(5, 3);
        let expected = TokenError::TooManyFrames { expected: 3, found: 5 };
        check_refused(&clip.request(1.0, 4), expected.into());
        let (token, position, value, bound) = ("semantic id", 1, 6, N_IDS);
        let expected = TokenError::OutOfRange { token, position, value, bound };
        let strange = Clip { semantic: vec![0, 6], prompt: Vec::new() };
        check_refused(&strange.request(1.0, 4), expected.into());
        let temperature = -1.0;
        let expected = crate::error::SamplingError::Temperature { temperature };
        check_refused(&Clip::new(1, 3).request(temperature, 4), expected.into());
    }
}
