//! Matrix products over fixed blocks: the same bits on any number of threads.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, LinalgScalar, s};

/// Rows of the second matrix in a block of `times_transposed`, columns in one of `times`.
const BLOCK: usize = 128;
/// Products of fewer multiplications are done at once: they take less than it takes to share them out.
const WORTH_SHARING: usize = 1 << 18;

/// A number that products are made of.
pub(super) trait Number: LinalgScalar + Send + Sync {
    const ONE: Self;
}

impl Number for f64 {
    const ONE: Self = 1.0;
}

impl Number for f32 {
    const ONE: Self = 1.0;
}

/// `a` `[k, p]` times the transpose of `b` `[n, p]`: `[k, n]`.
pub(super) fn times_transposed<N: Number>(a: ArrayView2<N>, b: ArrayView2<N>) -> Array2<N> {
    let mut out = Array2::zeros((a.nrows(), b.nrows()));
    let block = |(mut out, rows): (ndarray::ArrayViewMut2<N>, ArrayView2<N>)| {
        general_mat_mul(N::ONE, &a, &rows.t(), N::zero(), &mut out);
    };
    let outs = out.axis_chunks_iter_mut(Axis(1), BLOCK);
    let rows = b.axis_chunks_iter(Axis(0), BLOCK);
    if a.len() * b.nrows() < WORTH_SHARING {
        outs.into_iter().zip(rows).for_each(block);
    } else {
        outs.into_par_iter()
            .zip(rows.into_par_iter())
            .for_each(block);
    }
    out
}

/// `a` `[k, n]` times `b` `[n, p]`: `[k, p]`.
pub(super) fn times<N: Number>(a: ArrayView2<N>, b: ArrayView2<N>) -> Array2<N> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    let block = |(i, mut out): (usize, ndarray::ArrayViewMut2<N>)| {
        let columns = b.slice(s![.., i * BLOCK..i * BLOCK + out.ncols()]);
        general_mat_mul(N::ONE, &a, &columns, N::zero(), &mut out);
    };
    let outs = out.axis_chunks_iter_mut(Axis(1), BLOCK);
    if a.len() * b.ncols() < WORTH_SHARING {
        outs.into_iter().enumerate().for_each(block);
    } else {
        outs.into_par_iter().enumerate().for_each(block);
    }
    out
}
