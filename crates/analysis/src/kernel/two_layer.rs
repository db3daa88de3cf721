//! How much the tangent kernel of a two-layer linear network turns while it learns, in closed form (paper 17, theorem 1 and
//! proposition 1, as derived for its card: the printed forms were not seen).
//!
//! `f(x) = w W x` with `W` `[unit, input]` and `w` `[unit]`, white inputs, squared loss to a target direction `beta`. In the
//! space of inputs the tangent kernel is `W' W + |w|^2 I`. From a small start it ends as `|beta| (I + b b')`,
//! `b = beta / |beta|`, so its alignment with the kernel at the start is known beforehand ([`small_start_alignment`]), and
//! for targets of any direction it depends on the start by its participation ratio alone ([`expected_alignment`]): the more
//! even the start, the lazier the learning.

use chiasm_core::Rng;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand_distr::{Distribution, StandardNormal};

use super::{KernelError, check, inner, participation_ratio};

/// A two-layer linear network.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoLayer {
    /// `W`, `[unit, input]`.
    pub first: Array2<f64>,
    /// `w`, one for each unit.
    pub second: Array1<f64>,
}

impl TwoLayer {
    /// A start whose first layer has `rank` equal singular values, in random directions, and Frobenius norm `size`, and whose
    /// second layer has norm `second`, in a random direction.
    ///
    /// # Errors
    /// [`KernelError::TooFew`] for fewer units or inputs than the rank, or a rank of 0.
    pub fn of_rank(
        (units, inputs): (usize, usize),
        rank: usize,
        (size, second): (f64, f64),
        rng: &mut Rng,
    ) -> Result<Self, KernelError> {
        let least = rank.max(1);
        let found = units
            .min(inputs)
            .min(if rank == 0 { 0 } else { usize::MAX });
        if found < least {
            return Err(KernelError::TooFew {
                what: "units and inputs for this rank",
                least,
                found,
            });
        }
        let (left, right) = (directions(rank, units, rng), directions(rank, inputs, rng));
        let each = size / (rank as f64).sqrt();
        let direction = directions(1, units, rng);
        Ok(Self {
            first: left.t().dot(&right) * each,
            second: direction.row(0).to_owned() * second,
        })
    }

    /// The start that is aligned with its target (proposition 1): `w = s u'`, `W = s u b'`. Its kernel never turns,
    /// although its first layer has rank one.
    #[must_use]
    pub fn aligned(unit: ArrayView1<'_, f64>, direction: ArrayView1<'_, f64>, scale: f64) -> Self {
        let u = &unit / unit.dot(&unit).sqrt();
        let b = &direction / direction.dot(&direction).sqrt();
        let column = u.view().insert_axis(Axis(1));
        Self {
            first: column.dot(&b.view().insert_axis(Axis(0))) * scale,
            second: u * scale,
        }
    }

    /// The tangent kernel in the space of inputs, `[input, input]`: `W' W + |w|^2 I`.
    #[must_use]
    pub fn kernel(&self) -> Array2<f64> {
        let mut kernel = self.first.t().dot(&self.first);
        kernel
            .diag_mut()
            .mapv_inplace(|v| v + self.second.dot(&self.second));
        kernel
    }

    /// What is learned: `W' w`.
    #[must_use]
    pub fn product(&self) -> Array1<f64> {
        self.first.t().dot(&self.second)
    }

    /// Half the squared distance of what is learned from the target.
    #[must_use]
    pub fn loss(&self, target: ArrayView1<'_, f64>) -> f64 {
        let error = self.product() - target;
        0.5 * error.dot(&error)
    }

    /// Plain descent at this rate until the loss is at most `tolerance`; returns the steps it took.
    ///
    /// # Errors
    /// [`KernelError::Items`] for a target of another length; [`KernelError::NotLearned`] where `most` steps do not do.
    pub fn learn(
        &mut self,
        target: ArrayView1<'_, f64>,
        rate: f64,
        tolerance: f64,
        most: usize,
    ) -> Result<usize, KernelError> {
        if target.len() != self.first.ncols() {
            return Err(KernelError::Items {
                what: "target",
                expected: self.first.ncols(),
                found: target.len(),
            });
        }
        for step in 0..most {
            let error = self.product() - target;
            // NaN must not pass.
            if 0.5 * error.dot(&error) <= tolerance {
                return Ok(step);
            }
            let second = self.first.dot(&error);
            for (mut row, w) in self.first.rows_mut().into_iter().zip(&self.second) {
                row.scaled_add(-rate * w, &error);
            }
            self.second.scaled_add(-rate, &second);
        }
        Err(KernelError::NotLearned {
            steps: most,
            loss: self.loss(target),
            tolerance,
        })
    }
}

/// Random orthonormal rows.
fn directions(n: usize, length: usize, rng: &mut Rng) -> Array2<f64> {
    let mut rows: Array2<f64> =
        Array2::from_shape_simple_fn((n, length), || StandardNormal.sample(rng));
    for i in 0..n {
        let (before, mut rest) = rows.view_mut().split_at(Axis(0), i);
        let mut row = rest.row_mut(0);
        for _ in 0..2 {
            for known in before.rows() {
                let along = known.dot(&row);
                row.scaled_add(-along, &known);
            }
            let length: f64 = row.dot(&row).sqrt();
            row /= length;
        }
    }
    rows
}

/// The alignment of the tangent kernel at the start with that at the end, for a target, in the limit of a small start:
/// `(tr K + b' K b) / (|K| sqrt(d + 3))` (paper 17, F).
///
/// # Errors
/// [`KernelError`] for a matrix that is not square, not finite or zero, a target of another length or of length 0.
pub fn small_start_alignment(
    kernel: ArrayView2<'_, f64>,
    target: ArrayView1<'_, f64>,
) -> Result<f64, KernelError> {
    check("kernel", kernel)?;
    if target.len() != kernel.nrows() {
        return Err(KernelError::Items {
            what: "target",
            expected: kernel.nrows(),
            found: target.len(),
        });
    }
    let (norm, length) = (inner(kernel, kernel).sqrt(), target.dot(&target));
    for (what, v) in [("kernel", norm), ("target", length)] {
        if !(v > 0.0 && v.is_finite()) {
            return Err(KernelError::Undefined {
                what,
                quantity: "value but zero",
            });
        }
    }
    let along = target.dot(&kernel.dot(&target)) / length;
    let d = kernel.nrows() as f64;
    Ok((kernel.diag().sum() + along) / (norm * (d + 3.0).sqrt()))
}

/// Its mean over targets of all directions: `(1 + 1/d) sqrt(PR / (d + 3))`, `PR` the participation ratio of the kernel at the
/// start (paper 17, theorem 1).
///
/// # Errors
/// As [`participation_ratio`].
pub fn expected_alignment(kernel: ArrayView2<'_, f64>) -> Result<f64, KernelError> {
    let d = kernel.nrows() as f64;
    Ok((1.0 + 1.0 / d) * (participation_ratio(kernel)? / (d + 3.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{alignment, gram};
    use chiasm_core::Streams;

    fn targets(n: usize, seed: u64) -> Array2<f64> {
        let mut rng = Streams::new(seed).stream("targets");
        let mut all =
            Array2::from_shape_simple_fn((n, 10), || -> f64 { StandardNormal.sample(&mut rng) });
        for mut row in all.rows_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        all
    }

    fn start(rank: usize, size: f64, second: f64, seed: u64) -> TwoLayer {
        let mut rng = Streams::new(seed).stream("start");
        TwoLayer::of_rank((20, 10), rank, (size, second), &mut rng).unwrap()
    }

    fn turned(start: &TwoLayer, target: ArrayView1<'_, f64>) -> f64 {
        let mut network = start.clone();
        network.learn(target, 0.02, 1e-13, 1_000_000).unwrap();
        alignment(start.kernel().view(), network.kernel().view()).unwrap()
    }

    #[test]
    fn descent_turns_the_kernel_as_the_formula_says() {
        for (i, rank) in [1, 2, 5, 10].into_iter().enumerate() {
            for second in [0.0, 1e-3] {
                let start = start(rank, 1e-3, second, i as u64);
                for target in targets(5, i as u64).rows() {
                    let expected = small_start_alignment(start.kernel().view(), target).unwrap();
                    let found = turned(&start, target);
                    assert!(
                        (found - expected).abs() < 1e-6,
                        "{rank}: {found} {expected}"
                    );
                }
            }
        }
        // A start ten times as large is a hundred times as far off.
        let error = |size: f64| {
            let start = start(2, size, size, 1);
            let all = targets(5, 2);
            let of = |t: ArrayView1<'_, f64>| {
                (turned(&start, t) - small_start_alignment(start.kernel().view(), t).unwrap()).abs()
            };
            all.rows().into_iter().map(of).fold(0.0, f64::max)
        };
        let ratio = error(0.1) / error(0.01);
        assert!((50.0..200.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn the_mean_over_targets_is_that_of_the_theorem() {
        let all = targets(1000, 7);
        for (second, expected) in [
            (0.0, [0.30509, 0.43146, 0.68219, 0.96476]),
            (1e-3, [0.93077, 0.94920, 0.96080, 0.96476]),
        ] {
            for (rank, expected) in [1, 2, 5, 10].into_iter().zip(expected) {
                let kernel = start(rank, 1e-3, second, 3).kernel();
                let theorem = expected_alignment(kernel.view()).unwrap();
                assert!((theorem - expected).abs() < 6e-6, "{rank}: {theorem}");
                let each = all.rows().into_iter();
                let each = each.map(|t| small_start_alignment(kernel.view(), t).unwrap());
                let mean = each.sum::<f64>() / 1000.0;
                // The spread of a mean over tasks at rank 1 is 1.4 % of it.
                assert!((mean / expected - 1.0).abs() < 0.04, "{rank}: {mean}");
            }
        }
    }

    #[test]
    fn an_aligned_start_of_rank_one_never_turns() {
        let target = targets(1, 1).row(0).to_owned();
        let unit = start(1, 1.0, 1.0, 9).second;
        for scale in [0.01, 0.5] {
            let start = TwoLayer::aligned(unit.view(), target.view(), scale);
            assert!((turned(&start, target.view()) - 1.0).abs() < 1e-12);
        }
        // A balanced start in another direction does.
        let other = targets(1, 4).row(0).to_owned();
        let start = TwoLayer::aligned(unit.view(), other.view(), 1e-3);
        let expected = (12.0 + other.dot(&target).powi(2)) / 13.0;
        assert!((turned(&start, target.view()) - expected).abs() < 1e-6);
    }

    #[test]
    fn the_kernel_is_that_of_the_gradients() {
        // f(x) = w W x; gradients: d/dW = w' x', d/dw = W x.
        let network = start(4, 0.7, 0.3, 5);
        let x = targets(6, 8);
        let mut gradients = Array2::zeros((6, 20 * 10 + 20));
        for (mut g, x) in gradients.rows_mut().into_iter().zip(x.rows()) {
            for u in 0..20 {
                for i in 0..10 {
                    g[u * 10 + i] = network.second[u] * x[i];
                }
                g[200 + u] = network.first.row(u).dot(&x);
            }
        }
        let closed = x.dot(&network.kernel()).dot(&x.t());
        for (a, b) in gram(gradients.view()).iter().zip(&closed) {
            assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut rng = Streams::new(1).stream("r");
        assert!(TwoLayer::of_rank((20, 10), 0, (1.0, 0.0), &mut rng).is_err());
        assert!(TwoLayer::of_rank((20, 10), 11, (1.0, 0.0), &mut rng).is_err());
        let mut network = start(2, 1e-3, 0.0, 1);
        let short = Array1::ones(3);
        assert!(network.learn(short.view(), 0.02, 1e-13, 10).is_err());
        let target = targets(1, 1);
        let e = network.learn(target.row(0), 0.02, 1e-13, 3).unwrap_err();
        assert!(e.to_string().contains("after 3 steps"), "{e}");
        let kernel = network.kernel();
        assert!(small_start_alignment(kernel.view(), short.view()).is_err());
        let zero = Array1::zeros(10);
        assert!(small_start_alignment(kernel.view(), zero.view()).is_err());
    }
}
