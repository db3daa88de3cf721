//! Step 1: paths of all clusters, given states and dynamics.
//!
//! Pólya-Gamma variables turn counts into Gaussian pseudo-data. Given these, the stacked path is Gaussian with a
//! block-tridiagonal precision; its block Cholesky factor, found forwards, and a solve backwards give a draw. That is
//! forward filtering and backward sampling in information form: k x k solves, and nothing that grows with the neurons.

use chiasm_core::{Rng, vectorized};
use rand_distr::{Distribution, StandardNormal};

use super::dense::{LnProduct, cholesky, half_ln_det, inverse_of, multiply};
use super::lanes::dot;
use super::pseudo_data::Evidence;
use super::state::{ChainState, Dynamics};

/// Numbers of a row handled at once: two vector registers of the widest kind.
const BLOCK: usize = 16;

/// What the dynamics of a state contribute to the precision of the paths: matrices in rows of [`Space::stride`].
pub(super) struct Information {
    /// Q^-1, behind it Q^-1 b: of the bin that the state governs.
    into: Vec<f64>,
    /// A' Q^-1 A, behind it -A' Q^-1 b: of the bin before.
    out: Vec<f64>,
    /// -(Q^-1 A)': between the two.
    link: Vec<f64>,
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
        let transposed = super::dense::transposed(&dynamics.a, k, k);
        let mut link = vec![0.0; k * k];
        multiply(&transposed, &precision, &mut link, k, k, k);
        let mut backward = vec![0.0; k * k];
        multiply(&link, &dynamics.a, &mut backward, k, k, k);
        link.iter_mut().for_each(|v| *v = -*v);
        let (mut push, mut pull) = (vec![0.0; k], vec![0.0; k]);
        multiply(&precision, &dynamics.b, &mut push, k, k, 1);
        multiply(&link, &dynamics.b, &mut pull, k, k, 1);
        let pushed: f64 = dynamics.b.iter().zip(&push).map(|(b, p)| b * p).sum();
        let in_rows = |matrix: &[f64], behind: &[f64]| {
            let mut rows = vec![0.0; Space::size(k)];
            for (a, row) in rows.chunks_exact_mut(Space::stride(k)).enumerate() {
                row[..k].copy_from_slice(&matrix[a * k..(a + 1) * k]);
                row[k] = behind[a];
            }
            rows
        };
        Some(Self {
            ln_constant: -half_ln_det - 0.5 * pushed,
            into: in_rows(&precision, &push),
            out: in_rows(&backward, &pull),
            link: in_rows(&link, &vec![0.0; k]),
        })
    }
}

/// What the forward pass leaves of each bin, and room to undo a part of it.
///
/// Matrices of a bin have a row of [`Space::stride`] numbers for each of m coordinates: m for the matrix, then that of the right
/// side, then zeros, so that whole rows fill vector registers.
#[derive(Default)]
pub(super) struct Space {
    /// U = C', C the Cholesky factor of the precision of a bin with earlier bins integrated out (only the upper triangle means
    /// anything); behind it C^-1 times the right side.
    pub factors: Vec<f64>,
    /// W = C_{t-1}^-1 (-Q^-1 A)'; behind it what stands behind the factor of bin t - 1.
    pub links: Vec<f64>,
    /// What each bin adds to the log evidence.
    pub terms: Vec<f64>,
    /// `[bin, coordinate]`: the path last drawn.
    path: Vec<f64>,
    pub undo: Vec<f64>,
    /// Length of the matrices held.
    size: usize,
}

impl Space {
    /// Length of a row of matrices with `m` columns.
    pub(super) fn stride(m: usize) -> usize {
        (m + 1).next_multiple_of(BLOCK)
    }

    /// Length of a matrix.
    pub(super) fn size(m: usize) -> usize {
        m * Self::stride(m)
    }
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
        let size = Space::size(m);
        // Zeros behind the right sides stay, unless rows were of another length.
        for matrices in [&mut space.factors, &mut space.links] {
            if space.size != size {
                matrices.clear();
            }
            matrices.resize(n_bins * size, 0.0);
        }
        space.size = size;
        space.terms.resize(n_bins, 0.0);
        (0..n_bins).map(|t| self.eliminate(state, t, space)).sum()
    }

    /// Integrates out the bins before `t`, given that this was done for bin t - 1. Returns what the bin adds to the log
    /// evidence.
    pub(super) fn eliminate(&self, state: &ChainState, t: usize, space: &mut Space) -> Option<f64> {
        vectorized(
            #[inline(always)]
            || self.eliminate_in_registers(state, t, space),
        )
    }

    #[inline(always)]
    fn eliminate_in_registers(
        &self,
        state: &ChainState,
        t: usize,
        space: &mut Space,
    ) -> Option<f64> {
        let m = self.own().len();
        let stride = Space::stride(m);
        let size = Space::size(m);
        let (before, here) = space.factors.split_at_mut(t * size);
        let factor = &mut here[..size];
        self.assemble(state, t, stride, factor);
        let into = (t > 0).then(|| &self.information[state.states[t]]);
        let link = &mut space.links[t * size..(t + 1) * size];
        if let Some(into) = into {
            let before = &before[(t - 1) * size..];
            self.couple(into, state.k(), stride, link);
            // W = C_{t-1}^-1 (-Q^-1 A)', row by row.
            for (i, own) in before.chunks_exact(stride).enumerate().take(m) {
                let (above, row) = link.split_at_mut(i * stride);
                let inverse = 1.0 / own[i];
                for (block, row) in row[..stride].as_chunks_mut().0.iter_mut().enumerate() {
                    let factors = before.chunks_exact(stride).map(|u| u[i]);
                    *row = less_rows(*row, factors, above.chunks_exact(stride), block);
                    for x in row {
                        *x *= inverse;
                    }
                }
                row[m] = own[m];
            }
        }
        let (mut product, mut squares) = (LnProduct::default(), 0.0);
        for i in 0..m {
            let (above, row) = factor.split_at_mut(i * stride);
            let row = &mut row[..stride];
            for (block, row) in row.as_chunks_mut().0.iter_mut().enumerate() {
                if t > 0 {
                    // What the bins before say is W'W.
                    let links = link.chunks_exact(stride);
                    *row = less_rows(*row, links.clone().map(|w| w[i]), links, block);
                }
                let above = above.chunks_exact(stride);
                *row = less_rows(*row, above.clone().map(|u| u[i]), above, block);
            }
            let pivot = row[i];
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            let inverse = 1.0 / pivot.sqrt();
            for x in row.iter_mut() {
                *x *= inverse;
            }
            product.times(row[i]);
            squares += row[m] * row[m];
        }
        let term = 0.5 * squares - product.ln() + into.map_or(0.0, |i| i.ln_constant);
        space.terms[t] = term;
        Some(term)
    }

    /// What dynamics, the paths of other clusters and the pseudo-data say of a bin's path by itself: its precision in rows of
    /// `stride`, and behind it the right side.
    #[inline(always)]
    pub(super) fn assemble(&self, state: &ChainState, t: usize, stride: usize, out: &mut [f64]) {
        let (rows, k, n_bins) = (self.evidence.rows, state.k(), state.n_bins());
        let own = self.own();
        let m = own.len();
        // The prior's part: from the bin before (or the start, N(0, I)) and to the bin after.
        let into = (t > 0).then(|| &self.information[state.states[t]]);
        let after = (t + 1 < n_bins).then(|| &self.information[state.states[t + 1]]);
        if let (Some(into), Some(after)) = (into, after)
            && (m, stride) == (k, Space::stride(k))
        {
            for ((o, a), b) in out.iter_mut().zip(&into.into).zip(&after.out) {
                *o = a + b;
            }
        } else {
            for (a, out) in own.clone().zip(out.chunks_exact_mut(stride)) {
                let row = a * Space::stride(k);
                let places = (row + own.start..row + own.end).chain([row + k]);
                for (b, (o, at)) in out.iter_mut().zip(places).enumerate() {
                    let start = if b == a - own.start { 1.0 } else { 0.0 };
                    *o = into.map_or(start, |i| i.into[at]) + after.map_or(0.0, |o| o.out[at]);
                }
            }
        }
        if m < k {
            others(state, into, after, t, own, stride, out);
        }
        // The evidence's part.
        for (block, c) in self.clusters.clone().enumerate() {
            let at = t * self.evidence.n_clusters + c;
            let j = &self.evidence.j[at * rows * rows..][..rows * rows];
            let h = &self.evidence.h[at * rows..][..rows];
            for a in 0..rows {
                let out = &mut out[(block * rows + a) * stride..][..=m];
                out[m] += h[a];
                for b in 0..rows {
                    out[block * rows + b] += j[a * rows + b];
                }
            }
        }
    }

    /// The block of the precision that couples a bin (columns) with the one before (rows), in rows of `stride`.
    #[inline(always)]
    pub(super) fn couple(&self, into: &Information, k: usize, stride: usize, out: &mut [f64]) {
        let (own, width) = (self.own(), Space::stride(k));
        if (own.len(), stride) == (k, width) {
            for (o, v) in out.iter_mut().zip(&into.link) {
                *o = *v;
            }
            return;
        }
        for (a, out) in own.clone().zip(out.chunks_exact_mut(stride)) {
            let row = &into.link[a * width..][own.clone()];
            out[..own.len()].copy_from_slice(row);
        }
    }

    /// Draws the path backwards from what the forward pass has left, or finds its mean without `noise`.
    pub(super) fn backward(&self, mut noise: Option<&mut Rng>, space: &mut Space) {
        let m = self.own().len();
        let stride = Space::stride(m);
        let size = Space::size(m);
        space.path.resize(space.terms.len() * m, 0.0);
        let (mut after, mut now) = (vec![0.0; stride], vec![0.0; stride]);
        let mut rhs = vec![0.0; m];
        for (t, path) in space.path.chunks_exact_mut(m).enumerate().rev() {
            rhs.fill(0.0);
            if let Some(rng) = noise.as_deref_mut() {
                rhs.fill_with(|| StandardNormal.sample(rng));
            }
            now.fill(0.0);
            // Past the last bin there is nothing: any link will do.
            let link = space.links.chunks_exact(size).nth(t + 1);
            let link = link.unwrap_or(&space.links[..size]);
            let factor = &space.factors[t * size..(t + 1) * size];
            vectorized(
                #[inline(always)]
                || {
                    for i in (0..m).rev() {
                        let row = &factor[i * stride..(i + 1) * stride];
                        let known = dot(row, &now) + dot(&link[i * stride..][..stride], &after);
                        now[i] = (row[m] + rhs[i] - known) / row[i];
                    }
                },
            );
            path.copy_from_slice(&now[..m]);
            std::mem::swap(&mut now, &mut after);
        }
    }

    /// Puts a drawn path where it belongs.
    pub(super) fn take(&self, state: &mut ChainState, space: &Space) {
        let (k, own) = (state.k(), self.own());
        for (x, drawn) in state
            .paths
            .chunks_exact_mut(k)
            .zip(space.path.chunks_exact(own.len()))
        {
            x[own.clone()].copy_from_slice(drawn);
        }
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

/// A block of columns of a row, less those of other rows times factors.
#[inline(always)]
fn less_rows<'a>(
    mut row: [f64; BLOCK],
    factors: impl Iterator<Item = f64>,
    rows: impl Iterator<Item = &'a [f64]>,
    block: usize,
) -> [f64; BLOCK] {
    for (factor, from) in factors.zip(rows) {
        let from = from.as_chunks::<BLOCK>().0[block];
        for l in 0..BLOCK {
            row[l] = (-factor).mul_add(from[l], row[l]);
        }
    }
    row
}

/// Adds what the paths outside of `own` (stacked coordinates) say of those within to the right side behind the rows of `out`.
fn others(
    state: &ChainState,
    into: Option<&Information>,
    after: Option<&Information>,
    t: usize,
    own: std::ops::Range<usize>,
    stride: usize,
    out: &mut [f64],
) {
    let (k, m) = (state.k(), own.len());
    let at = |t: usize, part: &std::ops::Range<usize>| &state.paths[t * k..][part.clone()];
    for part in [0..own.start, own.end..k] {
        let dot = |matrix: &[f64], a: usize, x: &[f64]| -> f64 {
            let row = &matrix[a * Space::stride(k)..][part.clone()];
            row.iter().zip(x).map(|(m, x)| m * x).sum()
        };
        let now = at(t, &part);
        for (o, a) in out.chunks_exact_mut(stride).zip(own.clone()) {
            if let Some(i) = into {
                o[m] -= dot(&i.into, a, now);
            }
            if let Some(i) = after {
                o[m] -= dot(&i.out, a, now) + dot(&i.link, a, at(t + 1, &part));
            }
        }
        if let Some(i) = into {
            // The link's rows are those of the bin before: here its columns count.
            let before = i.link.chunks_exact(Space::stride(k)).skip(part.start);
            for (row, x) in before.zip(at(t - 1, &part)) {
                for (o, link) in out.chunks_exact_mut(stride).zip(&row[own.clone()]) {
                    o[m] -= link * x;
                }
            }
        }
    }
}
