//! How singular values and vectors of a balanced deep linear network move (card 24, D; Arora et al. 2019).

use chiasm_core::Watch;
use ndarray::Array2;

use super::super::compare::{Comparison, Dynamics, side_by_side};
use super::super::error::TheoryError;
use super::super::matrix::{Side, Svd, finite, multiply, product, svd};
use super::completion::{Completion, Descent};
use super::matrices::{Observed, Target};
use super::reduced::check_depth;

/// A matrix `P = u diag(s) v'`, the product of `D` balanced matrices, and the flow that gradient descent in them follows as
/// its steps become small. No matrix but `P` itself is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    u: Array2<f64>,
    s: Vec<f64>,
    v: Array2<f64>,
    depth: usize,
    step: usize,
}

/// Velocities of the three parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Velocity {
    /// Of the left singular vectors `[n, mode]`.
    pub u: Array2<f64>,
    /// Of the singular values.
    pub s: Vec<f64>,
    /// Of the right singular vectors `[n, mode]`.
    pub v: Array2<f64>,
}

impl Flow {
    /// The flow from a square matrix.
    ///
    /// # Errors
    /// [`TheoryError`]: a depth out of 1 to 32, a matrix that is not square or not finite, singular values that are 0 or too
    /// close to each other.
    pub fn new(matrix: &Array2<f64>, depth: usize) -> Result<Self, TheoryError> {
        check_depth(depth)?;
        let (n, columns) = matrix.dim();
        if n != columns {
            return Err(TheoryError::Shape {
                what: "columns of a square matrix",
                expected: n,
                found: columns,
            });
        }
        finite("matrix", matrix)?;
        let Svd { u, s, v } = svd(matrix, "the product", 0)?;
        let flow = Self {
            u,
            s,
            v,
            depth,
            step: 0,
        };
        flow.distinct()?;
        Ok(flow)
    }

    /// Refuses values whose vectors' flow would divide by nothing.
    fn distinct(&self) -> Result<(), TheoryError> {
        let s = &self.s;
        let close = |first: usize| {
            let next = s.get(first + 1).copied();
            let apart = next.map_or(s[first], |next| s[first] - next);
            apart <= 1e-13 * s[0].max(f64::MIN_POSITIVE)
        };
        match (0..s.len()).find(|i| close(*i)) {
            None => Ok(()),
            Some(first) => Err(TheoryError::Degenerate {
                first,
                second: (first + 1).min(s.len() - 1),
                value: s[first],
            }),
        }
    }

    /// Singular values, the largest first.
    #[must_use]
    pub fn singular_values(&self) -> &[f64] {
        &self.s
    }

    /// Left singular vectors `[n, mode]`.
    #[must_use]
    pub fn left(&self) -> &Array2<f64> {
        &self.u
    }

    /// Right singular vectors `[n, mode]`.
    #[must_use]
    pub fn right(&self) -> &Array2<f64> {
        &self.v
    }

    /// The matrix.
    #[must_use]
    pub fn matrix(&self) -> Array2<f64> {
        product(
            Side::Plain(&self.scaled(&self.u, &self.s)),
            Side::Turned(&self.v),
        )
    }

    /// `x diag(values)`.
    fn scaled(&self, x: &Array2<f64>, values: &[f64]) -> Array2<f64> {
        Array2::from_shape_fn(x.dim(), |(i, j)| x[[i, j]] * values[j])
    }

    /// Velocities for a gradient of the loss by the matrix:
    /// `ds/dt = -D s^(2-2/D) u'G v`, `du/dt = -u (F o [u'Gv s + s v'G'u])`, `dv/dt = -v (F o [s u'Gv + v'G'u s])`,
    /// `F_ij = 1 / (s_j^(2/D) - s_i^(2/D))`, 0 on the diagonal. The parts outside the spans of `u` and `v` vanish for square
    /// matrices.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] where the gradient is no `[n, n]`.
    pub fn velocity(&self, gradient: &Array2<f64>) -> Result<Velocity, TheoryError> {
        let n = self.s.len();
        for found in [gradient.nrows(), gradient.ncols()] {
            if found != n {
                let what = "side of the gradient";
                return Err(TheoryError::Shape {
                    what,
                    expected: n,
                    found,
                });
            }
        }
        let d = self.depth as f64;
        let turned = product(Side::Plain(gradient), Side::Plain(&self.v));
        let g = product(Side::Turned(&self.u), Side::Plain(&turned));
        let power: Vec<f64> = self.s.iter().map(|s| s.powf(2.0 / d)).collect();
        let s = &self.s;
        let part = |i: usize, j: usize, sum: f64| {
            if i == j {
                0.0
            } else {
                sum / (power[j] - power[i])
            }
        };
        let a = Array2::from_shape_fn((n, n), |(i, j)| {
            part(i, j, g[[i, j]] * s[j] + s[i] * g[[j, i]])
        });
        let b = Array2::from_shape_fn((n, n), |(i, j)| {
            part(i, j, s[i] * g[[i, j]] + g[[j, i]] * s[j])
        });
        let mut u = Array2::zeros((n, n));
        multiply(&mut u, false, -1.0, Side::Plain(&self.u), Side::Plain(&a));
        let mut v = Array2::zeros((n, n));
        multiply(&mut v, false, -1.0, Side::Plain(&self.v), Side::Plain(&b));
        let speed = |i: usize| -d * s[i].powf(2.0 - 2.0 / d) * g[[i, i]];
        Ok(Velocity {
            u,
            s: (0..n).map(speed).collect(),
            v,
        })
    }

    /// One step of Euler's method in the matrix, decomposed anew.
    ///
    /// # Errors
    /// As [`Flow::velocity`]; [`TheoryError::Decomposition`]; [`TheoryError::Degenerate`] where values have met.
    pub fn advance(&mut self, gradient: &Array2<f64>, step: f64) -> Result<(), TheoryError> {
        let speed = self.velocity(gradient)?;
        let mut matrix = self.matrix();
        for (left, right) in [
            (self.scaled(&speed.u, &self.s), &self.v),
            (self.scaled(&self.u, &speed.s), &self.v),
            (self.scaled(&self.u, &self.s), &speed.v),
        ] {
            multiply(
                &mut matrix,
                true,
                step,
                Side::Plain(&left),
                Side::Turned(right),
            );
        }
        Svd {
            u: self.u,
            s: self.s,
            v: self.v,
        } = svd(&matrix, "the product", self.step)?;
        self.step += 1;
        self.distinct()
    }

    /// This flow beside gradient descent in balanced matrices from the same product, on what is seen of a target: the largest
    /// singular values, noted every `every` of `steps` steps of the network's rate. Both go on from where they are.
    ///
    /// # Errors
    /// Those of both.
    pub fn beside(
        &mut self,
        network: &mut Completion<f64>,
        (seen, target): (&Observed, &Target),
        n_values: usize,
        (steps, every): (usize, usize),
        watch: &dyn Watch,
    ) -> Result<Comparison, TheoryError> {
        let values: Vec<f64> = seen.of(target)?;
        let mut theory = Followed {
            flow: self,
            seen,
            values: &values,
            rate: network.rate(),
            n_values,
        };
        let mut simulation = Descent {
            network,
            seen,
            values: &values,
            n_values,
        };
        side_by_side(&mut theory, &mut simulation, (steps, every), watch)
    }
}

/// A flow with what drives it.
struct Followed<'a> {
    flow: &'a mut Flow,
    seen: &'a Observed,
    values: &'a [f64],
    rate: f64,
    n_values: usize,
}

impl Dynamics for Followed<'_> {
    fn step(&mut self) -> Result<(), TheoryError> {
        let matrix = self.flow.matrix();
        let mut gradient = Array2::zeros(matrix.dim());
        let share = 1.0 / self.values.len() as f64;
        for (&(i, j), value) in self.seen.entries().iter().zip(self.values) {
            gradient[[i, j]] = (matrix[[i, j]] - value) * share;
        }
        self.flow.advance(&gradient, self.rate)
    }

    fn readout(&self) -> Vec<f64> {
        let values = self.flow.s.iter().take(self.n_values);
        values.copied().collect()
    }
}
