//! Linear readouts: softmax regression on features, such as the spike counts of a reservoir, in plain arrays.
//!
//! Learns by mini-batches with Adam, or with Adadelta on soft targets as liquid state machines have been read out
//! (paper 16), and keeps the pass that does best on a validation set, if there is one.
//!
//! ```
//! use chiasm_analysis::readout::{Samples, Softmax};
//! use chiasm_core::{Quiet, Streams};
//! let x = ndarray::arr2(&[[0.0, 1.0], [0.1, 0.9], [1.0, 0.0], [0.9, 0.2]]);
//! let train = Samples::new(x.view(), &[0, 0, 1, 1], 2)?;
//! let fitted = Softmax::default().fit(&train, None, &Streams::new(1), &Quiet)?;
//! assert_eq!(fitted.model.predict(x.view())?, [0, 0, 1, 1]);
//! assert_eq!(fitted.model.accuracy(&train)?, 1.0);
//! # Ok::<(), chiasm_analysis::readout::ReadoutError>(())
//! ```

use chiasm_core::{SettingError, Streams, Watch};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod error;
mod optimizer;
mod samples;
mod scale;

pub use error::ReadoutError;
pub use optimizer::Optimizer;
pub use samples::Samples;
pub use scale::{Standard, check_disjoint, per_total};

pub(crate) use optimizer::Stepper;
use samples::check_finite;

/// Softmax regression. The defaults are the fast choice of paper 16's card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Softmax {
    /// How the weights follow their gradient (chosen: Adam; the authors' code: Adadelta at 0.1).
    pub optimizer: Optimizer,
    /// Passes over the samples (chosen: 60; the authors' code: up to 5000).
    pub passes: usize,
    /// Samples of a step (the authors' code: 250).
    pub batch: usize,
    /// Penalty: half of it times the sum of squared weights (chosen: 1e-4; the authors' code: 5e-10).
    pub l2: f64,
    /// Whether the target is the softmax of 1 for the class and -1 for the others (the authors' code), or the class itself.
    pub soft_targets: bool,
}

impl Default for Softmax {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::Adam { rate: 1e-3 },
            passes: 60,
            batch: 250,
            l2: 1e-4,
            soft_targets: false,
        }
    }
}

/// A readout that has learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The readout: of the best pass on the validation set, of the last one without.
    pub model: LinearReadout,
    /// Mean loss of each pass, with the penalty.
    pub loss: Vec<f64>,
    /// Accuracy on the validation set after each pass; empty without one.
    pub validation: Vec<f64>,
    /// The pass that was kept, from 1.
    pub best_pass: usize,
}

/// Scores of classes, linear in the features.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearReadout {
    /// `[class, feature]`
    pub weights: Array2<f32>,
    /// `[class]`
    pub bias: Array1<f32>,
}

impl LinearReadout {
    /// For each sample the class of the highest score; the first of equals.
    ///
    /// # Errors
    /// [`ReadoutError::Number`] for another number of features; [`ReadoutError::NotFinite`].
    pub fn predict(&self, x: ArrayView2<'_, f32>) -> Result<Vec<usize>, ReadoutError> {
        if x.ncols() != self.weights.ncols() {
            return Err(ReadoutError::Number {
                what: "features",
                expected: self.weights.ncols(),
                found: x.ncols(),
            });
        }
        check_finite(x)?;
        let best = |row: ArrayView1<'_, f32>| {
            let mut best = (0, f32::NEG_INFINITY);
            for (class, weights) in self.weights.outer_iter().enumerate() {
                let score = dot(weights, row) + self.bias[class];
                if score > best.1 {
                    best = (class, score);
                }
            }
            best.0
        };
        let rows: Vec<_> = x.outer_iter().collect();
        Ok(rows.into_par_iter().map(best).collect())
    }

    /// The fraction of samples whose class is predicted.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn accuracy(&self, samples: &Samples<'_>) -> Result<f64, ReadoutError> {
        let predicted = self.predict(samples.x)?;
        let right = predicted.iter().zip(samples.labels).filter(|(a, b)| a == b);
        Ok(right.count() as f64 / predicted.len() as f64)
    }
}

/// In eight sums, so that it runs in vector registers.
#[inline(always)]
pub(crate) fn dot_slices(a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (a, b) in a8.iter().zip(b8) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn dot(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f32 {
    match (a.as_slice(), b.as_slice()) {
        (Some(a), Some(b)) => chiasm_core::vectorized(
            #[inline(always)]
            || dot_slices(a, b),
        ),
        _ => a.dot(&b),
    }
}

/// What a step of learning sees of its samples.
struct Gradient {
    weights: Vec<f32>,
    bias: Vec<f32>,
    loss: f64,
}

/// Samples of one piece of a step; pieces may be done at once and are added in order.
const PIECE: usize = 32;

impl Softmax {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let (Optimizer::Adam { rate } | Optimizer::Adadelta { rate }) = self.optimizer;
        let holds = rate > 0.0 && rate <= 1000.0;
        SettingError::check(holds, "optimizer.rate", "above 0, at most 1000", rate)?;
        for (field, n) in [("passes", self.passes), ("batch", self.batch)] {
            SettingError::check((1..=1_000_000).contains(&n), field, "1 to 1,000,000", n)?;
        }
        SettingError::check(
            (0.0..=1000.0).contains(&self.l2),
            "l2",
            "0 to 1000",
            self.l2,
        )
    }

    /// Learns from zero weights. The order of samples is drawn anew for each pass. Ticks once for each pass.
    ///
    /// # Errors
    /// [`ReadoutError`] for settings out of range, a validation set of other features or classes, a loss that is not finite.
    pub fn fit(
        &self,
        train: &Samples<'_>,
        validation: Option<&Samples<'_>>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Fitted, ReadoutError> {
        self.validate()?;
        if let Some(other) = validation {
            let sizes = [
                ("features", train.x.ncols(), other.x.ncols()),
                ("classes", train.n_classes, other.n_classes),
            ];
            for (what, expected, found) in sizes {
                if expected != found {
                    return Err(ReadoutError::Number {
                        what,
                        expected,
                        found,
                    });
                }
            }
        }
        let x = train.x.as_standard_layout();
        let (n, d, k) = (x.nrows(), x.ncols(), train.n_classes);
        let mut model = LinearReadout {
            weights: Array2::zeros((k, d)),
            bias: Array1::zeros(k),
        };
        let mut stepper = Stepper::new(self.optimizer, k * d + k);
        let targets = self.targets(k);
        let mut order: Vec<usize> = (0..n).collect();
        let mut fitted = Fitted {
            model: model.clone(),
            loss: vec![],
            validation: vec![],
            best_pass: 0,
        };
        let mut best = f64::NEG_INFINITY;
        for pass in 1..=self.passes {
            watch.check()?;
            order.shuffle(&mut streams.indexed("order", pass));
            let mut loss = 0.0;
            for batch in order.chunks(self.batch) {
                let pieces: Vec<Gradient> = batch
                    .par_chunks(PIECE)
                    .map(|piece| gradient(&model, x.view(), train.labels, &targets, piece))
                    .collect();
                loss += self.step(&mut model, &mut stepper, &pieces, batch.len());
            }
            let penalty =
                self.l2 / 2.0 * model.weights.iter().map(|w| f64::from(w * w)).sum::<f64>();
            let mean = loss / n as f64 + penalty;
            if !mean.is_finite() {
                return Err(ReadoutError::Diverged { pass, found: mean });
            }
            fitted.loss.push(mean);
            if let Some(other) = validation {
                let accuracy = model.accuracy(other)?;
                fitted.validation.push(accuracy);
                if accuracy > best {
                    best = accuracy;
                    fitted.best_pass = pass;
                    fitted.model = model.clone();
                }
            }
            watch.tick(1);
        }
        if validation.is_none() {
            fitted.best_pass = self.passes;
            fitted.model = model;
        }
        Ok(fitted)
    }

    /// `[class, class]`: the target of each class.
    fn targets(&self, k: usize) -> Array2<f32> {
        let (own, other) = if self.soft_targets {
            let (own, other) = (1f64.exp(), (-1f64).exp());
            let sum = own + (k as f64 - 1.0) * other;
            (own / sum, other / sum)
        } else {
            (1.0, 0.0)
        };
        Array2::from_shape_fn((k, k), |(a, b)| if a == b { own } else { other } as f32)
    }

    /// One step against the gradient of these pieces; gives the sum of their losses.
    fn step(
        &self,
        model: &mut LinearReadout,
        stepper: &mut Stepper,
        pieces: &[Gradient],
        n: usize,
    ) -> f64 {
        let (mut weights, mut bias) = (pieces[0].weights.clone(), pieces[0].bias.clone());
        let mut loss = pieces[0].loss;
        for piece in &pieces[1..] {
            weights
                .iter_mut()
                .zip(&piece.weights)
                .for_each(|(a, b)| *a += b);
            bias.iter_mut().zip(&piece.bias).for_each(|(a, b)| *a += b);
            loss += piece.loss;
        }
        let (one, l2) = (1.0 / n as f32, self.l2 as f32);
        for (g, w) in weights.iter_mut().zip(&model.weights) {
            *g = *g * one + l2 * w;
        }
        bias.iter_mut().for_each(|g| *g *= one);
        let parameters = model.weights.iter_mut().chain(&mut model.bias);
        stepper.step(parameters, weights.iter().chain(&bias));
        loss
    }
}

fn gradient(
    model: &LinearReadout,
    x: ArrayView2<'_, f32>,
    labels: &[usize],
    targets: &Array2<f32>,
    samples: &[usize],
) -> Gradient {
    let (k, d) = model.weights.dim();
    let mut found = Gradient {
        weights: vec![0.0; k * d],
        bias: vec![0.0; k],
        loss: 0.0,
    };
    let mut scores = vec![0.0f32; k];
    for &sample in samples {
        let row = x.row(sample);
        for (class, score) in scores.iter_mut().enumerate() {
            *score = dot(model.weights.row(class), row) + model.bias[class];
        }
        let target = targets.row(labels[sample]);
        let most = scores.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let sum: f32 = scores.iter().map(|s| (s - most).exp()).sum();
        let log_sum = sum.ln() + most;
        for (s, t) in scores.iter().zip(target) {
            found.loss += f64::from(t * (log_sum - s));
        }
        for (class, own) in found.weights.chunks_mut(d).enumerate() {
            let error = (scores[class] - log_sum).exp() - target[class];
            found.bias[class] += error;
            add_scaled(own, row, error);
        }
    }
    found
}

fn add_scaled(to: &mut [f32], row: ArrayView1<'_, f32>, factor: f32) {
    match row.as_slice() {
        Some(row) => chiasm_core::vectorized(
            #[inline(always)]
            || to.iter_mut().zip(row).for_each(|(a, b)| *a += factor * b),
        ),
        None => to.iter_mut().zip(row).for_each(|(a, b)| *a += factor * b),
    }
}

#[cfg(test)]
mod tests;
