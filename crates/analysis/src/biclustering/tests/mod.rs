//! Tests of the sampler: its steps against closed forms, the kernel against the prior, planted truth.

use chiasm_core::Streams;
use ndarray::Array2;
use rand_distr::{Distribution, Gamma, Poisson, StandardNormal};

use super::*;

mod geweke;
mod left_out;
mod recovery;
mod refusals;
mod steps;

fn normal(rng: &mut chiasm_core::Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A negative-binomial count of this mean and dispersion.
fn negative_binomial(mean: f64, r: f64, rng: &mut chiasm_core::Rng) -> f64 {
    let rate: f64 = Gamma::new(r, mean / r).unwrap().sample(rng);
    if rate > 0.0 {
        Poisson::new(rate).unwrap().sample(rng)
    } else {
        0.0
    }
}

/// Negative binomial counts of three clusters that switch between rest and rotation; the clusters and the states.
fn switching(cluster_size: usize, n_bins: usize, seed: u64) -> (Counts, Vec<usize>, Vec<usize>) {
    planted(cluster_size, n_bins, Some(10.0), seed)
}

fn planted(
    cluster_size: usize,
    n_bins: usize,
    dispersion: Option<f64>,
    seed: u64,
) -> (Counts, Vec<usize>, Vec<usize>) {
    let config = chiasm_data::generate::ClusteredCounts {
        cluster_size,
        n_bins,
        dispersion,
        ..Default::default()
    };
    let (recording, truth) =
        chiasm_data::generate::clustered_counts(&config, &Streams::new(seed)).unwrap();
    let values = recording.traces().unwrap().values.t().mapv(f64::from);
    (
        Counts::new(values.view()).unwrap(),
        truth.clusters,
        truth.states,
    )
}
