//! How far two sequences of frames are apart.

use std::f64::consts::PI;

/// Frames of length one: `[time, width]`. A frame of zeros stays one, at a right angle to all others.
pub(super) struct Aligned {
    values: Vec<f32>,
    width: usize,
}

impl Aligned {
    pub(super) fn new(frames: &[f32], width: usize) -> Self {
        let mut values = frames.to_vec();
        for frame in values.chunks_exact_mut(width) {
            let length = frame.iter().map(|it| f64::from(*it).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                frame.iter_mut().for_each(|it| *it = (f64::from(*it) / length) as f32);
            }
        }
        Self { values, width }
    }

    /// The mean angle over π along the path with the least sum.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let columns = other.len();
        let angles = self.angles(other);
        let mut sums = angles.clone();
        for row in 0..self.len() {
            for column in 0..columns {
                sums[row * columns + column] += least_before(&sums, row, column, columns);
            }
        }
        sums[sums.len() - 1] / path_length(&sums, columns) as f64
    }

    fn len(&self) -> usize {
        self.values.len() / self.width
    }

    fn frames(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    fn angles(&self, other: &Self) -> Vec<f64> {
        let angle = |one: &[f32], two: &[f32]| {
            let cosine: f32 = one.iter().zip(two).map(|(a, b)| a * b).sum();
            f64::from(cosine).clamp(-1.0, 1.0).acos() / PI
        };
        self.frames().flat_map(|one| other.frames().map(move |two| angle(one, two))).collect()
    }
}

/// The least sum of the places that a path may come from.
fn least_before(sums: &[f64], row: usize, column: usize, columns: usize) -> f64 {
    let at = |row: usize, column: usize| sums[row * columns + column];
    match (row, column) {
        (0, 0) => 0.0,
        (0, _) => at(0, column - 1),
        (_, 0) => at(row - 1, 0),
        _ => at(row - 1, column - 1).min(at(row - 1, column)).min(at(row, column - 1)),
    }
}

/// Places on the path, found from its end: a step along both wins a tie, then one along `other`.
fn path_length(sums: &[f64], columns: usize) -> usize {
    let at = |row: usize, column: usize| sums[row * columns + column];
    let (mut row, mut column) = (sums.len() / columns - 1, columns - 1);
    let mut length = 1;
    while row > 0 && column > 0 {
        let (both, up, left) = (at(row - 1, column - 1), at(row - 1, column), at(row, column - 1));
        if both <= up && both <= left {
            (row, column) = (row - 1, column - 1);
        } else if left <= up {
            column -= 1;
        } else {
            row -= 1;
        }
        length += 1;
    }
    length + row + column
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames at these angles, in degrees.
    fn at(degrees: &[f64]) -> Aligned {
        let frames: Vec<f32> = degrees
            .iter()
            .flat_map(|it| [it.to_radians().cos() as f32, it.to_radians().sin() as f32])
            .collect();
        Aligned::new(&frames, 2)
    }

    #[track_caller]
    fn check(one: &[f64], other: &[f64], expected: f64) {
        let found = at(one).distance(&at(other));
        assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
    }

    #[test]
    fn an_angle_is_measured_in_half_turns() {
        check(&[0.0], &[90.0], 0.5);
        check(&[0.0], &[180.0], 1.0);
    }

    #[test]
    fn time_may_be_stretched() {
        check(&[0.0, 90.0], &[0.0, 0.0, 0.0, 90.0], 0.0);
    }

    #[test]
    fn the_sum_is_shared_among_the_places_of_the_path() {
        // Two frames against three: the path has three places, one of them 45 degrees off.
        check(&[0.0, 90.0], &[0.0, 45.0, 90.0], 0.25 / 3.0);
    }

    #[test]
    fn loudness_does_not_matter_and_silence_is_nowhere() {
        assert_eq!(Aligned::new(&[3.0, 0.0], 2).distance(&at(&[0.0])), 0.0);
        assert_eq!(Aligned::new(&[0.0, 0.0], 2).distance(&at(&[7.0])), 0.5);
    }
}
