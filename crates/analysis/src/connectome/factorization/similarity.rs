//! How alike two factorizations are.

use ndarray::ArrayView1;
use pathfinding::prelude::{Matrix, kuhn_munkres};

use super::Factors;

/// Similarity of two factorizations of one rank, 0 to 1: components are matched so that the mean of their scores is
/// greatest, where a score is the product of the cosines of time, pair and animal factors and of `1 - |a - b| / max(a,
/// b)` for the components' norms (Williams et al., Neuron 2018). 0 where the ranks differ.
#[must_use]
pub fn similarity(a: &Factors, b: &Factors) -> f64 {
    let rank = a.rank();
    if rank != b.rank() || rank == 0 {
        return 0.0;
    }
    let score = |i: usize, j: usize| {
        let (na, nb) = (norm(a.animals.column(i)), norm(b.animals.column(j)));
        let scale = if na.max(nb) > 0.0 {
            1.0 - (na - nb).abs() / na.max(nb)
        } else {
            1.0
        };
        scale
            * cosine(a.time.column(i), b.time.column(j))
            * cosine(a.pairs.column(i), b.pairs.column(j))
            * cosine(a.animals.column(i), b.animals.column(j))
    };
    let scores: Vec<Vec<f64>> = (0..rank)
        .map(|i| (0..rank).map(|j| score(i, j)).collect())
        .collect();
    // The assignment works on whole numbers; a billionth of the score is far below any difference that matters.
    let whole = scores
        .iter()
        .map(|row| row.iter().map(|s| (s * 1e9) as i64));
    let Ok(matrix) = Matrix::from_rows(whole) else {
        return 0.0;
    };
    let (_, partner) = kuhn_munkres(&matrix);
    partner
        .iter()
        .enumerate()
        .map(|(i, &j)| scores[i][j])
        .sum::<f64>()
        / rank as f64
}

fn norm(x: ArrayView1<'_, f64>) -> f64 {
    x.dot(&x).sqrt()
}

fn cosine(x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> f64 {
    let scale = norm(x) * norm(y);
    if scale > 0.0 {
        (x.dot(&y) / scale).clamp(0.0, 1.0)
    } else {
        0.0
    }
}
