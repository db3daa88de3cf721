//! What the two pathways learn.

use ndarray::Array2;

use super::super::TheoryError;
use super::super::matrix::{Side, finite, product, svd};

/// Inputs, outputs, and the modes of their correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    x: Array2<f64>,
    y: Array2<f64>,
    u: Array2<f64>,
    s: Vec<f64>,
    v: Array2<f64>,
}

impl Task {
    /// The binary hierarchy of eight items (card 24): one property of all, two of four items each, four of two, eight of one.
    /// Singular values are the roots of 15, 7, 3, 3, 1, 1, 1 and 1.
    ///
    /// # Errors
    /// None that can be met.
    pub fn hierarchy() -> Result<Self, TheoryError> {
        let mut y = Array2::zeros((15, 8));
        let mut row = 0;
        for items in [8, 4, 2, 1] {
            for first in (0..8).step_by(items) {
                for item in first..first + items {
                    y[[row, item]] = 1.0;
                }
                row += 1;
            }
        }
        Self::new(Array2::eye(8), y)
    }

    /// Any task: inputs `x` `[input, sample]`, outputs `y` `[output, sample]`.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] where their samples differ in number or there are none; [`TheoryError::NotFinite`].
    pub fn new(x: Array2<f64>, y: Array2<f64>) -> Result<Self, TheoryError> {
        let shape = |what, expected, found| TheoryError::Shape {
            what,
            expected,
            found,
        };
        if x.ncols() != y.ncols() {
            return Err(shape("samples of the outputs", x.ncols(), y.ncols()));
        }
        for (what, n) in [
            ("inputs", x.nrows()),
            ("outputs", y.nrows()),
            ("samples", x.ncols()),
        ] {
            if n == 0 {
                return Err(shape(what, 1, 0));
            }
        }
        finite("inputs", &x)?;
        finite("outputs", &y)?;
        let (x, y) = (standard(x), standard(y));
        let found = svd(&product(Side::Plain(&y), Side::Turned(&x)), "the task", 0)?;
        Ok(Self {
            x,
            y,
            u: found.u,
            s: found.s,
            v: found.v,
        })
    }

    /// Checks that `X X'` is the identity to 1e-8, without which modes are not independent.
    ///
    /// # Errors
    /// [`TheoryError::NotWhite`] with the first entry that is not.
    pub fn require_white(&self) -> Result<(), TheoryError> {
        let moments = product(Side::Plain(&self.x), Side::Turned(&self.x));
        for ((row, column), found) in moments.indexed_iter() {
            let expected = if row == column { 1.0 } else { 0.0 };
            if (found - expected).abs() > 1e-8 {
                let found = *found;
                return Err(TheoryError::NotWhite { row, column, found });
            }
        }
        Ok(())
    }

    /// Inputs `[input, sample]`.
    #[must_use]
    pub fn inputs(&self) -> &Array2<f64> {
        &self.x
    }

    /// Outputs `[output, sample]`.
    #[must_use]
    pub fn outputs(&self) -> &Array2<f64> {
        &self.y
    }

    /// Singular values of `Y X'`, the largest first: what a mode's strengths add up to when it is learned.
    #[must_use]
    pub fn singular_values(&self) -> &[f64] {
        &self.s
    }

    /// Left singular vectors `[output, mode]`.
    #[must_use]
    pub fn left(&self) -> &Array2<f64> {
        &self.u
    }

    /// Right singular vectors `[input, mode]`.
    #[must_use]
    pub fn right(&self) -> &Array2<f64> {
        &self.v
    }

    /// Strength of every mode in an end-to-end map `[output, input]`: the diagonal of `U' map V`.
    #[must_use]
    pub fn strengths(&self, map: &Array2<f64>) -> Vec<f64> {
        let turned = product(Side::Plain(map), Side::Plain(&self.v));
        let columns = turned.columns().into_iter().zip(self.u.columns());
        columns.map(|(a, b)| a.dot(&b)).collect()
    }
}

fn standard(x: Array2<f64>) -> Array2<f64> {
    if x.is_standard_layout() {
        x
    } else {
        x.as_standard_layout().into_owned()
    }
}
