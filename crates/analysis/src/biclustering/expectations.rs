//! What a sweep computes before it draws: figures by which another implementation can be compared exactly.

use super::assign::target;
use super::laplace::laplace;
use super::latents::{Information, Space, draw_paths};
use super::likelihood::Regressors;
use super::project::of_cluster;
use super::pseudo_data::{Augmented, Evidence};
use super::states::step_densities;
use super::{Biclustering, BiclusteringError, ChainState, Counts};
use crate::polya_gamma;

/// The deterministic parts of one sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectations {
    /// `[bin, cluster, row]`: conditional mean of the paths, with the Pólya-Gamma variables at their means.
    pub paths: Vec<f64>,
    /// Log density of each step of the present path under its state, first step first.
    pub steps: Vec<f64>,
    /// `[neuron, cluster]`: log marginal likelihood of each neuron on each cluster's path (Laplace), without terms of the
    /// counts and the dispersion alone.
    pub marginals: Vec<f64>,
}

impl Biclustering {
    /// The deterministic parts of the sweep that would start from this state.
    ///
    /// # Errors
    /// Counts of another shape; a matrix that is not positive definite.
    pub fn expectations(
        &self,
        counts: &Counts,
        state: &ChainState,
    ) -> Result<Expectations, BiclusteringError> {
        let (n, n_bins, k) = (state.clusters.len(), state.n_bins(), state.k());
        if counts.n_neurons() != n || counts.n_bins() != n_bins {
            let found = counts.n_neurons() * counts.n_bins();
            return Err(BiclusteringError::Shape {
                what: "counts",
                expected: n * n_bins,
                found,
            });
        }
        let broken = |quantity| BiclusteringError::BrokenDown {
            chain: 0,
            sweep: state.sweep,
            quantity,
        };
        let mut data = Augmented::new(n, n_bins);
        let (columns, mut eta) = (state.columns(), vec![0.0; n_bins]);
        let r: Vec<f64> = (0..n).map(|i| state.augmenting(self, i)).collect();
        for (i, &r) in r.iter().enumerate() {
            state.log_rates(&columns, i, &mut eta);
            for (t, (y, eta)) in counts.of(i).iter().zip(&eta).enumerate() {
                if !y.is_nan() {
                    data.omega[i * n_bins + t] = polya_gamma::mean(y + r, eta - r.ln());
                    data.kappa[i * n_bins + t] = 0.5 * (y - r);
                }
            }
        }
        let ln_r: Vec<f64> = r.iter().map(|r| r.ln()).collect();
        let information: Option<Vec<Information>> = state
            .dynamics
            .iter()
            .map(|d| Information::of(d, k))
            .collect();
        let information = information.ok_or(broken("a covariance of the dynamics"))?;
        let evidence = Evidence::gather(state, &data, &ln_r);
        let mut mean = state.clone();
        let all = 0..state.n_clusters();
        draw_paths(
            &mut mean,
            &information,
            &evidence,
            all,
            None,
            &mut Space::default(),
        )
        .ok_or(broken("the precision of the paths"))?;
        let densities = step_densities(&state.paths, &state.dynamics, k)
            .ok_or(broken("a density of the dynamics"))?;
        let mut marginals = Vec::with_capacity(n * state.n_clusters());
        let paths: Vec<Regressors> = (0..state.n_clusters())
            .map(|c| of_cluster(&state.paths, k, c * state.rows, state.rows))
            .map(|path| Regressors::scaled(self, &path, state.rows))
            .collect();
        for i in 0..n {
            for path in &paths {
                let fit = laplace(target(self, counts, state, i), path, None);
                marginals.push(
                    fit.ok_or(broken("the likelihood of a cluster"))?
                        .ln_marginal,
                );
            }
        }
        Ok(Expectations {
            paths: mean.paths,
            steps: (0..n_bins - 1)
                .map(|t| densities[[t, state.states[t + 1]]])
                .collect(),
            marginals,
        })
    }
}
