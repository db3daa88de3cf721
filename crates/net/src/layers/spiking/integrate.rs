//! Neurons over all steps in one pass, and back.

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

use super::super::real::Real;
use super::super::{plain, primitive};
use super::neuron::{Factors, Neuron, Scratch};
use super::slices::{Rows, check_leak, check_length, columns_mut, of_leaks};
use super::{Drive, Firing, Lif, Reset, SpikingError, leak_values};

/// Neurons of a task, over the batch and the layer.
const LANES: usize = 512;

/// Spikes of leaky integrate-and-fire neurons, all steps in one pass.
///
/// `input` is `[time, batch, neuron]`, `leak` `[1]` or `[neuron]` and between 0 and 1; spikes have the input's shape.
/// Neurons start at 0. Gradients go to the input and to the leak, where those are tracked.
///
/// # Errors
/// A setting out of its range; a leak of another shape, out of its range or not a number; tensors of two precisions. An input
/// that is not a number is no error, but from then on the neuron's spikes are not numbers either.
pub fn lif(input: Tensor<3>, leak: Tensor<1>, config: &Lif) -> Result<Tensor<3>, SpikingError> {
    check(&input, &leak, config)?;
    let (input, leak) = super::alike(input, leak);
    let (Some(pi), Some(pl)) = (primitive(&input), primitive(&leak)) else {
        // Outside a graph, or on another backend.
        return Ok(match (plain(&input), plain(&leak)) {
            (Some(i), Some(l)) => {
                drop(input);
                Tensor::from_primitive::<Flex>(forward(i, &l, config).0)
            }
            _ => composed(input, leak, config),
        });
    };
    drop(input);
    let prepared = LifLayer
        .prepare::<NoCheckpointing>([pi.node(), pl.node()])
        .compute_bound()
        .stateful();
    let (input, leak) = (pi.into_primitive(), pl.into_primitive());
    let (spikes, potentials) = forward(input, &leak, config);
    let out = match prepared {
        OpsKind::UnTracked(prep) => prep.finish(spikes),
        OpsKind::Tracked(prep) => {
            let lif = *config;
            let kept = Kept {
                lif,
                leak,
                potentials,
            };
            prep.finish(kept, spikes)
        }
    };
    Ok(Tensor::from_primitive::<Autodiff<Flex>>(out))
}

/// The same as [`lif`], of Burn's own operations, step by step.
///
/// # Errors
/// As [`lif`].
pub fn lif_composed(
    input: Tensor<3>,
    leak: Tensor<1>,
    config: &Lif,
) -> Result<Tensor<3>, SpikingError> {
    check(&input, &leak, config)?;
    let (input, leak) = super::alike(input, leak);
    Ok(composed(input, leak, config))
}

/// The same as [`lif`] on slices in single precision, without Burn: `input` becomes the potentials before the resets, which
/// [`lif_backward`] takes, and `spikes` are written. Both are `[time, batch, neuron]` of this `shape`.
///
/// # Errors
/// As [`lif`], and slices of another length.
pub fn lif_forward(
    config: &Lif,
    shape: [usize; 3],
    leak: &[f32],
    input: &mut [f32],
    spikes: &mut [f32],
) -> Result<(), SpikingError> {
    config.validate()?;
    check_leak(config, shape[2], leak.iter().map(|l| f64::from(*l)))?;
    check_length("input", &shape, input.len())?;
    check_length("spikes", &shape, spikes.len())?;
    forward_slices(config, shape, leak, input, spikes);
    Ok(())
}

/// Gradients of [`lif_forward`]: `grad`, of the spikes, becomes that of the input; that of the leaks is returned.
///
/// # Errors
/// As [`lif_forward`].
pub fn lif_backward(
    config: &Lif,
    shape: [usize; 3],
    leak: &[f32],
    potentials: &[f32],
    grad: &mut [f32],
) -> Result<Vec<f32>, SpikingError> {
    config.validate()?;
    check_leak(config, shape[2], leak.iter().map(|l| f64::from(*l)))?;
    check_length("potentials", &shape, potentials.len())?;
    check_length("grad", &shape, grad.len())?;
    Ok(backward_slices(config, shape, leak, potentials, grad, true))
}

fn check(input: &Tensor<3>, leak: &Tensor<1>, config: &Lif) -> Result<(), SpikingError> {
    config.validate()?;
    super::check_precision("leak", input.dtype(), leak.dtype())?;
    check_leak(config, input.dims()[2], leak_values(leak).into_iter())
}

/// A shape's three axes.
fn axes(tensor: &FlexTensor) -> [usize; 3] {
    let shape = tensor.layout().shape();
    [shape[0], shape[1], shape[2]]
}

/// Spikes, and potentials before the resets.
fn forward(input: FlexTensor, leak: &FlexTensor, lif: &Lif) -> (FlexTensor, FlexTensor) {
    let shape = axes(&input);
    let whole = input.to_contiguous();
    // So that it is written over in place where nobody else holds it.
    drop(input);
    let mut input = whole;
    let leak = leak.to_contiguous();
    let spikes = match input.dtype() {
        DType::F64 => spikes_of::<f64>(lif, shape, &leak, &mut input),
        _ => spikes_of::<f32>(lif, shape, &leak, &mut input),
    };
    (spikes, input)
}

fn spikes_of<R: Real>(
    lif: &Lif,
    shape: [usize; 3],
    leak: &FlexTensor,
    input: &mut FlexTensor,
) -> FlexTensor {
    let input = R::values_mut(input);
    let mut spikes = vec![R::ZERO; input.len()];
    forward_slices(lif, shape, R::values(leak), input, &mut spikes);
    R::tensor(spikes, shape)
}

/// Leaks and gains of the lanes from `start` on.
fn factors<R: Real>(lif: &Lif, leak: &[R], start: usize, lanes: usize) -> Factors<R> {
    Factors::new(
        lif,
        (start..start + lanes).map(|lane| leak[lane % leak.len()]),
    )
}

fn forward_slices<R: Real>(
    lif: &Lif,
    [_, batch, n]: [usize; 3],
    leak: &[R],
    input: &mut [R],
    spikes: &mut [R],
) {
    let width = batch * n;
    let neuron = Neuron::new(lif);
    columns_mut(input, width, LANES)
        .into_par_iter()
        .zip(columns_mut(spikes, width, LANES))
        .enumerate()
        .for_each(|(c, (input, spikes))| {
            let lanes = input.first().map_or(0, |row| row.len());
            let factors = factors(lif, leak, c * LANES, lanes);
            let mut v = vec![R::ZERO; lanes];
            vectorized(
                #[inline(always)]
                || {
                    for (u, s) in input.into_iter().zip(spikes) {
                        neuron.forward(&factors, u, &mut v, s);
                    }
                },
            );
        });
}

fn backward_slices<R: Real>(
    lif: &Lif,
    [_, batch, n]: [usize; 3],
    leak: &[R],
    potentials: &[R],
    grad: &mut [R],
    with_leak: bool,
) -> Vec<R> {
    let width = batch * n;
    let neuron = Neuron::new(lif);
    let of_lanes: Vec<Vec<R>> = columns_mut(grad, width, LANES)
        .into_par_iter()
        .enumerate()
        .map(|(c, grad)| {
            let lanes = grad.first().map_or(0, |row| row.len());
            let factors = factors(lif, leak, c * LANES, lanes);
            let mut carry = vec![R::ZERO; lanes];
            let mut of_leak = vec![R::ZERO; lanes];
            let mut scratch = Scratch::new(lanes);
            let row = |t: usize| &potentials[t * width + c * LANES..][..lanes];
            vectorized(
                #[inline(always)]
                || {
                    for (t, grad) in grad.into_iter().enumerate().rev() {
                        let before = t.checked_sub(1).map(row);
                        let of_leak = with_leak.then_some(&mut of_leak[..]);
                        let u = (row(t), before);
                        neuron.backward(&factors, u, grad, &mut carry, of_leak, &mut scratch);
                    }
                },
            );
            of_leak
        })
        .collect();
    of_leaks(&of_lanes.concat(), n, leak.len())
}

#[derive(Debug)]
struct LifLayer;

#[derive(Debug, Clone)]
struct Kept {
    lif: Lif,
    leak: FlexTensor,
    potentials: FlexTensor,
}

impl Backward<Flex, 2> for LifLayer {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let kept = ops.state;
        let grad = grads.consume::<Flex>(&ops.node);
        let [of_input, of_leak] = ops.parents;
        let (grad, leaks) = match grad.dtype() {
            DType::F64 => through::<f64>(&kept, grad, of_leak.is_some()),
            _ => through::<f32>(&kept, grad, of_leak.is_some()),
        };
        if let Some(node) = of_input {
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = of_leak {
            grads.register::<Flex>(node.id, leaks);
        }
    }
}

fn through<R: Real>(kept: &Kept, grad: FlexTensor, leak: bool) -> (FlexTensor, FlexTensor) {
    let shape = axes(&grad);
    let whole = match Rows::<R>::of(&grad) {
        Some(rows) if !grad.is_contiguous() => R::tensor(rows.copied(shape[0]), shape),
        _ => grad.to_contiguous(),
    };
    // So that it is written over in place where nobody else holds it.
    drop(grad);
    let mut grad = whole;
    let leaks = kept.leak.to_contiguous();
    let leaks = R::values(&leaks);
    let potentials = R::values(&kept.potentials);
    let values = R::values_mut(&mut grad);
    let of_leak = backward_slices(&kept.lif, shape, leaks, potentials, values, leak);
    let length = of_leak.len();
    (grad, R::tensor(of_leak, [length]))
}

/// Step by step.
fn composed(input: Tensor<3>, leak: Tensor<1>, lif: &Lif) -> Tensor<3> {
    let [time, batch, n] = input.dims();
    if time * batch * n == 0 {
        return input;
    }
    let leak = leak.reshape([1, -1]).expand([batch, n]);
    let gain = match lif.drive {
        Drive::Whole => leak.clone() * 0.0 + 1.0,
        Drive::Leaky => -leak.clone() + 1.0,
    };
    let mut v = leak.clone().detach() * 0.0;
    let mut all = Vec::with_capacity(time);
    for t in 0..time {
        let input = input.clone().narrow(0, t, 1).reshape([batch, n]);
        let u = leak.clone() * v + gain.clone() * input;
        let smooth = lif.surrogate.composed(u.clone() - lif.threshold);
        let s = match lif.firing {
            Firing::Smooth => smooth,
            Firing::Spikes => {
                let fired = u.clone().greater_equal_elem(lif.threshold);
                // Not a number stays so, and a spike is exactly 1: what is added is 0 with the surrogate's gradient.
                let hard = (u.clone() * 0.0).detach().mask_fill(fired, 1.0);
                hard + (smooth.clone() - smooth.detach())
            }
        };
        let by = if lif.detach_reset {
            s.clone().detach()
        } else {
            s.clone()
        };
        v = match lif.reset {
            Reset::Zero => u * (-by + 1.0),
            Reset::Subtract => u - by * lif.threshold,
            Reset::None => u,
        };
        all.push(s.reshape([1, batch, n]));
    }
    Tensor::cat(all, 0)
}
