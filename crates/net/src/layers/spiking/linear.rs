//! A linear layer of spikes and the neurons behind it, as one operation of Burn.

use std::sync::Arc;

use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::backends::autodiff as burn_autodiff;
use burn_dispatch::backends::autodiff::checkpoint::strategy::NoCheckpointing;
use burn_dispatch::backends::flex::FlexTensor;
use burn_dispatch::backends::{Autodiff, Flex};
use burn_tensor::{DType, Shape, Tensor, TensorData};

use super::super::real::Real;
use super::super::{plain, primitive};
use super::product::{backward, forward};
use super::slices::{Rows, check_leak};
use super::{Lif, Spikes, SpikingError, check_precision, leak_values, lif_composed};
use super::{LinearParameters, Potentials, Wanted};

/// Spikes of leaky integrate-and-fire neurons whose input is `input weights + bias`, where `input` is spikes itself.
///
/// `input` is `[time, batch, in]` and holds ones and zeros, `weights` `[in, out]`, `bias` `[out]`, `leak` `[1]` or `[out]`; the
/// result is `[time, batch, out]`. In single precision on Flex only the weights of active inputs are read; elsewhere this is
/// [`spiking_linear_composed`]. The gradient of the input, a dense product, is computed where it is tracked.
///
/// # Errors
/// As [`lif`](super::lif()), tensors whose shapes do not fit, and in single precision an input that is neither 0 nor 1.
pub fn spiking_linear(
    input: Tensor<3>,
    weights: Tensor<2>,
    bias: Option<Tensor<1>>,
    leak: Tensor<1>,
    config: &Lif,
) -> Result<Tensor<3>, SpikingError> {
    check_precision("weights", input.dtype(), weights.dtype())?;
    let layer = Layer::new(input.dims(), weights, bias, leak, config)?;
    let values = match primitive(&input) {
        Some(p) => Some(p.into_primitive()),
        None => plain(&input),
    };
    match values {
        Some(values) if values.dtype() == DType::F32 => {
            let values = values.to_contiguous();
            let spikes = Spikes::from_dense(f32::values(&values), input.dims())?;
            drop(values);
            layer.run(&Arc::new(spikes), Some(input))
        }
        _ => layer.composed(input),
    }
}

/// The same as [`spiking_linear`] of spikes that are already known by their neurons; single precision.
///
/// # Errors
/// As [`spiking_linear`].
pub fn spiking_linear_of(
    spikes: &Arc<Spikes>,
    weights: Tensor<2>,
    bias: Option<Tensor<1>>,
    leak: Tensor<1>,
    config: &Lif,
) -> Result<Tensor<3>, SpikingError> {
    check_precision("weights", DType::F32, weights.dtype())?;
    let layer = Layer::new(spikes.shape(), weights, bias, leak, config)?;
    layer.run(spikes, None)
}

/// The same as [`spiking_linear`], of a dense product and the neurons step by step.
///
/// # Errors
/// As [`spiking_linear`], but any input will do.
pub fn spiking_linear_composed(
    input: Tensor<3>,
    weights: Tensor<2>,
    bias: Option<Tensor<1>>,
    leak: Tensor<1>,
    config: &Lif,
) -> Result<Tensor<3>, SpikingError> {
    check_precision("weights", input.dtype(), weights.dtype())?;
    Layer::new(input.dims(), weights, bias, leak, config)?.composed(input)
}

/// A layer whose parameters fit each other and its input.
struct Layer {
    weights: Tensor<2>,
    bias: Tensor<1>,
    leak: Tensor<1>,
    config: Lif,
}

impl Layer {
    fn new(
        input: [usize; 3],
        weights: Tensor<2>,
        bias: Option<Tensor<1>>,
        leak: Tensor<1>,
        config: &Lif,
    ) -> Result<Self, SpikingError> {
        config.validate()?;
        let [n_in, n_out] = weights.dims();
        let shape = |what, fits: bool, expected, found: &[usize]| {
            let found = found.to_vec();
            let error = SpikingError::Shape {
                what,
                expected,
                found,
            };
            if fits { Ok(()) } else { Err(error) }
        };
        let expected = format!("[{}, out]", input[2]);
        shape("weights", n_in == input[2], expected, &[n_in, n_out])?;
        let bias = bias.unwrap_or_else(|| {
            Tensor::zeros([n_out], (&weights.device().inner(), weights.dtype()))
        });
        let expected = format!("[{n_out}]");
        shape("bias", bias.dims() == [n_out], expected, &bias.dims())?;
        check_precision("bias", weights.dtype(), bias.dtype())?;
        check_precision("leak", weights.dtype(), leak.dtype())?;
        check_leak(config, n_out, leak_values(&leak).into_iter())?;
        let config = *config;
        Ok(Self {
            weights,
            bias,
            leak,
            config,
        })
    }

    fn composed(self, input: Tensor<3>) -> Result<Tensor<3>, SpikingError> {
        let [time, batch, n_in] = input.dims();
        let [_, n_out] = self.weights.dims();
        let graph = [self.weights.is_autodiff(), self.bias.is_autodiff()];
        let graph = graph.contains(&true) || self.leak.is_autodiff() || input.is_autodiff();
        let (mut input, mut weights, mut bias) = (input, self.weights, self.bias);
        if graph {
            (input, weights, bias) = (input.autodiff(), weights.autodiff(), bias.autodiff());
        }
        if time * batch * n_in * n_out == 0 {
            let device = input.device();
            let zeros = Tensor::zeros([time, batch, n_out], (&device, weights.dtype()));
            return lif_composed(zeros + bias.reshape([1, 1, n_out]), self.leak, &self.config);
        }
        let sums = input.reshape([time * batch, n_in]).matmul(weights) + bias.reshape([1, n_out]);
        lif_composed(sums.reshape([time, batch, n_out]), self.leak, &self.config)
    }

    /// In a graph if any of the tensors is in one; the input counts only if its gradient is asked for.
    fn run(
        self,
        spikes: &Arc<Spikes>,
        input: Option<Tensor<3>>,
    ) -> Result<Tensor<3>, SpikingError> {
        let input = input.filter(Tensor::is_tracked);
        let graph = [&self.bias, &self.leak].iter().any(|t| t.is_autodiff());
        if !graph && !self.weights.is_autodiff() && input.is_none() {
            let all = (plain(&self.weights), plain(&self.bias), plain(&self.leak));
            let (Some(w), Some(b), Some(l)) = all else {
                return self.elsewhere(spikes);
            };
            let (out, _) = Kept::new(spikes, [w, b, l], self.config).forward(false);
            return Ok(Tensor::from_primitive::<Flex>(out));
        }
        // Without one, something that nobody asks the gradient of stands for it.
        let input =
            input.unwrap_or_else(|| Tensor::zeros([1, 1, 1], (&self.weights.device(), DType::F32)));
        let all = (
            primitive(&self.weights.clone().autodiff()),
            primitive(&self.bias.clone().autodiff()),
            primitive(&self.leak.clone().autodiff()),
            primitive(&input.autodiff()),
        );
        let (Some(w), Some(b), Some(l), Some(x)) = all else {
            return self.elsewhere(spikes);
        };
        let prepared = SpikingLinear
            .prepare::<NoCheckpointing>([w.node(), b.node(), l.node(), x.node()])
            .compute_bound()
            .stateful();
        let parameters = [w.into_primitive(), b.into_primitive(), l.into_primitive()];
        let mut kept = Kept::new(spikes, parameters, self.config);
        let out = match prepared {
            OpsKind::UnTracked(prep) => prep.finish(kept.forward(false).0),
            OpsKind::Tracked(prep) => {
                let (out, potentials) = kept.forward(true);
                kept.potentials = potentials.map(Arc::new);
                prep.finish(kept, out)
            }
        };
        Ok(Tensor::from_primitive::<Autodiff<Flex>>(out))
    }

    /// On another backend.
    fn elsewhere(self, spikes: &Spikes) -> Result<Tensor<3>, SpikingError> {
        let device = self.weights.device();
        let data = TensorData::new(spikes.to_dense(), spikes.shape());
        self.composed(Tensor::from_data(data, (&device, DType::F32)))
    }
}

#[derive(Debug)]
struct SpikingLinear;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct Kept {
    config: Lif,
    spikes: Arc<Spikes>,
    weights: FlexTensor,
    bias: FlexTensor,
    leak: FlexTensor,
    potentials: Option<Arc<Potentials>>,
}

impl Kept {
    fn new(spikes: &Arc<Spikes>, [weights, bias, leak]: [FlexTensor; 3], config: Lif) -> Self {
        Self {
            config,
            spikes: Arc::clone(spikes),
            weights: weights.to_contiguous(),
            bias: bias.to_contiguous(),
            leak: leak.to_contiguous(),
            potentials: None,
        }
    }

    fn parameters(&self) -> LinearParameters<'_> {
        LinearParameters {
            weights: f32::values(&self.weights),
            bias: Some(f32::values(&self.bias)),
            leak: f32::values(&self.leak),
            n_out: self.weights.layout().shape()[1],
        }
    }

    fn forward(&self, keep: bool) -> (FlexTensor, Option<Potentials>) {
        let [time, batch, _] = self.spikes.shape();
        let parameters = self.parameters();
        let (out, potentials) = forward(&self.config, &self.spikes, parameters, keep);
        (
            f32::tensor(out, [time, batch, parameters.n_out]),
            potentials,
        )
    }
}

impl Backward<Flex, 4> for SpikingLinear {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let kept = ops.state;
        let grad = grads.consume::<Flex>(&ops.node);
        let [of_weights, of_bias, of_leak, of_input] = ops.parents;
        let Some(potentials) = &kept.potentials else {
            return;
        };
        let wanted = Wanted {
            weights: of_weights.is_some(),
            leak: of_leak.is_some(),
            sums: of_input.is_some(),
        };
        let parameters = kept.parameters();
        let [time, batch, n_in] = kept.spikes.shape();
        let n_out = parameters.n_out;
        let whole;
        let grad = match Rows::of(&grad) {
            Some(rows) => rows,
            None => {
                whole = grad.to_contiguous();
                Rows::whole(f32::values(&whole), batch, n_out)
            }
        };
        let found = backward(
            &kept.config,
            &kept.spikes,
            parameters,
            potentials,
            grad,
            wanted,
        );
        let n_leaks = found.leak.len();
        if let Some(node) = of_weights {
            grads.register::<Flex>(node.id, f32::tensor(found.weights, [n_in, n_out]));
        }
        if let Some(node) = of_bias {
            grads.register::<Flex>(node.id, f32::tensor(found.bias, [n_out]));
        }
        if let Some(node) = of_leak {
            grads.register::<Flex>(node.id, f32::tensor(found.leak, [n_leaks]));
        }
        if let Some(node) = of_input {
            let sums = f32::tensor(found.sums, [time * batch, n_out]);
            let weights = Flex::float_transpose(kept.weights.clone());
            let product = Flex::float_matmul(sums, weights);
            let product = product.reshape(Shape::new([time, batch, n_in]));
            grads.register::<Flex>(node.id, product);
        }
    }
}
