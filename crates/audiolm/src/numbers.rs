//! Numbers from the command line, refused where they cannot be meant. `clap` adds the name of the
//! option and the value to what is said here.

use audiolm::pipeline::{MAX_TEMPO, MIN_TEMPO};

/// The longest sound that is made at once, in seconds. Nothing breaks beyond it, but a
/// mistyped number should not run for hours.
pub const MAX_SECONDS: f64 = 600.0;
/// The highest temperature that still is a choice among tokens rather than noise.
const MAX_TEMPERATURE: f64 = 10.0;

/// The most guidance that still leaves something to draw.
const MAX_GUIDANCE: f64 = 100.0;

/// A length in seconds, above 0.
pub fn seconds(text: &str) -> Result<f64, String> {
    let expected = format!("expected seconds, more than 0 and at most {MAX_SECONDS}");
    within(text, |it| it > 0.0 && it <= MAX_SECONDS, expected)
}

/// A place in a recording, in seconds from its start.
pub fn place(text: &str) -> Result<f64, String> {
    within(text, |it| it >= 0.0 && it.is_finite(), "expected seconds, at least 0".into())
}

/// A tempo: how many times as fast as it would be.
pub fn tempo(text: &str) -> Result<f64, String> {
    let expected = format!("expected a number from {MIN_TEMPO} to {MAX_TEMPO}");
    within(text, |it| (MIN_TEMPO..=MAX_TEMPO).contains(&it), expected)
}

/// A temperature; 0 always takes the likeliest token.
pub fn temperature(text: &str) -> Result<f64, String> {
    let expected = format!("expected a number from 0 to {MAX_TEMPERATURE}");
    within(text, |it| (0.0..=MAX_TEMPERATURE).contains(&it), expected)
}

/// A probability, above 0.
pub fn top_p(text: &str) -> Result<f64, String> {
    within(text, |it| it > 0.0 && it <= 1.0, "expected more than 0 and at most 1".into())
}

/// A share, from none to all.
pub fn share(text: &str) -> Result<f64, String> {
    within(text, |it| (0.0..=1.0).contains(&it), "expected a number from 0 to 1".into())
}

/// What something is divided by to make it smaller.
pub fn divisor(text: &str) -> Result<f64, String> {
    within(text, |it| it.is_finite() && it >= 1.0, "expected a number of at least 1".into())
}

/// How much a text counts, above 0.
pub fn guidance(text: &str) -> Result<f64, String> {
    let expected = format!("expected more than 0 and at most {MAX_GUIDANCE}");
    within(text, |it| it > 0.0 && it <= MAX_GUIDANCE, expected)
}

/// A count of at least one.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("expected a whole number of at least 1".into()),
    }
}

/// A seed.
pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

/// Steps of training, at least one.
pub fn steps(text: &str) -> Result<u64, String> {
    count(text).map(|it| it as u64)
}

fn within(text: &str, holds: impl Fn(f64) -> bool, expected: String) -> Result<f64, String> {
    text.parse().ok().filter(|it| holds(*it)).ok_or(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: PartialEq + std::fmt::Debug>(
        parse: fn(&str) -> Result<T, String>,
        good: &str,
        value: T,
        bad: &[&str],
    ) {
        assert_eq!(parse(good), Ok(value));
        for text in bad {
            let refusal = parse(text).expect_err(text);
            assert!(refusal.starts_with("expected "), "{refusal}");
        }
    }

    #[test]
    fn seconds_are_positive_and_bounded() {
        check(seconds, "4.5", 4.5, &["0", "-1", "NaN", "inf", "1e9", "four", ""]);
    }
    #[test]
    fn temperatures_are_finite() {
        check(temperature, "0", 0.0, &["-0.1", "NaN", "inf", "11", "warm"]);
    }
    #[test]
    fn tempos_are_those_one_can_follow() {
        check(tempo, "1.25", 1.25, &["0", "-1", "0.2", "5", "NaN", "fast"]);
    }
    #[test]
    fn places_are_not_before_the_start() {
        check(place, "0", 0.0, &["-0.1", "NaN", "inf", "here"]);
    }
    #[test]
    fn shares_are_from_none_to_all() {
        check(share, "0", 0.0, &["1.01", "-1", "NaN", "all"]);
    }
    #[test]
    fn divisors_make_smaller() {
        check(divisor, "1.5", 1.5, &["0.99", "-1", "NaN", "inf", "twice"]);
    }
    #[test]
    fn top_p_is_a_probability() {
        check(top_p, "1", 1.0, &["0", "1.01", "-1", "NaN"]);
    }
    #[test]
    fn counts_begin_at_one() {
        check(count, "12", 12, &["0", "-1", "1.5", "many"]);
    }
}
