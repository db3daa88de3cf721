//! How outputs change with parameters, sample by sample.

use faer::Accum;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Network, NetworkError, Spare, Trace, matrix};
use crate::Real;
use crate::product::multiply_turned;

impl<T: Real> Network<T> {
    /// The derivative of each output on each row with respect to each parameter, `[row * outputs + output, parameter]`,
    /// parameters in the order of their arrays. `n_outputs * n_rows` times as many numbers as there are parameters.
    ///
    /// # Errors
    /// As [`Network::outputs`].
    pub fn jacobian(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, NetworkError> {
        self.accept(x)?;
        let (n, p) = (self.n_outputs(), self.parameters().len());
        let mut values = vec![T::ZERO; x.nrows() * n * p];
        // Sequence by sequence, where rows are those of sequences: their rows see each other.
        let span = self.span();
        values
            .par_chunks_mut((span * n * p).max(1))
            .zip(x.axis_chunks_iter(Axis(0), span).into_par_iter())
            .for_each(|(rows, x)| {
                let mut trace = Trace::default();
                let x = x.as_standard_layout();
                self.forward(x.as_slice().unwrap_or(&[]), span, &mut trace);
                let mut gradients = self.no_gradients();
                let mut spare = Spare::default();
                for (output, row) in rows.chunks_exact_mut(p).enumerate() {
                    gradients.clear();
                    let mut one = spare.of(span * n);
                    one.fill(T::ZERO);
                    one[output] = T::ONE;
                    let left = self.back(&trace, one, &mut gradients, false, &mut spare);
                    spare.keep(left);
                    for (v, g) in row.iter_mut().zip(gradients.arrays().iter().flatten()) {
                        *v = *g;
                    }
                }
            });
        Ok(matrix(x.nrows() * n, p, values))
    }

    /// The tangent kernel, `J J'` of the [`Network::jacobian`]: `[row * outputs + output]` both ways.
    ///
    /// # Errors
    /// As [`Network::outputs`].
    pub fn tangent_kernel(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, NetworkError> {
        let jacobian = self.jacobian(x)?;
        let (n, p) = jacobian.dim();
        let rows = (jacobian.as_slice().unwrap_or(&[]), n, p);
        let mut kernel = vec![T::ZERO; n * n];
        multiply_turned(&mut kernel, rows, rows, Accum::Replace);
        Ok(matrix(n, n, kernel))
    }
}
