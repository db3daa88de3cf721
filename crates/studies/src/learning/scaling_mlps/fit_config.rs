//! Settings of the same on own images.

use chiasm_core::SettingError;
use chiasm_lab::Settings;
use chiasm_net::perceptrons::Augmentation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{rate, rising, share, within};

/// Settings of the same on own images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// Rows and columns that images are brought to (paper: 64; CIFAR-10 has 32).
    pub side: usize,
    /// Whether colors are dropped.
    pub grey: bool,
    /// Share of each class that is kept for testing, where there is no folder `test` (chosen).
    pub test_share: f64,
    /// Blocks of each perceptron (card 53, works when: 2).
    pub depth: usize,
    /// Units of each hidden layer, ascending; the last one is analyzed further.
    pub widths: Vec<usize>,
    /// Shares of the images on which the widest is trained too, ascending; empty for none.
    pub shares: Vec<f64>,
    /// Passes over the images (chosen).
    pub epochs: usize,
    /// Images of a batch; at most as many as there are to learn from (chosen).
    pub batch: usize,
    /// Learning rate of Lion (card 53: 1e-4 for narrow networks, 5e-5 for wide ones).
    pub rate: f64,
    /// Share of the target that is spread over all classes (paper: .3).
    pub smoothing: f64,
    /// How images are changed.
    pub augmentation: Augmentation,
    /// Views of each test image whose answers are averaged (card 53: 20).
    pub views: usize,
    /// Passes after which a network in training is kept, so that a killed run goes on from there (chosen).
    pub keep_every: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            side: 32,
            grey: false,
            test_share: 0.2,
            depth: 2,
            widths: vec![32, 64, 128],
            shares: vec![0.25, 0.5],
            epochs: 30,
            batch: 64,
            rate: 1e-4,
            smoothing: 0.3,
            augmentation: Augmentation::LIGHT,
            views: 20,
            keep_every: 10,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        for (field, n, least, most) in [
            ("side", self.side, 2, 1024),
            ("depth", self.depth, 1, 100),
            ("epochs", self.epochs, 1, 100_000),
            ("batch", self.batch, 1, 1_000_000),
            ("views", self.views, 1, 10_000),
            ("keep_every", self.keep_every, 1, 1_000_000),
        ] {
            within(field, n, (least, most))?;
        }
        let fine = self.test_share > 0.0 && self.test_share < 1.0;
        SettingError::check(fine, "test_share", "above 0, below 1", self.test_share)?;
        let widths = &self.widths;
        let fine =
            !widths.is_empty() && rising(widths) && widths.iter().all(|w| (1..=8192).contains(w));
        let found = format!("{widths:?}");
        SettingError::check(fine, "widths", "one or more of 1 to 8192, ascending", found)?;
        let shares = &self.shares;
        let fine = rising(shares) && shares.iter().all(|s| *s > 0.0 && *s < 1.0);
        let found = format!("{shares:?}");
        SettingError::check(fine, "shares", "above 0, below 1, ascending", found)?;
        share("smoothing", self.smoothing)?;
        rate("rate", self.rate)?;
        self.augmentation.validate().map_err(|mut e| {
            e.field = format!("augmentation.{}", e.field);
            e
        })
    }
}
