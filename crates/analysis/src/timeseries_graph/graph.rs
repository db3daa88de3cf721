//! A simple graph whose nodes stand in the order of time.

use super::TimeseriesGraphError;

/// A simple undirected graph on nodes `0..n` in the order of time. Each node holds its earlier neighbours, the latest
/// first, so that the graph of a series is also that of its beginning with more added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// `earlier[offsets[j]..offsets[j + 1]]` are the earlier neighbours of `j`, in descending order.
    offsets: Vec<usize>,
    earlier: Vec<u32>,
}

impl Graph {
    /// A graph of one node less than there are offsets. `offsets` ascend from 0; each list descends and stays below its node.
    pub(super) fn from_parts(offsets: Vec<usize>, earlier: Vec<u32>) -> Self {
        debug_assert_eq!(offsets.last(), Some(&earlier.len()));
        Self { offsets, earlier }
    }

    /// A graph from its edges, in any order and either orientation; an edge listed twice counts once.
    ///
    /// # Errors
    /// A node beyond the last, or an edge from a node to itself, by position.
    pub fn from_edges(
        n_nodes: usize,
        edges: &[(usize, usize)],
    ) -> Result<Self, TimeseriesGraphError> {
        let mut sorted = Vec::with_capacity(edges.len());
        for (e, &(a, b)) in edges.iter().enumerate() {
            if a == b || a >= n_nodes || b >= n_nodes || n_nodes >= u32::MAX as usize {
                let expected = format!("two different nodes below {n_nodes}");
                let found = format!("({a}, {b}) at edge {e}");
                return Err(chiasm_core::SettingError::new("edges", expected, found).into());
            }
            sorted.push((a.max(b), std::cmp::Reverse(a.min(b))));
        }
        sorted.sort_unstable();
        sorted.dedup();
        let mut offsets = vec![0; n_nodes + 1];
        for &(later, _) in &sorted {
            offsets[later + 1] += 1;
        }
        for j in 0..n_nodes {
            offsets[j + 1] += offsets[j];
        }
        let earlier = sorted.iter().map(|&(_, e)| e.0 as u32).collect();
        Ok(Self { offsets, earlier })
    }

    /// From one descending list of earlier nodes for each node.
    pub(super) fn from_earlier(lists: &[Vec<u32>]) -> Self {
        let mut offsets = vec![0];
        let mut earlier = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in lists {
            earlier.extend_from_slice(list);
            offsets.push(earlier.len());
        }
        Self { offsets, earlier }
    }

    /// Number of nodes.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of edges.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.earlier.len()
    }

    /// The earlier neighbours of node `j`, the latest first. Panics beyond the last node.
    #[must_use]
    pub fn earlier(&self, j: usize) -> &[u32] {
        &self.earlier[self.offsets[j]..self.offsets[j + 1]]
    }

    /// The edges `(earlier, later)`, ordered by the later node, the latest partner first.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.n_nodes()).flat_map(|j| self.earlier(j).iter().map(move |&i| (i as usize, j)))
    }

    /// The neighbours of each node on both sides.
    #[must_use]
    pub fn adjacency(&self) -> Adjacency {
        let n = self.n_nodes();
        let mut offsets = vec![0usize; n + 1];
        for j in 0..n {
            offsets[j + 1] += self.offsets[j + 1] - self.offsets[j];
        }
        for &i in &self.earlier {
            offsets[i as usize + 1] += 1;
        }
        for j in 0..n {
            offsets[j + 1] += offsets[j];
        }
        let mut targets = vec![0u32; 2 * self.earlier.len()];
        // Where the next later neighbour of each node goes: after all its earlier ones.
        let mut next = offsets.clone();
        for j in 0..n {
            let list = self.earlier(j);
            for (k, &i) in list.iter().rev().enumerate() {
                targets[offsets[j] + k] = i;
            }
            next[j] += list.len();
        }
        for j in 0..n {
            for &i in self.earlier(j) {
                targets[next[i as usize]] = j as u32;
                next[i as usize] += 1;
            }
        }
        Adjacency { offsets, targets }
    }

    /// How many earlier and how many later neighbours each node has: the degrees in and out, where time directs the edges.
    #[must_use]
    pub fn degrees_in_out(&self) -> (Vec<u32>, Vec<u32>) {
        let n = self.n_nodes();
        let into: Vec<u32> = (0..n).map(|j| self.earlier(j).len() as u32).collect();
        let mut out = vec![0; n];
        for &i in &self.earlier {
            out[i as usize] += 1;
        }
        (into, out)
    }

    /// The degree of each node.
    #[must_use]
    pub fn degrees(&self) -> Vec<u32> {
        let (into, out) = self.degrees_in_out();
        into.iter().zip(&out).map(|(a, b)| a + b).collect()
    }

    /// Bytes that the graph holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.offsets.len() * size_of::<usize>() + self.earlier.len() * size_of::<u32>()
    }
}

/// The neighbours of each node, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjacency {
    offsets: Vec<usize>,
    targets: Vec<u32>,
}

impl Adjacency {
    /// From one sorted list for each node.
    pub(super) fn from_lists(lists: &[Vec<u32>]) -> Self {
        let mut offsets = vec![0];
        let mut targets = Vec::new();
        for list in lists {
            targets.extend_from_slice(list);
            offsets.push(targets.len());
        }
        Self { offsets, targets }
    }

    /// Number of nodes.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of arcs: twice that of edges.
    #[must_use]
    pub fn n_arcs(&self) -> usize {
        self.targets.len()
    }

    /// The neighbours of node `i`, ascending. Panics beyond the last node.
    #[must_use]
    pub fn of(&self, i: usize) -> &[u32] {
        &self.targets[self.offsets[i]..self.offsets[i + 1]]
    }

    /// The degree of node `i`. Panics beyond the last node.
    #[must_use]
    pub fn degree(&self, i: usize) -> usize {
        self.offsets[i + 1] - self.offsets[i]
    }
}
