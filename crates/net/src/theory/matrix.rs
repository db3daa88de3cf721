//! Products and decompositions of matrices, one thread each.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::Array2;

use super::TheoryError;
use crate::Real;

/// A matrix in standard order, as it is or transposed.
#[derive(Clone, Copy)]
pub(super) enum Side<'a, T> {
    Plain(&'a Array2<T>),
    Turned(&'a Array2<T>),
}

impl<T: Real> Side<'_, T> {
    /// `None` where the rows do not lie one after the other.
    fn view(&self) -> Option<MatRef<'_, T>> {
        let (Self::Plain(x) | Self::Turned(x)) = self;
        let view = MatRef::from_row_major_slice(x.as_slice()?, x.nrows(), x.ncols());
        Some(match self {
            Self::Plain(_) => view,
            Self::Turned(_) => view.transpose(),
        })
    }

    fn owned(&self) -> Array2<T> {
        match self {
            Self::Plain(x) => (*x).clone(),
            Self::Turned(x) => x.t().to_owned(),
        }
    }
}

/// `out = factor a b`, or `out += factor a b` where it is to be added.
pub(super) fn multiply<T: Real>(
    out: &mut Array2<T>,
    add: bool,
    factor: T,
    a: Side<'_, T>,
    b: Side<'_, T>,
) {
    let (rows, columns) = out.dim();
    let how = if add { Accum::Add } else { Accum::Replace };
    if let (Some(to), Some(a), Some(b)) = (out.as_slice_mut(), a.view(), b.view()) {
        let to = MatMut::from_row_major_slice_mut(to, rows, columns);
        return matmul(to, how, a, b, factor, Par::Seq);
    }
    // Matrices of this module are in standard order; others still get the right product.
    let start = if add { T::one() } else { T::zero() };
    ndarray::linalg::general_mat_mul(factor, &a.owned(), &b.owned(), start, out);
}

/// `a b`.
pub(super) fn product<T: Real>(a: Side<'_, T>, b: Side<'_, T>) -> Array2<T> {
    let rows = match a {
        Side::Plain(x) => x.nrows(),
        Side::Turned(x) => x.ncols(),
    };
    let columns = match b {
        Side::Plain(x) => x.ncols(),
        Side::Turned(x) => x.nrows(),
    };
    let mut out = Array2::zeros((rows, columns));
    multiply(&mut out, false, T::one(), a, b);
    out
}

/// A thin singular value decomposition, `x = u diag(s) v'`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Svd {
    pub(super) u: Array2<f64>,
    pub(super) s: Vec<f64>,
    pub(super) v: Array2<f64>,
}

/// Decomposes; `what` and `step` name a failure.
pub(super) fn svd(x: &Array2<f64>, what: &'static str, step: usize) -> Result<Svd, TheoryError> {
    let failed = TheoryError::Decomposition { what, step };
    if !x.iter().all(|v| v.is_finite()) {
        return Err(failed);
    }
    let mat = faer::Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[[i, j]]);
    let found = mat.thin_svd().map_err(|_| failed)?;
    let k = x.nrows().min(x.ncols());
    let (u, v, s) = (found.U(), found.V(), found.S().column_vector());
    Ok(Svd {
        u: Array2::from_shape_fn((x.nrows(), k), |(i, j)| u[(i, j)]),
        s: (0..k).map(|i| s[i]).collect(),
        v: Array2::from_shape_fn((x.ncols(), k), |(i, j)| v[(i, j)]),
    })
}

/// Singular values alone, the largest first.
pub(super) fn singular_values<T: Real>(
    x: &Array2<T>,
    what: &'static str,
    step: usize,
) -> Result<Vec<f64>, TheoryError> {
    let failed = TheoryError::Decomposition { what, step };
    if !x.iter().all(|v| v.is_finite()) {
        return Err(failed);
    }
    let mat = faer::Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[[i, j]].wide());
    mat.singular_values().map_err(|_| failed)
}

/// An orthogonal matrix, uniformly drawn: the Q of normal draws, its signs those of R's diagonal.
pub(super) fn orthogonal(n: usize, rng: &mut chiasm_core::Rng) -> Array2<f64> {
    let draws = normal(n, n, rng);
    let qr = faer::Mat::from_fn(n, n, |i, j| draws[[i, j]]).qr();
    let (q, r) = (qr.compute_Q(), qr.R().to_owned());
    Array2::from_shape_fn((n, n), |(i, j)| {
        q[(i, j)] * if r[(j, j)] < 0.0 { -1.0 } else { 1.0 }
    })
}

/// Standard normal draws, row by row.
pub(super) fn normal(rows: usize, columns: usize, rng: &mut chiasm_core::Rng) -> Array2<f64> {
    use rand_distr::{Distribution, StandardNormal};
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(rng))
}

/// The first value that is not finite, as an error.
pub(super) fn finite(what: &'static str, x: &Array2<f64>) -> Result<(), TheoryError> {
    let mut all = x.indexed_iter();
    match all.find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((row, column), found)) => Err(TheoryError::NotFinite {
            what,
            row,
            column,
            found: *found,
        }),
    }
}
