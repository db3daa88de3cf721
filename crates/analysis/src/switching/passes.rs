//! The two passes over the data, for all states at once:
//!
//! - [`Passes::emissions`]: log p(bin | state) of every bin and state (E-step);
//! - [`Share::gradient`]: the derivative of sum gamma log p by every weight (M-step), fused: drive, link, slope and the
//!   product with the history stay in registers and the nearest cache. Bins that a state has no part in are left out once
//!   for all steps, when the share is made.
//!
//! Work is cut into tasks by the data alone and tasks are summed in their order: same bits on any number of threads.

// Lanes of several arrays go side by side: an index says so best.
#![allow(clippy::needless_range_loop)]

use chiasm_core::vectorized;
use std::marker::PhantomData;

use ndarray::{Array2, Array3, ArrayView3};
use rayon::prelude::*;

use super::blocks::{Blocks, GROUP, TILE, TileWeights};
use super::design::Trials;
use super::link::{
    Bernoulli, Link, Observation, PoissonExp, PoissonLogSoftplus, PoissonSigmoid, PoissonSoftplus,
    PoissonSqrtSoftplus, Response,
};
use super::share::Parted;
use crate::number::Number;

/// The passes, in one precision and for one response.
pub(super) trait Passes: Send + Sync {
    /// log p(bin | state) `[bin, state]`, terms -ln x! included, for weights `[state, unit, history unit + bias]`.
    fn emissions(&self, weights: ArrayView3<'_, f64>) -> Array2<f64>;

    /// What each state has a part in, for responsibilities `[bin, state]`.
    fn share(&self, gamma: &Array2<f64>) -> Box<dyn Share>;

    /// The history by another kernel.
    fn set_kernel(&mut self, kernel: &[f64]);
}

/// Bins with their responsibilities, sorted by state for the steps of one maximization.
pub(super) trait Share {
    /// Derivatives of sum gamma log p by the weights, in their shape, and by the kernel (empty where it is fixed).
    fn gradient(&self, weights: ArrayView3<'_, f64>) -> (Array3<f64>, Vec<f64>);

    /// The history by another kernel, where kernels are learned.
    fn set_kernel(&mut self, kernel: &[f64]);
}

/// Passes for this response, in single or double precision: numbers side by side fill 512 bits.
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
                let laid = Laid::<f32, $response, 16>::new(trials, kernel, skip, learn_kernel);
                Box::new(laid)
            } else {
                let laid = Laid::<f64, $response, 8>::new(trials, kernel, skip, learn_kernel);
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

/// Weights of all states in the order in which the passes read them.
pub(super) struct Packed<N> {
    n_tiles: usize,
    n_units: usize,
    /// `[state][tile]`.
    bias: Vec<[N; TILE]>,
    /// `[state][tile][history unit]`.
    weights: Vec<[N; TILE]>,
}

impl<N: Number> Packed<N> {
    pub(super) fn of(weights: ArrayView3<'_, f64>) -> Self {
        let (n_states, n_units, _) = weights.dim();
        let n_tiles = n_units.div_ceil(TILE);
        let zeros = |n: usize| vec![[N::default(); TILE]; n];
        let mut packed = Self {
            n_tiles,
            n_units,
            bias: zeros(n_states * n_tiles),
            weights: zeros(n_states * n_tiles * n_units),
        };
        for (s, weights) in weights.outer_iter().enumerate() {
            for (u, row) in weights.rows().into_iter().enumerate() {
                let (tile, unit) = (s * n_tiles + u / TILE, u % TILE);
                let to = &mut packed.weights[tile * n_units..(tile + 1) * n_units];
                to.iter_mut()
                    .zip(row)
                    .for_each(|(to, &w)| to[unit] = N::of(w));
                packed.bias[tile][unit] = N::of(row[n_units]);
            }
        }
        packed
    }

    #[inline(always)]
    pub(super) fn tile(&self, state: usize, tile: usize) -> TileWeights<'_, N> {
        let at = state * self.n_tiles + tile;
        TileWeights {
            bias: self.bias[at],
            weights: &self.weights[at * self.n_units..(at + 1) * self.n_units],
        }
    }
}

/// Data laid out for one precision and one response.
struct Laid<N, R, const L: usize> {
    trials: Trials,
    blocks: Blocks<N, L>,
    /// Counts 1, 2, ... bins earlier, as histories; empty where the kernel is fixed.
    lags: Vec<Blocks<N, L>>,
    skipped: Vec<bool>,
    response: PhantomData<R>,
}

impl<N: Number, R: Response, const L: usize> Laid<N, R, L> {
    fn new(trials: Trials, kernel: &[f64], skip: usize, learn_kernel: bool) -> Self {
        let n_lags = if learn_kernel { kernel.len() } else { 0 };
        let lag = |k: usize| {
            let mut only = vec![0.0; kernel.len()];
            only[k] = 1.0;
            Blocks::of(trials.x.view(), trials.history(&only).view())
        };
        Self {
            blocks: Blocks::of(trials.x.view(), trials.history(kernel).view()),
            lags: (0..n_lags).map(lag).collect(),
            skipped: trials.is_skipped(skip),
            trials,
            response: PhantomData,
        }
    }
}

impl<N: Number, R: Response, const L: usize> Passes for Laid<N, R, L> {
    fn emissions(&self, weights: ArrayView3<'_, f64>) -> Array2<f64> {
        let n_states = weights.dim().0;
        let packed = Packed::of(weights);
        let mut out = Array2::zeros((self.trials.n_bins(), n_states));
        if let Some(flat) = out.as_slice_mut() {
            flat.par_chunks_mut(GROUP * L * n_states)
                .enumerate()
                .for_each(|(group, out)| {
                    vectorized(
                        #[inline(always)]
                        || self.log_p(group, &packed, n_states, out),
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

    fn share(&self, gamma: &Array2<f64>) -> Box<dyn Share> {
        let parted = Parted::<N, R, L>::of(&self.blocks, &self.lags, &self.skipped, gamma);
        Box::new(parted)
    }

    fn set_kernel(&mut self, kernel: &[f64]) {
        self.blocks = Blocks::of(self.trials.x.view(), self.trials.history(kernel).view());
    }
}

impl<N: Number, R: Response, const L: usize> Laid<N, R, L> {
    /// log p `[bin, state]` of a group's bins, without -ln x!.
    #[inline(always)]
    fn log_p(&self, group: usize, weights: &Packed<N>, n_states: usize, out: &mut [f64]) {
        let first = group * GROUP;
        let last = (first + GROUP).min(self.blocks.n_blocks);
        let mut each_log_p = [[[N::default(); L]; TILE]; GROUP];
        let each_log_p = &mut each_log_p[..last - first];
        for s in 0..n_states {
            let mut sums = [[0.0; L]; GROUP];
            for tile in 0..self.blocks.n_tiles {
                let of = weights.tile(s, tile);
                self.blocks.drives(&of, first, each_log_p);
                log_ps::<N, R>(
                    self.blocks.counts(tile, first),
                    each_log_p.as_flattened_mut().as_flattened_mut(),
                );
                // Units beyond the last count for nothing.
                let n = TILE.min(weights.n_units - tile * TILE);
                for (sum, log_p) in sums.iter_mut().zip(&*each_log_p) {
                    for unit in &log_p[..n] {
                        for l in 0..L {
                            sum[l] += unit[l].wide();
                        }
                    }
                }
            }
            let rows = out.chunks_exact_mut(n_states);
            for (row, sum) in rows.zip(sums.as_flattened()) {
                row[s] = *sum;
            }
        }
    }
}

/// log p of counts in the place of their drives: one long loop, as of a short one the compiler makes single instructions
/// instead of vectors.
#[inline(always)]
fn log_ps<N: Number, R: Response>(x: &[N], drives: &mut [N]) {
    let half = drives.len() / 2;
    let (x, y) = x[..2 * half].split_at(half);
    let (u, v) = drives.split_at_mut(half);
    for i in 0..half {
        [u[i], v[i]] = R::log_ps([x[i], y[i]], [u[i].within_reach(), v[i].within_reach()]);
    }
}
