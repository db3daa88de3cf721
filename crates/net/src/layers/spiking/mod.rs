//! Layers of spiking neurons that are trained by surrogate gradients.
//!
//! Leaky integrate-and-fire in discrete time; `input`, the potentials `u` (before a reset) and `v` (after it), and the
//! `threshold` are in one unit, which is the caller's choice:
//!
//! ```text
//! u[t] = leak v[t-1] + gain input[t]     gain = 1, or 1 - leak (Drive::Leaky);   v before the first step is 0
//! s[t] = 1 if u[t] >= threshold, else 0
//! v[t] = u[t] (1 - s[t])                 Reset::Zero; or u[t] - threshold s[t] (Subtract), or u[t] (None)
//! ```
//!
//! Backward in time, with `c` the gradient of `v` and `p` the surrogate's derivative at `u - threshold`:
//!
//! ```text
//! grad u[t] = (grad s[t] + ds_v c[t]) p[t] + du_v c[t]     ds_v, du_v: derivatives of the reset; ds_v = 0 if detached
//! grad input[t] = gain grad u[t]
//! c[t-1] = leak grad u[t]
//! grad leak = sum over t of grad u[t] (v[t-1], minus input[t] if Drive::Leaky)
//! ```
//!
//! [`lif`](lif()) is one pass over all steps forward and one backward; in between only `u` is kept. [`spiking_linear`] has a
//! linear layer before it whose input is spikes: of the weights it reads only those of active inputs, and its sums never leave
//! the cache. [`spike_counts`] is what a loss usually looks at. Activity is `[time, batch, neuron]`.
//!
//! ```
//! use chiasm_net::layers::spiking::{Lif, leak_of, lif};
//! use chiasm_net::tensor::{Device, Tensor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::flex().autodiff();
//! let input = Tensor::<3>::full([100, 4, 20], 0.3, &device).require_grad();
//! // One leak for all neurons, of a membrane of 20 ms in steps of 1 ms, learned.
//! let leak = Tensor::<1>::from_floats([leak_of(20.0, 1.0)? as f32], &device).require_grad();
//! let spikes = lif(input, leak.clone(), &Lif::default())?;
//! let gradients = spikes.mean().backward();
//! assert!(leak.grad(&gradients).is_some());
//! # Ok(())
//! # }
//! ```

mod config;
mod counts;
mod error;
mod events;
mod gather;
mod integrate;
mod linear;
mod neuron;
mod product;
mod slices;
mod spare;
mod surrogate;

pub use config::{Drive, Firing, Lif, Reset, leak_of};
pub use counts::spike_counts;
pub use error::SpikingError;
pub use events::Spikes;
pub use integrate::{lif, lif_backward, lif_composed, lif_forward};
pub use linear::{spiking_linear, spiking_linear_composed, spiking_linear_of};
pub use product::{
    LinearGradients, LinearParameters, Potentials, Wanted, spiking_linear_backward,
    spiking_linear_forward,
};
pub use surrogate::Surrogate;

use burn_tensor::{DType, Tensor};

/// Both inside an autodiff graph if one of them is.
fn alike<const A: usize, const B: usize>(a: Tensor<A>, b: Tensor<B>) -> (Tensor<A>, Tensor<B>) {
    if a.is_autodiff() || b.is_autodiff() {
        (a.autodiff(), b.autodiff())
    } else {
        (a, b)
    }
}

fn leak_values(leak: &Tensor<1>) -> Vec<f64> {
    leak.to_data().iter::<f64>().collect()
}

fn check_precision(what: &'static str, expected: DType, found: DType) -> Result<(), SpikingError> {
    if expected == found {
        return Ok(());
    }
    Err(SpikingError::Precision {
        what,
        expected: format!("{expected:?}"),
        found: format!("{found:?}"),
    })
}

#[cfg(test)]
mod tests;
