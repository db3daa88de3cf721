//! Settings of the study and of the agent on own outputs.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use chiasm_net::spiking::confidence::{Given, Smoothing};
use chiasm_net::spiking::qcfs::Qcfs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::photos::Photos;
use crate::images::Images;

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The images.
    pub images: Images,
    /// Images to train on (card 48: 20,000).
    pub n_train: usize,
    /// Images to calibrate on, which are neither trained nor tested on (chosen: 20,000, of which a hundredth, those that the
    /// threshold decides about, tells a tenth of a point from chance; 5,000 do not).
    pub n_calibration: usize,
    /// Images to test on.
    pub n_test: usize,
    /// The network.
    pub network: Qcfs,
    /// Networks, each with a start of its own; metrics are means over them.
    pub networks: usize,
    /// Steps at most (card 48: 8).
    pub steps: usize,
    /// Steps after which spikes should come to what the quantized network says (card 48: 32).
    pub long_steps: usize,
    /// How outputs are smoothed before the softmax.
    pub smoothing: Smoothing,
    /// Accuracy that may be lost against all steps, as a fraction (card 48: 0).
    pub tolerance: f64,
    /// Deals of the stop times at random.
    pub deals: usize,
    /// The same on photographs: CIFAR-10, or drawn textures where it is not found or images are drawn.
    pub photos: Photos,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            images: Images::Mnist,
            n_train: 20_000,
            n_calibration: 20_000,
            n_test: 10_000,
            network: Qcfs::default(),
            networks: 3,
            steps: 8,
            long_steps: 32,
            smoothing: Smoothing::Likelihood,
            tolerance: 0.0,
            deals: 20,
            photos: Photos::default(),
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            // The paper's networks are larger, for all of CIFAR-10 and ImageNet.
            Preset::Paper => Self {
                n_train: 40_000,
                network: Qcfs {
                    epochs: 30,
                    ..Qcfs::default()
                },
                networks: 5,
                steps: 27,
                photos: Photos::paper(),
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            images: Images::Drawn,
            n_train: 300,
            n_calibration: 100,
            n_test: 200,
            network: Qcfs {
                hidden: vec![24, 16],
                epochs: 8,
                batch: 16,
                ..Qcfs::default()
            },
            networks: 2,
            deals: 2,
            photos: Photos::smoke(),
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        self.network.validate().map_err(|mut e| {
            e.field = format!("network.{}", e.field);
            e
        })?;
        for (field, n) in [
            ("n_train", self.n_train),
            ("n_calibration", self.n_calibration),
            ("n_test", self.n_test),
        ] {
            SettingError::check((50..=60_000).contains(&n), field, "50 to 60,000", n)?;
        }
        let n = self.networks;
        SettingError::check((1..=100).contains(&n), "networks", "1 to 100", n)?;
        let fine = (2..=1000).contains(&self.steps);
        SettingError::check(fine, "steps", "2 to 1000", self.steps)?;
        let fine = (self.steps..=10_000).contains(&self.long_steps);
        SettingError::check(fine, "long_steps", "at least `steps`", self.long_steps)?;
        self.photos.validate().map_err(|mut e| {
            e.field = format!("photos.{}", e.field);
            e
        })?;
        rest(self.smoothing, self.tolerance, self.deals)
    }
}

/// What a study and a fit have in common.
fn rest(smoothing: Smoothing, tolerance: f64, deals: usize) -> Result<(), SettingError> {
    if let Smoothing::Fixed(alpha) = smoothing {
        let fine = alpha.is_finite() && alpha > 0.0;
        SettingError::check(fine, "smoothing.fixed", "a number above 0", alpha)?;
    }
    let fine = (0.0..=1.0).contains(&tolerance);
    SettingError::check(fine, "tolerance", "0 to 1", tolerance)?;
    let fine = (1..=10_000).contains(&deals);
    SettingError::check(fine, "deals", "1 to 10,000", deals)
}

/// Settings of `chiasm fit dynamic-confidence`: the agent on one's own outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// Array of the outputs, `[sample, step, class]`.
    pub outputs: String,
    /// Array of the labels: for each sample the index of its class.
    pub labels: String,
    /// Whether outputs are those of each step or sums of all steps so far.
    pub given: Given,
    /// Array that is not 0 for the samples to calibrate on; if not given, `calibration_share` of them are drawn.
    pub calibration: Option<String>,
    /// Share of the samples that is calibrated on, if they are not named.
    pub calibration_share: f64,
    /// How outputs are smoothed before the softmax.
    pub smoothing: Smoothing,
    /// Accuracy that may be lost against all steps, as a fraction (card 48: 0).
    pub tolerance: f64,
    /// Deals of the stop times at random.
    pub deals: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            outputs: "logits".into(),
            labels: "labels".into(),
            given: Given::Steps,
            calibration: None,
            calibration_share: 0.5,
            smoothing: Smoothing::Likelihood,
            tolerance: 0.0,
            deals: 20,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        let share = self.calibration_share;
        let fine = share > 0.0 && share < 1.0;
        SettingError::check(fine, "calibration_share", "above 0 and below 1", share)?;
        rest(self.smoothing, self.tolerance, self.deals)
    }
}
