//! Sums over data, one pass each: squared errors and Poisson energies.

use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_dispatch::backends::autodiff as burn_autodiff;
use burn_dispatch::backends::autodiff::checkpoint::strategy::NoCheckpointing;
use burn_dispatch::backends::flex::FlexTensor;
use burn_dispatch::backends::{Autodiff, Flex};
use burn_tensor::{DType, Tensor};
use chiasm_core::vectorized;
use rayon::prelude::*;

use super::primitive;
use super::real::Real;

/// Values summed within one task, in order, in `f64` from row to row; then from task to task in order.
const ROWS: usize = 32;

/// `sum_rt weight_r (x_rt - target_rt)^2` as a tensor of one value. `x` and `target`: `[row, column]`; `weight`: `[row, 1]`,
/// 0 for rows that are not to count (their values must be finite still). Only `x` gets a gradient.
#[must_use]
pub fn squared_error(x: Tensor<2>, target: Tensor<2>, weight: Tensor<2>) -> Tensor<1> {
    let parts = (primitive(&x), primitive(&target), primitive(&weight));
    let (Some(px), Some(pt), Some(pw)) = parts else {
        return squared_error_composed(x, target, weight);
    };
    let prepared = SquaredError
        .prepare::<NoCheckpointing>([px.node()])
        .compute_bound()
        .stateful();
    let kept = Errors {
        x: px.into_primitive().to_contiguous(),
        target: pt.into_primitive().to_contiguous(),
        weight: pw.into_primitive().to_contiguous(),
    };
    let value = match kept.x.dtype() {
        DType::F64 => kept.sum::<f64>(),
        _ => kept.sum::<f32>(),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(match prepared {
        OpsKind::UnTracked(prep) => prep.finish(value),
        OpsKind::Tracked(prep) => prep.finish(kept, value),
    })
}

/// The same as [`squared_error`], of Burn's own operations.
#[must_use]
pub fn squared_error_composed(x: Tensor<2>, target: Tensor<2>, weight: Tensor<2>) -> Tensor<1> {
    ((x - target).square() * weight).sum_dim(1).sum()
}

/// `sum_rn weight_r (exp(eta + variance / 2) - counts eta)` as a tensor of one value: minus the expected Poisson
/// log-likelihood where the log rate is Gaussian of this mean and variance, up to `ln counts!`. All of shape
/// `[row, unit]`, `weight` `[row, 1]`. `eta` and `variance` get gradients.
#[must_use]
pub fn poisson_energy(
    eta: Tensor<2>,
    variance: Tensor<2>,
    counts: Tensor<2>,
    weight: Tensor<2>,
) -> Tensor<1> {
    let parts = (
        primitive(&eta),
        primitive(&variance),
        primitive(&counts),
        primitive(&weight),
    );
    let (Some(pe), Some(pv), Some(pc), Some(pw)) = parts else {
        return poisson_energy_composed(eta, variance, counts, weight);
    };
    let prepared = PoissonEnergy
        .prepare::<NoCheckpointing>([pe.node(), pv.node()])
        .compute_bound()
        .stateful();
    let counts = pc.into_primitive().to_contiguous();
    let weight = pw.into_primitive().to_contiguous();
    let eta = pe.into_primitive().to_contiguous();
    let variance = pv.into_primitive().to_contiguous();
    let (value, mean) = match eta.dtype() {
        DType::F64 => energy::<f64>(&eta, variance, &counts, &weight),
        _ => energy::<f32>(&eta, variance, &counts, &weight),
    };
    let kept = Means {
        mean,
        counts,
        weight,
    };
    Tensor::from_primitive::<Autodiff<Flex>>(match prepared {
        OpsKind::UnTracked(prep) => prep.finish(value),
        OpsKind::Tracked(prep) => prep.finish(kept, value),
    })
}

/// The same as [`poisson_energy`], of Burn's own operations.
#[must_use]
pub fn poisson_energy_composed(
    eta: Tensor<2>,
    variance: Tensor<2>,
    counts: Tensor<2>,
    weight: Tensor<2>,
) -> Tensor<1> {
    let energy = (eta.clone() + variance * 0.5).exp() - counts * eta;
    (energy * weight).sum_dim(1).sum()
}

#[derive(Debug)]
struct SquaredError;

#[derive(Debug, Clone)]
struct Errors {
    x: FlexTensor,
    target: FlexTensor,
    weight: FlexTensor,
}

impl Errors {
    fn width(&self) -> usize {
        self.x.layout().shape()[1].max(1)
    }

    fn sum<R: Real>(&self) -> FlexTensor {
        let width = self.width();
        let parts: Vec<f64> = R::values(&self.x)
            .par_chunks(ROWS * width)
            .zip(R::values(&self.target).par_chunks(ROWS * width))
            .zip(R::values(&self.weight).par_chunks(ROWS))
            .map(|((x, target), weight)| {
                vectorized(
                    #[inline(always)]
                    || {
                        let rows = x.chunks_exact(width).zip(target.chunks_exact(width));
                        rows.zip(weight)
                            .map(|((x, target), w)| w.to_f64() * row_error(x, target))
                            .sum::<f64>()
                    },
                )
            })
            .collect();
        R::tensor(vec![R::of(parts.iter().sum())], [1])
    }

    fn gradient<R: Real>(self, scale: &FlexTensor) -> FlexTensor {
        let width = self.width();
        let scale = R::of(2.0) * R::values(scale)[0];
        let (target, weight) = (R::values(&self.target), R::values(&self.weight));
        // Written in place if nothing else holds x.
        let mut out = self.x;
        R::values_mut(&mut out)
            .par_chunks_mut(ROWS * width)
            .zip(target.par_chunks(ROWS * width))
            .zip(weight.par_chunks(ROWS))
            .for_each(|((x, target), weight)| {
                vectorized(
                    #[inline(always)]
                    || {
                        let rows = x.chunks_exact_mut(width).zip(target.chunks_exact(width));
                        for ((x, target), w) in rows.zip(weight) {
                            let scale = scale * *w;
                            for (x, t) in x.iter_mut().zip(target) {
                                *x = scale * (*x - *t);
                            }
                        }
                    },
                );
            });
        out
    }
}

/// Eight sums side by side, so that the compiler makes vectors of them; their order is fixed.
#[inline(always)]
fn row_error<R: Real>(x: &[R], target: &[R]) -> f64 {
    let mut sums = [R::ZERO; 8];
    let (x_blocks, t_blocks) = (x.chunks_exact(8), target.chunks_exact(8));
    let rest: R = x_blocks
        .remainder()
        .iter()
        .zip(t_blocks.remainder())
        .map(|(a, b)| (*a - *b) * (*a - *b))
        .sum();
    for (a, b) in x_blocks.zip(t_blocks) {
        for i in 0..8 {
            let gap = a[i] - b[i];
            sums[i] += gap * gap;
        }
    }
    sums.iter().map(|s| s.to_f64()).sum::<f64>() + rest.to_f64()
}

impl Backward<Flex, 1> for SquaredError {
    type State = Errors;

    fn backward(self, ops: Ops<Errors, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let scale = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x] = ops.parents;
        if let Some(node) = of_x {
            let gradient = match scale.dtype() {
                DType::F64 => ops.state.gradient::<f64>(&scale),
                _ => ops.state.gradient::<f32>(&scale),
            };
            grads.register::<Flex>(node.id, gradient);
        }
    }
}

#[derive(Debug)]
struct PoissonEnergy;

#[derive(Debug, Clone)]
struct Means {
    mean: FlexTensor,
    counts: FlexTensor,
    weight: FlexTensor,
}

/// The energy, and the expected counts in the place of the variances.
fn energy<R: Real>(
    eta: &FlexTensor,
    variance: FlexTensor,
    counts: &FlexTensor,
    weight: &FlexTensor,
) -> (FlexTensor, FlexTensor) {
    let mut mean = variance;
    let width = eta.layout().shape()[1].max(1);
    let (half, eta, counts) = (R::of(0.5), R::values(eta), R::values(counts));
    let parts: Vec<f64> = R::values_mut(&mut mean)
        .par_chunks_mut(ROWS * width)
        .zip(eta.par_chunks(ROWS * width))
        .zip(counts.par_chunks(ROWS * width))
        .zip(R::values(weight).par_chunks(ROWS))
        .map(|(((mean, eta), counts), weight)| {
            vectorized(
                #[inline(always)]
                || {
                    let mut sum = 0.0;
                    let rows = mean.chunks_exact_mut(width).zip(eta.chunks_exact(width));
                    for (((mean, eta), counts), w) in
                        rows.zip(counts.chunks_exact(width)).zip(weight)
                    {
                        for (m, e) in mean.iter_mut().zip(eta) {
                            *m = (*e + half * *m).exp();
                        }
                        let row: f64 = mean
                            .iter()
                            .zip(eta)
                            .zip(counts)
                            .map(|((m, e), c)| (*m - *c * *e).to_f64())
                            .sum();
                        sum += w.to_f64() * row;
                    }
                    sum
                },
            )
        })
        .collect();
    (R::tensor(vec![R::of(parts.iter().sum())], [1]), mean)
}

impl Means {
    /// Gradients for the log rates and their variances.
    fn gradients<R: Real>(self, scale: &FlexTensor) -> (FlexTensor, FlexTensor) {
        let width = self.mean.layout().shape()[1].max(1);
        let scale = R::values(scale)[0];
        let half = R::of(0.5);
        let (mut of_variance, mut of_eta) = (self.mean, self.counts);
        let weight = R::values(&self.weight);
        R::values_mut(&mut of_variance)
            .par_chunks_mut(ROWS * width)
            .zip(R::values_mut(&mut of_eta).par_chunks_mut(ROWS * width))
            .zip(weight.par_chunks(ROWS))
            .for_each(|((mean, counts), weight)| {
                let rows = mean
                    .chunks_exact_mut(width)
                    .zip(counts.chunks_exact_mut(width));
                for ((mean, counts), w) in rows.zip(weight) {
                    let scale = scale * *w;
                    for (m, c) in mean.iter_mut().zip(counts) {
                        let expected = *m;
                        *c = scale * (expected - *c);
                        *m = half * scale * expected;
                    }
                }
            });
        (of_eta, of_variance)
    }
}

impl Backward<Flex, 2> for PoissonEnergy {
    type State = Means;

    fn backward(self, ops: Ops<Means, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let scale = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [of_eta, of_variance] = ops.parents;
        let (eta, variance) = match scale.dtype() {
            DType::F64 => ops.state.gradients::<f64>(&scale),
            _ => ops.state.gradients::<f32>(&scale),
        };
        if let Some(node) = of_eta {
            grads.register::<Flex>(node.id, eta);
        }
        if let Some(node) = of_variance {
            grads.register::<Flex>(node.id, variance);
        }
    }
}
