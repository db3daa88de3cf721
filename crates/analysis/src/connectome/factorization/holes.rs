//! Missing entries within observed pairs: filled with what the factors say of them, one by one, so that neither a dense
//! copy of the data nor of the model is made.

use chiasm_core::vectorized;
use rayon::prelude::*;

use super::kernel::{LANES, Lanes};

/// Frames per task.
const FRAMES: usize = 64;

/// A factor's rows padded with zeros to whole panels, row by row.
pub(super) struct Padded {
    panels: usize,
    rows: Vec<Lanes<f64>>,
}

impl Padded {
    /// Of rows of `r` columns.
    pub(super) fn of<'m>(rows: impl Iterator<Item = &'m [f64]>, r: usize) -> Self {
        let panels = r.div_ceil(LANES);
        let mut padded = Vec::with_capacity(rows.size_hint().0 * panels);
        for row in rows {
            padded.extend(row.chunks(LANES).map(|c| {
                let mut lanes = [0.0; LANES];
                lanes[..c.len()].copy_from_slice(c);
                lanes
            }));
        }
        Self {
            panels,
            rows: padded,
        }
    }

    fn zeros(n_rows: usize, r: usize) -> Self {
        let panels = r.div_ceil(LANES);
        Self {
            panels,
            rows: vec![[0.0; LANES]; n_rows * panels],
        }
    }

    #[inline(always)]
    fn row(&self, i: u32) -> &[Lanes<f64>] {
        &self.rows[i as usize * self.panels..][..self.panels]
    }

    /// Adds the rows to those of a matrix of `r` columns.
    fn add_to(&self, m: &mut [f64], r: usize) {
        for (to, row) in m
            .chunks_exact_mut(r)
            .zip(self.rows.chunks_exact(self.panels))
        {
            for (t, v) in to.iter_mut().zip(row.as_flattened()) {
                *t += v;
            }
        }
    }
}

/// Adds the holes' fills times their pairs' rows `shown` to the target of the time factor.
pub(super) fn fill_for_time(
    holes: &[(u32, u32)],
    shown: &Padded,
    time: &Padded,
    target: &mut [f64],
    r: usize,
) {
    let mut sums = Padded::zeros(target.len() / r, r);
    let panels = sums.panels;
    sums.rows
        .par_chunks_mut(FRAMES * panels)
        .enumerate()
        .for_each(|(task, sums)| {
            let first = (task * FRAMES) as u32;
            let from = holes.partition_point(|h| h.0 < first);
            let to = holes.partition_point(|h| h.0 < first + FRAMES as u32);
            vectorized(
                #[inline(always)]
                || {
                    for &(t, c) in &holes[from..to] {
                        let pair = shown.row(c);
                        let fill = dot(pair, time.row(t));
                        add(
                            &mut sums[(t - first) as usize * panels..][..panels],
                            fill,
                            pair,
                        );
                    }
                },
            );
        });
    sums.add_to(target, r);
}

/// Adds the holes' fills times their frames' rows to the sums of the pairs, and returns the fills.
pub(super) fn fill_for_pairs(
    holes: &[(u32, u32)],
    shown: &Padded,
    time: &Padded,
    target: &mut [f64],
    r: usize,
) -> Vec<f64> {
    let mut sums = Padded::zeros(target.len() / r, r);
    let panels = sums.panels;
    let fills = vectorized(
        #[inline(always)]
        || {
            let mut fills = Vec::with_capacity(holes.len());
            for &(t, c) in holes {
                let now = time.row(t);
                let fill = dot(shown.row(c), now);
                add(&mut sums.rows[c as usize * panels..][..panels], fill, now);
                fills.push(fill);
            }
            fills
        },
    );
    sums.add_to(target, r);
    fills
}

/// The holes' share of the loss on filled data, `sum (fill - model)^2`, taken out of it: what is left of it to add,
/// `sum fill^2 - (fill - model)^2`.
pub(super) fn loss_without(
    holes: &[(u32, u32)],
    fills: &[f64],
    shown: &Padded,
    time: &Padded,
) -> f64 {
    vectorized(
        #[inline(always)]
        || {
            let mut loss = 0.0;
            for (&(t, c), fill) in holes.iter().zip(fills) {
                let model = dot(shown.row(c), time.row(t));
                loss += fill * fill - (fill - model) * (fill - model);
            }
            loss
        },
    )
}

#[inline(always)]
fn dot(a: &[Lanes<f64>], b: &[Lanes<f64>]) -> f64 {
    let mut s = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            s[l] += a[l] * b[l];
        }
    }
    let four = [s[0] + s[4], s[1] + s[5], s[2] + s[6], s[3] + s[7]];
    (four[0] + four[2]) + (four[1] + four[3])
}

#[inline(always)]
fn add(y: &mut [Lanes<f64>], scale: f64, x: &[Lanes<f64>]) {
    for (y, x) in y.iter_mut().zip(x) {
        for l in 0..LANES {
            y[l] += scale * x[l];
        }
    }
}
