//! Training: one epoch after the other, from a state that can be kept and gone on from to the same bits.

use burn_tensor::{Device, Tensor};
use chiasm_core::{Streams, Watch};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::MmGpVaeError;
use super::batch::{Alone, Constants, Prepared, constants, order};
use super::config::MmGpVae;
use super::fitted::Fitted;
use super::network::{Network, Sizes, Terms};
use super::objective::terms;
use super::scales::Scales;
use super::trials::Trials;
use crate::Real;
use crate::train::{Optimizer, Parameters, Rule, download, upload};

/// The objective over one epoch, per trial, in the data's own units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Evidence lower bound, nats per trial.
    pub bound: f64,
    /// Divergence of the posterior from the prior, nats per trial.
    pub divergence: f64,
    /// Expected log-likelihood of the neural activity, nats per trial.
    pub neural: f64,
    /// Expected log-likelihood of the behaviour, nats per trial.
    pub behavior: f64,
    /// Mean of the length scales at its end, bins; 0 where the prior has none.
    pub length_bins: f64,
}

/// Training as far as it went: keep it, read it back, and go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    pub(super) parameters: Parameters<f32>,
    pub(super) optimizer: Optimizer<f32>,
    pub(super) scales: Scales,
    pub(super) bins: usize,
    pub(super) units: usize,
    pub(super) channels: usize,
    /// The objective of every epoch so far.
    pub trace: Vec<Epoch>,
}

impl Training {
    /// Epochs so far.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.trace.len()
    }

    /// Number of parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.parameters.len()
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &Parameters<f32> {
        &self.parameters
    }

    pub(super) fn sizes(&self) -> Sizes {
        Sizes {
            bins: self.bins,
            units: self.units,
            channels: self.channels,
        }
    }
}

impl MmGpVae {
    /// Training as far as [`MmGpVae::start_epochs`], from the best of [`MmGpVae::starts`] starts, or before its first epoch
    /// if there is one start alone. Each start has draws of its own.
    ///
    /// # Errors
    /// As [`MmGpVae::train`]; a start that diverges is left out unless all do.
    pub fn best_start(
        &self,
        trials: &Trials,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Training, MmGpVaeError> {
        if self.starts == 1 {
            return self.start(trials, streams);
        }
        let epochs = self.start_epochs.min(self.epochs);
        let mut best: Result<Option<Training>, MmGpVaeError> = Ok(None);
        for i in 0..self.starts {
            let streams = streams.child("mm_gpvae starts").child(&i.to_string());
            let mut training = self.start(trials, &streams)?;
            match self.train(trials, &mut training, epochs, &streams, watch) {
                Ok(()) => {
                    let bound =
                        |t: &Training| t.trace.last().map_or(f64::NEG_INFINITY, |e| e.bound);
                    let better = match &best {
                        Ok(Some(b)) => bound(&training) > bound(b),
                        _ => true,
                    };
                    if better {
                        best = Ok(Some(training));
                    }
                }
                Err(e @ MmGpVaeError::NotFinite { .. }) => {
                    if !matches!(best, Ok(Some(_))) {
                        best = Err(e);
                    }
                }
                Err(e) => return Err(e),
            }
        }
        best?.map_or_else(|| self.start(trials, streams), Ok)
    }

    /// Training before its first epoch.
    ///
    /// # Errors
    /// A setting out of range; data that lack a stream that is asked for, or in which it does not vary; under the Poisson
    /// likelihood a value that is no count.
    pub fn start(&self, trials: &Trials, streams: &Streams) -> Result<Training, MmGpVaeError> {
        self.validate()?;
        let scales = Scales::new(self, trials)?;
        let (units, channels) = trials.channels();
        let sizes = Sizes {
            bins: trials.bins(),
            units,
            channels,
        };
        let streams = streams.child("mm_gpvae").child("start");
        let (_, parameters, groups) = Network::new(self, sizes, &scales.offsets, &streams);
        let optimizer = Optimizer::new(&parameters, Rule::ADAM, groups);
        Ok(Training {
            parameters,
            optimizer,
            scales,
            bins: sizes.bins,
            units,
            channels,
            trace: Vec::new(),
        })
    }

    /// Goes on until `epochs` epochs are done in all (nothing if they are). Every draw belongs to its epoch and batch, so
    /// the bits are the same however often training was kept and read back in between.
    ///
    /// # Errors
    /// As [`MmGpVae::start`]; training kept from another model; an objective or a gradient that is not finite (the last
    /// whole epoch is kept in `training`); work that was stopped (likewise).
    pub fn train(
        &self,
        trials: &Trials,
        training: &mut Training,
        epochs: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(), MmGpVaeError> {
        let network = self.network_of(training)?;
        training.scales.check(self, trials, training.sizes())?;
        let fixed = constants(self, &training.scales, trials);
        let prepared = Prepared::<f32>::new(self, &training.scales, trials, training.sizes());
        let streams = streams.child("mm_gpvae");
        let device = Device::flex().autodiff();
        while training.epochs() < epochs {
            let epoch = training.epochs();
            let mut next = training.clone();
            let mut sum = Epoch::default();
            let order = order(trials.len(), &streams, epoch);
            for (b, which) in order.chunks(self.batch).enumerate() {
                watch.check()?;
                let of_batch = streams.child("batch").child(&epoch.to_string());
                let mut rng = of_batch.indexed("draws", b);
                let alone = Alone::draw(self.alone, which.len(), &mut rng);
                let noise = normal::<f32>(which.len() * self.numbers(&network), &mut rng);
                let fault = |quantity: &str| MmGpVaeError::NotFinite {
                    quantity: quantity.into(),
                    epoch,
                    batch: b,
                };
                let data = prepared.batch(which, &alone, network.latents, &device);
                let leaves = next.parameters.leaves(&device);
                let noise = upload(noise, self.shape(&network, which.len()), &device);
                let parts = terms::<f32>(&network, self, &leaves, &data, noise, &device);
                let loss = parts.total() / which.len() as f64;
                let values = Values::of(&parts);
                if !values.total().is_finite() {
                    return Err(fault("the objective"));
                }
                let grads = loss.backward();
                let grads = next.parameters.gradients(&leaves, &grads);
                // The leaves share the parameters' memory no longer once they are gone.
                drop((leaves, parts));
                let taken = next.optimizer.update(&mut next.parameters, &grads, 1.0);
                taken.map_err(|_| fault("a gradient"))?;
                self.clamp(&network, &mut next.parameters);
                values.add_to(&mut sum, which.iter().map(|&r| &fixed[r]));
            }
            let n = trials.len() as f64;
            let lengths = network.length.map(|i| &next.parameters.arrays[i].values);
            next.trace.push(Epoch {
                bound: sum.bound / n,
                divergence: sum.divergence / n,
                neural: sum.neural / n,
                behavior: sum.behavior / n,
                length_bins: lengths.map_or(0.0, |l| {
                    l.iter().map(|v| f64::from(*v).exp()).sum::<f64>() / l.len() as f64
                }),
            });
            *training = next;
            watch.tick(1);
            watch.best("bound", sum.bound / n);
        }
        Ok(())
    }

    /// Trains from the start for [`MmGpVae::epochs`] epochs.
    ///
    /// # Errors
    /// As [`MmGpVae::train`].
    ///
    /// ```
    /// use chiasm_core::{Quiet, Streams};
    /// use chiasm_net::models::mm_gpvae::{MmGpVae, Missing, Modalities, Trials};
    /// use ndarray::Array3;
    ///
    /// // Two trials of 12 bins: 3 units count how far a slow wave has come.
    /// let counts = Array3::from_shape_fn((2, 12, 3), |(r, t, u)| (((t + r) / (u + 2)) % 4) as f32);
    /// let trials = Trials::new(Some(counts), None, Missing::Refuse)?;
    /// let model = MmGpVae { modalities: Modalities::Neural, epochs: 2, ..MmGpVae::default() };
    /// let fitted = model.fit(&trials, &Streams::new(1), &Quiet)?;
    /// let posterior = fitted.posterior(&trials)?;
    /// assert_eq!(posterior.mean.dim(), (2, 12, 2));
    /// # Ok::<(), chiasm_net::models::mm_gpvae::MmGpVaeError>(())
    /// ```
    pub fn fit(
        &self,
        trials: &Trials,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Fitted, MmGpVaeError> {
        watch.stage("training", self.ticks());
        let mut training = self.best_start(trials, streams, watch)?;
        self.train(trials, &mut training, self.epochs, streams, watch)?;
        self.fitted(&training)
    }

    /// The model as far as it was trained.
    ///
    /// # Errors
    /// Training kept from another model.
    pub fn fitted(&self, training: &Training) -> Result<Fitted, MmGpVaeError> {
        let network = self.network_of(training)?;
        Ok(Fitted::new(self.clone(), network, training.clone()))
    }

    /// Epochs in all, those of starts that are given up included: what [`Watch::tick`] counts.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        let given_up = (self.starts - 1) * self.start_epochs.min(self.epochs);
        (self.epochs + given_up) as u64
    }

    pub(super) fn network_of(&self, training: &Training) -> Result<Network, MmGpVaeError> {
        self.validate()?;
        // The seed does not matter: only the layout is taken.
        let streams = Streams::new(0);
        let (network, fresh, _) =
            Network::new::<f32>(self, training.sizes(), &training.scales.offsets, &streams);
        let shapes = |p: &Parameters<f32>| p.arrays.iter().map(|a| a.shape).collect::<Vec<_>>();
        if shapes(&fresh) == shapes(&training.parameters) {
            Ok(network)
        } else {
            Err(MmGpVaeError::OtherModel {
                expected: fresh.len(),
                found: training.parameters.len(),
            })
        }
    }

    fn numbers(&self, network: &Network) -> usize {
        network.latents.total() * network.basis.coefficients(network.sizes.bins)
    }

    pub(super) fn shape(&self, network: &Network, trials: usize) -> [usize; 3] {
        let m = network.basis.coefficients(network.sizes.bins);
        [trials, network.latents.total(), m]
    }

    /// Keeps length scales where the basis can hold them.
    fn clamp(&self, network: &Network, parameters: &mut Parameters<f32>) {
        if let Some(i) = network.length {
            let (low, high) = (self.min_length_bins.ln(), self.max_length_bins.ln());
            for v in &mut parameters.arrays[i].values {
                *v = v.clamp(low as f32, high as f32);
            }
        }
    }
}

pub(super) fn normal<T: Real>(n: usize, rng: &mut chiasm_core::Rng) -> Vec<T> {
    (0..n)
        .map(|_| {
            let v: f64 = StandardNormal.sample(rng);
            T::of(v)
        })
        .collect()
}

/// The parts of a batch's objective on the host.
pub(super) struct Values {
    pub divergence: f64,
    pub neural: f64,
    pub behavior: f64,
}

impl Values {
    pub(super) fn of(parts: &Terms) -> Self {
        let read = |t: &Tensor<1>| f64::from(download::<f32, 1>(t.clone().inner())[0]);
        Self {
            divergence: read(&parts.divergence),
            neural: parts.neural.as_ref().map_or(0.0, read),
            behavior: parts.behavior.as_ref().map_or(0.0, read),
        }
    }

    pub(super) fn total(&self) -> f64 {
        self.divergence + self.neural + self.behavior
    }

    /// Adds these to the sums of an epoch.
    pub(super) fn add_to<'a>(&self, sum: &mut Epoch, fixed: impl Iterator<Item = &'a Constants>) {
        let (mut neural, mut behavior) = (self.neural, self.behavior);
        for c in fixed {
            neural += c.neural;
            behavior += c.behavior;
        }
        sum.divergence += self.divergence;
        sum.neural -= neural;
        sum.behavior -= behavior;
        sum.bound -= self.divergence + neural + behavior;
    }
}
