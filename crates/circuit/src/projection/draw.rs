//! Values for each of many: the same for all, drawn, or given.

use chiasm_core::SettingError;
use chiasm_core::rng::Rng;
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value for each of many: the same for all, drawn, or given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, { uniform = [low, high] }, { normal = [mean, sd] } or { each = [...] }"
)]
pub enum Draw {
    /// The same for all.
    Same(f64),
    /// Drawn from a distribution, or given.
    From(Distributed),
}

/// Values that differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distributed {
    /// Between low (included) and high.
    Uniform(f64, f64),
    /// Mean and standard deviation.
    Normal(f64, f64),
    /// Given one by one: for neurons in their order, for synapses by source, then target.
    Each(Vec<f64>),
}

impl From<f64> for Draw {
    fn from(value: f64) -> Self {
        Self::Same(value)
    }
}

impl Draw {
    /// Between `low` (included) and `high`.
    #[must_use]
    pub fn uniform(low: f64, high: f64) -> Self {
        Self::From(Distributed::Uniform(low, high))
    }

    /// Of this mean and standard deviation.
    #[must_use]
    pub fn normal(mean: f64, sd: f64) -> Self {
        Self::From(Distributed::Normal(mean, sd))
    }

    /// Checks the numbers.
    pub(crate) fn validate(&self, field: &str) -> Result<(), SettingError> {
        let finite = |x: f64| SettingError::check(x.is_finite(), field, "a finite number", x);
        match self {
            Self::Same(x) => finite(*x),
            Self::From(Distributed::Uniform(low, high)) => {
                finite(*low)?;
                finite(*high)?;
                let found = format!("{low} to {high}");
                SettingError::check(low <= high, field, "a range from low to high", found)
            }
            Self::From(Distributed::Normal(mean, sd)) => {
                finite(*mean)?;
                finite(*sd)?;
                SettingError::check(*sd >= 0.0, field, "a standard deviation of at least 0", sd)
            }
            Self::From(Distributed::Each(each)) => each.iter().try_for_each(|x| finite(*x)),
        }
    }

    /// The next value; `index` counts all of them.
    pub(crate) fn sample(&self, index: usize, rng: &mut Rng) -> f64 {
        match self {
            Self::Same(x) => *x,
            Self::From(Distributed::Uniform(low, high)) => low + (high - low) * rng.random::<f64>(),
            Self::From(Distributed::Normal(mean, sd)) => {
                // Validated: finite, not negative.
                Normal::new(*mean, *sd).map_or(*mean, |n| n.sample(rng))
            }
            Self::From(Distributed::Each(each)) => each.get(index).copied().unwrap_or(f64::NAN),
        }
    }

    pub(super) fn is_random(&self) -> bool {
        matches!(
            self,
            Self::From(Distributed::Uniform(..) | Distributed::Normal(..))
        )
    }
}
