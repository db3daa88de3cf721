//! Products of matrices, and matrices on disk.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Real;

/// Rows per task: the sums of an element have an order that depends on the shapes alone.
const ROWS: usize = 512;

/// `a b`, in blocks of rows over threads.
pub(crate) fn product<T: Real>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    accumulate(T::one(), a, b, &mut out);
    out
}

/// `out += factor a b`, in blocks of rows over threads.
pub(crate) fn accumulate<T: Real>(
    factor: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    out: &mut Array2<T>,
) {
    let blocks = out.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter();
    blocks
        .zip(a.axis_chunks_iter(Axis(0), ROWS))
        .for_each(|(mut out, a)| general_mat_mul(factor, &a, &b, T::one(), &mut out));
}

/// The first value that is not finite, with its place.
pub(crate) fn not_finite<T: Real>(x: ArrayView2<'_, T>) -> Option<(usize, usize, f64)> {
    if x.iter().all(|v| v.is_finite()) {
        return None;
    }
    let mut all = x.indexed_iter();
    all.find(|(_, v)| !v.is_finite())
        .map(|((row, column), v)| (row, column, v.wide()))
}

/// Matrices as their shape and values, row by row.
pub(crate) mod matrix {
    use super::{Array2, Deserialize, Deserializer, Real, Serialize, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<T: Real, S: Serializer>(
        x: &Array2<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let values: Vec<T> = x.iter().copied().collect();
        (x.dim(), values).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Real, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Array2<T>, D::Error> {
        let (shape, values): ((usize, usize), Vec<T>) = Deserialize::deserialize(deserializer)?;
        Array2::from_shape_vec(shape, values).map_err(D::Error::custom)
    }
}

/// Lists of matrices.
pub(crate) mod matrices {
    use super::{Array2, Deserialize, Deserializer, Real, Serialize, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<T: Real, S: Serializer>(
        list: &[Array2<T>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let plain: Vec<((usize, usize), Vec<T>)> = list
            .iter()
            .map(|x| (x.dim(), x.iter().copied().collect()))
            .collect();
        plain.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Real, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Array2<T>>, D::Error> {
        let plain: Vec<((usize, usize), Vec<T>)> = Deserialize::deserialize(deserializer)?;
        let each = plain.into_iter();
        each.map(|(shape, values)| Array2::from_shape_vec(shape, values).map_err(D::Error::custom))
            .collect()
    }
}
