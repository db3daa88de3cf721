//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use chiasm_net::perceptrons::Augmentation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which images the study is run on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// CIFAR-10, where it is found on this machine (`chiasm data get cifar10`); textures where not.
    #[default]
    Cifar10,
    /// Color textures drawn by a generator.
    Textures,
}

/// Settings of the study. The defaults are the quick preset: the card's experiments on fewer images, in fewer passes and up to
/// half the width. The card's own scale is `Config::card`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The images that networks are trained on.
    pub source: Source,
    /// Images to learn from, drawn from all (card 53: 50,000).
    pub n_train: usize,
    /// Images to test on, drawn from all (card 53: 10,000).
    pub n_test: usize,
    /// Blocks of each perceptron (card 53, works when: 2).
    pub depth: usize,
    /// Images of a batch (card 53, works when: 256; paper: 4,096).
    pub batch: usize,
    /// Share of the target that is spread over all classes (paper: .3).
    pub smoothing: f64,
    /// How images are changed (card 53, works when: padded crops and flips; paper: resized crops, flips and MixUp).
    pub augmentation: Augmentation,
    /// Accuracy over width.
    pub widths: Widths,
    /// Accuracy over the number of images.
    pub data: DataSizes,
    /// Bottlenecks beside plain layers, and parts left out.
    pub blocks: BlockStudy,
    /// Other batches and optimizers, at the middle width.
    pub descent: Descent,
    /// From some classes to others.
    pub transfer: Transfer,
    /// Views of each test image whose answers are averaged (card 53, works when 8: 20; paper: 100).
    pub views: usize,
    /// Resamplings of points for the law's confidence (chosen).
    pub resamplings: usize,
    /// Passes after which a network in training is kept, so that a killed run goes on from there (chosen).
    pub keep_every: usize,
}

/// Accuracy over width (card 53, works when 4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Widths {
    /// Units of each hidden layer, ascending (card 53: 16, 32, 64, 128, 256; paper: up to 1,024).
    pub widths: Vec<usize>,
    /// Passes over the images (card 53: 15; paper: 500).
    pub epochs: usize,
    /// Learning rate of Lion (card 53: 1e-4 for narrow networks; paper: 5e-5).
    pub rate: f64,
}

/// Accuracy over the number of images, at as many steps as all images are given (card 53, works when 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataSizes {
    /// Width of the network, one of `widths.widths` (card 53: 64).
    pub width: usize,
    /// Shares of the images, ascending; all of them comes by itself (card 53: .1 and .25).
    pub shares: Vec<f64>,
}

/// Bottlenecks beside plain layers, and parts left out (card 53, works when 6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlockStudy {
    /// Width of the networks (card 53: 128).
    pub width: usize,
    /// Passes over the images (card 53: 30).
    pub epochs: usize,
    /// Learning rate of Lion (card 53: 5e-5).
    pub rate: f64,
    /// Learning rate of the linear classifier (chosen).
    pub linear_rate: f64,
}

/// Other batches and other optimizers, of the network of `data.width` (card 53, claim 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Descent {
    /// Other batches, ascending, as often over the images; Lion's rate goes with the root of the batch (chosen).
    pub batches: Vec<usize>,
    /// Learning rate of AdamW (chosen: its usual one).
    pub adamw_rate: f64,
    /// Learning rate of descent with momentum .9 (chosen; paper's fine-tuning: .01).
    pub sgd_rate: f64,
}

/// From some classes to two others (card 53, works when 7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// Width of the network (chosen).
    pub width: usize,
    /// The two classes that are kept for later, by number (chosen: the last two, ship and truck).
    pub held_out: (usize, usize),
    /// Their images to learn from, of both together (card 53: 500).
    pub images: usize,
    /// Passes over the other classes' images (chosen).
    pub epochs: usize,
    /// Passes over the few images, also from scratch (paper: 100).
    pub tuning_epochs: usize,
    /// Few images of a batch (chosen; paper: 2,048 of many).
    pub tuning_batch: usize,
    /// Learning rate of the new head under descent with momentum .9; the body's is a tenth (paper: .01).
    pub head_rate: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: Source::Cifar10,
            n_train: 20_000,
            n_test: 5_000,
            depth: 2,
            batch: 256,
            smoothing: 0.3,
            augmentation: Augmentation::LIGHT,
            widths: Widths::default(),
            data: DataSizes::default(),
            blocks: BlockStudy::default(),
            descent: Descent::default(),
            transfer: Transfer::default(),
            views: 20,
            resamplings: 200,
            keep_every: 10,
        }
    }
}

impl Default for Widths {
    fn default() -> Self {
        Self {
            widths: vec![16, 32, 64, 128],
            epochs: 6,
            rate: 1e-4,
        }
    }
}

impl Default for DataSizes {
    fn default() -> Self {
        Self {
            width: 64,
            shares: vec![0.1, 0.25],
        }
    }
}

impl Default for BlockStudy {
    fn default() -> Self {
        Self {
            width: 128,
            epochs: 12,
            rate: 1e-4,
            linear_rate: 1e-4,
        }
    }
}

impl Default for Descent {
    fn default() -> Self {
        Self {
            batches: vec![64, 1024],
            adamw_rate: 1e-3,
            sgd_rate: 0.01,
        }
    }
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            width: 64,
            held_out: (8, 9),
            images: 500,
            epochs: 6,
            tuning_epochs: 100,
            tuning_batch: 50,
            head_rate: 0.01,
        }
    }
}

impl Config {
    /// The scale of the card's own figures, for which its bars are: some ten minutes on two cores.
    #[must_use]
    pub fn card() -> Self {
        Self {
            n_train: 50_000,
            n_test: 10_000,
            widths: Widths {
                widths: vec![16, 32, 64, 128, 256],
                epochs: 15,
                rate: 1e-4,
            },
            blocks: BlockStudy {
                epochs: 30,
                rate: 5e-5,
                ..BlockStudy::default()
            },
            transfer: Transfer {
                epochs: 15,
                ..Transfer::default()
            },
            ..Self::default()
        }
    }
}

pub(super) fn rising<T: PartialOrd>(values: &[T]) -> bool {
    values.windows(2).all(|w| w[0] < w[1])
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            // What the paper trains from scratch on CIFAR-10, at the images' own resolution.
            Preset::Paper => Self {
                n_train: 50_000,
                n_test: 10_000,
                depth: 6,
                batch: 4096,
                augmentation: Augmentation::PAPER,
                widths: Widths {
                    widths: vec![64, 128, 256, 512, 1024],
                    epochs: 500,
                    rate: 5e-5,
                },
                data: DataSizes {
                    width: 512,
                    ..DataSizes::default()
                },
                blocks: BlockStudy {
                    width: 1024,
                    epochs: 500,
                    rate: 5e-5,
                    ..BlockStudy::default()
                },
                descent: Descent {
                    batches: vec![256, 1024, 16_384],
                    ..Descent::default()
                },
                transfer: Transfer {
                    width: 512,
                    epochs: 500,
                    tuning_epochs: 100,
                    ..Transfer::default()
                },
                views: 100,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            source: Source::Textures,
            n_train: 120,
            n_test: 60,
            depth: 1,
            batch: 20,
            widths: Widths {
                widths: vec![2, 4, 8],
                epochs: 3,
                rate: 1e-3,
            },
            data: DataSizes {
                width: 4,
                shares: vec![0.5],
            },
            blocks: BlockStudy {
                width: 4,
                epochs: 3,
                ..BlockStudy::default()
            },
            descent: Descent {
                batches: vec![40],
                ..Descent::default()
            },
            transfer: Transfer {
                width: 4,
                images: 16,
                epochs: 1,
                tuning_epochs: 2,
                tuning_batch: 8,
                ..Transfer::default()
            },
            views: 2,
            resamplings: 5,
            keep_every: 2,
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let descent = &self.descent;
        for (field, n, least, most) in [
            ("n_train", self.n_train, 100, 50_000),
            ("n_test", self.n_test, 20, 10_000),
            ("depth", self.depth, 1, 100),
            ("views", self.views, 1, 10_000),
            ("resamplings", self.resamplings, 1, 100_000),
            ("keep_every", self.keep_every, 1, 1_000_000),
            ("widths.epochs", self.widths.epochs, 2, 100_000),
            ("blocks.width", self.blocks.width, 1, 8192),
            ("blocks.epochs", self.blocks.epochs, 2, 100_000),
            ("transfer.width", self.transfer.width, 1, 8192),
            ("transfer.images", self.transfer.images, 2, 10_000),
            ("transfer.epochs", self.transfer.epochs, 1, 100_000),
            (
                "transfer.tuning_epochs",
                self.transfer.tuning_epochs,
                1,
                100_000,
            ),
        ] {
            within(field, n, (least, most))?;
        }
        // No whole batch, no step.
        within("batch", self.batch, (1, self.n_train))?;
        within(
            "transfer.tuning_batch",
            self.transfer.tuning_batch,
            (1, self.transfer.images),
        )?;
        share("smoothing", self.smoothing)?;
        self.augmentation.validate().map_err(|mut e| {
            e.field = format!("augmentation.{}", e.field);
            e
        })?;
        for (field, v) in [
            ("widths.rate", self.widths.rate),
            ("blocks.rate", self.blocks.rate),
            ("blocks.linear_rate", self.blocks.linear_rate),
            ("descent.adamw_rate", descent.adamw_rate),
            ("descent.sgd_rate", descent.sgd_rate),
            ("transfer.head_rate", self.transfer.head_rate),
        ] {
            rate(field, v)?;
        }
        let widths = &self.widths.widths;
        let fine =
            widths.len() >= 2 && rising(widths) && widths.iter().all(|w| (1..=8192).contains(w));
        let found = format!("{widths:?}");
        SettingError::check(
            fine,
            "widths.widths",
            "two or more of 1 to 8192, ascending",
            found,
        )?;
        let (width, expected) = (self.data.width, "one of widths.widths");
        SettingError::check(widths.contains(&width), "data.width", expected, width)?;
        let shares = &self.data.shares;
        let fine =
            rising(shares) && shares.iter().all(|s| (0.02..1.0).contains(s)) && !shares.is_empty();
        let expected = "one or more from .02 to below 1, ascending";
        SettingError::check(fine, "data.shares", expected, format!("{shares:?}"))?;
        let few = (shares[0] * self.n_train as f64) as usize;
        let expected = format!("at most {few}, the least share of the images");
        SettingError::check(self.batch <= few, "batch", &expected, self.batch)?;
        let batches = &descent.batches;
        let fine = !batches.is_empty()
            && rising(batches)
            && batches
                .iter()
                .all(|b| (1..=self.n_train).contains(b) && *b != self.batch);
        let expected = format!(
            "one or more of 1 to {}, ascending, without `batch`",
            self.n_train
        );
        SettingError::check(fine, "descent.batches", &expected, format!("{batches:?}"))?;
        let (a, b) = self.transfer.held_out;
        let fine = a < 10 && b < 10 && a != b;
        let expected = "two different numbers below 10";
        SettingError::check(fine, "transfer.held_out", expected, format!("{a} and {b}"))
    }
}

pub(super) fn within(
    field: &str,
    n: usize,
    (least, most): (usize, usize),
) -> Result<(), SettingError> {
    let expected = format!("{least} to {most}");
    SettingError::check((least..=most).contains(&n), field, &expected, n)
}

pub(super) fn share(field: &str, v: f64) -> Result<(), SettingError> {
    SettingError::check((0.0..1.0).contains(&v), field, "0 or more, below 1", v)
}

pub(super) fn rate(field: &str, v: f64) -> Result<(), SettingError> {
    SettingError::check(v > 0.0 && v <= 10.0, field, "above 0, at most 10", v)
}
