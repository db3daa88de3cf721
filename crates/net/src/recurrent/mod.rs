//! Recurrent networks of rate units on plain arrays, their gradients by hand, and how much learning changes them (paper 17,
//! Liu, Baratin, Cornford, Mihalas, Shea-Brown & Lajoie 2024).
//!
//! `h_t = act((1 - a) h_{t-1} + a (x_t W_in + h_{t-1} W_rec))`, `y_t = h_t W_out`, without biases, `h_0 = 0`, with a leak `a`
//! for each unit.
//!
//! - [`Recurrent`]: the network; states, outputs, [`Recurrent::record`];
//! - [`Start`], [`starts`]: its recurrent weights at the start: of a chosen rank and a fixed norm, or structured;
//!   [`Spectrum`]: what rank they have in effect;
//! - [`RecurrentTraining`]: softmax cross-entropy over all steps or the last, back-propagation through all time, descent
//!   with momentum, that can stop after any step;
//! - [`Recurrent::tangent_kernel`]: inner products of the outputs' gradients, from adjoints, without the gradients.
//!
//! ```
//! use chiasm_core::Streams;
//! use chiasm_net::recurrent::{Recurrent, RecurrentConfig, starts};
//!
//! let streams = Streams::new(1);
//! let config = RecurrentConfig { inputs: 3, hidden: 40, outputs: 3, ..RecurrentConfig::default() };
//! let full = starts::gaussian(40, 1.25, &mut streams.stream("weights"))?;
//! let low = starts::of_rank(full.view(), 2)?;
//! let network = Recurrent::<f32>::new(&config, low.view(), &mut streams.stream("rest"))?;
//! assert_eq!(network.recurrent().dim(), (40, 40));
//! # Ok::<(), chiasm_net::recurrent::RecurrentError>(())
//! ```

use chiasm_core::{Rng, SettingError};
use ndarray::{Array2, ArrayView2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::train::Parameters;

mod error;
mod forward;
mod record;
mod sequences;
mod spectrum;
pub mod starts;
mod tangent;
#[cfg(test)]
mod tests;
mod training;

pub use error::RecurrentError;
pub use forward::States;
pub use sequences::Sequences;
pub use spectrum::Spectrum;
pub use starts::Start;
pub use training::{Read, RecurrentTraining, RecurrentTrainingConfig, resample};

/// What a recurrent unit does to its input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`.
    #[default]
    Relu,
    /// `tanh(x)`.
    Tanh,
}

/// The shape of a recurrent network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecurrentConfig {
    /// Input channels.
    pub inputs: usize,
    /// Units (paper: 300).
    pub hidden: usize,
    /// Outputs.
    pub outputs: usize,
    /// What a unit does to its input.
    pub activation: Activation,
    /// Leaks, step over time constant, above 0 up to 1: one for all units or one for each (paper: 1).
    pub leak: Vec<f64>,
}

impl Default for RecurrentConfig {
    fn default() -> Self {
        Self {
            inputs: 3,
            hidden: 300,
            outputs: 3,
            activation: Activation::Relu,
            leak: vec![1.0],
        }
    }
}

impl RecurrentConfig {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (field, n) in [
            ("inputs", self.inputs),
            ("hidden", self.hidden),
            ("outputs", self.outputs),
        ] {
            SettingError::check((1..=1 << 16).contains(&n), field, "1 to 65,536", n)?;
        }
        let n = self.leak.len();
        let expected = format!("one for all units or {}", self.hidden);
        SettingError::check(n == 1 || n == self.hidden, "leak", &expected, n)?;
        let bad = self.leak.iter().position(|a| !(*a > 0.0 && *a <= 1.0));
        bad.map_or(Ok(()), |i| {
            let (field, found) = (format!("leak.{i}"), self.leak[i]);
            Err(SettingError::new(&field, "above 0, up to 1", found))
        })
    }
}

/// A recurrent network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Recurrent<T> {
    config: RecurrentConfig,
    /// One for each unit.
    leak: Vec<T>,
    /// Input weights `[input, unit]`, recurrent weights `[from, to]`, output weights `[unit, output]`.
    parameters: Parameters<T>,
}

/// Positions of the parameters.
pub(super) const INPUT: usize = 0;
pub(super) const RECURRENT: usize = 1;
pub(super) const OUTPUT: usize = 2;

impl<T: Real> Recurrent<T> {
    /// A network with these recurrent weights, `[from, to]`; input and output weights are uniform within plus or minus
    /// `1 / sqrt(fan_in)` (PyTorch's start of a linear layer).
    ///
    /// # Errors
    /// [`RecurrentError::Setting`]; recurrent weights of another shape or not finite.
    pub fn new(
        config: &RecurrentConfig,
        recurrent: ArrayView2<'_, f64>,
        rng: &mut Rng,
    ) -> Result<Self, RecurrentError> {
        config.validate()?;
        let (n, m) = (config.hidden, config.outputs);
        if recurrent.dim() != (n, n) {
            return Err(RecurrentError::Shape {
                what: "recurrent weights",
                expected: format!("{n} x {n}"),
                found: format!("{} x {}", recurrent.nrows(), recurrent.ncols()),
            });
        }
        starts::finite(recurrent)?;
        let mut parameters = Parameters::default();
        parameters.push_uniform("input", [config.inputs, n], config.inputs, rng);
        parameters.push("recurrent", [n, n], recurrent.iter().copied().collect());
        parameters.push_uniform("output", [n, m], n, rng);
        let leak = match config.leak[..] {
            [a] => vec![T::of(a); n],
            _ => config.leak.iter().map(|a| T::of(*a)).collect(),
        };
        Ok(Self {
            config: config.clone(),
            leak,
            parameters,
        })
    }

    /// Its shape.
    #[must_use]
    pub fn config(&self) -> &RecurrentConfig {
        &self.config
    }

    /// The parameters: `input` `[input, unit]`, `recurrent` `[from, to]`, `output` `[unit, output]`.
    #[must_use]
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// The parameters, to be given other values; their shapes must stay.
    pub fn parameters_mut(&mut self) -> &mut Parameters<T> {
        &mut self.parameters
    }

    /// The recurrent weights, `[from, to]`.
    #[must_use]
    pub fn recurrent(&self) -> Array2<f64> {
        let n = self.config.hidden;
        let values = self.array(RECURRENT);
        Array2::from_shape_fn((n, n), |(i, j)| values[i * n + j].wide())
    }

    pub(super) fn array(&self, position: usize) -> &[T] {
        &self.parameters.arrays[position].values
    }
}
