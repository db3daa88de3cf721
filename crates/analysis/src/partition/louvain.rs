//! Louvain's method: greedy weighted modularity (Blondel et al. 2008), the baseline of community detection.

use chiasm_core::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::level::{Level, not_negative};
use super::{PartitionError, by_appearance};
use crate::connectome::block_model::WeightedGraph;

/// Louvain's method.
///
/// ```
/// use chiasm_analysis::connectome::block_model::WeightedGraph;
/// use chiasm_analysis::partition::Louvain;
/// use chiasm_core::Streams;
/// let triangles = [(0, 1, 1.), (1, 2, 1.), (0, 2, 1.), (2, 3, 1.), (3, 4, 1.), (4, 5, 1.), (3, 5, 1.)];
/// let graph = WeightedGraph::from_edges(6, &triangles)?;
/// let fit = Louvain::default().fit(&graph, &mut Streams::new(1).stream("louvain"))?;
/// assert_eq!(fit.labels, [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), chiasm_core::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Louvain {
    /// Weight of the null model: larger values make smaller communities.
    pub resolution: f64,
    /// A pass that gains less modularity than this is the last.
    pub least_gain: f64,
}

impl Default for Louvain {
    /// networkx's and cdlib's defaults.
    fn default() -> Self {
        Self {
            resolution: 1.0,
            least_gain: 1e-7,
        }
    }
}

/// A partition found by Louvain's method.
#[derive(Debug, Clone, PartialEq)]
pub struct LouvainFit {
    /// One label for each node, from 0 in order of first appearance.
    pub labels: Vec<usize>,
    /// Its modularity.
    pub modularity: f64,
}

/// Weighted modularity of a partition: `sum_r [w_r / W - resolution (s_r / 2 W)^2]` with the weight `w_r` inside block
/// `r`, its summed strength `s_r` and the total weight `W`; at most 1, 0 for a single block at resolution 1.
///
/// # Errors
/// Where the number of labels is not that of the nodes, or a weight is negative.
pub fn modularity(
    graph: &WeightedGraph,
    labels: &[usize],
    resolution: f64,
) -> Result<f64, PartitionError> {
    check(graph, resolution)?;
    if labels.len() != graph.n_nodes() {
        return Err(PartitionError::Length {
            expected: graph.n_nodes(),
            found: labels.len(),
        });
    }
    let ranks = super::ranks(labels);
    let mut inside = vec![0.0; ranks.len()];
    let mut strength = vec![0.0; ranks.len()];
    let mut total = 0.0;
    for (a, b, w) in graph.edges() {
        let (r, s) = (ranks[&labels[a]], ranks[&labels[b]]);
        strength[r] += w;
        strength[s] += w;
        total += w;
        if r == s {
            inside[r] += w;
        }
    }
    if total <= 0.0 {
        return Ok(0.0);
    }
    Ok(inside
        .iter()
        .zip(&strength)
        .map(|(w, s)| w / total - resolution * (s / (2.0 * total)).powi(2))
        .sum())
}

fn check(graph: &WeightedGraph, resolution: f64) -> Result<(), PartitionError> {
    if !(resolution.is_finite() && resolution >= 0.0) {
        return Err(PartitionError::Resolution);
    }
    not_negative(graph)
}

impl Louvain {
    /// Finds a partition of high modularity; the order in which nodes are visited comes from `rng`.
    ///
    /// # Errors
    /// Where a weight is negative or the resolution is out of range.
    pub fn fit(&self, graph: &WeightedGraph, rng: &mut Rng) -> Result<LouvainFit, PartitionError> {
        check(graph, self.resolution)?;
        let mut level = Level::new(graph);
        let mut labels: Vec<usize> = (0..graph.n_nodes()).collect();
        let mut best = modularity(graph, &labels, self.resolution)?;
        loop {
            let (of, n) = self.pass(&level, rng);
            let next: Vec<usize> = labels.iter().map(|&l| of[l]).collect();
            let gained = modularity(graph, &next, self.resolution)?;
            if gained - best <= self.least_gain {
                break;
            }
            best = gained;
            labels = next;
            level = level.condense(&of, n);
        }
        Ok(LouvainFit {
            labels: by_appearance(&labels),
            modularity: best,
        })
    }

    /// Moves single nodes to the neighbouring community of largest gain until none gains.
    fn pass(&self, level: &Level, rng: &mut Rng) -> (Vec<usize>, usize) {
        let n = level.rows.len();
        let strength: Vec<f64> = (0..n)
            .map(|i| level.own[i] + level.rows[i].iter().map(|e| e.1).sum::<f64>())
            .collect();
        let twice_total: f64 = strength.iter().sum();
        let mut of: Vec<usize> = (0..n).collect();
        let mut sums = strength.clone();
        let mut order = of.clone();
        let mut to = vec![0.0; n];
        let mut touched: Vec<usize> = Vec::new();
        order.shuffle(rng);
        let mut moved = twice_total > 0.0;
        while moved {
            moved = false;
            for &i in &order {
                for &(j, w) in &level.rows[i] {
                    if to[of[j]] == 0.0 {
                        touched.push(of[j]);
                    }
                    to[of[j]] += w;
                }
                let own = of[i];
                sums[own] -= strength[i];
                let gain =
                    |c: usize, to: f64| to - self.resolution * sums[c] * strength[i] / twice_total;
                let mut best = (gain(own, to[own]), own);
                for &c in &touched {
                    let g = gain(c, to[c]);
                    if g > best.0 + 1e-12 * twice_total {
                        best = (g, c);
                    }
                }
                for c in touched.drain(..) {
                    to[c] = 0.0;
                }
                sums[best.1] += strength[i];
                if best.1 != own {
                    of[i] = best.1;
                    moved = true;
                }
            }
        }
        let ranks = super::ranks(&of);
        for c in &mut of {
            *c = ranks[c];
        }
        (of, ranks.len())
    }
}
