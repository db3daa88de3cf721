//! The lateral circuit of one layer.

use chiasm_core::{Rng, SettingError};
use ndarray::{Array2, ArrayView2, azip, s};
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::continual::ContinualError;
use crate::continual::arrays::{accumulate, matrix, not_finite, product};

/// What lateral neurons send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Their input `y`.
    #[default]
    Linear,
    /// Signed spikes: `y` clipped at `scale` and rounded to one of `steps` rates of either sign.
    Spiking {
        /// The value of the highest rate (code: 20).
        scale: f64,
        /// Time steps in which spikes are counted (code: 1000; 40 in its runs).
        steps: u32,
    },
}

impl Code {
    fn apply<T: Real>(self, y: &mut Array2<T>) {
        if let Self::Spiking { scale, steps } = self {
            let (scale, per) = (T::of(scale), T::of(f64::from(steps) / scale));
            let worth = T::one() / per;
            // Written so that NaN stays NaN.
            y.mapv_inplace(|v| (limited(v, scale) * per).round() * worth);
        }
    }
}

/// How a block of rows begins. Its rows are random and orthonormal among themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Birth {
    /// Orthogonal to all finished rows, too.
    #[default]
    Orthogonal,
    /// In any direction, as in the authors' code.
    Anywhere,
}

/// The learning rule of the lateral synapses: with `y = x H'` and `x^ = y H` over all rows, the rows that are not finished
/// change by `M = momentum M + (1 - momentum) clip(y'(x - x^) / B)`, `H += rate M`. Defaults are those of the authors' code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hebb {
    /// The rate: small where inputs are large, 0.001 for 784 standardized pixels.
    pub rate: f64,
    /// Momentum of the change.
    pub momentum: f64,
    /// Largest change of a synapse before momentum and rate.
    pub clip: f64,
    /// Changes for each batch.
    pub iterations: usize,
    /// Whether the reconstruction `x^` is subtracted, the anti-Hebbian half.
    pub anti: bool,
    /// What the lateral neurons send.
    pub code: Code,
}

impl Default for Hebb {
    fn default() -> Self {
        Self {
            rate: 0.01,
            momentum: 0.9,
            clip: 10.0,
            iterations: 5,
            anti: true,
            code: Code::Linear,
        }
    }
}

impl Hebb {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let fine = self.rate.is_finite() && self.rate >= 0.0;
        SettingError::check(fine, "rate", "0 or more", self.rate)?;
        let fine = (0.0..1.0).contains(&self.momentum);
        SettingError::check(fine, "momentum", "0 or more, below 1", self.momentum)?;
        SettingError::check(self.clip > 0.0, "clip", "above 0", self.clip)?;
        let n = self.iterations;
        SettingError::check(n <= 1000, "iterations", "at most 1000", n)?;
        if let Code::Spiking { scale, steps } = self.code {
            let fine = scale.is_finite() && scale > 0.0;
            SettingError::check(fine, "code.spiking.scale", "above 0", scale)?;
            SettingError::check(steps > 0, "code.spiking.steps", "at least 1", steps)?;
        }
        Ok(())
    }
}

/// Rows `H` `[row, column]` over the inputs of a layer: finished ones, which no longer change, and a block that learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Subspace<T> {
    #[serde(with = "matrix")]
    finished: Array2<T>,
    #[serde(with = "matrix")]
    block: Array2<T>,
    #[serde(with = "matrix")]
    change: Array2<T>,
}

impl<T: Real> Subspace<T> {
    /// No rows yet, over `dimension` inputs.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        let none = Array2::zeros((0, dimension));
        Self {
            finished: none.clone(),
            block: none.clone(),
            change: none,
        }
    }

    /// Finished rows that span what the rows of `x` `[sample, column]` span, in the order in which they add directions: one
    /// that adds to the others less than a hundred times the rounding of its length is left out.
    ///
    /// # Errors
    /// [`ContinualError::NotFinite`].
    pub fn spanning(x: ArrayView2<'_, T>) -> Result<Self, ContinualError> {
        refuse_not_finite("rows", x)?;
        let mut found = Self::new(x.ncols());
        let none = Array2::zeros((0, x.ncols()));
        let spanning = orthonormalized(&none, x, 100.0 * T::epsilon().wide());
        found.finished = spanning.mapv(T::of);
        Ok(found)
    }

    /// Inputs of the layer.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.finished.ncols()
    }

    /// Finished rows, `[row, column]`.
    #[must_use]
    pub fn finished(&self) -> ArrayView2<'_, T> {
        self.finished.view()
    }

    /// The block that learns, `[row, column]`.
    #[must_use]
    pub fn block(&self) -> ArrayView2<'_, T> {
        self.block.view()
    }

    /// Rows, finished or not. The circuit's memory is this many times [`Self::dimension`] numbers, and as many again for the
    /// momentum of the block.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.finished.nrows() + self.block.nrows()
    }

    /// Adds `k` random rows to the block that learns.
    ///
    /// # Errors
    /// [`ContinualError::Capacity`] for more rows than dimensions.
    pub fn add_block(
        &mut self,
        k: usize,
        birth: Birth,
        rng: &mut Rng,
    ) -> Result<(), ContinualError> {
        let (held, n) = (self.n_rows(), self.dimension());
        if k > n - held.min(n) {
            return Err(ContinualError::Capacity {
                dimension: n,
                held,
                asked: k,
            });
        }
        let none = Array2::zeros((0, n));
        let before = match birth {
            // The finished rows have learned apart from each other and need not be orthonormal.
            Birth::Orthogonal => orthonormalized(&none, self.finished.view(), 1e-6),
            Birth::Anywhere => none,
        };
        let before = orthonormalized(&before, self.block.view(), 1e-6);
        let draws: Array2<f64> =
            Array2::from_shape_simple_fn((k, n), || StandardNormal.sample(rng));
        let all = orthonormalized(&before, draws.view(), 0.0);
        let born = all.slice(s![before.nrows().., ..]).mapv(T::of);
        self.block = stacked(self.block.view(), born.view());
        self.change = Array2::zeros(self.block.dim());
        Ok(())
    }

    /// The block learns from inputs `x` `[sample, column]`; finished rows take part in `y` and `x^` and stay as they are.
    ///
    /// # Errors
    /// A setting out of range; no block; another number of columns; an input that is not finite.
    pub fn learn(&mut self, x: ArrayView2<'_, T>, hebb: &Hebb) -> Result<(), ContinualError> {
        hebb.validate()?;
        self.accept(x)?;
        let rest = self.rest(x, hebb.code);
        self.learn_rest(x, &rest, hebb)
    }

    /// As [`Self::learn`], from `rest = x - x^` of the finished rows, which is the same in all iterations.
    pub(super) fn learn_rest(
        &mut self,
        x: ArrayView2<'_, T>,
        rest: &Array2<T>,
        hebb: &Hebb,
    ) -> Result<(), ContinualError> {
        if self.block.nrows() == 0 {
            return Err(ContinualError::NoBlock);
        }
        let (keep, add) = (T::of(hebb.momentum), T::of(1.0 - hebb.momentum));
        let (rate, clip) = (T::of(hebb.rate), T::of(hebb.clip));
        let per_sample = T::one() / T::of(x.nrows().max(1) as f64);
        for _ in 0..hebb.iterations {
            let mut y = product(x, self.block.t());
            hebb.code.apply(&mut y);
            let mut error = if hebb.anti {
                rest.clone()
            } else {
                x.to_owned()
            };
            if hebb.anti {
                accumulate(-T::one(), y.view(), self.block.view(), &mut error);
            }
            let change = product(y.t(), error.view());
            azip!((m in &mut self.change, h in &mut self.block, d in &change) {
                *m = keep * *m + add * limited(*d * per_sample, clip);
                *h += rate * *m;
            });
        }
        Ok(())
    }

    /// The block is finished: it no longer changes, and what later tasks do is kept orthogonal to it.
    pub fn finish_block(&mut self) {
        let none = Array2::zeros((0, self.dimension()));
        self.finished = stacked(self.finished.view(), self.block.view());
        self.block = none.clone();
        self.change = none;
    }

    /// What of `x` `[sample, column]` the finished rows do not span, `x - x H'H`: exact where they are orthonormal, of which
    /// [`Self::from_orthonormal`] tells.
    ///
    /// # Errors
    /// [`ContinualError::NothingKept`] without a finished row; another number of columns; an input that is not finite.
    pub fn project(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, ContinualError> {
        self.project_coded(x, Code::Linear)
    }

    /// As [`Self::project`], by lateral neurons that send `code`.
    ///
    /// # Errors
    /// As [`Self::project`].
    pub fn project_coded(
        &self,
        x: ArrayView2<'_, T>,
        code: Code,
    ) -> Result<Array2<T>, ContinualError> {
        if self.finished.nrows() == 0 {
            return Err(ContinualError::NothingKept);
        }
        self.accept(x)?;
        Ok(self.rest(x, code))
    }

    /// `x - x^` of the finished rows; `x` itself where there is none.
    pub(super) fn rest(&self, x: ArrayView2<'_, T>, code: Code) -> Array2<T> {
        let mut rest = x.to_owned();
        if self.finished.nrows() > 0 {
            let mut y = product(x, self.finished.t());
            code.apply(&mut y);
            accumulate(-T::one(), y.view(), self.finished.view(), &mut rest);
        }
        rest
    }

    /// The part of the squared length of `x` that all rows together reconstruct, 1 where nothing is left. Below 0 where rows
    /// are far from orthonormal; 0 of inputs that are all 0.
    ///
    /// # Errors
    /// Another number of columns; an input that is not finite.
    pub fn explained(&self, x: ArrayView2<'_, T>) -> Result<f64, ContinualError> {
        self.accept(x)?;
        let rows = self.rows();
        let mut rest = x.to_owned();
        accumulate(
            -T::one(),
            product(x, rows.t()).view(),
            rows.view(),
            &mut rest,
        );
        let squares = |x: ArrayView2<'_, T>| x.iter().map(|v| v.wide().powi(2)).sum::<f64>();
        let all = squares(x);
        Ok(if all > 0.0 {
            1.0 - squares(rest.view()) / all
        } else {
            0.0
        })
    }

    /// `|HH' - I|` (Frobenius) over all rows: 0 where they are orthonormal and the projection is one.
    #[must_use]
    pub fn from_orthonormal(&self) -> f64 {
        let rows = self.rows();
        let gram = product(rows.view(), rows.t());
        let of =
            |((i, j), v): ((usize, usize), &T)| (v.wide() - f64::from(u8::from(i == j))).powi(2);
        gram.indexed_iter().map(of).sum::<f64>().sqrt()
    }

    /// All rows, finished ones first.
    #[must_use]
    pub fn rows(&self) -> Array2<T> {
        stacked(self.finished.view(), self.block.view())
    }

    fn accept(&self, x: ArrayView2<'_, T>) -> Result<(), ContinualError> {
        if x.ncols() != self.dimension() {
            let (expected, found) = (self.dimension(), x.ncols());
            return Err(ContinualError::shape("inputs, columns", expected, found));
        }
        refuse_not_finite("inputs", x)
    }
}

fn refuse_not_finite<T: Real>(
    what: &'static str,
    x: ArrayView2<'_, T>,
) -> Result<(), ContinualError> {
    not_finite(x).map_or(Ok(()), |(sample, column, found)| {
        Err(ContinualError::NotFinite {
            what,
            sample,
            column,
            found,
        })
    })
}

fn stacked<T: Real>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    let mut all = Array2::zeros((a.nrows() + b.nrows(), a.ncols()));
    all.slice_mut(s![..a.nrows(), ..]).assign(&a);
    all.slice_mut(s![a.nrows().., ..]).assign(&b);
    all
}

/// `v` within `-most` to `most`; NaN stays NaN.
fn limited<T: Real>(v: T, most: T) -> T {
    if v > most {
        most
    } else if v < -most {
        -most
    } else {
        v
    }
}

/// The orthonormal rows `basis`, and after them for each of `rows` what it adds, at length 1; rows that add no more than
/// `least` of their length are left out. Modified Gram-Schmidt, twice, which is enough for rounding (Giraud et al. 2005), in
/// double precision: a row that is too long by a rounding of `f32` lets a long training drift along it.
fn orthonormalized<T: Real>(
    basis: &Array2<f64>,
    rows: ArrayView2<'_, T>,
    least: f64,
) -> Array2<f64> {
    let (held, n) = basis.dim();
    let mut all = Array2::zeros((held + rows.nrows(), n));
    all.slice_mut(s![..held, ..]).assign(basis);
    let mut k = held;
    for row in rows.rows() {
        let mut row = row.mapv(T::wide);
        let length = row.dot(&row).sqrt();
        for _ in 0..2 {
            let before = all.slice(s![..k, ..]);
            let along = before.dot(&row);
            row -= &along.dot(&before);
        }
        let left = row.dot(&row).sqrt();
        if left > least * length && k < n {
            all.row_mut(k).assign(&(row / left));
            k += 1;
        }
    }
    all.slice(s![..k, ..]).to_owned()
}
