//! How distances between positions are told apart in T5, and in what has learnt from it.

/// Which keys a query may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Only those at or before the query: all buckets are for the past.
    Causal,
    /// All of them: half of the buckets is for the past, half for the future.
    Bidirectional,
}

/// How T5 groups distances (Raffel et al. 2020, section 2.1): near ones exactly, far ones by
/// their logarithm, and all from `max_distance` on together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Number of buckets.
    pub n_buckets: usize,
    /// Distance from which all keys share a bucket.
    pub max_distance: usize,
    /// Which keys a query may see.
    pub direction: Direction,
}

impl Buckets {
    /// The bucket of a key that stands `offset` places after the query (before it if negative).
    pub fn bucket(&self, offset: i64) -> usize {
        let (n_buckets, first, distance) = match self.direction {
            Direction::Causal => (self.n_buckets, 0, (-offset).max(0)),
            Direction::Bidirectional => {
                let half = self.n_buckets / 2;
                (half, if offset > 0 { half } else { 0 }, offset.abs())
            }
        };
        first + self.bucket_of_distance(distance as usize, n_buckets)
    }

    fn bucket_of_distance(&self, distance: usize, n_buckets: usize) -> usize {
        let exact = n_buckets / 2;
        if distance < exact {
            return distance;
        }
        // In single precision, as T5 computes it: the two differ at powers of the step.
        let ratio = (distance as f32 / exact as f32).ln();
        let span = (self.max_distance as f64 / exact as f64).ln() as f32;
        let beyond = ratio / span * (n_buckets - exact) as f32;
        (exact + beyond as usize).min(n_buckets - 1)
    }
}
