//! Batch-norm over neurons, leaky integrate-and-fire neurons and the loss, with their gradients, on slices.

use std::f64::consts::PI;

use chiasm_core::vectorized;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Real;

/// As PyTorch's.
const VARIANCE_FLOOR: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// Batch-norm: of each neuron over batch and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Norm<T> {
    pub(super) gain: Vec<T>,
    pub(super) shift: Vec<T>,
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
}

/// The mean and the inverse standard deviation of each neuron in a batch.
pub(super) struct Moments<T> {
    pub(super) mean: Vec<T>,
    pub(super) inverse: Vec<T>,
}

impl<T: Real> Norm<T> {
    pub(super) fn new(n: usize) -> Self {
        Self {
            gain: vec![T::ONE; n],
            shift: vec![T::ZERO; n],
            mean: vec![0.0; n],
            variance: vec![1.0; n],
        }
    }

    /// The moments of a batch, for each sample `[step][neuron]`; and the running ones follow them.
    pub(super) fn moments(&mut self, batch: &[Vec<T>]) -> Moments<T> {
        let n = self.gain.len();
        let count: usize = batch.iter().map(|x| x.len() / n).sum();
        let mean = sums(batch, n, |x, _| x);
        let mean: Vec<f64> = mean.iter().map(|s| s / count as f64).collect();
        let center: Vec<T> = mean.iter().map(|m| T::of(*m)).collect();
        let squares = sums(batch, n, |x, j| (x - center[j]) * (x - center[j]));
        let variance = squares.iter().map(|s| s / count as f64);
        let inverse = variance
            .clone()
            .map(|v| T::of(1.0 / (v + VARIANCE_FLOOR).sqrt()));
        let inverse = inverse.collect();
        let unbiased = count as f64 / (count.max(2) - 1) as f64;
        for (running, now) in self.mean.iter_mut().zip(&mean) {
            *running += MOMENTUM * (now - *running);
        }
        for (running, now) in self.variance.iter_mut().zip(variance) {
            *running += MOMENTUM * (now * unbiased - *running);
        }
        Moments {
            mean: center,
            inverse,
        }
    }

    /// `scale x + offset` is the norm by these moments.
    pub(super) fn affine(&self, moments: &Moments<T>) -> (Vec<T>, Vec<T>) {
        let scale = self.gain.iter().zip(&moments.inverse).map(|(g, i)| *g * *i);
        let scale: Vec<T> = scale.collect();
        let offset = self.shift.iter().zip(&scale).zip(&moments.mean);
        let offset = offset.map(|((b, s), m)| *b - *s * *m).collect();
        (scale, offset)
    }

    /// The same by the running moments.
    pub(super) fn frozen(&self) -> (Vec<T>, Vec<T>) {
        let inverse = self
            .variance
            .iter()
            .map(|v| T::of(1.0 / (v + VARIANCE_FLOOR).sqrt()));
        self.affine(&Moments {
            mean: self.mean.iter().map(|m| T::of(*m)).collect(),
            inverse: inverse.collect(),
        })
    }

    /// From the gradient of the norm's output, which becomes that of its input: the gradients of gain and shift.
    pub(super) fn backward(
        &self,
        moments: &Moments<T>,
        inputs: &[Vec<T>],
        grads: &mut [Vec<T>],
    ) -> (Vec<T>, Vec<T>) {
        let n = self.gain.len();
        let count: usize = grads.iter().map(|g| g.len() / n).sum();
        let Moments { mean, inverse } = moments;
        let pairs: Vec<(&[T], &[T])> = inputs
            .iter()
            .zip(grads.iter())
            .map(|(x, g)| (x.as_slice(), g.as_slice()))
            .collect();
        let by_shift = sums(grads, n, |g, _| g);
        let by_gain = paired_sums(&pairs, n, |x, g, j| g * (x - mean[j]) * inverse[j]);
        let per =
            |sums: &[f64]| -> Vec<T> { sums.iter().map(|s| T::of(s / count as f64)).collect() };
        let (shift, gain) = (per(&by_shift), per(&by_gain));
        grads.par_iter_mut().zip(inputs).for_each(|(grad, input)| {
            vectorized(
                #[inline(always)]
                || {
                    for (grad, input) in grad.chunks_exact_mut(n).zip(input.chunks_exact(n)) {
                        for j in 0..n {
                            let x = (input[j] - mean[j]) * inverse[j];
                            grad[j] =
                                self.gain[j] * inverse[j] * (grad[j] - shift[j] - x * gain[j]);
                        }
                    }
                },
            );
        });
        let all = |sums: Vec<f64>| sums.into_iter().map(T::of).collect();
        (all(by_gain), all(by_shift))
    }
}

/// Sums over samples and steps, sample by sample in order.
fn sums<T: Real>(batch: &[Vec<T>], n: usize, of: impl Fn(T, usize) -> T + Sync) -> Vec<f64> {
    let pairs: Vec<(&[T], &[T])> = batch.iter().map(|x| (x.as_slice(), x.as_slice())).collect();
    paired_sums(&pairs, n, |x, _, j| of(x, j))
}

fn paired_sums<T: Real>(
    batch: &[(&[T], &[T])],
    n: usize,
    of: impl Fn(T, T, usize) -> T + Sync,
) -> Vec<f64> {
    let each: Vec<Vec<T>> = batch
        .par_iter()
        .map(|(a, b)| {
            let mut sums = vec![T::ZERO; n];
            vectorized(
                #[inline(always)]
                || {
                    for (a, b) in a.chunks_exact(n).zip(b.chunks_exact(n)) {
                        for j in 0..n {
                            sums[j] += of(a[j], b[j], j);
                        }
                    }
                },
            );
            sums
        })
        .collect();
    let mut all = vec![0.0; n];
    for sums in each {
        for (all, sum) in all.iter_mut().zip(sums) {
            *all += sum.wide();
        }
    }
    all
}

/// What a potential gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fire {
    /// A spike from the threshold of 1 on.
    Spike,
    /// The function whose derivative stands for that of a spike, in place of it; resets are those of spikes.
    #[cfg(test)]
    Smooth { alpha: f64 },
}

/// Potentials before the resets, in place of the currents `[step][neuron]`: `v <- leak v + scale x + offset`, reset to 0
/// from 1 on unless `integrate`.
pub(super) fn potentials<T: Real>(
    x: &mut [T],
    n: usize,
    leak: T,
    (scale, offset): (&[T], &[T]),
    integrate: bool,
) {
    let mut state = vec![T::ZERO; n];
    vectorized(
        #[inline(always)]
        || {
            for row in x.chunks_exact_mut(n) {
                for j in 0..n {
                    let v = leak * state[j] + scale[j] * row[j] + offset[j];
                    row[j] = v;
                    state[j] = if !integrate && v >= T::ONE {
                        T::ZERO
                    } else {
                        v
                    };
                }
            }
        },
    );
}

/// The gradient of the normed currents, in place of that of the spikes `[step][neuron]`.
pub(super) fn potentials_backward<T: Real>(
    grad: &mut [T],
    potentials: &[T],
    n: usize,
    leak: T,
    alpha: f64,
) {
    let (height, slope) = (T::of(0.5 * alpha), T::of(0.5 * PI * alpha));
    let mut later = vec![T::ZERO; n];
    vectorized(
        #[inline(always)]
        || {
            let rows = grad.chunks_exact_mut(n).zip(potentials.chunks_exact(n));
            for (grad, v) in rows.rev() {
                for j in 0..n {
                    let x = slope * (v[j] - T::ONE);
                    let surrogate = height / (T::ONE + x * x);
                    // The reset is detached: it stops what comes from later steps and has no gradient of its own.
                    let kept = if v[j] >= T::ONE { T::ZERO } else { leak };
                    grad[j] = grad[j] * surrogate + kept * later[j];
                    later[j] = grad[j];
                }
            }
        },
    );
}

/// The integral of the surrogate, 1/2 at the threshold.
#[cfg(test)]
pub(super) fn smooth<T: Real>(v: T, alpha: f64) -> T {
    T::of(0.5) + (T::of(0.5 * PI * alpha) * (v - T::ONE)).atan() * T::of(1.0 / PI)
}

/// For each class the sum over steps of the softmax of the readout's potentials `[step][class]`.
pub(super) fn scores<T: Real>(potentials: &[T], n: usize) -> Vec<f64> {
    softmax_sums(potentials, n).1
}

/// The softmax of each step, and its sum.
fn softmax_sums<T: Real>(potentials: &[T], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut steps = vec![0.0; potentials.len()];
    let mut sums = vec![0.0; n];
    for (row, p) in potentials.chunks_exact(n).zip(steps.chunks_exact_mut(n)) {
        softmax(row.iter().map(|v| v.wide()), p);
        for (sum, p) in sums.iter_mut().zip(&*p) {
            *sum += p;
        }
    }
    (steps, sums)
}

/// Cross-entropy of the scores as logits; and its gradient by the currents of the readout, in place of its potentials, times
/// `weight`.
pub(super) fn loss<T: Real>(
    potentials: &mut [T],
    n: usize,
    leak: T,
    label: usize,
    weight: f64,
) -> (f64, Vec<f64>) {
    let (steps, scores) = softmax_sums(potentials, n);
    let mut error = vec![0.0; n];
    let top = softmax(scores.iter().copied(), &mut error);
    let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
    let loss = total.ln() + top - scores[label];
    error[label] -= 1.0;
    let mut later = vec![0.0; n];
    let rows = potentials.chunks_exact_mut(n).zip(steps.chunks_exact(n));
    for (row, p) in rows.rev() {
        let mean: f64 = p.iter().zip(&error).map(|(p, e)| p * e).sum();
        for j in 0..n {
            later[j] = weight * p[j] * (error[j] - mean) + leak.wide() * later[j];
            row[j] = T::of(later[j]);
        }
    }
    (loss, scores)
}

/// Writes the softmax and returns the largest value.
fn softmax(values: impl Iterator<Item = f64> + Clone, out: &mut [f64]) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for (p, v) in out.iter_mut().zip(values) {
        *p = (v - top).exp();
        total += *p;
    }
    for p in out.iter_mut() {
        *p /= total;
    }
    top
}

/// The class of the highest score, the first of equals.
#[must_use]
pub fn best(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}
