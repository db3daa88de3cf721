//! The derivatives of a maximization's steps, over the bins that each state has a part in.

// Lanes of several arrays go side by side: an index says so best.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;

use chiasm_core::vectorized;
use ndarray::{Array2, Array3, ArrayView3};
use rayon::prelude::*;

use super::blocks::{Blocks, GROUP, Lanes, TILE, Tile, TileWeights, add_products};
use super::link::Response;
use super::passes::{Packed, Share};
use crate::number::Number;

/// Responsibilities below this count as none: a bin's share in a state that it is not in. At the card's size it moves the
/// fitted log-likelihood by 1e-7 to 3e-6 for each count.
const NO_PART: f64 = 1e-4;
/// Blocks of a task.
const TASK: usize = 128;

/// The bins of each state, gathered, in tasks.
pub(super) struct Parted<N, R, const L: usize> {
    parts: Vec<Part<N, L>>,
    n_tiles: usize,
    n_lags: usize,
    response: PhantomData<R>,
}

/// Bins of one state for one task.
struct Part<N, const L: usize> {
    state: usize,
    blocks: Blocks<N, L>,
    /// Responsibilities, `[block]`; 0 beyond the last bin.
    gamma: Vec<Lanes<N, L>>,
    /// Counts at each lag, as histories; empty where the kernel is fixed.
    lags: Vec<Blocks<N, L>>,
}

impl<N: Number, R: Response, const L: usize> Parted<N, R, L> {
    pub(super) fn of(
        blocks: &Blocks<N, L>,
        lags: &[Blocks<N, L>],
        skipped: &[bool],
        gamma: &Array2<f64>,
    ) -> Self {
        let (n_bins, n_states) = gamma.dim();
        let mut tasks = Vec::new();
        for state in 0..n_states {
            let column = gamma.column(state);
            let taken = |t: &usize| !skipped[*t] && column[*t] >= NO_PART;
            let bins: Vec<u32> = (0..n_bins).filter(taken).map(|t| t as u32).collect();
            tasks.extend(bins.chunks(TASK * L).map(|bins| (state, bins.to_vec())));
        }
        let parts = tasks.into_par_iter().map(|(state, bins)| {
            let mut part = vec![[N::default(); L]; bins.len().div_ceil(L)];
            for (to, &t) in part.as_flattened_mut().iter_mut().zip(&bins) {
                *to = N::of(gamma[[t as usize, state]]);
            }
            Part {
                state,
                blocks: blocks.gathered(&bins),
                gamma: part,
                lags: lags.iter().map(|lag| lag.gathered(&bins)).collect(),
            }
        });
        Self {
            parts: parts.collect(),
            n_tiles: blocks.n_tiles,
            n_lags: lags.len(),
            response: PhantomData,
        }
    }
}

impl<N: Number, R: Response, const L: usize> Share for Parted<N, R, L> {
    fn gradient(&self, weights: ArrayView3<'_, f64>) -> (Array3<f64>, Vec<f64>) {
        let n_units = weights.dim().1;
        let packed = Packed::of(weights);
        let sums: Vec<Sums> = self
            .parts
            .par_iter()
            .map(|part| {
                vectorized(
                    #[inline(always)]
                    || part.sums::<R>(&packed),
                )
            })
            .collect();
        let mut gradient = Array3::zeros(weights.dim());
        let mut by_kernel = vec![0.0; self.n_lags];
        for (part, sums) in self.parts.iter().zip(&sums) {
            for u in 0..n_units {
                let (tile, unit) = (u / TILE, u % TILE);
                for from in 0..n_units {
                    let at = tile * self.n_tiles + from / TILE;
                    gradient[[part.state, u, from]] += sums.by_weight[at][unit][from % TILE];
                }
                gradient[[part.state, u, n_units]] += sums.by_bias[tile][unit];
            }
            let sums = sums.by_kernel.iter();
            by_kernel.iter_mut().zip(sums).for_each(|(g, v)| *g += v);
        }
        (gradient, by_kernel)
    }

    fn set_kernel(&mut self, kernel: &[f64]) {
        for part in &mut self.parts {
            part.blocks.mix_histories(&part.lags, kernel);
        }
    }
}

/// What a task adds.
struct Sums {
    /// `[tile][tile of history units][unit of tile][history unit of tile]`.
    by_weight: Vec<[[f64; TILE]; TILE]>,
    /// `[tile][unit of tile]`.
    by_bias: Vec<[f64; TILE]>,
    /// `[lag]`.
    by_kernel: Vec<f64>,
}

impl<N: Number, const L: usize> Part<N, L> {
    /// The gradient of some blocks of one state.
    #[inline(always)]
    fn sums<R: Response>(&self, weights: &Packed<N>) -> Sums {
        let n_tiles = self.blocks.n_tiles;
        let zeros = [[N::default(); L]; TILE];
        // As in `Sums`, bins side by side.
        let mut by_weight = vec![[zeros; TILE]; n_tiles * n_tiles];
        let mut by_bias = vec![zeros; n_tiles];
        let mut by_kernel = vec![0.0; self.lags.len()];
        let mut slopes = [zeros; GROUP];
        for (group, gamma) in self.gamma.chunks(GROUP).enumerate() {
            let (first, slopes) = (group * GROUP, &mut slopes[..gamma.len()]);
            for tile in 0..n_tiles {
                let weights = weights.tile(self.state, tile);
                self.blocks.each(tile, first, &weights, slopes, R::slope);
                share_out(slopes, gamma, &mut by_bias[tile]);
                for from in 0..n_tiles {
                    let blocks = first..first + slopes.len();
                    let histories = blocks.map(|b| self.blocks.history(b, from));
                    add_products(slopes, histories, &mut by_weight[tile * n_tiles + from]);
                }
                self.through_kernel(&weights, first, slopes, &mut by_kernel);
            }
        }
        Sums {
            by_weight: by_weight
                .iter()
                .map(|rows| rows.each_ref().map(totals))
                .collect(),
            by_bias: by_bias.iter().map(totals).collect(),
            by_kernel,
        }
    }

    /// Derivatives by the kernel: what each unit's history is worth to a tile, times its counts at each lag.
    #[inline(always)]
    fn through_kernel(
        &self,
        weights: &TileWeights<'_, N>,
        first: usize,
        slopes: &[Tile<N, L>],
        by_kernel: &mut [f64],
    ) {
        if self.lags.is_empty() {
            return;
        }
        for (b, slopes) in slopes.iter().enumerate() {
            for (from, weights) in weights.weights.iter().enumerate() {
                let mut worth = [0.0; L];
                for u in 0..TILE {
                    for l in 0..L {
                        worth[l] += (weights[u] * slopes[u][l]).wide();
                    }
                }
                for (total, lag) in by_kernel.iter_mut().zip(&self.lags) {
                    let x = lag.history(first + b, from / TILE)[from % TILE];
                    *total += worth.iter().zip(x).map(|(w, x)| w * x.wide()).sum::<f64>();
                }
            }
        }
    }
}

/// Each bin's slopes times its responsibility, and what they add up to. Work is on copies, which stay in registers.
#[inline(always)]
fn share_out<N: Number, const L: usize>(
    slopes: &mut [Tile<N, L>],
    gamma: &[Lanes<N, L>],
    sums: &mut Tile<N, L>,
) {
    let mut all = *sums;
    for (to, &gamma) in slopes.iter_mut().zip(gamma) {
        let mut slopes = *to;
        for u in 0..TILE {
            for l in 0..L {
                slopes[u][l] = gamma[l] * slopes[u][l];
                all[u][l] = all[u][l] + slopes[u][l];
            }
        }
        *to = slopes;
    }
    *sums = all;
}

/// Sums over bins side by side, half by half.
#[inline(always)]
fn totals<N: Number, const L: usize>(tile: &Tile<N, L>) -> [f64; TILE] {
    let mut sums = [0.0; TILE];
    for (sum, lanes) in sums.iter_mut().zip(tile) {
        let mut lanes = lanes.map(|v| v.wide());
        let mut n = L;
        while n > 1 {
            n /= 2;
            for l in 0..n {
                lanes[l] += lanes[l + n];
            }
        }
        *sum = lanes[0];
    }
    sums
}
