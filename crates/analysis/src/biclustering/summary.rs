//! What kept draws say together: who goes with whom, one partition that stands for all, latents with bands, and whether the
//! chains can be trusted.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::chain::{Chain, Draw, Trace};
use super::project::of_cluster;
use super::{Biclustering, BiclusteringError};
use crate::mcmc::{effective_sample_size, hpd, r_hat};
use crate::partition::{PointPartition, max_pear, posterior_similarity, relabel};

/// What the kept draws of all chains say.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// `[neuron, neuron]`: posterior probability of sharing a cluster.
    pub neuron_similarity: Array2<f64>,
    /// `[bin, bin]`: posterior probability of sharing a state.
    pub bin_similarity: Array2<f64>,
    /// The partition of the neurons that stands for all (maxPEAR).
    pub neurons: PointPartition,
    /// The partition of the bins that stands for all (maxPEAR).
    pub bins: PointPartition,
    /// Posterior of the number of clusters, ascending.
    pub cluster_counts: Vec<(usize, f64)>,
    /// Posterior of the number of states in use, ascending.
    pub state_counts: Vec<(usize, f64)>,
    /// Paths of each cluster of the point partition.
    pub latents: Vec<ClusterLatents>,
    /// Posterior mean of each neuron's dispersion.
    pub dispersions: Vec<f64>,
    /// Diagnostics of the traces after the burn-in.
    pub mixing: Vec<Mixing>,
    /// Log rates clipped in kept sweeps, in all chains.
    pub clipped: usize,
    /// How often a search found better states, in the burn-in of all chains.
    pub restarts: usize,
    /// Draws in all.
    pub n_draws: usize,
}

/// Posterior of the paths of one cluster of the point partition.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterLatents {
    /// Its label in the point partition.
    pub label: usize,
    /// Draws that have a cluster matched to it.
    pub n_draws: usize,
    /// `[row, bin]`: posterior mean; the first row is the mean path, the others are latents matched in order and sign.
    pub mean: Array2<f64>,
    /// `[row, bin]`: lower end of the 95% highest posterior density.
    pub low: Array2<f64>,
    /// `[row, bin]`: its upper end.
    pub high: Array2<f64>,
}

/// How well one trace has mixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mixing {
    /// The trace.
    pub name: &'static str,
    /// Split R-hat; `None` where the trace never changes.
    pub r_hat: Option<f64>,
    /// Effective sample size; `None` where the trace never changes.
    pub effective: Option<f64>,
}

impl Summary {
    /// The most frequent number of clusters; of equals the smallest.
    #[must_use]
    pub fn modal_clusters(&self) -> usize {
        mode(&self.cluster_counts)
    }

    /// The most frequent number of states in use; of equals the smallest.
    #[must_use]
    pub fn modal_states(&self) -> usize {
        mode(&self.state_counts)
    }
}

fn mode(counts: &[(usize, f64)]) -> usize {
    let mut best = (0, 0.0);
    for &(n, share) in counts {
        if share > best.1 {
            best = (n, share);
        }
    }
    best.0
}

impl Biclustering {
    /// What the kept draws of these chains say together.
    ///
    /// # Errors
    /// [`BiclusteringError::FewDraws`] where nothing was kept; chains of different shapes.
    pub fn summarize(&self, chains: &[Chain]) -> Result<Summary, BiclusteringError> {
        let draws: Vec<&Draw> = chains.iter().flat_map(|c| &c.draws).collect();
        let first = draws.first().ok_or(BiclusteringError::FewDraws {
            expected: 1,
            found: 0,
        })?;
        let wide = |x: &[u16]| x.iter().map(|v| usize::from(*v)).collect::<Vec<usize>>();
        let labels: Vec<Vec<usize>> = draws.iter().map(|d| wide(&d.labels)).collect();
        let states: Vec<Vec<usize>> = draws.iter().map(|d| wide(&d.states)).collect();
        let other = |what, expected| {
            move |_| BiclusteringError::Shape {
                what,
                expected,
                found: 0,
            }
        };
        let (n, n_bins) = (first.labels.len(), first.states.len());
        let stands = |drawn: &[Vec<usize>], what, expected| {
            let views: Vec<&[usize]> = drawn.iter().map(Vec::as_slice).collect();
            let similarity = posterior_similarity(&views).map_err(other(what, expected))?;
            let point = max_pear(&similarity, &views, 20).map_err(other(what, expected))?;
            Ok::<_, BiclusteringError>((similarity, point))
        };
        let (neuron_similarity, neurons) = stands(&labels, "neurons of a draw", n)?;
        let (bin_similarity, bins) = stands(&states, "bins of a draw", n_bins)?;
        let dispersions = (0..n)
            .map(|i| {
                draws
                    .iter()
                    .map(|d| f64::from(d.dispersions[i]))
                    .sum::<f64>()
                    / draws.len() as f64
            })
            .collect();
        let latents = latents(&draws, &labels, &neurons.labels, self.latents + 1, n_bins);
        let kept = |c: &Chain| -> usize {
            c.trace
                .iter()
                .skip(self.burn_in)
                .map(|t| t.clipped as usize)
                .sum()
        };
        Ok(Summary {
            cluster_counts: shares(labels.iter().map(|l| distinct(l))),
            state_counts: shares(states.iter().map(|s| distinct(s))),
            neuron_similarity,
            bin_similarity,
            neurons,
            bins,
            latents,
            dispersions,
            mixing: self.mixing(chains),
            clipped: chains.iter().map(kept).sum(),
            restarts: chains.iter().map(|c| c.state.restarts).sum(),
            n_draws: draws.len(),
        })
    }

    fn mixing(&self, chains: &[Chain]) -> Vec<Mixing> {
        type Value = fn(&Trace) -> f64;
        let of: [(&'static str, Value); 6] = [
            ("clusters", |t| f64::from(t.clusters)),
            ("states", |t| f64::from(t.states)),
            ("mean path norm", |t| t.mean_norm),
            ("latent norm", |t| t.latent_norm),
            ("log dispersion", |t| t.ln_dispersion),
            ("log likelihood", |t| t.ln_likelihood),
        ];
        of.into_iter()
            .map(|(name, value)| {
                let after = |c: &Chain| c.trace.iter().skip(self.burn_in).map(value).collect();
                let traces: Vec<Vec<f64>> = chains.iter().map(after).collect();
                let views: Vec<&[f64]> = traces.iter().map(Vec::as_slice).collect();
                Mixing {
                    name,
                    r_hat: r_hat(&views),
                    effective: effective_sample_size(&views),
                }
            })
            .collect()
    }

    /// Mean log predictive probability of each held-out count, over the draws of all chains.
    ///
    /// # Errors
    /// [`BiclusteringError::FewDraws`] where nothing was kept or nothing was held out.
    pub fn predictive(&self, chains: &[Chain]) -> Result<Vec<f64>, BiclusteringError> {
        let n_draws: usize = chains.iter().map(|c| c.draws.len()).sum();
        let held = chains.iter().map(|c| c.predicted.len()).min().unwrap_or(0);
        if n_draws == 0 || held == 0 {
            return Err(BiclusteringError::FewDraws {
                expected: 1,
                found: n_draws.min(held),
            });
        }
        let of = |h: usize| {
            let most = chains
                .iter()
                .map(|c| c.predicted[h])
                .fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = chains.iter().map(|c| (c.predicted[h] - most).exp()).sum();
            most + sum.ln() - (n_draws as f64).ln()
        };
        Ok((0..held).map(of).collect())
    }
}

fn distinct(labels: &[usize]) -> usize {
    labels
        .iter()
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

fn shares(counts: impl ExactSizeIterator<Item = usize>) -> Vec<(usize, f64)> {
    let all = counts.len() as f64;
    let mut by = BTreeMap::new();
    counts.for_each(|n| *by.entry(n).or_insert(0.0) += 1.0 / all);
    by.into_iter().collect()
}

/// Paths of the clusters of the point partition: those of each draw whose cluster is matched to it by overlap, in order and
/// sign of their running mean, twice over.
fn latents(
    draws: &[&Draw],
    labels: &[Vec<usize>],
    point: &[usize],
    rows: usize,
    n_bins: usize,
) -> Vec<ClusterLatents> {
    let n_clusters = distinct(point);
    let mut paths: Vec<Vec<Vec<f64>>> = vec![vec![]; n_clusters];
    for (draw, own) in draws.iter().zip(labels) {
        let Ok(matched) = relabel(point, own) else {
            continue;
        };
        let mut seen = std::collections::BTreeSet::new();
        for (name, to) in draw.labels.iter().zip(&matched) {
            if *to < n_clusters
                && seen.insert(*name)
                && let Some((_, path)) = draw.paths.iter().find(|(n, _)| n == name)
            {
                paths[*to].push(path.iter().map(|v| f64::from(*v)).collect());
            }
        }
    }
    paths
        .into_iter()
        .enumerate()
        .filter(|(_, drawn)| !drawn.is_empty())
        .map(|(label, mut drawn)| {
            let mut pivot = drawn[0].clone();
            for _ in 0..2 {
                for path in &mut drawn {
                    match_to(&pivot, path, rows);
                }
                let n = drawn.len() as f64;
                pivot = (0..pivot.len())
                    .map(|q| drawn.iter().map(|d| d[q]).sum::<f64>() / n)
                    .collect();
            }
            let mut values = vec![0.0; drawn.len()];
            let band = |q: usize, values: &mut Vec<f64>| {
                values.iter_mut().zip(&drawn).for_each(|(v, d)| *v = d[q]);
                hpd(values, 0.95).unwrap_or((f64::NAN, f64::NAN))
            };
            let bands: Vec<(f64, f64)> = (0..pivot.len()).map(|q| band(q, &mut values)).collect();
            let shape = (rows, n_bins);
            ClusterLatents {
                label,
                n_draws: drawn.len(),
                mean: Array2::from_shape_fn(shape, |(r, t)| pivot[t * rows + r]),
                low: Array2::from_shape_fn(shape, |(r, t)| bands[t * rows + r].0),
                high: Array2::from_shape_fn(shape, |(r, t)| bands[t * rows + r].1),
            }
        })
        .collect()
}

/// Orders and signs the latents of `path` (`[bin, row]`) as those of `pivot`, by the greatest products first.
fn match_to(pivot: &[f64], path: &mut [f64], rows: usize) {
    let p = rows - 1;
    let mut cross = vec![0.0; p * p];
    for (a, b) in pivot.chunks_exact(rows).zip(path.chunks_exact(rows)) {
        for i in 0..p {
            for j in 0..p {
                cross[i * p + j] += a[1 + i] * b[1 + j];
            }
        }
    }
    let mut order = vec![(0, 1.0); p];
    let (mut free_row, mut free_column) = (vec![true; p], vec![true; p]);
    for _ in 0..p {
        let mut best = (0, 0, -1.0f64);
        for i in (0..p).filter(|&i| free_row[i]) {
            for j in (0..p).filter(|&j| free_column[j]) {
                if cross[i * p + j].abs() > best.2 {
                    best = (i, j, cross[i * p + j].abs());
                }
            }
        }
        let (i, j, _) = best;
        free_row[i] = false;
        free_column[j] = false;
        order[i] = (j, if cross[i * p + j] < 0.0 { -1.0 } else { 1.0 });
    }
    let mut old = vec![0.0; p];
    for x in path.chunks_exact_mut(rows) {
        old.copy_from_slice(&x[1..]);
        for (v, (j, sign)) in x[1..].iter_mut().zip(&order) {
            *v = sign * old[*j];
        }
    }
}

/// The identified form of a path `[bin, row]` by itself: rows centered, latents (all rows but the first) orthogonal over the
/// bins, by descending variance. What planted paths are compared in.
///
/// # Errors
/// [`BiclusteringError::Shape`] where the path is empty or no whole number of bins.
pub fn identified(path: &[f64], rows: usize) -> Result<Vec<f64>, BiclusteringError> {
    if rows < 2 || path.is_empty() || !path.len().is_multiple_of(rows) {
        return Err(BiclusteringError::Shape {
            what: "a path, in bins of so many rows",
            expected: rows,
            found: path.len(),
        });
    }
    let n_bins = path.len() / rows;
    let mut out = path.to_vec();
    for row in 0..rows {
        let mean = of_cluster(path, rows, row, 1).iter().sum::<f64>() / n_bins as f64;
        out.iter_mut()
            .skip(row)
            .step_by(rows)
            .for_each(|v| *v -= mean);
    }
    let p = rows - 1;
    let turn = super::project::rotation(&of_cluster(&out, rows, 1, p), p, None);
    for x in out.chunks_exact_mut(rows) {
        super::project::rotate(&turn, &mut x[1..]);
    }
    Ok(out)
}
