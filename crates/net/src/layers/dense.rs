//! A dense layer and its activation.

use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::backends::autodiff as burn_autodiff;
use burn_dispatch::backends::autodiff::checkpoint::strategy::NoCheckpointing;
use burn_dispatch::backends::flex::FlexTensor;
use burn_dispatch::backends::{Autodiff, Flex};
use burn_tensor::{DType, Tensor, activation};
use chiasm_core::vectorized;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::real::Real;
use super::{plain, primitive};

/// What a layer does to its sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `x` above 0, `exp(x) - 1` below.
    Elu,
}

/// Rows per task: sums over rows are taken within these first, then from task to task in order.
const ROWS: usize = 64;

/// `activation(x weights + bias)`: `x` of shape `[row, in]`, `weights` `[in, out]`, `bias` `[1, out]`.
///
/// Panics where the shapes do not fit, as Burn does.
#[must_use]
pub fn dense(
    x: Tensor<2>,
    weights: Tensor<2>,
    bias: Tensor<2>,
    activation: Activation,
) -> Tensor<2> {
    let parts = (primitive(&x), primitive(&weights), primitive(&bias));
    let (Some(px), Some(pw), Some(pb)) = parts else {
        // Outside a graph, or on another backend.
        return match (plain(&x), plain(&weights), plain(&bias)) {
            (Some(x), Some(w), Some(b)) => {
                Tensor::from_primitive::<Flex>(forward(&x, &w, &b, activation))
            }
            _ => dense_composed(x, weights, bias, activation),
        };
    };
    let prepared = Dense
        .prepare::<NoCheckpointing>([px.node(), pw.node(), pb.node()])
        .compute_bound()
        .stateful();
    let (x, w, b) = (
        px.into_primitive(),
        pw.into_primitive(),
        pb.into_primitive(),
    );
    let y = forward(&x, &w, &b, activation);
    let out = match prepared {
        OpsKind::UnTracked(prep) => prep.finish(y),
        OpsKind::Tracked(prep) => {
            let y_kept = y.clone();
            prep.finish(
                Kept {
                    x,
                    w,
                    y: y_kept,
                    activation,
                },
                y,
            )
        }
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

/// The same as [`dense`], of Burn's own operations.
#[must_use]
pub fn dense_composed(
    x: Tensor<2>,
    weights: Tensor<2>,
    bias: Tensor<2>,
    activation: Activation,
) -> Tensor<2> {
    let sums = x.matmul(weights) + bias;
    match activation {
        Activation::Linear => sums,
        Activation::Elu => activation::elu(sums, 1.0),
    }
}

#[derive(Debug)]
struct Dense;

#[derive(Debug, Clone)]
struct Kept {
    x: FlexTensor,
    w: FlexTensor,
    y: FlexTensor,
    activation: Activation,
}

impl Backward<Flex, 3> for Dense {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let Kept {
            x,
            w,
            y,
            activation,
        } = ops.state;
        let grad = grads.consume::<Flex>(&ops.node);
        let [of_x, of_w, of_b] = ops.parents;
        // y need not be kept longer than this: its gradient takes its place.
        let (grad, bias) = match grad.dtype() {
            DType::F64 => through::<f64>(grad, &y, activation),
            _ => through::<f32>(grad, &y, activation),
        };
        if let Some(node) = of_b {
            grads.register::<Flex>(node.id, bias);
        }
        if let Some(node) = of_w {
            let product = Flex::float_matmul(Flex::float_transpose(x), grad.clone());
            grads.register::<Flex>(node.id, product);
        }
        if let Some(node) = of_x {
            let product = Flex::float_matmul(grad, Flex::float_transpose(w));
            grads.register::<Flex>(node.id, product);
        }
    }
}

fn forward(x: &FlexTensor, w: &FlexTensor, b: &FlexTensor, activation: Activation) -> FlexTensor {
    let mut y = Flex::float_matmul(x.clone(), w.clone()).to_contiguous();
    let b = b.to_contiguous();
    match y.dtype() {
        DType::F64 => activate::<f64>(&mut y, &b, activation),
        _ => activate::<f32>(&mut y, &b, activation),
    }
    y
}

fn activate<R: Real>(y: &mut FlexTensor, bias: &FlexTensor, activation: Activation) {
    let bias = R::values(bias);
    let width = bias.len().max(1);
    R::values_mut(y)
        .par_chunks_mut(ROWS * width)
        .for_each(|rows| {
            vectorized(
                #[inline(always)]
                || {
                    for row in rows.chunks_exact_mut(width) {
                        match activation {
                            Activation::Linear => {
                                for (v, b) in row.iter_mut().zip(bias) {
                                    *v += *b;
                                }
                            }
                            Activation::Elu => {
                                for (v, b) in row.iter_mut().zip(bias) {
                                    let sum = *v + *b;
                                    // Written so that NaN stays NaN.
                                    let below = if sum > R::ZERO { R::ZERO } else { sum };
                                    let low = below.exp_m1();
                                    *v = if sum > R::ZERO { sum } else { low };
                                }
                            }
                        }
                    }
                },
            );
        });
}

/// The gradient before the activation, and its sum over rows.
fn through<R: Real>(
    grad: FlexTensor,
    y: &FlexTensor,
    activation: Activation,
) -> (FlexTensor, FlexTensor) {
    // The first handle must go, or the memory counts as shared and is copied before it is written.
    let whole = grad.to_contiguous();
    drop(grad);
    let mut grad = whole;
    let width = y.layout().shape()[1].max(1);
    let y = R::values(y);
    let sums: Vec<Vec<R>> = R::values_mut(&mut grad)
        .par_chunks_mut(ROWS * width)
        .zip(y.par_chunks(ROWS * width))
        .map(|(grad, y)| {
            vectorized(
                #[inline(always)]
                || {
                    let mut sums = vec![R::ZERO; width];
                    let rows = grad.chunks_exact_mut(width).zip(y.chunks_exact(width));
                    for (grad, y) in rows {
                        if activation == Activation::Elu {
                            for (g, y) in grad.iter_mut().zip(y) {
                                let slope = if *y > R::ZERO { R::ONE } else { *y + R::ONE };
                                *g = *g * slope;
                            }
                        }
                        for (s, g) in sums.iter_mut().zip(grad.iter()) {
                            *s += *g;
                        }
                    }
                    sums
                },
            )
        })
        .collect();
    let mut bias = vec![R::ZERO; width];
    for part in sums {
        for (b, s) in bias.iter_mut().zip(part) {
            *b += s;
        }
    }
    (grad, R::tensor(bias, [1, width]))
}
