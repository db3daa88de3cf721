//! Small dense matrices, row-major on slices: 3 to some 30 rows, no allocation.
//!
//! Inner loops run along rows, so that the compiler can vectorise them. Bins are eliminated elsewhere, in rows that fill vector
//! registers: [`super::latents`]. What every neuron's loadings need is inlined.

/// `a` (n x n, lower triangle read) becomes its Cholesky factor, upper triangle zero. `false` where it is not positive
/// definite (or not finite).
#[must_use]
#[inline(always)]
pub(super) fn cholesky(a: &mut [f64], n: usize) -> bool {
    for j in 0..n {
        let (above, below) = a.split_at_mut((j + 1) * n);
        let row = &mut above[j * n..];
        let pivot = row[j];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return false;
        }
        row[j] = pivot.sqrt();
        let inverse = row[j].recip();
        // The column stands in the upper triangle for a while, in a row.
        for (i, other) in below.chunks_exact_mut(n).enumerate() {
            other[j] *= inverse;
            row[j + 1 + i] = other[j];
        }
        for (i, other) in below.chunks_exact_mut(n).enumerate() {
            let f = other[j];
            for l in j + 1..j + 2 + i {
                other[l] -= f * row[l];
            }
        }
        row[j + 1..].fill(0.0);
    }
    true
}

/// `x` becomes L^-1 x.
#[inline(always)]
pub(super) fn solve_lower(l: &[f64], x: &mut [f64]) {
    let n = x.len();
    for i in 0..n {
        let dot: f64 = l[i * n..i * n + i]
            .iter()
            .zip(&x[..i])
            .map(|(a, b)| a * b)
            .sum();
        x[i] = (x[i] - dot) / l[i * n + i];
    }
}

/// `x` becomes L^-T x.
pub(super) fn solve_lower_transposed(l: &[f64], x: &mut [f64]) {
    let n = x.len();
    for i in (0..n).rev() {
        x[i] /= l[i * n + i];
        let xi = x[i];
        for (x, a) in x[..i].iter_mut().zip(&l[i * n..]) {
            *x -= a * xi;
        }
    }
}

/// The `m` columns of `x` (n x m) become L^-1 x.
pub(super) fn solve_lower_many(l: &[f64], x: &mut [f64], n: usize, m: usize) {
    for i in 0..n {
        let (above, row) = x.split_at_mut(i * m);
        let row = &mut row[..m];
        for j in 0..i {
            let f = l[i * n + j];
            for (r, a) in row.iter_mut().zip(&above[j * m..]) {
                *r -= f * a;
            }
        }
        let f = 1.0 / l[i * n + i];
        row.iter_mut().for_each(|r| *r *= f);
    }
}

/// The `m` columns of `x` (n x m) become L^-T x.
pub(super) fn solve_lower_transposed_many(l: &[f64], x: &mut [f64], n: usize, m: usize) {
    for i in (0..n).rev() {
        let (above, row) = x.split_at_mut(i * m);
        let row = &mut row[..m];
        let f = 1.0 / l[i * n + i];
        row.iter_mut().for_each(|r| *r *= f);
        for j in 0..i {
            let f = l[i * n + j];
            for (a, r) in above[j * m..].iter_mut().zip(&*row) {
                *a -= f * r;
            }
        }
    }
}

/// The lower triangle of `a` (n x n) loses that of W'W, W being m x n.
pub(super) fn subtract_gram(a: &mut [f64], w: &[f64], m: usize, n: usize) {
    for row in w[..m * n].chunks_exact(n) {
        for i in 0..n {
            let f = row[i];
            for (a, r) in a[i * n..i * n + i + 1].iter_mut().zip(row) {
                *a -= f * r;
            }
        }
    }
}

/// `out` (n x m) becomes A B, A being n x k and B k x m.
pub(super) fn multiply(a: &[f64], b: &[f64], out: &mut [f64], n: usize, k: usize, m: usize) {
    for i in 0..n {
        let out = &mut out[i * m..(i + 1) * m];
        out.fill(0.0);
        for j in 0..k {
            let f = a[i * k + j];
            for (o, b) in out.iter_mut().zip(&b[j * m..]) {
                *o += f * b;
            }
        }
    }
}

/// A' of the n x m matrix `a`.
pub(super) fn transposed(a: &[f64], n: usize, m: usize) -> Vec<f64> {
    (0..n * m).map(|q| a[(q % n) * m + q / n]).collect()
}

/// The inverse of L L', both triangles.
pub(super) fn inverse_of(l: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = identity(n);
    solve_lower_many(l, &mut inverse, n, n);
    solve_lower_transposed_many(l, &mut inverse, n, n);
    // Rounding leaves it a little lopsided.
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (inverse[i * n + j] + inverse[j * n + i]);
            inverse[i * n + j] = mean;
            inverse[j * n + i] = mean;
        }
    }
    inverse
}

pub(super) fn identity(n: usize) -> Vec<f64> {
    let mut eye = vec![0.0; n * n];
    eye.iter_mut().step_by(n + 1).for_each(|d| *d = 1.0);
    eye
}

/// Half the logarithm of the determinant of L L'.
#[inline(always)]
pub(super) fn half_ln_det(l: &[f64], n: usize) -> f64 {
    let mut product = LnProduct::default();
    for i in 0..n {
        product.times(l[i * n + i]);
    }
    product.ln()
}

/// The logarithm of a product of positive numbers: one logarithm for all, unless the product would leave the range.
pub(super) struct LnProduct {
    sum: f64,
    product: f64,
}

impl Default for LnProduct {
    fn default() -> Self {
        Self {
            sum: 0.0,
            product: 1.0,
        }
    }
}

impl LnProduct {
    #[inline(always)]
    pub(super) fn times(&mut self, x: f64) {
        if !(1e-100..1e100).contains(&(self.product * x)) {
            self.sum += self.product.ln();
            self.product = 1.0;
        }
        self.product *= x;
    }

    #[inline(always)]
    pub(super) fn ln(&self) -> f64 {
        self.sum + self.product.ln()
    }
}

/// Eigenvectors of a symmetric matrix (n x n) as rows, by descending eigenvalue (Jacobi's rotations).
pub(super) fn eigenvectors(symmetric: &[f64], n: usize) -> Vec<f64> {
    let mut a = symmetric.to_vec();
    let mut rows = identity(n);
    for _ in 0..60 {
        let off: f64 = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i * n + j].powi(2))
            .sum();
        let scale: f64 = a.iter().map(|v| v * v).sum();
        if off <= 1e-32 * scale {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[p * n + q] == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                    let (x, y) = (rows[p * n + k], rows[q * n + k]);
                    (rows[p * n + k], rows[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]));
    order
        .iter()
        .flat_map(|&i| rows[i * n..(i + 1) * n].to_vec())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn positive(values: &[f64], n: usize) -> Vec<f64> {
        let mut out = vec![0.0; n * n];
        multiply(values, &transposed(values, n, n), &mut out, n, n, n);
        out.iter_mut().step_by(n + 1).for_each(|d| *d += 0.5);
        out
    }

    proptest! {
        #[test]
        fn factors_solve_and_invert(values in prop::collection::vec(-2.0f64..2.0, 16)) {
            let n = 4;
            let a = positive(&values, n);
            let mut l = a.clone();
            prop_assert!(cholesky(&mut l, n));
            let mut back = vec![0.0; n * n];
            multiply(&l, &transposed(&l, n, n), &mut back, n, n, n);
            prop_assert!(back.iter().zip(&a).all(|(x, y)| (x - y).abs() < 1e-10));
            let mut x = values[..n].to_vec();
            solve_lower(&l, &mut x);
            solve_lower_transposed(&l, &mut x);
            let mut product = vec![0.0; n];
            multiply(&a, &x, &mut product, n, n, 1);
            prop_assert!(product.iter().zip(&values).all(|(x, y)| (x - y).abs() < 1e-8));
            let mut eye = vec![0.0; n * n];
            multiply(&a, &inverse_of(&l, n), &mut eye, n, n, n);
            prop_assert!(eye.iter().zip(identity(n)).all(|(x, y)| (x - y).abs() < 1e-8));
            let mut reduced = a.clone();
            subtract_gram(&mut reduced, &transposed(&l, n, n), n, n);
            prop_assert!((0..n).all(|i| (0..=i).all(|j| reduced[i * n + j].abs() < 1e-10)));
        }

        #[test]
        fn eigenvectors_are_orthonormal_and_diagonalise(values in prop::collection::vec(-2.0f64..2.0, 9)) {
            let n = 3;
            let a = positive(&values, n);
            let rows = eigenvectors(&a, n);
            let (mut half, mut full, mut eye) = (vec![0.0; 9], vec![0.0; 9], vec![0.0; 9]);
            multiply(&rows, &a, &mut half, n, n, n);
            multiply(&half, &transposed(&rows, n, n), &mut full, n, n, n);
            multiply(&rows, &transposed(&rows, n, n), &mut eye, n, n, n);
            for i in 0..n {
                for j in 0..n {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    prop_assert!((eye[i * n + j] - expected).abs() < 1e-12);
                    prop_assert!(i == j || full[i * n + j].abs() < 1e-9);
                }
            }
            prop_assert!(full[0] >= full[4] - 1e-9 && full[4] >= full[8] - 1e-9);
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_told() {
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2));
        assert!(!cholesky(&mut [f64::NAN], 1));
        assert!(!cholesky(&mut [f64::INFINITY], 1));
        assert!((half_ln_det(&[2.0, 0.0, 5.0, 3.0], 2) - 6.0f64.ln()).abs() < 1e-15);
    }
}
