//! What plain clustering finds in the same counts.

use chiasm_analysis::biclustering::Counts;
use chiasm_analysis::kmeans::KMeans;
use chiasm_core::{Failure, stats};
use chiasm_lab::Bench;
use ndarray::{Array2, Axis};

use super::score::agreement;

/// Bins of the moving average.
const WINDOW: usize = 11;

/// What k-means finds: `(name, agreement of two states with the planted)`, the best of them as labels, and the partition of
/// the neurons into as many groups as were planted.
pub(super) struct Baselines {
    pub states: Vec<(&'static str, f64)>,
    pub best: Vec<usize>,
    pub neurons: Vec<usize>,
}

pub(super) fn baselines(
    counts: &Counts,
    states: &[usize],
    n_clusters: usize,
    bench: &Bench,
) -> Result<Baselines, Failure> {
    let z = features(counts);
    let size = z.mapv(f64::abs);
    let mean = size
        .mean_axis(Axis(1))
        .unwrap_or_default()
        .insert_axis(Axis(1));
    let mut found = Baselines {
        states: vec![],
        best: vec![],
        neurons: vec![],
    };
    let mut best = 0.0;
    let streams = bench.streams().child("baselines");
    for (name, points) in [("z", &z), ("abs_z", &size), ("mean_abs_z", &mean)] {
        let two = KMeans {
            n_clusters: 2,
            ..KMeans::default()
        };
        let labels = two
            .fit(points.view(), &streams.child(name), bench.watch())?
            .labels;
        let agreed = agreement(states, &labels)?;
        if agreed > best {
            best = agreed;
            found.best.clone_from(&labels);
        }
        found.states.push((name, agreed));
    }
    let groups = KMeans {
        n_clusters,
        ..KMeans::default()
    };
    found.neurons = groups
        .fit(z.t(), &streams.child("neurons"), bench.watch())?
        .labels;
    Ok(found)
}

/// `[bin, neuron]`: smoothed counts, their square roots, z-scored by neuron.
fn features(counts: &Counts) -> Array2<f64> {
    let (n, n_bins) = (counts.n_neurons(), counts.n_bins());
    let mut z = Array2::zeros((n_bins, n));
    for i in 0..n {
        let y = counts.of(i);
        let roots: Vec<f64> = (0..n_bins)
            .map(|t| {
                let window = &y[t.saturating_sub(WINDOW / 2)..(t + WINDOW / 2 + 1).min(n_bins)];
                let seen: Vec<f64> = window.iter().copied().filter(|v| !v.is_nan()).collect();
                if seen.is_empty() {
                    0.0
                } else {
                    stats::mean(&seen).sqrt()
                }
            })
            .collect();
        let (mean, sd) = (stats::mean(&roots), stats::sd(&roots, 0));
        for (t, root) in roots.iter().enumerate() {
            z[[t, i]] = if sd > 0.0 { (root - mean) / sd } else { 0.0 };
        }
    }
    z
}
