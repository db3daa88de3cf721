//! Minus the evidence lower bound of a batch, in the graph.

use burn_tensor::{Device, Tensor};

use super::config::{MmGpVae, NeuralLikelihood};
use super::network::{Batch, Gaussian, Network, Terms};
use crate::Real;
use crate::layers::{poisson_energy, squared_error};

/// The parts of minus the bound, summed over the batch (up to [`super::batch::constants`]). `noise` has the shape of the
/// posterior's means: standard normal draws for the part that has no closed form, the behaviour.
///
/// ```text
/// KL   = 1/2 sum_k [(m^2 + exp(2 s)) / K_k + ln K_k - 2 s - 1]
/// Poisson: exp(eta + v/2) - y eta,  eta = C z + d at the mean,  v = (C o C) sum_k B_kt^2 exp(2 s_k)
/// image: sum (x - x')^2 / (2 v_y) + T D/2 ln (2 pi v_y) at a sample
/// ```
pub(super) fn terms<T: Real>(
    network: &Network,
    config: &MmGpVae,
    leaves: &[Tensor<2>],
    batch: &Batch,
    noise: Tensor<3>,
    device: &Device,
) -> Terms {
    let q = network.posterior(leaves, batch);
    terms_of::<T>(network, config, leaves, batch, &q, noise, device)
}

/// The same for a posterior that is given.
pub(super) fn terms_of<T: Real>(
    network: &Network,
    config: &MmGpVae,
    leaves: &[Tensor<2>],
    batch: &Batch,
    q: &Gaussian,
    noise: Tensor<3>,
    device: &Device,
) -> Terms {
    let log_tau = (2.0 * std::f64::consts::PI).ln();
    let basis = network.basis_tensor::<T>(device, false);
    let squared = network.basis_tensor::<T>(device, true);
    let divergence = network.divergence::<T>(leaves, q, config, device) * batch.counts.clone();
    let neural = batch.neural.as_ref().and_then(|(y, seen)| {
        let (eta, variance) = network.neural_means(leaves, q, basis.as_ref(), squared.as_ref())?;
        Some(match config.likelihood {
            NeuralLikelihood::Poisson => poisson_energy(eta, variance, y.clone(), seen.clone()),
            NeuralLikelihood::Gaussian => {
                let log_noise = network.neural_noise(leaves)?;
                let error = ((eta - y.clone()).square() + variance) * seen.clone();
                let error = error.sum_dim(0) / log_noise.clone().exp();
                let own = (log_noise + log_tau) * batch.neural_bins;
                (error + own).sum() * 0.5
            }
        })
    });
    let behavior = batch.behavior.as_ref().and_then(|(x, seen)| {
        let sample = q.mean.clone() + q.log_sd.clone().exp() * noise;
        let decoded = network.decode(leaves, sample, basis.as_ref())?;
        let log_residual = leaves[network.residual?].clone();
        let error = squared_error(decoded, x.clone(), seen.clone());
        let values = batch.behavior_bins * network.sizes.channels as f64;
        let log_residual: Tensor<1> = log_residual.reshape([1]);
        Some(error * 0.5 / log_residual.clone().exp() + (log_residual + log_tau) * (0.5 * values))
    });
    Terms {
        divergence: divergence.sum_dim(1).sum(),
        neural,
        behavior,
    }
}
