//! Cross-entropy over many classes: in lanes, and without a target for each of them.

use chiasm_core::vectorized;
use rayon::prelude::*;

use super::loss::Sums;
use crate::Real;

/// From so many classes on.
pub(super) const MANY: usize = 64;

/// Numbers side by side.
const LANES: usize = 16;
/// Rows worked on by one task, whatever the number of threads.
const ROWS: usize = 64;

/// The loss of rows of `n` outputs whose classes are `labels`, summed; `gradient` is overwritten with that of the mean, of
/// which each row has `share`.
pub(super) fn cross_entropy<T: Real>(
    outputs: &[T],
    n: usize,
    labels: impl Iterator<Item = usize>,
    (smoothing, share): (f64, T),
    gradient: &mut [T],
) -> Sums {
    let labels: Vec<usize> = labels.collect();
    let parts: Vec<Sums> = outputs
        .par_chunks(ROWS * n)
        .zip(gradient.par_chunks_mut(ROWS * n))
        .zip(labels.par_chunks(ROWS))
        .map(|((outputs, gradient), labels)| {
            let mut sums = Sums::default();
            let rows = outputs.chunks_exact(n).zip(gradient.chunks_exact_mut(n));
            for ((y, g), label) in rows.zip(labels) {
                let (loss, right) = vectorized(
                    #[inline(always)]
                    || row(y, *label, smoothing, share, g),
                );
                sums.loss += loss;
                sums.correct += f64::from(u8::from(right));
            }
            sums
        })
        .collect();
    parts.iter().fold(Sums::default(), |a, b| Sums {
        loss: a.loss + b.loss,
        correct: a.correct + b.correct,
    })
}

#[inline(always)]
fn row<T: Real>(y: &[T], label: usize, smoothing: f64, share: T, g: &mut [T]) -> (f64, bool) {
    let n = y.len() as f64;
    let top = over(y, T::neg_infinity(), |a, b| if b > a { b } else { a });
    for (g, y) in g.iter_mut().zip(y) {
        *g = (*y - top).vector_exp();
    }
    let sum = over(g, T::ZERO, |a, b| a + b);
    let log_sum = sum.wide().ln() + top.wide();
    let mut loss = log_sum - (1.0 - smoothing) * y[label].wide();
    if smoothing > 0.0 {
        loss -= smoothing / n * over(y, T::ZERO, |a, b| a + b).wide();
    }
    let (scale, spread) = (share / sum, T::of(smoothing / n) * share);
    for g in g.iter_mut() {
        *g = *g * scale - spread;
    }
    g[label] -= T::of(1.0 - smoothing) * share;
    // The first of equals.
    let right = y[label] == top && y[..label].iter().all(|v| *v < top);
    (loss, right)
}

/// Lane by lane, then the lanes in order.
#[inline(always)]
pub(super) fn over<T: Real>(x: &[T], first: T, join: impl Fn(T, T) -> T) -> T {
    let mut lanes = [first; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, *v);
        }
    }
    let all = lanes.iter().chain(rest);
    all.fold(first, |a, b| join(a, *b))
}

#[cfg(test)]
mod tests {
    use super::super::{Loss, Targets};

    #[test]
    fn many_classes_are_as_few() {
        let n = 70;
        let y: Vec<f64> = (0..3 * n).map(|i| ((i * 37) % 19) as f64 * 0.3).collect();
        let labels = [5, 69, 18];
        let values =
            ndarray::Array2::from_shape_fn((3, n), |(i, j)| if j == labels[i] { 1.0 } else { 0.0 });
        for smoothing in [0.0, 0.2] {
            let loss = Loss::CrossEntropy { smoothing };
            let (mut few, mut many) = (vec![0.0; 3 * n], vec![0.0; 3 * n]);
            // Targets of values go the way of few classes.
            let plain = loss.of(&y, &Targets::Values(values.view()), &[0, 1, 2], &mut few);
            let found = loss.of(&y, &Targets::Classes(&labels), &[0, 1, 2], &mut many);
            assert!((plain.loss - found.loss).abs() < 1e-12 * plain.loss);
            for (a, b) in few.iter().zip(&many) {
                assert!((a - b).abs() < 1e-15, "{a} {b}");
            }
        }
        let nan = [f64::NAN; 80];
        let loss = Loss::CrossEntropy { smoothing: 0.0 };
        let found = loss.of(&nan, &Targets::Classes(&[3]), &[0], &mut [0.0; 80]);
        assert!(found.loss.is_nan());
    }
}
