//! The second pass: how far samples lie from the means of their classes.

use chiasm_core::vectorized;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::product_into;
use super::moments::{Feature, Means, Rows, same_number};

/// Samples that are handled at once.
const PIECE: usize = 256;

/// Squared distances of samples from the means of their classes: the second pass. Bound to the means it was begun with;
/// it can be kept (`serde`), gone on with, and merged with that of another shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    digest: [u8; 32],
    counts: Vec<u64>,
    /// For each class the sum of squared distances from its mean.
    squares: Vec<f64>,
    /// Sum of squared distances in units of the between-class scatter, where the means know it.
    whitened: Option<f64>,
}

impl Spread {
    /// Nothing seen yet. The scatter within classes is weighed by that between them (NC1) if the means were made with
    /// [`Means::with_between`].
    #[must_use]
    pub fn new(means: &Means) -> Self {
        Self {
            digest: means.bytes(),
            counts: vec![0; means.n_classes()],
            squares: vec![0.0; means.n_classes()],
            whitened: means.between.as_ref().map(|_| 0.0),
        }
    }

    /// Takes in samples: `x` `[sample, feature]`, and the class of each.
    ///
    /// # Errors
    /// As [`super::Sums::add`]; [`CollapseError::OtherMeans`] with other means than those it was begun with;
    /// [`CollapseError::EmptyClass`] for a sample of a class that the means never saw.
    pub fn add<T: Feature>(
        &mut self,
        means: &Means,
        x: ArrayView2<'_, T>,
        labels: &[usize],
    ) -> Result<(), CollapseError> {
        means.own("squared distances", self.digest)?;
        same_number("features", means.n_features(), x.ncols())?;
        check_labels(labels, x.nrows(), means)?;
        let rows = Rows::unchecked(x);
        let mut norms = vec![0.0; labels.len()];
        let between = means.between.as_ref().filter(|_| self.whitened.is_some());
        let whitening = between.map(super::between::Between::whitening);
        let pieces: Vec<f64> = norms
            .par_chunks_mut(PIECE)
            .enumerate()
            .map_init(Scratch::default, |scratch, (piece, norms)| {
                let from = piece * PIECE;
                let labels = &labels[from..from + norms.len()];
                distances(means, &rows, from, labels, norms, (whitening, scratch))
            })
            .collect();
        // A distance shows whether one of its numbers is none: only then are they looked at one by one.
        if norms.iter().any(|norm| !norm.is_finite()) {
            rows.finite("features")?;
        }
        for (&class, norm) in labels.iter().zip(&norms) {
            self.counts[class] += 1;
            self.squares[class] += norm;
        }
        if let Some(sum) = &mut self.whitened {
            pieces.iter().for_each(|p| *sum += p);
        }
        Ok(())
    }

    /// Takes in what another shard has seen.
    ///
    /// # Errors
    /// [`CollapseError::OtherMeans`] if that was begun with other means.
    pub fn merge(&mut self, means: &Means, other: &Self) -> Result<(), CollapseError> {
        means.own("squared distances", self.digest)?;
        means.own("squared distances of another shard", other.digest)?;
        let counts = self.counts.iter_mut().zip(&other.counts);
        counts.for_each(|(a, b)| *a += b);
        let squares = self.squares.iter_mut().zip(&other.squares);
        squares.for_each(|(a, b)| *a += b);
        self.whitened = match (self.whitened, other.whitened) {
            (Some(a), Some(b)) => Some(a + b),
            _ => None,
        };
        Ok(())
    }

    /// What was seen, as measures of the scatter within classes.
    ///
    /// # Errors
    /// [`CollapseError::OtherMeans`]; [`CollapseError::Number`] where this pass saw another number of samples of a class
    /// than the first.
    pub fn within(&self, means: &Means) -> Result<Within, CollapseError> {
        means.own("squared distances", self.digest)?;
        for (&expected, &found) in means.counts().iter().zip(&self.counts) {
            same_number(
                "samples of a class in the second pass",
                expected as usize,
                found as usize,
            )?;
        }
        let n: u64 = self.counts.iter().sum();
        let total: f64 = self.squares.iter().sum();
        let n = n as f64;
        let variances = self.squares.iter().zip(&self.counts);
        let between = means.between.as_ref();
        Ok(Within {
            variances: variances
                .map(|(s, &n)| if n > 0 { s / n as f64 } else { 0.0 })
                .collect(),
            trace: total / n,
            quotient: between.map(|b| total / n / b.trace),
            ratio: between
                .zip(self.whitened)
                .map(|(b, sum)| sum / n / b.n_classes as f64),
        })
    }
}

/// The scatter within classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Within {
    /// For each class the mean squared distance from its mean, over all features together (card 50, B); 0 of classes that
    /// were not seen.
    pub variances: Vec<f64>,
    /// `Tr Sigma_W`
    pub trace: f64,
    /// `NC1~ = Tr Sigma_W / Tr Sigma_B` (paper 22, Eq. 3), with means made by [`Means::with_between`].
    pub quotient: Option<f64>,
    /// `NC1 = Tr(Sigma_W Sigma_B^+) / K` (card 22, H), with means made by [`Means::with_between`].
    pub ratio: Option<f64>,
}

fn check_labels(labels: &[usize], n_samples: usize, means: &Means) -> Result<(), CollapseError> {
    same_number("labels", n_samples, labels.len())?;
    let n_classes = means.n_classes();
    for (index, &found) in labels.iter().enumerate() {
        match means.counts().get(found) {
            None => {
                return Err(CollapseError::Label {
                    index,
                    n_classes,
                    found,
                });
            }
            Some(0) => return Err(CollapseError::EmptyClass { class: found }),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Memory for a piece, used again from piece to piece: fresh pages of it would take as long as the products.
#[derive(Default)]
struct Scratch {
    /// How far samples lie from their means, `[sample, feature]`.
    apart: Array2<f64>,
    /// The same along the directions between classes.
    along: Array2<f64>,
}

/// Squared distances of a piece of the samples; the sum of the whitened ones is returned.
fn distances<T: Feature>(
    means: &Means,
    rows: &Rows<'_, T>,
    from: usize,
    labels: &[usize],
    norms: &mut [f64],
    (whitening, scratch): (Option<ArrayView2<'_, f64>>, &mut Scratch),
) -> f64 {
    let d = rows.width();
    let Some(whitening) = whitening else {
        for (i, norm) in norms.iter_mut().enumerate() {
            let (row, mean) = (rows.row(from + i), means.mean(labels[i]));
            *norm = vectorized(
                #[inline(always)]
                || squared_distance(row, mean),
            );
        }
        return 0.0;
    };
    let Scratch { apart, along } = scratch;
    if apart.dim() != (labels.len(), d) {
        *apart = Array2::zeros((labels.len(), d));
        *along = Array2::zeros((labels.len(), whitening.nrows()));
    }
    for (i, (mut apart, norm)) in apart.rows_mut().into_iter().zip(norms).enumerate() {
        let (row, mean) = (rows.row(from + i), means.mean(labels[i]));
        let Some(apart) = apart.as_slice_mut() else {
            continue;
        };
        *norm = vectorized(
            #[inline(always)]
            || {
                for ((a, v), m) in apart.iter_mut().zip(row).zip(mean) {
                    *a = (*v).into() - m;
                }
                sum_of_squares(apart)
            },
        );
    }
    product_into(apart.view(), whitening.t(), along);
    vectorized(
        #[inline(always)]
        || sum_of_squares(along.as_slice().unwrap_or(&[])),
    )
}

/// In eight sums, so that it runs in vector registers.
#[inline(always)]
pub(super) fn sum_of_squares(x: &[f64]) -> f64 {
    let (eights, rest) = x.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for k in 0..8 {
            sums[k] += eight[k] * eight[k];
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|v| v * v).sum::<f64>()
}

#[inline(always)]
fn squared_distance<T: Feature>(x: &[T], mean: &[f64]) -> f64 {
    let (x8, x_rest) = x.as_chunks::<8>();
    let (m8, m_rest) = mean.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, m) in x8.iter().zip(m8) {
        for k in 0..8 {
            let apart = x[k].into() - m[k];
            sums[k] += apart * apart;
        }
    }
    let rest = x_rest.iter().zip(m_rest);
    let rest = rest.map(|(x, m)| ((*x).into() - m).powi(2)).sum::<f64>();
    sums.iter().sum::<f64>() + rest
}
