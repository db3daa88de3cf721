//! A network of dense layers whose activations are quantized, clipped, floored and shifted (QCFS), and the network of
//! integrate-and-fire neurons that it turns into without further training (paper 48, after its base networks).
//!
//! The activation is `h(x) = lambda clip(floor(x L / lambda + 1/2) / L, 0, 1)`, with a learned `lambda` for each layer; the
//! gradient goes straight through the steps. A neuron that starts at half its threshold `lambda`, gets `x` at each step, and
//! gives `lambda` off at each spike has after `L` steps given off `L h(x)`: the same number of levels, one for each spike.
//!
//! [`Qcfs`] trains dense networks, by tensors; [`ConvertedNetwork`] is what any [`Network`](crate::network::Network) with
//! [quantized activations](crate::network::Layer::Quantized) turns into: images are learned by convolutions there.

mod converted;
mod error;
mod projection;
mod record;
mod sample;
mod spiking;
#[cfg(test)]
mod tests;

use burn_tensor::{Device, Tensor, activation::log_softmax};
use chiasm_core::{SettingError, Streams, Watch};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis};
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use converted::ConvertedNetwork;
pub use error::QcfsError;
pub use record::RecordError;
pub use spiking::{Run, SpikingNetwork};

use crate::layers::{Activation, dense};
use crate::train::{Optimizer, Parameters, Rule, Share, cosine, download, upload};

/// The network's shape and training. Defaults are those of card 48, works when 2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Qcfs {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Levels L of the activations.
    pub levels: u32,
    /// The thresholds lambda before training.
    pub lambda: f64,
    /// Passes over the samples.
    pub epochs: usize,
    /// Samples in a batch.
    pub batch: usize,
    /// Learning rate at the start; it falls to 0 along half a cosine.
    pub rate: f64,
    /// Momentum of the descent.
    pub momentum: f64,
    /// Weight decay, of thresholds too.
    pub decay: f64,
}

impl Default for Qcfs {
    fn default() -> Self {
        Self {
            hidden: vec![256, 128],
            levels: 4,
            lambda: 2.0,
            epochs: 4,
            batch: 64,
            rate: 0.05,
            momentum: 0.9,
            decay: 5e-4,
        }
    }
}

/// Thresholds are kept above this: of a smaller one every input is a spike.
const LEAST_LAMBDA: f32 = 1e-3;

impl Qcfs {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let hidden = &self.hidden;
        let fine = !hidden.is_empty() && hidden.iter().all(|n| (1..=1 << 16).contains(n));
        let found = format!("{hidden:?}");
        SettingError::check(
            fine,
            "hidden",
            "at least one layer of 1 to 65536 units",
            found,
        )?;
        SettingError::check(
            (1..=1024).contains(&self.levels),
            "levels",
            "1 to 1024",
            self.levels,
        )?;
        for (field, n) in [("epochs", self.epochs), ("batch", self.batch)] {
            SettingError::check(n > 0, field, "at least 1", n)?;
        }
        for (field, v) in [("lambda", self.lambda), ("rate", self.rate)] {
            SettingError::check(v.is_finite() && v > 0.0, field, "a number above 0", v)?;
        }
        let fine = (0.0..1.0).contains(&self.momentum);
        SettingError::check(fine, "momentum", "0 or more, below 1", self.momentum)?;
        let fine = self.decay.is_finite() && self.decay >= 0.0;
        SettingError::check(fine, "decay", "0 or more", self.decay)
    }

    /// Trains on `inputs` `[sample, column]` with for each the index of its class, by cross-entropy. The bits depend on the
    /// streams, not on the number of threads.
    ///
    /// # Errors
    /// A setting, input or label out of range; a loss or gradient that is not finite, with its epoch and batch; work that was
    /// stopped.
    pub fn fit(
        &self,
        inputs: ArrayView2<'_, f32>,
        labels: &[usize],
        classes: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<QcfsNetwork, QcfsError> {
        self.validate()?;
        check(inputs, labels, classes)?;
        let streams = streams.child("qcfs");
        let (n, width) = inputs.dim();
        let mut network = QcfsNetwork::new(self, width, classes, &streams);
        let share = Share {
            decay: self.decay,
            ..Share::all(&network.parameters, self.rate)
        };
        let momentum = Rule::Sgd {
            momentum: self.momentum,
        };
        let mut descent = Optimizer::new(&network.parameters, momentum, vec![share]);
        let device = Device::flex().autodiff();
        let steps = self.epochs * n.div_ceil(self.batch);
        let mut step = 0;
        watch.stage("training", self.epochs as u64);
        for epoch in 0..self.epochs {
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(&mut streams.indexed("order", epoch));
            let mut sum = 0.0;
            for (b, which) in order.chunks(self.batch).enumerate() {
                watch.check()?;
                let fault = |quantity| QcfsError::Diverged {
                    quantity,
                    epoch,
                    batch: b,
                };
                let x = inputs.select(Axis(0), which).into_raw_vec_and_offset().0;
                let x = upload(x, [which.len(), width], &device);
                let mut target = vec![0.0f32; which.len() * classes];
                for (row, i) in which.iter().enumerate() {
                    target[row * classes + labels[*i]] = 1.0;
                }
                let target = upload(target, [which.len(), classes], &device);
                let leaves = network.parameters.leaves(&device);
                let logits = network.forward(x, &leaves);
                let loss = -(log_softmax(logits, 1) * target).sum() / which.len() as f32;
                let value = f64::from(download::<f32, 1>(loss.clone().inner())[0]);
                if !value.is_finite() {
                    return Err(fault("the loss"));
                }
                sum += value * which.len() as f64;
                let grads = loss.backward();
                let grads = network.parameters.gradients(&leaves, &grads);
                drop(leaves);
                let factor = cosine(1.0, step, steps);
                step += 1;
                let taken = descent.update(&mut network.parameters, &grads, factor);
                taken.map_err(|_| fault("a gradient"))?;
                network.keep_thresholds();
            }
            watch.tick(1);
            watch.best("loss", sum / n as f64);
        }
        Ok(network)
    }
}

fn check(inputs: ArrayView2<'_, f32>, labels: &[usize], classes: usize) -> Result<(), QcfsError> {
    let shape = |what, expected, found| QcfsError::Shape {
        what,
        expected,
        found,
    };
    if classes < 2 {
        return Err(shape("classes, at least", 2, classes));
    }
    let (n, width) = inputs.dim();
    if n == 0 || width == 0 {
        return Err(shape("inputs, values, at least", 1, 0));
    }
    if labels.len() != n {
        return Err(shape("labels, one for each sample", n, labels.len()));
    }
    if let Some(sample) = labels.iter().position(|l| *l >= classes) {
        return Err(QcfsError::Label {
            sample,
            classes,
            found: labels[sample],
        });
    }
    finite(inputs)
}

fn finite(inputs: ArrayView2<'_, f32>) -> Result<(), QcfsError> {
    let bad = inputs.indexed_iter().find(|(_, v)| !v.is_finite());
    bad.map_or(Ok(()), |((sample, column), found)| {
        Err(QcfsError::NotFinite {
            sample,
            column,
            found: *found,
        })
    })
}

/// A trained network: for each layer the matrices `weights` `[in, out]`, `bias` `[1, out]` and, but for the last, `lambda`
/// `[1, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QcfsNetwork {
    levels: u32,
    parameters: Parameters<f32>,
}

/// Samples that are worked on at once outside training.
const ROWS: usize = 256;

impl QcfsNetwork {
    fn new(config: &Qcfs, width: usize, classes: usize, streams: &Streams) -> Self {
        let mut parameters = Parameters::default();
        let mut rng = streams.stream("weights");
        let mut before = width;
        for (i, &units) in config.hidden.iter().enumerate() {
            parameters.push_uniform(format!("{i}.weights"), [before, units], before, &mut rng);
            parameters.push_uniform(format!("{i}.bias"), [1, units], before, &mut rng);
            parameters.push(format!("{i}.lambda"), [1, 1], vec![config.lambda]);
            before = units;
        }
        parameters.push_uniform("out.weights", [before, classes], before, &mut rng);
        parameters.push_uniform("out.bias", [1, classes], before, &mut rng);
        Self {
            levels: config.levels,
            parameters,
        }
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &Parameters<f32> {
        &self.parameters
    }

    /// Columns of the inputs.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.parameters.arrays[0].shape[0]
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.parameters.arrays.last().map_or(0, |a| a.shape[1])
    }

    /// The thresholds lambda, layer by layer.
    #[must_use]
    pub fn thresholds(&self) -> Vec<f32> {
        let hidden = self.parameters.arrays.chunks_exact(3);
        hidden.map(|layer| layer[2].values[0]).collect()
    }

    /// The logits for rows `x` `[row, column]`, from leaves in the order of the parameters.
    fn forward(&self, x: Tensor<2>, leaves: &[Tensor<2>]) -> Tensor<2> {
        let hidden = leaves.chunks_exact(3);
        let out = hidden.remainder();
        let mut x = x;
        for layer in hidden {
            let (weights, bias) = (layer[0].clone(), layer[1].clone());
            let sums = dense(x, weights, bias, Activation::Linear);
            x = quantized(sums, layer[2].clone(), self.levels);
        }
        dense(x, out[0].clone(), out[1].clone(), Activation::Linear)
    }

    fn keep_thresholds(&mut self) {
        for layer in self.parameters.arrays.chunks_exact_mut(3) {
            let lambda = &mut layer[2].values[0];
            *lambda = lambda.max(LEAST_LAMBDA);
        }
    }

    /// The logits of the quantized network, `[sample, class]`, for inputs `[sample, column]`.
    ///
    /// # Errors
    /// Another number of columns than the network was trained on; an input that is not finite.
    pub fn logits(&self, inputs: ArrayView2<'_, f32>) -> Result<Array2<f32>, QcfsError> {
        self.accept(inputs)?;
        let device = Device::flex();
        let leaves = self.parameters.leaves(&device);
        let mut logits = Array2::zeros((inputs.nrows(), self.n_classes()));
        let parts = inputs.axis_chunks_iter(Axis(0), ROWS).into_par_iter();
        let parts = parts.zip(logits.axis_chunks_iter_mut(Axis(0), ROWS));
        parts.for_each(|(inputs, mut logits)| {
            let x = inputs.iter().copied().collect();
            let x = upload(x, [inputs.nrows(), self.n_inputs()], &device);
            let found = download::<f32, 2>(self.forward(x, &leaves));
            for (logit, found) in logits.iter_mut().zip(found) {
                *logit = found;
            }
        });
        Ok(logits)
    }

    /// The levels of the first layer's activations, `[sample, unit]`, 0 to L, from the very sums that its spiking neurons get.
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub fn first_levels(&self, inputs: ArrayView2<'_, f32>) -> Result<Array2<u32>, QcfsError> {
        self.accept(inputs)?;
        let spiking = self.spiking();
        let lambda = f64::from(self.thresholds()[0]);
        let levels = f64::from(self.levels);
        let units = self.parameters.arrays[1].shape[1];
        let mut found = Array2::zeros((inputs.nrows(), units));
        for (row, mut found) in inputs.rows().into_iter().zip(found.rows_mut()) {
            let sums = spiking.current(row.iter().copied());
            for (level, sum) in found.iter_mut().zip(sums) {
                let part = (f64::from(sum) * levels / lambda + 0.5).floor();
                *level = part.clamp(0.0, levels) as u32;
            }
        }
        Ok(found)
    }

    /// The network of integrate-and-fire neurons.
    #[must_use]
    pub fn spiking(&self) -> SpikingNetwork {
        SpikingNetwork::of(self)
    }

    fn accept(&self, inputs: ArrayView2<'_, f32>) -> Result<(), QcfsError> {
        if inputs.ncols() != self.n_inputs() {
            return Err(QcfsError::Shape {
                what: "inputs, columns",
                expected: self.n_inputs(),
                found: inputs.ncols(),
            });
        }
        finite(inputs)
    }
}

/// The activation, its gradient straight through the steps: by `x` 1 between 0 and lambda, else 0; by lambda 1 above it,
/// `(h - x) / lambda` between.
fn quantized(x: Tensor<2>, lambda: Tensor<2>, levels: u32) -> Tensor<2> {
    let levels = levels as f32;
    let part = (x / lambda.clone()).clamp(0.0, 1.0);
    let stepped = (part.clone() * levels + 0.5).floor() / levels;
    let to_step = (stepped - part.clone()).detach();
    (part + to_step) * lambda
}
