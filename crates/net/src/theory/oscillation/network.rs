//! One bank of filters over all patches (card 55, B).

use chiasm_core::{SettingError, Streams, vectorized};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::compare::Dynamics;
use super::super::error::TheoryError;
use super::patches::Patches;
use crate::continual::arrays::matrix;

/// What a filter makes of its projection on a patch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rectifier {
    /// `max(z, 0)^2`.
    #[default]
    Squared,
    /// `z^2`: no filter dies.
    Quadratic,
    /// `max(z, 0)`.
    Plain,
}

impl Rectifier {
    #[inline(always)]
    fn value(self, z: f64) -> f64 {
        match self {
            Self::Squared => z.max(0.0) * z.max(0.0),
            Self::Quadratic => z * z,
            Self::Plain => z.max(0.0),
        }
    }

    #[inline(always)]
    fn slope(self, z: f64) -> f64 {
        match self {
            Self::Squared => 2.0 * z.max(0.0),
            Self::Quadratic => 2.0 * z,
            Self::Plain => f64::from(u8::from(z > 0.0)),
        }
    }
}

/// `f(x) = sum_j sum_r (j / m) sum_p s(<w_jr, x_p>)`, `j` of 1 and -1, `m` filters of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// `[filter, dimension]`: the `m` positive ones first.
    #[serde(with = "matrix")]
    weights: Array2<f64>,
    /// What each filter adds to the output: 1/m or -1/m unless trained.
    output: Vec<f64>,
    /// What filters make of their projections.
    pub rectifier: Rectifier,
    /// Whether the output weights are trained as well.
    pub train_output: bool,
}

/// Projections of one sample, kept between forward and backward.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    /// `[filter][patch]`.
    z: Vec<f64>,
    /// Output weights as they were.
    a: Vec<f64>,
    /// The output.
    pub(super) f: f64,
    /// Whether any filter has a slope on any patch.
    pub(super) alive: bool,
}

/// The sum of products, in an order that the length alone decides.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (mut p, mut q) = (a.chunks_exact(8), b.chunks_exact(8));
    for (x, y) in p.by_ref().zip(q.by_ref()) {
        for i in 0..8 {
            lanes[i] += x[i] * y[i];
        }
    }
    let pairs = p.remainder().iter().zip(q.remainder());
    let rest: f64 = pairs.map(|(x, y)| x * y).sum();
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest
}

impl Network {
    /// `m` filters of either sign on patches of a dimension, normal of a deviation.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for no filter, no dimension or a deviation that is not above 0.
    pub fn draw(
        m: usize,
        dimension: usize,
        deviation: f64,
        streams: &Streams,
    ) -> Result<Self, TheoryError> {
        let fine = deviation.is_finite() && deviation > 0.0;
        SettingError::check(fine, "init", "a number above 0", deviation)?;
        let mut rng = streams.stream("filters");
        let weights = Array2::from_shape_simple_fn((2 * m, dimension), || {
            let draw: f64 = StandardNormal.sample(&mut rng);
            deviation * draw
        });
        Self::from_filters(weights)
    }

    /// These filters `[filter, dimension]`: the first half adds to the output, the second takes away.
    ///
    /// # Errors
    /// [`TheoryError`]: none, an odd number, no dimension, a value that is not finite.
    pub fn from_filters(weights: Array2<f64>) -> Result<Self, TheoryError> {
        let (n, d) = weights.dim();
        let fine = (2..=1 << 16).contains(&n) && n % 2 == 0;
        SettingError::check(fine, "filters", "as many of either sign, 1 to 32768", n)?;
        SettingError::check(d > 0, "dimension", "1 or more", d)?;
        super::super::matrix::finite("filters", &weights)?;
        let m = n / 2;
        let share = 1.0 / m as f64;
        Ok(Self {
            weights: weights.as_standard_layout().into_owned(),
            output: (0..n).map(|r| if r < m { share } else { -share }).collect(),
            rectifier: Rectifier::Squared,
            train_output: false,
        })
    }

    /// Filters of either sign.
    #[must_use]
    pub fn m(&self) -> usize {
        self.output.len() / 2
    }

    /// Dimensions of a patch.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.weights.ncols()
    }

    /// Filters `[filter, dimension]`, the positive ones first.
    #[must_use]
    pub fn filters(&self) -> &Array2<f64> {
        &self.weights
    }

    /// What each filter adds to the output.
    #[must_use]
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    fn weights(&self) -> &[f64] {
        self.weights.as_slice().unwrap_or(&[])
    }

    /// The largest projection of a sign's filters (`true`: positive ones) on a direction times that sign.
    #[must_use]
    pub fn projection(&self, positive: bool, direction: &[f64]) -> f64 {
        let (m, d) = (self.m(), self.dimension());
        let (from, sign) = if positive { (0, 1.0) } else { (m, -1.0) };
        let rows = self.weights()[from * d..(from + m) * d].chunks_exact(d);
        let each = rows.map(|w| sign * dot(w, direction));
        each.fold(f64::NEG_INFINITY, f64::max)
    }

    /// The largest projection of any filter on a direction.
    #[must_use]
    pub fn largest_projection(&self, direction: &[f64]) -> f64 {
        let rows = self.weights().chunks_exact(self.dimension());
        let each = rows.map(|w| dot(w, direction));
        each.fold(f64::NEG_INFINITY, f64::max)
    }

    /// Projections and output of a sample, its patches one after the other.
    #[inline(always)]
    fn forward(&self, x: &[f64], pass: &mut Pass) {
        let d = self.dimension();
        pass.z.clear();
        pass.a.clone_from(&self.output);
        let (mut f, mut alive) = (0.0, false);
        for (w, a) in self.weights().chunks_exact(d).zip(&self.output) {
            let mut sum = 0.0;
            for patch in x.chunks_exact(d) {
                let z = dot(w, patch);
                pass.z.push(z);
                sum += self.rectifier.value(z);
                alive |= self.rectifier.slope(z) != 0.0;
            }
            f += a * sum;
        }
        (pass.f, pass.alive) = (f, alive);
    }

    /// The output for a sample of a set, `[patch, dimension]` one after the other.
    pub(super) fn evaluate(&self, x: &[f64], pass: &mut Pass) {
        vectorized(
            #[inline(always)]
            || self.forward(x, pass),
        );
    }

    /// Moves against the gradient of `(f - y)^2`, times `eta`, of a sample that was just evaluated.
    pub(super) fn descend(&mut self, x: &[f64], y: f64, eta: f64, pass: &Pass) {
        let d = self.dimension();
        let patches = x.len() / d;
        let pull = -2.0 * eta * (pass.f - y);
        let (rectifier, trains) = (self.rectifier, self.train_output);
        let output = &mut self.output;
        let Some(weights) = self.weights.as_slice_mut() else {
            return;
        };
        vectorized(
            #[inline(always)]
            || {
                let rows = weights.chunks_exact_mut(d).zip(output.iter_mut());
                let was = pass.a.iter().zip(pass.z.chunks_exact(patches));
                for ((w, a), (before, z)) in rows.zip(was) {
                    let mut sum = 0.0;
                    for (z, patch) in z.iter().zip(x.chunks_exact(d)) {
                        let c = pull * before * rectifier.slope(*z);
                        if c != 0.0 {
                            for (w, x) in w.iter_mut().zip(patch) {
                                *w += c * x;
                            }
                        }
                        sum += rectifier.value(*z);
                    }
                    if trains {
                        *a += pull * sum;
                    }
                }
            },
        );
    }

    /// Outputs for every sample.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] for patches of another dimension.
    pub fn outputs(&self, samples: &Patches) -> Result<Vec<f64>, TheoryError> {
        self.check(samples)?;
        let mut pass = Pass::default();
        let each = (0..samples.len()).map(|i| {
            self.evaluate(samples.sample(i), &mut pass);
            pass.f
        });
        Ok(each.collect())
    }

    /// Part of the samples whose output has the sign of the label. An output of 0 has none.
    ///
    /// # Errors
    /// As [`Network::outputs`].
    pub fn accuracy(&self, samples: &Patches) -> Result<f64, TheoryError> {
        let found = self.outputs(samples)?;
        let pairs = found.iter().zip(samples.labels());
        let right = pairs.filter(|(f, y)| *f * *y > 0.0).count();
        Ok(right as f64 / samples.len() as f64)
    }

    pub(super) fn check(&self, samples: &Patches) -> Result<(), TheoryError> {
        let (expected, found) = (self.dimension(), samples.dimension());
        if expected == found {
            Ok(())
        } else {
            Err(TheoryError::Shape {
                what: "dimensions of a patch",
                expected,
                found,
            })
        }
    }
}

/// A network that sees one sample again and again. Reads out `y f`.
#[derive(Debug, Clone)]
pub struct OneSample {
    network: Network,
    samples: Patches,
    eta: f64,
    pass: Pass,
    step: usize,
}

impl OneSample {
    /// On the first sample of a set, at a step `eta`.
    ///
    /// # Errors
    /// [`TheoryError`]: patches of another dimension, a step that is not above 0.
    pub fn new(network: Network, samples: Patches, eta: f64) -> Result<Self, TheoryError> {
        network.check(&samples)?;
        SettingError::check(eta.is_finite() && eta > 0.0, "eta", "a number above 0", eta)?;
        let mut pass = Pass::default();
        network.evaluate(samples.sample(0), &mut pass);
        Ok(Self {
            network,
            samples,
            eta,
            pass,
            step: 0,
        })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }
}

impl Dynamics for OneSample {
    fn step(&mut self) -> Result<(), TheoryError> {
        if !self.pass.alive {
            return Err(TheoryError::Dead { step: self.step });
        }
        let (x, y) = (self.samples.sample(0), self.samples.labels()[0]);
        self.network.descend(x, y, self.eta, &self.pass);
        self.network.evaluate(x, &mut self.pass);
        if !self.pass.f.is_finite() {
            let (quantity, step) = ("the output", self.step);
            return Err(TheoryError::Diverged { quantity, step });
        }
        self.step += 1;
        Ok(())
    }

    fn readout(&self) -> Vec<f64> {
        vec![self.samples.labels()[0] * self.pass.f]
    }
}
