//! Clusters as the objective sees them: which neurons count for which.

use ndarray::{Array2, ArrayView2};

use super::StimuliError;

/// Clusters of neurons. A neuron may belong to none: then it counts nowhere, as when a cluster is looked at alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// Of each neuron its cluster and its weight in that cluster's mean.
    members: Vec<Option<(usize, f64)>>,
    n_clusters: usize,
}

impl Groups {
    /// Clusters 0, 1, ... from each neuron's label.
    ///
    /// # Errors
    /// If a cluster below the largest label has no neuron.
    pub fn new(labels: &[usize]) -> Result<Self, StimuliError> {
        let n = labels.iter().max().map_or(0, |m| m + 1);
        Self::of(labels.iter().map(|&l| Some(l)), n)
    }

    /// Clusters from labels, some of which are `None`.
    pub(super) fn of(
        labels: impl Iterator<Item = Option<usize>>,
        n_clusters: usize,
    ) -> Result<Self, StimuliError> {
        let labels: Vec<Option<usize>> = labels.collect();
        let mut sizes = vec![0_usize; n_clusters];
        for &label in labels.iter().flatten() {
            match sizes.get_mut(label) {
                Some(size) => *size += 1,
                None => {
                    return Err(StimuliError::NoSuchCluster {
                        cluster: label,
                        n_clusters,
                    });
                }
            }
        }
        if let Some(cluster) = sizes.iter().position(|&s| s == 0) {
            return Err(StimuliError::EmptyCluster {
                cluster,
                n_clusters,
            });
        }
        let member = |label: Option<usize>| label.map(|l| (l, 1.0 / sizes[l] as f64));
        Ok(Self {
            members: labels.into_iter().map(member).collect(),
            n_clusters,
        })
    }

    /// Number of clusters.
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// Number of neurons, those in no cluster among them.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        self.members.len()
    }

    /// Means `[stimulus, cluster]` of scores `[stimulus, neuron]`.
    #[must_use]
    pub fn means(&self, scores: ArrayView2<f64>) -> Array2<f64> {
        let mut means = Array2::zeros((scores.nrows(), self.n_clusters));
        for (row, mut out) in scores.rows().into_iter().zip(means.rows_mut()) {
            for (score, member) in row.iter().zip(&self.members) {
                if let Some((cluster, weight)) = member {
                    out[*cluster] += weight * score;
                }
            }
        }
        means
    }

    /// Weights `[stimulus, neuron]` of scores, from those `[stimulus, cluster]` of means.
    pub(super) fn spread(&self, means: &Array2<f64>) -> Array2<f64> {
        Array2::from_shape_fn((means.nrows(), self.members.len()), |(k, i)| {
            self.members[i].map_or(0.0, |(cluster, weight)| weight * means[[k, cluster]])
        })
    }
}

/// Labels 0, 1, ... in the order of the clusters that are not empty; and which those were.
pub(super) fn contiguous(labels: &mut [usize]) -> Vec<usize> {
    let mut kept: Vec<usize> = labels.to_vec();
    kept.sort_unstable();
    kept.dedup();
    for label in labels {
        *label = kept.binary_search(label).unwrap_or(0);
    }
    kept
}
