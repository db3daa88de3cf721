//! Settings of the study and of the measures on own data.

use std::path::PathBuf;

use chiasm_analysis::collapse::{FeatureModel, Flow};
use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::images::Images;
use crate::learning::samples::PerEpoch;

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The model whose spectrum is measured (paper's figure; card 22, works when 2).
    pub model: FeatureModel,
    /// Classes (paper's figure: 4).
    pub classes: usize,
    /// Samples of each class (paper's figure: 10).
    pub per_class: usize,
    /// Features (paper's figure: 10).
    pub features: usize,
    /// Decays of the features whose spectra are shown (paper's figure: several).
    pub decays: Vec<f64>,
    /// Decay of the classifier along the flow and under the springs (card 22, works when 4: .05).
    pub flow_lambda_w: f64,
    /// Decays of the features along the flow, ascending (card 22, works when 4: 0 and .02). The last is that under the springs.
    pub flow_decays: Vec<f64>,
    /// How the flow is integrated.
    pub flow: Flow,
    /// Strengths of the spring, from the weakest (card 22, works when 4: .1 to 1000).
    pub springs: Vec<f64>,
    /// The images that networks are trained on.
    pub images: Images,
    /// Networks trained layer by layer.
    pub layerwise: Layerwise,
    /// Networks whose weight decay is changed.
    pub decay: DecayStudy,
}

/// Networks trained layer by layer (card 22, I and works when 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Layerwise {
    /// Images to learn from (card 22: 10,000).
    pub n_train: usize,
    /// Hidden layers (card 22: 5; paper: 10).
    pub layers: usize,
    /// Units of each (card 22: 512, chosen; quick: 256).
    pub width: usize,
    /// Passes over the images for each layer (card 22: 30, chosen; quick: 10).
    pub epochs: usize,
    /// Images of a batch (card 22: 128, chosen).
    pub batch: usize,
    /// Learning rate (card 22: .05, chosen).
    pub rate: f64,
    /// Momentum (card 22: .9, chosen).
    pub momentum: f64,
    /// Weight decay (paper: 5e-4).
    pub decay: f64,
}

impl Default for Layerwise {
    fn default() -> Self {
        Self {
            n_train: 10_000,
            layers: 5,
            width: 256,
            epochs: 10,
            batch: 128,
            rate: 0.05,
            momentum: 0.9,
            decay: 5e-4,
        }
    }
}

/// Networks whose weight decay is changed (card 22, I and works when 6): squared error, a head without bias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DecayStudy {
    /// Images to learn from (chosen).
    pub n_train: usize,
    /// Units of the hidden layers (chosen).
    pub hidden: Vec<usize>,
    /// Passes over the images; the rate is divided by ten after each third of them (paper: 120).
    pub epochs: usize,
    /// Images of a batch (chosen; paper: 128).
    pub batch: usize,
    /// Learning rate (paper: .05).
    pub rate: f64,
    /// Momentum (paper: .9).
    pub momentum: f64,
    /// Weight decay of the baseline (paper: 5e-4).
    pub decay: f64,
    /// Networks of each kind (card 22: 5).
    pub networks: usize,
}

impl Default for DecayStudy {
    fn default() -> Self {
        Self {
            n_train: 1000,
            hidden: vec![128, 64],
            epochs: 60,
            batch: 50,
            rate: 0.05,
            momentum: 0.9,
            decay: 5e-4,
            networks: 5,
        }
    }
}

impl Layerwise {
    fn validate(&self) -> Result<(), SettingError> {
        let n = self.n_train;
        SettingError::check((50..=60_000).contains(&n), "n_train", "50 to 60,000", n)?;
        let n = self.layers;
        SettingError::check((2..=50).contains(&n), "layers", "2 to 50", n)?;
        let n = self.width;
        SettingError::check((2..=4096).contains(&n), "width", "2 to 4096", n)?;
        descent(
            (self.epochs, self.batch),
            (self.rate, self.momentum, self.decay),
        )
    }
}

impl DecayStudy {
    fn validate(&self) -> Result<(), SettingError> {
        let n = self.n_train;
        SettingError::check((50..=60_000).contains(&n), "n_train", "50 to 60,000", n)?;
        let fine = !self.hidden.is_empty() && self.hidden.iter().all(|n| (2..=4096).contains(n));
        let found = format!("{:?}", self.hidden);
        SettingError::check(fine, "hidden", "one or more of 2 to 4096 units", found)?;
        let n = self.networks;
        SettingError::check((1..=100).contains(&n), "networks", "1 to 100", n)?;
        let n = self.epochs;
        SettingError::check(n >= 3, "epochs", "at least 3", n)?;
        descent(
            (self.epochs, self.batch),
            (self.rate, self.momentum, self.decay),
        )
    }
}

fn descent(
    (epochs, batch): (usize, usize),
    (rate, momentum, decay): (f64, f64, f64),
) -> Result<(), SettingError> {
    let fine = (1..=10_000).contains(&epochs);
    SettingError::check(fine, "epochs", "1 to 10,000", epochs)?;
    SettingError::check(batch >= 1, "batch", "at least 1", batch)?;
    let fine = rate > 0.0 && rate <= 10.0;
    SettingError::check(fine, "rate", "above 0, at most 10", rate)?;
    let fine = (0.0..1.0).contains(&momentum);
    SettingError::check(fine, "momentum", "0 or more, below 1", momentum)?;
    SettingError::check((0.0..=1.0).contains(&decay), "decay", "0 to 1", decay)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: FeatureModel::default(),
            classes: 4,
            per_class: 10,
            features: 10,
            decays: vec![0.005, 0.05, 0.25, 0.5],
            flow_lambda_w: 0.05,
            flow_decays: vec![0.0, 0.02],
            flow: Flow::default(),
            springs: vec![0.1, 1.0, 10.0, 100.0, 1000.0],
            images: Images::Mnist,
            layerwise: Layerwise::default(),
            decay: DecayStudy::default(),
        }
    }
}

impl Config {
    /// Classes, samples of each, features.
    pub(super) fn shape(&self) -> (usize, usize, usize) {
        (self.classes, self.per_class, self.features)
    }

    /// Whether this is the setting of which the card gives reference values.
    pub(super) fn is_reference(&self) -> bool {
        self.shape() == (4, 10, 10) && self.model == FeatureModel::default()
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                layerwise: Layerwise {
                    layers: 10,
                    width: 512,
                    epochs: 30,
                    ..Layerwise::default()
                },
                decay: DecayStudy {
                    n_train: 5000,
                    hidden: vec![512, 512, 512],
                    epochs: 120,
                    batch: 128,
                    ..DecayStudy::default()
                },
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            per_class: 3,
            features: 6,
            decays: vec![0.05, 0.25],
            flow: Flow {
                time: 2.0,
                ..Flow::default()
            },
            springs: vec![1.0, 10.0],
            images: Images::Drawn,
            layerwise: Layerwise {
                n_train: 200,
                layers: 3,
                width: 24,
                epochs: 3,
                batch: 20,
                ..Layerwise::default()
            },
            decay: DecayStudy {
                n_train: 100,
                hidden: vec![16],
                epochs: 6,
                batch: 20,
                networks: 2,
                ..DecayStudy::default()
            },
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let within = |name: &'static str| {
            move |mut e: SettingError| {
                e.field = format!("{name}.{}", e.field);
                e
            }
        };
        self.model.validate().map_err(within("model"))?;
        self.flow.validate().map_err(within("flow"))?;
        self.layerwise.validate().map_err(within("layerwise"))?;
        self.decay.validate().map_err(within("decay"))?;
        let b = self.model.beta;
        SettingError::check(b > 0.0, "model.beta", "above 0", b)?;
        let k = self.classes;
        SettingError::check((2..=20).contains(&k), "classes", "2 to 20", k)?;
        let n = self.per_class;
        SettingError::check((2..=100).contains(&n), "per_class", "2 to 100", n)?;
        let d = self.features;
        let expected = "more than there are classes, at most 100";
        SettingError::check(d > k && d <= 100, "features", expected, d)?;
        let rows = k * n * d;
        let expected = "classes x per_class x features of at most 4,096";
        SettingError::check(rows <= 4096, "features", expected, rows)?;
        let lw = self.model.lambda_w;
        let learns = |lh: f64| lh > 0.0 && lh * lw < 1.0;
        let expected = "above 0, and below 1 times model.lambda_w";
        let lh = self.model.lambda_h;
        SettingError::check(learns(lh), "model.lambda_h", expected, lh)?;
        let fine = !self.decays.is_empty() && self.decays.iter().all(|lh| learns(*lh));
        let found = format!("{:?}", self.decays);
        SettingError::check(fine, "decays", expected, found)?;
        let w = self.flow_lambda_w;
        let fine = w > 0.0 && w <= 1e3;
        SettingError::check(fine, "flow_lambda_w", "above 0, at most 1000", w)?;
        let ascending = |v: &[f64]| !v.is_empty() && v.windows(2).all(|w| w[0] < w[1]);
        let fine = self.flow_decays.iter().all(|h| (0.0..=1e3).contains(h));
        let fine = fine && ascending(&self.flow_decays);
        let found = format!("{:?}", self.flow_decays);
        SettingError::check(fine, "flow_decays", "0 to 1000, ascending", found)?;
        let fine = self.springs.iter().all(|b| *b > 0.0 && *b <= 1e6);
        let fine = fine && ascending(&self.springs);
        let found = format!("{:?}", self.springs);
        SettingError::check(fine, "springs", "above 0, at most 1e6, ascending", found)
    }
}

/// Settings of the measures on own data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// Of files of arrays: a CSV file with a column `label`, or an NPY file, for all of them; each file's own array `labels` if
    /// not given.
    pub labels: Option<PathBuf>,
    /// Of files of arrays: the array of features, `[sample, feature]`; `features`, or a file's only array, if not given.
    pub variable: Option<String>,
    /// Of files of arrays: the array of the classifier's weights, `[class, feature]`; `weights`, if there is one, if not given.
    pub weights: Option<String>,
    /// Of recordings: the kind of epoch whose labels are the classes. If given, the files are recordings.
    pub epochs: Option<String>,
    /// Of recordings: what is one sample.
    pub per_epoch: PerEpoch,
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        let arrays = self.labels.is_some() || self.variable.is_some() || self.weights.is_some();
        let both = self.epochs.is_some() && arrays;
        let expected =
            "epochs=KIND for recordings, or labels, variable and weights for files of arrays";
        SettingError::check(!both, "epochs", expected, "both")
    }
}
