//! A simple undirected graph with one weight on each edge.

use ndarray::ArrayView2;

use super::error::BlockModelError;

/// A simple undirected graph with one finite weight on each edge; sparse, validated once.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedGraph {
    n_nodes: usize,
    /// `(a, b, weight)` with `a < b`, in ascending order.
    edges: Vec<(u32, u32, f64)>,
}

impl WeightedGraph {
    /// A graph of `n_nodes` nodes from its edges, in any order and either orientation.
    ///
    /// # Errors
    /// Where there is no edge, a node is out of range, an edge is a self-loop or is listed twice, or a weight is not
    /// finite: each names the edge.
    pub fn from_edges(
        n_nodes: usize,
        edges: &[(usize, usize, f64)],
    ) -> Result<Self, BlockModelError> {
        if edges.is_empty() {
            return Err(BlockModelError::NoEdges { n_nodes });
        }
        let mut sorted = Vec::with_capacity(edges.len());
        for (edge, &(a, b, weight)) in edges.iter().enumerate() {
            if a >= n_nodes || b >= n_nodes || n_nodes > u32::MAX as usize {
                return Err(BlockModelError::NodeOutOfRange {
                    edge,
                    a,
                    b,
                    n_nodes,
                });
            }
            if a == b {
                return Err(BlockModelError::SelfLoop { node: a });
            }
            let (a, b) = (a.min(b), a.max(b));
            if !weight.is_finite() {
                return Err(BlockModelError::NotFinite {
                    a,
                    b,
                    found: weight,
                });
            }
            sorted.push((a as u32, b as u32, weight));
        }
        sorted.sort_unstable_by_key(|&(a, b, _)| (a, b));
        for pair in sorted.windows(2) {
            if (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1) {
                return Err(BlockModelError::Duplicate {
                    a: pair[0].0 as usize,
                    b: pair[0].1 as usize,
                });
            }
        }
        Ok(Self {
            n_nodes,
            edges: sorted,
        })
    }

    /// A graph from a symmetric matrix of affinities `[node, node]`, such as one factor of a dynamic connectome.
    ///
    /// Dropped are: the diagonal, pairs that `observed` marks as never seen together (their entries are not looked
    /// at), and weights below `drop_below` times the largest one (card 01, stage 3: 1e-3), zeros always.
    ///
    /// # Errors
    /// Where the matrix is not square or not symmetric, an observed entry is NaN, infinite or negative, or nothing is
    /// left: each names row and column.
    pub fn from_matrix(
        weights: ArrayView2<'_, f64>,
        observed: Option<ArrayView2<'_, bool>>,
        drop_below: f64,
    ) -> Result<Self, BlockModelError> {
        let n = weights.nrows();
        let square = |what, found| {
            if found == (n, n) {
                Ok(())
            } else {
                Err(BlockModelError::Shape {
                    what,
                    expected: (n, n),
                    found,
                })
            }
        };
        square("weights", weights.dim())?;
        if let Some(mask) = observed {
            square("observed", mask.dim())?;
        }
        let seen = |a, b| observed.is_none_or(|mask| mask[[a, b]]);
        let mut largest = 0.0f64;
        for a in 0..n {
            for b in a + 1..n {
                if !seen(a, b) {
                    continue;
                }
                let (upper, lower) = (weights[[a, b]], weights[[b, a]]);
                for found in [upper, lower] {
                    if !found.is_finite() {
                        return Err(BlockModelError::NotFinite { a, b, found });
                    }
                    if found < 0.0 {
                        return Err(BlockModelError::Weight {
                            a,
                            b,
                            expected: "an affinity of 0 or more",
                            found,
                        });
                    }
                }
                // Halves that were summed in another order may differ in their last bits.
                if (upper - lower).abs() > 1e-9 * upper.abs().max(lower.abs()) {
                    return Err(BlockModelError::Asymmetric { a, b, upper, lower });
                }
                largest = largest.max(upper);
            }
        }
        let floor = drop_below.max(0.0) * largest;
        let mut edges = Vec::new();
        for a in 0..n {
            for b in a + 1..n {
                let weight = weights[[a, b]];
                if seen(a, b) && weight > 0.0 && weight >= floor {
                    edges.push((a, b, weight));
                }
            }
        }
        Self::from_edges(n, &edges)
    }

    /// Number of nodes, those without an edge included.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.n_nodes
    }

    /// Number of edges.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    /// The edges `(a, b, weight)` with `a < b`, in ascending order.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize, f64)> + '_ {
        self.edges
            .iter()
            .map(|&(a, b, w)| (a as usize, b as usize, w))
    }

    /// The same edges with other weights; `f` must be finite on all of them.
    pub(super) fn map_weights(&self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            n_nodes: self.n_nodes,
            edges: self.edges.iter().map(|&(a, b, w)| (a, b, f(w))).collect(),
        }
    }

    /// Arithmetic mean of the weights.
    #[must_use]
    pub fn mean_weight(&self) -> f64 {
        self.edges.iter().map(|e| e.2).sum::<f64>() / self.edges.len() as f64
    }
}
