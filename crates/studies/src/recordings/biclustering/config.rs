//! Settings of the study and of the method on own data.

use chiasm_analysis::biclustering::Biclustering;
use chiasm_core::SettingError;
use chiasm_data::generate::ClusteredCounts;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study `biclustering`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The planted counts.
    pub data: ClusteredCounts,
    /// The method.
    pub method: Biclustering,
    /// Sweeps of each arm that predicts held-out counts, half of them burn-in.
    pub arm_sweeps: usize,
    /// Share of the counts that these arms do not see.
    pub held_out: f64,
    /// Sweeps of the Poisson variant on Poisson counts of the same paths, half of them burn-in; 0 to leave it out.
    pub poisson_sweeps: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: ClusteredCounts::default(),
            method: Biclustering {
                sweeps: 500,
                burn_in: 250,
                thin: 2,
                chains: 2,
                ..Biclustering::default()
            },
            arm_sweeps: 240,
            held_out: 0.1,
            poisson_sweeps: 400,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        let quick = Self::default();
        match preset {
            Preset::Quick => quick,
            Preset::Paper => Self {
                method: Biclustering {
                    sweeps: 10_000,
                    burn_in: 2500,
                    thin: 15,
                    ..quick.method
                },
                arm_sweeps: 2000,
                poisson_sweeps: 10_000,
                ..quick
            },
        }
    }

    fn smoke() -> Self {
        let quick = Self::default();
        Self {
            data: ClusteredCounts {
                cluster_size: 4,
                n_bins: 120,
                ..quick.data
            },
            method: Biclustering {
                states: 3,
                sweeps: 24,
                burn_in: 12,
                ..quick.method
            },
            arm_sweeps: 12,
            poisson_sweeps: 12,
            ..quick
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        self.data.validate()?;
        self.method.validate()?;
        let share = self.held_out;
        let fine = share > 0.0 && share <= 0.5;
        SettingError::check(fine, "held_out", "above 0, at most 0.5", share)?;
        let n = self.arm_sweeps;
        SettingError::check(n >= 2, "arm_sweeps", "at least 2", n)?;
        let n = self.poisson_sweeps;
        SettingError::check(n != 1, "poisson_sweeps", "0, or at least 2", n)
    }
}

/// Settings of the method on own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The method; `rho` is that of the recording in the released code.
    pub method: Biclustering,
    /// Width of the bins, s. Of spike times 0.5 if not given (released code); of sampled counts the samples as they are.
    pub bin_s: Option<f64>,
    /// Kind of the epochs that are compared with the states; if not given, the only kind there is, if there is one alone.
    pub epochs: Option<String>,
    /// Stages in which a chain is kept on disk: a killed run goes on from the last.
    pub stages: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            method: Biclustering {
                rho: 0.415,
                states: 20,
                spline_every: 10,
                sweeps: 1000,
                burn_in: 250,
                thin: 2,
                chains: 2,
                ..Biclustering::default()
            },
            bin_s: None,
            epochs: None,
            stages: 10,
        }
    }
}

impl Settings for FitConfig {
    fn preset(preset: Preset) -> Self {
        let quick = Self::default();
        match preset {
            Preset::Quick => quick,
            Preset::Paper => Self {
                method: Biclustering {
                    sweeps: 10_000,
                    burn_in: 2500,
                    thin: 15,
                    ..quick.method
                },
                ..quick
            },
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        self.method.validate()?;
        if let Some(bin) = self.bin_s {
            SettingError::check(
                bin > 0.0 && bin.is_finite(),
                "bin_s",
                "a finite width above 0",
                bin,
            )?;
        }
        let n = self.stages;
        SettingError::check((1..=1000).contains(&n), "stages", "1 to 1000", n)
    }
}
