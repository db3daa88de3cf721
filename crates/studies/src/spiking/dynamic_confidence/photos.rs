//! The experiment on photographs: a small convolutional network in levels, turned into spikes.

mod report;
mod run;

use chiasm_core::SettingError;
use chiasm_net::network::{Layer, Pooling, Schedule, TrainingConfig, Window};
use chiasm_net::perceptrons::Augmentation;
use chiasm_net::train::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use run::run;

/// The network, what it learns from and how long it is watched. The paper's is a ResNet-18 that learns from all of CIFAR-10:
/// this one was chosen for a minute on two cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Photos {
    /// Photographs to learn from, drawn for each seed (card 48: 50,000).
    pub n_train: usize,
    /// Photographs to calibrate on, which are neither trained nor tested on.
    pub n_calibration: usize,
    /// Photographs to test on (card 48: 10,000).
    pub n_test: usize,
    /// Channels of the convolutions, each followed by activations in levels and a mean pool of 2 x 2.
    pub channels: Vec<usize>,
    /// Levels of the activations (card 48: 4 or 8, in the demonstration 3).
    pub levels: u32,
    /// The scales before training.
    pub scale: f64,
    /// How photographs are changed each time that they are learned from.
    pub augmentation: Augmentation,
    /// Passes over the photographs.
    pub epochs: usize,
    /// Photographs in a batch.
    pub batch: usize,
    /// Learning rate at the start; it falls to 0 along half a cosine (card 48: .1).
    pub rate: f64,
    /// Momentum of the descent (card 48: .9).
    pub momentum: f64,
    /// Weight decay, of scales too (card 48: 5e-4).
    pub decay: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Networks, each with a start of its own; metrics are means over them. 0 leaves photographs out.
    pub networks: usize,
    /// Steps at most (card 48: 27 in the demonstration).
    pub steps: usize,
}

impl Default for Photos {
    fn default() -> Self {
        Self {
            n_train: 5_000,
            n_calibration: 10_000,
            n_test: 10_000,
            channels: vec![16, 32, 32],
            levels: 4,
            scale: 2.0,
            augmentation: Augmentation::LIGHT,
            epochs: 15,
            batch: 50,
            rate: 0.05,
            momentum: 0.9,
            decay: 5e-4,
            clip: 1.0,
            networks: 1,
            steps: 32,
        }
    }
}

impl Photos {
    pub(super) fn paper() -> Self {
        Self {
            n_train: 40_000,
            channels: vec![32, 64, 128],
            epochs: 60,
            networks: 3,
            ..Self::default()
        }
    }

    pub(super) fn smoke() -> Self {
        Self {
            n_train: 120,
            n_calibration: 60,
            n_test: 60,
            channels: vec![3, 4],
            epochs: 2,
            batch: 20,
            steps: 4,
            ..Self::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        for (field, n, least, most) in [
            ("n_train", self.n_train, 50, 50_000),
            ("n_calibration", self.n_calibration, 50, 50_000),
            ("n_test", self.n_test, 50, 10_000),
            ("epochs", self.epochs, 1, 100_000),
            ("networks", self.networks, 0, 100),
            ("steps", self.steps, 2, 1000),
        ] {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&n), field, &expected, n)?;
        }
        // Sides of 32 pixels are halved after each.
        let channels = &self.channels;
        let fine = (1..=5).contains(&channels.len());
        let fine = fine && channels.iter().all(|n| (1..=4096).contains(n));
        let expected = "one to five layers of 1 to 4096 channels";
        SettingError::check(fine, "channels", expected, format!("{channels:?}"))?;
        let fine = (1..=1024).contains(&self.levels);
        SettingError::check(fine, "levels", "1 to 1024", self.levels)?;
        let fine = self.scale.is_finite() && self.scale >= 1e-3;
        SettingError::check(fine, "scale", ".001 or more", self.scale)?;
        self.augmentation.validate()?;
        self.training().validate()
    }

    fn training(&self) -> TrainingConfig {
        TrainingConfig {
            epochs: self.epochs,
            batch: self.batch,
            optimizer: Rule::Sgd {
                momentum: self.momentum,
            },
            rate: self.rate,
            decay: self.decay,
            clip: Some(self.clip),
            schedule: Schedule::Cosine,
            ..TrainingConfig::default()
        }
    }

    fn layers(&self, image: [usize; 3], classes: usize) -> Vec<Layer> {
        let mut layers = vec![];
        let [mut inner, mut rows, mut columns] = image;
        for &channels in &self.channels {
            layers.push(Layer::convolution(
                Window::same([inner, rows, columns]),
                channels,
            ));
            layers.push(Layer::Quantized {
                levels: self.levels,
                scale: self.scale,
            });
            layers.push(Layer::Pool {
                window: Window::tiles([channels, rows, columns], 2),
                pooling: Pooling::Mean,
            });
            (inner, rows, columns) = (channels, rows / 2, columns / 2);
        }
        layers.push(Layer::dense(classes));
        layers
    }
}
