//! The levels above the first: blocks of blocks, which describe the edge counts.

use chiasm_core::Rng;

use super::multigraph::Multigraph;
use super::search::{shrink, sweep};
use super::state::{Gathered, State, compact};
use super::terms::{Layer, LogFactorials, Terms};

/// Finds the levels above a partition, from the multigraph of its blocks: level by level, each the best under a flat
/// prior of its own edge counts, up to one block. Returns the labels of each level (the last is all zeros) and what
/// they cost together. A single block needs no level and costs nothing.
pub(super) fn levels_above(
    blocks: &Multigraph,
    lf: &LogFactorials,
    rng: &mut Rng,
) -> (Vec<Vec<u32>>, f64) {
    let terms = Terms {
        layer: Layer::Blocks,
        lf,
    };
    let mut graph = blocks.clone();
    let (mut levels, mut cost) = (Vec::new(), 0.0);
    while graph.len() > 1 {
        let (labels, b) = best_level(&graph, terms, rng);
        let state = State::new(&graph, terms, labels.clone(), b);
        cost += state.own_cost();
        levels.push(labels);
        graph = graph.condense(&levels[levels.len() - 1], b, true);
    }
    (levels, cost)
}

/// The best partition of one level, fewer blocks than nodes.
fn best_level(graph: &Multigraph, terms: Terms<'_>, rng: &mut Rng) -> (Vec<u32>, usize) {
    let one = vec![0u32; graph.len()];
    let mut best = (
        State::new(graph, terms, one.clone(), 1).flat_cost(),
        one,
        1usize,
    );
    let mut labels: Vec<u32> = (0..graph.len() as u32).collect();
    let mut b = graph.len();
    while b > 2 {
        let target = if b <= 12 { b - 1 } else { b * 2 / 3 };
        let state = State::new(graph, terms, labels, b);
        let mut state = State::new(graph, terms, shrink(&state, target, rng), target);
        sweep(&mut state, 8, None, rng);
        labels = state.compact_labels();
        b = state.n_blocks();
        // A level of its own on top, of one block, costs ln B more.
        let cost = state.flat_cost() + (b as f64).ln();
        if cost < best.0 {
            best = (cost, labels.clone(), b);
        }
    }
    (best.1, best.2)
}

/// The levels above as a move at ground level sees them. Blocks neither appear nor vanish while it is in use.
#[derive(Debug, Clone)]
pub(super) struct Coupling<'a> {
    levels: Vec<Above>,
    lf: &'a LogFactorials,
}

#[derive(Debug, Clone)]
struct Above {
    /// The block of this level that each block of the partition belongs to.
    map: Vec<u32>,
    n: Vec<u64>,
    /// Edge counts, inner ones once.
    counts: Vec<u64>,
    moving: Vec<u64>,
    touched: Vec<u32>,
}

impl<'a> Coupling<'a> {
    pub(super) fn new(blocks: &Multigraph, levels: &[Vec<u32>], lf: &'a LogFactorials) -> Self {
        let mut map: Vec<u32> = (0..blocks.len() as u32).collect();
        let mut graph = blocks.clone();
        let mut above = Vec::new();
        for labels in levels {
            let (labels, b) = compact(labels);
            let mut n = vec![0u64; b];
            for &r in &labels {
                n[r as usize] += 1;
            }
            for slot in &mut map {
                *slot = labels[*slot as usize];
            }
            graph = graph.condense(&labels, b, true);
            let mut counts = vec![0u64; b * b];
            for r in 0..b {
                counts[r * b + r] = u64::from(graph.inner[r].count);
                for (s, cell) in graph.row(r) {
                    counts[r * b + s as usize] = u64::from(cell.count);
                }
            }
            above.push(Above {
                map: map.clone(),
                n,
                counts,
                moving: vec![0; b],
                touched: Vec::new(),
            });
        }
        Self { levels: above, lf }
    }

    /// Change of the cost of all levels above as the gathered node moves from block `r` to `s`.
    pub(super) fn move_cost(&mut self, moving: &Gathered, r: usize, s: usize) -> f64 {
        let mut cost = 0.0;
        let lf = self.lf;
        for level in &mut self.levels {
            let (p, q) = (level.map[r] as usize, level.map[s] as usize);
            // Within one block of blocks nothing changes, here or above.
            if p == q {
                break;
            }
            cost += level.change(moving, p, q, |n, old, new| {
                lf.multiset(n, new) - lf.multiset(n, old)
            });
        }
        cost
    }

    /// Carries the move out.
    pub(super) fn apply(&mut self, moving: &Gathered, r: usize, s: usize) {
        for level in &mut self.levels {
            let (p, q) = (level.map[r] as usize, level.map[s] as usize);
            if p == q {
                break;
            }
            let b = level.n.len();
            let mut set = Vec::new();
            level.visit(moving, p, q, |x, y, _, _, new| set.push((x, y, new)));
            for (x, y, new) in set {
                level.counts[x * b + y] = new;
                level.counts[y * b + x] = new;
            }
        }
    }
}

impl Above {
    fn change(
        &mut self,
        moving: &Gathered,
        p: usize,
        q: usize,
        cost: impl Fn(u64, u64, u64) -> f64,
    ) -> f64 {
        let mut sum = 0.0;
        self.visit(moving, p, q, |_, _, n, old, new| {
            if old != new {
                sum += cost(n, old, new);
            }
        });
        sum
    }

    /// Calls `f(x, y, places, old count, new count)` for each pair of blocks whose count changes.
    fn visit(
        &mut self,
        moving: &Gathered,
        p: usize,
        q: usize,
        mut f: impl FnMut(usize, usize, u64, u64, u64),
    ) {
        let b = self.n.len();
        for &t in &moving.blocks {
            let x = self.map[t as usize];
            if self.moving[x as usize] == 0 {
                self.touched.push(x);
            }
            self.moving[x as usize] += u64::from(moving.cell(t as usize).count);
        }
        let (to_p, to_q) = (self.moving[p], self.moving[q]);
        for x in self.touched.drain(..) {
            let x = x as usize;
            let ends = std::mem::take(&mut self.moving[x]);
            if x != p && x != q {
                let old = self.counts[p * b + x];
                f(p, x, self.n[p] * self.n[x], old, old - ends);
                let old = self.counts[q * b + x];
                f(q, x, self.n[q] * self.n[x], old, old + ends);
            }
        }
        let triangle = |n: u64| n * (n + 1) / 2;
        let old = self.counts[p * b + p];
        f(p, p, triangle(self.n[p]), old, old - to_p);
        let old = self.counts[q * b + q];
        f(q, q, triangle(self.n[q]), old, old + to_q);
        let old = self.counts[p * b + q];
        f(p, q, self.n[p] * self.n[q], old, old + to_p - to_q);
    }
}
