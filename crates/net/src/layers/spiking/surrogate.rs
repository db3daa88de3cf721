//! What stands for the derivative of a spike.

use std::f64::consts::PI;

use burn_tensor::{Tensor, activation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::real::Real;

/// The derivative that a spike is given by `x`, the potential above threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Surrogate {
    /// `alpha / 2 / (1 + (pi / 2 alpha x)^2)` (Fang et al. 2021, eq. 11).
    Atan {
        /// Twice the height.
        alpha: f64,
    },
    /// `slope s (1 - s)` with `s = 1 / (1 + exp(-slope x))`.
    Sigmoid {
        /// Four times the height.
        slope: f64,
    },
    /// `height max(0, 1 - |x| / width)` (Esser et al. 2016; Bellec et al. 2018 with a height of 0.3).
    Triangle {
        /// Where it reaches 0.
        width: f64,
        /// At threshold.
        height: f64,
    },
    /// `height exp(-decay |x|)` (SLAYER, Shrestha and Orchard 2018).
    Slayer {
        /// How fast it falls.
        decay: f64,
        /// At threshold.
        height: f64,
    },
}

impl Default for Surrogate {
    fn default() -> Self {
        Self::Atan { alpha: 2.0 }
    }
}

impl Surrogate {
    /// The derivative at `x` above threshold.
    #[must_use]
    pub fn derivative(self, x: f64) -> f64 {
        let mut slope = [0.0];
        self.slopes(&[x], 0.0, &mut slope);
        slope[0]
    }

    /// The function of `x` whose derivative this is, 1/2 at threshold.
    #[must_use]
    pub fn integral(self, x: f64) -> f64 {
        let mut value = [0.0];
        self.integrals(&[x], 0.0, &mut value);
        value[0]
    }

    /// The parameters by name.
    pub(super) fn settings(self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Atan { alpha } => vec![("alpha", alpha)],
            Self::Sigmoid { slope } => vec![("slope", slope)],
            Self::Triangle { width, height } => vec![("width", width), ("height", height)],
            Self::Slayer { decay, height } => vec![("decay", decay), ("height", height)],
        }
    }

    /// Derivatives at potentials `u`.
    #[inline(always)]
    pub(super) fn slopes<R: Real>(self, u: &[R], threshold: R, out: &mut [R]) {
        let each = out.iter_mut().zip(u);
        match self {
            Self::Atan { alpha } => {
                let (height, scale) = (R::of(0.5 * alpha), R::of(0.5 * PI * alpha));
                for (out, u) in each {
                    let x = scale * (*u - threshold);
                    *out = height / (R::ONE + x * x);
                }
            }
            Self::Sigmoid { slope } => {
                let slope = R::of(slope);
                for (out, u) in each {
                    // An even function, written so that nothing overflows.
                    let e = (R::ZERO - slope * (*u - threshold).abs()).exp();
                    let one = R::ONE + e;
                    *out = slope * e / (one * one);
                }
            }
            Self::Triangle { width, height } => {
                let (height, steep) = (R::of(height), R::of(1.0 / width));
                for (out, u) in each {
                    let y = R::ONE - steep * (*u - threshold).abs();
                    // Written so that NaN stays NaN.
                    *out = if y < R::ZERO { R::ZERO } else { height * y };
                }
            }
            Self::Slayer { decay, height } => {
                let (height, decay) = (R::of(height), R::of(decay));
                for (out, u) in each {
                    *out = height * (R::ZERO - decay * (*u - threshold).abs()).exp();
                }
            }
        }
    }

    /// Integrals of the derivative at potentials `u`.
    #[inline(always)]
    pub(super) fn integrals<R: Real>(self, u: &[R], threshold: R, out: &mut [R]) {
        let half = R::of(0.5);
        for (out, u) in out.iter_mut().zip(u) {
            let x = *u - threshold;
            let size = x.abs();
            // The part above 1/2 on the right side; the left is its mirror image.
            let part = match self {
                Self::Atan { alpha } => R::of(1.0 / PI) * (R::of(0.5 * PI * alpha) * size).atan(),
                Self::Sigmoid { slope } => {
                    R::ONE / (R::ONE + (R::ZERO - R::of(slope) * size).exp()) - half
                }
                Self::Triangle { width, height } => {
                    let width = R::of(width);
                    let inside = if size > width { width } else { size };
                    R::of(height) * (inside - inside * inside * half / width)
                }
                Self::Slayer { decay, height } => {
                    let fallen = (R::ZERO - R::of(decay) * size).exp_m1();
                    R::ZERO - R::of(height / decay) * fallen
                }
            };
            *out = if x < R::ZERO {
                half - part
            } else {
                half + part
            };
        }
    }

    /// The integral, of Burn's operations, by which it gets the derivative. No divisions by numbers: Burn's gradient of one is
    /// in single precision.
    pub(super) fn composed(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Atan { alpha } => (x * (0.5 * PI * alpha)).atan() * (1.0 / PI) + 0.5,
            Self::Sigmoid { slope } => activation::sigmoid(x * slope),
            Self::Triangle { width, height } => {
                let x = x.clamp(-width, width);
                (x.clone() - x.clone() * x.abs() * (0.5 / width)) * height + 0.5
            }
            Self::Slayer { decay, height } => {
                let fallen = (x.clone().abs() * -decay).exp() - 1.0;
                x.sign() * fallen * (-height / decay) + 0.5
            }
        }
    }
}
