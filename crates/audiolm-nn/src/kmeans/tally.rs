//! How well centroids stand for points, over as many batches as there are.

use burn::prelude::*;

/// Points counted by their nearest centroid, and how far they are from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    squared_distance: f64,
    counts: Vec<f64>,
}

impl Tally {
    /// Of no points at all.
    pub fn empty(n_clusters: usize) -> Self {
        Self { squared_distance: 0.0, counts: vec![0.0; n_clusters] }
    }

    /// From points of each cluster `[n_clusters]` and a squared distance of each point `[n]`, by one
    /// read from the device.
    pub(super) fn read(hits: Tensor<1>, squared_distance: Tensor<1>) -> Self {
        let mut values = floats(Tensor::cat(vec![hits, squared_distance.sum()], 0));
        let squared_distance = values.pop().map_or(0.0, f64::from);
        Self { squared_distance, counts: values.into_iter().map(f64::from).collect() }
    }

    /// The points of both.
    ///
    /// # Panics
    /// Where they are of other numbers of clusters.
    pub fn plus(self, other: &Self) -> Self {
        assert_eq!(self.counts.len(), other.counts.len(), "tallies of other clusterings");
        let counts = self.counts.iter().zip(&other.counts).map(|(one, more)| one + more);
        Self {
            squared_distance: self.squared_distance + other.squared_distance,
            counts: counts.collect(),
        }
    }

    /// The mean squared distance of a point to its centroid; zero where there are none.
    pub fn inertia(&self) -> f64 {
        self.squared_distance / self.n_points().max(1.0)
    }

    /// The share of clusters that have points.
    pub fn usage(&self) -> f64 {
        let used = self.counts.iter().filter(|it| **it > 0.0).count();
        used as f64 / self.counts.len() as f64
    }

    /// How many clusters of equally many points would have the entropy of these.
    pub fn perplexity(&self) -> f64 {
        let shares = self.counts.iter().filter(|it| **it > 0.0).map(|it| it / self.n_points());
        (-shares.map(|it| it * it.ln()).sum::<f64>()).exp()
    }

    fn n_points(&self) -> f64 {
        self.counts.iter().sum()
    }
}

/// The values of a tensor, read from its device.
pub(super) fn floats(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("distances and counts are read as f32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(counts: &[f64], squared_distance: f64) -> Tally {
        Tally { squared_distance, counts: counts.to_vec() }
    }

    #[test]
    fn batches_add_up() {
        let both = tally(&[2.0, 0.0, 0.0], 4.0).plus(&tally(&[0.0, 0.0, 2.0], 2.0));
        assert_eq!(both, tally(&[2.0, 0.0, 2.0], 6.0));
        assert_eq!(both.inertia(), 1.5);
        assert_eq!(both.usage(), 2.0 / 3.0);
        assert!((both.perplexity() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn no_points_are_no_trouble() {
        let none = Tally::empty(3);
        assert_eq!((none.inertia(), none.usage()), (0.0, 0.0));
    }
}
