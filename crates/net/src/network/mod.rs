//! Networks as stacks of layers on plain arrays, with their gradients by hand.
//!
//! For networks without recurrence this is several times faster than a graph of tensors where they are small
//! (`bench/runs`); the tests hold each layer against finite differences.
//!
//! - [`Layer`], [`Nonlinearity`], [`Attention`]: what a network is made of; [`Transformer`]: a stack of them for sequences;
//! - [`Network`]: its parameters; outputs, activity of every layer ([`Network::activity`], [`Network::taps`], [`Network::record`]), tangent kernels;
//! - [`TrainingConfig`], [`Training`]: descent on a [`Loss`], which can stop between epochs and go on to the same bits, or be
//!   cloned to branch off;
//! - [`Supply`]: samples whose inputs are made anew in each epoch, batch by batch.
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_net::network::{Layer, Loss, Network, Nonlinearity, Targets, TrainingConfig};
//! use ndarray::array;
//!
//! // XOR, by one hidden layer.
//! let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let labels = [0, 1, 1, 0];
//! let layers = Layer::perceptron(&[8, 2], Nonlinearity::Tanh);
//! let streams = Streams::new(1);
//! let network = Network::<f64>::new(2, &layers, &mut streams.stream("start"))?;
//! let config = TrainingConfig {
//!     epochs: 400,
//!     batch: 4,
//!     rate: 0.05,
//!     ..TrainingConfig::default()
//! };
//! let mut training = config.start(network)?;
//! training.finish(x.view(), Targets::Classes(&labels), &streams, &Quiet)?;
//! assert_eq!(training.network().classify(x.view())?, labels);
//! # Ok::<(), chiasm_net::network::NetworkError>(())
//! ```

mod attention;
mod backward;
mod batch_norm;
mod build;
mod convolution;
mod error;
mod forward;
mod gradients;
mod kernel;
mod layer;
mod loss;
mod nonlinearity;
mod patches;
mod pool;
mod quadratic;
mod quantized;
mod record;
mod sequences;
mod start;
mod supply;
#[cfg(test)]
mod tests;
mod training;
mod vocabulary;
mod weights;

use chiasm_core::{Rng, SettingError};
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

pub use attention::{Attention, Reach};
pub use convolution::Window;
pub use error::NetworkError;
pub use forward::Trace;
pub use gradients::Gradients;
#[doc(hidden)]
pub use gradients::Spare;
pub use layer::{Layer, QuadraticStart, Terms};
pub(crate) use loss::largest;
pub use loss::{Loss, Targets};
pub use nonlinearity::Nonlinearity;
pub use pool::Pooling;
pub use record::RecordError;
pub use sequences::Transformer;
pub use start::Start;
pub use supply::{Mix, Supply};
#[doc(hidden)]
pub use training::Workspace;
pub use training::{Epoch, Schedule, Training, TrainingConfig};

use crate::Real;
use crate::train::Parameters;
use quadratic::Quadratic;
use start::Draw;

/// A network and its parameters. Weights are `[in, out]`, biases `[1, out]`; an array's name begins with the position of its
/// layer, `2.weight`, within branches `3.0.weight`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Network<T> {
    inputs: usize,
    outputs: usize,
    layers: Vec<Layer>,
    steps: Vec<Step>,
    parameters: Parameters<T>,
    /// What training measures and no optimizer moves.
    #[serde(default)]
    statistics: Parameters<T>,
}

/// One step through the network; numbers are positions of parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Step {
    Dense {
        weight: usize,
        bias: Option<usize>,
    },
    Quadratic(Quadratic),
    Convolution {
        window: Window,
        weight: usize,
        bias: Option<usize>,
    },
    Pool {
        window: Window,
        pooling: Pooling,
    },
    Each(Nonlinearity),
    Quantized {
        levels: u32,
        scale: usize,
    },
    Norm {
        gain: usize,
        shift: usize,
    },
    BatchNorm {
        gain: usize,
        shift: usize,
        /// Running mean and variance, among the statistics.
        running: [usize; 2],
        /// Values of a channel in a row.
        places: usize,
    },
    /// A branch begins.
    Open,
    /// It ends, and what entered it is added; times alpha.
    Close {
        alpha: Option<usize>,
    },
    Embedding {
        table: usize,
    },
    Positions {
        table: usize,
    },
    Attention {
        weight: usize,
        how: Attention,
    },
    /// Times the embedding, turned.
    Tied {
        table: usize,
    },
}

/// Rows worked on at once outside of training.
const ROWS: usize = 512;

impl<T: Real> Network<T> {
    /// A network of `inputs` columns, begun at [`Start::Uniform`].
    ///
    /// # Errors
    /// A width of 0, no layer, a branch that does not fit, a nonlinearity out of its range.
    pub fn new(inputs: usize, layers: &[Layer], rng: &mut Rng) -> Result<Self, NetworkError> {
        Self::begun(inputs, layers, Start::Uniform, rng)
    }

    /// A network of `inputs` columns.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn begun(
        inputs: usize,
        layers: &[Layer],
        start: Start,
        rng: &mut Rng,
    ) -> Result<Self, NetworkError> {
        for (what, n) in [
            ("inputs, columns, at least", inputs),
            ("layers, at least", layers.len()),
        ] {
            if n == 0 {
                return Err(NetworkError::Shape {
                    what,
                    expected: 1,
                    found: 0,
                });
            }
        }
        let outputs = layers.iter().try_fold(inputs, |n, layer| layer.width(n))?;
        let mut network = Self {
            inputs,
            outputs,
            layers: layers.to_vec(),
            steps: vec![],
            parameters: Parameters::default(),
            statistics: Parameters::default(),
        };
        network.check_sequences()?;
        network.build(layers, "", inputs, &mut Draw { start, rng })?;
        Ok(network)
    }

    /// Columns of the inputs.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.inputs
    }

    /// Columns of the outputs.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.outputs
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// The parameters, to be given other values; their number and shapes must stay.
    pub fn parameters_mut(&mut self) -> &mut Parameters<T> {
        &mut self.parameters
    }

    /// Takes on the parameters and statistics of `other`, of the same layers, without memory of its own.
    fn copy(&mut self, other: &Self) {
        self.parameters.copy(&other.parameters);
        self.statistics.copy(&other.statistics);
    }

    /// The outputs, `[row, output]`, of `x` `[row, input]`.
    ///
    /// # Errors
    /// Inputs of another width, or not finite; of a network of sequences, no whole sequences, or no tokens.
    pub fn outputs(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, NetworkError> {
        self.upto(x, self.steps.len(), self.outputs)
    }

    /// The activity after one layer (its place as in [`Self::layers`]), `[row, unit]`; layers after it are not computed.
    ///
    /// # Errors
    /// As [`Self::outputs`]; a layer that is none.
    pub fn activity(&self, x: ArrayView2<'_, T>, layer: usize) -> Result<Array2<T>, NetworkError> {
        let ends = self.ends();
        let end = ends.get(layer).ok_or_else(|| {
            SettingError::new("layer", format!("a position below {}", ends.len()), layer)
        })?;
        let mut before = self.layers[..=layer].iter();
        let width = before.try_fold(self.inputs, |n, l| l.width(n))?;
        self.upto(x, end + 1, width)
    }

    /// After so many steps, which end with `width` units.
    fn upto(
        &self,
        x: ArrayView2<'_, T>,
        steps: usize,
        width: usize,
    ) -> Result<Array2<T>, NetworkError> {
        self.accept(x)?;
        let mut out = Vec::with_capacity(x.nrows() * width);
        let mut trace = Trace::default();
        // Whole sequences, where rows are those of sequences.
        let span = self.span();
        let at_once = (ROWS / span).max(1) * span;
        for rows in x.axis_chunks_iter(Axis(0), at_once) {
            let values = rows.as_standard_layout();
            let values = values.as_slice().unwrap_or(&[]);
            self.forward_upto(values, rows.nrows(), steps, &mut trace);
            out.extend_from_slice(trace.output());
        }
        Ok(matrix(x.nrows(), width, out))
    }

    /// The class of each row: the place of its largest output, the first of equals.
    ///
    /// # Errors
    /// As [`Self::outputs`].
    pub fn classify(&self, x: ArrayView2<'_, T>) -> Result<Vec<usize>, NetworkError> {
        let outputs = self.outputs(x)?;
        let rows = outputs.rows().into_iter();
        Ok(rows.map(|r| loss::largest(r.iter().copied())).collect())
    }

    /// The activity after each layer, `[row, unit]`, in their order; of a branch, its end alone.
    ///
    /// # Errors
    /// As [`Self::outputs`].
    pub fn taps(&self, x: ArrayView2<'_, T>) -> Result<Vec<Array2<T>>, NetworkError> {
        self.accept(x)?;
        let values = x.as_standard_layout();
        let mut trace = Trace::default();
        self.forward(values.as_slice().unwrap_or(&[]), x.nrows(), &mut trace);
        let ends = self.ends().into_iter();
        let of = |step: usize| {
            let values = trace.after(step).to_vec();
            matrix(x.nrows(), values.len() / x.nrows().max(1), values)
        };
        Ok(ends.map(of).collect())
    }

    /// The step with which each layer ends.
    fn ends(&self) -> Vec<usize> {
        let mut depth = 0;
        let mut ends = vec![];
        for (i, step) in self.steps.iter().enumerate() {
            match step {
                Step::Open => depth += 1,
                Step::Close { .. } => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                ends.push(i);
            }
        }
        ends
    }

    /// Whether inputs fit.
    fn accept(&self, x: ArrayView2<'_, T>) -> Result<(), NetworkError> {
        if x.ncols() != self.inputs {
            return Err(NetworkError::Shape {
                what: "inputs, columns",
                expected: self.inputs,
                found: x.ncols(),
            });
        }
        finite("inputs", x)?;
        self.accept_sequences(x)
    }
}

fn matrix<T: Real>(rows: usize, columns: usize, values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec((rows, columns), values).expect("as many values as rows times columns")
}

/// The first value that is not finite, as a refusal.
fn finite<T: Real>(what: &'static str, x: ArrayView2<'_, T>) -> Result<(), NetworkError> {
    if x.iter().all(|v| v.is_finite()) {
        return Ok(());
    }
    let bad = x.indexed_iter().find(|(_, v)| !v.is_finite());
    bad.map_or(Ok(()), |((row, column), v)| {
        Err(NetworkError::NotFinite {
            what,
            row,
            column,
            found: v.wide(),
        })
    })
}
