//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use chiasm_net::network::Start;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bearings::Bearings;

/// Settings of the study. The defaults are the quick preset, which is the card's scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Points to learn from (card 34: 1,000).
    pub n_train: usize,
    /// Points to test on (card 34: 2,000).
    pub n_test: usize,
    /// Standard deviation of the noise of spirals (card 34: 0.02).
    pub noise: f64,
    /// Units of each hidden layer (card 34: 12).
    pub width: usize,
    /// Hidden layers (card 34: 3).
    pub depth: usize,
    /// Hidden layers of the deep networks (card 34: 8).
    pub deep: usize,
    /// How weights begin (card 34: as in the image code; its dense code has `uniform`).
    pub start: Start,
    /// Passes over the points (card 34: 150).
    pub epochs: usize,
    /// Points in a batch (card 34: 64).
    pub batch: usize,
    /// Learning rate (card 34: 0.03).
    pub rate: f64,
    /// Momentum (card 34: 0.9).
    pub momentum: f64,
    /// Rates of the quadratic parts over that of the others, ascending (card 34: 0.01, 0.1, 1; chosen: 0.001 too).
    pub gammas: Vec<f64>,
    /// The one with which deep networks are trained (card 34: 0.01 deeper than 4).
    pub deep_gamma: f64,
    /// Networks of each kind, each with points and a start of its own (card 34: 6).
    pub networks: usize,
    /// Convolutional networks that tell faults of bearings (card 34, works when 6).
    pub bearings: Bearings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            n_train: 1000,
            n_test: 2000,
            noise: 0.02,
            width: 12,
            depth: 3,
            deep: 8,
            start: Start::HeNormal,
            epochs: 150,
            batch: 64,
            rate: 0.03,
            momentum: 0.9,
            gammas: vec![0.001, 0.01, 0.1, 1.0],
            deep_gamma: 0.01,
            networks: 6,
            bearings: Bearings::default(),
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            // The paper's image networks take days here; of the plane this is more of the same.
            Preset::Paper => Self {
                networks: 20,
                bearings: Bearings::paper(),
                gammas: vec![1e-5, 1e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            n_train: 100,
            n_test: 80,
            width: 5,
            depth: 2,
            deep: 3,
            epochs: 4,
            networks: 2,
            bearings: Bearings::smoke(),
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        for (field, n, most) in [
            ("n_train", self.n_train, 1_000_000),
            ("n_test", self.n_test, 1_000_000),
            ("width", self.width, 1024),
            ("depth", self.depth, 64),
            ("deep", self.deep, 64),
            ("epochs", self.epochs, 100_000),
            ("batch", self.batch, 1_000_000),
            ("networks", self.networks, 1000),
        ] {
            let expected = format!("1 to {most}");
            SettingError::check((1..=most).contains(&n), field, &expected, n)?;
        }
        let fine = self.noise.is_finite() && self.noise >= 0.0;
        SettingError::check(fine, "noise", "0 or more", self.noise)?;
        let fine = self.rate.is_finite() && self.rate > 0.0;
        SettingError::check(fine, "rate", "a number above 0", self.rate)?;
        let fine = (0.0..1.0).contains(&self.momentum);
        SettingError::check(fine, "momentum", "0 or more, below 1", self.momentum)?;
        let rising = self.gammas.windows(2).all(|w| w[0] < w[1]);
        let within = self.gammas.iter().all(|g| *g > 0.0 && *g <= 1.0);
        let fine = rising && within && self.gammas.len() >= 2;
        let found = format!("{:?}", self.gammas);
        let expected = "at least two values above 0, at most 1, ascending";
        SettingError::check(fine, "gammas", expected, found)?;
        let fine = self.deep_gamma > 0.0 && self.deep_gamma <= 1.0;
        SettingError::check(fine, "deep_gamma", "above 0, at most 1", self.deep_gamma)?;
        self.bearings.validate()
    }
}
