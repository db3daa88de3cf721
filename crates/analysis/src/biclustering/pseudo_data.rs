//! Pseudo-data: Pólya-Gamma variables turn counts into Gaussian observations of the log rates, and these into evidence about
//! the paths.

use chiasm_core::{Rng, Streams, vectorized};
use rayon::prelude::*;

use super::state::ChainState;
use crate::polya_gamma::{MANY, Shape, Tilts};

/// Pseudo-data of every neuron and bin: precision omega and kappa = (y - r) / 2; 0 where missing.
#[derive(Clone)]
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
    /// Counts below this are so frequent that what their draws need is kept.
    const KEPT: usize = 16;
    let mut kept: [Option<Shape>; KEPT] = [const { None }; KEPT];
    let ln_r = r.ln();
    let chunks = counts.chunks(MANY).zip(eta.chunks(MANY));
    for ((y, eta), (omega, kappa)) in chunks.zip(omega.chunks_mut(MANY).zip(kappa.chunks_mut(MANY)))
    {
        let mut c = [0.0; MANY];
        for (c, eta) in c.iter_mut().zip(eta) {
            *c = eta - ln_r;
        }
        let tilts = Tilts::new(c);
        for (i, ((y, omega), kappa)) in y.iter().zip(omega).zip(kappa).enumerate() {
            if y.is_nan() {
                (*omega, *kappa) = (0.0, 0.0);
                continue;
            }
            *omega = match kept.get_mut(*y as usize) {
                Some(shape) => shape
                    .get_or_insert_with(|| Shape::new(y + r))
                    .draw_at(&tilts, i, rng),
                None => Shape::new(y + r).draw_at(&tilts, i, rng),
            };
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
    let (n_bins, columns) = (state.n_bins(), state.columns());
    data.omega
        .par_chunks_mut(n_bins)
        .zip(data.kappa.par_chunks_mut(n_bins))
        .enumerate()
        .map_init(
            || vec![0.0; n_bins],
            |eta, (i, (omega, kappa))| {
                let clipped = state.log_rates(&columns, i, eta);
                let mut rng = streams.indexed("augment paths", i);
                augment(counts.of(i), dispersion(i), eta, &mut rng, omega, kappa);
                clipped
            },
        )
        .sum()
}

/// Sums over neurons of what pseudo-data say of each bin: J (each cluster's block) and h.
pub(super) struct Evidence {
    pub rows: usize,
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
            n_clusters,
            j: vec![0.0; n_bins * n_clusters * rows * rows],
            h: vec![0.0; n_bins * n_clusters * rows],
        };
        // [row, column, bin], lower triangle, and [row, bin] of one cluster at a time: stretches of bins fill vector registers.
        let mut j = vec![0.0; rows * rows * n_bins];
        let mut h = vec![0.0; rows * n_bins];
        for c in 0..n_clusters {
            j.fill(0.0);
            h.fill(0.0);
            vectorized(
                #[inline(always)]
                || {
                    for (i, own) in state.clusters.iter().enumerate() {
                        if *own == c {
                            add(state, data, ln_r, i, &mut j, &mut h);
                        }
                    }
                },
            );
            for a in 0..rows {
                for (t, h) in h[a * n_bins..(a + 1) * n_bins].iter().enumerate() {
                    evidence.h[(t * n_clusters + c) * rows + a] = *h;
                }
                for b in 0..=a {
                    let at = (a * rows + b) * n_bins;
                    for (t, j) in j[at..at + n_bins].iter().enumerate() {
                        let block = (t * n_clusters + c) * rows * rows;
                        evidence.j[block + a * rows + b] = *j;
                        evidence.j[block + b * rows + a] = *j;
                    }
                }
            }
        }
        evidence
    }
}

/// Adds the evidence of a neuron to `j` (`[row, column, bin]`, lower triangle) and `h` (`[row, bin]`).
#[inline(always)]
fn add(state: &ChainState, data: &Augmented, ln_r: &[f64], i: usize, j: &mut [f64], h: &mut [f64]) {
    let (rows, n_bins) = (state.rows, state.n_bins());
    let design = |a: usize| {
        if a == 0 { 1.0 } else { state.loading(i)[a - 1] }
    };
    let shift = ln_r[i] - state.offsets[i];
    let omega = &data.omega[i * n_bins..(i + 1) * n_bins];
    let kappa = &data.kappa[i * n_bins..(i + 1) * n_bins];
    for (a, h) in h.chunks_exact_mut(n_bins).enumerate() {
        let own = design(a);
        for ((h, w), kappa) in h.iter_mut().zip(omega).zip(kappa) {
            *h = w.mul_add(shift, *kappa).mul_add(own, *h);
        }
        for (b, j) in j[a * rows * n_bins..]
            .chunks_exact_mut(n_bins)
            .enumerate()
            .take(a + 1)
        {
            let both = own * design(b);
            for (j, w) in j.iter_mut().zip(omega) {
                *j = w.mul_add(both, *j);
            }
        }
    }
}
