//! Step 1: paths of all clusters, given states and dynamics.
//!
//! Pólya-Gamma variables turn counts into Gaussian pseudo-data. Given these, the stacked path is Gaussian with a
//! block-tridiagonal precision; its block Cholesky factor, found forwards, and a solve backwards give a draw. That is
//! forward filtering and backward sampling in information form: k x k solves, and nothing that grows with the neurons.

use chiasm_core::{Rng, vectorized};
use rand_distr::{Distribution, StandardNormal};

use super::dense::{
    cholesky, half_ln_det, inverse_of, multiply, solve_lower, solve_lower_many,
    solve_lower_transposed, subtract_gram,
};
use super::pseudo_data::Evidence;
use super::state::{ChainState, Dynamics};

/// What the dynamics of a state contribute to the precision of the paths.
pub(super) struct Information {
    /// Q^-1
    precision: Vec<f64>,
    /// Q^-1 A
    coupling: Vec<f64>,
    /// A' Q^-1 A
    backward: Vec<f64>,
    /// Q^-1 b
    push: Vec<f64>,
    /// A' Q^-1 b
    pull: Vec<f64>,
    /// log of the density of a step at x = 0 from x = 0, without 2 pi.
    ln_constant: f64,
}

impl Information {
    /// `None` where Q is not positive definite.
    pub(super) fn of(dynamics: &Dynamics, k: usize) -> Option<Self> {
        let mut factor = dynamics.q.clone();
        if !cholesky(&mut factor, k) {
            return None;
        }
        let precision = inverse_of(&factor, k);
        let half_ln_det = half_ln_det(&factor, k);
        let mut coupling = vec![0.0; k * k];
        multiply(&precision, &dynamics.a, &mut coupling, k, k, k);
        let transposed = super::dense::transposed(&dynamics.a, k, k);
        let mut backward = vec![0.0; k * k];
        multiply(&transposed, &coupling, &mut backward, k, k, k);
        let (mut push, mut pull) = (vec![0.0; k], vec![0.0; k]);
        multiply(&precision, &dynamics.b, &mut push, k, k, 1);
        multiply(&transposed, &push, &mut pull, k, k, 1);
        let pushed: f64 = dynamics.b.iter().zip(&push).map(|(b, p)| b * p).sum();
        Some(Self {
            ln_constant: -half_ln_det - 0.5 * pushed,
            precision,
            coupling,
            backward,
            push,
            pull,
        })
    }
}

/// What the forward pass leaves of each bin, and room to undo a part of it.
#[derive(Default)]
pub(super) struct Space {
    /// Cholesky factors of the precision of a bin, earlier bins integrated out.
    pub factors: Vec<f64>,
    /// W = C_{t-1}^-1 (-Q^-1 A)'
    pub links: Vec<f64>,
    /// C_t^-1 times the right side.
    pub means: Vec<f64>,
    /// What each bin adds to the log evidence.
    pub terms: Vec<f64>,
    pub undo: Vec<f64>,
}

/// A Gaussian path to be drawn: that of some clusters (a range of positions) given those of the others.
pub(super) struct Conditional<'a> {
    pub information: &'a [Information],
    pub evidence: &'a Evidence,
    pub clusters: std::ops::Range<usize>,
}

impl Conditional<'_> {
    /// Stacked coordinates drawn, as a range.
    pub(super) fn own(&self) -> std::ops::Range<usize> {
        self.clusters.start * self.evidence.rows..self.clusters.end * self.evidence.rows
    }

    /// Integrates out all bins but the last, one after the other. Returns the log evidence of the pseudo-data (but for a
    /// constant of theirs) where all clusters are drawn; `None` where a precision is not positive definite.
    pub(super) fn forward(&self, state: &ChainState, space: &mut Space) -> Option<f64> {
        let (m, n_bins) = (self.own().len(), state.n_bins());
        space.factors.resize(n_bins * m * m, 0.0);
        space.links.resize(n_bins * m * m, 0.0);
        space.means.resize(n_bins * m, 0.0);
        space.terms.resize(n_bins, 0.0);
        (0..n_bins).map(|t| self.eliminate(state, t, space)).sum()
    }

    /// Integrates out the bins before `t`, given that this was done for bin t - 1. Returns what the bin adds to the log
    /// evidence.
    pub(super) fn eliminate(&self, state: &ChainState, t: usize, space: &mut Space) -> Option<f64> {
        // Compiled for the sizes that are common: one to four clusters of three rows.
        macro_rules! sized {
            ($($size:literal),*) => {
                match self.own().len() {
                    $($size => vectorized(#[inline(always)] || self.eliminate_sized($size, state, t, space)),)*
                    m => self.eliminate_sized(m, state, t, space),
                }
            };
        }
        sized!(3, 6, 9, 12)
    }

    #[inline(always)]
    fn eliminate_sized(
        &self,
        m: usize,
        state: &ChainState,
        t: usize,
        space: &mut Space,
    ) -> Option<f64> {
        let (rows, k, n_bins) = (self.evidence.rows, state.k(), state.n_bins());
        let (own, from) = (self.own(), self.own().start);
        let (before, here) = space.factors.split_at_mut(t * m * m);
        let factor = &mut here[..m * m];
        let (means_before, means_here) = space.means.split_at_mut(t * m);
        let rhs = &mut means_here[..m];
        // The prior's part: from the bin before (or the start, N(0, I)) and to the bin after.
        let into = (t > 0).then(|| &self.information[state.states[t]]);
        let out = (t + 1 < n_bins).then(|| &self.information[state.states[t + 1]]);
        for a in 0..m {
            let row = (from + a) * k + from;
            for b in 0..=a {
                let start = if a == b { 1.0 } else { 0.0 };
                factor[a * m + b] = into.map_or(start, |i| i.precision[row + b])
                    + out.map_or(0.0, |o| o.backward[row + b]);
            }
            rhs[a] = into.map_or(0.0, |i| i.push[from + a]) - out.map_or(0.0, |o| o.pull[from + a]);
        }
        if m < k {
            others(state, into, out, t, own, rhs);
        }
        // The evidence's part.
        for (block, c) in self.clusters.clone().enumerate() {
            let at = t * self.evidence.n_clusters + c - self.evidence.first;
            let j = &self.evidence.j[at * rows * rows..][..rows * rows];
            let h = &self.evidence.h[at * rows..][..rows];
            for a in 0..rows {
                let row = block * rows + a;
                rhs[row] += h[a];
                for b in 0..=a {
                    factor[row * m + block * rows + b] += j[a * rows + b];
                }
            }
        }
        if let Some(into) = into {
            // W = C_{t-1}^-1 (-Q^-1 A)', with the coupling of bins t and t - 1 in its rows and columns.
            let link = &mut space.links[t * m * m..(t + 1) * m * m];
            for a in 0..m {
                for b in 0..m {
                    link[b * m + a] = -into.coupling[(from + a) * k + from + b];
                }
            }
            solve_lower_many(&before[(t - 1) * m * m..][..m * m], link, m, m);
            subtract_gram(factor, link, m, m);
            for (u, row) in means_before[(t - 1) * m..][..m]
                .iter()
                .zip(link.chunks_exact(m))
            {
                for (r, w) in rhs.iter_mut().zip(row) {
                    *r -= w * u;
                }
            }
        }
        if !cholesky(factor, m) {
            return None;
        }
        solve_lower(factor, rhs);
        let term = 0.5 * rhs.iter().map(|u| u * u).sum::<f64>() - half_ln_det(factor, m)
            + into.map_or(0.0, |i| i.ln_constant);
        space.terms[t] = term;
        Some(term)
    }

    /// Draws the path backwards from what the forward pass has left: `space.means` becomes the path, `[bin, coordinate]`, or
    /// its mean without `noise`.
    pub(super) fn backward(&self, mut noise: Option<&mut Rng>, space: &mut Space) {
        let m = self.own().len();
        for t in (0..space.terms.len()).rev() {
            let (here, after) = space.means.split_at_mut((t + 1) * m);
            let rhs = &mut here[t * m..];
            if let Some(rng) = noise.as_deref_mut() {
                for r in rhs.iter_mut() {
                    let e: f64 = StandardNormal.sample(rng);
                    *r += e;
                }
            }
            if !after.is_empty() {
                let link = &space.links[(t + 1) * m * m..(t + 2) * m * m];
                for (r, row) in rhs.iter_mut().zip(link.chunks_exact(m)) {
                    *r -= row.iter().zip(&after[..m]).map(|(w, x)| w * x).sum::<f64>();
                }
            }
            solve_lower_transposed(&space.factors[t * m * m..(t + 1) * m * m], rhs);
        }
    }

    /// Puts a drawn path where it belongs.
    pub(super) fn take(&self, state: &mut ChainState, space: &Space) {
        let (k, own) = (state.k(), self.own());
        for (x, drawn) in state
            .paths
            .chunks_exact_mut(k)
            .zip(space.means.chunks_exact(own.len()))
        {
            x[own.clone()].copy_from_slice(drawn);
        }
    }

    /// `[bin, coordinate]`: a path drawn beside the state's own; `None` where a precision is not positive definite.
    pub(super) fn drawn(&self, state: &ChainState, rng: &mut Rng) -> Option<Vec<f64>> {
        let mut space = Space::default();
        self.forward(state, &mut space)?;
        self.backward(Some(rng), &mut space);
        Some(space.means)
    }

    /// Draws the paths into `state.paths`; without `noise` their conditional mean. Returns the log evidence of the
    /// pseudo-data as the forward pass does; `None` where a precision is not positive definite.
    pub(super) fn draw(
        &self,
        state: &mut ChainState,
        noise: Option<&mut Rng>,
        space: &mut Space,
    ) -> Option<f64> {
        let ln_evidence = self.forward(state, space)?;
        self.backward(noise, space);
        self.take(state, space);
        Some(ln_evidence)
    }
}

/// Draws the paths of `clusters` given those of the others: see [`Conditional::draw`].
pub(super) fn draw_paths(
    state: &mut ChainState,
    information: &[Information],
    evidence: &Evidence,
    clusters: std::ops::Range<usize>,
    noise: Option<&mut Rng>,
    space: &mut Space,
) -> Option<f64> {
    Conditional {
        information,
        evidence,
        clusters,
    }
    .draw(state, noise, space)
}

/// What the paths outside of `own` (stacked coordinates) say of those within.
fn others(
    state: &ChainState,
    into: Option<&Information>,
    out: Option<&Information>,
    t: usize,
    own: std::ops::Range<usize>,
    rhs: &mut [f64],
) {
    let k = state.k();
    let at = |t: usize, part: &std::ops::Range<usize>| &state.paths[t * k..][part.clone()];
    for part in [0..own.start, own.end..k] {
        let dot = |matrix: &[f64], a: usize, x: &[f64]| -> f64 {
            let row = &matrix[a * k..][part.clone()];
            row.iter().zip(x).map(|(m, x)| m * x).sum()
        };
        let now = at(t, &part);
        for (r, a) in rhs.iter_mut().zip(own.clone()) {
            if let Some(i) = into {
                *r += dot(&i.coupling, a, at(t - 1, &part)) - dot(&i.precision, a, now);
            }
            if let Some(o) = out {
                *r -= dot(&o.backward, a, now);
            }
        }
        if let Some(o) = out {
            // Row a of (Q^-1 A)' is column a of Q^-1 A.
            for (row, x) in o.coupling[part.start * k..part.end * k]
                .chunks_exact(k)
                .zip(at(t + 1, &part))
            {
                for (r, c) in rhs.iter_mut().zip(&row[own.clone()]) {
                    *r += c * x;
                }
            }
        }
    }
}
