//! An RDM in a resample: distinct pairs with the number of their copies.

use chiasm_data::Rdms;
use ndarray::ArrayView1;
use rayon::prelude::*;

use super::Duplicates;
use crate::rsa::RsaError;
use crate::rsa::geodesic::{Geodesic, ZeroEdges, nearest, shortest_paths};
use crate::rsa::transform::{Thresholds, Transform, clip};

/// For each RDM, its pairs from the smallest distance to the largest.
pub(super) fn orders(rdms: &Rdms) -> Vec<Vec<u32>> {
    (0..rdms.len())
        .into_par_iter()
        .map(|i| {
            let row = rdms.vector(i);
            let mut order: Vec<u32> = (0..row.len() as u32).collect();
            order.sort_by(|&a, &b| row[a as usize].total_cmp(&row[b as usize]));
            order
        })
        .collect()
}

/// A draw of stimuli, as distinct pairs.
pub(super) struct Resample {
    /// Positions in the full vector of the pairs of two different drawn stimuli.
    pairs: Vec<usize>,
    /// The position among `pairs` of each pair of the full vector; `u32::MAX` where it was not drawn.
    position: Vec<u32>,
    /// Copies of each pair; at the end those of a stimulus with itself, if they are imputed.
    weights: Vec<f64>,
    /// Number of distinct stimuli.
    n_distinct: usize,
    imputed: bool,
}

impl Resample {
    pub(super) fn new(counts: &[u32], duplicates: Duplicates) -> Self {
        let n = counts.len();
        let full = chiasm_data::rdm::n_pairs(n);
        let (mut pairs, mut position) = (Vec::new(), vec![u32::MAX; full]);
        let mut weights = Vec::new();
        let mut pair = 0;
        for i in 0..n {
            for j in i + 1..n {
                let copies = counts[i] * counts[j];
                if copies > 0 {
                    position[pair] = pairs.len() as u32;
                    pairs.push(pair);
                    weights.push(f64::from(copies));
                }
                pair += 1;
            }
        }
        let own: u32 = counts.iter().map(|&c| c * c.saturating_sub(1) / 2).sum();
        let imputed = duplicates == Duplicates::Impute && own > 0;
        if imputed {
            weights.push(f64::from(own));
        }
        Self {
            pairs,
            position,
            weights,
            n_distinct: counts.iter().filter(|&&c| c > 0).count(),
            imputed,
        }
    }

    /// Copies of each pair.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }
}

/// One RDM in a resample.
pub(super) struct WeightedRow {
    raw: Vec<f64>,
    /// Ranks scaled to [0, 1], in the order of the pairs; all 0 where the RDM is flat.
    ranks: Vec<f64>,
    sorted: Sorted,
    flat: bool,
}

/// Values in ascending order and the number of copies up to and including each.
struct Sorted {
    values: Vec<f64>,
    copies: Vec<f64>,
}

impl Sorted {
    /// The quantile of the list in which each value stands as often as it has copies: at position (M - 1) q.
    fn quantile(&self, q: f64) -> f64 {
        let total = self.copies.last().copied().unwrap_or(0.0);
        let position = (total - 1.0) * q;
        let low = position.floor();
        let at = |index: f64| {
            let i = self.copies.partition_point(|&c| c <= index);
            self.values[i.min(self.values.len() - 1)]
        };
        let fraction = position - low;
        let value = at(low);
        if fraction > 0.0 {
            value + fraction * (at(low + 1.0) - value)
        } else {
            value
        }
    }
}

/// Average ranks of `values`, which come in ascending order at the positions `order`, each with its copies.
fn weighted_ranks(values: &[f64], order: &[u32], weights: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let (mut start, mut before) = (0, 0.0);
    while start < order.len() {
        let value = values[order[start] as usize];
        let (mut end, mut copies) = (start, 0.0);
        while end < order.len() && values[order[end] as usize] == value {
            copies += weights[order[end] as usize];
            end += 1;
        }
        for &i in &order[start..end] {
            ranks[i as usize] = before + (copies + 1.0) / 2.0;
        }
        before += copies;
        start = end;
    }
    ranks
}

impl WeightedRow {
    pub(super) fn new(full: ArrayView1<'_, f64>, order: &[u32], resample: &Resample) -> Self {
        let mut raw: Vec<f64> = resample.pairs.iter().map(|&p| full[p]).collect();
        let weights = &resample.weights;
        let mut own: Vec<u32> = order
            .iter()
            .map(|&p| resample.position[p as usize])
            .filter(|&p| p != u32::MAX)
            .collect();
        if resample.imputed {
            let copies: f64 = weights[..raw.len()].iter().sum();
            let sum: f64 = raw.iter().zip(weights).map(|(v, w)| v * w).sum();
            let mean = sum / copies;
            let at = own.partition_point(|&p| raw[p as usize] < mean);
            own.insert(at, raw.len() as u32);
            raw.push(mean);
        }
        let mut ranks = weighted_ranks(&raw, &own, weights);
        let lowest = ranks[own[0] as usize];
        let highest = ranks[own[own.len() - 1] as usize];
        let flat = highest <= lowest;
        for r in &mut ranks {
            *r = if flat {
                0.0
            } else {
                (*r - lowest) / (highest - lowest)
            };
        }
        let mut total = 0.0;
        let running = |&p: &u32| {
            total += weights[p as usize];
            total
        };
        let copies = own.iter().map(running).collect();
        let values = own.iter().map(|&p| ranks[p as usize]).collect();
        Self {
            raw,
            ranks,
            sorted: Sorted { values, copies },
            flat,
        }
    }

    pub(super) fn is_flat(&self) -> bool {
        self.flat
    }

    /// Writes the transform of this row into `out`; false where all geodesics came out equal (or none is left).
    pub(super) fn transform(
        &self,
        transform: &Transform,
        resample: &Resample,
        out: &mut Vec<f64>,
    ) -> Result<bool, RsaError> {
        out.clear();
        match *transform {
            Transform::Raw => out.extend_from_slice(&self.raw),
            Transform::Rank => out.extend_from_slice(&self.ranks),
            Transform::GeoTopological(t) => self.clipped(t, out),
            Transform::Sigmoid { alpha, beta } => {
                out.extend(
                    self.ranks
                        .iter()
                        .map(|x| 1.0 / (1.0 + (-alpha * (x - beta)).exp())),
                );
            }
            Transform::Geodesic(geodesic, zeros) => {
                return self.geodesic(geodesic, zeros, resample, out);
            }
        }
        Ok(true)
    }

    fn clipped(&self, t: Thresholds, out: &mut Vec<f64>) {
        out.extend_from_slice(&self.ranks);
        clip(
            out,
            self.sorted.quantile(t.l()),
            self.sorted.quantile(t.u()),
        );
    }

    /// Copies of a stimulus lie at one place, so that the graph is that of the distinct stimuli.
    fn geodesic(
        &self,
        geodesic: Geodesic,
        zeros: ZeroEdges,
        resample: &Resample,
        out: &mut Vec<f64>,
    ) -> Result<bool, RsaError> {
        let n = resample.n_distinct;
        let cut = |x: f64, keep: bool| if keep { x } else { f64::INFINITY };
        let mut edges: Vec<f64> = match geodesic {
            Geodesic::TwoStep(t) => {
                self.clipped(t, out);
                out.iter().map(|&g| cut(g, g < 1.0)).collect()
            }
            Geodesic::PShortest(p) => {
                let at = self.sorted.quantile(p);
                self.ranks.iter().map(|&x| cut(x, x <= at)).collect()
            }
            Geodesic::KNearest(k) => nearest(self.ranks.clone(), n, k.min(n - 1))?,
            Geodesic::PNearest(p) => {
                let k = (p * n as f64).floor() as usize;
                nearest(self.ranks.clone(), n, k.clamp(1, n - 1))?
            }
        };
        if zeros == ZeroEdges::Missing {
            edges
                .iter_mut()
                .filter(|e| **e == 0.0)
                .for_each(|e| *e = f64::INFINITY);
        }
        let mut paths = shortest_paths(&edges, n);
        let largest = paths
            .iter()
            .copied()
            .filter(|p| p.is_finite())
            .fold(0.0, f64::max);
        paths
            .iter_mut()
            .filter(|p| p.is_infinite())
            .for_each(|p| *p = largest);
        let mut order: Vec<u32> = (0..paths.len() as u32).collect();
        order.sort_by(|&a, &b| paths[a as usize].total_cmp(&paths[b as usize]));
        let total: f64 = resample.weights.iter().sum();
        let ranks = weighted_ranks(&paths, &order, &resample.weights);
        out.clear();
        out.extend(ranks.iter().map(|r| r / total));
        Ok(paths[order[0] as usize] < paths[order[order.len() - 1] as usize])
    }
}
