//! Communities of great asymptotic surprise (Traag, Aldecoa and Delvenne 2015), a baseline of community detection.

use chiasm_core::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::level::{Level, not_negative};
use super::{PartitionError, by_appearance};
use crate::connectome::block_model::WeightedGraph;

/// Greedy search, as Louvain's, for a partition whose communities hold more weight than their numbers of pairs let
/// expect.
///
/// ```
/// use chiasm_analysis::connectome::block_model::WeightedGraph;
/// use chiasm_analysis::partition::Surprise;
/// use chiasm_core::Streams;
/// let triangles = [(0, 1, 1.), (1, 2, 1.), (0, 2, 1.), (2, 3, 1.), (3, 4, 1.), (4, 5, 1.), (3, 5, 1.)];
/// let graph = WeightedGraph::from_edges(6, &triangles)?;
/// let fit = Surprise::default().fit(&graph, &mut Streams::new(1).stream("surprise"))?;
/// assert_eq!(fit.labels, [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), chiasm_core::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surprise {
    /// Random orders of visits, of which the best result stands.
    pub starts: usize,
    /// A pass that gains less surprise than this is the last.
    pub least_gain: f64,
}

impl Default for Surprise {
    fn default() -> Self {
        Self {
            starts: 5,
            least_gain: 1e-9,
        }
    }
}

/// A partition found by its surprise.
#[derive(Debug, Clone, PartialEq)]
pub struct SurpriseFit {
    /// One label for each node, from 0 in order of first appearance.
    pub labels: Vec<usize>,
    /// Its asymptotic surprise, in nats.
    pub surprise: f64,
}

/// Asymptotic surprise of a partition: `W D(q | p)` nats, with the total weight `W`, its share `q` inside communities, the
/// share `p` of pairs of nodes that lie inside them, and the divergence `D` of two coins; 0 for a graph without weight.
///
/// # Errors
/// Where the number of labels is not that of the nodes, or a weight is negative.
pub fn surprise(graph: &WeightedGraph, labels: &[usize]) -> Result<f64, PartitionError> {
    not_negative(graph)?;
    if labels.len() != graph.n_nodes() {
        return Err(PartitionError::Length {
            expected: graph.n_nodes(),
            found: labels.len(),
        });
    }
    let ranks = super::ranks(labels);
    let mut size = vec![0; ranks.len()];
    for l in labels {
        size[ranks[l]] += 1;
    }
    let mut state = Totals::of(graph);
    state.inside = graph
        .edges()
        .filter(|(a, b, _)| labels[*a] == labels[*b])
        .map(|e| e.2)
        .sum();
    state.pairs_inside = size.iter().map(|&s| pairs(s)).sum();
    Ok(state.surprise())
}

fn pairs(n: usize) -> f64 {
    n as f64 * (n as f64 - 1.0) / 2.0
}

/// All that surprise depends on.
#[derive(Clone, Copy)]
struct Totals {
    weight: f64,
    pairs: f64,
    inside: f64,
    pairs_inside: f64,
}

impl Totals {
    /// Of every node on its own.
    fn of(graph: &WeightedGraph) -> Self {
        Self {
            weight: graph.edges().map(|e| e.2).sum(),
            pairs: pairs(graph.n_nodes()),
            inside: 0.0,
            pairs_inside: 0.0,
        }
    }

    fn surprise(&self) -> f64 {
        if self.weight <= 0.0 || self.pairs <= 0.0 {
            return 0.0;
        }
        let (q, p) = (self.inside / self.weight, self.pairs_inside / self.pairs);
        // Rounding may leave a little less than nothing.
        let term = |q: f64, p: f64| if q > 1e-15 { q * (q / p).ln() } else { 0.0 };
        self.weight * (term(q, p) + term(1.0 - q, 1.0 - p))
    }

    fn with(mut self, inside: f64, pairs: f64) -> Self {
        self.inside += inside;
        self.pairs_inside += pairs;
        self
    }
}

impl Surprise {
    /// Finds a partition of great surprise; the orders in which nodes are visited come from `rng`.
    ///
    /// # Errors
    /// Where a weight is negative.
    pub fn fit(&self, graph: &WeightedGraph, rng: &mut Rng) -> Result<SurpriseFit, PartitionError> {
        not_negative(graph)?;
        let nodes = Level::new(graph);
        let mut best = self.start(graph, &nodes, rng)?;
        for _ in 1..self.starts {
            let other = self.start(graph, &nodes, rng)?;
            if other.surprise > best.surprise {
                best = other;
            }
        }
        Ok(best)
    }

    fn start(
        &self,
        graph: &WeightedGraph,
        nodes: &Level,
        rng: &mut Rng,
    ) -> Result<SurpriseFit, PartitionError> {
        let mut totals = Totals::of(graph);
        let mut labels: Vec<usize> = (0..graph.n_nodes()).collect();
        let mut best = totals.surprise();
        // Single nodes move again once their communities have been joined, as with Leiden's method.
        loop {
            let mut next = labels.clone();
            let mut n = pass(nodes, &mut next, &mut totals, rng);
            let mut level = nodes.condense(&next, n);
            loop {
                let mut of: Vec<usize> = (0..n).collect();
                let fewer = pass(&level, &mut of, &mut totals, rng);
                if fewer == n {
                    break;
                }
                next.iter_mut().for_each(|l| *l = of[*l]);
                level = level.condense(&of, fewer);
                n = fewer;
            }
            let gained = surprise(graph, &next)?;
            if gained - best <= self.least_gain {
                break;
            }
            best = gained;
            labels = next;
        }
        Ok(SurpriseFit {
            labels: by_appearance(&labels),
            surprise: best,
        })
    }
}

/// Moves single nodes from the communities they are in to the neighbouring or a new community of largest gain until none
/// gains; returns how many communities there are then, numbered without gaps.
fn pass(level: &Level, of: &mut [usize], totals: &mut Totals, rng: &mut Rng) -> usize {
    let n = level.rows.len();
    let mut size = vec![0; n];
    for (&c, v) in of.iter().zip(&level.size) {
        size[c] += v;
    }
    let mut empty: Vec<usize> = (0..n).filter(|&c| size[c] == 0).collect();
    let mut order: Vec<usize> = (0..n).collect();
    let mut to = vec![0.0; n];
    let mut touched: Vec<usize> = Vec::new();
    order.shuffle(rng);
    let least = 1e-12 * totals.weight;
    let mut moved = totals.weight > 0.0;
    while moved {
        moved = false;
        for &i in &order {
            for &(j, w) in &level.rows[i] {
                if to[of[j]] == 0.0 {
                    touched.push(of[j]);
                }
                to[of[j]] += w;
            }
            let (own, v) = (of[i], level.size[i]);
            size[own] -= v;
            let apart = totals.with(-to[own], -((v * size[own]) as f64));
            let joined = |c: usize, to: f64| apart.with(to, (v * size[c]) as f64);
            let mut best = (totals.surprise() + least, own, *totals);
            let alone = empty.last().filter(|_| size[own] > 0);
            for &c in touched.iter().filter(|&&c| c != own).chain(alone) {
                let found = joined(c, to[c]);
                if found.surprise() > best.0 {
                    best = (found.surprise(), c, found);
                }
            }
            for c in touched.drain(..) {
                to[c] = 0.0;
            }
            if best.1 != own {
                if empty.last() == Some(&best.1) {
                    empty.pop();
                }
                if size[own] == 0 {
                    empty.push(own);
                }
                of[i] = best.1;
                *totals = best.2;
                moved = true;
            }
            size[of[i]] += v;
        }
    }
    let ranks = super::ranks(of);
    for c in of {
        *c = ranks[c];
    }
    ranks.len()
}
