//! What training makes small.

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nonlinearity::sigmoid;
use super::{Network, NetworkError, finite, vocabulary};
use crate::Real;

/// The mean over samples of what training makes small.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Of the softmax of the outputs, against `(1 - smoothing)` on the class and `smoothing / classes` on all.
    CrossEntropy {
        /// Share of the target that is spread over all classes.
        smoothing: f64,
    },
    /// Half the squared error, summed over outputs. Classes are 1 on the class, 0 elsewhere.
    SquaredError,
    /// Of the sigmoid of each output against a target of 0 to 1, mean over outputs. Classes are as above.
    BinaryCrossEntropy,
}

/// What the outputs should be.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a, T> {
    /// The index of a class for each sample.
    Classes(&'a [usize]),
    /// Values, `[sample, output]`.
    Values(ArrayView2<'a, T>),
}

impl<T: Real> Targets<'_, T> {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Values(values) => values.nrows(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the targets of one sample.
    fn write(&self, sample: usize, out: &mut [T]) {
        match self {
            Self::Classes(labels) => {
                out.fill(T::ZERO);
                out[labels[sample]] = T::ONE;
            }
            Self::Values(values) => {
                for (o, v) in out.iter_mut().zip(values.row(sample)) {
                    *o = *v;
                }
            }
        }
    }

    /// Whether the targets fit a network and `samples` samples.
    pub(super) fn accept(&self, samples: usize, outputs: usize) -> Result<(), NetworkError> {
        let shape = |what, expected, found| NetworkError::Shape {
            what,
            expected,
            found,
        };
        if self.len() != samples {
            return Err(shape("targets, one for each sample", samples, self.len()));
        }
        match self {
            Self::Classes(labels) => {
                let bad = labels.iter().position(|l| *l >= outputs);
                bad.map_or(Ok(()), |sample| {
                    Err(NetworkError::Label {
                        sample,
                        classes: outputs,
                        found: labels[sample],
                    })
                })
            }
            Self::Values(values) if values.ncols() != outputs => {
                Err(shape("targets, columns", outputs, values.ncols()))
            }
            Self::Values(values) => finite("targets", *values),
        }
    }
}

/// What a batch, or all samples, came to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Losses, summed over samples.
    pub(super) loss: f64,
    /// Samples told right: the largest output is the class's; every output on the right side.
    pub(super) correct: f64,
}

/// The place of the largest value, the first of equals.
pub(super) fn largest<T: Real>(values: impl Iterator<Item = T>) -> usize {
    let mut best = (0, T::neg_infinity());
    for (i, v) in values.enumerate() {
        if v > best.1 {
            best = (i, v);
        }
    }
    best.0
}

impl Loss {
    /// Of these samples, whose outputs are given row by row. `gradient`, as large, is overwritten with that of the mean loss.
    pub(super) fn of<T: Real>(
        &self,
        outputs: &[T],
        targets: &Targets<'_, T>,
        samples: &[usize],
        gradient: &mut [T],
    ) -> Sums {
        let (loss, correct) = T::loss(*self, outputs, targets, samples, gradient);
        Sums { loss, correct }
    }

    pub(crate) fn of_generic<T: Real>(
        &self,
        outputs: &[T],
        targets: &Targets<'_, T>,
        samples: &[usize],
        gradient: &mut [T],
    ) -> (f64, f64) {
        let n = outputs.len() / samples.len().max(1);
        let share = T::ONE / T::of(samples.len() as f64);
        let mut sums = Sums::default();
        if let (Self::CrossEntropy { smoothing }, Targets::Classes(labels)) = (self, targets)
            && n >= vocabulary::MANY
        {
            let which = samples.iter().map(|s| labels[*s]);
            let sums = vocabulary::cross_entropy(outputs, n, which, (*smoothing, share), gradient);
            return (sums.loss, sums.correct);
        }
        let mut target = vec![T::ZERO; n];
        let rows = outputs.chunks_exact(n).zip(gradient.chunks_exact_mut(n));
        for ((y, g), sample) in rows.zip(samples) {
            targets.write(*sample, &mut target);
            sums.loss += match *self {
                Self::CrossEntropy { smoothing } => {
                    cross_entropy(y, &mut target, smoothing, share, g)
                }
                Self::SquaredError => squared(y, &target, share, g),
                Self::BinaryCrossEntropy => binary(y, &target, share, g),
            };
            let right = match targets {
                Targets::Classes(labels) => largest(y.iter().copied()) == labels[*sample],
                Targets::Values(_) => self.sides(y, &target),
            };
            sums.correct += f64::from(u8::from(right));
        }
        (sums.loss, sums.correct)
    }

    /// Whether every output is on the side of its target.
    fn sides<T: Real>(&self, y: &[T], target: &[T]) -> bool {
        let half = T::of(0.5);
        let border = match self {
            Self::SquaredError => half,
            _ => T::ZERO,
        };
        y.iter()
            .zip(target)
            .all(|(y, t)| (*y > border) == (*t > half))
    }
}

fn cross_entropy<T: Real>(y: &[T], target: &mut [T], smoothing: f64, share: T, g: &mut [T]) -> f64 {
    let n = y.len() as f64;
    let (keep, spread) = (T::of(1.0 - smoothing), T::of(smoothing / n));
    let top = y
        .iter()
        .fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
    let mut sum = T::ZERO;
    for (g, y) in g.iter_mut().zip(y) {
        *g = (*y - top).exp();
        sum += *g;
    }
    let log_sum = sum.wide().ln() + top.wide();
    let mut loss = 0.0;
    for ((g, y), t) in g.iter_mut().zip(y).zip(target) {
        *t = keep * *t + spread;
        loss += t.wide() * (log_sum - y.wide());
        *g = (*g / sum - *t) * share;
    }
    loss
}

fn squared<T: Real>(y: &[T], target: &[T], share: T, g: &mut [T]) -> f64 {
    let mut loss = 0.0;
    for ((g, y), t) in g.iter_mut().zip(y).zip(target) {
        let error = *y - *t;
        loss += 0.5 * error.wide() * error.wide();
        *g = error * share;
    }
    loss
}

fn binary<T: Real>(y: &[T], target: &[T], share: T, g: &mut [T]) -> f64 {
    let n = y.len() as f64;
    let share = share / T::of(n);
    let mut loss = 0.0;
    for ((g, y), t) in g.iter_mut().zip(y).zip(target) {
        // max(y, 0) - y t + ln(1 + exp(-|y|)), which overflows nowhere.
        let (wide, t_wide) = (y.wide(), t.wide());
        loss += wide.max(0.0) - wide * t_wide + (-wide.abs()).exp().ln_1p();
        *g = (sigmoid(*y) - *t) * share;
    }
    // `f64::max` passes NaN by.
    if y.iter().any(|v| v.is_nan()) {
        f64::NAN
    } else {
        loss / n
    }
}

impl<T: Real> Network<T> {
    /// The mean loss and the share of samples told right (the largest output is the class's; or every output on the side of
    /// its target).
    ///
    /// # Errors
    /// Inputs or targets that do not fit or are not finite; no sample.
    pub fn score(
        &self,
        x: ArrayView2<'_, T>,
        targets: Targets<'_, T>,
        loss: Loss,
    ) -> Result<(f64, f64), NetworkError> {
        targets.accept(x.nrows(), self.outputs)?;
        if targets.is_empty() {
            return Err(NetworkError::Shape {
                what: "samples, at least",
                expected: 1,
                found: 0,
            });
        }
        let outputs = self.outputs(x)?;
        let all: Vec<usize> = (0..x.nrows()).collect();
        let mut gradient = vec![T::ZERO; outputs.len()];
        let values = outputs.as_slice().unwrap_or(&[]);
        let sums = loss.of(values, &targets, &all, &mut gradient);
        let n = x.nrows() as f64;
        Ok((sums.loss / n, sums.correct / n))
    }
}
