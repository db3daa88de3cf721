//! Settings of the study and of the method on own data.

use chiasm_analysis::switching::{Bias, Link, SwitchingGlm};
use chiasm_core::SettingError;
use chiasm_data::Counting;
use chiasm_data::generate::SwitchingNetwork;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study `onehot-hmm-glm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The planted networks; their trials are training trials first, then test trials.
    pub data: SwitchingNetwork,
    /// The one-hot model; the other arms differ in their couplings alone.
    pub model: SwitchingGlm,
    /// Networks on which the arms are compared with scarce data.
    pub networks: usize,
    /// Training trials where data are scarce.
    pub scarce_trials: usize,
    /// Training trials of the arm with ample data, on the first network.
    pub ample_trials: usize,
    /// Random starts of the arm with ample data.
    pub ample_restarts: usize,
    /// Last trials of each network, which are held out.
    pub test_trials: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: SwitchingNetwork {
                trials: 38,
                ..SwitchingNetwork::default()
            },
            model: SwitchingGlm::default(),
            networks: 5,
            scarce_trials: 4,
            ample_trials: 30,
            ample_restarts: 2,
            test_trials: 8,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            // The card's networks and trials, with fewer starts.
            Preset::Quick => Self {
                model: SwitchingGlm {
                    restarts: 2,
                    ..SwitchingGlm::default()
                },
                ..Self::default()
            },
            // Paper's code: 50 trials, of which 30 are for training.
            Preset::Paper => Self {
                data: SwitchingNetwork::default(),
                ample_restarts: 5,
                test_trials: 20,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            data: SwitchingNetwork {
                states: 2,
                units: 6,
                trials: 6,
                bins: 250,
                ..SwitchingNetwork::default()
            },
            model: SwitchingGlm {
                states: 2,
                restarts: 2,
                epochs: 6,
                one_hot_epochs: 4,
                ..SwitchingGlm::default()
            },
            networks: 2,
            scarce_trials: 2,
            ample_trials: 4,
            ample_restarts: 1,
            test_trials: 2,
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        within("data", self.data.validate())?;
        within("model", self.model.validate())?;
        let some = |field, n: usize| SettingError::check(n > 0, field, "at least 1", n);
        some("networks", self.networks)?;
        some("scarce_trials", self.scarce_trials)?;
        some("ample_restarts", self.ample_restarts)?;
        some("test_trials", self.test_trials)?;
        let same = self.model.states == self.data.states;
        let expected = format!("{}, as the planted networks have", self.data.states);
        SettingError::check(same, "model.states", &expected, self.model.states)?;
        SettingError::check(
            self.ample_trials >= self.scarce_trials,
            "ample_trials",
            "at least as many as scarce_trials",
            self.ample_trials,
        )?;
        let fits = self
            .ample_trials
            .checked_add(self.test_trials)
            .is_some_and(|n| n <= self.data.trials);
        let expected = format!(
            "at most data.trials = {} with test_trials",
            self.data.trials
        );
        SettingError::check(fits, "ample_trials", &expected, self.ample_trials)
    }
}

/// Settings of `chiasm fit onehot-hmm-glm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// How the recording becomes counts.
    pub counting: Counting,
    /// The model.
    pub model: SwitchingGlm,
    /// Numbers of states to compare by held-out likelihood, such as `[1, 2, 3, 4]`; none by default, since every one costs
    /// `folds` fits.
    pub compare_states: Vec<usize>,
    /// Folds of that comparison. A recording of fewer trials is cut into as many pieces.
    pub folds: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            counting: Counting::default(),
            // Paper's code for its recording: softplus, a bias in each state, four states.
            model: SwitchingGlm {
                states: 4,
                link: Link::Softplus,
                bias: Bias::PerState,
                ..SwitchingGlm::default()
            },
            compare_states: vec![],
            folds: 4,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        within("counting", self.counting.validate())?;
        within("model", self.model.validate())?;
        for &n in &self.compare_states {
            SettingError::check(
                (1..=1000).contains(&n),
                "compare_states",
                "from 1 to 1000",
                n,
            )?;
        }
        SettingError::check(self.folds >= 2, "folds", "at least 2", self.folds)
    }
}

fn within(part: &str, result: Result<(), SettingError>) -> Result<(), SettingError> {
    result.map_err(|e| SettingError {
        field: format!("{part}.{}", e.field),
        ..e
    })
}
