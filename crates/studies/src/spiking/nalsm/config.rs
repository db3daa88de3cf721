//! Settings of the study.

use chiasm_analysis::readout::Softmax;
use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::images::Images;

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which images (paper: MNIST, Fashion-MNIST, and N-MNIST, which is not at hand).
    pub images: Images,
    /// Images that the readout learns from (paper: 50,000).
    pub n_train: usize,
    /// Images by which the readout's best pass is chosen; with 0 it is the last (paper: 10,000).
    pub n_validation: usize,
    /// Images to test on, as many of each class (paper: all 10,000).
    pub n_test: usize,
    /// Reservoirs, each with a wiring of its own (paper: 10; several seeds give several, too).
    pub networks: usize,
    /// Neurons along each side of the grid: 10 for 1,000 neurons, 20 for 8,000 (paper: both).
    pub side: usize,
    /// What a spike adds to the astrocyte (paper: 0.015 for 1,000 neurons, 0.0075 for 8,000).
    pub w_a: f64,
    /// Images shown to initialize the weights, 20 ms each (paper: 50,000).
    pub initial_images: usize,
    /// Length of a sample, ms (paper: 250).
    pub sample_ms: u32,
    /// Further strengths of the astrocyte whose branching is measured, ascending (paper: 0.002 to 0.2).
    pub sweep: Vec<f64>,
    /// Sizes of fixed weights whose branching is measured, ascending (paper: 0.4 to 1.4).
    pub fixed: Vec<f64>,
    /// The size of fixed weights to compare with; one of `fixed` (paper: the best by validation; 0.8 to 1).
    pub baseline: f64,
    /// Fractions of the neurons that the astrocyte reads in further reservoirs (paper: 0.1 and 0.4).
    pub fractions: Vec<f64>,
    /// Threshold and band of gated plasticity, Hz (paper, MNIST: 37, and 19 to 25).
    pub gate_hz: [f64; 2],
    /// Test images over which branching is averaged (paper: 20).
    pub branching_samples: usize,
    /// Whether every reservoir is read out (paper), or only the two that are compared, and the others of the first network on
    /// `few_train` images; kernels' ranks are then those of the claims alone.
    pub read_all: bool,
    /// Images that the others' readouts learn from, with `read_all` off (chosen: 1,000).
    pub few_train: usize,
    /// Standard deviation of the noise by which the kernel's generalization is measured, grey levels (authors' code: 125).
    pub noise: f64,
    /// The readout (paper: Adadelta with soft targets; chosen: Adam).
    pub readout: Softmax,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            images: Images::Mnist,
            n_train: 4000,
            n_validation: 0,
            n_test: 1000,
            networks: 1,
            side: 10,
            w_a: 0.015,
            initial_images: 2000,
            sample_ms: 250,
            sweep: vec![0.002, 0.1],
            fixed: vec![0.4, 0.7, 0.9, 1.2, 1.4],
            baseline: 0.9,
            fractions: vec![0.1],
            gate_hz: [37.0, 22.0],
            branching_samples: 20,
            read_all: false,
            few_train: 1000,
            noise: 125.0,
            readout: Softmax::default(),
        }
    }
}

impl Config {
    /// All strengths of the astrocyte, ascending.
    pub(super) fn strengths(&self) -> Vec<f64> {
        let mut all = self.sweep.clone();
        all.push(self.w_a);
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    /// Whether the paper's figures for 1,000 neurons can be expected of this reservoir.
    pub(super) fn is_published_size(&self) -> bool {
        self.side == 10 && self.sample_ms == 250 && self.w_a == 0.015 && self.initial_images >= 2000
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                n_train: 50_000,
                n_validation: 10_000,
                n_test: 10_000,
                networks: 3,
                initial_images: 50_000,
                sweep: vec![0.002, 0.0075, 0.025, 0.05, 0.1, 0.2],
                fixed: vec![0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4],
                fractions: vec![0.1, 0.4],
                read_all: true,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            images: Images::Drawn,
            n_train: 60,
            n_test: 40,
            networks: 2,
            side: 4,
            initial_images: 30,
            sample_ms: 80,
            sweep: vec![0.002, 0.1],
            fixed: vec![0.9, 1.4],
            branching_samples: 3,
            few_train: 40,
            readout: Softmax {
                passes: 5,
                ..Softmax::default()
            },
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        for (field, n, least, most) in [
            ("n_train", self.n_train, 10, 50_000),
            ("n_validation", self.n_validation, 0, 10_000),
            ("n_test", self.n_test, 10, 10_000),
            ("networks", self.networks, 1, 1000),
            ("side", self.side, 2, 30),
            ("initial_images", self.initial_images, 0, 1_000_000),
            ("branching_samples", self.branching_samples, 1, self.n_test),
            ("few_train", self.few_train, 10, self.n_train),
        ] {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&n), field, &expected, n)?;
        }
        let found = self.n_test;
        SettingError::check(
            found.is_multiple_of(10),
            "n_test",
            "a multiple of ten classes",
            found,
        )?;
        let t = self.sample_ms;
        SettingError::check(
            (60..=10_000).contains(&t),
            "sample_ms",
            "60 to 10,000 ms",
            t,
        )?;
        let holds = self.w_a > 0.0 && self.w_a <= 1000.0;
        SettingError::check(holds, "w_a", "above 0, at most 1000", self.w_a)?;
        let lists = [
            ("sweep", &self.sweep, 1000.0),
            ("fixed", &self.fixed, 3.0),
            ("fractions", &self.fractions, 1.0),
        ];
        for (field, values, most) in lists {
            let fine = values.iter().all(|v| *v > 0.0 && *v <= most);
            let fine = fine && values.windows(2).all(|w| w[0] < w[1]);
            let expected = format!("ascending values above 0, at most {most}");
            SettingError::check(fine, field, &expected, format!("{values:?}"))?;
        }
        let holds = self.fixed.contains(&self.baseline);
        SettingError::check(holds, "baseline", "one of `fixed`", self.baseline)?;
        for hz in self.gate_hz {
            SettingError::check((0.0..=1000.0).contains(&hz), "gate_hz", "0 to 1000 Hz", hz)?;
        }
        let holds = (0.0..=1000.0).contains(&self.noise);
        SettingError::check(holds, "noise", "0 to 1000 grey levels", self.noise)?;
        self.readout.validate().map_err(|e| SettingError {
            field: format!("readout.{}", e.field),
            ..e
        })
    }
}
