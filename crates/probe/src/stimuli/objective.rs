//! How well a stimulus drives one cluster and no other.

use ndarray::{Array2, ArrayView2};

use super::{Groups, StimuliError};

/// The objective of cluster c (paper's eq. 1): J = m_c / T - ln[(1/K) sum_k exp(m_k / T)], where m_k is the mean z-scored
/// score of cluster k and T the temperature. It is at most ln K, and 0 if all clusters are driven alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// Temperature T, in z-scores (released code: 1.6).
    pub temperature: f64,
}

impl Default for Objective {
    fn default() -> Self {
        Self { temperature: 1.6 }
    }
}

/// Slope of J along each cluster's mean, taken apart: J' = `factor * direction`. The factor is the chance that another
/// cluster wins: it vanishes where J is at its bound, the direction does not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slope {
    /// 1 / T for the cluster itself, -q_k / T for the others, q their softmax.
    pub(super) direction: Vec<f64>,
    pub(super) factor: f64,
}

impl Objective {
    /// J of cluster `on`, given the mean score of each cluster compared. Never overflows.
    ///
    /// # Errors
    /// If `on` is none of them.
    pub fn value(&self, means: &[f64], on: usize) -> Result<f64, StimuliError> {
        if on >= means.len() {
            return Err(StimuliError::NoSuchCluster {
                cluster: on,
                n_clusters: means.len(),
            });
        }
        Ok(self.of(means, on))
    }

    /// J of cluster `on` from the scores of each cluster's neurons, compared with those in `off` alone: every other
    /// cluster is ignored.
    ///
    /// # Errors
    /// If a cluster does not exist or has no neuron.
    pub fn of_scores(
        &self,
        scores: &[Vec<f64>],
        on: usize,
        off: &[usize],
    ) -> Result<f64, StimuliError> {
        let mut means = Vec::with_capacity(off.len() + 1);
        for &cluster in std::iter::once(&on).chain(off.iter().filter(|&&c| c != on)) {
            let own = scores.get(cluster).ok_or(StimuliError::NoSuchCluster {
                cluster,
                n_clusters: scores.len(),
            })?;
            if own.is_empty() {
                return Err(StimuliError::EmptyCluster {
                    cluster,
                    n_clusters: scores.len(),
                });
            }
            means.push(chiasm_core::stats::mean(own));
        }
        Ok(self.of(&means, 0))
    }

    /// J of stimulus k for cluster k, from scores `[cluster, neuron]`.
    ///
    /// # Errors
    /// If there are not as many stimuli as clusters, or not a score of each neuron.
    pub fn values(
        &self,
        scores: ArrayView2<f64>,
        groups: &Groups,
    ) -> Result<Vec<f64>, StimuliError> {
        let expected = (groups.n_clusters(), groups.n_neurons());
        if scores.dim() != expected {
            return Err(StimuliError::Shape {
                what: "scores",
                expected: format!("{expected:?}, [cluster, neuron]"),
                found: format!("{:?}", scores.shape()),
            });
        }
        let means = groups.means(scores);
        Ok((0..groups.n_clusters())
            .map(|k| self.of(&means.row(k).to_vec(), k))
            .collect())
    }

    pub(super) fn of(&self, means: &[f64], on: usize) -> f64 {
        let t = self.temperature;
        let most = means.iter().fold(f64::NEG_INFINITY, |a, &m| a.max(m)) / t;
        let sum: f64 = means.iter().map(|m| (m / t - most).exp()).sum();
        means[on] / t - most - sum.ln() + (means.len() as f64).ln()
    }

    /// The slope of J at these means.
    pub(super) fn slope(&self, means: &[f64], on: usize) -> Slope {
        let t = self.temperature;
        let others = || means.iter().enumerate().filter(|(k, _)| *k != on);
        let most = others().fold(f64::NEG_INFINITY, |a, (_, &m)| a.max(m));
        let sum: f64 = others().map(|(_, m)| ((m - most) / t).exp()).sum();
        if sum == 0.0 {
            // A cluster alone: J is 0 whatever the stimulus.
            return Slope {
                direction: vec![0.0; means.len()],
                factor: 0.0,
            };
        }
        let share = |k: usize| ((means[k] - most) / t).exp() / sum;
        let direction = (0..means.len())
            .map(|k| if k == on { 1.0 } else { -share(k) } / t)
            .collect();
        // Others over all, by the log of their ratio.
        let log_odds = (means[on] - most) / t - sum.ln();
        Slope {
            direction,
            factor: 1.0 / (1.0 + log_odds.exp()),
        }
    }

    /// J and its slope for stimulus k and cluster `on[k]`.
    pub(super) fn all(&self, means: &Array2<f64>, on: &[usize]) -> Vec<(f64, Slope)> {
        means
            .rows()
            .into_iter()
            .zip(on)
            .map(|(row, &on)| {
                let row = row.to_vec();
                (self.of(&row, on), self.slope(&row, on))
            })
            .collect()
    }
}
