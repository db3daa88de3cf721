//! Settings of the study and of the measures on own recordings.

use chiasm_analysis::geometry::{Null, Pairing};
use chiasm_core::SettingError;
use chiasm_data::generate::{AlignedClusters, FourClusters, FourKind};
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One task of controlled alignment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Binary labels.
    pub labels: usize,
    /// Separability, 0 to 1.
    pub separability: f64,
    /// Dimensions that no label sees; all there are if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
}

impl Cell {
    pub(super) const fn new(labels: usize, separability: f64) -> Self {
        Self {
            labels,
            separability,
            rank: None,
        }
    }
}

/// The XOR tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Xor {
    /// How far the corners are nudged along their label, 0 to 1 (paper: 21 values).
    pub epsilons: Vec<f64>,
    /// Standard deviations of the noise (paper: 0 to 0.3).
    pub noises: Vec<f64>,
    /// Hidden units and inputs (paper: 120 each).
    pub width: usize,
    /// Samples to learn from (chosen: 500).
    pub samples: usize,
    /// Passes over them (chosen: 100).
    pub epochs: usize,
}

impl Default for Xor {
    fn default() -> Self {
        Self {
            epsilons: vec![0.0, 0.25, 0.5, 0.75, 1.0],
            noises: vec![0.1],
            width: 120,
            samples: 500,
            epochs: 100,
        }
    }
}

/// The trajectories of weights: input weights alone are trained, by plain descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// The four clusters (paper 23, B).
    pub task: FourClusters,
    /// Hidden units.
    pub width: usize,
    /// Samples to learn from (chosen: 1,000).
    pub samples: usize,
    /// Passes over them (chosen: 400).
    pub epochs: usize,
    /// Learning rate (paper: 0.1).
    pub rate: f64,
    /// Samples in a batch (paper: 200).
    pub batch: usize,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            task: FourClusters {
                kind: FourKind::Unstructured { centered: true },
                ..FourClusters::default()
            },
            width: 128,
            samples: 1000,
            epochs: 400,
            rate: 0.1,
            batch: 200,
        }
    }
}

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Tasks of controlled alignment; the first ones are those of the card's reference table (card 23, works when 3).
    pub cells: Vec<Cell>,
    /// Clusters, a power of two (paper: 32).
    pub clusters: usize,
    /// Inputs (paper: 100).
    pub inputs: usize,
    /// Standard deviations of the noise in the first cell, in which the noise is varied; the first is that of all other
    /// tasks (paper: 1).
    pub noises: Vec<f64>,
    /// Units of the hidden layer (paper: 128).
    pub width: usize,
    /// Samples to learn from, drawn once (paper: 5,000).
    pub samples: usize,
    /// Samples to test on (chosen: 2,000).
    pub test_samples: usize,
    /// Passes over the samples (card 23: 200; paper: 1,000 to 5,000).
    pub epochs: usize,
    /// Samples in a batch (paper: 64).
    pub batch: usize,
    /// Learning rate of Adam (paper: 0.001).
    pub rate: f64,
    /// Networks of ReLU and of Tanh in each cell and on XOR, with starts of their own (card 23: 3; paper: 10).
    pub nets: usize,
    /// Networks of every other kind: controls, ceilings, deep ones, other noises (chosen: 1, for time; paper: 10).
    pub side_nets: usize,
    /// Untrained dichotomies to decode (chosen: 20).
    pub dichotomies: usize,
    /// Standard deviation of the inputs' noise when they are decoded (paper: 0.3 to 0.5).
    pub decoding_noise: f64,
    /// The task on which the nonlinearity is changed (chosen before any run: the card's cell of the widest gap).
    pub ablation: Cell,
    /// Ceilings on ReLU, falling; none at all comes before them (card 23, works when 4: six values down to 0.5).
    pub caps: Vec<f64>,
    /// Ceilings of a clipped identity whose floor is -1, rising from 1 (chosen: a hard Tanh with its upper side lifted).
    pub lifts: Vec<f64>,
    /// Hidden layers of the deep networks, in the second cell; 0 leaves them out (paper: 5 and 10).
    pub depth: usize,
    /// The XOR tasks.
    pub xor: Xor,
    /// The trajectories of weights.
    pub weights: Weights,
}

/// The card's reference cells.
const REFERENCE: [Cell; 5] = [
    Cell::new(1, 0.0),
    Cell::new(1, 0.5),
    Cell::new(1, 1.0),
    Cell::new(5, 0.0),
    Cell::new(5, 1.0),
];

impl Default for Config {
    fn default() -> Self {
        Self {
            // Two minutes have no room for all five.
            cells: vec![Cell::new(1, 0.5), Cell::new(5, 0.0)],
            clusters: 32,
            inputs: 100,
            noises: vec![1.0],
            width: 128,
            samples: 5000,
            test_samples: 2000,
            epochs: 200,
            batch: 64,
            rate: 1e-3,
            nets: 3,
            side_nets: 1,
            dichotomies: 20,
            decoding_noise: 0.5,
            ablation: Cell::new(5, 0.0),
            caps: vec![4.0, 2.0, 1.5, 1.0, 0.5],
            lifts: vec![1.0, 2.0, 4.0],
            depth: 2,
            xor: Xor::default(),
            weights: Weights::default(),
        }
    }
}

impl Config {
    /// A task of controlled alignment.
    pub(super) fn task(&self, cell: Cell, noise: f64) -> AlignedClusters {
        AlignedClusters {
            clusters: self.clusters,
            labels: cell.labels,
            separability: cell.separability,
            rank: cell.rank,
            inputs: self.inputs,
            noise,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => {
                let mut cells = REFERENCE.to_vec();
                cells.push(Cell::new(5, 0.5));
                for labels in [1, 5] {
                    for separability in [0.0, 0.5, 1.0] {
                        cells.push(Cell {
                            rank: Some(5),
                            ..Cell::new(labels, separability)
                        });
                    }
                }
                Self {
                    cells,
                    noises: vec![1.0, 0.0, 0.5, 1.5, 2.0],
                    epochs: 1000,
                    nets: 10,
                    side_nets: 10,
                    depth: 5,
                    xor: Xor {
                        epsilons: (0..21).map(|i| f64::from(i) / 20.0).collect(),
                        noises: vec![0.1, 0.0, 0.2, 0.3],
                        samples: 5000,
                        epochs: 1000,
                        ..Xor::default()
                    },
                    ..Self::default()
                }
            }
        }
    }

    fn smoke() -> Self {
        Self {
            cells: vec![Cell::new(1, 0.0), Cell::new(1, 1.0), Cell::new(2, 0.5)],
            clusters: 8,
            inputs: 12,
            width: 16,
            samples: 200,
            test_samples: 100,
            epochs: 6,
            rate: 1e-2,
            nets: 2,
            dichotomies: 3,
            ablation: Cell::new(2, 0.5),
            caps: vec![2.0, 1.0],
            lifts: vec![1.0, 3.0],
            depth: 2,
            xor: Xor {
                epsilons: vec![0.0, 1.0],
                width: 12,
                samples: 100,
                epochs: 5,
                ..Xor::default()
            },
            weights: Weights {
                width: 12,
                samples: 100,
                epochs: 10,
                batch: 50,
                ..Weights::default()
            },
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(!self.cells.is_empty(), "cells", "at least one", 0)?;
        for (i, cell) in self.cells.iter().enumerate() {
            let again = self.cells[..i].contains(cell);
            let found = format!("{cell:?} a second time");
            SettingError::check(!again, &format!("cells.{i}"), "each cell once", found)?;
        }
        SettingError::check(!self.noises.is_empty(), "noises", "at least one", 0)?;
        let all = self.cells.iter().chain([&self.ablation]);
        for cell in all {
            for &noise in &self.noises {
                self.task(*cell, noise).validate()?;
            }
        }
        for (field, n, least, most) in [
            ("width", self.width, 1, 4096),
            ("samples", self.samples, 2, 1_000_000),
            ("test_samples", self.test_samples, 1, 1_000_000),
            ("epochs", self.epochs, 1, 100_000),
            ("batch", self.batch, 1, 1_000_000),
            ("nets", self.nets, 1, 1000),
            ("side_nets", self.side_nets, 1, 1000),
            ("dichotomies", self.dichotomies, 1, 1000),
            ("depth", self.depth, 0, 100),
            ("xor.width", self.xor.width, 3, 4096),
            ("xor.samples", self.xor.samples, 2, 1_000_000),
            ("xor.epochs", self.xor.epochs, 1, 100_000),
            ("weights.width", self.weights.width, 2, 4096),
            ("weights.samples", self.weights.samples, 2, 1_000_000),
            ("weights.epochs", self.weights.epochs, 1, 100_000),
            ("weights.batch", self.weights.batch, 1, 1_000_000),
        ] {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&n), field, &expected, n)?;
        }
        for (field, rate) in [("rate", self.rate), ("weights.rate", self.weights.rate)] {
            let fine = rate > 0.0 && rate.is_finite();
            SettingError::check(fine, field, "a number above 0", rate)?;
        }
        let noise = self.decoding_noise;
        SettingError::check(
            (0.0..=100.0).contains(&noise),
            "decoding_noise",
            "0 to 100",
            noise,
        )?;
        let positive = |v: &[f64]| v.iter().all(|v| *v > 0.0 && v.is_finite());
        let falling = self.caps.windows(2).all(|w| w[0] > w[1]);
        let fine = falling && positive(&self.caps) && !self.caps.is_empty();
        let found = format!("{:?}", self.caps);
        SettingError::check(fine, "caps", "at least one ceiling above 0, falling", found)?;
        let rising = self.lifts.windows(2).all(|w| w[0] < w[1]);
        let fine = rising && positive(&self.lifts) && self.lifts.len() >= 2;
        let found = format!("{:?}", self.lifts);
        SettingError::check(
            fine,
            "lifts",
            "at least two ceilings above 0, rising",
            found,
        )?;
        let list = |field, values: &[f64], high: f64| {
            let inside = values.iter().all(|v| (0.0..=high).contains(v));
            let twice = (1..values.len()).any(|i| values[..i].contains(&values[i]));
            let expected = format!("at least one number of 0 to {high}, each once");
            let fine = inside && !twice && !values.is_empty();
            SettingError::check(fine, field, &expected, format!("{values:?}"))
        };
        list("noises", &self.noises, 100.0)?;
        list("xor.epsilons", &self.xor.epsilons, 1.0)?;
        list("xor.noises", &self.xor.noises, 100.0)?;
        self.weights.task.validate().map_err(|mut e| {
            e.field = format!("weights.task.{}", e.field);
            e
        })
    }
}

/// Settings of the measures on own recordings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The kind of epoch that is a trial; its label is the trial's condition.
    pub trials: String,
    /// For each dichotomy the labels of its positive conditions, such as `[["left", "right"], ["left", "up"]]`; all balanced
    /// dichotomies of up to 8 conditions if none is given.
    pub positive: Vec<Vec<String>>,
    /// Give every unit mean 0 and variance 1 over trials first.
    pub standardize: bool,
    /// How conditions are paired for parallelism and generalization.
    pub pairing: Pairing,
    /// Parts for the cross-validation of decoding.
    pub folds: usize,
    /// Pairs of conditions left out, at most (paper: 100).
    pub contexts: usize,
    /// What a sample within the margin costs (scikit-learn: 1).
    pub c: f64,
    /// What is shuffled for chance levels of parallelism and generalization; decoding shuffles trials.
    pub null: Null,
    /// Shuffles for each chance level.
    pub shuffles: usize,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            trials: "trial".into(),
            positive: vec![],
            standardize: true,
            pairing: Pairing::Nearest,
            folds: 5,
            contexts: 100,
            c: 1.0,
            null: Null::Units,
            shuffles: 99,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(!self.trials.is_empty(), "trials", "a kind of epoch", "none")?;
        let n = self.folds;
        SettingError::check((2..=100).contains(&n), "folds", "2 to 100", n)?;
        let n = self.contexts;
        SettingError::check((1..=100_000).contains(&n), "contexts", "1 to 100,000", n)?;
        let fine = self.c > 0.0 && self.c.is_finite();
        SettingError::check(fine, "c", "a number above 0", self.c)?;
        let n = self.shuffles;
        SettingError::check((9..=100_000).contains(&n), "shuffles", "9 to 100,000", n)
    }
}
