//! The prior of the latents: in which coefficients they are inferred, and how far a posterior is from it.

use burn_tensor::{Device, Tensor};
use chiasm_core::linalg::Cholesky;

use super::basis::{FourierBasis, time_covariance};
use super::config::{MmGpVae, Prior};
use super::network::{Gaussian, Network};
use crate::Real;
use crate::train::{download, upload};

/// In which coefficients the latents are inferred.
#[derive(Debug, Clone)]
pub(super) enum Basis {
    Fourier(FourierBasis),
    /// Bins themselves, correlated.
    Time,
    /// Bins themselves, each alone.
    Independent,
}

impl Basis {
    pub(super) fn new(config: &MmGpVae, bins: usize) -> Self {
        let condition = match config.prior {
            Prior::Time => return Self::Time,
            Prior::Independent => return Self::Independent,
            Prior::Fourier => config.condition,
            Prior::Unpruned => f64::INFINITY,
        };
        let circle = if config.circle_bins > 0 {
            config.circle_bins
        } else {
            bins + (4.0 * config.max_length_bins).ceil() as usize
        };
        Self::Fourier(FourierBasis::new(
            bins,
            circle,
            config.min_length_bins,
            condition,
        ))
    }

    pub(super) fn coefficients(&self, bins: usize) -> usize {
        match self {
            Self::Fourier(b) => b.len(),
            _ => bins,
        }
    }
}

impl Network {
    /// `KL(q || p)` of each trial and latent, `[trial, latent]`.
    pub(super) fn divergence<T: Real>(
        &self,
        leaves: &[Tensor<2>],
        q: &Gaussian,
        config: &MmGpVae,
        device: &Device,
    ) -> Tensor<2> {
        let [trials, latents, m] = q.mean.dims();
        let square = (q.log_sd.clone() * 2.0).exp();
        let rest = q.log_sd.clone() * -2.0 - 1.0;
        let sum = |x: Tensor<3>| x.sum_dim(2).reshape([trials, latents]);
        match (&self.basis, self.length) {
            (Basis::Fourier(basis), Some(length)) => {
                let bend: Vec<T> = basis
                    .frequencies
                    .iter()
                    .map(|w| {
                        let x = 2.0 * std::f64::consts::PI * w / basis.circle as f64;
                        T::of(-0.5 * x * x)
                    })
                    .collect();
                let bend = upload(bend, [1, m], device);
                let length = leaves[length].clone().exp();
                let power = length.clone() * (2.0 * std::f64::consts::PI).sqrt();
                let k = ((length.square() * bend).exp() * power + config.floor) * config.variance;
                let k = k.unsqueeze_dim::<3>(0);
                let energy = (q.mean.clone().square() + square) / k.clone() + k.log() + rest;
                sum(energy) * 0.5
            }
            (Basis::Time, Some(length)) => {
                self.time_divergence::<T>(&leaves[length], q, square, rest, config, device)
            }
            _ => sum(q.mean.clone().square() + square + rest) * 0.5,
        }
    }

    /// With a dense covariance `K`, inverted on the host. To first order in the log length scale `K^-1` and `ln |K|` are
    /// linear, so that the graph has their exact values and gradients.
    fn time_divergence<T: Real>(
        &self,
        log_length: &Tensor<2>,
        q: &Gaussian,
        square: Tensor<3>,
        rest: Tensor<3>,
        config: &MmGpVae,
        device: &Device,
    ) -> Tensor<2> {
        let [trials, latents, t] = q.mean.dims();
        let values: Vec<f64> = download::<T, 2>(log_length.clone().inner())
            .into_iter()
            .map(|v| v.wide())
            .collect();
        let n = values.len();
        let change = log_length.clone() - log_length.clone().detach();
        let (mut inverse, mut turn, mut log_det, mut slope) = (vec![], vec![], vec![], vec![]);
        for v in values {
            let parts = TimePrior::new(t, v.exp(), config);
            inverse.extend(parts.inverse.into_iter().map(T::of));
            turn.extend(parts.turn.into_iter().map(T::of));
            log_det.push(T::of(parts.log_det));
            slope.push(T::of(parts.slope));
        }
        let inverse = upload(inverse, [n, t, t], device)
            + upload(turn, [n, t, t], device) * change.clone().unsqueeze_dim::<3>(2);
        let log_det = upload(log_det, [n, 1], device) + upload(slope, [n, 1], device) * change;
        let eye = upload(
            (0..t * t)
                .map(|k| T::of(f64::from(u8::from(k / t == k % t))))
                .collect(),
            [1, t, t],
            device,
        );
        let diagonal = (inverse.clone() * eye).sum_dim(1);
        // [latent, trial, time], so that each latent meets its own matrix.
        let mean = q.mean.clone().swap_dims(0, 1);
        let inverse = if n == 1 {
            inverse.expand([latents, t, t])
        } else {
            inverse
        };
        let quadratic = (mean.clone().matmul(inverse) * mean)
            .sum_dim(2)
            .reshape([latents, trials])
            .swap_dims(0, 1);
        let trace = square * diagonal.swap_dims(0, 1).reshape([1, n, t]);
        let own = (trace + rest).sum_dim(2).reshape([trials, latents]);
        (quadratic + own + log_det.swap_dims(0, 1)) * 0.5
    }
}

/// The dense covariance's inverse and log determinant, and their derivatives by the log length scale.
struct TimePrior {
    inverse: Vec<f64>,
    turn: Vec<f64>,
    log_det: f64,
    slope: f64,
}

impl TimePrior {
    fn new(t: usize, length: f64, config: &MmGpVae) -> Self {
        let (covariance, change) = time_covariance(t, length, config.variance, config.floor);
        let Some(factor) = Cholesky::of(&covariance, t) else {
            // Cannot be with a white floor above 0, unless the length is no longer finite: the objective then says so.
            return Self {
                inverse: vec![f64::NAN; t * t],
                turn: vec![f64::NAN; t * t],
                log_det: f64::NAN,
                slope: f64::NAN,
            };
        };
        let inverse = factor.inverse();
        let product = |a: &[f64], b: &[f64]| {
            let mut out = vec![0.0; t * t];
            for i in 0..t {
                for k in 0..t {
                    let v = a[i * t + k];
                    for j in 0..t {
                        out[i * t + j] += v * b[k * t + j];
                    }
                }
            }
            out
        };
        let half = product(&inverse, &change);
        let slope = (0..t).map(|i| half[i * t + i]).sum();
        let turn = product(&half, &inverse).into_iter().map(|v| -v).collect();
        Self {
            inverse,
            turn,
            log_det: factor.log_determinant(),
            slope,
        }
    }
}
