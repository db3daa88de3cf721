//! Plasticity: weights that change by the timing of spikes, with the order of events made explicit.
//!
//! A synapse sees two sequences of events: spikes of its source, and spikes of its target. What a rule does is a walk
//! through both in the order of time; what the literature leaves open, and what decides over the outcome, is how the two
//! are aligned. [`PairStdp`] names every such choice:
//!
//! - *shifts*: a source's spike counts at its time plus `axonal_ms`, a target's spike at its time plus `dendritic_ms`;
//! - *ties* ([`Ties`]): which of the two comes first where both fall into the same step;
//! - *traces* ([`Traces`]): whether earlier spikes add up or only the last counts;
//! - *delivery* ([`Deliver`]): whether a spike carries the weight from before or after its own depression;
//! - *clipping* ([`Clip`]): after every change, or once when the weight is used.
//!
//! # How it is computed
//!
//! Weights matter only when a source spikes, so each row is brought up to date then: the targets' spikes since the last
//! time are walked through in order. Every elementary change is rounded to `f32`, so that a weight's bits do not depend on
//! when it was looked at.

use std::fmt::Debug;

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How spikes leave traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Traces {
    /// Every spike adds 1: all pairs count.
    #[default]
    AllToAll,
    /// Every spike sets the trace to 1: a spike pairs with the last one of the other side alone.
    Nearest,
}

/// Which event comes first where both fall into the same step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// The source's: the pair potentiates, in full.
    #[default]
    SourceFirst,
    /// The target's: the pair depresses, in full.
    TargetFirst,
    /// Neither: the pair does not count.
    Apart,
}

/// Which weight a spike carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deliver {
    /// That from before the depression at this spike.
    #[default]
    Before,
    /// That from after it.
    After,
}

/// When weights are put back into their range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clip {
    /// After every elementary change.
    #[default]
    EachChange,
    /// Once for each spike of the source: after its depression, and before a delivery that comes earlier.
    EachSpike,
}

/// How much of a change depends on the weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dependence {
    /// None: changes are `a_plus` and `a_minus` times the trace.
    #[default]
    Additive,
    /// Potentiation in proportion to `w_max - w`, depression to `w - w_min`.
    Multiplicative,
}

/// Pair-based spike-timing-dependent plasticity.
///
/// At a target's spike `w += a_plus x`, at a source's spike `w -= a_minus y`; the traces `x` (of the source) and `y` (of
/// the target) decay with `tau_plus` and `tau_minus`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PairStdp {
    /// Decay of the source's trace, ms.
    pub tau_plus_ms: f64,
    /// Decay of the target's trace, ms.
    pub tau_minus_ms: f64,
    /// Potentiation of a pair without lag, in the unit of the weights.
    pub a_plus: f64,
    /// Depression of a pair without lag, in the unit of the weights; positive.
    pub a_minus: f64,
    /// Least weight.
    pub w_min: f64,
    /// Greatest weight.
    pub w_max: f64,
    /// Whether changes depend on the weight.
    pub dependence: Dependence,
    /// How spikes leave traces.
    pub traces: Traces,
    /// Which event comes first within a step.
    pub ties: Ties,
    /// Which weight a spike carries.
    pub deliver: Deliver,
    /// When weights are clipped.
    pub clip: Clip,
    /// How much later than it happened a source's spike counts, ms; less than every delay of the projection.
    pub axonal_ms: f64,
    /// How much later than it happened a target's spike counts, ms.
    pub dendritic_ms: f64,
}

/// Song, Miller and Abbott (2000), for weights from 0 to 1.
impl Default for PairStdp {
    fn default() -> Self {
        Self {
            tau_plus_ms: 20.0,
            tau_minus_ms: 20.0,
            a_plus: 0.005,
            a_minus: 0.005 * 1.05,
            w_min: 0.0,
            w_max: 1.0,
            dependence: Dependence::Additive,
            traces: Traces::AllToAll,
            ties: Ties::SourceFirst,
            deliver: Deliver::Before,
            clip: Clip::EachChange,
            axonal_ms: 0.0,
            dendritic_ms: 0.0,
        }
    }
}

/// Everything about a rule that concerns the order of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// Decay of the source's trace, ms.
    pub tau_plus_ms: f64,
    /// Decay of the target's trace, ms.
    pub tau_minus_ms: f64,
    /// How spikes leave traces.
    pub traces: Traces,
    /// Which event comes first within a step.
    pub ties: Ties,
    /// Which weight a spike carries.
    pub deliver: Deliver,
    /// When weights are clipped.
    pub clip: Clip,
    /// How much later than it happened a source's spike counts, ms.
    pub axonal_ms: f64,
    /// How much later than it happened a target's spike counts, ms.
    pub dendritic_ms: f64,
}

/// A rule: what one event does to one weight. The walk through the events is the engine's, in the rule's [`Order`].
pub trait Rule: Debug + Send + Sync {
    /// Checks the parameters.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    fn validate(&self) -> Result<(), SettingError>;

    /// The order of events.
    fn order(&self) -> Order;

    /// The range that weights are clipped to.
    fn range(&self) -> (f32, f32);

    /// The weight after a target's spike, where the source's trace is `x`; not clipped.
    fn potentiated(&self, w: f32, x: f64) -> f32;

    /// The weight after a source's spike, where the target's trace is `y`; not clipped.
    fn depressed(&self, w: f32, y: f64) -> f32;
}

impl Rule for PairStdp {
    fn validate(&self) -> Result<(), SettingError> {
        for (field, tau) in [
            ("tau_plus_ms", self.tau_plus_ms),
            ("tau_minus_ms", self.tau_minus_ms),
        ] {
            let holds = tau.is_finite() && tau > 0.0;
            SettingError::check(holds, field, "a finite time above 0 ms", tau)?;
        }
        for (field, x) in [
            ("a_plus", self.a_plus),
            ("a_minus", self.a_minus),
            ("w_min", self.w_min),
            ("w_max", self.w_max),
        ] {
            SettingError::check(x.is_finite(), field, "a finite number", x)?;
        }
        let expected = format!("at least w_min, which is {}", self.w_min);
        SettingError::check(self.w_max >= self.w_min, "w_max", &expected, self.w_max)?;
        for (field, t) in [
            ("axonal_ms", self.axonal_ms),
            ("dendritic_ms", self.dendritic_ms),
        ] {
            let holds = t.is_finite() && t >= 0.0;
            SettingError::check(holds, field, "a finite time of at least 0 ms", t)?;
        }
        Ok(())
    }

    fn order(&self) -> Order {
        Order {
            tau_plus_ms: self.tau_plus_ms,
            tau_minus_ms: self.tau_minus_ms,
            traces: self.traces,
            ties: self.ties,
            deliver: self.deliver,
            clip: self.clip,
            axonal_ms: self.axonal_ms,
            dendritic_ms: self.dendritic_ms,
        }
    }

    fn range(&self) -> (f32, f32) {
        (self.w_min as f32, self.w_max as f32)
    }

    fn potentiated(&self, w: f32, x: f64) -> f32 {
        let change = match self.dependence {
            Dependence::Additive => self.a_plus * x,
            Dependence::Multiplicative => self.a_plus * x * (self.w_max - f64::from(w)),
        };
        (f64::from(w) + change) as f32
    }

    fn depressed(&self, w: f32, y: f64) -> f32 {
        let change = match self.dependence {
            Dependence::Additive => self.a_minus * y,
            Dependence::Multiplicative => self.a_minus * y * (f64::from(w) - self.w_min),
        };
        (f64::from(w) - change) as f32
    }
}
