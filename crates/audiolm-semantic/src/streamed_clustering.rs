//! Clusters of more features than memory holds.

use audiolm_nn::Generator;
use audiolm_nn::kmeans::{self, BatchReport, MiniBatch, Tally};
use burn::module::Param;
use burn::prelude::*;

use crate::clustering::{Normalisation, constant};
use crate::{Clustering, ClusteringConfig};

/// A [`Clustering`] that is being fitted to batches of features, by mini-batch k-means.
///
/// Mean and deviation of each feature are those of a first sample, and stay: centroids would lose
/// their meaning if the units changed under them, and a first pass over everything would cost as
/// much as the fit. The module is the whole state of the fit.
#[derive(Module, Debug)]
pub struct StreamedClustering {
    /// `[n_features]`
    mean: Param<Tensor<1>>,
    /// `[n_features]`
    deviation: Param<Tensor<1>>,
    /// Of normalised features.
    kmeans: MiniBatch,
}

impl ClusteringConfig {
    /// A fit of no meaning, to be filled from a saved one.
    pub fn init_streamed(&self, device: &Device) -> StreamedClustering {
        let Self { n_clusters, n_features } = *self;
        StreamedClustering {
            mean: constant(Tensor::zeros([n_features], device)),
            deviation: constant(Tensor::ones([n_features], device)),
            kmeans: MiniBatch::from_centroids(Tensor::zeros([n_clusters, n_features], device)),
        }
    }
}

impl StreamedClustering {
    /// Takes mean, deviation and seeds from a first sample, `[n, n_features]`.
    ///
    /// # Panics
    /// Where there are fewer points than clusters.
    pub fn begin(sample: Tensor<2>, n_clusters: usize, rng: &mut Generator) -> Self {
        let Normalisation { mean, deviation, points } = Normalisation::of(sample);
        Self {
            mean: constant(mean),
            deviation: constant(deviation),
            kmeans: MiniBatch::seeded(&points, n_clusters, rng),
        }
    }

    /// Learns from a batch of features, `[n, n_features]`.
    pub fn step(&mut self, features: Tensor<2>, rng: &mut Generator) -> BatchReport {
        self.kmeans.step(&self.normalised(features), rng)
    }

    /// How well the clusters stand for features, `[n, n_features]`, of which nothing is learnt.
    pub fn tally(&self, features: Tensor<2>) -> Tally {
        kmeans::tally(self.normalised(features), &self.kmeans.centroids())
    }

    /// The clusters as they are by now.
    pub fn clustering(&self) -> Clustering {
        let normalisation = (self.mean.val(), self.deviation.val());
        Clustering::from_centroids(self.kmeans.centroids()).with_normalisation(normalisation)
    }

    fn normalised(&self, features: Tensor<2>) -> Tensor<2> {
        (features - self.mean.val().unsqueeze()) / self.deviation.val().unsqueeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;

    /// Three groups, the units of whose features differ.
    fn features(n: usize) -> Tensor<2> {
        let values = (0..n).flat_map(|it| {
            let (group, jitter) = ((it % 3) as f32, (it % 7) as f32 * 0.01);
            [100.0 * (group + jitter), 0.01 * (group * group - jitter)]
        });
        Tensor::from_data(TensorData::new(values.collect(), [n, 2]), &Device::default())
    }

    #[test]
    fn groups_are_found_in_any_units() {
        let mut fit = StreamedClustering::begin(features(60), 3, &mut generator(0, "k-means", 0));
        for step in 0..5 {
            fit.step(features(90), &mut generator(0, "k-means step", step));
        }
        let ids = fit.clustering().assign(features(30).unsqueeze());
        let ids: Vec<u32> = ids.try_into_vec_as().unwrap();
        assert!((0..30).all(|it| ids[it] == ids[it % 3]), "{ids:?}");
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        let tally = fit.tally(features(30));
        assert_eq!(tally.usage(), 1.0);
        assert!(tally.inertia() < 0.01);
    }
}
