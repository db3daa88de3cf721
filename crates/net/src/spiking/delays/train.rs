//! Training, epoch by epoch, so that it can stop between two and go on to the same bits.

use chiasm_core::{Streams, Watch};
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::DelaysError;
use super::config::{Config, Delays};
use super::events::Trains;
use super::gradients::{Gradients, Kept};
use super::kernel;
use super::network::DelayNetwork;
use super::neuron::{Fire, best};
use super::optimizer::{Adam, Step};
use crate::train::{cosine, one_cycle};

/// What an epoch of training gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss over the samples.
    pub loss: f64,
    /// Fraction of samples told right while training, dropout included.
    pub accuracy: f64,
    /// Width of the kernels, steps.
    pub sigma: f64,
    /// Spikes of a hidden neuron in a sample, mean; those that dropout silenced do not count.
    pub spikes: f64,
}

/// Optimizers of one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Moves {
    weights: Adam<f32>,
    positions: Adam<f32>,
    gain: Adam<f32>,
    shift: Adam<f32>,
}

/// A network in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    config: Config,
    network: DelayNetwork,
    moves: Vec<Moves>,
    epochs: Vec<Epoch>,
}

impl Training {
    /// A network at its start.
    ///
    /// # Errors
    /// As [`DelayNetwork::new`].
    pub fn new(
        config: &Config,
        n_channels: usize,
        n_classes: usize,
        streams: &Streams,
    ) -> Result<Self, DelaysError> {
        let streams = streams.child("network");
        let network = DelayNetwork::new(config, n_channels, n_classes, &streams)?;
        Ok(Self::of(config, network))
    }

    /// Training of a network that is there, made by the same settings.
    #[must_use]
    pub fn of(config: &Config, network: DelayNetwork) -> Self {
        let moves = network.layers.iter().map(|l| {
            let n = l.norm.as_ref().map_or(0, |_| l.n_out);
            Moves {
                weights: Adam::new(l.weights.len()),
                positions: Adam::new(l.positions.len()),
                gain: Adam::new(n),
                shift: Adam::new(n),
            }
        });
        Self {
            config: config.clone(),
            moves: moves.collect(),
            network,
            epochs: vec![],
        }
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Whether all epochs are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.epochs.len() >= self.config.epochs
    }

    /// The network as it is.
    #[must_use]
    pub fn network(&self) -> &DelayNetwork {
        &self.network
    }

    /// The width with which the network was trained last; that of the first epoch before any.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.epochs.last().map_or(self.config.sigma(0), |e| e.sigma)
    }

    /// The rest of the epochs.
    ///
    /// # Errors
    /// As [`Self::epoch`].
    pub fn finish(
        mut self,
        train: &Trains,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Self, DelaysError> {
        while !self.is_done() {
            self.epoch(train, streams, watch)?;
        }
        Ok(self)
    }

    /// One epoch over the samples, in an order of its own.
    ///
    /// # Errors
    /// [`DelaysError::Shape`] for samples of other channels or classes; [`DelaysError::Diverged`];
    /// [`DelaysError::Cancelled`], then nothing of the epoch is kept.
    pub fn epoch(
        &mut self,
        train: &Trains,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(), DelaysError> {
        self.network.accept(train)?;
        let epoch = self.epochs.len();
        let streams = streams.child(&format!("epoch {epoch}"));
        let mut order: Vec<usize> = (0..train.n_samples()).collect();
        order.shuffle(&mut streams.stream("order"));
        let bump = self.config.bump(epoch);
        let before = (self.network.clone(), self.moves.clone());
        let (mut loss, mut right, mut n_spikes) = (0.0, 0, 0);
        for (b, batch) in order.chunks(self.config.batch).enumerate() {
            if let Err(e) = watch.check() {
                (self.network, self.moves) = before;
                return Err(e.into());
            }
            let samples: Vec<_> = batch.iter().map(|i| &train.samples()[*i][..]).collect();
            let labels: Vec<usize> = batch.iter().map(|i| train.labels()[*i]).collect();
            let kept = self.kept(batch.len(), b, &streams);
            let found = self.network.gradients(
                &samples,
                &labels,
                train.n_steps(),
                bump,
                kept.as_ref(),
                Fire::Spike,
            );
            let diverged = |quantity| DelaysError::Diverged {
                quantity,
                epoch,
                batch: b,
            };
            if !found.loss.is_finite() {
                return Err(diverged("the loss"));
            }
            if !found.gradients.iter().all(Gradients::is_finite) {
                return Err(diverged("a gradient"));
            }
            self.step(&found.gradients, epoch);
            loss += found.loss * batch.len() as f64;
            let told = found.scores.iter().zip(&labels);
            right += told.filter(|(s, label)| best(s) == **label).count();
            n_spikes += found.n_spikes;
        }
        let n = train.n_samples() as f64;
        let neurons: usize = self.config.hidden.iter().sum();
        self.epochs.push(Epoch {
            loss: loss / n,
            accuracy: right as f64 / n,
            sigma: self.config.sigma(epoch),
            spikes: n_spikes as f64 / n / neurons as f64,
        });
        watch.tick(1);
        Ok(())
    }

    /// Which hidden neurons are kept in each sample of a batch.
    fn kept(&self, batch: usize, index: usize, streams: &Streams) -> Option<Kept> {
        let p = self.config.dropout;
        if p == 0.0 {
            return None;
        }
        let mut rng = streams.indexed("dropout", index);
        let hidden = self.config.hidden.iter();
        let neurons = hidden.map(|n| (0..batch * n).map(|_| !rng.random_bool(p)).collect());
        Some(Kept {
            neurons: neurons.collect(),
            scale: 1.0 / (1.0 - p),
        })
    }

    fn step(&mut self, gradients: &[Gradients<f32>], epoch: usize) {
        let config = &self.config;
        let (rate, beta) = one_cycle(config.peak_rate, epoch, config.epochs);
        let plain = Step {
            rate,
            beta,
            decay: 0.0,
        };
        let decayed = Step {
            decay: config.weight_decay,
            ..plain
        };
        let along = Step {
            rate: cosine(config.position_rate, epoch, config.epochs),
            beta: 0.9,
            decay: 0.0,
        };
        let half = kernel::half(self.network.length) as f32;
        let layers = self.network.layers.iter_mut().zip(&mut self.moves);
        for ((layer, moves), gradient) in layers.zip(gradients) {
            moves
                .weights
                .update(&mut layer.weights, &gradient.weights, decayed);
            if config.delays == Delays::Learned {
                moves
                    .positions
                    .update(&mut layer.positions, &gradient.positions, along);
                for p in &mut layer.positions {
                    *p = p.clamp(-half, half);
                }
            }
            if let Some(norm) = &mut layer.norm {
                moves.gain.update(&mut norm.gain, &gradient.gain, plain);
                moves.shift.update(&mut norm.shift, &gradient.shift, plain);
            }
        }
    }
}

impl Gradients<f32> {
    fn is_finite(&self) -> bool {
        let all = [&self.weights, &self.positions, &self.gain, &self.shift];
        // A sum is not finite if one of its terms is not.
        all.iter().all(|g| g.iter().sum::<f32>().is_finite())
    }
}
