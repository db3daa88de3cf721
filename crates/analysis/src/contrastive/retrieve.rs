//! Items of one side, looked up among those of the other.

use chiasm_core::{SettingError, stats, vectorized};
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use super::{ContrastiveError, check_finite};
use crate::readout::dot_slices;

fn checked(
    queries: ArrayView2<'_, f32>,
    bank: ArrayView2<'_, f32>,
) -> Result<(), ContrastiveError> {
    let number = |what, expected, found| ContrastiveError::Number {
        what,
        expected,
        found,
    };
    if queries.ncols() != bank.ncols() {
        return Err(number(
            "dimensions of the bank",
            queries.ncols(),
            bank.ncols(),
        ));
    }
    for (what, x) in [("queries", queries), ("items of the bank", bank)] {
        if x.is_empty() {
            return Err(number(what, 1, 0));
        }
    }
    check_finite("queries", queries)?;
    check_finite("bank", bank)
}

fn scores(query: ArrayView1<'_, f32>, bank: ArrayView2<'_, f32>) -> Vec<f32> {
    let query: Vec<f32> = query.iter().copied().collect();
    let score = |row: ArrayView1<'_, f32>| match row.as_slice() {
        Some(row) => vectorized(
            #[inline(always)]
            || dot_slices(&query, row),
        ),
        None => row.iter().zip(&query).map(|(a, b)| a * b).sum(),
    };
    bank.outer_iter().map(score).collect()
}

/// For each query, `[item, dimension]`, all items of the bank by their similarity, the most similar first; of equals the
/// first. The similarity is the dot product, the cosine for embeddings of length 1.
///
/// # Errors
/// [`ContrastiveError::Number`] for other numbers of dimensions, nothing to ask or to find; [`ContrastiveError::NotFinite`].
pub fn ranked(
    queries: ArrayView2<'_, f32>,
    bank: ArrayView2<'_, f32>,
) -> Result<Vec<Vec<usize>>, ContrastiveError> {
    checked(queries, bank)?;
    let rank = |query| {
        let scores = scores(query, bank);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order
    };
    let rows: Vec<_> = queries.outer_iter().collect();
    Ok(rows.into_par_iter().map(rank).collect())
}

/// The fraction of queries whose most similar item of the bank has their label.
///
/// # Errors
/// As [`ranked`]; for other numbers of labels.
pub fn top_1(
    queries: ArrayView2<'_, f32>,
    labels: &[usize],
    bank: ArrayView2<'_, f32>,
    bank_labels: &[usize],
) -> Result<f64, ContrastiveError> {
    checked(queries, bank)?;
    labeled(queries, labels)?;
    labeled(bank, bank_labels)?;
    let right = |(query, label): (ArrayView1<'_, f32>, &usize)| {
        let mut best = (0, f32::NEG_INFINITY);
        for (i, score) in scores(query, bank).into_iter().enumerate() {
            if score > best.1 {
                best = (i, score);
            }
        }
        bank_labels[best.0] == *label
    };
    let rows: Vec<_> = queries.outer_iter().zip(labels).collect();
    let right = rows.into_par_iter().filter(|row| right(*row)).count();
    Ok(right as f64 / labels.len() as f64)
}

fn labeled(x: ArrayView2<'_, f32>, labels: &[usize]) -> Result<(), ContrastiveError> {
    if x.nrows() == labels.len() {
        return Ok(());
    }
    Err(ContrastiveError::Number {
        what: "labels",
        expected: x.nrows(),
        found: labels.len(),
    })
}

/// The mean similarity of items of each class to items of each, `[class of queries, class of bank]`, 0 for classes without
/// items.
///
/// # Errors
/// As [`top_1`]; for a label of `n_classes` or above.
pub fn class_similarity(
    queries: ArrayView2<'_, f32>,
    labels: &[usize],
    bank: ArrayView2<'_, f32>,
    bank_labels: &[usize],
    n_classes: usize,
) -> Result<Array2<f64>, ContrastiveError> {
    checked(queries, bank)?;
    labeled(queries, labels)?;
    labeled(bank, bank_labels)?;
    // The mean of products is the product of means.
    let means = |x: ArrayView2<'_, f32>, labels: &[usize]| {
        let mut means = Array2::<f64>::zeros((n_classes, x.ncols()));
        let mut counts = vec![0.0f64; n_classes];
        for (row, label) in x.outer_iter().zip(labels) {
            let expected = format!("below {n_classes}");
            SettingError::check(*label < n_classes, "label", &expected, label)?;
            counts[*label] += 1.0;
            let mut mean = means.row_mut(*label);
            mean.iter_mut()
                .zip(row)
                .for_each(|(m, v)| *m += f64::from(*v));
        }
        for (mut mean, count) in means.outer_iter_mut().zip(counts) {
            mean.mapv_inplace(|m| m / count.max(1.0));
        }
        Ok::<Array2<f64>, ContrastiveError>(means)
    };
    Ok(means(queries, labels)?.dot(&means(bank, bank_labels)?.t()))
}

/// The two-sided p-value of so many wins among so many games that are each won or lost with probability one half; 1 without
/// games.
#[must_use]
pub fn sign_test(wins: usize, games: usize) -> f64 {
    let extreme = wins.max(games.saturating_sub(wins)) as u64;
    let Some(below) = extreme.checked_sub(1) else {
        return 1.0;
    };
    match Binomial::new(0.5, games as u64) {
        Ok(fair) => (2.0 * fair.sf(below)).min(1.0),
        Err(_) => 1.0,
    }
}

/// Accuracies on classes that were held out of training, each a group of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZeroShot {
    /// Mean over groups.
    pub mean: f64,
    /// Sample standard deviation over groups.
    pub sd: f64,
    /// Groups above chance; those at chance are no win and no loss.
    pub wins: usize,
    /// Groups below chance.
    pub losses: usize,
    /// Two-sided p-value of the sign test of groups against chance. Groups that share a class are not independent, which the
    /// test does not know.
    pub p: f64,
}

impl ZeroShot {
    /// From the accuracy of each group.
    ///
    /// # Errors
    /// [`ContrastiveError::Number`] for fewer than two groups; [`ContrastiveError::Setting`] for an accuracy outside 0 to 1.
    pub fn of(accuracies: &[f64], chance: f64) -> Result<Self, ContrastiveError> {
        let found = accuracies.len();
        if found < 2 {
            return Err(ContrastiveError::Number {
                what: "groups of classes",
                expected: 2,
                found,
            });
        }
        for a in accuracies {
            SettingError::check((0.0..=1.0).contains(a), "accuracy", "0 to 1", a)?;
        }
        let mean = stats::mean(accuracies);
        let squares: f64 = accuracies.iter().map(|a| (a - mean).powi(2)).sum();
        let wins = accuracies.iter().filter(|a| **a > chance).count();
        let losses = accuracies.iter().filter(|a| **a < chance).count();
        Ok(Self {
            mean,
            sd: (squares / (found as f64 - 1.0)).sqrt(),
            wins,
            losses,
            p: sign_test(wins, wins + losses),
        })
    }
}
