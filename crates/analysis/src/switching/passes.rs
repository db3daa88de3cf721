//! The two passes over the data, for all states at once:
//!
//! - [`Passes::emissions`]: log p(bin | state) of every bin and state (E-step);
//! - [`Passes::gradient`]: the derivative of sum gamma log p by every weight (M-step), fused: drive, link, slope and the
//!   product with the history stay in registers and the nearest cache, and blocks of bins that a state has no part in
//!   are skipped.
//!
//! Work is cut into tasks by the data alone and tasks are summed in their order: same bits on any number of threads.

// Lanes of several arrays go side by side: an index says so best.
#![allow(clippy::needless_range_loop)]

use chiasm_core::vectorized;
use std::marker::PhantomData;

use ndarray::{Array2, Array3, ArrayView3};
use rayon::prelude::*;

use super::design::{Blocks, LANES, Lanes, Trials};
use super::link::{
    Bernoulli, Link, Observation, PoissonExp, PoissonLogSoftplus, PoissonSigmoid, PoissonSoftplus,
    PoissonSqrtSoftplus, Response,
};
use super::number::Number;

/// Responsibilities below this count as none: a bin's share in a state that it is not in.
const NO_PART: f64 = 1e-6;
/// Blocks handled at once, so that their slopes stay in the nearest cache.
const GROUP: usize = 16;
/// Blocks of a task.
const TASK: usize = 128;

/// The passes, in one precision and for one response.
pub(super) trait Passes: Send + Sync {
    /// log p(bin | state) `[bin, state]`, terms -ln x! included, for weights `[state, unit, history unit + bias]`.
    fn emissions(&self, weights: ArrayView3<'_, f64>) -> Array2<f64>;

    /// Derivatives of sum gamma log p by the weights, in their shape, and by the kernel (empty where it is fixed).
    fn gradient(&self, weights: ArrayView3<'_, f64>, share: &Share) -> (Array3<f64>, Vec<f64>);

    /// Which blocks each state has a part in, for responsibilities `[bin, state]`.
    fn share(&self, gamma: &Array2<f64>) -> Share;

    /// The history by another kernel.
    fn set_kernel(&mut self, kernel: &[f64]);
}

/// Responsibilities, sorted for [`Passes::gradient`].
pub(super) struct Share {
    /// For each state the blocks it has a part in.
    blocks: Vec<Vec<u32>>,
    /// For each state and each of its blocks the responsibilities of the block's bins.
    gamma: Vec<Vec<Lanes<f64>>>,
}

/// Passes for this response, in single or double precision.
pub(super) fn passes(
    trials: Trials,
    kernel: &[f64],
    how: (Link, Observation),
    skip: usize,
    single: bool,
    learn_kernel: bool,
) -> Box<dyn Passes> {
    macro_rules! with {
        ($response:ty) => {{
            let laid: Box<dyn Passes> = if single {
                let laid = Laid::<f32, $response>::new(trials, kernel, skip, learn_kernel);
                Box::new(laid)
            } else {
                let laid = Laid::<f64, $response>::new(trials, kernel, skip, learn_kernel);
                Box::new(laid)
            };
            laid
        }};
    }
    match how {
        (_, Observation::Bernoulli) => with!(Bernoulli),
        (Link::Sigmoid, _) => with!(PoissonSigmoid),
        (Link::Softplus, _) => with!(PoissonSoftplus),
        (Link::Exp, _) => with!(PoissonExp),
        (Link::SqrtSoftplus, _) => with!(PoissonSqrtSoftplus),
        (Link::LogSoftplus, _) => with!(PoissonLogSoftplus),
    }
}

/// `s[j] = sum_k values[k][j] factor[k]`. Nothing in the loop may panic, or the sums leave the registers.
#[inline(always)]
fn side_by_side<N: Number, const I: usize>(
    factor: &[Lanes<N>],
    values: impl Iterator<Item = [N; I]>,
) -> [Lanes<N>; I] {
    let mut s = [[N::default(); LANES]; I];
    for (f, v) in factor.iter().zip(values) {
        for j in 0..I {
            for l in 0..LANES {
                s[j][l] = v[j].times_plus(f[l], s[j][l]);
            }
        }
    }
    s
}

/// [`side_by_side`] for 8 rows into memory, in two halves where the registers hold no more.
#[inline(always)]
fn eight_rows<N: Number>(factor: &[Lanes<N>], values: &[Lanes<N>], to: &mut [Lanes<N>; LANES]) {
    if N::NARROW {
        *to = side_by_side(factor, values.iter().copied());
    } else {
        let low = side_by_side(factor, values.iter().map(|v| [v[0], v[1], v[2], v[3]]));
        to[..4].copy_from_slice(&low);
        let high = side_by_side(factor, values.iter().map(|v| [v[4], v[5], v[6], v[7]]));
        to[4..].copy_from_slice(&high);
    }
}

/// `to = f(x, u)` for the 8 x 8 counts and drives of a block and a panel, drives within the link's reach. One long loop:
/// of a short one the compiler makes single instructions instead of vectors.
#[inline(always)]
fn each<N: Number>(x: &[Lanes<N>], u: &[Lanes<N>], to: &mut [Lanes<N>], f: impl Fn(N, N) -> N) {
    let reach = N::of(N::REACH);
    let (x, u, to) = (x.as_flattened(), u.as_flattened(), to.as_flattened_mut());
    for ((to, x), u) in to.iter_mut().zip(x).zip(u) {
        *to = f(*x, u.least(reach).largest(-reach));
    }
}

/// Data laid out for one precision and one response.
struct Laid<N, R> {
    trials: Trials,
    blocks: Blocks<N>,
    /// Counts 1, 2, ... bins earlier; empty where the kernel is fixed.
    lags: Vec<Blocks<N>>,
    skipped: Vec<bool>,
    response: PhantomData<R>,
}

impl<N: Number, R: Response> Laid<N, R> {
    fn new(trials: Trials, kernel: &[f64], skip: usize, learn_kernel: bool) -> Self {
        let n_lags = if learn_kernel { kernel.len() } else { 0 };
        let lag = |k: usize| {
            let mut only = vec![0.0; kernel.len()];
            only[k] = 1.0;
            let earlier = trials.history(&only);
            Blocks::of(&earlier, &earlier)
        };
        Self {
            blocks: Blocks::of(&trials.x, &trials.history(kernel)),
            lags: (0..n_lags).map(lag).collect(),
            skipped: trials.is_skipped(skip),
            trials,
            response: PhantomData,
        }
    }

    /// Weights `[state][panel][feature]`, units side by side.
    fn packed(&self, weights: ArrayView3<'_, f64>) -> Vec<Lanes<N>> {
        let (n_states, n_units, n_features) = weights.dim();
        let panels = self.blocks.panels;
        let mut packed = vec![[N::default(); LANES]; n_states * panels * n_features];
        for s in 0..n_states {
            for u in 0..n_units {
                for f in 0..n_features {
                    let at = (s * panels + u / LANES) * n_features + f;
                    packed[at][u % LANES] = N::of(weights[[s, u, f]]);
                }
            }
        }
        packed
    }
}

impl<N: Number, R: Response> Passes for Laid<N, R> {
    fn emissions(&self, weights: ArrayView3<'_, f64>) -> Array2<f64> {
        let (n_states, n_units, n_features) = weights.dim();
        let packed = self.packed(weights);
        let n_bins = self.trials.n_bins();
        let size = self.blocks.panels * n_features;
        let mut out = Array2::zeros((n_bins, n_states));
        if let Some(flat) = out.as_slice_mut() {
            flat.par_chunks_mut(TASK * LANES * n_states)
                .enumerate()
                .for_each(|(task, out)| {
                    vectorized(
                        #[inline(always)]
                        || {
                            let first = task * TASK;
                            let last = (first + TASK).min(self.blocks.n_blocks);
                            for b in first..last {
                                for s in 0..n_states {
                                    let sum =
                                        self.log_p(b, &packed[s * size..(s + 1) * size], n_units);
                                    let n = LANES.min(n_bins - b * LANES);
                                    for (k, v) in sum.iter().enumerate().take(n) {
                                        out[((b - first) * LANES + k) * n_states + s] = *v;
                                    }
                                }
                            }
                        },
                    );
                });
        }
        for ((mut row, constant), skipped) in out
            .rows_mut()
            .into_iter()
            .zip(&self.trials.constant)
            .zip(&self.skipped)
        {
            row.mapv_inplace(|v| if *skipped { 0.0 } else { v + constant });
        }
        out
    }

    fn gradient(&self, weights: ArrayView3<'_, f64>, share: &Share) -> (Array3<f64>, Vec<f64>) {
        let (n_states, n_units, n_features) = weights.dim();
        let packed = self.packed(weights);
        let size = self.blocks.panels * n_features;
        let tasks: Vec<(usize, usize)> = (0..n_states)
            .flat_map(|s| (0..share.blocks[s].len().div_ceil(TASK)).map(move |k| (s, k)))
            .collect();
        let sums: Vec<(Vec<Lanes<f64>>, Vec<f64>)> = tasks
            .par_iter()
            .map(|&(s, k)| {
                let (from, to) = (k * TASK, ((k + 1) * TASK).min(share.blocks[s].len()));
                let padded = self.blocks.panels * self.blocks.groups * LANES;
                let mut sum = vec![[0.0; LANES]; padded];
                let mut by_kernel = vec![0.0; self.lags.len()];
                vectorized(
                    #[inline(always)]
                    || {
                        self.task(
                            &share.blocks[s][from..to],
                            &share.gamma[s][from..to],
                            &packed[s * size..(s + 1) * size],
                            &mut sum,
                            &mut by_kernel,
                        );
                    },
                );
                (sum, by_kernel)
            })
            .collect();
        let mut gradient = Array3::zeros((n_states, n_units, n_features));
        let mut by_kernel = vec![0.0; self.lags.len()];
        for ((s, _), (sum, kernel)) in tasks.iter().zip(&sums) {
            for u in 0..n_units {
                let panel = &sum[u / LANES * self.blocks.groups * LANES..];
                for f in 0..n_features {
                    gradient[[*s, u, f]] += panel[f][u % LANES];
                }
            }
            by_kernel.iter_mut().zip(kernel).for_each(|(g, v)| *g += v);
        }
        (gradient, by_kernel)
    }

    fn share(&self, gamma: &Array2<f64>) -> Share {
        let (n_bins, n_states) = gamma.dim();
        let mut share = Share {
            blocks: vec![vec![]; n_states],
            gamma: vec![vec![]; n_states],
        };
        for b in 0..self.blocks.n_blocks {
            for s in 0..n_states {
                let part: Lanes<f64> = std::array::from_fn(|k| {
                    let t = b * LANES + k;
                    if t >= n_bins || self.skipped[t] || gamma[[t, s]] < NO_PART {
                        0.0
                    } else {
                        gamma[[t, s]]
                    }
                });
                if part.iter().any(|p| *p > 0.0) {
                    share.blocks[s].push(b as u32);
                    share.gamma[s].push(part);
                }
            }
        }
        share
    }

    fn set_kernel(&mut self, kernel: &[f64]) {
        self.blocks = Blocks::of(&self.trials.x, &self.trials.history(kernel));
    }
}

impl<N: Number, R: Response> Laid<N, R> {
    /// log p of a block's bins under one state, without -ln x!.
    #[inline(always)]
    fn log_p(&self, b: usize, weights: &[Lanes<N>], n_units: usize) -> [f64; LANES] {
        let by_feature = self.blocks.by_feature(b);
        let mut sums = [[N::default(); LANES]; LANES];
        let mut u = [[N::default(); LANES]; LANES];
        let mut each_log_p = [[N::default(); LANES]; LANES];
        for (p, weights) in weights.chunks_exact(self.blocks.n_features).enumerate() {
            eight_rows(weights, by_feature, &mut u);
            each(self.blocks.counts(b, p), &u, &mut each_log_p, R::log_p);
            // Lanes beyond the last unit count for nothing.
            let there: Lanes<N> =
                std::array::from_fn(|l| N::of(f64::from(u8::from(p * LANES + l < n_units))));
            for (sum, log_p) in sums.iter_mut().zip(&each_log_p) {
                for l in 0..LANES {
                    sum[l] = there[l].times_plus(log_p[l], sum[l]);
                }
            }
        }
        sums.map(|lanes| lanes.iter().map(|v| v.wide()).sum())
    }

    /// Adds the gradient of some blocks of one state to `sum`, `[panel][feature]`, units side by side.
    #[inline(always)]
    fn task(
        &self,
        blocks: &[u32],
        gamma: &[Lanes<f64>],
        weights: &[Lanes<N>],
        sum: &mut [Lanes<f64>],
        by_kernel: &mut [f64],
    ) {
        const BINS: usize = GROUP * LANES;
        let (panels, groups) = (self.blocks.panels, self.blocks.groups);
        // Slopes `[panel][bin]`, units side by side; features `[group][bin]`, features side by side.
        let mut slopes = vec![[N::default(); LANES]; panels * BINS];
        let mut features = vec![[N::default(); LANES]; groups * BINS];
        let mut u = [[N::default(); LANES]; LANES];
        let mut rows = [[N::default(); LANES]; LANES];
        for (blocks, gamma) in blocks.chunks(GROUP).zip(gamma.chunks(GROUP)) {
            for ((i, &b), part) in blocks.iter().enumerate().zip(gamma) {
                let (b, at) = (b as usize, i * LANES);
                let by_feature = self.blocks.by_feature(b);
                for (p, weights) in weights.chunks_exact(self.blocks.n_features).enumerate() {
                    eight_rows(weights, by_feature, &mut u);
                    let slopes = &mut slopes[p * BINS + at..p * BINS + at + LANES];
                    each(self.blocks.counts(b, p), &u, slopes, R::slope);
                    for (slopes, part) in slopes.iter_mut().zip(part) {
                        let part = N::of(*part);
                        for l in 0..LANES {
                            slopes[l] = part * slopes[l];
                        }
                    }
                }
                for g in 0..groups {
                    let from = self.blocks.by_bin(b, g);
                    features[g * BINS + at..g * BINS + at + LANES].copy_from_slice(from);
                }
            }
            let n_bins = blocks.len() * LANES;
            for p in 0..panels {
                let slopes = &slopes[p * BINS..p * BINS + n_bins];
                for g in 0..groups {
                    let features = &features[g * BINS..g * BINS + n_bins];
                    eight_rows(slopes, features, &mut rows);
                    let at = (p * groups + g) * LANES;
                    for (sum, row) in sum[at..at + LANES].iter_mut().zip(&rows) {
                        for l in 0..LANES {
                            sum[l] += row[l].wide();
                        }
                    }
                }
            }
            if !self.lags.is_empty() {
                self.through_kernel(blocks, &slopes, BINS, weights, by_kernel);
            }
        }
    }

    /// Derivatives by the kernel: what each unit's history is worth, times its counts at each lag.
    #[inline(always)]
    fn through_kernel(
        &self,
        blocks: &[u32],
        slopes: &[Lanes<N>],
        stride: usize,
        weights: &[Lanes<N>],
        by_kernel: &mut [f64],
    ) {
        let n_features = self.blocks.n_features;
        for (i, &b) in blocks.iter().enumerate() {
            for m in 0..n_features - 1 {
                let mut worth = [0.0; LANES];
                for (p, weights) in weights.chunks_exact(n_features).enumerate() {
                    let slopes = &slopes[p * stride + i * LANES..];
                    for (worth, slope) in worth.iter_mut().zip(slopes) {
                        for l in 0..LANES {
                            *worth += (weights[m][l] * slope[l]).wide();
                        }
                    }
                }
                for (total, lag) in by_kernel.iter_mut().zip(&self.lags) {
                    let x = &lag.by_feature(b as usize)[m];
                    *total += worth.iter().zip(x).map(|(w, x)| w * x.wide()).sum::<f64>();
                }
            }
        }
    }
}
