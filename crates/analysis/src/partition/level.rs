//! What greedy methods of communities share: the graph of one pass, and the smaller one made of its communities.

use super::PartitionError;
use crate::connectome::block_model::WeightedGraph;

pub(super) fn not_negative(graph: &WeightedGraph) -> Result<(), PartitionError> {
    match graph.edges().find(|e| e.2 < 0.0) {
        Some((a, b, w)) => Err(PartitionError::NegativeWeight {
            a,
            b,
            found: w.to_string(),
        }),
        None => Ok(()),
    }
}

/// The graph of one pass: neighbours and weights of each node, and twice the weight within it.
pub(super) struct Level {
    pub(super) rows: Vec<Vec<(usize, f64)>>,
    pub(super) own: Vec<f64>,
    /// How many nodes of the first graph each stands for.
    pub(super) size: Vec<usize>,
}

impl Level {
    pub(super) fn new(graph: &WeightedGraph) -> Self {
        let n = graph.n_nodes();
        let mut level = Self {
            rows: vec![Vec::new(); n],
            own: vec![0.0; n],
            size: vec![1; n],
        };
        for (a, b, w) in graph.edges() {
            level.rows[a].push((b, w));
            level.rows[b].push((a, w));
        }
        level
    }

    /// The graph whose nodes are the `n` communities that `of` puts this one's nodes into.
    pub(super) fn condense(&self, of: &[usize], n: usize) -> Self {
        let mut own = vec![0.0; n];
        let mut size = vec![0; n];
        let mut members = vec![Vec::new(); n];
        for (i, &c) in of.iter().enumerate() {
            own[c] += self.own[i];
            size[c] += self.size[i];
            members[c].push(i);
        }
        let mut rows = vec![Vec::new(); n];
        let mut to = vec![0.0; n];
        for (c, nodes) in members.iter().enumerate() {
            let mut touched = Vec::new();
            for &i in nodes {
                for &(j, w) in &self.rows[i] {
                    if to[of[j]] == 0.0 {
                        touched.push(of[j]);
                    }
                    to[of[j]] += w;
                }
            }
            touched.sort_unstable();
            touched.dedup();
            for d in touched {
                let w = std::mem::take(&mut to[d]);
                if d == c {
                    own[c] += w;
                } else {
                    rows[c].push((d, w));
                }
            }
        }
        Self { rows, own, size }
    }
}
