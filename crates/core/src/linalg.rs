//! Symmetric positive definite matrices, row by row in a slice: factor, solve, invert.

/// The Cholesky factor of a symmetric positive definite matrix: `A = L L'`.
///
/// ```
/// use chiasm_core::linalg::Cholesky;
/// let factor = Cholesky::of(&[4.0, 2.0, 2.0, 3.0], 2).expect("positive definite");
/// let x = factor.solve(&[8.0, 7.0]);
/// assert!((x[0] - 1.25).abs() < 1e-12 && (x[1] - 1.5).abs() < 1e-12);
/// assert!((factor.log_determinant() - 8f64.ln()).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky {
    n: usize,
    /// Row by row; zero above the diagonal.
    lower: Vec<f64>,
}

impl Cholesky {
    /// The factor of the `n x n` matrix, of which only the lower triangle is read. `None` if it is not positive definite
    /// to machine precision (NaN included) or the slice has another length.
    #[must_use]
    pub fn of(matrix: &[f64], n: usize) -> Option<Self> {
        if matrix.len() != n * n {
            return None;
        }
        let mut lower = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let (row_i, row_j) = (&lower[i * n..i * n + j], &lower[j * n..j * n + j]);
                let dot: f64 = row_i.iter().zip(row_j).map(|(a, b)| a * b).sum();
                let rest = matrix[i * n + j] - dot;
                if i == j {
                    // NaN must not pass, so `rest <= 0.0` would not do.
                    if !(rest > 0.0 && rest.is_finite()) {
                        return None;
                    }
                    lower[i * n + i] = rest.sqrt();
                } else {
                    lower[i * n + j] = rest / lower[j * n + j];
                }
            }
        }
        Some(Self { n, lower })
    }

    /// Number of rows.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// `L x`: with `x` standard normal, a draw with covariance `A`. `x` has `n` values.
    #[must_use]
    pub fn times(&self, x: &[f64]) -> Vec<f64> {
        let row = |i: usize| &self.lower[i * self.n..=i * self.n + i];
        (0..self.n)
            .map(|i| row(i).iter().zip(x).map(|(l, v)| l * v).sum())
            .collect()
    }

    /// The solution of `A x = b`; `b` has `n` values.
    #[must_use]
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut x = b.to_vec();
        for i in 0..n {
            let done: f64 = (0..i).map(|j| self.lower[i * n + j] * x[j]).sum();
            x[i] = (x[i] - done) / self.lower[i * n + i];
        }
        for i in (0..n).rev() {
            let done: f64 = (i + 1..n).map(|j| self.lower[j * n + i] * x[j]).sum();
            x[i] = (x[i] - done) / self.lower[i * n + i];
        }
        x
    }

    /// The inverse of `A`, row by row.
    #[must_use]
    pub fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        for column in 0..n {
            let mut unit = vec![0.0; n];
            unit[column] = 1.0;
            for (row, value) in self.solve(&unit).into_iter().enumerate() {
                inverse[row * n + column] = value;
            }
        }
        inverse
    }

    /// `ln det A`.
    #[must_use]
    pub fn log_determinant(&self) -> f64 {
        let diagonal = (0..self.n).map(|i| self.lower[i * self.n + i]);
        2.0 * diagonal.map(f64::ln).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_solve_and_inverse_agree() {
        // A Hilbert matrix: known inverse, badly conditioned.
        let n = 4;
        let hilbert: Vec<f64> = (0..n * n)
            .map(|k| 1.0 / ((k / n + k % n) as f64 + 1.0))
            .collect();
        let factor = Cholesky::of(&hilbert, n).expect("positive definite");
        let inverse = factor.inverse();
        assert!((inverse[0] - 16.0).abs() < 1e-9 && (inverse[5] - 1200.0).abs() < 1e-7);
        assert!((factor.log_determinant() - (1.0f64 / 6_048_000.0).ln()).abs() < 1e-10);
        let x = factor.solve(&[1.0, 0.0, 0.0, 0.0]);
        assert!(
            x.iter()
                .zip(&inverse[..4])
                .all(|(a, b)| (a - b).abs() < 1e-8)
        );
        // L e_0 is the first column of L: the first column of A over its root.
        let first = factor.times(&[1.0, 0.0, 0.0, 0.0]);
        assert!(
            first
                .iter()
                .zip(&hilbert)
                .all(|(l, a)| (l - a).abs() < 1e-15)
        );
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert_eq!(Cholesky::of(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(Cholesky::of(&[f64::NAN], 1), None);
        assert_eq!(Cholesky::of(&[1.0, 0.0], 2), None);
        assert!(Cholesky::of(&[], 0).is_some());
    }
}
