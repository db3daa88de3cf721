//! Where chains start: which neurons are together, and the best of several starts.

use chiasm_core::{Quiet, Streams, Watch, stats};
use ndarray::Array2;
use rayon::prelude::*;

use super::config::Start;
use super::sweep::Sweeper;
use super::{Biclustering, BiclusteringError, Chain, ClusterPrior, Counts};
use crate::kmeans::KMeans;
use crate::partition::by_appearance;

/// Bins of the moving average over counts.
const WINDOW: usize = 11;

/// The clusters of the neurons at the start of a chain.
pub(super) fn clusters(config: &Biclustering, counts: &Counts, streams: &Streams) -> Vec<usize> {
    let n = counts.n_neurons();
    let most = match config.cluster_prior {
        ClusterPrior::Fixed => config.max_clusters.min(config.clusters),
        _ => config.max_clusters,
    };
    // Some three neurons in each, so that none stands alone for want of room.
    let n_clusters = most.min(n.div_ceil(3));
    if config.start == Start::One || n_clusters < 2 {
        return vec![0; n];
    }
    let mut points = Array2::zeros((n, counts.n_bins()));
    for i in 0..n {
        for (to, from) in points.row_mut(i).iter_mut().zip(smoothed(counts.of(i))) {
            *to = from;
        }
    }
    let method = KMeans {
        n_clusters,
        n_starts: 1,
        ..KMeans::default()
    };
    // Neurons all alike are in one cluster for want of anything better.
    match method.fit(points.view(), &streams.child("start clusters"), &Quiet) {
        Ok(found) => by_appearance(&found.labels),
        Err(_) => vec![0; n],
    }
}

/// Square roots of smoothed counts, z-scored; 0 throughout where they do not vary.
fn smoothed(y: &[f64]) -> Vec<f64> {
    let window = |t: usize| {
        let (from, to) = (
            t.saturating_sub(WINDOW / 2),
            (t + WINDOW / 2 + 1).min(y.len()),
        );
        let seen: Vec<f64> = y[from..to]
            .iter()
            .copied()
            .filter(|v| !v.is_nan())
            .collect();
        (!seen.is_empty()).then(|| stats::mean(&seen).sqrt())
    };
    let roots: Vec<Option<f64>> = (0..y.len()).map(window).collect();
    let seen: Vec<f64> = roots.iter().copied().flatten().collect();
    let (mean, sd) = (stats::mean(&seen), stats::sd(&seen, 0));
    roots
        .into_iter()
        .map(|root| root.filter(|_| sd > 0.0).map_or(0.0, |r| (r - mean) / sd))
        .collect()
}

/// Sweeps at the end of the settling over which a start is judged.
const JUDGED: usize = 5;

impl Biclustering {
    /// The best of several starts, settled.
    pub(super) fn best_start(
        &self,
        counts: &Counts,
        index: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Chain, BiclusteringError> {
        let settled: Vec<(f64, Chain)> = (0..self.starts)
            .into_par_iter()
            .map(|start| {
                let own = streams.child(&format!("start {start}"));
                let mut sweeper = Sweeper::new(self, counts);
                let state = sweeper.start(&own);
                let mut chain = Chain {
                    index,
                    state,
                    trace: vec![],
                    draws: vec![],
                    predicted: vec![],
                };
                let mut score = 0.0;
                for sweep in 0..self.n_settling() {
                    watch.check()?;
                    chain.step(&mut sweeper, &own)?;
                    if sweep + JUDGED >= self.n_settling() {
                        let streams = own.child(&format!("judged {sweep}"));
                        let broken = || chain.broken("the likelihood of a neuron");
                        score += sweeper
                            .foretold(&chain.state, &streams)
                            .ok_or_else(broken)?;
                    }
                }
                Ok((score, chain))
            })
            .collect::<Result<_, BiclusteringError>>()?;
        watch.tick(self.n_settling() as u64);
        // Of equals the first, on any number of threads.
        let best = settled
            .into_iter()
            .reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|b| b.1).ok_or(BiclusteringError::FewDraws {
            expected: 1,
            found: 0,
        })
    }
}
