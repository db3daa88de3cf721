//! Activations in levels, with a trained scale: quantized, clipped, floored and shifted (QCFS; paper 48).

use chiasm_core::{SettingError, vectorized};
use rayon::prelude::*;

use super::{Network, Step};
use crate::Real;

/// Scales are kept at least this large by training: of a smaller one every input is beyond the scale.
const LEAST: f64 = 1e-3;

/// Numbers per task, and per part of the scale's gradient: a number of its own, so that the bits do not depend on the
/// threads.
const CHUNK: usize = 1 << 14;

pub(super) fn validate(levels: u32, scale: f64) -> Result<(), SettingError> {
    let fine = (1..=1024).contains(&levels);
    SettingError::check(fine, "levels", "1 to 1024", levels)?;
    let fine = scale.is_finite() && scale >= LEAST;
    SettingError::check(fine, "scale", ".001 or more", scale)
}

/// `scale clip(floor(x levels / scale + 1/2) / levels, 0, 1)`.
///
/// The level is found in double precision. That decides every level of numbers in single precision rightly, ties included,
/// which neurons that add these numbers up step by step then meet exactly.
pub(super) fn apply<T: Real>(x: &[T], levels: u32, scale: T, y: &mut Vec<T>) {
    y.resize(x.len(), T::ZERO);
    let (l, wide) = (f64::from(levels), scale.wide());
    let n = T::of(l);
    let part = |x: &[T], y: &mut [T]| {
        vectorized(
            #[inline(always)]
            || {
                for (y, x) in y.iter_mut().zip(x) {
                    let level = (x.wide() * l / wide + 0.5).floor().clamp(0.0, l);
                    *y = T::of(level) / n * scale;
                }
            },
        );
    };
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| part(x, y));
}

/// `gradient` of the values `y` becomes that of the inputs `x`, straight through the steps: 1 between 0 and the scale, else
/// 0. Returns that of the scale: 1 from the scale on, `(y - x) / scale` between, 0 below.
pub(super) fn back<T: Real>(x: &[T], y: &[T], scale: T, gradient: &mut [T]) -> T {
    let part = |x: &[T], y: &[T], gradient: &mut [T]| {
        let mut sum = 0.0;
        for ((g, x), y) in gradient.iter_mut().zip(x).zip(y) {
            if *x >= scale {
                sum += g.wide();
                *g = T::ZERO;
            } else if *x > T::ZERO {
                sum += g.wide() * ((*y - *x) / scale).wide();
            } else {
                *g = T::ZERO;
            }
        }
        sum
    };
    let parts: Vec<f64> = gradient
        .par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .zip(y.par_chunks(CHUNK))
        .map(|((g, x), y)| part(x, y, g))
        .collect();
    T::of(parts.iter().sum())
}

impl<T: Real> Network<T> {
    /// Keeps scales above 0 after a step of descent.
    pub(super) fn keep_scales(&mut self) {
        for step in &self.steps {
            if let Step::Quantized { scale, .. } = step {
                let scale = &mut self.parameters.arrays[*scale].values[0];
                if scale.wide() < LEAST {
                    *scale = T::of(LEAST);
                }
            }
        }
    }
}
