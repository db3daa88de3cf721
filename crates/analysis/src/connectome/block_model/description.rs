//! The description length from scratch: plain, readable, and the oracle of everything incremental.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::config::WeightModel;
use super::error::BlockModelError;
use super::graph::WeightedGraph;
use super::terms::{Cell, LogFactorials};
use super::weights::Weighting;

/// The parts of a description length, in nats. The shorter the description, the better the partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DescriptionLength {
    /// The edges given partition, edge counts (and degrees): `-ln P(A | b, e, k)`.
    pub adjacency: f64,
    /// The degrees given the blocks' edge ends; 0 without degree correction.
    pub degrees: f64,
    /// The partition of the nodes.
    pub partition: f64,
    /// The edge counts between blocks: the flat prior, or all levels above.
    pub edge_counts: f64,
    /// The weights.
    pub weights: f64,
}

impl DescriptionLength {
    /// The sum of the parts, nats.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.adjacency + self.degrees + self.partition + self.edge_counts + self.weights
    }
}

/// The description length of a partition (card 01, stage 3; Peixoto 2017, 2018), nats.
///
/// `levels[0]` holds one label for each node. Where `levels` holds one level, the edge counts have the flat prior.
/// With more, `levels[l]` labels the blocks of level `l - 1` (block `r` is the one whose nodes carry label `r`), and
/// where the last level has more than one block, one that joins them all is understood above it. Labels may have any
/// values below the number of things labelled. Of [`WeightModel::Auto`] it is the shorter of the two.
///
/// # Errors
/// Where a level has a wrong number of labels, or a weight is outside the model's domain.
///
/// ```
/// use chiasm_analysis::connectome::block_model::{WeightModel, WeightedGraph, description_length};
/// let graph = WeightedGraph::from_edges(3, &[(0, 1, 1.0), (1, 2, 1.0)])?;
/// let dl = description_length(&graph, &[vec![0, 0, 0]], WeightModel::None, false)?;
/// // Two edges among three nodes in one block: 4 ln 3 - ln 4!!, plus ln 3 for the number of blocks.
/// assert!((dl.total() - (5.0 * 3f64.ln() - 8f64.ln())).abs() < 1e-12);
/// # Ok::<(), chiasm_analysis::connectome::block_model::BlockModelError>(())
/// ```
pub fn description_length(
    graph: &WeightedGraph,
    levels: &[Vec<usize>],
    weights: WeightModel,
    degree_corrected: bool,
) -> Result<DescriptionLength, BlockModelError> {
    let mut shortest: Option<DescriptionLength> = None;
    for (_, weighting) in weights.candidates(graph)? {
        let dl = describe(&weighting, levels, degree_corrected)?;
        if shortest.is_none_or(|s| dl.total() < s.total()) {
            shortest = Some(dl);
        }
    }
    Ok(shortest.unwrap_or_default())
}

/// The description length under one weight model.
pub(super) fn describe(
    weighting: &Weighting<'_>,
    levels: &[Vec<usize>],
    degree_corrected: bool,
) -> Result<DescriptionLength, BlockModelError> {
    let Weighting {
        graph,
        term,
        constant,
    } = weighting;
    let lf = LogFactorials::new(2 * graph.n_edges() + graph.n_nodes());
    let mut expected = graph.n_nodes();
    let mut compacted = Vec::with_capacity(levels.len());
    for (level, labels) in levels.iter().enumerate() {
        if labels.len() != expected || labels.iter().any(|&r| r >= labels.len()) {
            return Err(BlockModelError::Partition {
                level,
                expected,
                found: labels.len(),
            });
        }
        // Unused labels have no node above them.
        let mut used = labels.clone();
        used.sort_unstable();
        used.dedup();
        let rank: Vec<usize> = labels
            .iter()
            .map(|r| used.partition_point(|u| u < r))
            .collect();
        expected = used.len();
        compacted.push((rank, used.len()));
    }
    let Some((labels, n_blocks)) = compacted.first() else {
        return Err(BlockModelError::Partition {
            level: 0,
            expected,
            found: 0,
        });
    };
    let b = *n_blocks;
    let mut cells = vec![Cell::default(); b * b];
    let mut degree = vec![0u64; graph.n_nodes()];
    for (i, j, w) in graph.edges() {
        let (r, s) = (labels[i].min(labels[j]), labels[i].max(labels[j]));
        cells[r * b + s] = cells[r * b + s].plus(Cell::edge(w));
        degree[i] += 1;
        degree[j] += 1;
    }
    let mut n = vec![0u64; b];
    let mut e = vec![0u64; b];
    for (i, &r) in labels.iter().enumerate() {
        n[r] += 1;
        e[r] += degree[i];
    }

    let mut dl = DescriptionLength {
        weights: *constant,
        partition: partition_cost(&lf, &n),
        ..DescriptionLength::default()
    };
    for r in 0..b {
        for s in r..b {
            let cell = &cells[r * b + s];
            dl.adjacency -= lf.factorial(u64::from(cell.count));
            if r == s {
                // e_rr!! with e_rr = 2 c, twice the inner edges.
                dl.adjacency -= f64::from(cell.count) * LN_2;
            }
            dl.weights += term.cost(cell, &lf);
        }
        if degree_corrected {
            dl.adjacency += lf.factorial(e[r]);
            dl.degrees += lf.multiset(n[r], e[r]);
        } else {
            dl.adjacency += e[r] as f64 * (n[r] as f64).ln();
        }
    }
    if degree_corrected {
        dl.adjacency -= degree.iter().map(|&k| lf.factorial(k)).sum::<f64>();
    }

    let mut counts: Vec<u64> = cells.iter().map(|c| u64::from(c.count)).collect();
    if compacted.len() == 1 {
        dl.edge_counts = lf.multiset((b * (b + 1) / 2) as u64, graph.n_edges() as u64);
        return Ok(dl);
    }
    let mut below = b;
    let top = (vec![0; compacted.last().map_or(1, |l| l.1)], 1);
    for (labels, b) in compacted[1..].iter().chain([&top]) {
        if below == 1 {
            break;
        }
        let mut above = vec![0u64; b * b];
        for r in 0..below {
            for s in r..below {
                let (p, q) = (labels[r].min(labels[s]), labels[r].max(labels[s]));
                above[p * b + q] += counts[r * below + s];
            }
        }
        let mut n = vec![0u64; *b];
        for &r in labels {
            n[r] += 1;
        }
        dl.edge_counts += partition_cost(&lf, &n);
        for p in 0..*b {
            dl.edge_counts += lf.multiset(n[p] * (n[p] + 1) / 2, above[p * b + p]);
            for q in p + 1..*b {
                dl.edge_counts += lf.multiset(n[p] * n[q], above[p * b + q]);
            }
        }
        counts = above;
        below = *b;
    }
    Ok(dl)
}

/// `ln N! - sum ln n_r! + ln C(N - 1, B - 1) + ln N`.
fn partition_cost(lf: &LogFactorials, sizes: &[u64]) -> f64 {
    let n: u64 = sizes.iter().sum();
    lf.factorial(n) - sizes.iter().map(|&m| lf.factorial(m)).sum::<f64>()
        + lf.choose(n - 1, sizes.len() as u64 - 1)
        + (n as f64).ln()
}
