//! Products of matrices that lie row by row.

mod sparse;
#[cfg(test)]
mod tests;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::Real;
pub(crate) use sparse::Sparse;

/// Below this number of multiplications a product is done by the calling thread.
const SMALL: usize = 1 << 22;
/// Largest number of tasks of one product, and fewest rows or columns of each: they depend on the shapes alone, so that the
/// bits do.
const TASKS: usize = 8;
const LEAST: usize = 16;
/// Side of a task's part of the result where both sides are long: it then stays in the second cache.
const SQUARE: usize = 512;

/// A matrix that lies row by row: `(values, rows, columns)`.
pub(crate) type Rows<'a, T> = (&'a [T], usize, usize);

/// `out = a b`, or `out += a b`: `[n, k]` times `[k, m]`.
pub(crate) fn multiply<T: Real>(out: &mut [T], a: Rows<'_, T>, b: Rows<'_, T>, accum: Accum) {
    let (a, b) = (view(a), view(b));
    blocks(out, a, b, accum);
}

/// `out = a b'`, or `out += a b'`: `[n, k]` times `[m, k]` turned.
pub(crate) fn multiply_turned<T: Real>(
    out: &mut [T],
    a: Rows<'_, T>,
    b: Rows<'_, T>,
    accum: Accum,
) {
    let (a, b) = (view(a), view(b).transpose());
    blocks(out, a, b, accum);
}

/// `out = a' b`, or `out += a' b`: `[k, n]` turned, times `[k, m]`.
pub(crate) fn turned_multiply<T: Real>(
    out: &mut [T],
    a: Rows<'_, T>,
    b: Rows<'_, T>,
    accum: Accum,
) {
    let (a, b) = (view(a).transpose(), view(b));
    blocks(out, a, b, accum);
}

/// A matrix that lies row by row, for [`alone`].
pub(crate) fn view<T: Real>((values, rows, columns): Rows<'_, T>) -> MatRef<'_, T> {
    MatRef::from_row_major_slice(values, rows, columns)
}

/// `out = a b`, or `out += a b`, by the calling thread: for products that are themselves one of many.
pub(crate) fn alone<T: Real>(out: &mut [T], a: MatRef<'_, T>, b: MatRef<'_, T>, accum: Accum) {
    let out = MatMut::from_row_major_slice_mut(out, a.nrows(), b.ncols());
    matmul(out, accum, a, b, T::ONE, Par::Seq);
}

/// A matrix whose rows begin `stride` numbers apart.
pub(crate) fn strided<T: Real>(
    values: &[T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatRef<'_, T> {
    MatRef::from_row_major_slice_with_stride(values, rows, columns, stride)
}

/// The same, to be written. By columns and turned: in faer 0.24 the constructor by rows takes the stride for that of columns.
pub(crate) fn strided_mut<T: Real>(
    values: &mut [T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatMut<'_, T> {
    MatMut::from_column_major_slice_with_stride_mut(values, columns, rows, stride).transpose_mut()
}

fn blocks<T: Real>(out: &mut [T], a: MatRef<'_, T>, b: MatRef<'_, T>, accum: Accum) {
    let (n, m) = (a.nrows(), b.ncols());
    if n == 0 || m == 0 {
        return;
    }
    let longer = n.max(m);
    if n * m * a.ncols() < SMALL || longer < 2 * LEAST {
        return alone(out, a, b, accum);
    }
    // Along the longer side: every task packs the factor that is not cut, which is then the smaller one. Where both sides are
    // long, along both.
    let each = longer.div_ceil(TASKS).max(LEAST);
    let (rows, columns) = if n.min(m) >= 2 * SQUARE {
        (SQUARE, SQUARE)
    } else if n >= m {
        (each, m)
    } else {
        (n, each)
    };
    let mut parts = vec![];
    for (i, out) in out.chunks_mut(rows * m).enumerate() {
        let a = a.subrows(i * rows, out.len() / m);
        let mut left = MatMut::from_row_major_slice_mut(out, a.nrows(), m);
        for start in (0..m).step_by(columns) {
            let (part, rest) = left.split_at_col_mut(columns.min(m - start));
            parts.push((part, a, b.subcols(start, columns.min(m - start))));
            left = rest;
        }
    }
    let parts = parts.into_par_iter().with_max_len(1);
    parts.for_each(|(out, a, b)| matmul(out, accum, a, b, T::ONE, Par::Seq));
}
