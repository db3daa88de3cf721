//! Losses on batches of embeddings, with their gradients.

use ndarray::{Array2, ArrayView2};

use super::ContrastiveError;

/// A loss, and its gradient at the embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// Mean over items and both directions, nats.
    pub value: f64,
    /// At side a, `[item, dimension]`.
    pub at_a: Array2<f32>,
    /// At side b, `[item, dimension]`.
    pub at_b: Array2<f32>,
}

/// The loss of the CLIP kind on a batch of pairs, `[item, dimension]` on both sides:
/// `1/2 [CE(z_a z_b' / tau, T) + CE(z_b z_a' / tau, T)]`. Each row of the target shares 1 equally among the items that have
/// its label.
///
/// # Errors
/// [`ContrastiveError::Number`] for sides of other shapes, other numbers of labels, or no item.
pub fn loss(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    labels: &[usize],
    temperature: f64,
) -> Result<Loss, ContrastiveError> {
    for (what, expected, found) in [
        ("items of side b", a.nrows(), b.nrows()),
        ("labels", a.nrows(), labels.len()),
        ("dimensions of side b", a.ncols(), b.ncols()),
    ] {
        if expected != found {
            return Err(ContrastiveError::Number {
                what,
                expected,
                found,
            });
        }
    }
    let n = labels.len();
    if n == 0 {
        return Err(ContrastiveError::Number {
            what: "labels",
            expected: 1,
            found: 0,
        });
    }
    let scores = a.dot(&b.t()).mapv(|s| f64::from(s) / temperature);
    let mut slope = Array2::<f64>::zeros((n, n));
    let mut value = 0.0;
    let mut direction = |transposed: bool| {
        for i in 0..n {
            let at = |j: usize| if transposed { (j, i) } else { (i, j) };
            let most = (0..n).map(|j| scores[at(j)]).fold(f64::MIN, f64::max);
            let sum: f64 = (0..n).map(|j| (scores[at(j)] - most).exp()).sum();
            let log_sum = most + sum.ln();
            let alike = labels.iter().filter(|l| **l == labels[i]).count();
            for j in 0..n {
                let mut error = (scores[at(j)] - log_sum).exp();
                if labels[j] == labels[i] {
                    let target = 1.0 / alike as f64;
                    value += target * (log_sum - scores[at(j)]);
                    error -= target;
                }
                slope[at(j)] += error;
            }
        }
    };
    direction(false);
    direction(true);
    let scale = 0.5 / n as f64;
    let slope = slope.mapv(|s| (s * scale / temperature) as f32);
    Ok(Loss {
        value: value * scale,
        at_a: slope.dot(&b),
        at_b: slope.t().dot(&a),
    })
}

/// The loss of prototypes: queries `[item, dimension]` against prototypes `[class, dimension]`, by squared distance over the
/// temperature. `at_a` is the gradient at the prototypes, `at_b` at the queries.
pub(super) fn prototype_loss(
    prototypes: ArrayView2<'_, f32>,
    queries: ArrayView2<'_, f32>,
    labels: &[usize],
    temperature: f64,
) -> Loss {
    let (k, n) = (prototypes.nrows(), queries.nrows());
    let mut found = Loss {
        value: 0.0,
        at_a: Array2::zeros(prototypes.dim()),
        at_b: Array2::zeros(queries.dim()),
    };
    let mut scores = vec![0.0f64; k];
    for (i, query) in queries.outer_iter().enumerate() {
        for (score, prototype) in scores.iter_mut().zip(prototypes.outer_iter()) {
            let square = |(q, p): (&f32, &f32)| f64::from(q - p).powi(2);
            let distance: f64 = query.iter().zip(prototype).map(square).sum();
            *score = -distance / temperature;
        }
        let most = scores.iter().copied().fold(f64::MIN, f64::max);
        let log_sum = most + scores.iter().map(|s| (s - most).exp()).sum::<f64>().ln();
        found.value += (log_sum - scores[labels[i]]) / n as f64;
        for (c, prototype) in prototypes.outer_iter().enumerate() {
            let error = (scores[c] - log_sum).exp() - f64::from(u8::from(c == labels[i]));
            let factor = (2.0 * error / (temperature * n as f64)) as f32;
            for (d, (q, p)) in query.iter().zip(prototype).enumerate() {
                found.at_b[[i, d]] -= factor * (q - p);
                found.at_a[[c, d]] += factor * (q - p);
            }
        }
    }
    found
}
