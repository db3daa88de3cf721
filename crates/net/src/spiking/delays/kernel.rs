//! The kernel of one synapse: a bump over delays, at a position that learns.
//!
//! A kernel of odd length `K` has taps at delays 0 to `K - 1`. A synapse's position `P`, from `-(K - 1) / 2` to
//! `(K - 1) / 2`, puts the bump's center at the delay `(K - 1) / 2 - P`: the published code counts taps backward in time,
//! so that a large position is a short delay.

use serde::{Deserialize, Serialize};

use crate::Real;

/// What the published code adds to the width, so that a width of 0 is still a bump.
const LEAST_WIDTH: f64 = 0.27;
/// What it adds to the sum by which taps are divided.
const FLOOR: f64 = 1e-7;

/// The form of the bump.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bump {
    /// `exp(-1/2 ((D - d) / (|sigma| + 0.27))^2)` over the sum of all taps: to train.
    Gauss {
        /// Width, steps.
        sigma: f64,
    },
    /// `max(0, 1 - |D - d|)` over the sum of all taps.
    Triangle,
    /// One tap at the nearest whole delay: to use.
    Rounded,
}

/// The farthest position either way.
#[must_use]
pub fn half(length: usize) -> f64 {
    (length / 2) as f64
}

/// The delay of the center, steps.
#[must_use]
pub fn delay(position: f64, length: usize) -> f64 {
    half(length) - position
}

/// The whole delay to which a position is rounded, steps.
#[must_use]
pub fn rounded_delay(position: f64, length: usize) -> usize {
    let last = length.saturating_sub(1);
    // As the published code does: the position is rounded, halves to even, and clamped.
    let position = position.round_ties_even();
    (delay(position, length).max(0.0) as usize).min(last)
}

/// The taps of a synapse of this weight and position at delays 0 to `length - 1`.
#[must_use]
pub fn taps(weight: f64, position: f64, length: usize, bump: Bump) -> Vec<f64> {
    let shape = Shape::<f64>::new(length, bump);
    let mut window = vec![0.0; shape.width];
    let start = shape.unit(position, &mut window);
    let mut all = vec![0.0; length];
    for (tap, unit) in all[start..].iter_mut().zip(&window) {
        *tap = weight * unit;
    }
    all
}

/// The derivatives of [`taps`] by the weight and by the position; 0 by the position where the bump is not a Gaussian.
#[must_use]
pub fn slopes(weight: f64, position: f64, length: usize, bump: Bump) -> (Vec<f64>, Vec<f64>) {
    let (by_weight, mut by_position) = (taps(1.0, position, length, bump), vec![0.0; length]);
    if let Bump::Gauss { .. } = bump {
        let shape = Shape::<f64>::new(length, bump);
        for (tap, slope) in by_position.iter_mut().enumerate() {
            let mut one = vec![0.0; length];
            one[tap] = 1.0;
            *slope = weight * shape.pull(&by_weight, 0, position, &one).1;
        }
    }
    (by_weight, by_position)
}

/// How the bumps of a layer are evaluated: the taps that can differ from 0 are a window of one width for all synapses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape<T> {
    bump: Bump,
    length: usize,
    /// Taps of a window.
    pub(super) width: usize,
    /// Taps farther than this from the center are below the precision.
    reach: f64,
    /// One over the standard deviation.
    inverse: T,
}

impl<T: Real> Shape<T> {
    pub(super) fn new(length: usize, bump: Bump) -> Self {
        let (sd, reach) = match bump {
            Bump::Gauss { sigma } => {
                let sd = sigma.abs() + LEAST_WIDTH;
                (sd, sd * (-2.0 * T::epsilon().wide().ln()).sqrt())
            }
            Bump::Triangle => (1.0, 1.0),
            Bump::Rounded => (1.0, 0.0),
        };
        let most = (2.0 * reach).floor() + 1.0;
        let width = if most < length as f64 {
            most as usize
        } else {
            length
        };
        Self {
            bump,
            length,
            width,
            reach,
            inverse: T::of(1.0 / sd),
        }
    }

    /// Writes the taps of a weight of 1 and returns the delay of the first.
    #[inline(always)]
    pub(super) fn unit(&self, position: T, out: &mut [T]) -> usize {
        let last = self.length - self.width;
        if let Bump::Rounded = self.bump {
            out[0] = T::ONE;
            return rounded_delay(position.wide(), self.length);
        }
        let center = T::of(half(self.length)) - position;
        let first = (center.wide() - self.reach).ceil().max(0.0) as usize;
        let start = first.min(last);
        let mut x = T::of(start as f64) - center;
        let mut sum = T::ZERO;
        for tap in out.iter_mut() {
            *tap = match self.bump {
                Bump::Gauss { .. } => {
                    let z = x * self.inverse;
                    (T::of(-0.5) * z * z).exp()
                }
                _ => {
                    let distance = if x < T::ZERO { -x } else { x };
                    if distance < T::ONE {
                        T::ONE - distance
                    } else {
                        T::ZERO
                    }
                }
            };
            sum += *tap;
            x += T::ONE;
        }
        let scale = T::ONE / (sum + T::of(FLOOR));
        for tap in out.iter_mut() {
            *tap *= scale;
        }
        start
    }

    /// From the gradient of the taps that of a weight (`unit . grad`), and that of the position at a weight of 1.
    #[inline(always)]
    pub(super) fn pull(&self, unit: &[T], start: usize, position: T, grad: &[T]) -> (T, T) {
        let center = T::of(half(self.length)) - position;
        let mut x = T::of(start as f64) - center;
        let (mut by_weight, mut moment, mut mean) = (T::ZERO, T::ZERO, T::ZERO);
        for (k, g) in unit.iter().zip(grad) {
            by_weight += *k * *g;
            moment += *k * x * *g;
            mean += *k * x;
            x += T::ONE;
        }
        if !matches!(self.bump, Bump::Gauss { .. }) {
            return (by_weight, T::ZERO);
        }
        // d unit_D / d delay = unit_D ((D - d) - sum_j unit_j (j - d)) / sd^2, and the delay falls as the position rises.
        let slope = (moment - by_weight * mean) * self.inverse * self.inverse;
        (by_weight, -slope)
    }
}

/// The windows of all synapses of a layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernels<T> {
    pub(super) shape: Shape<T>,
    pub(super) n_in: usize,
    pub(super) n_out: usize,
    pub(super) length: usize,
    /// Delay of each window's first tap, `[in][out]`.
    pub(super) starts: Vec<u32>,
    /// Of a weight of 1, `[in][out][window]`.
    pub(super) unit: Vec<T>,
    /// `[in][out][window]`.
    pub(super) taps: Vec<T>,
    /// `[in][delay][out]`; empty where windows have one tap.
    pub(super) dense: Vec<T>,
}

impl<T: Real> Kernels<T> {
    pub(super) fn new(
        weights: &[T],
        positions: &[T],
        (n_in, n_out): (usize, usize),
        length: usize,
        bump: Bump,
    ) -> Self {
        use rayon::prelude::*;
        let shape = Shape::<T>::new(length, bump);
        let (width, n) = (shape.width, n_in * n_out);
        let mut starts = vec![0u32; n];
        let mut unit = vec![T::ZERO; n * width];
        let mut taps = vec![T::ZERO; n * width];
        let spread = width > 1;
        let mut dense = vec![T::ZERO; if spread { n * length } else { 0 }];
        let row = n_out * width;
        // Without taps to spread each channel gets an empty slice.
        let mut tables: Vec<&mut [T]> = match spread {
            true => dense.chunks_exact_mut(n_out * length).collect(),
            false => (0..n_in).map(|_| <&mut [T]>::default()).collect(),
        };
        starts
            .par_chunks_mut(n_out)
            .zip(unit.par_chunks_mut(row))
            .zip(taps.par_chunks_mut(row))
            .zip(tables.par_iter_mut())
            .enumerate()
            .with_min_len(8)
            .for_each(|(i, (((starts, unit), taps), table))| {
                for (o, start) in starts.iter_mut().enumerate() {
                    let (w, p) = (weights[i * n_out + o], positions[i * n_out + o]);
                    let span = o * width..(o + 1) * width;
                    let (unit, taps) = (&mut unit[span.clone()], &mut taps[span]);
                    let first = shape.unit(p, unit);
                    *start = first as u32;
                    for (d, (tap, unit)) in taps.iter_mut().zip(unit).enumerate() {
                        *tap = w * *unit;
                        if spread {
                            table[(first + d) * n_out + o] = *tap;
                        }
                    }
                }
            });
        Self {
            shape,
            n_in,
            n_out,
            length,
            starts,
            unit,
            taps,
            dense,
        }
    }
}
