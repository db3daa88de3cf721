//! How often neurons spike: the usual output of a spiking network.

use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::backends::autodiff as burn_autodiff;
use burn_dispatch::backends::autodiff::checkpoint::strategy::NoCheckpointing;
use burn_dispatch::backends::flex::FlexTensor;
use burn_dispatch::backends::{Autodiff, Flex};
use burn_tensor::{DType, Shape, Tensor};
use chiasm_core::vectorized;
use rayon::prelude::*;

use super::super::real::Real;
use super::super::{plain, primitive};

/// Neurons of a task, over the batch and the layer.
const LANES: usize = 512;

/// The sum of `[time, batch, neuron]` over time, `[batch, neuron]`. Its gradient is not spread out in memory.
#[must_use]
pub fn spike_counts(spikes: Tensor<3>) -> Tensor<2> {
    let Some(p) = primitive(&spikes) else {
        return match plain(&spikes) {
            Some(p) => Tensor::from_primitive::<Flex>(forward(&p)),
            None => spikes.sum_dim(0).squeeze_dim::<2>(0),
        };
    };
    let prepared = Counts
        .prepare::<NoCheckpointing>([p.node()])
        .compute_bound()
        .stateful();
    let spikes = p.into_primitive();
    let out = match prepared {
        OpsKind::UnTracked(prep) => prep.finish(forward(&spikes)),
        OpsKind::Tracked(prep) => prep.finish(spikes.layout().shape().clone(), forward(&spikes)),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

fn forward(spikes: &FlexTensor) -> FlexTensor {
    let spikes = spikes.to_contiguous();
    match spikes.dtype() {
        DType::F64 => sums::<f64>(&spikes),
        _ => sums::<f32>(&spikes),
    }
}

fn sums<R: Real>(spikes: &FlexTensor) -> FlexTensor {
    let shape = spikes.layout().shape();
    let (batch, n) = (shape[1], shape[2]);
    let (values, width) = (R::values(spikes), batch * n);
    let mut sums = vec![R::ZERO; width];
    sums.par_chunks_mut(LANES)
        .enumerate()
        .for_each(|(c, sums)| {
            vectorized(
                #[inline(always)]
                || {
                    for row in values.chunks_exact(width) {
                        let row = &row[c * LANES..][..sums.len()];
                        for (sum, value) in sums.iter_mut().zip(row) {
                            *sum += *value;
                        }
                    }
                },
            );
        });
    R::tensor(sums, [batch, n])
}

#[derive(Debug)]
struct Counts;

impl Backward<Flex, 1> for Counts {
    type State = Shape;

    fn backward(self, ops: Ops<Shape, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let shape = ops.state;
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [of_spikes] = ops.parents;
        if let Some(node) = of_spikes {
            let grad = grad.reshape(Shape::new([1, shape[1], shape[2]]));
            grads.register::<Flex>(node.id, Flex::float_expand(grad, shape));
        }
    }
}
