//! How alike two RDMs are: correlations of their distances.

use chiasm_core::stats;
use chiasm_data::Rdms;
use ndarray::Array2;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RsaError;

/// A measure of likeness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// Pearson correlation of ranks, ties averaged. In [-1, 1].
    #[default]
    Spearman,
    /// Pearson correlation. In [-1, 1].
    Pearson,
    /// Cosine of the angle between the vectors of distances. In [-1, 1]; of distances all above 0 in [0, 1].
    Cosine,
    /// Kendall's tau-a: concordant minus discordant pairs of distances over all pairs. Ties count as neither, so that
    /// models with ties are not favored. In [-1, 1].
    KendallTauA,
}

impl Similarity {
    /// The likeness of two vectors of one length. NaN where it is undefined: one of them is constant (all zero, for the
    /// cosine), as binary category models can be after a transform.
    #[must_use]
    pub fn of(self, a: &[f64], b: &[f64]) -> f64 {
        debug_assert_eq!(a.len(), b.len());
        match self {
            Self::Spearman => stats::spearman(a, b),
            Self::Pearson => stats::pearson(a, b),
            Self::Cosine => cosine(a, b),
            Self::KendallTauA => kendall_tau_a(a, b),
        }
    }
}

/// The likeness of every vector of `a` (rows) with every one of `b` (columns): `[rdm of a, rdm of b]`. Ranks are taken once
/// for each. NaN where undefined: see [`Similarity::of`].
///
/// # Errors
/// [`RsaError::Shape`] if the numbers of stimuli differ.
pub fn compare(a: &Rdms, b: &Rdms, how: Similarity) -> Result<Array2<f64>, RsaError> {
    if a.n_stimuli() != b.n_stimuli() {
        return Err(RsaError::Shape {
            what: "RDMs to compare",
            expected: format!("{} stimuli", a.n_stimuli()),
            found: b.n_stimuli().to_string(),
        });
    }
    // Each vector is brought into a form in which the likeness is a plain product.
    let prepared = |rdms: &Rdms| -> Vec<Vec<f64>> {
        let rows = (0..rdms.len())
            .into_par_iter()
            .map(|i| rdms.vector(i).to_vec());
        rows.map(|row| match how {
            Similarity::Spearman => unit(centered(stats::average_ranks(&row))),
            Similarity::Pearson => unit(centered(row)),
            Similarity::Cosine => unit(row),
            Similarity::KendallTauA => row,
        })
        .collect()
    };
    let (left, right) = (prepared(a), prepared(b));
    let cells: Vec<f64> = (0..a.len() * b.len())
        .into_par_iter()
        .map(|cell| {
            let (x, y) = (&left[cell / b.len()], &right[cell % b.len()]);
            match how {
                Similarity::KendallTauA => kendall_tau_a(x, y),
                _ => dot(x, y).clamp(-1.0, 1.0),
            }
        })
        .collect();
    Ok(Array2::from_shape_vec((a.len(), b.len()), cells).expect("a cell for each pair"))
}

fn centered(mut x: Vec<f64>) -> Vec<f64> {
    let mean = stats::mean(&x);
    x.iter_mut().for_each(|v| *v -= mean);
    x
}

/// Scaled to length 1; NaN everywhere if the length is 0.
fn unit(mut x: Vec<f64>) -> Vec<f64> {
    let length = dot(&x, &x).sqrt();
    let length = if length > 0.0 { length } else { f64::NAN };
    x.iter_mut().for_each(|v| *v /= length);
    x
}

/// Sums in eight lanes: vector instructions, and the same bits everywhere.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a8.zip(b8) {
        for k in 0..8 {
            lanes[k] += a[k] * b[k];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        f64::NAN
    }
}

/// Kendall's tau-a in O(m log m) (Knight 1966). NaN where either vector is constant.
#[must_use]
pub fn kendall_tau_a(a: &[f64], b: &[f64]) -> f64 {
    let m = a.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| a[i].total_cmp(&a[j]).then(b[i].total_cmp(&b[j])));
    let pairs = |k: usize| (k * k.saturating_sub(1) / 2) as i64;
    let runs = |same: &dyn Fn(usize, usize) -> bool| {
        let mut ties = 0;
        let mut start = 0;
        for i in 1..=m {
            if i == m || !same(i - 1, i) {
                ties += pairs(i - start);
                start = i;
            }
        }
        ties
    };
    let in_a = runs(&|i, j| a[order[i]] == a[order[j]]);
    let in_both = runs(&|i, j| a[order[i]] == a[order[j]] && b[order[i]] == b[order[j]]);
    let mut by_b: Vec<f64> = order.iter().map(|&i| b[i]).collect();
    let discordant = inversions(&mut by_b);
    let in_b = runs(&|i, j| by_b[i] == by_b[j]);
    let all = pairs(m);
    if m < 2 || in_a == all || in_b == all {
        return f64::NAN;
    }
    (all - in_a - in_b + in_both - 2 * discordant) as f64 / all as f64
}

/// Sorts and counts the pairs that stood in descending order.
fn inversions(x: &mut [f64]) -> i64 {
    if x.len() < 2 {
        return 0;
    }
    let (left, right) = x.split_at_mut(x.len() / 2);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            merged.push(left[i]);
            i += 1;
        } else {
            count += (left.len() - i) as i64;
            merged.push(right[j]);
            j += 1;
        }
    }
    x.copy_from_slice(&merged);
    count
}
