//! The terms of the description length, each a function of what is counted between two blocks or within one.

use std::f64::consts::LN_2;

use statrs::function::gamma::ln_gamma;

use super::weights::WeightTerm;

/// What is counted between two blocks: edges, their summed weight and summed squared weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) count: u32,
    pub(super) sum: f64,
    pub(super) square: f64,
}

impl Cell {
    pub(super) fn edge(weight: f64) -> Self {
        Self {
            count: 1,
            sum: weight,
            square: weight * weight,
        }
    }

    #[inline]
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            square: self.square + other.square,
        }
    }

    /// Exactly empty once the last edge is gone, so that rounding leaves no ghost.
    #[inline]
    pub(super) fn minus(self, other: Self) -> Self {
        if self.count == other.count {
            return Self::default();
        }
        Self {
            count: self.count - other.count,
            sum: self.sum - other.sum,
            square: self.square - other.square,
        }
    }
}

/// `ln n!` and what the normal model asks of counts, from tables; beyond them from the gamma function.
#[derive(Debug)]
pub(super) struct LogFactorials {
    factorials: Vec<f64>,
    normals: Vec<f64>,
}

impl LogFactorials {
    /// A table up to `largest`, but no larger than 32 MiB.
    pub(super) fn new(largest: usize) -> Self {
        let mut table = Vec::with_capacity(largest.min(1 << 22) + 2);
        table.push(0.0);
        // Kahan's sum keeps the last entry as exact as the first.
        let (mut sum, mut lost) = (0.0f64, 0.0f64);
        for n in 1..=largest.min(1 << 22) + 1 {
            let term = (n as f64).ln() - lost;
            let next = sum + term;
            lost = (next - sum) - term;
            sum = next;
            table.push(sum);
        }
        let normals = (0..=largest.min(1 << 20) as u32 / 2)
            .map(of_normal)
            .collect();
        Self {
            factorials: table,
            normals,
        }
    }

    /// `ln(1 + c) / 2 + ln Γ(1/2) - ln Γ((1 + c) / 2)`: what `c` edges cost under the normal model, apart from their weights.
    #[inline]
    pub(super) fn normal(&self, count: u32) -> f64 {
        match self.normals.get(count as usize) {
            Some(&v) => v,
            None => of_normal(count),
        }
    }

    #[inline]
    pub(super) fn factorial(&self, n: u64) -> f64 {
        match self.factorials.get(n as usize) {
            Some(&v) => v,
            None => ln_gamma(n as f64 + 1.0),
        }
    }

    /// `ln C(n, k)`.
    #[inline]
    pub(super) fn choose(&self, n: u64, k: u64) -> f64 {
        self.factorial(n) - self.factorial(k) - self.factorial(n - k)
    }

    /// `ln ((n, k))`: the ways to spread `k` alike things over `n` boxes, `C(n + k - 1, k)`.
    #[inline]
    pub(super) fn multiset(&self, n: u64, k: u64) -> f64 {
        if n == 0 || k == 0 {
            0.0
        } else {
            self.factorial(n + k - 1) - self.factorial(k) - self.factorial(n - 1)
        }
    }
}

fn of_normal(count: u32) -> f64 {
    let n = 1.0 + f64::from(count);
    0.5 * n.ln() + ln_gamma(0.5) - ln_gamma(0.5 * n)
}

/// Which model the blocks of a level obey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Layer {
    /// The graph itself.
    Ground { deg_corr: bool, weights: WeightTerm },
    /// The multigraph of the blocks below: uniform over multigraphs with given edge counts.
    Blocks,
}

/// The terms of one level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) layer: Layer,
    pub(super) lf: &'a LogFactorials,
}

impl Terms<'_> {
    /// Cost of what lies between two different blocks of `n_r` and `n_s` nodes.
    #[inline(always)]
    pub(super) fn between(&self, cell: &Cell, n_r: u64, n_s: u64) -> f64 {
        let count = u64::from(cell.count);
        match &self.layer {
            Layer::Ground { weights, .. } => weights.cost(cell, self.lf) - self.lf.factorial(count),
            Layer::Blocks => self.lf.multiset(n_r * n_s, count),
        }
    }

    /// Cost of what lies within a block of `n_r` nodes. `e_rr` is twice the number of inner edges `c`, and
    /// `e_rr!! = 2^c c!`.
    #[inline]
    pub(super) fn within(&self, cell: &Cell, n_r: u64) -> f64 {
        let count = u64::from(cell.count);
        match &self.layer {
            Layer::Ground { weights, .. } => {
                weights.cost(cell, self.lf)
                    - self.lf.factorial(count)
                    - f64::from(cell.count) * LN_2
            }
            Layer::Blocks => self.lf.multiset(n_r * (n_r + 1) / 2, count),
        }
    }

    /// Cost of a block of `n_r` nodes and `e_r` edge ends.
    #[inline]
    pub(super) fn block(&self, n_r: u64, e_r: u64) -> f64 {
        if n_r == 0 {
            return 0.0;
        }
        let degrees = match self.layer {
            Layer::Ground {
                deg_corr: false, ..
            } => e_r as f64 * (n_r as f64).ln(),
            Layer::Ground { deg_corr: true, .. } => {
                self.lf.factorial(e_r) + self.lf.multiset(n_r, e_r)
            }
            Layer::Blocks => 0.0,
        };
        degrees - self.lf.factorial(n_r)
    }

    /// What the partition prior says beside the block sizes: `ln N! + ln C(N - 1, B - 1) + ln N`.
    #[inline]
    pub(super) fn partition(&self, n: u64, b: u64) -> f64 {
        self.lf.factorial(n) + self.lf.choose(n - 1, b - 1) + (n as f64).ln()
    }

    /// The flat prior of the edge counts: `ln ((B (B + 1) / 2, E))`.
    #[inline]
    pub(super) fn edge_counts(&self, b: u64, n_edges: u64) -> f64 {
        self.lf.multiset(b * (b + 1) / 2, n_edges)
    }
}
