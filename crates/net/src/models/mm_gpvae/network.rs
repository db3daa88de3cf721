//! The networks: where their parameters are, and what they compute in the graph.

use burn_tensor::{Device, Tensor};

use super::config::{Combine, Latents};
use super::prior::Basis;
use crate::Real;
use crate::layers::{Activation, dense};
use crate::train::upload;

/// Sizes that the data give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub bins: usize,
    pub units: usize,
    pub channels: usize,
}

/// Weights and bias of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    pub weights: usize,
    pub bias: usize,
}

/// Layers of one stream's encoder: hidden ones, the two heads, and the maps from time to coefficients.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    pub hidden: Vec<Layer>,
    pub mean: Layer,
    pub deviation: Layer,
    /// Weights and bias for means, weights for log deviations; none where coefficients are time bins.
    pub maps: Option<(Layer, usize)>,
    pub latents: usize,
}

/// Where everything is among the parameters, and the constants of the basis.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub latents: Latents,
    pub sizes: Sizes,
    pub basis: Basis,
    pub neural: Option<Encoder>,
    pub behavior: Option<Encoder>,
    /// Loadings and offsets of the neural decoder.
    pub loadings: Option<Layer>,
    /// Log variances of the neural activity, under the Gaussian likelihood.
    pub neural_noise: Option<usize>,
    pub decoder: Vec<Layer>,
    /// Log residual variance of behaviour.
    pub residual: Option<usize>,
    /// Log length scales.
    pub length: Option<usize>,
    pub output: Activation,
    pub combine: Combine,
}

/// Means and log standard deviations, `[trial, latent, coefficient]`.
#[derive(Debug, Clone)]
pub(super) struct Gaussian {
    pub mean: Tensor<3>,
    pub log_sd: Tensor<3>,
}

/// A batch on the device.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub trials: usize,
    /// `[trial x time, channel]` and `[trial x time, 1]`: values, and 1 where seen.
    pub neural: Option<(Tensor<2>, Tensor<2>)>,
    pub behavior: Option<(Tensor<2>, Tensor<2>)>,
    /// `[trial, 1, 1]`: whether the stream tells anything of the shared latents.
    pub from_neural: Tensor<3>,
    pub from_behavior: Tensor<3>,
    /// `[trial, latent]`: 1 where anything was seen that the latent explains.
    pub counts: Tensor<2>,
    /// Bins seen.
    pub neural_bins: f64,
    pub behavior_bins: f64,
}

/// The parts of minus the objective, summed over the batch's trials.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub divergence: Tensor<1>,
    pub neural: Option<Tensor<1>>,
    pub behavior: Option<Tensor<1>>,
}

impl Terms {
    pub(super) fn total(&self) -> Tensor<1> {
        [&self.neural, &self.behavior]
            .into_iter()
            .flatten()
            .fold(self.divergence.clone(), |sum, t| sum + t.clone())
    }
}

impl Network {
    /// The basis as a tensor, `[coefficient, time]`; `None` where coefficients are bins.
    pub(super) fn basis_tensor<T: Real>(
        &self,
        device: &Device,
        squared: bool,
    ) -> Option<Tensor<2>> {
        let Basis::Fourier(basis) = &self.basis else {
            return None;
        };
        let values = basis
            .values
            .iter()
            .map(|&v| T::of(if squared { v * v } else { v }))
            .collect();
        Some(upload(values, [basis.len(), basis.bins], device))
    }

    /// What one stream's encoder makes of it; bins that were not seen count as features of 0.
    fn encode(
        &self,
        e: &Encoder,
        leaves: &[Tensor<2>],
        data: &(Tensor<2>, Tensor<2>),
        trials: usize,
    ) -> Gaussian {
        let apply = |x, l: Layer, activation| {
            dense(
                x,
                leaves[l.weights].clone(),
                leaves[l.bias].clone(),
                activation,
            )
        };
        let mut x = data.0.clone();
        for &l in &e.hidden {
            x = apply(x, l, Activation::Elu);
        }
        let in_time = |features: Tensor<2>| {
            (features * data.1.clone())
                .reshape([trials, self.sizes.bins, e.latents])
                .swap_dims(1, 2)
        };
        let mean = in_time(apply(x.clone(), e.mean, Activation::Linear));
        let log_sd = in_time(apply(x, e.deviation, Activation::Linear));
        let Some((of_mean, of_sd)) = e.maps else {
            return Gaussian { mean, log_sd };
        };
        let flat = |x: Tensor<3>| x.reshape([trials * e.latents, self.sizes.bins]);
        let m = self.basis.coefficients(self.sizes.bins);
        let mean = apply(flat(mean), of_mean, Activation::Linear);
        let log_sd = flat(log_sd).matmul(leaves[of_sd].clone());
        Gaussian {
            mean: mean.reshape([trials, e.latents, m]),
            log_sd: log_sd.reshape([trials, e.latents, m]),
        }
    }

    /// The posterior over all latents, `[neural-only | shared | behaviour-only]`.
    pub(super) fn posterior(&self, leaves: &[Tensor<2>], batch: &Batch) -> Gaussian {
        let encode = |e: &Option<Encoder>, data: &Option<(Tensor<2>, Tensor<2>)>| {
            e.as_ref()
                .zip(data.as_ref())
                .map(|(e, data)| self.encode(e, leaves, data, batch.trials))
        };
        let neural = encode(&self.neural, &batch.neural);
        let behavior = encode(&self.behavior, &batch.behavior);
        let Latents {
            neural: n_neural,
            behavior: n_behavior,
            shared,
        } = self.latents;
        let (neural, behavior) = match (neural, behavior) {
            (Some(n), Some(b)) => (n, b),
            (Some(one), None) | (None, Some(one)) => return one,
            (None, None) => unreachable!("a model explains at least one stream"),
        };
        let own = n_neural - shared;
        let cut = |x: &Tensor<3>, from: usize, len: usize| {
            (len > 0).then(|| x.clone().narrow(1, from, len))
        };
        let joint = (shared > 0).then(|| {
            self.join(
                Gaussian {
                    mean: neural.mean.clone().narrow(1, own, shared),
                    log_sd: neural.log_sd.clone().narrow(1, own, shared),
                },
                Gaussian {
                    mean: behavior.mean.clone().narrow(1, 0, shared),
                    log_sd: behavior.log_sd.clone().narrow(1, 0, shared),
                },
                batch,
            )
        });
        let stack = |n: &Tensor<3>, j: Option<Tensor<3>>, b: &Tensor<3>| {
            let parts = [cut(n, 0, own), j, cut(b, shared, n_behavior - shared)];
            Tensor::cat(parts.into_iter().flatten().collect(), 1)
        };
        let (joint_mean, joint_sd) = joint.map(|g| (g.mean, g.log_sd)).unzip();
        Gaussian {
            mean: stack(&neural.mean, joint_mean, &behavior.mean),
            log_sd: stack(&neural.log_sd, joint_sd, &behavior.log_sd),
        }
    }

    fn join(&self, n: Gaussian, b: Gaussian, batch: &Batch) -> Gaussian {
        let (wn, wb) = (batch.from_neural.clone(), batch.from_behavior.clone());
        match self.combine {
            Combine::Average => {
                let all = wn.clone() + wb.clone();
                Gaussian {
                    mean: (n.mean * wn.clone() + b.mean * wb.clone()) / all.clone(),
                    log_sd: (n.log_sd * wn + b.log_sd * wb) / all,
                }
            }
            Combine::Product => {
                let of_n = (n.log_sd * -2.0).exp() * wn;
                let of_b = (b.log_sd * -2.0).exp() * wb;
                let all = of_n.clone() + of_b.clone();
                Gaussian {
                    mean: (n.mean * of_n + b.mean * of_b) / all.clone(),
                    log_sd: all.log() * -0.5,
                }
            }
        }
    }

    /// Coefficients in time: `[trial, latent, coefficient]` to `[trial x time, latent]`.
    pub(super) fn in_time(&self, z: Tensor<3>, basis: Option<&Tensor<2>>) -> Tensor<2> {
        let [trials, latents, m] = z.dims();
        let t = self.sizes.bins;
        let z = match basis {
            Some(b) => z
                .reshape([trials * latents, m])
                .matmul(b.clone())
                .reshape([trials, latents, t]),
            None => z,
        };
        z.swap_dims(1, 2).reshape([trials * t, latents])
    }

    /// Log rates (or means) of the neural activity and their variances, `[trial x time, unit]`.
    pub(super) fn neural_means(
        &self,
        leaves: &[Tensor<2>],
        q: &Gaussian,
        basis: Option<&Tensor<2>>,
        squared: Option<&Tensor<2>>,
    ) -> Option<(Tensor<2>, Tensor<2>)> {
        let l = self.loadings?;
        let of = |x: Tensor<3>| x.narrow(1, 0, self.latents.neural);
        let mean = self.in_time(of(q.mean.clone()), basis);
        let variance = self.in_time(of((q.log_sd.clone() * 2.0).exp()), squared);
        let loadings = leaves[l.weights].clone();
        let eta = dense(
            mean,
            loadings.clone(),
            leaves[l.bias].clone(),
            Activation::Linear,
        );
        Some((eta, variance.matmul(loadings.square())))
    }

    /// Behaviour decoded from latents `[trial, latent, coefficient]`, in scaled units, `[trial x time, channel]`.
    pub(super) fn decode(
        &self,
        leaves: &[Tensor<2>],
        z: Tensor<3>,
        basis: Option<&Tensor<2>>,
    ) -> Option<Tensor<2>> {
        if self.decoder.is_empty() {
            return None;
        }
        let Latents {
            neural,
            behavior,
            shared,
        } = self.latents;
        let z = z.narrow(1, neural - shared, behavior);
        Some(self.decode_rows(leaves, self.in_time(z, basis)))
    }

    /// Behaviour decoded from rows of the latents that its decoder reads.
    pub(super) fn decode_rows(&self, leaves: &[Tensor<2>], mut x: Tensor<2>) -> Tensor<2> {
        let last = self.decoder.len().saturating_sub(1);
        for (i, l) in self.decoder.iter().enumerate() {
            let activation = if i == last {
                self.output
            } else {
                Activation::Elu
            };
            x = dense(
                x,
                leaves[l.weights].clone(),
                leaves[l.bias].clone(),
                activation,
            );
        }
        x
    }

    /// Where the neural decoder's loadings and offsets are.
    pub(super) fn loading_arrays(&self) -> Option<(usize, usize)> {
        self.loadings.map(|l| (l.weights, l.bias))
    }

    /// Log variances of the neural activity, `[1, unit]`, under the Gaussian likelihood.
    pub(super) fn neural_noise(&self, leaves: &[Tensor<2>]) -> Option<Tensor<2>> {
        self.neural_noise.map(|i| leaves[i].clone())
    }
}
