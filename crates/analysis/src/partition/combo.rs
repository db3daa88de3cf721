//! Combo (Sobolevsky, Campari, Belyi and Ratti 2014): modularity by moving any part of a community at once, a baseline of
//! community detection.

use chiasm_core::Rng;
use ndarray::Array2;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::level::not_negative;
use super::louvain::modularity;
use super::{LouvainFit, PartitionError, by_appearance};
use crate::connectome::block_model::WeightedGraph;

/// Combo: in each step that part of a community which gains most moves to another one or to a new one, so that
/// communities are merged, split and recombined. Holds a matrix of nodes by nodes.
///
/// ```
/// use chiasm_analysis::connectome::block_model::WeightedGraph;
/// use chiasm_analysis::partition::Combo;
/// use chiasm_core::Streams;
/// let triangles = [(0, 1, 1.), (1, 2, 1.), (0, 2, 1.), (2, 3, 1.), (3, 4, 1.), (4, 5, 1.), (3, 5, 1.)];
/// let graph = WeightedGraph::from_edges(6, &triangles)?;
/// let fit = Combo::default().fit(&graph, &mut Streams::new(1).stream("combo"))?;
/// assert_eq!(fit.labels, [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), chiasm_core::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Combo {
    /// Weight of the null model: larger values make smaller communities.
    pub resolution: f64,
    /// Random parts from which the best part to move is sought, besides nothing and the whole community.
    pub attempts: usize,
    /// A step that gains less modularity than this is the last.
    pub least_gain: f64,
}

impl Default for Combo {
    fn default() -> Self {
        Self {
            resolution: 1.0,
            attempts: 2,
            least_gain: 1e-6,
        }
    }
}

/// The part of one community that gains most by a move to another.
#[derive(Clone, Default)]
struct Move {
    gain: f64,
    nodes: Vec<usize>,
}

impl Combo {
    /// Finds a partition of high modularity.
    ///
    /// # Errors
    /// Where a weight is negative or the resolution is out of range.
    pub fn fit(&self, graph: &WeightedGraph, rng: &mut Rng) -> Result<LouvainFit, PartitionError> {
        if !(self.resolution.is_finite() && self.resolution >= 0.0) {
            return Err(PartitionError::Resolution);
        }
        not_negative(graph)?;
        let n = graph.n_nodes();
        let excess = excess(graph, self.resolution);
        // The last community is always empty: a move there makes a new one.
        let mut communities: Vec<Vec<usize>> = vec![(0..n).collect(), Vec::new()];
        let mut moves = vec![vec![Move::default(); 2]; 2];
        let mut changed = vec![0, 1];
        loop {
            let k = communities.len();
            for a in 0..k {
                for b in 0..k {
                    if a != b && (changed.contains(&a) || changed.contains(&b)) {
                        moves[a][b] = self.best(&communities[a], &communities[b], &excess, rng);
                    }
                }
            }
            let mut best = (self.least_gain, 0, 0);
            for (a, row) in moves.iter().enumerate() {
                for (b, m) in row.iter().enumerate().filter(|(b, _)| *b != a) {
                    if m.gain > best.0 {
                        best = (m.gain, a, b);
                    }
                }
            }
            let (_, a, b) = best;
            if a == b {
                break;
            }
            let part = std::mem::take(&mut moves[a][b].nodes);
            communities[a].retain(|i| !part.contains(i));
            communities[b].extend(part);
            changed = vec![a, b];
            if b == k - 1 {
                communities.push(Vec::new());
                moves.iter_mut().for_each(|row| row.push(Move::default()));
                moves.push(vec![Move::default(); k + 1]);
                changed.push(k);
            }
            if communities[a].is_empty() {
                communities.remove(a);
                moves.remove(a);
                moves.iter_mut().for_each(|row| {
                    row.remove(a);
                });
                changed = changed
                    .iter()
                    .filter(|&&c| c != a)
                    .map(|&c| c - usize::from(c > a))
                    .collect();
            }
        }
        let mut labels = vec![0; n];
        for (c, nodes) in communities.iter().enumerate() {
            nodes.iter().for_each(|&i| labels[i] = c);
        }
        let labels = by_appearance(&labels);
        Ok(LouvainFit {
            modularity: modularity(graph, &labels, self.resolution)?,
            labels,
        })
    }

    /// The best part of `from` to move to `to`, by rounds in which each node changes sides once, best first.
    fn best(&self, from: &[usize], to: &[usize], excess: &Array2<f64>, rng: &mut Rng) -> Move {
        // Gain of one node's move out of the otherwise whole community.
        let alone: Vec<f64> = from
            .iter()
            .map(|&i| {
                let row = excess.row(i);
                let there: f64 = to.iter().map(|&j| row[j]).sum();
                let here: f64 = from.iter().filter(|&&j| j != i).map(|&j| row[j]).sum();
                there - here
            })
            .collect();
        let mut best = Move::default();
        for attempt in 0..self.attempts + 2 {
            let mut away: Vec<bool> = match attempt {
                0 => vec![false; from.len()],
                1 => vec![true; from.len()],
                _ => from.iter().map(|_| rng.random()).collect(),
            };
            let gain = improve(&mut away, &alone, from, excess);
            // To move all into a new community changes nothing.
            if gain > best.gain && (!to.is_empty() || away.contains(&false)) {
                let nodes = from.iter().zip(&away).filter(|(_, a)| **a);
                best = Move {
                    gain,
                    nodes: nodes.map(|(i, _)| *i).collect(),
                };
            }
        }
        best
    }
}

/// Changes who is `away` until no round gains, and the gain of it over all staying.
fn improve(away: &mut [bool], alone: &[f64], from: &[usize], excess: &Array2<f64>) -> f64 {
    let m = from.len();
    // Gain of a node's change to the other side, but for its sign and a factor of 2.
    let pull = |away: &[bool]| -> Vec<f64> {
        (0..m)
            .map(|i| {
                let row = excess.row(from[i]);
                let with = (0..m).filter(|&j| away[j] && j != i);
                alone[i] + 2.0 * with.map(|j| row[from[j]]).sum::<f64>()
            })
            .collect()
    };
    let mut towards = pull(away);
    // Each pair of those away counts in both of them: half of what `towards` holds beyond `alone`.
    let mut gain: f64 = (0..m)
        .filter(|&i| away[i])
        .map(|i| towards[i] + alone[i])
        .sum();
    loop {
        let (mut at, mut best, mut kept) = (0.0, 1e-12, 0);
        let mut changed: Vec<usize> = Vec::with_capacity(m);
        let mut free = vec![true; m];
        let mut now = towards.clone();
        for step in 1..=m {
            let value = |i: usize| if away[i] { -now[i] } else { now[i] };
            let mut next = None;
            for i in (0..m).filter(|&i| free[i]) {
                if next.is_none_or(|n| value(i) > value(n)) {
                    next = Some(i);
                }
            }
            let Some(i) = next else { break };
            at += 2.0 * value(i);
            free[i] = false;
            away[i] = !away[i];
            changed.push(i);
            let row = excess.row(from[i]);
            let sign = if away[i] { 2.0 } else { -2.0 };
            for j in (0..m).filter(|&j| j != i) {
                now[j] += sign * row[from[j]];
            }
            if at > best {
                (best, kept) = (at, step);
            }
        }
        for &i in &changed[kept..] {
            away[i] = !away[i];
        }
        if kept == 0 {
            return gain;
        }
        gain += best;
        towards = pull(away);
    }
}

/// How much more weight a pair has than expected, in parts of twice the total weight.
fn excess(graph: &WeightedGraph, resolution: f64) -> Array2<f64> {
    let n = graph.n_nodes();
    let mut strength = vec![0.0; n];
    for (a, b, w) in graph.edges() {
        strength[a] += w;
        strength[b] += w;
    }
    let twice: f64 = strength.iter().sum();
    if twice <= 0.0 {
        return Array2::zeros((n, n));
    }
    let expected =
        |(i, j): (usize, usize)| -resolution * strength[i] * strength[j] / (twice * twice);
    let mut excess = Array2::from_shape_fn((n, n), expected);
    for (a, b, w) in graph.edges() {
        excess[[a, b]] += w / twice;
        excess[[b, a]] += w / twice;
    }
    excess
}
