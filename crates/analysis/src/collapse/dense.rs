//! Products and decompositions of dense matrices, all sequential, so that bits do not depend on threads.

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, MatMut, MatRef, Par, Side};
use ndarray::{Array2, ArrayView2};

use super::CollapseError;

/// A view of a matrix in any layout.
fn mat<'a>(a: &'a ArrayView2<'_, f64>) -> Option<MatRef<'a, f64>> {
    let (rows, columns) = a.dim();
    if let Some(slice) = a.as_slice() {
        return Some(MatRef::from_row_major_slice(slice, rows, columns));
    }
    let transposed = a.t();
    // The transposed view borrows from `a`, whose memory lives as long as the result.
    transposed
        .to_slice()
        .map(|slice| MatRef::from_column_major_slice(slice, rows, columns))
}

/// `a b`.
pub(crate) fn product(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    product_into(a, b, &mut out);
    out
}

/// `a b`, written to `out`, which has its shape and is in standard layout.
pub(crate) fn product_into(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, out: &mut Array2<f64>) {
    let (rows, columns) = (a.nrows(), b.ncols());
    debug_assert_eq!((rows, columns), out.dim());
    if rows == 0 || columns == 0 || a.ncols() == 0 {
        out.fill(0.0);
        return;
    }
    if let (Some(a), Some(b), Some(out)) = (mat(&a), mat(&b), out.as_slice_mut()) {
        let out = MatMut::from_row_major_slice_mut(out, rows, columns);
        matmul(out, Accum::Replace, a, b, 1.0, Par::Seq);
        return;
    }
    ndarray::linalg::general_mat_mul(1.0, &a, &b, 0.0, out);
}

fn owned(a: ArrayView2<'_, f64>) -> faer::Mat<f64> {
    faer::Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[[i, j]])
}

fn back(a: MatRef<'_, f64>) -> Array2<f64> {
    Array2::from_shape_fn((a.nrows(), a.ncols()), |(i, j)| a[(i, j)])
}

/// The solution of `a x = b` for a symmetric positive definite `a`, of which the lower triangle is read.
pub(crate) fn solve(
    what: &'static str,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, CollapseError> {
    Ok(Factor::of(what, a)?.solve(b))
}

/// The Cholesky factor of a symmetric positive definite matrix.
pub(crate) struct Factor(faer::linalg::solvers::Llt<f64>);

impl Factor {
    pub(crate) fn of(what: &'static str, a: ArrayView2<'_, f64>) -> Result<Self, CollapseError> {
        let failed = |_| CollapseError::Singular {
            what,
            why: "not positive definite",
        };
        Ok(Self(owned(a).llt(Side::Lower).map_err(failed)?))
    }

    pub(crate) fn solve(&self, b: ArrayView2<'_, f64>) -> Array2<f64> {
        back(self.0.solve(owned(b)).as_ref())
    }
}

/// Singular values, from the largest.
pub(crate) fn singular_values(
    what: &'static str,
    a: ArrayView2<'_, f64>,
) -> Result<Vec<f64>, CollapseError> {
    let failed = |_| CollapseError::Singular {
        what,
        why: "its singular values were not found",
    };
    owned(a).singular_values().map_err(failed)
}

/// Orthonormal columns that span those of `a`, of as many rows as columns or more.
pub(crate) fn orthonormal(a: ArrayView2<'_, f64>) -> Array2<f64> {
    back(owned(a).qr().compute_thin_Q().as_ref())
}

/// Sum of products of the entries of two matrices of one shape.
pub(crate) fn inner(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    ndarray::Zip::from(a)
        .and(b)
        .fold(0.0, |sum, x, y| sum + x * y)
}

/// Sum of squares.
pub(crate) fn squares(a: ArrayView2<'_, f64>) -> f64 {
    inner(a, a)
}

/// Singular values, from the largest, and right singular vectors as columns.
pub(crate) fn thin_svd(
    what: &'static str,
    a: ArrayView2<'_, f64>,
) -> Result<(Vec<f64>, Array2<f64>), CollapseError> {
    let failed = |_| CollapseError::Singular {
        what,
        why: "its singular values were not found",
    };
    let found = owned(a).thin_svd().map_err(failed)?;
    let values = found.S().column_vector();
    let values = (0..values.nrows()).map(|i| values[i]).collect();
    Ok((values, back(found.V())))
}
