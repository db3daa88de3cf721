//! A spiking network of dense layers, and what its training rules leave at each of them.

use chiasm_core::{SettingError, Streams};
use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::settings::{Feedback, Layers, Rule};
use super::{dsr, steps};
use crate::Real;
use crate::continual::ContinualError;
use crate::continual::arrays::{matrices, product};

/// What the weights of one layer see of a batch: their gradient is `delta' pre`, whichever rule.
#[derive(Debug, Clone)]
pub struct Local<T> {
    /// Presynaptic activity, `[row, input]`: one row a sample (rates), or one for each sample and step.
    pub pre: Array2<T>,
    /// Error at the layer's sums, `[row, unit]`.
    pub delta: Array2<T>,
}

/// A batch forward and back.
#[derive(Debug, Clone)]
pub struct Pass<T> {
    /// Mean cross-entropy.
    pub loss: f64,
    /// For each layer, from the input.
    pub layers: Vec<Local<T>>,
    /// Gradient of each hidden layer's threshold; empty where thresholds do not learn.
    pub thresholds: Vec<T>,
}

/// Weights without biases, as biases would be protected by nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Network<T> {
    pub(super) layers: Layers,
    /// `[unit, input]` for each layer, the head last.
    #[serde(with = "matrices")]
    pub(super) weights: Vec<Array2<T>>,
    /// Of each hidden layer.
    pub(super) thresholds: Vec<T>,
    /// What carries errors to below each layer but the first, of the weights' shapes, where it is fixed.
    #[serde(with = "matrices")]
    feedback: Vec<Array2<T>>,
}

/// Thresholds are kept above this (code: 0.0005).
const LEAST_THRESHOLD: f64 = 5e-4;

impl<T: Real> Network<T> {
    /// Uniform weights within plus or minus one over the root of the number of inputs.
    ///
    /// # Errors
    /// A setting out of range; no input; fewer than two classes.
    pub fn new(
        layers: &Layers,
        width: usize,
        classes: usize,
        streams: &Streams,
    ) -> Result<Self, ContinualError> {
        layers.validate()?;
        SettingError::check(width > 0, "width", "at least 1", width)?;
        SettingError::check(classes > 1, "classes", "at least 2", classes)?;
        let sizes: Vec<usize> = std::iter::once(width)
            .chain(layers.hidden.iter().copied())
            .chain(std::iter::once(classes))
            .collect();
        let drawn = |name: &str| -> Vec<Array2<T>> {
            let each = sizes.windows(2).enumerate();
            each.map(|(i, of)| {
                let mut rng = streams.indexed(name, i);
                let bound = 1.0 / (of[0] as f64).sqrt();
                Array2::from_shape_simple_fn((of[1], of[0]), || {
                    T::of(bound * (2.0 * rng.random::<f64>() - 1.0))
                })
            })
            .collect()
        };
        let fixed = layers.feedback == Feedback::Random;
        let feedback = if fixed { drawn("feedback") } else { vec![] };
        Ok(Self {
            weights: drawn("weights"),
            thresholds: vec![T::of(layers.threshold); layers.hidden.len()],
            feedback: feedback.into_iter().skip(1).collect(),
            layers: layers.clone(),
        })
    }

    /// Inputs of each layer, from the first.
    #[must_use]
    pub fn inputs(&self) -> Vec<usize> {
        self.weights.iter().map(Array2::ncols).collect()
    }

    /// Units of the head.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.weights.last().map_or(0, Array2::nrows)
    }

    /// The weights of each layer, `[unit, input]`.
    #[must_use]
    pub fn weights(&self) -> &[Array2<T>] {
        &self.weights
    }

    /// The thresholds of the hidden layers.
    #[must_use]
    pub fn thresholds(&self) -> &[T] {
        &self.thresholds
    }

    /// Scores of the classes, `[sample, class]`, for inputs `[sample, column]`, which are the same at every step.
    ///
    /// # Errors
    /// Another number of columns than the network has inputs.
    pub fn scores(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, ContinualError> {
        self.accept(x)?;
        Ok(match self.layers.rule {
            Rule::Dsr => dsr::forward(self, x).scores,
            Rule::Bptt | Rule::Ottt => steps::scores(self, x),
        })
    }

    /// A batch forward and back: `labels` are the indices of the classes.
    ///
    /// # Errors
    /// Another number of columns than the network has inputs, or of labels than samples.
    pub fn pass(&self, x: ArrayView2<'_, T>, labels: &[usize]) -> Result<Pass<T>, ContinualError> {
        self.accept(x)?;
        if labels.len() != x.nrows() {
            let (expected, found) = (x.nrows(), labels.len());
            return Err(ContinualError::shape(
                "labels, one for each sample",
                expected,
                found,
            ));
        }
        if let Some(sample) = labels.iter().position(|l| *l >= self.n_classes()) {
            return Err(ContinualError::Label {
                task: "batch".into(),
                part: "train",
                sample,
                classes: self.n_classes(),
                found: labels[sample],
            });
        }
        Ok(match self.layers.rule {
            Rule::Dsr => dsr::pass(self, x, labels),
            Rule::Bptt => steps::pass(self, x, labels, true),
            Rule::Ottt => steps::pass(self, x, labels, false),
        })
    }

    fn accept(&self, x: ArrayView2<'_, T>) -> Result<(), ContinualError> {
        let width = self.weights[0].ncols();
        if x.ncols() == width {
            Ok(())
        } else {
            Err(ContinualError::shape("inputs, columns", width, x.ncols()))
        }
    }

    /// `delta` `[row, unit]` of layer `layer` (1 or more) carried back to its inputs.
    pub(super) fn back(&self, layer: usize, delta: ArrayView2<'_, T>) -> Array2<T> {
        let weights = &self.weights[layer];
        match self.layers.feedback {
            Feedback::Symmetric => product(delta, weights.view()),
            Feedback::Random => product(delta, self.feedback[layer - 1].view()),
            Feedback::Sign => {
                let worth = T::of(1.0 / (weights.ncols() as f64).sqrt());
                let signs = weights.mapv(|w| {
                    if w > T::zero() {
                        worth
                    } else if w < T::zero() {
                        -worth
                    } else {
                        w
                    }
                });
                product(delta, signs.view())
            }
        }
    }

    /// One step of descent along these gradients of the weights.
    pub(super) fn descend(&mut self, layer: usize, rate: T, gradient: &Array2<T>) {
        self.weights[layer].scaled_add(-rate, gradient);
    }

    /// One step of descent of the thresholds.
    pub(super) fn descend_thresholds(&mut self, rate: T, gradients: &[T]) {
        for (threshold, gradient) in self.thresholds.iter_mut().zip(gradients) {
            let next = *threshold - rate * *gradient;
            *threshold = if next < T::of(LEAST_THRESHOLD) {
                T::of(LEAST_THRESHOLD)
            } else {
                next
            };
        }
    }
}

/// Mean cross-entropy of `scores` `[row, class]`, and its gradient.
pub(super) fn cross_entropy<T: Real>(scores: &Array2<T>, labels: &[usize]) -> (f64, Array2<T>) {
    let mut grad = scores.clone();
    let per_sample = T::one() / T::of(labels.len().max(1) as f64);
    let mut loss = 0.0;
    for (mut row, label) in grad.axis_iter_mut(Axis(0)).zip(labels) {
        let most = row
            .iter()
            .copied()
            .fold(T::neg_infinity(), |a, b| if b > a { b } else { a });
        let of_label = row[*label];
        row.mapv_inplace(|v| (v - most).exp());
        let sum = row.sum();
        loss += (sum.ln() + most - of_label).wide();
        row.mapv_inplace(|v| v / sum * per_sample);
        row[*label] -= per_sample;
    }
    (loss / labels.len().max(1) as f64, grad)
}
