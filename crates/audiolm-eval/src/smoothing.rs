//! How counts become probabilities.

/// The two constants of the Pitman-Yor rule, which smooths counts `c` of a context towards a
/// broader distribution `q`:
///
/// ```text
/// p(id) = (max(c(id) - discount, 0) + (strength + discount * kinds) * q(id)) / (total + strength)
/// ```
///
/// With `discount = 0` this is a Dirichlet prior (add-k, where q is uniform); with a small
/// `strength` it is absolute discounting, which interpolated Kneser-Ney smoothing grew from
/// (Teh 2006). Which of them suits the data is decided on held-out data, not by taste.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Smoothing {
    /// What every id that was seen gives away, from 0 to below 1.
    pub discount: f64,
    /// How many observations the broader distribution is worth, above 0.
    pub strength: f64,
}

/// What was counted of one id in one context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How often the id followed.
    pub count: u32,
    /// How often anything followed.
    pub total: u32,
    /// How many different ids followed.
    pub kinds: u32,
}

const DISCOUNTS: [f64; 9] = [0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95];
const STRENGTHS: [f64; 13] =
    [0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 1e5];

impl Smoothing {
    /// The probability of an id, where `broader` is that of the distribution smoothed towards.
    pub(crate) fn probability(&self, seen: Seen, broader: f64) -> f64 {
        let kept = (f64::from(seen.count) - self.discount).max(0.0);
        let given = self.strength + self.discount * f64::from(seen.kinds);
        (kept + given * broader) / (f64::from(seen.total) + self.strength)
    }

    /// The constants of a grid that make held-out tokens likeliest, each given with its counts in
    /// the training data and its `broader` probability. Where nothing was held out (sequences
    /// shorter than a frame), a middling choice.
    pub(crate) fn choose(held_out: &[(Seen, f64)]) -> Smoothing {
        if held_out.is_empty() {
            return Smoothing { discount: 0.5, strength: 1.0 };
        }
        let nats = |it: &Smoothing| -> f64 {
            held_out.iter().map(|&(seen, broader)| -it.probability(seen, broader).ln()).sum()
        };
        let grid = DISCOUNTS.iter().flat_map(|&discount| {
            STRENGTHS.iter().map(move |&strength| Smoothing { discount, strength })
        });
        let scored = grid.map(|smoothing| (nats(&smoothing), smoothing));
        let (_, best) = scored.min_by(|a, b| a.0.total_cmp(&b.0)).expect("the grid is not empty");
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_sums_to_one(discount: f64, strength: f64, counts: &[u32]) {
        let smoothing = Smoothing { discount, strength };
        let total = counts.iter().sum();
        let kinds = counts.iter().filter(|&&count| count > 0).count() as u32;
        let broader = 1.0 / counts.len() as f64;
        let probability =
            |&count: &u32| smoothing.probability(Seen { count, total, kinds }, broader);
        let sum: f64 = counts.iter().map(probability).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }

    #[test]
    fn dirichlet_sums_to_one() {
        check_sums_to_one(0.0, 3.0, &[5, 0, 1, 2]);
    }
    #[test]
    fn discounting_sums_to_one() {
        check_sums_to_one(0.9, 0.01, &[5, 0, 1, 2]);
    }
    #[test]
    fn an_unseen_context_sums_to_one() {
        check_sums_to_one(0.5, 1.0, &[0, 0, 0]);
    }
    #[test]
    fn counts_that_repeat_are_trusted() {
        let certain = (Seen { count: 50, total: 50, kinds: 1 }, 0.1);
        assert_eq!(Smoothing::choose(&[certain; 20]).discount, 0.0);
        assert_eq!(Smoothing::choose(&[certain; 20]).strength, 0.01);
    }
    #[test]
    fn counts_that_mislead_are_not_trusted() {
        let misled = (Seen { count: 0, total: 50, kinds: 1 }, 0.1);
        assert_eq!(Smoothing::choose(&[misled; 20]).strength, 1e5);
    }
}
