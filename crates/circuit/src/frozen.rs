//! A frozen reservoir: random recurrent spiking neurons that turn a stream of events into spike counts and never learn.
//!
//! `v_t = d v_{t-1} (1 - s_{t-1}) + W_in e_t + W_rec s_{t-1}`, `s_t = 1` where `v_t > threshold`; the feature of a sample is
//! how often each neuron spiked. Weights are normal numbers ([`Reservoir::random`]), pairs of memristors
//! ([`Reservoir::on_chip`]) or one's own ([`Reservoir::of_weights`]). What is learned stands behind it: a linear readout
//! (`chiasm_analysis::readout`) or projections that bring two modalities together (`chiasm_analysis::contrastive`).
//!
//! Lin et al., Nature Computational Science 2025, arXiv 2307.00771 (paper 32). The authors' model files are not public: the
//! order of a step and the gains are chosen here.
//!
//! ```
//! use chiasm_circuit::frozen::{Config, Reservoir};
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_data::events::Steps;
//!
//! # fn main() -> Result<(), chiasm_core::Failure> {
//! // Two samples of three steps on 16 channels.
//! let samples = [
//!     Steps::new(16, vec![vec![0, 1, 2, 3], vec![4, 5, 6], vec![7]])?,
//!     Steps::new(16, vec![vec![15], vec![8, 9, 10, 11], vec![]])?,
//! ];
//! let config = Config { n_neurons: 50, input_gain: 1.0, ..Config::default() };
//! let reservoir = Reservoir::random(16, &config, &Streams::new(1))?;
//! let encoded = reservoir.encode(&samples, &Streams::new(2), &Quiet)?;
//! assert_eq!(encoded.counts.dim(), (2, 50));
//! # Ok(())
//! # }
//! ```

mod encode;
mod error;
mod search;

pub use encode::Encoded;
pub use error::FrozenError;
pub use search::Search;

use chiasm_core::{SettingError, Streams};
use ndarray::ArrayView2;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::memristor::{Adc, Crossbar, Device};

/// Settings of a reservoir. The defaults are paper 32's for visual events; gains are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Neurons (paper: 200 for digits, 2048 for letters).
    pub n_neurons: usize,
    /// What is left of the potential after a step (paper: 0.9 for images, 0.97 for sounds).
    pub decay: f64,
    /// Potential above which a neuron spikes and is reset to 0 (paper: 5.0 for images, 5.3 for sounds).
    pub threshold: f64,
    /// Standard deviation of an input's weight, in thresholds (chosen: 0.3).
    pub input_gain: f64,
    /// Standard deviation of a weight between neurons, in thresholds (chosen: 0.07).
    pub recurrent_gain: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            n_neurons: 200,
            decay: 0.9,
            threshold: 5.0,
            input_gain: 0.3,
            recurrent_gain: 0.07,
        }
    }
}

impl Config {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.n_neurons;
        SettingError::check((1..=8192).contains(&n), "n_neurons", "1 to 8192", n)?;
        let d = self.decay;
        SettingError::check((0.0..=1.0).contains(&d), "decay", "0 to 1", d)?;
        let holds = (1e-6..=1e6).contains(&self.threshold);
        SettingError::check(holds, "threshold", "1e-6 to 1e6", self.threshold)?;
        for (field, gain) in [
            ("input_gain", self.input_gain),
            ("recurrent_gain", self.recurrent_gain),
        ] {
            let holds = (0.0..=1e6).contains(&gain);
            SettingError::check(holds, field, "0 to 1e6 thresholds", gain)?;
        }
        Ok(())
    }
}

/// Columns that are added up side by side, in registers.
const LANES: usize = 32;

/// Random weights that stay as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Reservoir {
    config: Config,
    n_inputs: usize,
    /// In blocks of [`LANES`] neurons, `[block][source][lane]`: sources are the inputs, then the neurons.
    weights: Vec<f32>,
    /// Variance of the noise at a read, in the same order; empty without noise.
    noise: Vec<f32>,
    adc: Option<Adc>,
}

impl Reservoir {
    /// Normal weights, drawn from the streams' `input weights` and `recurrent weights`.
    ///
    /// # Errors
    /// [`FrozenError::Setting`] for a setting out of range, no input or more than 65,536.
    pub fn random(
        n_inputs: usize,
        config: &Config,
        streams: &Streams,
    ) -> Result<Self, FrozenError> {
        let n = checked(n_inputs, config)?;
        let draw = |name: &str, rows: usize| -> Vec<f32> {
            let mut rng = streams.stream(name);
            (0..rows * n)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect()
        };
        let input = draw("input weights", n_inputs);
        let recurrent = draw("recurrent weights", n);
        Ok(Self::blocked(n_inputs, config, [&input, &recurrent], None))
    }

    /// Weights that are pairs of memristors: the streams are the chip. Inputs and neurons drive the rows of one array, and
    /// one converter reads each column.
    ///
    /// # Errors
    /// As [`Self::random`]; for a device out of range.
    pub fn on_chip(
        n_inputs: usize,
        config: &Config,
        device: &Device,
        streams: &Streams,
    ) -> Result<Self, FrozenError> {
        let n = checked(n_inputs, config)?;
        let form = |name: &str, rows| Crossbar::form(device, rows, n, &mut streams.stream(name));
        let input = form("input cells", n_inputs)?;
        let recurrent = form("recurrent cells", n)?;
        let weights = [input.weights(), recurrent.weights()];
        let noise = (device.read_noise > 0.0).then(|| [input.noise(), recurrent.noise()]);
        let mut new = Self::blocked(n_inputs, config, weights, noise);
        let range = device.adc_range * config.threshold;
        new.adc = Adc::new(device.adc_bits, range as f32);
        Ok(new)
    }

    /// One's own weights, in units of the threshold times their gain: `[input, neuron]` and `[neuron, neuron]` (from, to).
    /// With gains of 1 over the threshold they are taken as they are.
    ///
    /// # Errors
    /// [`FrozenError::Setting`] for settings out of range, other shapes, a weight that is not finite or above 1e9 in size.
    pub fn of_weights(
        input: ArrayView2<'_, f32>,
        recurrent: ArrayView2<'_, f32>,
        config: &Config,
    ) -> Result<Self, FrozenError> {
        let n = checked(input.nrows(), config)?;
        for (field, found, expected) in [
            ("input weights", input.dim(), (input.nrows(), n)),
            ("recurrent weights", recurrent.dim(), (n, n)),
        ] {
            let expected = format!("shape {expected:?}");
            SettingError::check(
                format!("shape {found:?}") == expected,
                field,
                &expected,
                format!("shape {found:?}"),
            )?;
        }
        for (field, weights) in [("input weights", input), ("recurrent weights", recurrent)] {
            if let Some(w) = weights.iter().find(|w| !(-1e9..=1e9).contains(*w)) {
                return Err(SettingError::new(field, "finite weights of at most 1e9", w).into());
            }
        }
        let (input, recurrent) = (input.as_standard_layout(), recurrent.as_standard_layout());
        let slices = [&input, &recurrent].map(|a| a.as_slice().unwrap_or(&[]));
        Ok(Self::blocked(input.nrows(), config, slices, None))
    }

    /// Lays weights out in blocks, scaled by the gains.
    fn blocked(
        n_inputs: usize,
        config: &Config,
        weights: [&[f32]; 2],
        noise: Option<[&[f32]; 2]>,
    ) -> Self {
        let gains =
            [config.input_gain, config.recurrent_gain].map(|g| (g * config.threshold) as f32);
        let n = config.n_neurons;
        let lay = |of: [&[f32]; 2], gains: [f32; 2]| {
            let n_rows = n_inputs + n;
            let mut blocks = vec![0.0; n.div_ceil(LANES) * n_rows * LANES];
            let rows = of[0].chunks(n).map(|row| (row, gains[0]));
            let rows = rows.chain(of[1].chunks(n).map(|row| (row, gains[1])));
            for (r, (row, gain)) in rows.enumerate() {
                for (block, part) in row.chunks(LANES).enumerate() {
                    let start = (block * n_rows + r) * LANES;
                    let to = &mut blocks[start..start + part.len()];
                    to.iter_mut().zip(part).for_each(|(t, w)| *t = gain * w);
                }
            }
            blocks
        };
        Self {
            config: *config,
            n_inputs,
            weights: lay(weights, gains),
            noise: noise.map_or(vec![], |noise| lay(noise, gains.map(|g| g * g))),
            adc: None,
        }
    }

    /// The same reservoir with all weights times a factor: what the authors call its constant.
    ///
    /// # Errors
    /// [`FrozenError::Setting`] for a factor that brings a gain out of its range.
    pub fn scaled(&self, factor: f64) -> Result<Self, FrozenError> {
        let holds = factor > 0.0 && factor <= 1e12;
        SettingError::check(holds, "factor", "above 0, at most 1e12", factor)?;
        let config = Config {
            input_gain: self.config.input_gain * factor,
            recurrent_gain: self.config.recurrent_gain * factor,
            ..self.config
        };
        config.validate()?;
        let times = |of: &[f32], factor: f32| of.iter().map(|w| w * factor).collect();
        Ok(Self {
            config,
            weights: times(&self.weights, factor as f32),
            noise: times(&self.noise, (factor * factor) as f32),
            ..self.clone()
        })
    }

    /// Its settings; gains are those of the weights it has.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Input channels.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }
}

fn checked(n_inputs: usize, config: &Config) -> Result<usize, FrozenError> {
    config.validate()?;
    let holds = (1..=1 << 16).contains(&n_inputs);
    SettingError::check(holds, "n_inputs", "1 to 65,536", n_inputs)?;
    Ok(config.n_neurons)
}

#[cfg(test)]
mod tests;
