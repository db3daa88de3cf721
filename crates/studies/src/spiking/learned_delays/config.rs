//! Settings of the study and of the method on own spikes.

use std::path::PathBuf;

use chiasm_core::SettingError;
use chiasm_data::events::CochleaBinning;
use chiasm_data::generate::OrderTask;
use chiasm_data::sound::MelSpikes;
use chiasm_lab::{Preset, Settings};
use chiasm_net::spiking::delays::{self, Recovery};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Single kernels that are to find given delays.
    pub recovery: Recovery,
    /// The task of order, and the networks trained on it.
    pub order: Order,
    /// Spoken digits, and the networks trained on them.
    pub spoken: Spoken,
    /// The paper's own data, where they are at hand.
    pub heidelberg: Heidelberg,
}

/// The task of order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// The spikes.
    pub task: OrderTask,
    /// The network with learned delays; the others differ from it in their delays alone.
    pub network: delays::Config,
    /// Probability that a synapse does not exist in the sparse networks (chosen: 0.8).
    pub sparsity: f64,
    /// Width at which the kernels are left for comparison, steps (card 45: 2).
    pub wide: f64,
    /// Greatest delays that are compared beside the network's own, ms.
    pub max_delays_ms: Vec<f64>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            task: OrderTask::default(),
            network: delays::Config {
                hidden: vec![64],
                max_delay_ms: 510.0,
                epochs: 40,
                batch: 64,
                ..delays::Config::default()
            },
            sparsity: 0.8,
            wide: 2.0,
            max_delays_ms: vec![110.0],
        }
    }
}

impl Order {
    fn validate(&self) -> Result<(), SettingError> {
        within("order.task", self.task.validate())?;
        within("order.network", self.network.validate())?;
        let p = self.sparsity;
        let holds = p > 0.0 && p < 1.0;
        SettingError::check(holds, "order.sparsity", "above 0 and below 1", p)?;
        let end = self.network.sigma_end;
        let holds = self.wide > end && self.wide <= 100.0;
        let expected = format!("above the network's {end} and at most 100");
        SettingError::check(holds, "order.wide", &expected, self.wide)?;
        for max in &self.max_delays_ms {
            let network = delays::Config {
                max_delay_ms: *max,
                ..self.network.clone()
            };
            let found = format!("{:?}", self.max_delays_ms);
            let fine = network.validate().is_ok();
            let expected = "times that are a step at least";
            SettingError::check(fine, "order.max_delays_ms", expected, found)?;
        }
        Ok(())
    }
}

/// Spoken digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Spoken {
    /// How sounds become spikes.
    pub cochlea: MelSpikes,
    /// The network with learned delays; the other differs from it in having none.
    pub network: delays::Config,
    /// Most digits that are learned from, evenly chosen of all (card 45: all 2,700).
    pub train: usize,
    /// Most that are tested on, evenly chosen of all (card 45: all 300).
    pub test: usize,
}

impl Default for Spoken {
    fn default() -> Self {
        Self {
            cochlea: MelSpikes {
                bands: 140,
                ..MelSpikes::default()
            },
            network: delays::Config {
                hidden: vec![64, 64],
                epochs: 15,
                batch: 16,
                ..delays::Config::default()
            },
            train: 900,
            test: 300,
        }
    }
}

impl Spoken {
    /// Whether the networks are as large, and learn as long from as much, as the card's.
    pub(super) fn at_scale(&self) -> bool {
        let network = &self.network;
        let large = network.hidden.len() >= 2 && network.hidden.iter().all(|n| *n >= 128);
        large && network.epochs >= 30 && self.train >= 2700 && self.test >= 300
    }

    fn validate(&self) -> Result<(), SettingError> {
        within("spoken.cochlea", self.cochlea.validate())?;
        within("spoken.network", self.network.validate())?;
        for (field, n) in [("spoken.train", self.train), ("spoken.test", self.test)] {
            let expected = "10 to 1,000,000";
            SettingError::check((10..=1_000_000).contains(&n), field, expected, n)?;
        }
        Ok(())
    }
}

/// Spiking Heidelberg Digits, or spoken words laid out like them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Heidelberg {
    /// Folder with `shd_train.h5` and `shd_test.h5`; without it nothing is trained on them.
    pub folder: Option<PathBuf>,
    /// How spikes become counts.
    pub binning: CochleaBinning,
    /// The network with learned delays; the other differs from it in having none. The published one.
    pub network: delays::Config,
    /// Most words that are learned from, evenly chosen of all.
    pub train: usize,
    /// Most that are tested on, evenly chosen of all.
    pub test: usize,
}

impl Default for Heidelberg {
    fn default() -> Self {
        Self {
            folder: None,
            binning: CochleaBinning::default(),
            network: delays::Config::default(),
            train: 1_000_000,
            test: 1_000_000,
        }
    }
}

impl Heidelberg {
    /// Whether so many words, and such a network, are those of the paper: its training part has more than 8,000.
    pub(super) fn at_scale(&self, train: usize) -> bool {
        let (network, published) = (&self.network, delays::Config::default());
        let large = network.hidden.len() >= 2 && network.hidden.iter().all(|n| *n >= 256);
        large && network.epochs >= published.epochs && train >= 8_000
    }

    fn validate(&self) -> Result<(), SettingError> {
        within("heidelberg.binning", self.binning.validate())?;
        within("heidelberg.network", self.network.validate())?;
        for (field, n) in [("train", self.train), ("test", self.test)] {
            let field = format!("heidelberg.{field}");
            SettingError::check(n > 0, &field, "at least 1", n)?;
        }
        Ok(())
    }
}

/// The refusal of a part's setting, under its name in the whole.
fn within(part: &str, checked: Result<(), SettingError>) -> Result<(), SettingError> {
    checked.map_err(|e| SettingError {
        field: format!("{part}.{}", e.field),
        ..e
    })
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            // The published network for Spiking Heidelberg Digits, on what is at hand.
            Preset::Paper => {
                let mut new = Self::default();
                new.order.network.epochs = 150;
                new.order.max_delays_ms = vec![50.0, 110.0, 170.0, 250.0, 370.0];
                new.spoken.network = delays::Config::default();
                (new.spoken.train, new.spoken.test) = (2700, 300);
                new
            }
        }
    }

    fn smoke() -> Self {
        let mut new = Self::default();
        new.recovery.synapses = 10;
        new.recovery.steps = 20;
        let order = &mut new.order;
        (order.task.train, order.task.test, order.task.channels) = (40, 20, 8);
        (order.network.hidden, order.network.epochs) = (vec![6], 2);
        order.max_delays_ms = vec![50.0];
        let spoken = &mut new.spoken;
        spoken.network.hidden = vec![6, 5];
        spoken.network.epochs = 2;
        spoken.cochlea.bands = 10;
        (spoken.train, spoken.test) = (40, 20);
        new
    }

    fn validate(&self) -> Result<(), SettingError> {
        within("recovery", self.recovery.validate())?;
        self.order.validate()?;
        self.spoken.validate()?;
        self.heidelberg.validate()
    }
}

/// Settings of the method on own spikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// Kind of the epochs that are samples, such as `trial`; their labels are the classes.
    pub trials: String,
    /// Samples of each class that are kept for testing: every so many-th (chosen: 5).
    pub test_every: usize,
    /// Whether the same network without delays is trained beside it.
    pub without: bool,
    /// The network and its training; `step_ms` is the width of the bins.
    pub network: delays::Config,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            trials: "trial".into(),
            test_every: 5,
            without: true,
            network: delays::Config {
                hidden: vec![64],
                epochs: 40,
                batch: 64,
                ..delays::Config::default()
            },
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        let n = self.test_every;
        SettingError::check((2..=1000).contains(&n), "test_every", "2 to 1000", n)?;
        let fine = !self.trials.is_empty();
        SettingError::check(fine, "trials", "a kind of epochs", "an empty name")?;
        within("network", self.network.validate())
    }
}
