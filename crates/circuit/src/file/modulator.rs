//! Modulators in circuit files.

use std::collections::BTreeMap;

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::circuit::Group;
use crate::modulator::{Modulator, Scales};

/// A modulator: a slow variable that hears groups and scales the changes of plastic projections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModulatorFile {
    /// Time constant of the return to its baseline, ms.
    pub tau_ms: f64,
    /// Where it starts and returns to; changes are as the rule says at a level of 1.
    #[serde(default = "default_baseline")]
    pub baseline: f64,
    /// For each population or input that it hears, what one spike adds.
    pub listens: BTreeMap<String, f64>,
    /// Time between samples in the recording, ms; not recorded if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_every_ms: Option<f64>,
}

/// How a modulator acts on a projection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModulatedFile {
    /// The modulator.
    pub by: String,
    /// Which changes it scales.
    #[serde(default)]
    pub scales: Scales,
}

fn default_baseline() -> f64 {
    1.0
}

impl ModulatorFile {
    /// The modulator; `group` finds what it hears by name, or refuses.
    pub(super) fn modulator(
        &self,
        group: &dyn Fn(&str) -> Result<Group, SettingError>,
    ) -> Result<Modulator, SettingError> {
        let mut modulator = Modulator::new(self.tau_ms, self.baseline);
        for (heard, gain) in &self.listens {
            modulator = modulator.listen(group(heard)?, *gain);
        }
        if let Some(every_ms) = self.record_every_ms {
            modulator = modulator.record(every_ms);
        }
        Ok(modulator)
    }
}
