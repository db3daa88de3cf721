//! Families of thresholds: what the geo-topological transform is sensitive to.

use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Thresholds;
use chiasm_core::Rng;

/// Slack at the borders of the families.
const TOLERANCE: f64 = 1e-3;

/// The families, by the position of (l, u) in the unit square. The first that fits, in this order, is the one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Keeps only differences between small distances: (l + u) / 2 <= 0.2.
    Local,
    /// Keeps only differences between large distances: (l + u) / 2 >= 0.8.
    Global,
    /// Keeps most of the geometry: u - l >= 0.8.
    Geometry,
    /// Keeps little more than who is near whom: 0.4 <= l and u <= 0.6.
    Topology,
    /// All else.
    Intermediate,
}

impl Family {
    /// All families, in the order of the test.
    pub const ALL: [Self; 5] = [
        Self::Local,
        Self::Global,
        Self::Geometry,
        Self::Topology,
        Self::Intermediate,
    ];

    /// The family of these thresholds.
    #[must_use]
    pub fn of(thresholds: Thresholds) -> Self {
        let (l, u) = (thresholds.l(), thresholds.u());
        if f64::midpoint(l, u) <= 0.2 + TOLERANCE {
            Self::Local
        } else if f64::midpoint(l, u) >= 0.8 - TOLERANCE {
            Self::Global
        } else if u - l >= 0.8 - TOLERANCE {
            Self::Geometry
        } else if l >= 0.4 - TOLERANCE && u <= 0.6 + TOLERANCE {
            Self::Topology
        } else {
            Self::Intermediate
        }
    }

    /// Its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Global => "global",
            Self::Geometry => "geometry",
            Self::Topology => "topology",
            Self::Intermediate => "intermediate",
        }
    }

    /// Thresholds of this family, uniform over its part of the triangle l < u.
    pub fn draw(self, rng: &mut Rng) -> Thresholds {
        // The smallest family (topology) covers one part in fifty of the square: a few dozen tries on average.
        loop {
            let (l, u) = (rng.random::<f64>(), rng.random::<f64>());
            if let Ok(thresholds) = Thresholds::new(l, u)
                && Self::of(thresholds) == self
            {
                return thresholds;
            }
        }
    }
}
