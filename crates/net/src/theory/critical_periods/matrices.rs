//! Matrices to complete, and the entries of them that are seen.

use chiasm_core::{Rng, SettingError};
use ndarray::Array2;
use rand::seq::SliceRandom;

use super::super::error::TheoryError;
use super::super::matrix::{Side, finite, normal, product, svd};
use crate::Real;

/// A matrix of low rank, of the Frobenius norm of its side.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    matrix: Array2<f64>,
    rank: usize,
}

impl Target {
    /// `G1 G2'` of two normal `[n, rank]`, scaled to Frobenius norm `n`.
    ///
    /// # Errors
    /// [`TheoryError::Rank`] for a rank of 0 or above `n`.
    pub fn random(n: usize, rank: usize, rng: &mut Rng) -> Result<Self, TheoryError> {
        if !(1..=n).contains(&rank) {
            return Err(TheoryError::Rank { found: rank, n });
        }
        let (a, b) = (normal(n, rank, rng), normal(n, rank, rng));
        let mut matrix = product(Side::Plain(&a), Side::Turned(&b));
        scale(&mut matrix);
        Ok(Self { matrix, rank })
    }

    /// Any square matrix, as it is; `rank` is that of its part that counts.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] where it is not square, [`TheoryError::Rank`], [`TheoryError::NotFinite`].
    pub fn new(matrix: Array2<f64>, rank: usize) -> Result<Self, TheoryError> {
        let (n, columns) = matrix.dim();
        if n != columns {
            return Err(TheoryError::Shape {
                what: "columns of a square matrix",
                expected: n,
                found: columns,
            });
        }
        if !(1..=n).contains(&rank) {
            return Err(TheoryError::Rank { found: rank, n });
        }
        finite("matrix", &matrix)?;
        Ok(Self {
            matrix: matrix.as_standard_layout().into_owned(),
            rank,
        })
    }

    /// A matrix of the same singular values whose singular vectors are turned towards ones orthogonal to them: `similarity` is
    /// the cosine between old and new ones, 1 for the same matrix, 0 for one that shares nothing.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for a similarity out of 0 to 1; [`TheoryError::Rank`] where there is no room for as many
    /// orthogonal vectors.
    pub fn turned(&self, similarity: f64, rng: &mut Rng) -> Result<Self, TheoryError> {
        let fine = (0.0..=1.0).contains(&similarity);
        SettingError::check(fine, "similarity", "0 to 1", similarity)?;
        let (n, r) = (self.side(), self.rank);
        if 2 * r > n {
            return Err(TheoryError::Rank { found: 2 * r, n });
        }
        let found = svd(&self.matrix, "the matrix", 0)?;
        let away = (1.0 - similarity * similarity).sqrt();
        let mut turn = |vectors: &Array2<f64>| {
            let old = vectors.slice(ndarray::s![.., ..r]).to_owned();
            let draws = normal(n, r, rng);
            let rest = &draws - &old.dot(&old.t().dot(&draws));
            let other = svd(&rest, "a draw", 0)?.u;
            Ok::<_, TheoryError>(old * similarity + other * away)
        };
        let (u, v) = (turn(&found.u)?, turn(&found.v)?);
        let scaled = Array2::from_shape_fn((n, r), |(i, j)| u[[i, j]] * found.s[j]);
        Ok(Self {
            matrix: scaled.dot(&v.t()),
            rank: r,
        })
    }

    /// The matrix `[n, n]`.
    #[must_use]
    pub fn matrix(&self) -> &Array2<f64> {
        &self.matrix
    }

    /// Rows and columns.
    #[must_use]
    pub fn side(&self) -> usize {
        self.matrix.nrows()
    }

    /// Its rank.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Mean squared difference of all entries from a network's.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] where sides differ.
    pub fn error<T: Real>(&self, found: &Array2<T>) -> Result<f64, TheoryError> {
        if found.dim() != self.matrix.dim() {
            return Err(TheoryError::Shape {
                what: "side of the matrix",
                expected: self.side(),
                found: found.nrows(),
            });
        }
        let pairs = self.matrix.iter().zip(found);
        let sum: f64 = pairs.map(|(m, p)| (m - p.wide()).powi(2)).sum();
        Ok(sum / self.matrix.len() as f64)
    }
}

fn scale(matrix: &mut Array2<f64>) {
    let norm = matrix.iter().map(|v| v * v).sum::<f64>().sqrt();
    let side = matrix.nrows() as f64;
    matrix.mapv_inplace(|v| v * side / norm);
}

/// Entries of a matrix that are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    n: usize,
    at: Vec<(usize, usize)>,
}

impl Observed {
    /// `count` entries of an `[n, n]` matrix, drawn without replacement.
    ///
    /// # Errors
    /// [`TheoryError::Observations`] for none or more than there are.
    pub fn draw(n: usize, count: usize, rng: &mut Rng) -> Result<Self, TheoryError> {
        let entries = n * n;
        if !(1..=entries).contains(&count) {
            let found = count;
            return Err(TheoryError::Observations { found, entries });
        }
        let mut order: Vec<usize> = (0..entries).collect();
        order.shuffle(rng);
        order.truncate(count);
        Ok(Self {
            n,
            at: order.into_iter().map(|i| (i / n, i % n)).collect(),
        })
    }

    /// These entries `(row, column)`.
    ///
    /// # Errors
    /// [`TheoryError::Observations`] for none; [`TheoryError::Entry`] for one outside the matrix or given twice.
    pub fn new(n: usize, at: Vec<(usize, usize)>) -> Result<Self, TheoryError> {
        if at.is_empty() {
            let (found, entries) = (0, n * n);
            return Err(TheoryError::Observations { found, entries });
        }
        let mut seen = vec![false; n * n];
        for (idx, &(row, column)) in at.iter().enumerate() {
            if row >= n || column >= n || std::mem::replace(&mut seen[row * n + column], true) {
                return Err(TheoryError::Entry {
                    idx,
                    n,
                    row,
                    column,
                });
            }
        }
        Ok(Self { n, at })
    }

    /// The first `count` of them: a subset of what a longer draw sees.
    ///
    /// # Errors
    /// [`TheoryError::Observations`] for none or more than there are.
    pub fn first(&self, count: usize) -> Result<Self, TheoryError> {
        if !(1..=self.at.len()).contains(&count) {
            let entries = self.at.len();
            let found = count;
            return Err(TheoryError::Observations { found, entries });
        }
        Ok(Self {
            n: self.n,
            at: self.at[..count].to_vec(),
        })
    }

    /// Rows and columns of the matrix.
    #[must_use]
    pub fn side(&self) -> usize {
        self.n
    }

    /// The entries `(row, column)`.
    #[must_use]
    pub fn entries(&self) -> &[(usize, usize)] {
        &self.at
    }

    /// What is seen of a matrix.
    ///
    /// # Errors
    /// [`TheoryError::Shape`] where sides differ.
    pub fn of<T: Real>(&self, target: &Target) -> Result<Vec<T>, TheoryError> {
        if target.side() != self.n {
            return Err(TheoryError::Shape {
                what: "side of the matrix",
                expected: self.n,
                found: target.side(),
            });
        }
        let each = self.at.iter();
        Ok(each.map(|&(i, j)| T::of(target.matrix[[i, j]])).collect())
    }
}
