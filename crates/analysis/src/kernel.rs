//! Kernels: which items a code, or a network's gradients, holds for alike; and how far two kernels agree.
//!
//! A kernel is a symmetric matrix `[item, item]` of inner products ([`gram`]). Two are compared by the cosine between them,
//! as they are ([`alignment`]: papers 17 and 23 for tangent kernels and hidden codes) or centered first ([`cka`]), with
//! noise taken into account ([`cka_unbiased`]). Its eigenvalues tell how many dimensions the code fills
//! ([`participation_ratio`], [`effective_rank`]), [`target_alignment`] how much of it serves given labels. [`two_layer`] is a
//! theory of how far learning turns a tangent kernel.
//!
//! ```
//! use chiasm_analysis::kernel::{cka, gram};
//! use ndarray::array;
//! # fn main() -> Result<(), chiasm_analysis::kernel::KernelError> {
//! let code = array![[0.0, 1.0], [1.0, 0.0], [2.0, 3.0]];
//! let turned = array![[1.0, 5.0], [0.0, 6.0], [3.0, 7.0]]; // by 90 degrees, and shifted
//! let alike = cka(gram(code.view()).view(), gram(turned.view()).view())?;
//! assert!((alike - 1.0).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```

use faer::Side;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

mod error;
#[cfg(test)]
mod tests;
pub mod two_layer;

pub use error::KernelError;

/// The norm of a centered kernel below which it counts as constant, as a part of its norm before.
const CONSTANT: f64 = 1e-12;

/// The kernel of a code: `X X'`, `[item, item]` from `[item, unit]`.
#[must_use]
pub fn gram(code: ArrayView2<'_, f64>) -> Array2<f64> {
    code.dot(&code.t())
}

/// Refuses a matrix that is not square or not finite.
fn check(what: &'static str, kernel: ArrayView2<'_, f64>) -> Result<(), KernelError> {
    let (rows, columns) = kernel.dim();
    if rows != columns {
        return Err(KernelError::NotSquare {
            what,
            rows,
            columns,
        });
    }
    match kernel.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, column), &found)) => Err(KernelError::NotFinite {
            what,
            row,
            column,
            found,
        }),
        None => Ok(()),
    }
}

fn check_two(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<(), KernelError> {
    check("first kernel", a)?;
    check("second kernel", b)?;
    if a.nrows() == b.nrows() {
        return Ok(());
    }
    Err(KernelError::Items {
        what: "second kernel",
        expected: a.nrows(),
        found: b.nrows(),
    })
}

fn inner(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    ndarray::Zip::from(a)
        .and(b)
        .fold(0.0, |sum, x, y| sum + x * y)
}

/// The kernel of the code less its mean over items: rows and columns have mean 0.
///
/// # Errors
/// [`KernelError`] for a matrix that is not square or not finite, or of no items.
pub fn centered(kernel: ArrayView2<'_, f64>) -> Result<Array2<f64>, KernelError> {
    check("kernel", kernel)?;
    let (Some(rows), Some(columns)) = (kernel.mean_axis(Axis(1)), kernel.mean_axis(Axis(0))) else {
        return Err(KernelError::TooFew {
            what: "centering",
            least: 1,
            found: 0,
        });
    };
    let all = rows.mean().unwrap_or(0.0);
    let value = |(i, j)| kernel[[i, j]] - rows[i] - columns[j] + all;
    Ok(Array2::from_shape_fn(kernel.dim(), value))
}

/// The cosine between two kernels as they are: `<A, B> / (|A| |B|)`, Frobenius (paper 17, measures RA and KA). Two kernels
/// with positive eigenvalues are never near 0: compare with kernels that have nothing to do with each other.
///
/// # Errors
/// [`KernelError`] for matrices that are not square, not finite or of different sizes; [`KernelError::Undefined`] where one
/// is zero.
pub fn alignment(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<f64, KernelError> {
    check_two(a, b)?;
    let norm = |what, k: ArrayView2<'_, f64>| match inner(k, k).sqrt() {
        n if n > 0.0 => Ok(n),
        _ => Err(KernelError::Undefined {
            what,
            quantity: "value but zero",
        }),
    };
    Ok(inner(a, b) / (norm("first kernel", a)? * norm("second kernel", b)?))
}

/// The same of centered kernels: centered kernel alignment, 0 to 1 for kernels of codes (paper 23, D). It does not change
/// when a code is turned, shifted or scaled as a whole.
///
/// # Errors
/// As [`alignment`], with [`KernelError::Undefined`] where one is constant.
pub fn cka(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<f64, KernelError> {
    check_two(a, b)?;
    let center = |what, k: ArrayView2<'_, f64>| {
        let c = centered(k)?;
        if inner(c.view(), c.view()).sqrt() > CONSTANT * inner(k, k).sqrt() {
            return Ok(c);
        }
        Err(KernelError::Undefined {
            what,
            quantity: "differences between its items",
        })
    };
    let (a, b) = (center("first kernel", a)?, center("second kernel", b)?);
    alignment(a.view(), b.view())
}

/// Centered kernel alignment without the bias that independent noise in the items brings: the diagonals, which hold each
/// item's noise against itself, are left out (Song et al. 2012, eq. 5), and the denominator is the root of the product of
/// the two kernels' own estimates. Expected 0 for independent codes, where [`cka`] is well above it; it may come out below
/// 0.
///
/// # Errors
/// As [`cka`], with [`KernelError::TooFew`] below 4 items.
pub fn cka_unbiased(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<f64, KernelError> {
    check_two(a, b)?;
    let n = a.nrows();
    if n < 4 {
        return Err(KernelError::TooFew {
            what: "the unbiased estimate",
            least: 4,
            found: n,
        });
    }
    let hollow = |k: ArrayView2<'_, f64>| {
        let mut k = k.to_owned();
        k.diag_mut().fill(0.0);
        k
    };
    let (a, b) = (hollow(a), hollow(b));
    let own = |what, k: &Array2<f64>| {
        let h = independence(k, k);
        if h > CONSTANT * inner(k.view(), k.view()) / (n * n) as f64 {
            Ok(h)
        } else {
            Err(KernelError::Undefined {
                what,
                quantity: "differences between its items",
            })
        }
    };
    let norm = (own("first kernel", &a)? * own("second kernel", &b)?).sqrt();
    Ok(independence(&a, &b) / norm)
}

/// Song's unbiased estimate of the Hilbert-Schmidt criterion, of kernels with zero diagonals.
fn independence(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    let n = a.nrows() as f64;
    let (rows_a, rows_b) = (a.sum_axis(Axis(1)), b.sum_axis(Axis(1)));
    let together = inner(a.view(), b.view());
    let apart = rows_a.sum() * rows_b.sum() / ((n - 1.0) * (n - 2.0));
    let shared = 2.0 / (n - 2.0) * rows_a.dot(&rows_b);
    (together + apart - shared) / (n * (n - 3.0))
}

/// How much of a kernel serves given labels: `y' K y / (|y|^2 tr K)`, 0 to 1 for a kernel without negative eigenvalues.
///
/// # Errors
/// [`KernelError`] for a matrix that is not square or not finite, labels of another number or not finite;
/// [`KernelError::Undefined`] where the trace or all labels are 0.
pub fn target_alignment(
    kernel: ArrayView2<'_, f64>,
    labels: ArrayView1<'_, f64>,
) -> Result<f64, KernelError> {
    check("kernel", kernel)?;
    if labels.len() != kernel.nrows() {
        return Err(KernelError::Items {
            what: "labels",
            expected: kernel.nrows(),
            found: labels.len(),
        });
    }
    if let Some((row, &found)) = labels.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(KernelError::NotFinite {
            what: "labels",
            row,
            column: 0,
            found,
        });
    }
    let of = |what, quantity| KernelError::Undefined { what, quantity };
    let (length, trace) = (labels.dot(&labels), kernel.diag().sum());
    if length <= 0.0 {
        return Err(of("labels", "value but zero"));
    }
    if trace <= 0.0 {
        return Err(of("kernel", "trace above zero"));
    }
    Ok(labels.dot(&kernel.dot(&labels)) / (length * trace))
}

/// `(tr K)^2 / tr K^2`: how many dimensions a code fills, 1 to its rank; all eigenvalues equal give the rank.
///
/// # Errors
/// [`KernelError`] for a matrix that is not square or not finite, or is zero.
pub fn participation_ratio(kernel: ArrayView2<'_, f64>) -> Result<f64, KernelError> {
    check("kernel", kernel)?;
    let squares = inner(kernel, kernel);
    if squares <= 0.0 {
        return Err(KernelError::Undefined {
            what: "kernel",
            quantity: "value but zero",
        });
    }
    Ok(kernel.diag().sum().powi(2) / squares)
}

/// `exp(-sum p ln p)`, `p` the eigenvalues (negative ones, of rounding, as 0) as parts of their sum: the number of
/// dimensions by entropy (Roy & Vetterli 2007), 1 to the rank.
///
/// # Errors
/// As [`participation_ratio`], or [`KernelError::Eigenvalues`].
pub fn effective_rank(kernel: ArrayView2<'_, f64>) -> Result<f64, KernelError> {
    let values = eigenvalues(kernel)?;
    let sum: f64 = values.iter().filter(|v| **v > 0.0).sum();
    if sum <= 0.0 {
        return Err(KernelError::Undefined {
            what: "kernel",
            quantity: "value but zero",
        });
    }
    let entropy = |v: &f64| -(v / sum) * (v / sum).ln();
    let positive = values.iter().filter(|v| **v > 0.0);
    Ok(positive.map(entropy).sum::<f64>().exp())
}

/// The eigenvalues of a kernel, descending. Of the matrix only the lower triangle is read.
///
/// # Errors
/// [`KernelError`] for a matrix that is not square or not finite; [`KernelError::Eigenvalues`].
pub fn eigenvalues(kernel: ArrayView2<'_, f64>) -> Result<Array1<f64>, KernelError> {
    check("kernel", kernel)?;
    let n = kernel.nrows();
    let matrix = faer::Mat::from_fn(n, n, |i, j| kernel[[i, j]]);
    let values = matrix.self_adjoint_eigenvalues(Side::Lower);
    let values = values.map_err(|_| KernelError::Eigenvalues { items: n })?;
    Ok(values.into_iter().rev().collect())
}
