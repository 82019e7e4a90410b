//! From features to cluster ids.

use audiolm_nn::{Generator, kmeans};
use burn::module::Param;
use burn::prelude::*;

/// Keeps a feature that never changes from being divided by its deviation.
const SMALLEST_DEVIATION: f64 = 1e-4;

/// Shape of a [`Clustering`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct ClusteringConfig {
    /// Clusters: K in the papers.
    pub n_clusters: usize,
    /// Features of a frame.
    pub n_features: usize,
}

/// K-means over features that were first brought to zero mean and unit variance, each by itself,
/// which AudioLM (Borsos et al. 2022, arXiv 2209.03143) found to make better tokens.
#[derive(Module, Debug)]
pub struct Clustering {
    /// `[n_features]`
    mean: Param<Tensor<1>>,
    /// `[n_features]`
    deviation: Param<Tensor<1>>,
    /// In normalised features: `[n_clusters, n_features]`
    centroids: Param<Tensor<2>>,
}

impl ClusteringConfig {
    /// Centroids at zero, to be filled from a file.
    pub fn init(&self, device: &Device) -> Clustering {
        Clustering::from_centroids(Tensor::zeros([self.n_clusters, self.n_features], device))
    }
}

impl Clustering {
    /// Fits `n_clusters` centroids to `points`, `[n, n_features]`.
    ///
    /// # Panics
    /// Where there are fewer points than clusters.
    pub fn fit(
        points: Tensor<2>,
        n_clusters: usize,
        n_iterations: usize,
        rng: &mut Generator,
    ) -> Self {
        let Normalisation { mean, deviation, points } = Normalisation::of(points);
        Self::from_centroids(kmeans::fit(points, n_clusters, n_iterations, rng))
            .with_normalisation((mean, deviation))
    }

    /// With the mean and the deviation of each feature, `[n_features]` each.
    pub(crate) fn with_normalisation(self, (mean, deviation): (Tensor<1>, Tensor<1>)) -> Self {
        Self { mean: constant(mean), deviation: constant(deviation), ..self }
    }

    /// Centroids `[n_clusters, n_features]` of features that are taken as they are, as k-means
    /// models are published for HuBERT.
    pub fn from_centroids(centroids: Tensor<2>) -> Self {
        let [_, n_features] = centroids.dims();
        let device = centroids.device();
        Self {
            mean: constant(Tensor::zeros([n_features], &device)),
            deviation: constant(Tensor::ones([n_features], &device)),
            centroids: constant(centroids),
        }
    }

    /// The nearest cluster of each frame.
    ///
    /// # Shapes
    /// - features: `[batch, time, n_features]`
    /// - output: `[batch, time]`
    pub fn assign(&self, features: Tensor<3>) -> Tensor<2, Int> {
        let [batch, time, n_features] = features.dims();
        let points = self.normalised(features).reshape([batch * time, n_features]);
        kmeans::assign(points, &self.centroids.val()).reshape([batch, time])
    }

    /// The features as they are compared with the centroids, each by itself of zero mean and unit
    /// variance.
    ///
    /// # Shapes
    /// - features and output: `[batch, time, n_features]`
    pub fn normalised(&self, features: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = features.dims();
        assert_shape!(features, [batch, time, self.n_features()]);
        (features - self.mean.val().unsqueeze()) / self.deviation.val().unsqueeze()
    }

    /// The centroid in place of each frame, normalised: what its token stands for.
    ///
    /// # Shapes
    /// - features and output: `[batch, time, n_features]`
    pub fn quantized(&self, features: Tensor<3>) -> Tensor<3> {
        let [batch, time, n_features] = features.dims();
        let ids = self.assign(features).reshape([batch * time]);
        self.centroids.val().select(0, ids).reshape([batch, time, n_features])
    }

    /// The centroids in the units of the features they were fitted to: `[n_clusters, n_features]`.
    pub fn centroids(&self) -> Tensor<2> {
        self.centroids.val() * self.deviation.val().unsqueeze() + self.mean.val().unsqueeze()
    }

    /// Clusters.
    pub fn n_clusters(&self) -> usize {
        self.centroids.dims()[0]
    }

    pub(crate) fn device(&self) -> Device {
        self.centroids.val().device()
    }

    /// Features of a frame.
    pub fn n_features(&self) -> usize {
        self.centroids.dims()[1]
    }
}

/// Points brought to zero mean and unit variance in each feature by itself.
pub(crate) struct Normalisation {
    /// `[n_features]`
    pub(crate) mean: Tensor<1>,
    /// `[n_features]`
    pub(crate) deviation: Tensor<1>,
    /// `[n, n_features]`
    pub(crate) points: Tensor<2>,
}

impl Normalisation {
    pub(crate) fn of(points: Tensor<2>) -> Self {
        let mean = points.clone().mean_dim(0);
        let centered = points - mean.clone();
        let deviation = centered.clone().square().mean_dim(0).sqrt().clamp_min(SMALLEST_DEVIATION);
        let points = centered / deviation.clone();
        Self { mean: mean.squeeze_dim(0), deviation: deviation.squeeze_dim(0), points }
    }
}

/// A tensor that is saved with the module and never trained.
pub(crate) fn constant<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(value.detach()).set_require_grad(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_nn::generator;

    fn ids(points: Tensor<2>) -> Vec<u32> {
        let fitted = Clustering::fit(points.clone(), 3, 20, &mut generator(0, "k-means", 0));
        fitted.assign(points.unsqueeze()).try_into_vec_as().unwrap()
    }

    #[test]
    fn the_units_of_a_feature_do_not_matter() {
        let device = Device::default();
        let values: Vec<f32> = (0..64).map(|it| (it * it % 37) as f32).collect();
        let points = Tensor::<2>::from_data(TensorData::new(values, [32, 2]), &device);
        let units = Tensor::<2>::from_floats([[1024.0, 0.125]], &device);
        assert_eq!(ids(points.clone()), ids(points * units));
    }

    #[test]
    fn a_constant_feature_does_no_harm() {
        let points =
            Tensor::<2>::from_floats([[1.0, 7.0], [2.0, 7.0], [8.0, 7.0]], &Device::default());
        let fitted = Clustering::fit(points, 2, 5, &mut generator(0, "k-means", 0));
        assert!(!fitted.centroids().contains_nan().into_scalar::<bool>());
    }
}
