//! The settings of a layer of spiking neurons.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Surrogate;

/// Leaky integrate-and-fire neurons in discrete time: what all neurons of a layer share.
///
/// The leak is no setting: it is a tensor, so that it can be learned ([`leak_of`] makes one from a time constant).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lif {
    /// A neuron spikes in the step in which its potential is at or above this; in the unit of the input.
    pub threshold: f64,
    /// What a spike leaves of the potential.
    pub reset: Reset,
    /// Whether gradients pass the reset by, as if its spike were a constant.
    pub detach_reset: bool,
    /// How much of its input a neuron takes in.
    pub drive: Drive,
    /// What stands for the derivative of a spike by the potential.
    pub surrogate: Surrogate,
    /// Spikes, or the smooth function whose derivative the surrogate is.
    pub firing: Firing,
}

impl Default for Lif {
    fn default() -> Self {
        Self {
            threshold: 1.0,
            reset: Reset::Zero,
            detach_reset: false,
            drive: Drive::Whole,
            surrogate: Surrogate::default(),
            firing: Firing::Spikes,
        }
    }
}

/// What a spike leaves of the potential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// Nothing: it goes to 0.
    #[default]
    Zero,
    /// What is above the threshold: that is subtracted.
    Subtract,
    /// All of it.
    None,
}

/// How much of its input a neuron takes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Drive {
    /// All: `u = leak v + input`.
    #[default]
    Whole,
    /// What the leak leaves room for: `u = leak v + (1 - leak) input`, so that a constant input is where the potential goes.
    /// With a leak of `exp(-dt / tau)` it is the exact solution of `tau dv/dt = -v + input` for an input held over each step.
    Leaky,
}

/// What a layer puts out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Firing {
    /// 1 for a spike, 0 for none.
    #[default]
    Spikes,
    /// The surrogate's integral ([`Surrogate::integral`]) in place of the step: no network of spikes, but one whose gradients
    /// are exact, to check them by finite differences.
    Smooth,
}

impl Lif {
    /// Checks the settings.
    ///
    /// # Errors
    /// Names the first setting outside its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let above_0 = |field: &str, value: f64| {
            let holds = value.is_finite() && value > 0.0;
            SettingError::check(holds, field, "a finite number above 0", value)
        };
        above_0("threshold", self.threshold)?;
        for (field, value) in self.surrogate.settings() {
            above_0(&format!("surrogate.{field}"), value)?;
        }
        Ok(())
    }
}

/// The leak of a membrane with time constant `tau` over a step of `dt` (same unit): `exp(-dt / tau)`.
///
/// # Errors
/// Unless both are finite and above 0.
pub fn leak_of(tau: f64, dt: f64) -> Result<f64, SettingError> {
    for (field, value) in [("tau", tau), ("dt", dt)] {
        let holds = value.is_finite() && value > 0.0;
        SettingError::check(holds, field, "a finite time above 0", value)?;
    }
    Ok((-dt / tau).exp())
}
