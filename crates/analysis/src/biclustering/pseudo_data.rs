//! Pseudo-data: Pólya-Gamma variables turn counts into Gaussian observations of the log rates, and these into evidence about
//! the paths.

use chiasm_core::{Rng, Streams};
use rayon::prelude::*;

use super::state::ChainState;
use crate::polya_gamma;

/// Pseudo-data of every neuron and bin: precision omega and kappa = (y - r) / 2; 0 where missing.
pub(super) struct Augmented {
    pub omega: Vec<f64>,
    pub kappa: Vec<f64>,
}

impl Augmented {
    pub(super) fn new(n_neurons: usize, n_bins: usize) -> Self {
        Self {
            omega: vec![0.0; n_neurons * n_bins],
            kappa: vec![0.0; n_neurons * n_bins],
        }
    }
}

/// Draws omega ~ PG(y + r, eta - log r) for a neuron.
pub(super) fn augment(
    counts: &[f64],
    r: f64,
    eta: &[f64],
    rng: &mut Rng,
    omega: &mut [f64],
    kappa: &mut [f64],
) {
    let ln_r = r.ln();
    for (((y, eta), omega), kappa) in counts.iter().zip(eta).zip(omega).zip(kappa) {
        if y.is_nan() {
            (*omega, *kappa) = (0.0, 0.0);
        } else {
            *omega = polya_gamma::draw(y + r, eta - ln_r, rng);
            *kappa = 0.5 * (y - r);
        }
    }
}

/// Fills the pseudo-data of all neurons, each from its own stream; returns how many log rates were clipped.
pub(super) fn augment_all(
    state: &ChainState,
    counts: &super::Counts,
    dispersion: impl Fn(usize) -> f64 + Sync,
    streams: &Streams,
    data: &mut Augmented,
) -> usize {
    let n_bins = state.n_bins();
    data.omega
        .par_chunks_mut(n_bins)
        .zip(data.kappa.par_chunks_mut(n_bins))
        .enumerate()
        .map_init(
            || vec![0.0; n_bins],
            |eta, (i, (omega, kappa))| {
                let clipped = state.log_rates(i, eta);
                let mut rng = streams.indexed("augment paths", i);
                augment(counts.of(i), dispersion(i), eta, &mut rng, omega, kappa);
                clipped
            },
        )
        .sum()
}

/// Sums over neurons of what pseudo-data say of each bin: J (lower triangle of each cluster's block) and h.
pub(super) struct Evidence {
    pub rows: usize,
    /// The first cluster it is about, and how many.
    pub first: usize,
    pub n_clusters: usize,
    /// `[bin, cluster, row, column]`
    pub j: Vec<f64>,
    /// `[bin, cluster, row]`
    pub h: Vec<f64>,
}

impl Evidence {
    /// The evidence of all neurons.
    pub(super) fn gather(state: &ChainState, data: &Augmented, ln_r: &[f64]) -> Self {
        let (rows, n_clusters, n_bins) = (state.rows, state.n_clusters(), state.n_bins());
        let mut evidence = Self {
            rows,
            first: 0,
            n_clusters,
            j: vec![0.0; n_bins * n_clusters * rows * rows],
            h: vec![0.0; n_bins * n_clusters * rows],
        };
        for i in 0..state.clusters.len() {
            evidence.add(state, data, ln_r, i, 1.0);
        }
        evidence
    }

    /// Adds the evidence of a neuron, times `sign`.
    fn add(&mut self, state: &ChainState, data: &Augmented, ln_r: &[f64], i: usize, sign: f64) {
        let (rows, n_bins, c) = (self.rows, state.n_bins(), state.clusters[i] - self.first);
        let (jw, hw) = (self.n_clusters * rows * rows, self.n_clusters * rows);
        let mut design = vec![1.0; rows];
        design[1..].copy_from_slice(state.loading(i));
        let shift = ln_r[i] - state.offsets[i];
        let of = i * n_bins..(i + 1) * n_bins;
        for (t, (omega, kappa)) in data.omega[of.clone()]
            .iter()
            .zip(&data.kappa[of])
            .enumerate()
        {
            let (omega, pseudo) = (sign * omega, sign * (kappa + omega * shift));
            let j = &mut self.j[t * jw + c * rows * rows..][..rows * rows];
            let h = &mut self.h[t * hw + c * rows..][..rows];
            for a in 0..rows {
                h[a] += pseudo * design[a];
                let f = omega * design[a];
                for b in 0..=a {
                    j[a * rows + b] += f * design[b];
                }
            }
        }
    }

    /// The evidence about the cluster of one neuron, without that neuron.
    pub(super) fn without(
        &self,
        state: &ChainState,
        data: &Augmented,
        ln_r: &[f64],
        neuron: usize,
    ) -> Self {
        let (rows, c) = (self.rows, state.clusters[neuron]);
        let of_cluster = |all: &[f64], width: usize| -> Vec<f64> {
            all.chunks_exact(self.n_clusters * width)
                .flat_map(|bin| &bin[(c - self.first) * width..(c - self.first + 1) * width])
                .copied()
                .collect()
        };
        let mut rest = Self {
            rows,
            first: c,
            n_clusters: 1,
            j: of_cluster(&self.j, rows * rows),
            h: of_cluster(&self.h, rows),
        };
        rest.add(state, data, ln_r, neuron, -1.0);
        rest
    }
}
