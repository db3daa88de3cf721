//! Settings of the study and of the method on own data.

use chiasm_analysis::connectome::affinity::{Affinity, AffinityKind};
use chiasm_analysis::connectome::behavior::Behavior;
use chiasm_analysis::connectome::block_model::BlockModel;
use chiasm_analysis::connectome::communities::DynamicConnectome;
use chiasm_analysis::connectome::factorization::{Factorization, Precision, RankRule};
use chiasm_core::SettingError;
use chiasm_data::generate::PlantedCalcium;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study `dynamic-connectome`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The planted recordings.
    pub data: PlantedCalcium,
    /// The method.
    pub connectome: DynamicConnectome,
    /// Random starts of the arms beside the method.
    pub ablation_starts: usize,
    /// Benchmark graphs for each of the nine settings (paper 01: 10).
    pub lfr_graphs: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PlantedCalcium::default(),
            connectome: DynamicConnectome {
                rank_rule: RankRule {
                    max_rank: 5,
                    ..RankRule::default()
                },
                ..DynamicConnectome::default()
            },
            ablation_starts: 3,
            lfr_graphs: 10,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                data: PlantedCalcium::paper(),
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        let mut config = Self {
            ablation_starts: 1,
            lfr_graphs: 1,
            ..Self::default()
        };
        config.connectome.factorization.starts = 5;
        config.connectome.factorization.max_sweeps = 60;
        config.connectome.block_model.restarts = 2;
        config
    }

    fn validate(&self) -> Result<(), SettingError> {
        let within = |part: &str, result: Result<(), SettingError>| {
            result.map_err(|e| SettingError {
                field: format!("{part}.{}", e.field),
                ..e
            })
        };
        within("data", self.data.validate())?;
        within("connectome", self.connectome.validate())?;
        SettingError::check(
            !self.data.motifs.is_empty(),
            "data.motifs",
            "at least one motif to be found",
            self.data.motifs.len(),
        )?;
        SettingError::check(
            self.ablation_starts >= 1,
            "ablation_starts",
            "at least 1",
            self.ablation_starts,
        )?;
        SettingError::check(
            (1..=10).contains(&self.lfr_graphs),
            "lfr_graphs",
            "from 1 to 10",
            self.lfr_graphs,
        )
    }
}

/// Settings of `chiasm fit dynamic-connectome`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The method.
    pub connectome: DynamicConnectome,
    /// The comparison with behaviour.
    pub behavior: Behavior,
    /// How often the analysis is repeated on units shifted in time independently, where it should find nothing: with as
    /// many components as were chosen for the data themselves, from as many starts.
    pub surrogates: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            connectome: DynamicConnectome {
                affinity: Affinity {
                    kind: AffinityKind::Differential,
                    affinity_sigma_s: 2.0,
                    ..Affinity::default()
                },
                factorization: Factorization {
                    max_sweeps: 60,
                    tolerance: 1e-5,
                    inner: 3,
                    precision: Precision::Single,
                    polish: 140,
                    ..Factorization::default()
                },
                rank_rule: RankRule {
                    max_rank: 6,
                    ..RankRule::default()
                },
                block_model: BlockModel {
                    restarts: 5,
                    ..DynamicConnectome::default().block_model
                },
                ..DynamicConnectome::default()
            },
            behavior: Behavior::default(),
            surrogates: 1,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        let within = |part: &str, result: Result<(), SettingError>| {
            result.map_err(|e| SettingError {
                field: format!("{part}.{}", e.field),
                ..e
            })
        };
        within("connectome", self.connectome.validate())?;
        within("behavior", self.behavior.validate())?;
        SettingError::check(
            self.surrogates <= 100,
            "surrogates",
            "at most 100",
            self.surrogates,
        )
    }
}
