//! Clusters that scikit-learn has fitted.

use std::collections::BTreeMap;
use std::path::Path;

use audiolm_nn::WeightReader;
use audiolm_pickle::{Fault, JoblibFile, PickleError};
use burn::prelude::*;

use crate::{Clustering, SemanticError};

/// What the centers are called in errors.
const CENTERS: &str = "cluster_centers_";

impl Clustering {
    /// Reads the `KMeans` or `MiniBatchKMeans` of scikit-learn that joblib has saved, as k-means
    /// models are published for HuBERT. Nothing in the file is run.
    ///
    /// # Errors
    /// Where the file cannot be read, is damaged, or holds something else.
    pub fn load_joblib(path: &Path, device: &Device) -> Result<Self, SemanticError> {
        let centers = JoblibFile::open(path)?.cluster_centers()?;
        let &[n_clusters, n_features] = centers.shape() else {
            let found = format!("{:?}", centers.shape());
            let fault = Fault::Unexpected { expected: "centers of two axes".to_owned(), found };
            return Err(PickleError { path: path.to_owned(), fault }.into());
        };
        let arrays = BTreeMap::from([(CENTERS.to_owned(), centers)]);
        let mut reader = WeightReader::of_arrays(path, arrays, device);
        let centroids = reader.take(CENTERS, [n_clusters, n_features]);
        reader.finish()?;
        Ok(Self::from_centroids(centroids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::{Reference, fixture};

    #[test]
    fn clusters_of_joblib_are_those_of_scikit_learn() {
        let path = fixture("kmeans/kmeans.joblib");
        let clustering = Clustering::load_joblib(&path, &Device::default()).unwrap();
        assert_eq!((clustering.n_clusters(), clustering.n_features()), (40, 48));
        let reference = Reference::read("kmeans/reference.safetensors");
        let ids = clustering.assign(reference.floats::<2>("input.features").unsqueeze());
        let ids = ids.try_into_vec_as::<i64>().unwrap();
        assert_eq!(ids, reference.integers("output.cluster_ids"));
    }

    #[test]
    fn what_is_no_clustering_is_named() {
        let path = fixture("fairseq/wavlm.pt");
        let error = Clustering::load_joblib(&path, &Device::default()).unwrap_err().to_string();
        assert!(error.contains("wavlm.pt: expected a file of joblib"), "{error}");
    }
}
