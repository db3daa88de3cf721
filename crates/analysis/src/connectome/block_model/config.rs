//! Settings.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the weights of the edges between two blocks are distributed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WeightModel {
    /// Exponential, for weights above 0; Gamma prior of shape 1 whose rate is the mean weight (card 01, stage 3).
    #[default]
    Exponential,
    /// Normal, for any real weights; normal-inverse-gamma prior worth one edge, centred on the graph's mean and
    /// variance.
    Normal,
    /// Normal on the weights' logarithms, for weights above 0 that scatter by factors around each pair of blocks' own
    /// scale.
    LogNormal,
    /// Exponential or log-normal, whichever gives the shorter description.
    Auto,
    /// Poisson, for whole numbers; Gamma prior of shape 1 whose mean is the mean weight.
    Poisson,
    /// The weights say nothing: the topology alone counts.
    None,
}

/// Whether blocks may hold nodes of very different degrees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DegreeCorrection {
    /// Both are fitted and the shorter description is kept.
    #[default]
    Auto,
    /// Degree-corrected.
    On,
    /// Plain.
    Off,
}

/// The weighted nested stochastic block model: which nodes are connected alike, and how many kinds there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlockModel {
    /// Distribution of the weights between two blocks.
    pub weights: WeightModel,
    /// Degree correction.
    pub degree_correction: DegreeCorrection,
    /// Whether the edge counts between blocks are described by blocks of blocks (nested) or by a flat prior.
    pub nested: bool,
    /// Independent searches, of which the shortest description is kept (at least 1).
    pub restarts: usize,
    /// Most sweeps over all nodes at each number of blocks (at least 1).
    pub sweeps: usize,
    /// Rounds of splitting and merging whole blocks after each search; a round that gains nothing is the last.
    pub merge_split: usize,
}

impl Default for BlockModel {
    /// Card 01, stage 3: exponential weights, both degree corrections, nested, 10 restarts (chosen there).
    fn default() -> Self {
        Self {
            weights: WeightModel::Exponential,
            degree_correction: DegreeCorrection::Auto,
            nested: true,
            restarts: 10,
            sweeps: 30,
            merge_split: 3,
        }
    }
}

impl BlockModel {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.restarts >= 1, "restarts", "at least 1", self.restarts)?;
        SettingError::check(self.sweeps >= 1, "sweeps", "at least 1", self.sweeps)
    }
}
