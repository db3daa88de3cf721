//! Output nonlinearities with their derivatives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What makes a score of a drive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nonlinearity {
    /// `ln(1 + exp(x))`.
    #[default]
    Softplus,
    /// `max(x, 0)`.
    Relu,
    /// `exp(x)`.
    Exp,
    /// `x`.
    Identity,
}

impl Nonlinearity {
    /// Its value.
    #[must_use]
    pub fn value(self, x: f64) -> f64 {
        match self {
            // Without overflow for large x.
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Relu => x.max(0.0),
            Self::Exp => x.exp(),
            Self::Identity => x,
        }
    }

    /// Its slope; 0 at the corner of [`Nonlinearity::Relu`].
    #[must_use]
    pub fn slope(self, x: f64) -> f64 {
        match self {
            Self::Softplus => {
                let e = (-x.abs()).exp();
                if x >= 0.0 {
                    1.0 / (1.0 + e)
                } else {
                    e / (1.0 + e)
                }
            }
            Self::Relu => f64::from(u8::from(x > 0.0)),
            Self::Exp => x.exp(),
            Self::Identity => 1.0,
        }
    }
}
