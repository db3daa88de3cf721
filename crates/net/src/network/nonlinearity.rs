//! What a unit does to its input.

use chiasm_core::{SettingError, vectorized};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forward::CHUNK;
use crate::Real;

/// What a unit does to its input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nonlinearity {
    /// Nothing.
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), at)`.
    Capped {
        /// The ceiling.
        at: f64,
    },
    /// `x` above 0, `slope x` below.
    Leaky {
        /// Slope below 0.
        slope: f64,
    },
    /// `tanh(x)`.
    Tanh,
    /// `min(max(x, low), high)`.
    Clipped {
        /// The floor.
        low: f64,
        /// The ceiling.
        high: f64,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x Phi(x)`, with the normal distribution function.
    Gelu,
    /// `x^2`.
    Square,
    /// `x (1 + tanh(sqrt(2 / pi) (x + .044715 x^3))) / 2`: gelu as the GPT family has it.
    GeluTanh,
}

impl Nonlinearity {
    /// Checks its numbers.
    ///
    /// # Errors
    /// [`SettingError`] for a ceiling, slope or range that makes no sense.
    pub fn validate(&self) -> Result<(), SettingError> {
        match *self {
            Self::Capped { at } => {
                let fine = at.is_finite() && at > 0.0;
                SettingError::check(fine, "at", "a number above 0", at)
            }
            Self::Leaky { slope } => {
                SettingError::check(slope.is_finite(), "slope", "a finite number", slope)
            }
            Self::Clipped { low, high } => {
                let fine = low.is_finite() && high.is_finite() && low < high;
                let found = format!("{low} and {high}");
                SettingError::check(
                    fine,
                    "low, high",
                    "finite, the first below the second",
                    found,
                )
            }
            _ => Ok(()),
        }
    }

    /// The value at `x`.
    #[must_use]
    pub fn at<T: Real>(&self, x: T) -> T {
        let mut y = [T::ZERO];
        self.apply(&[x], &mut y);
        y[0]
    }

    /// The value of each number.
    pub(super) fn apply<T: Real>(&self, x: &[T], y: &mut [T]) {
        match *self {
            Self::Linear => y.copy_from_slice(x),
            // `if x < 0` and not `max`, so that NaN stays NaN.
            Self::Relu => each(x, y, |x| if x < T::ZERO { T::ZERO } else { x }),
            Self::Capped { at } => {
                let at = T::of(at);
                each(x, y, |x| clip(x, T::ZERO, at));
            }
            Self::Leaky { slope } => {
                let slope = T::of(slope);
                each(x, y, |x| if x < T::ZERO { slope * x } else { x });
            }
            Self::Tanh => each(x, y, T::vector_tanh),
            Self::Clipped { low, high } => {
                let (low, high) = (T::of(low), T::of(high));
                each(x, y, |x| clip(x, low, high));
            }
            Self::Sigmoid => each(x, y, sigmoid),
            Self::Softplus => each(x, y, |x| {
                let above = if x < T::ZERO { T::ZERO } else { x };
                above + (-x.abs()).vector_exp().ln_1p()
            }),
            Self::Gelu => each(x, y, |x| x * x.normal().0),
            Self::Square => each(x, y, |x| x * x),
            Self::GeluTanh => each(x, y, |x| x * gate(x)),
        }
    }

    /// `gradient` of the values becomes that of the inputs.
    pub(super) fn back<T: Real>(&self, x: &[T], y: &[T], gradient: &mut [T]) {
        match *self {
            Self::Linear => {}
            Self::Relu => slopes(
                x,
                y,
                gradient,
                |x, _| if x > T::ZERO { T::ONE } else { T::ZERO },
            ),
            Self::Capped { at } => {
                let at = T::of(at);
                slopes(x, y, gradient, |x, _| within(x, T::ZERO, at));
            }
            Self::Leaky { slope } => {
                let slope = T::of(slope);
                slopes(
                    x,
                    y,
                    gradient,
                    |x, _| if x > T::ZERO { T::ONE } else { slope },
                );
            }
            Self::Tanh => slopes(x, y, gradient, |_, y| T::ONE - y * y),
            Self::Clipped { low, high } => {
                let (low, high) = (T::of(low), T::of(high));
                slopes(x, y, gradient, |x, _| within(x, low, high));
            }
            Self::Sigmoid => slopes(x, y, gradient, |_, y| y * (T::ONE - y)),
            Self::Softplus => slopes(x, y, gradient, |x, _| sigmoid(x)),
            Self::Gelu => slopes(x, y, gradient, |x, _| {
                let (below, density) = x.normal();
                below + x * density
            }),
            Self::Square => slopes(x, y, gradient, |x, _| x + x),
            Self::GeluTanh => slopes(x, y, gradient, |x, _| {
                let s = gate(x);
                let steep = T::of(2.0 * GELU) + T::of(6.0 * GELU * CUBIC) * x * x;
                s + x * s * (T::ONE - s) * steep
            }),
        }
    }
}

#[inline(always)]
fn clip<T: Real>(x: T, low: T, high: T) -> T {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

#[inline(always)]
fn within<T: Real>(x: T, low: T, high: T) -> T {
    if x > low && x < high { T::ONE } else { T::ZERO }
}

#[inline(always)]
pub(super) fn sigmoid<T: Real>(x: T) -> T {
    // Of the absolute value, so that nothing overflows.
    let e = (-x.abs()).vector_exp();
    let low = e / (T::ONE + e);
    if x < T::ZERO { low } else { T::ONE - low }
}

#[inline(always)]
fn each<T: Real>(x: &[T], y: &mut [T], of: impl Fn(T) -> T + Sync) {
    let part = |x: &[T], y: &mut [T]| {
        vectorized(
            #[inline(always)]
            || {
                for (y, x) in y.iter_mut().zip(x) {
                    *y = of(*x);
                }
            },
        );
    };
    if x.len() <= CHUNK {
        return part(x, y);
    }
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| part(x, y));
}

/// `sqrt(2 / pi)`, and the weight of the cube.
const GELU: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

/// `(1 + tanh(u)) / 2` is the sigmoid of `2 u`: an exponential, which vectorizes.
#[inline(always)]
fn gate<T: Real>(x: T) -> T {
    let twice = T::of(2.0 * GELU) * (x + T::of(CUBIC) * x * x * x);
    T::ONE / (T::ONE + (-twice).vector_exp())
}

#[inline(always)]
fn slopes<T: Real>(x: &[T], y: &[T], gradient: &mut [T], of: impl Fn(T, T) -> T + Sync) {
    let part = |x: &[T], y: &[T], gradient: &mut [T]| {
        vectorized(
            #[inline(always)]
            || {
                for ((g, x), y) in gradient.iter_mut().zip(x).zip(y) {
                    *g *= of(*x, *y);
                }
            },
        );
    };
    if x.len() <= CHUNK {
        return part(x, y, gradient);
    }
    gradient
        .par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .zip(y.par_chunks(CHUNK))
        .for_each(|((g, x), y)| part(x, y, g));
}
