//! Products of matrices that lie row by row.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::Real;

/// Below this number of multiplications a product is done by the calling thread.
const SMALL: usize = 1 << 20;
/// Largest number of tasks of one product, and fewest rows of each: they depend on the shapes alone, so that the bits do.
const TASKS: usize = 8;
const ROWS: usize = 16;

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

fn view<T: Real>((values, rows, columns): Rows<'_, T>) -> MatRef<'_, T> {
    MatRef::from_row_major_slice(values, rows, columns)
}

/// A matrix whose rows begin `stride` numbers apart.
pub(super) fn strided<T: Real>(
    values: &[T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatRef<'_, T> {
    MatRef::from_row_major_slice_with_stride(values, rows, columns, stride)
}

/// The same, to be written. By columns and turned: in faer 0.24 the constructor by rows takes the stride for that of columns.
pub(super) fn strided_mut<T: Real>(
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
    let whole = |out: &mut [T], a: MatRef<'_, T>| {
        let out = MatMut::from_row_major_slice_mut(out, a.nrows(), m);
        matmul(out, accum, a, b, T::ONE, Par::Seq);
    };
    if n * m * a.ncols() < SMALL || n < 2 * ROWS {
        return whole(out, a);
    }
    let rows = n.div_ceil(TASKS).max(ROWS);
    out.par_chunks_mut(rows * m)
        .enumerate()
        .for_each(|(i, out)| whole(out, a.subrows(i * rows, out.len() / m)));
}
