//! From numbers to places along an axis, and the round numbers to mark there.

/// How an axis grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    Linear,
    Log,
}

/// A range of numbers laid along a line. On a logarithmic axis both ends are above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    pub low: f64,
    pub high: f64,
    pub growth: Growth,
}

/// A number to mark.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub value: f64,
    pub label: String,
}

impl Axis {
    /// From `low` to `high`; where they are one number, from a little below to a little above it.
    pub fn new(low: f64, high: f64, growth: Growth) -> Self {
        if low < high {
            return Self { low, high, growth };
        }
        match growth {
            Growth::Linear => {
                let margin = if low == 0.0 { 1.0 } else { low.abs() / 10.0 };
                Self { low: low - margin, high: high + margin, growth }
            }
            Growth::Log => Self { low: low / 2.0, high: high * 2.0, growth },
        }
    }

    /// The same axis with `share` of its length added at both ends.
    pub fn with_margin(self, share: f64) -> Self {
        match self.growth {
            Growth::Linear => {
                let margin = share * (self.high - self.low);
                Self { low: self.low - margin, high: self.high + margin, ..self }
            }
            Growth::Log => {
                let factor = (self.high / self.low).powf(share);
                Self { low: self.low / factor, high: self.high * factor, ..self }
            }
        }
    }

    /// Where a number lies: 0 at the low end, 1 at the high end.
    pub fn fraction(&self, value: f64) -> f32 {
        let fraction = match self.growth {
            Growth::Linear => (value - self.low) / (self.high - self.low),
            Growth::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        fraction as f32
    }

    /// About `count` round numbers within the range.
    pub fn ticks(&self, count: usize) -> Vec<Tick> {
        match self.growth {
            Growth::Linear => self.linear_ticks(count),
            Growth::Log => self.log_ticks(count),
        }
    }

    fn linear_ticks(&self, count: usize) -> Vec<Tick> {
        let step = round_step((self.high - self.low) / count as f64);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let tick = |i: i64| {
            let value = i as f64 * step;
            Tick { value, label: label(value, step, self.high.abs().max(self.low.abs())) }
        };
        (first..=last).map(tick).collect()
    }

    /// Powers of ten; where they are few, the numbers between; and where these are few, even steps.
    fn log_ticks(&self, count: usize) -> Vec<Tick> {
        let decades = self.log_numbers(&[1.0]);
        let every = decades.len().div_ceil(count + 2).max(1);
        let candidates = [
            decades.into_iter().step_by(every).collect(),
            self.log_numbers(&[1.0, 2.0, 5.0]),
            self.log_numbers(&[1.0, 2.0, 3.0, 4.0, 5.0, 7.0]),
        ];
        let tick = |&value: &f64| Tick { value, label: label(value, value, value) };
        match candidates.iter().find(|numbers| numbers.len() >= 4) {
            Some(numbers) => numbers.iter().map(tick).collect(),
            None => self.linear_ticks(count),
        }
    }

    fn log_numbers(&self, leading: &[f64]) -> Vec<f64> {
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let numbers =
            decades.flat_map(|decade| leading.iter().map(move |it| it * power_of_ten(decade)));
        numbers.filter(|number| (self.low..=self.high).contains(number)).collect()
    }
}

/// The step of 1, 2 or 5 times a power of ten that is nearest above `rough`.
fn round_step(rough: f64) -> f64 {
    let power = power_of_ten(rough.log10().floor() as i32);
    let leading = [1.0, 2.0, 5.0].into_iter().find(|it| it * power >= rough * 0.999);
    leading.unwrap_or(10.0) * power
}

/// Exact for the negative powers too, where multiplying tenths would not be.
fn power_of_ten(exponent: i32) -> f64 {
    if exponent < 0 { 1.0 / 10f64.powi(-exponent) } else { 10f64.powi(exponent) }
}

/// A number in as few characters as tell it from its neighbours at `step`; thousands as k and
/// millions as M where the `largest` of the axis has five digits or more.
fn label(value: f64, step: f64, largest: f64) -> String {
    let (unit, suffix) = match largest {
        large if large >= 1e7 => (1e6, "M"),
        large if large >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if value == 0.0 {
        return "0".into();
    }
    let step = step / unit;
    if !(1e-4..1e6).contains(&step) {
        return format!("{value:.1e}").replace(".0e", "e").replace('-', "\u{2212}");
    }
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    format!("{:.decimals$}{suffix}", value / unit).replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_ticks(low: f64, high: f64, growth: Growth, expected: &[&str]) {
        let ticks = Axis::new(low, high, growth).ticks(5);
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn linear_ticks_are_round() {
        check_ticks(0.0, 10.0, Growth::Linear, &["0", "2", "4", "6", "8", "10"]);
    }
    #[test]
    fn small_steps_have_their_decimals() {
        check_ticks(0.31, 0.52, Growth::Linear, &["0.35", "0.40", "0.45", "0.50"]);
    }
    #[test]
    fn many_steps_are_counted_in_thousands() {
        check_ticks(0.0, 50_000.0, Growth::Linear, &["0", "10k", "20k", "30k", "40k", "50k"]);
    }
    #[test]
    fn negative_numbers_have_a_true_minus() {
        check_ticks(-80.0, 0.0, Growth::Linear, &["−80", "−60", "−40", "−20", "0"]);
    }
    #[test]
    fn wide_logarithms_have_powers_of_ten() {
        check_ticks(0.005, 150.0, Growth::Log, &["0.01", "0.1", "1", "10", "100"]);
    }
    #[test]
    fn narrow_logarithms_have_twos_and_fives() {
        check_ticks(0.9, 12.0, Growth::Log, &["1", "2", "5", "10"]);
    }
    #[test]
    fn narrower_logarithms_have_most_digits() {
        check_ticks(0.95, 5.4, Growth::Log, &["1", "2", "3", "4", "5"]);
    }
    #[test]
    fn endless_logarithms_leave_powers_out() {
        check_ticks(1e-9, 9.0, Growth::Log, &["1e−9", "1e−7", "1e−5", "0.001", "0.1"]);
    }
    #[test]
    fn very_narrow_logarithms_have_even_steps() {
        check_ticks(2.1, 2.9, Growth::Log, &["2.2", "2.4", "2.6", "2.8"]);
    }
    #[test]
    fn a_single_number_lies_in_the_middle() {
        assert_eq!(Axis::new(3.0, 3.0, Growth::Linear).fraction(3.0), 0.5);
        assert_eq!(Axis::new(3.0, 3.0, Growth::Log).fraction(3.0), 0.5);
    }
}
