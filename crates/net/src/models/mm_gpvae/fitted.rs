//! A trained model: latents of trials, what they explain, and what it learned.

use burn_tensor::{Device, Tensor};
use ndarray::{Array1, Array2, Array3};

use super::MmGpVaeError;
use super::basis::time_covariance;
use super::batch::{Alone, Prepared, explained};
use super::config::{Latents, MmGpVae, NeuralLikelihood};
use super::fit::Training;
use super::network::{Gaussian, Network};
use super::prior::Basis;
use super::trials::Trials;
use crate::train::{download, upload};

/// Trials handled at once.
const BATCH: usize = 32;

/// A trained model.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub(super) config: MmGpVae,
    pub(super) network: Network,
    pub(super) training: Training,
}

/// The posterior over latents in time. Each bin's mean and variance; an affine map of the latents says the same of the
/// data, so compare latents with something known only after a regression ([`super::AffineMap`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// `[trial, time, latent]`.
    pub mean: Array3<f32>,
    /// `[trial, time, latent]`.
    pub variance: Array3<f32>,
    /// Which decoders read which latents.
    pub latents: Latents,
}

/// What the model makes of trials, in the data's own units.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconstruction {
    /// Expected counts (or traces), `[trial, time, unit]`.
    pub neural: Option<Array3<f32>>,
    /// Behaviour decoded from the posterior mean, `[trial, time, channel]`.
    pub behavior: Option<Array3<f32>>,
}

impl Fitted {
    pub(super) fn new(config: MmGpVae, network: Network, training: Training) -> Self {
        Self {
            config,
            network,
            training,
        }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &MmGpVae {
        &self.config
    }

    /// The training it comes from.
    #[must_use]
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// How many latents the decoders read.
    #[must_use]
    pub fn latents(&self) -> Latents {
        self.network.latents
    }

    /// Length scales of the prior, bins: one for all latents, or one each; none where bins are independent.
    #[must_use]
    pub fn length_bins(&self) -> Vec<f64> {
        self.network.length.map_or_else(Vec::new, |i| {
            let log = &self.training.parameters.arrays[i].values;
            log.iter().map(|v| f64::from(*v).exp()).collect()
        })
    }

    /// Number of coefficients of each latent.
    #[must_use]
    pub fn n_coefficients(&self) -> usize {
        self.network.basis.coefficients(self.training.bins)
    }

    /// Frequencies (cycles per bin, not below 0) and prior variances of the coefficients at the first length scale, in
    /// ascending order of frequency; empty where coefficients are bins.
    #[must_use]
    pub fn spectrum(&self) -> Vec<(f64, f64)> {
        let (Basis::Fourier(basis), Some(&length)) =
            (&self.network.basis, self.length_bins().first())
        else {
            return Vec::new();
        };
        let variances = basis.variances(length, self.config.variance, self.config.floor);
        let mut points: Vec<(f64, f64)> = basis
            .frequencies
            .iter()
            .zip(variances)
            .filter(|(w, _)| **w >= 0.0)
            .map(|(w, v)| (w / basis.circle as f64, v))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    }

    /// Residual standard deviation of behaviour, in units of each channel; empty where behaviour is not explained.
    #[must_use]
    pub fn residual_sd(&self) -> Vec<f64> {
        self.network.residual.map_or_else(Vec::new, |i| {
            let log = f64::from(self.training.parameters.arrays[i].values[0]);
            let scale = &self.training.scales.behavior.scale;
            scale.iter().map(|s| s * (0.5 * log).exp()).collect()
        })
    }

    /// Remarks on the data: silent units.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let silent = &self.training.scales.silent;
        if silent.is_empty() {
            return Vec::new();
        }
        let names: Vec<String> = silent.iter().map(ToString::to_string).collect();
        vec![format!(
            "units without a single spike (positions {}): their rates start at 0.001 per bin",
            names.join(", ")
        )]
    }

    /// The posterior over the latents of these trials. Latents of a stream that was not seen have their prior.
    ///
    /// # Errors
    /// Trials of other sizes than those trained on; values that are no counts; a trial in which the model's streams saw
    /// nothing.
    pub fn posterior(&self, trials: &Trials) -> Result<Posterior, MmGpVaeError> {
        self.check(trials)?;
        let (t, p) = (self.training.bins, self.network.latents.total());
        let mut out = Posterior {
            mean: Array3::zeros((trials.len(), t, p)),
            variance: Array3::zeros((trials.len(), t, p)),
            latents: self.network.latents,
        };
        let prior = self.prior_variances();
        let device = Device::flex();
        let basis = self.network.basis_tensor::<f32>(&device, false);
        let squared = self.network.basis_tensor::<f32>(&device, true);
        self.in_batches(trials, &device, |which, leaves, data, any| {
            let q = self.network.posterior(leaves, data);
            let mean = self.network.in_time(q.mean, basis.as_ref());
            let variance = (q.log_sd * 2.0).exp();
            let variance = self.network.in_time(variance, squared.as_ref());
            let (mean, variance) = (download::<f32, 2>(mean), download::<f32, 2>(variance));
            for (i, &trial) in which.iter().enumerate() {
                let known = explained(self.network.latents, any[i].0, any[i].1);
                for (latent, known) in known.iter().enumerate() {
                    let of_prior = &prior[latent.min(prior.len() - 1)];
                    for (bin, of_prior) in of_prior.iter().enumerate() {
                        let k = (i * t + bin) * p + latent;
                        let (m, v) = if *known {
                            (mean[k], variance[k])
                        } else {
                            (0.0, *of_prior as f32)
                        };
                        out.mean[[trial, bin, latent]] = m;
                        out.variance[[trial, bin, latent]] = v;
                    }
                }
            }
        });
        Ok(out)
    }

    /// What the posterior says of these trials: expected counts or traces, and behaviour at the posterior mean. A stream
    /// that was not seen is predicted from the other, through the shared latents.
    ///
    /// # Errors
    /// As [`Fitted::posterior`].
    pub fn reconstruct(&self, trials: &Trials) -> Result<Reconstruction, MmGpVaeError> {
        self.check(trials)?;
        let t = self.training.bins;
        let space = |has: bool, n: usize| has.then(|| Array3::zeros((trials.len(), t, n)));
        let mut out = Reconstruction {
            neural: space(self.config.has_neural(), self.training.units),
            behavior: space(self.config.has_behavior(), self.training.channels),
        };
        let device = Device::flex();
        let basis = self.network.basis_tensor::<f32>(&device, false);
        let squared = self.network.basis_tensor::<f32>(&device, true);
        let scales = &self.training.scales;
        self.in_batches(trials, &device, |which, leaves, data, any| {
            let q = self.known(self.network.posterior(leaves, data), any, &device);
            let means = self
                .network
                .neural_means(leaves, &q, basis.as_ref(), squared.as_ref());
            if let (Some(out), Some((eta, variance))) = (&mut out.neural, means) {
                let poisson = self.config.likelihood == NeuralLikelihood::Poisson;
                let mean = if poisson {
                    (eta + variance * 0.5).exp()
                } else {
                    eta
                };
                put(out, which, &download::<f32, 2>(mean), |c, v| {
                    let (center, scale) = (scales.neural.center[c], scales.neural.scale[c]);
                    (f64::from(v) * scale + center) as f32
                });
            }
            let decoded = self.network.decode(leaves, q.mean, basis.as_ref());
            if let (Some(out), Some(decoded)) = (&mut out.behavior, decoded) {
                put(out, which, &download::<f32, 2>(decoded), |c, v| {
                    let (center, scale) = (scales.behavior.center[c], scales.behavior.scale[c]);
                    (f64::from(v) * scale + center) as f32
                });
            }
        });
        Ok(out)
    }

    /// Behaviour decoded from latents of one's own, `[row, latent]` with the `n_behavior` latents that the behaviour decoder
    /// reads (shared ones first), as `[row, channel]` in the data's own units: to see what a latent does, sweep it.
    /// `None` where behaviour is not explained.
    ///
    /// # Errors
    /// [`MmGpVaeError::Shape`] for another number of latents.
    pub fn decode_behavior(
        &self,
        latents: &Array2<f32>,
    ) -> Result<Option<Array2<f32>>, MmGpVaeError> {
        let expected = self.network.latents.behavior;
        if !self.config.has_behavior() {
            return Ok(None);
        }
        if latents.ncols() != expected {
            return Err(MmGpVaeError::Shape {
                what: "latents, columns".into(),
                expected: format!("{expected} that the behaviour decoder reads"),
                found: latents.ncols(),
            });
        }
        let device = Device::flex();
        let leaves = self.training.parameters.leaves(&device);
        let rows = latents.nrows();
        let z = upload(latents.iter().copied().collect(), [rows, expected], &device);
        let decoded = download::<f32, 2>(self.network.decode_rows(&leaves, z));
        let scale = &self.training.scales.behavior;
        let channels = self.training.channels;
        Ok(Some(Array2::from_shape_fn((rows, channels), |(r, c)| {
            let v = f64::from(decoded[r * channels + c]);
            (v * scale.scale[c] + scale.center[c]) as f32
        })))
    }

    /// The loadings of the neural decoder, `[unit, latent]`, and its offsets; `None` where neural activity is not explained.
    #[must_use]
    pub fn loadings(&self) -> Option<(Array2<f32>, Array1<f32>)> {
        let (weights, bias) = self.network.loading_arrays()?;
        let (w, b) = (
            &self.training.parameters.arrays[weights],
            &self.training.parameters.arrays[bias],
        );
        let [latents, units] = w.shape;
        let loadings = Array2::from_shape_fn((units, latents), |(u, p)| w.values[p * units + u]);
        Some((loadings, Array1::from(b.values.clone())))
    }

    pub(super) fn check(&self, trials: &Trials) -> Result<(), MmGpVaeError> {
        let sizes = self.training.sizes();
        self.training.scales.check(&self.config, trials, sizes)?;
        let any = |s: &Option<super::trials::Stream>, used: bool, trial: usize| {
            used && s
                .as_ref()
                .is_some_and(|s| s.seen.row(trial).iter().any(|v| *v))
        };
        for trial in 0..trials.len() {
            let neural = any(&trials.neural, self.config.has_neural(), trial);
            if !neural && !any(&trials.behavior, self.config.has_behavior(), trial) {
                return Err(MmGpVaeError::EmptyTrial { trial });
            }
        }
        Ok(())
    }

    /// Hands batch after batch to `each`, with what of each trial was seen.
    pub(super) fn in_batches(
        &self,
        trials: &Trials,
        device: &Device,
        mut each: impl FnMut(&[usize], &[Tensor<2>], &super::network::Batch, &[(bool, bool)]),
    ) {
        let leaves = self.training.parameters.leaves(device);
        let scales = &self.training.scales;
        let prepared = Prepared::<f32>::new(&self.config, scales, trials, self.network.sizes);
        let all: Vec<usize> = (0..prepared.len()).collect();
        for which in all.chunks(BATCH) {
            let both = Alone::none(which.len());
            let data = prepared.batch(which, &both, self.network.latents, device);
            let any: Vec<(bool, bool)> = which.iter().map(|&w| prepared.any(w)).collect();
            each(which, &leaves, &data, &any);
        }
    }

    /// A posterior in which latents that explain nothing seen have mean 0 and their log deviations' own value made small:
    /// a prediction at their prior mean.
    fn known(&self, q: Gaussian, any: &[(bool, bool)], device: &Device) -> Gaussian {
        if any
            .iter()
            .all(|&(n, b)| explained(self.network.latents, n, b).iter().all(|k| *k))
        {
            return q;
        }
        let [trials, latents, _] = q.mean.dims();
        let known: Vec<f32> = any
            .iter()
            .flat_map(|&(n, b)| explained(self.network.latents, n, b))
            .map(|k| f32::from(u8::from(k)))
            .collect();
        let known = upload(known, [trials, latents, 1], device);
        let absent = (known.clone() - 1.0) * 20.0;
        Gaussian {
            mean: q.mean * known.clone(),
            log_sd: q.log_sd * known + absent,
        }
    }

    /// Prior variance of each bin, for each length scale.
    fn prior_variances(&self) -> Vec<Vec<f64>> {
        let t = self.training.bins;
        let diagonal = |c: Vec<f64>| (0..t).map(|i| c[i * t + i]).collect::<Vec<f64>>();
        let (variance, floor) = (self.config.variance, self.config.floor);
        match &self.network.basis {
            Basis::Independent => vec![vec![1.0; t]],
            Basis::Time => self
                .length_bins()
                .into_iter()
                .map(|l| diagonal(time_covariance(t, l, variance, floor).0))
                .collect(),
            Basis::Fourier(b) => self
                .length_bins()
                .into_iter()
                .map(|l| diagonal(b.covariance(&b.variances(l, variance, floor))))
                .collect(),
        }
    }
}

fn put(out: &mut Array3<f32>, which: &[usize], rows: &[f32], unit: impl Fn(usize, f32) -> f32) {
    let (_, t, channels) = out.dim();
    for (i, &trial) in which.iter().enumerate() {
        for bin in 0..t {
            for c in 0..channels {
                out[[trial, bin, c]] = unit(c, rows[(i * t + bin) * channels + c]);
            }
        }
    }
}
