//! Deep matrix completion, and a switch of what is to be completed (card 24, C).

use chiasm_core::{SettingError, Streams};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::error::TheoryError;
use super::super::matrix::{Side, multiply, normal, orthogonal, product};
use super::matrices::Observed;
use super::reduced::check_depth;
use crate::Real;
use crate::continual::arrays::matrices;

mod training;

pub(super) use training::Descent;
pub use training::{Course, Schedule};

/// Weights at the start, by the scale `init` of their product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// Normal, of deviation `init^(1/D) N^(-1/2)`.
    #[default]
    Gaussian,
    /// Orthogonal, times `(init N^(1/2))^(1/D)`.
    Orthogonal,
    /// The identity, times `init^(1/D)`.
    Identity,
}

/// A square matrix as a product of `D` weight matrices, `P = W_1 W_2 ... W_D`, that descends the half mean squared error over the
/// entries that are seen.
///
/// ```
/// use chiasm_core::{Quiet, Streams};
/// use chiasm_net::theory::critical_periods::{Completion, Init, Observed, Schedule, Target};
///
/// # fn main() -> Result<(), chiasm_net::theory::TheoryError> {
/// let streams = Streams::new(1);
/// let target = Target::random(20, 1, &mut streams.stream("target"))?;
/// let seen = Observed::draw(20, 240, &mut streams.stream("seen"))?;
/// let mut net = Completion::<f32>::new((20, 3), Init::Gaussian, 0.01, 0.2, &streams)?;
/// let trace = net.train(&seen, &target, &Schedule { steps: 3000, ..Schedule::default() }, &Quiet)?;
/// // Depth prefers low ranks, so that entries that were not seen are right as well.
/// assert!(trace.error < 0.01);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Completion<T: Real> {
    #[serde(with = "matrices")]
    weights: Vec<Array2<T>>,
    rate: f64,
    step: usize,
    loss: f64,
    #[serde(skip)]
    scratch: Scratch<T>,
}

/// Products that every step fills anew.
#[derive(Debug, Clone, PartialEq, Default)]
struct Scratch<T: Default> {
    /// `W_1 W_2`, `W_1 W_2 W_3`, ...
    products: Vec<Array2<T>>,
    gradient: Array2<T>,
    spare: Array2<T>,
}

impl<T: Real> Completion<T> {
    /// `D` matrices of side `n`, of this scale, at a learning rate. `(n, D)` first.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for a side out of 1 to 4096, a depth out of 1 to 32, a scale or rate that is not above 0.
    pub fn new(
        (n, depth): (usize, usize),
        init: Init,
        scale: f64,
        rate: f64,
        streams: &Streams,
    ) -> Result<Self, TheoryError> {
        check_depth(depth)?;
        SettingError::check((1..=4096).contains(&n), "side", "1 to 4096", n)?;
        let fine = scale.is_finite() && scale > 0.0;
        SettingError::check(fine, "init", "a number above 0", scale)?;
        let root = |x: f64| x.powf(1.0 / depth as f64);
        let weights = (0..depth).map(|layer| {
            let mut rng = streams.indexed("weights", layer);
            let (factor, draw) = match init {
                Init::Gaussian => (root(scale) / (n as f64).sqrt(), normal(n, n, &mut rng)),
                Init::Orthogonal => (root(scale * (n as f64).sqrt()), orthogonal(n, &mut rng)),
                Init::Identity => (root(scale), Array2::eye(n)),
            };
            draw.mapv(|v| T::of(factor * v))
        });
        Self::from_weights(weights.collect(), rate)
    }

    /// A network of given weights, all `[n, n]`.
    ///
    /// # Errors
    /// [`TheoryError`]: no matrix, one of another size, a rate that is not above 0.
    pub fn from_weights(weights: Vec<Array2<T>>, rate: f64) -> Result<Self, TheoryError> {
        check_depth(weights.len())?;
        let fine = rate.is_finite() && rate > 0.0;
        SettingError::check(fine, "rate", "a number above 0", rate)?;
        let expected = weights[0].nrows();
        for w in &weights {
            for found in [w.nrows(), w.ncols()] {
                if found != expected {
                    let what = "side of a weight matrix";
                    return Err(TheoryError::Shape {
                        what,
                        expected,
                        found,
                    });
                }
            }
        }
        let standard = |w: Array2<T>| w.as_standard_layout().into_owned();
        Ok(Self {
            weights: weights.into_iter().map(standard).collect(),
            rate,
            step: 0,
            loss: f64::NAN,
            scratch: Scratch::default(),
        })
    }

    /// A balanced network whose product is `u diag(s) v'`, with random bases between its matrices.
    ///
    /// # Errors
    /// As [`Completion::from_weights`]; [`TheoryError::Shape`] where vectors and values differ in number.
    pub fn balanced(
        (u, s, v): (&Array2<f64>, &[f64], &Array2<f64>),
        depth: usize,
        rate: f64,
        streams: &Streams,
    ) -> Result<Self, TheoryError> {
        check_depth(depth)?;
        let n = s.len();
        for found in [u.nrows(), u.ncols(), v.nrows(), v.ncols()] {
            if found != n {
                let what = "side of the singular vectors";
                return Err(TheoryError::Shape {
                    what,
                    expected: n,
                    found,
                });
            }
        }
        let root: Vec<f64> = s.iter().map(|s| s.powf(1.0 / depth as f64)).collect();
        let mut left = u.clone();
        let mut weights = Vec::new();
        for layer in 0..depth {
            let right = if layer + 1 == depth {
                v.clone()
            } else {
                orthogonal(n, &mut streams.indexed("basis", layer))
            };
            let scaled = Array2::from_shape_fn((n, n), |(i, j)| left[[i, j]] * root[j]);
            weights.push(product(Side::Plain(&scaled), Side::Turned(&right)).mapv(T::of));
            left = right;
        }
        Self::from_weights(weights, rate)
    }

    /// Rows and columns of the matrix.
    #[must_use]
    pub fn side(&self) -> usize {
        self.weights[0].nrows()
    }

    /// The learning rate.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Steps done.
    #[must_use]
    pub fn n_steps(&self) -> usize {
        self.step
    }

    /// The loss before the latest step; not a number before the first.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The weight matrices.
    #[must_use]
    pub fn weights(&self) -> &[Array2<T>] {
        &self.weights
    }

    /// The matrix that the weights make, `[n, n]`.
    #[must_use]
    pub fn matrix(&self) -> Array2<T> {
        let mut all = self.weights[1..].iter();
        let first = self.weights[0].clone();
        all.try_fold(first, |left, w| {
            Some(product(Side::Plain(&left), Side::Plain(w)))
        })
        .unwrap_or_default()
    }

    /// The gradient of the loss by the product: `(P - M) / n` where seen, else 0.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] where values and entries differ in number or sides differ.
    pub fn gradient(&self, seen: &Observed, values: &[T]) -> Result<Array2<T>, TheoryError> {
        self.check(seen, values)?;
        let matrix = self.matrix();
        let mut gradient = Array2::zeros(matrix.dim());
        let share = T::of(1.0 / values.len() as f64);
        for (&(i, j), value) in seen.entries().iter().zip(values) {
            gradient[[i, j]] = (matrix[[i, j]] - *value) * share;
        }
        Ok(gradient)
    }

    fn check(&self, seen: &Observed, values: &[T]) -> Result<(), TheoryError> {
        let shape = |what, expected, found| TheoryError::Shape {
            what,
            expected,
            found,
        };
        if seen.side() != self.side() {
            return Err(shape("side of the matrix", self.side(), seen.side()));
        }
        if seen.entries().len() != values.len() {
            return Err(shape("values seen", seen.entries().len(), values.len()));
        }
        Ok(())
    }

    /// One step of gradient descent on the entries seen.
    ///
    /// # Errors
    /// [`TheoryError::Shape`]; [`TheoryError::Diverged`] where the loss is no longer finite.
    pub fn descend(&mut self, seen: &Observed, values: &[T]) -> Result<(), TheoryError> {
        self.check(seen, values)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let moved = self.step_with(&mut scratch, seen, values);
        self.scratch = scratch;
        moved
    }

    fn step_with(
        &mut self,
        scratch: &mut Scratch<T>,
        seen: &Observed,
        values: &[T],
    ) -> Result<(), TheoryError> {
        let (n, depth) = (self.side(), self.weights.len());
        if scratch.gradient.nrows() != n || scratch.products.len() + 1 != depth {
            *scratch = Scratch {
                products: vec![Array2::zeros((n, n)); depth - 1],
                gradient: Array2::zeros((n, n)),
                spare: Array2::zeros((n, n)),
            };
        }
        let one = T::one();
        for k in 1..depth {
            let (before, from) = scratch.products.split_at_mut(k - 1);
            let left = before.last().unwrap_or(&self.weights[0]);
            multiply(
                &mut from[0],
                false,
                one,
                Side::Plain(left),
                Side::Plain(&self.weights[k]),
            );
        }
        let matrix = scratch.products.last().unwrap_or(&self.weights[0]);
        scratch.gradient.fill(T::zero());
        let share = T::of(1.0 / values.len() as f64);
        let mut sum = 0.0;
        for (&(i, j), value) in seen.entries().iter().zip(values) {
            let error = matrix[[i, j]] - *value;
            sum += error.wide() * error.wide();
            scratch.gradient[[i, j]] = error * share;
        }
        self.loss = 0.5 * sum / values.len() as f64;
        if !self.loss.is_finite() {
            let (quantity, step) = ("the loss", self.step);
            return Err(TheoryError::Diverged { quantity, step });
        }
        let back = T::of(-self.rate);
        for k in (1..depth).rev() {
            let error = Side::Plain(&scratch.gradient);
            let next = Side::Turned(&self.weights[k]);
            multiply(&mut scratch.spare, false, one, error, next);
            let mut changed = std::mem::take(&mut self.weights[k]);
            let left = if k == 1 {
                &self.weights[0]
            } else {
                &scratch.products[k - 2]
            };
            multiply(&mut changed, true, back, Side::Turned(left), error);
            self.weights[k] = changed;
            std::mem::swap(&mut scratch.gradient, &mut scratch.spare);
        }
        self.weights[0].scaled_add(back, &scratch.gradient);
        self.step += 1;
        Ok(())
    }
}
