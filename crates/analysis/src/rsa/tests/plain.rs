//! The plain versions: short, slow, and obviously the definition. The fast ones must equal them.

use chiasm_core::stats;
use chiasm_data::Rdms;
use ndarray::{Array1, Array2};

use crate::rsa::transform::geo_topological;
use crate::rsa::*;

/// Leave-one-subject-out nearest centroid, every centroid from scratch.
pub(super) fn n_right(vectors: &Array2<f64>, rdms: &Rdms) -> usize {
    let labels = rdms.labels();
    let mut regions: Vec<&str> = labels.iter().map(|l| l.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    (0..labels.len())
        .filter(|&test| {
            let distance = |region: &str| {
                let train: Vec<usize> = (0..labels.len())
                    .filter(|&i| {
                        labels[i].region == region && labels[i].subject != labels[test].subject
                    })
                    .collect();
                let zero = Array1::<f64>::zeros(vectors.ncols());
                let sum = train.iter().fold(zero, |sum, &i| sum + vectors.row(i));
                let centroid = sum / train.len() as f64;
                (&vectors.row(test) - &centroid).mapv(|d| d * d).sum()
            };
            let mut best = (f64::INFINITY, "");
            for region in &regions {
                let d = distance(region);
                if d < best.0 * (1.0 - 1e-12) {
                    best = (d, region);
                }
            }
            best.1 == labels[test].region
        })
        .count()
}

/// The distances of an RDM among the drawn stimuli, with all copies; pairs of a stimulus with itself are dropped.
pub(super) fn resampled(vector: &[f64], drawn: &[usize]) -> Vec<f64> {
    let square = chiasm_data::rdm::square(ndarray::ArrayView1::from(vector));
    let mut out = Vec::new();
    for a in 0..drawn.len() {
        for b in a + 1..drawn.len() {
            if drawn[a] != drawn[b] {
                out.push(square[[drawn[a], drawn[b]]]);
            }
        }
    }
    out
}

/// Ranks and thresholds of a resample carried out in full.
pub(super) fn transformed(vector: &[f64], thresholds: Option<Thresholds>) -> Vec<f64> {
    let mut x = stats::average_ranks(vector);
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let high = x.iter().copied().fold(0.0, f64::max);
    x.iter_mut().for_each(|v| *v = (*v - low) / (high - low));
    match thresholds {
        Some(t) => geo_topological(&x, t),
        None => x,
    }
}
