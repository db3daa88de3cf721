//! A partition with its counts, and the change of description length when one node moves.

use super::multigraph::Multigraph;
use super::table::{Entry, Table};
use super::terms::{Cell, Layer, Terms};

/// A partition of a multigraph's nodes into blocks, with everything that a move needs kept up to date.
#[derive(Debug, Clone)]
pub(super) struct State<'a> {
    pub(super) graph: &'a Multigraph,
    pub(super) terms: Terms<'a>,
    pub(super) label: Vec<u32>,
    /// Nodes in each block, counted one each.
    pub(super) members: Vec<u32>,
    /// Nodes in each block, counted by size.
    n: Vec<u64>,
    e: Vec<u64>,
    table: Table,
    occupied: usize,
}

/// The edges of one node, summed by the block at their other end.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    pub(super) node: usize,
    from: usize,
    pub(super) blocks: Vec<u32>,
    cells: Vec<Cell>,
    /// Cost of the changed pairs of the old block, without those that depend on the target.
    leaving: f64,
    leaving_each: Vec<f64>,
}

impl Gathered {
    #[inline]
    pub(super) fn cell(&self, block: usize) -> Cell {
        self.cells[block]
    }
}

impl<'a> State<'a> {
    /// A state with `label[node] < n_blocks`.
    pub(super) fn new(
        graph: &'a Multigraph,
        terms: Terms<'a>,
        label: Vec<u32>,
        n_blocks: usize,
    ) -> Self {
        let mut state = Self {
            graph,
            terms,
            label,
            members: vec![0; n_blocks],
            n: vec![0; n_blocks],
            e: vec![0; n_blocks],
            table: Table::new(n_blocks),
            occupied: 0,
        };
        let blocks = graph.condense(&state.label, n_blocks, false);
        for node in 0..graph.len() {
            let r = state.label[node] as usize;
            state.members[r] += 1;
            state.n[r] += u64::from(graph.size[node]);
            state.e[r] += graph.degree[node];
        }
        state.occupied = state.members.iter().filter(|m| **m > 0).count();
        for r in 0..n_blocks {
            let (n_r, inner) = (state.n[r], blocks.inner[r]);
            let cost = terms.within(&inner, n_r);
            state.table.set(r, r, Entry { cell: inner, cost });
            for (s, cell) in blocks.row(r) {
                let s = s as usize;
                if s > r {
                    let cost = terms.between(cell, n_r, state.n[s]);
                    state.table.set(r, s, Entry { cell: *cell, cost });
                }
            }
        }
        state
    }

    /// Every node a block of its own.
    pub(super) fn singletons(graph: &'a Multigraph, terms: Terms<'a>) -> Self {
        let n = graph.len();
        Self::new(graph, terms, (0..n as u32).collect(), n)
    }

    /// Number of blocks that hold a node.
    pub(super) fn n_blocks(&self) -> usize {
        self.occupied
    }

    /// Number of labels in use or free.
    pub(super) fn capacity(&self) -> usize {
        self.members.len()
    }

    /// What this level costs by itself: pairs of blocks, blocks and partition, without the prior of the edge counts.
    pub(super) fn own_cost(&self) -> f64 {
        let mut cost = self.table.total();
        for (n_r, e_r) in self.n.iter().zip(&self.e) {
            cost += self.terms.block(*n_r, *e_r);
        }
        let n: u64 = self.n.iter().sum();
        cost + self.terms.partition(n, self.occupied as u64)
    }

    /// [`State::own_cost`] with the flat prior of the edge counts.
    pub(super) fn flat_cost(&self) -> f64 {
        self.own_cost()
            + self
                .terms
                .edge_counts(self.occupied as u64, self.graph.n_edges)
    }

    /// Labels `0..n_blocks` without gaps, in order of first appearance.
    pub(super) fn compact_labels(&self) -> Vec<u32> {
        compact(&self.label).0
    }

    /// Sums the edges of `node` by block, and works out what leaving its block costs.
    pub(super) fn gather(&self, node: usize, into: &mut Gathered) {
        for &t in &into.blocks {
            into.cells[t as usize] = Cell::default();
        }
        into.blocks.clear();
        into.cells.resize(self.capacity(), Cell::default());
        into.leaving_each.resize(self.capacity(), 0.0);
        for (head, cell) in self.graph.row(node) {
            let t = self.label[head as usize];
            let slot = &mut into.cells[t as usize];
            if slot.count == 0 {
                into.blocks.push(t);
                *slot = *cell;
            } else {
                slot.count += cell.count;
                slot.sum += cell.sum;
                slot.square += cell.square;
            }
        }
        into.node = node;
        into.from = self.label[node] as usize;
        let r = into.from;
        let size = u64::from(self.graph.size[node]);
        let n_r = self.n[r] - size;
        into.leaving = 0.0;
        self.for_each_changed(r, r, &into.blocks, |t| {
            if t != r {
                let entry = self.table.get(r, t);
                let cost = self
                    .terms
                    .between(&entry.cell.minus(into.cells[t]), n_r, self.n[t])
                    - entry.cost;
                into.leaving_each[t] = cost;
                into.leaving += cost;
            }
        });
        let entry = self.table.get(r, r);
        let inner = entry.cell.minus(into.cells[r].plus(self.graph.inner[node]));
        into.leaving += self.terms.within(&inner, n_r) - entry.cost;
        into.leaving += self.terms.block(n_r, self.e[r] - self.graph.degree[node])
            - self.terms.block(self.n[r], self.e[r]);
    }

    /// Calls `f` once for each block whose pair with `r` or `s` changes as a node with edges to `blocks` moves between
    /// them. At ground level only pairs that the node's edges touch change; among blocks of blocks the sizes count
    /// too, so that every non-empty pair of `r` or `s` does.
    #[inline(always)]
    fn for_each_changed(&self, r: usize, s: usize, blocks: &[u32], mut f: impl FnMut(usize)) {
        match self.terms.layer {
            Layer::Ground { .. } => {
                for &t in blocks {
                    f(t as usize);
                }
            }
            Layer::Blocks => {
                for t in 0..self.capacity() {
                    if self.table.get(r, t).cell.count > 0
                        || self.table.get(s, t).cell.count > 0
                        || t == r
                        || t == s
                    {
                        f(t);
                    }
                }
            }
        }
    }

    /// Change of [`State::own_cost`] as the gathered node moves to block `s` (not its own), apart from the number of
    /// blocks: see [`State::count_change`].
    pub(super) fn move_cost(&self, moving: &Gathered, s: usize) -> f64 {
        let (node, r) = (moving.node, moving.from);
        let size = u64::from(self.graph.size[node]);
        let (n_r, n_s) = (self.n[r] - size, self.n[s] + size);
        let to_s = moving.cells[s];
        let mut cost = moving.leaving;
        // What `gather` counted for the pair (r, s) is replaced below.
        let pair = self.table.get(r, s);
        if to_s.count > 0 || (matches!(self.terms.layer, Layer::Blocks) && pair.cell.count > 0) {
            cost -= moving.leaving_each[s];
        }
        self.for_each_changed(s, s, &moving.blocks, |t| {
            if t != r && t != s {
                let entry = self.table.get(s, t);
                cost += self
                    .terms
                    .between(&entry.cell.plus(moving.cells[t]), n_s, self.n[t])
                    - entry.cost;
            }
        });
        // In the layer of blocks, pairs (s, t) that are empty now but will not be.
        if matches!(self.terms.layer, Layer::Blocks) {
            for &t in &moving.blocks {
                let t = t as usize;
                if t != r && t != s && self.table.get(s, t).cell.count == 0 {
                    cost += self.terms.between(&moving.cells[t], n_s, self.n[t]);
                }
            }
        }
        let new_pair = pair.cell.plus(moving.cells[r]).minus(to_s);
        cost += self.terms.between(&new_pair, n_r, n_s) - pair.cost;
        let own = self.table.get(s, s);
        let inner = own.cell.plus(to_s).plus(self.graph.inner[node]);
        cost += self.terms.within(&inner, n_s) - own.cost;
        cost + self.terms.block(n_s, self.e[s] + self.graph.degree[node])
            - self.terms.block(self.n[s], self.e[s])
    }

    /// Change of the terms that depend on the number of blocks, as a node moves from `r` to `s`; `flat` with the flat
    /// prior of the edge counts. Zero unless a block is emptied or filled.
    #[cfg(test)]
    pub(super) fn count_change(&self, r: usize, s: usize, flat: bool) -> f64 {
        let now = self.occupied;
        let then = now - usize::from(self.members[r] == 1) + usize::from(self.members[s] == 0);
        if now == then {
            return 0.0;
        }
        let n: u64 = self.n.iter().sum();
        let count = |b: usize| {
            let b = b as u64;
            let edges = if flat {
                self.terms.edge_counts(b, self.graph.n_edges)
            } else {
                0.0
            };
            self.terms.partition(n, b) + edges
        };
        count(then) - count(now)
    }

    /// Moves the gathered node to block `s`.
    pub(super) fn apply(&mut self, moving: &Gathered, s: usize) {
        let (node, r) = (moving.node, moving.from);
        debug_assert!(r != s);
        let size = u64::from(self.graph.size[node]);
        let degree = self.graph.degree[node];
        let inner = self.graph.inner[node];
        self.n[r] -= size;
        self.n[s] += size;
        self.e[r] -= degree;
        self.e[s] += degree;
        self.members[r] -= 1;
        self.occupied -= usize::from(self.members[r] == 0);
        self.occupied += usize::from(self.members[s] == 0);
        self.members[s] += 1;
        self.label[node] = s as u32;
        for &t in &moving.blocks {
            let t = t as usize;
            if t != r && t != s {
                let cell = moving.cells[t];
                self.put(r, t, self.table.get(r, t).cell.minus(cell));
                self.put(s, t, self.table.get(s, t).cell.plus(cell));
            }
        }
        let pair = self.table.get(r, s).cell;
        self.put(r, s, pair.plus(moving.cells[r]).minus(moving.cells[s]));
        let within = self.table.get(r, r).cell;
        self.put(r, r, within.minus(moving.cells[r].plus(inner)));
        let within = self.table.get(s, s).cell;
        self.put(s, s, within.plus(moving.cells[s]).plus(inner));
        if matches!(self.terms.layer, Layer::Blocks) {
            // The sizes changed, so every pair of the two blocks costs something else.
            for t in 0..self.capacity() {
                for q in [r, s] {
                    let cell = self.table.get(q, t).cell;
                    if cell.count > 0 {
                        self.put(q, t, cell);
                    }
                }
            }
        }
    }

    fn put(&mut self, r: usize, s: usize, cell: Cell) {
        let cost = if r == s {
            self.terms.within(&cell, self.n[r])
        } else {
            self.terms.between(&cell, self.n[r], self.n[s])
        };
        self.table.set(r, s, Entry { cell, cost });
    }
}

/// Labels without gaps in order of first appearance, and their number.
pub(super) fn compact(labels: &[u32]) -> (Vec<u32>, usize) {
    let largest = labels.iter().copied().max().map_or(0, |m| m as usize + 1);
    let mut new = vec![u32::MAX; largest];
    let mut count = 0;
    let compacted = labels
        .iter()
        .map(|&r| {
            let slot = &mut new[r as usize];
            if *slot == u32::MAX {
                *slot = count;
                count += 1;
            }
            *slot
        })
        .collect();
    (compacted, count as usize)
}
