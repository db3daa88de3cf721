//! Everything a chain is at one time.

use serde::{Deserialize, Serialize};

use super::config::Biclustering;
use super::dense::identity;

/// The linear dynamics of one state: x_t = A x_{t-1} + b + noise of covariance Q.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dynamics {
    /// A, k x k, row by row.
    pub a: Vec<f64>,
    /// b, k.
    pub b: Vec<f64>,
    /// Q, k x k, row by row.
    pub q: Vec<f64>,
}

impl Dynamics {
    /// A random walk of noise variance 0.01: the prior's middle.
    pub(super) fn random_walk(k: usize) -> Self {
        let mut q = identity(k);
        q.iter_mut().for_each(|v| *v *= NOISE);
        Self {
            a: identity(k),
            b: vec![0.0; k],
            q,
        }
    }

    /// The dynamics of these of the `k` coordinates alone, in this order; `None` stands for a new one, which walks at
    /// random by itself.
    pub(super) fn select(&self, k: usize, order: &[Option<usize>]) -> Self {
        let m = order.len();
        let mut new = Self::random_walk(m);
        for (i, from_i) in order.iter().enumerate() {
            let Some(i0) = from_i else { continue };
            new.b[i] = self.b[*i0];
            for (j, from_j) in order.iter().enumerate() {
                let Some(j0) = from_j else { continue };
                new.a[i * m + j] = self.a[i0 * k + j0];
                new.q[i * m + j] = self.q[i0 * k + j0];
            }
        }
        new
    }
}

/// Variance of the noise of latents a priori (S0 = 0.01 I), and of new paths.
pub(super) const NOISE: f64 = 0.01;

/// The state of one chain. Together with the settings, the counts and the chain's random streams it determines all that
/// follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChainState {
    /// Sweeps made.
    pub sweep: usize,
    /// Latent rows of each cluster: p + 1.
    pub(super) rows: usize,
    /// For each neuron the position of its cluster.
    pub clusters: Vec<usize>,
    /// For each cluster its name, stable from sweep to sweep.
    pub names: Vec<usize>,
    /// `[bin, cluster, row]`: mean path and latents of each cluster.
    pub paths: Vec<f64>,
    /// Offset of each neuron's log rate.
    pub offsets: Vec<f64>,
    /// `[neuron, latent]`.
    pub loadings: Vec<f64>,
    /// Dispersion of each neuron.
    pub dispersions: Vec<f64>,
    /// State of each bin: it governs the step from the bin before. The first bin carries the state of the second.
    pub states: Vec<usize>,
    /// Shared weights of the states.
    pub weights: Vec<f64>,
    /// `[from, to]`: transition probabilities.
    pub transitions: Vec<f64>,
    /// Dynamics of each state, over all clusters stacked.
    pub dynamics: Vec<Dynamics>,
    /// Labels and paths that names, signs and order are matched to.
    pub(super) reference: Reference,
    /// Log rates clipped in the last sweep.
    pub clipped: usize,
    /// How often better states were found by a search, in the burn-in.
    pub restarts: usize,
    /// Births in the last sweep.
    pub births: usize,
    /// Proposals of the Poisson model and of dispersions: accepted and made, over all sweeps.
    pub accepted: Acceptance,
}

/// Accepted proposals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Paths (Poisson).
    pub paths: (u64, u64),
    /// Loadings (Poisson).
    pub loadings: (u64, u64),
    /// Dispersions (negative binomial).
    pub dispersions: (u64, u64),
    /// Boundaries between states.
    pub boundaries: (u64, u64),
}

/// What names, signs and order are matched to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Reference {
    /// Names of the neurons' clusters.
    pub labels: Vec<usize>,
    /// `(name, [bin, latent])`.
    pub latents: Vec<(usize, Vec<f64>)>,
}

impl ChainState {
    /// Stacked latent dimensions, k.
    pub(super) fn k(&self) -> usize {
        self.names.len() * self.rows
    }

    /// Latents of a cluster, p.
    pub(super) fn p(&self) -> usize {
        self.rows - 1
    }

    /// How many clusters are open.
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.names.len()
    }

    /// Number of bins.
    pub(super) fn n_bins(&self) -> usize {
        self.states.len()
    }

    /// The loadings of a neuron.
    pub(super) fn loading(&self, neuron: usize) -> &[f64] {
        let p = self.p();
        &self.loadings[neuron * p..(neuron + 1) * p]
    }

    /// The names of the neurons' clusters.
    #[must_use]
    pub fn labels(&self) -> Vec<usize> {
        self.clusters.iter().map(|&c| self.names[c]).collect()
    }

    /// How many neurons each cluster holds.
    pub(super) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n_clusters()];
        self.clusters.iter().for_each(|&c| sizes[c] += 1);
        sizes
    }

    /// How many states are in use, and the share of bins of the most frequent.
    #[must_use]
    pub fn occupancy(&self) -> (usize, f64) {
        let mut held = vec![0usize; self.dynamics.len()];
        self.states.iter().for_each(|&s| held[s] += 1);
        let used = held.iter().filter(|h| **h > 0).count();
        let most = held.iter().max().copied().unwrap_or(0);
        (used, most as f64 / self.n_bins() as f64)
    }

    /// The dispersion that augments a neuron's counts: its own, or that of the proposal of the Poisson model.
    pub(super) fn augmenting(&self, config: &Biclustering, neuron: usize) -> f64 {
        match config.observation {
            super::Observation::NegativeBinomial => self.dispersions[neuron],
            super::Observation::Poisson => config.proposal_dispersion,
        }
    }
}

/// Log rates beyond this overflow nothing but mean nothing: e^30 spikes in a bin.
pub const MAX_LOG_RATE: f64 = 30.0;

/// log NB(y | r, rate) without terms that depend on y and r alone.
pub(super) fn negative_binomial(y: f64, r: f64, eta: f64) -> f64 {
    y * eta - (y + r) * (r + eta.exp()).ln()
}

/// log Poisson(y | rate) without log y!.
pub(super) fn poisson(y: f64, eta: f64) -> f64 {
    y * eta - eta.exp()
}
