//! Norm of each channel over a batch (Ioffe & Szegedy 2015), as PyTorch has it.
//!
//! What evaluation norms with is measured by training and moved by no optimizer: it lies beside the parameters, in
//! [`Network::statistics`].

use chiasm_core::{summed, vectorized};
use rayon::prelude::*;

use super::{Network, NetworkError, Step, Trace};
use crate::Real;
use crate::train::Parameters;

/// Added to a variance.
const EPSILON: f64 = 1e-5;
/// What a batch adds to the running statistics, which lose as much.
const SHARE: f64 = 0.1;
/// Numbers side by side.
const LANES: usize = 16;
/// Tasks that share the rows of a batch: a number of its own, so that the bits do not depend on the threads.
const TASKS: usize = 8;

/// Gain and shift of each channel.
pub(super) type Affine<'a, T> = (&'a [T], &'a [T]);

impl<T: Real> Network<T> {
    /// Running means and variances of batch norms, in the order of their layers: `1.running_mean`, `1.running_var`, each
    /// `[1, channel]`.
    #[must_use]
    pub fn statistics(&self) -> &Parameters<T> {
        &self.statistics
    }

    /// The same, to be given other values; their number and shapes must stay.
    pub fn statistics_mut(&mut self) -> &mut Parameters<T> {
        &mut self.statistics
    }

    /// Moves the running statistics by a tenth towards those of a batch that went [`forward`](Self::forward) with
    /// [`Trace::training`], variances over `n - 1`. Does nothing after any other.
    pub fn keep_statistics(&mut self, trace: &Trace<T>) {
        if !trace.training {
            return;
        }
        let (kept, new) = (T::of(1.0 - SHARE), T::of(SHARE));
        for (step, of_step) in self.steps.iter().zip(&trace.kept) {
            let Step::BatchNorm { running, .. } = step else {
                continue;
            };
            let channels = of_step[1].len() / 3;
            for (part, array) in of_step[1].chunks_exact(channels).skip(1).zip(running) {
                let values = &mut self.statistics.arrays[*array].values;
                for (v, b) in values.iter_mut().zip(part) {
                    *v = kept * *v + new * *b;
                }
            }
        }
    }

    /// Whether each channel has a variance in a batch of so many rows.
    pub(super) fn accept_batch(&self, rows: usize) -> Result<(), NetworkError> {
        for step in &self.steps {
            if let Step::BatchNorm { places, .. } = step {
                let found = rows * places;
                if found < 2 {
                    return Err(NetworkError::Shape {
                        what: "batch, values of each channel of a batch norm, at least",
                        expected: 2,
                        found,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Leaves the normed values; and for each channel one over the deviation, then the means, then the variances over `n - 1`, of
/// a batch alone. `running` are means and variances to norm with; without them those of the batch.
pub(super) fn forward<T: Real>(
    x: &[T],
    (gain, shift): Affine<'_, T>,
    running: Option<Affine<'_, T>>,
    places: usize,
    (out, [normed, kept]): (&mut Vec<T>, &mut [Vec<T>; 2]),
) {
    let (channels, width) = (gain.len(), gain.len() * places);
    let n = x.len() / channels;
    let moments: Vec<(T, T)> = match running {
        Some((means, variances)) => means
            .iter()
            .copied()
            .zip(variances.iter().copied())
            .collect(),
        None => (0..channels)
            .into_par_iter()
            .map(|c| moments(x, c * places, places, width))
            .collect(),
    };
    kept.clear();
    let scale = |variance: T| T::ONE / (variance + T::of(EPSILON)).sqrt();
    kept.extend(moments.iter().map(|(_, variance)| scale(*variance)));
    if running.is_none() {
        let unbiased = T::of(n as f64) / T::of(n as f64 - 1.0);
        kept.extend(moments.iter().map(|(mean, _)| *mean));
        kept.extend(moments.iter().map(|(_, variance)| *variance * unbiased));
    }
    out.resize(x.len(), T::ZERO);
    normed.resize(x.len(), T::ZERO);
    let each = (x.len() / width).div_ceil(TASKS).max(1) * width;
    let tasks = out.par_chunks_mut(each).zip(normed.par_chunks_mut(each));
    tasks
        .zip(x.par_chunks(each))
        .for_each(|((out, normed), x)| {
            let all = out
                .chunks_exact_mut(places)
                .zip(normed.chunks_exact_mut(places))
                .zip(x.chunks_exact(places));
            vectorized(
                #[inline(always)]
                || {
                    for (i, ((out, normed), x)) in all.enumerate() {
                        let c = i % channels;
                        let (mean, scale) = (moments[c].0, kept[c]);
                        for ((o, v), x) in out.iter_mut().zip(normed).zip(x) {
                            *v = (*x - mean) * scale;
                            *o = *v * gain[c] + shift[c];
                        }
                    }
                },
            );
        });
}

/// Adds to the gradients of gain and shift, and turns that of the outputs into that of the inputs.
pub(super) fn backward<T: Real>(
    (normed, scales): Affine<'_, T>,
    gain: &[T],
    (of_batch, places): (bool, usize),
    gradient: &mut [T],
    (into_gain, into_shift): (&mut [T], &mut [T]),
) {
    let (channels, width) = (gain.len(), gain.len() * places);
    let n = T::of((gradient.len() / channels) as f64);
    // Of each channel the sum of the gradient, and of its product with the normed values.
    let sums: Vec<(T, T)> = (0..channels)
        .into_par_iter()
        .map(|c| {
            let g = rows(gradient, c * places, places, width);
            vectorized(
                #[inline(always)]
                || {
                    let both = g.zip(rows(normed, c * places, places, width));
                    both.fold((T::ZERO, T::ZERO), |(sum, along), (g, v)| {
                        (sum + summed(g, |g| g), along + product(g, v))
                    })
                },
            )
        })
        .collect();
    let into = into_gain.iter_mut().zip(into_shift);
    for ((into_gain, into_shift), (sum, along)) in into.zip(&sums) {
        *into_gain += *along;
        *into_shift += *sum;
    }
    let each = (gradient.len() / width).div_ceil(TASKS).max(1) * width;
    let tasks = gradient.par_chunks_mut(each).zip(normed.par_chunks(each));
    tasks.for_each(|(gradient, normed)| {
        let all = gradient
            .chunks_exact_mut(places)
            .zip(normed.chunks_exact(places));
        vectorized(
            #[inline(always)]
            || {
                for (i, (g, v)) in all.enumerate() {
                    let c = i % channels;
                    let factor = gain[c] * scales[c];
                    // Running statistics do not depend on the inputs.
                    let (mean, along) = match of_batch {
                        true => (sums[c].0 / n, sums[c].1 / n),
                        false => (T::ZERO, T::ZERO),
                    };
                    for (g, v) in g.iter_mut().zip(v) {
                        *g = factor * (*g - mean - *v * along);
                    }
                }
            },
        );
    });
}

/// The values of a channel, row by row.
#[inline(always)]
fn rows<T>(
    x: &[T],
    first: usize,
    places: usize,
    width: usize,
) -> impl Iterator<Item = &[T]> + Clone {
    x.chunks_exact(width)
        .map(move |row| &row[first..first + places])
}

/// Mean and variance (over `n`) of a channel.
fn moments<T: Real>(x: &[T], first: usize, places: usize, width: usize) -> (T, T) {
    let n = T::of((x.len() / width * places) as f64);
    vectorized(
        #[inline(always)]
        || {
            let of = rows(x, first, places, width);
            let mean = of.clone().map(|r| summed(r, |v| v)).sum::<T>() / n;
            let squares = of.map(|r| summed(r, |v| (v - mean) * (v - mean)));
            (mean, squares.sum::<T>() / n)
        },
    )
}

/// The sum of the products, as [`summed`] adds.
#[inline(always)]
fn product<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = left.remainder().iter().zip(right.remainder());
    for (a, b) in left.zip(right) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += *a * *b;
        }
    }
    let sum: T = lanes.iter().copied().sum();
    rest.fold(sum, |sum, (a, b)| sum + *a * *b)
}
