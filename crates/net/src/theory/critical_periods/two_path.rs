//! Two pathways of weight matrices, trained by gradient descent (card 24, A).

use chiasm_core::{SettingError, Streams};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::compare::Dynamics;
use super::super::error::TheoryError;
use super::super::matrix::{Side, multiply, orthogonal, product};
use super::deficit::Deficit;
use super::reduced::{check_depth, check_rate};
use super::task::Task;

/// What follows each layer of a pathway, its last one too (code).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing: linear.
    #[default]
    Linear,
    /// The hyperbolic tangent.
    Tanh,
    /// `max(0, x)`.
    Relu,
}

impl Activation {
    fn apply(self, x: &mut Array2<f64>) {
        match self {
            Self::Linear => {}
            Self::Tanh => x.mapv_inplace(f64::tanh),
            Self::Relu => x.mapv_inplace(|v| v.max(0.0)),
        }
    }

    /// Multiplies an error by the slope, which the activation's value gives away.
    fn back(self, error: &mut Array2<f64>, value: &Array2<f64>) {
        match self {
            Self::Linear => {}
            Self::Tanh => error.zip_mut_with(value, |e, v| *e *= 1.0 - v * v),
            Self::Relu => error.zip_mut_with(value, |e, v| {
                if *v <= 0.0 {
                    *e = 0.0;
                }
            }),
        }
    }
}

/// Weights at the start: balanced and in the task's basis. Defaults are those of the authors' code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Start {
    /// Weight matrices of each pathway (code: 4; 3 with a nonlinearity).
    pub depth: usize,
    /// Hidden units of each layer (code: 100).
    pub width: usize,
    /// Strength of a mode (code: 0.01).
    pub strength: f64,
    /// Deviation of the strengths, relative (code: 0.1). They are sorted: stronger modes start stronger.
    pub spread: f64,
    /// What follows each layer.
    pub activation: Activation,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            depth: 4,
            width: 100,
            strength: 0.01,
            spread: 0.1,
            activation: Activation::Linear,
        }
    }
}

impl Start {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), TheoryError> {
        check_depth(self.depth)?;
        let n = self.width;
        SettingError::check((1..=1 << 12).contains(&n), "width", "1 to 4096", n)?;
        let v = self.strength;
        let fine = v.is_finite() && v > 0.0;
        SettingError::check(fine, "strength", "a number above 0", v)?;
        let v = self.spread;
        // Ten deviations away from strengths that are not above 0.
        SettingError::check((0.0..=0.2).contains(&v), "spread", "0 to 0.2", v)?;
        Ok(())
    }

    fn drawn(&self, streams: &Streams) -> Result<Vec<f64>, TheoryError> {
        self.validate()?;
        let mut rng = streams.stream("strengths");
        let mut k: Vec<f64> = (0..self.width)
            .map(|_| {
                let draw: f64 = StandardNormal.sample(&mut rng);
                self.strength * (1.0 + self.spread * draw)
            })
            .collect();
        k.sort_by(|a, b| b.total_cmp(a));
        let last = k[self.width - 1];
        SettingError::check(
            last > 0.0,
            "spread",
            "less: a strength drawn is not above 0",
            last,
        )?;
        Ok(k)
    }

    /// Strengths of the strongest modes at the start, the same in both pathways: as many as there are hidden units.
    ///
    /// # Errors
    /// [`TheoryError::Setting`].
    pub fn all_strengths(&self, streams: &Streams) -> Result<Vec<f64>, TheoryError> {
        self.drawn(streams)
    }

    /// Strengths of the eight modes of [`Task::hierarchy`] at the start.
    ///
    /// # Errors
    /// [`TheoryError::Setting`]; [`TheoryError::Shape`] with fewer than eight hidden units.
    pub fn strengths(&self, streams: &Streams) -> Result<Vec<f64>, TheoryError> {
        let mut k = self.drawn(streams)?;
        if k.len() < 8 {
            return Err(narrow(8, k.len()));
        }
        k.truncate(8);
        Ok(k)
    }
}

fn narrow(expected: usize, found: usize) -> TheoryError {
    TheoryError::Shape {
        what: "hidden units, at least as many as modes",
        expected,
        found,
    }
}

/// Two pathways, `y = f_a(x) + f_b(x)`, and the half squared error summed over outputs and samples. Reads out the strengths of
/// all modes in pathway a, then in pathway b, as they reach the output.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoPath {
    task: Task,
    /// `[pathway][layer]`, each `[to, from]`.
    weights: [Vec<Array2<f64>>; 2],
    activation: Activation,
    deficit: Deficit,
    rate: f64,
    step: usize,
    loss: f64,
}

impl TwoPath {
    /// Both pathways alike, at a learning rate, for a run of so many steps.
    ///
    /// # Errors
    /// [`TheoryError`]: settings out of range, inputs that are not white, fewer hidden units than modes, a rate that is not
    /// stable, a deficit beyond the run.
    pub fn new(
        task: &Task,
        start: &Start,
        deficit: Deficit,
        (rate, steps): (f64, usize),
        streams: &Streams,
    ) -> Result<Self, TheoryError> {
        let k = start.drawn(streams)?;
        task.require_white()?;
        let modes = task.singular_values().len();
        let (width, depth) = (start.width, start.depth);
        if width < modes {
            return Err(narrow(modes, width));
        }
        check_rate(rate, depth, task.singular_values())?;
        deficit.validate(steps, modes)?;
        let root: Vec<f64> = k.iter().map(|k| k.powf(1.0 / depth as f64)).collect();
        let basis = orthogonal(width, &mut streams.stream("basis"));
        // `a diag(root) b'` over the first modes.
        let between = |a: &Array2<f64>, b: &Array2<f64>, n: usize| {
            let scaled = Array2::from_shape_fn((a.nrows(), n), |(i, j)| a[[i, j]] * root[j]);
            let other = Array2::from_shape_fn((b.nrows(), n), |(i, j)| b[[i, j]]);
            product(Side::Plain(&scaled), Side::Turned(&other))
        };
        let layers: Vec<Array2<f64>> = (0..depth)
            .map(|layer| {
                let to = if layer + 1 == depth {
                    task.left()
                } else {
                    &basis
                };
                let from = if layer == 0 { task.right() } else { &basis };
                let inside = layer > 0 && layer + 1 < depth;
                between(to, from, if inside { width } else { modes })
            })
            .collect();
        Ok(Self {
            task: task.clone(),
            weights: [layers.clone(), layers],
            activation: start.activation,
            deficit,
            rate,
            step: 0,
            loss: f64::NAN,
        })
    }

    /// Weights of a pathway (0: a, 1: b), layer by layer, each `[to, from]`.
    #[must_use]
    pub fn weights(&self, pathway: usize) -> &[Array2<f64>] {
        &self.weights[pathway]
    }

    /// The loss before the latest step; not a number before the first.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// Values of every layer of a pathway, `[unit, sample]`.
    fn forward(&self, pathway: usize) -> Vec<Array2<f64>> {
        let mut values: Vec<Array2<f64>> = Vec::with_capacity(self.weights[pathway].len());
        for w in &self.weights[pathway] {
            let from = values.last().unwrap_or(self.task.inputs());
            let mut value = product(Side::Plain(w), Side::Plain(from));
            self.activation.apply(&mut value);
            values.push(value);
        }
        values
    }

    /// Takes the lesioned mode from outputs of pathway a, or from their errors: `(I - u u') out (I - x)` in the task's basis,
    /// where the inputs' part along the mode's right vector is taken away as well.
    fn without_mode(&self, out: &mut Array2<f64>, mode: usize) {
        let u = self.task.left().column(mode);
        // The mode over samples: with white inputs a vector of length 1.
        let over = self.task.inputs().t().dot(&self.task.right().column(mode));
        let left = out.t().dot(&u);
        for (i, mut row) in out.rows_mut().into_iter().enumerate() {
            row.scaled_add(-u[i], &left);
        }
        let right = out.dot(&over);
        for (i, mut row) in out.rows_mut().into_iter().enumerate() {
            row.scaled_add(-right[i], &over);
        }
    }

    /// A pathway's part of the output, `[output, sample]`.
    #[must_use]
    pub fn output(&self, pathway: usize) -> Array2<f64> {
        let mut out = self.forward(pathway).pop().unwrap_or_default();
        if let (0, Some(mode)) = (pathway, self.deficit.lesion) {
            self.without_mode(&mut out, mode);
        }
        out
    }

    /// Strengths of the modes in a pathway, as they reach the output.
    #[must_use]
    pub fn strengths(&self, pathway: usize) -> Vec<f64> {
        let map = product(
            Side::Plain(&self.output(pathway)),
            Side::Turned(self.task.inputs()),
        );
        self.task.strengths(&map)
    }

    /// Changes a pathway against its gradient, given the error of the output.
    fn learn(&mut self, pathway: usize, values: &[Array2<f64>], mut error: Array2<f64>) {
        for layer in (0..values.len()).rev() {
            self.activation.back(&mut error, &values[layer]);
            let before = match layer {
                0 => None,
                _ => Some(product(
                    Side::Turned(&self.weights[pathway][layer]),
                    Side::Plain(&error),
                )),
            };
            let from = match layer {
                0 => self.task.inputs(),
                _ => &values[layer - 1],
            };
            let weights = &mut self.weights[pathway][layer];
            multiply(
                weights,
                true,
                -self.rate,
                Side::Plain(&error),
                Side::Turned(from),
            );
            if let Some(before) = before {
                error = before;
            }
        }
    }
}

impl Dynamics for TwoPath {
    fn step(&mut self) -> Result<(), TheoryError> {
        let values = [self.forward(0), self.forward(1)];
        let mut a = values[0].last().cloned().unwrap_or_default();
        if let Some(mode) = self.deficit.lesion {
            self.without_mode(&mut a, mode);
        }
        let b = values[1].last().cloned().unwrap_or_default();
        let error = a + b - self.task.outputs();
        self.loss = 0.5 * error.iter().map(|e| e * e).sum::<f64>();
        if !self.loss.is_finite() {
            let (quantity, step) = ("the loss", self.step);
            return Err(TheoryError::Diverged { quantity, step });
        }
        let mut to_a = error.clone();
        if let Some(mode) = self.deficit.lesion {
            self.without_mode(&mut to_a, mode);
        }
        self.learn(0, &values[0], to_a);
        if !self.deficit.is_closed(self.step) {
            self.learn(1, &values[1], error);
        }
        self.step += 1;
        Ok(())
    }

    fn readout(&self) -> Vec<f64> {
        [self.strengths(0), self.strengths(1)].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_down_the_gradient_with_every_activation() {
        let (task, streams) = (Task::hierarchy().unwrap(), Streams::new(2));
        for activation in [Activation::Linear, Activation::Tanh, Activation::Relu] {
            let start = Start {
                depth: 3,
                width: 9,
                strength: 0.5,
                activation,
                ..Start::default()
            };
            let deficit = Deficit {
                lesion: Some(1),
                gate: None,
            };
            let rate = 1e-3;
            let before = TwoPath::new(&task, &start, deficit, (rate, 10), &streams).unwrap();
            let mut after = before.clone();
            after.step().unwrap();
            for pathway in 0..2 {
                for layer in 0..3 {
                    for (i, j) in [(0, 0), (3, 1), (7, 5)] {
                        let loss = |by: f64| {
                            let mut moved = before.clone();
                            moved.weights[pathway][layer][[i, j]] += by;
                            moved.step().unwrap();
                            moved.loss
                        };
                        let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                        let of = |net: &TwoPath| net.weights[pathway][layer][[i, j]];
                        let change = (of(&before) - of(&after)) / rate;
                        assert!(
                            (slope - change).abs() < 1e-5 * slope.abs().max(1.0),
                            "{activation:?} {pathway} {layer}: {slope} {change}"
                        );
                    }
                }
            }
        }
    }
}
