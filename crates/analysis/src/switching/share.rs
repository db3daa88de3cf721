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

/// Responsibilities below this part of a state's largest count as none: of bins that it is not in. At the card's size it
/// moves the fitted log-likelihood by less than 1e-9 for each count, with 60 units by 5e-7.
const NO_PART: f64 = 1e-3;
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
            let largest = column.iter().fold(0.0, |most, g| g.max(most));
            // A state of no bin at all takes none.
            let least = (NO_PART * largest).max(f64::MIN_POSITIVE);
            let taken = |t: &usize| !skipped[*t] && column[*t] >= least;
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
            .map_init(Desk::default, |desk, part| {
                vectorized(
                    #[inline(always)]
                    || part.sums::<R>(&packed, desk),
                )
            })
            .collect();
        let mut by_kernel = vec![0.0; self.n_lags];
        // Of each state; the kernel is all states' own.
        let mut states = vec![Sums::zeros(self.n_tiles, 0); weights.dim().0];
        for (part, sums) in self.parts.iter().zip(&sums) {
            states[part.state].add(sums);
            add(&mut by_kernel, &sums.by_kernel);
        }
        let mut gradient = Array3::zeros(weights.dim());
        for (mut of_state, sums) in gradient.outer_iter_mut().zip(&states) {
            for (u, mut row) in of_state.rows_mut().into_iter().enumerate() {
                let (tile, unit) = (u / TILE, u % TILE);
                let of = &sums.by_weight[tile * self.n_tiles..];
                let by_weight = of.iter().flat_map(|of| of[unit]);
                row.iter_mut().zip(by_weight).for_each(|(to, v)| *to = v);
                row[n_units] = sums.by_bias[tile][unit];
            }
        }
        (gradient, by_kernel)
    }

    fn set_kernel(&mut self, kernel: &[f64]) {
        for part in &mut self.parts {
            part.blocks.mix_histories(&part.lags, kernel);
        }
    }
}

/// The sums of [`Sums`], bins side by side; used again from task to task, as fresh memory costs time.
#[derive(Default)]
struct Desk<N, const L: usize> {
    by_weight: Vec<[Tile<N, L>; TILE]>,
    by_bias: Vec<Tile<N, L>>,
}

/// What a task adds.
#[derive(Clone)]
struct Sums {
    /// `[tile][tile of history units][unit of tile][history unit of tile]`.
    by_weight: Vec<[[f64; TILE]; TILE]>,
    /// `[tile][unit of tile]`.
    by_bias: Vec<[f64; TILE]>,
    /// `[lag]`.
    by_kernel: Vec<f64>,
}

impl Sums {
    fn zeros(n_tiles: usize, n_lags: usize) -> Self {
        Self {
            by_weight: vec![[[0.0; TILE]; TILE]; n_tiles * n_tiles],
            by_bias: vec![[0.0; TILE]; n_tiles],
            by_kernel: vec![0.0; n_lags],
        }
    }

    /// What another task adds by weights and biases.
    fn add(&mut self, other: &Self) {
        let by_weight = other.by_weight.as_flattened().as_flattened();
        let sums = self.by_weight.as_flattened_mut().as_flattened_mut();
        add(sums, by_weight);
        add(
            self.by_bias.as_flattened_mut(),
            other.by_bias.as_flattened(),
        );
    }
}

fn add(to: &mut [f64], of: &[f64]) {
    to.iter_mut().zip(of).for_each(|(to, v)| *to += v);
}

impl<N: Number, const L: usize> Part<N, L> {
    /// The gradient of some blocks of one state.
    #[inline(always)]
    fn sums<R: Response>(&self, weights: &Packed<N>, desk: &mut Desk<N, L>) -> Sums {
        let n_tiles = self.blocks.n_tiles;
        let zeros = [[N::default(); L]; TILE];
        let (by_weight, by_bias) = (&mut desk.by_weight, &mut desk.by_bias);
        by_weight.clear();
        by_weight.resize(n_tiles * n_tiles, [zeros; TILE]);
        by_bias.clear();
        by_bias.resize(n_tiles, zeros);
        let mut sums = Sums::zeros(n_tiles, self.lags.len());
        let (mut slopes, mut shares) = ([zeros; GROUP], [zeros; GROUP]);
        for (group, gamma) in self.gamma.chunks(GROUP).enumerate() {
            let (first, slopes) = (group * GROUP, &mut slopes[..gamma.len()]);
            for (to, &gamma) in shares.iter_mut().zip(gamma) {
                *to = [gamma; TILE];
            }
            for tile in 0..n_tiles {
                let weights = weights.tile(self.state, tile);
                self.blocks.drives(&weights, first, slopes);
                shared_slopes::<N, R>(
                    self.blocks.counts(tile, first),
                    shares.as_flattened().as_flattened(),
                    slopes.as_flattened_mut().as_flattened_mut(),
                );
                add_up(slopes, &mut by_bias[tile]);
                for from in 0..n_tiles {
                    let blocks = first..first + slopes.len();
                    let histories = blocks.map(|b| self.blocks.history(b, from));
                    add_products(slopes, histories, &mut by_weight[tile * n_tiles + from]);
                }
                self.through_kernel(&weights, first, slopes, &mut sums.by_kernel);
            }
        }
        totals(by_weight.as_flattened(), sums.by_weight.as_flattened_mut());
        totals(by_bias, &mut sums.by_bias);
        sums
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

/// Slopes times responsibilities in the place of drives: one long loop, as of a short one the compiler makes single
/// instructions instead of vectors.
#[inline(always)]
fn shared_slopes<N: Number, R: Response>(x: &[N], gamma: &[N], drives: &mut [N]) {
    let half = drives.len() / 2;
    let (x, y) = x[..2 * half].split_at(half);
    let (g, h) = gamma[..2 * half].split_at(half);
    let (u, v) = drives.split_at_mut(half);
    for i in 0..half {
        let of = R::slopes([x[i], y[i]], [u[i].within_reach(), v[i].within_reach()]);
        u[i] = g[i] * of[0];
        v[i] = h[i] * of[1];
    }
}

/// Adds what the bins come to. Work is on a copy, which stays in registers.
#[inline(always)]
fn add_up<N: Number, const L: usize>(of: &[Tile<N, L>], sums: &mut Tile<N, L>) {
    let mut all = *sums;
    for of in of {
        for u in 0..TILE {
            for l in 0..L {
                all[u][l] = all[u][l] + of[u][l];
            }
        }
    }
    *sums = all;
}

/// Sums over bins side by side, half by half: plain loops, as what a closure does is not compiled for the registers at hand.
#[inline(always)]
fn totals<N: Number, const L: usize>(of: &[Tile<N, L>], to: &mut [[f64; TILE]]) {
    for (to, of) in to.as_flattened_mut().iter_mut().zip(of.as_flattened()) {
        let mut lanes = [0.0; L];
        for l in 0..L {
            lanes[l] = of[l].wide();
        }
        let mut n = L;
        while n > 1 {
            n /= 2;
            for l in 0..n {
                lanes[l] += lanes[l + n];
            }
        }
        *to = lanes[0];
    }
}
