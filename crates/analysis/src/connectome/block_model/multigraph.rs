//! What a state partitions: a graph whose nodes may already stand for whole blocks.

use super::graph::WeightedGraph;
use super::terms::Cell;

/// A multigraph in compressed rows. The graph itself, the blocks of a level, and blocks about to be merged are all of
/// this kind, so one state with one rule for a move serves all three.
#[derive(Debug, Clone)]
pub(super) struct Multigraph {
    /// How many things of the level below the partitioned one each node stands for.
    pub(super) size: Vec<u32>,
    /// Edge ends at each node; a self-loop counts twice.
    pub(super) degree: Vec<u64>,
    /// Self-loops.
    pub(super) inner: Vec<Cell>,
    offsets: Vec<usize>,
    heads: Vec<u32>,
    cells: Vec<Cell>,
    /// Edges, each once.
    pub(super) n_edges: u64,
}

impl Multigraph {
    pub(super) fn ground(graph: &WeightedGraph) -> Self {
        Self::from_pairs(
            vec![1; graph.n_nodes()],
            vec![Cell::default(); graph.n_nodes()],
            graph
                .edges()
                .map(|(a, b, w)| (a as u32, b as u32, Cell::edge(w)))
                .collect(),
        )
    }

    /// From distinct pairs `a < b` in ascending order.
    fn from_pairs(size: Vec<u32>, inner: Vec<Cell>, pairs: Vec<(u32, u32, Cell)>) -> Self {
        let n = size.len();
        let mut offsets = vec![0usize; n + 1];
        for &(a, b, _) in &pairs {
            offsets[a as usize + 1] += 1;
            offsets[b as usize + 1] += 1;
        }
        for i in 0..n {
            offsets[i + 1] += offsets[i];
        }
        let mut next = offsets.clone();
        let mut heads = vec![0u32; 2 * pairs.len()];
        let mut cells = vec![Cell::default(); 2 * pairs.len()];
        let mut degree: Vec<u64> = inner.iter().map(|c| 2 * u64::from(c.count)).collect();
        let mut n_edges: u64 = inner.iter().map(|c| u64::from(c.count)).sum();
        for &(a, b, cell) in &pairs {
            for (tail, head) in [(a, b), (b, a)] {
                let slot = next[tail as usize];
                next[tail as usize] += 1;
                heads[slot] = head;
                cells[slot] = cell;
                degree[tail as usize] += u64::from(cell.count);
            }
            n_edges += u64::from(cell.count);
        }
        Self {
            size,
            degree,
            inner,
            offsets,
            heads,
            cells,
            n_edges,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.size.len()
    }

    /// The neighbours of `node` and what joins it to them; `node` itself is not among them.
    #[inline]
    pub(super) fn row(&self, node: usize) -> impl ExactSizeIterator<Item = (u32, &Cell)> {
        let range = self.offsets[node]..self.offsets[node + 1];
        self.heads[range.clone()]
            .iter()
            .copied()
            .zip(&self.cells[range])
    }

    pub(super) fn n_neighbors(&self, node: usize) -> usize {
        self.offsets[node + 1] - self.offsets[node]
    }

    pub(super) fn neighbor(&self, node: usize, k: usize) -> usize {
        self.heads[self.offsets[node] + k] as usize
    }

    /// The multigraph of the blocks `0..n_blocks` of a partition. With `counted`, each block becomes one node (a level
    /// up); without, it keeps the sizes of its members (the same level, coarser).
    pub(super) fn condense(&self, labels: &[u32], n_blocks: usize, counted: bool) -> Self {
        let mut size = vec![0u32; n_blocks];
        let mut inner = vec![Cell::default(); n_blocks];
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); n_blocks];
        for (node, &r) in labels.iter().enumerate() {
            let r = r as usize;
            size[r] += self.size[node];
            inner[r] = inner[r].plus(self.inner[node]);
            members[r].push(node as u32);
        }
        if counted {
            size.fill(1);
        }
        let mut pairs = Vec::new();
        let mut row = vec![Cell::default(); n_blocks];
        let mut touched = Vec::new();
        for (r, nodes) in members.iter().enumerate() {
            for &node in nodes {
                for (head, cell) in self.row(node as usize) {
                    let s = labels[head as usize] as usize;
                    // Each inner edge is met from both ends: take it from the smaller.
                    if s == r && head > node {
                        inner[r] = inner[r].plus(*cell);
                    } else if s > r {
                        if row[s].count == 0 {
                            touched.push(s as u32);
                        }
                        row[s] = row[s].plus(*cell);
                    }
                }
            }
            touched.sort_unstable();
            for &s in &touched {
                pairs.push((r as u32, s, std::mem::take(&mut row[s as usize])));
            }
            touched.clear();
        }
        Self::from_pairs(size, inner, pairs)
    }
}
