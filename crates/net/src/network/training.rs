//! Descent, epoch by epoch.

use chiasm_core::{SettingError, Streams, Watch};
use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::supply::{Matrix, mixed};
use super::{Gradients, Loss, Network, NetworkError, Spare, Supply, Targets, Trace, finite};
use crate::Real;
use crate::train::{Optimizer, Rule, Share, cosine};

/// How rates change from step to step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Down to 0 along half a cosine.
    Cosine,
    /// Times `factor` after each of these epochs.
    Steps {
        /// Epochs done, rising.
        after: Vec<usize>,
        /// The factor.
        factor: f64,
    },
}

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the samples.
    pub epochs: usize,
    /// Samples in a batch, sequences where rows are those of sequences; the last one of an epoch may be smaller.
    pub batch: usize,
    /// What a gradient becomes.
    pub optimizer: Rule,
    /// Learning rate.
    pub rate: f64,
    /// Weight decay; where it goes depends on the optimizer.
    pub decay: f64,
    /// Largest norm of the gradient.
    pub clip: Option<f64>,
    /// How rates change.
    pub schedule: Schedule,
    /// What is made small.
    pub loss: Loss,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 64,
            optimizer: Rule::ADAM,
            rate: 1e-3,
            decay: 0.0,
            clip: None,
            schedule: Schedule::Constant,
            loss: Loss::CrossEntropy { smoothing: 0.0 },
        }
    }
}

impl TrainingConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.batch > 0, "batch", "at least 1", self.batch)?;
        self.optimizer.validate()?;
        let positive = |v: f64| v.is_finite() && v > 0.0;
        SettingError::check(positive(self.rate), "rate", "a number above 0", self.rate)?;
        let fine = self.decay.is_finite() && self.decay >= 0.0;
        SettingError::check(fine, "decay", "0 or more", self.decay)?;
        if let Some(clip) = self.clip {
            SettingError::check(positive(clip), "clip", "a number above 0", clip)?;
        }
        if let Schedule::Steps { factor, .. } = self.schedule {
            SettingError::check(
                positive(factor),
                "schedule.factor",
                "a number above 0",
                factor,
            )?;
        }
        if let Loss::CrossEntropy { smoothing } = self.loss {
            let fine = (0.0..1.0).contains(&smoothing);
            SettingError::check(fine, "loss.smoothing", "0 or more, below 1", smoothing)?;
        }
        Ok(())
    }

    /// Begins to train a network, all of its parameters at one rate.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn start<T: Real>(&self, network: Network<T>) -> Result<Training<T>, NetworkError> {
        let share = Share {
            decay: self.decay,
            clip: self.clip,
            ..Share::all(network.parameters(), self.rate)
        };
        self.start_shares(network, vec![share])
    }

    /// Begins to train a network by groups of parameters with rates, decays and limits of their own; the configuration's are
    /// not used. Parameters in no group stay as they are.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn start_shares<T: Real>(
        &self,
        network: Network<T>,
        shares: Vec<Share>,
    ) -> Result<Training<T>, NetworkError> {
        self.validate()?;
        let optimizer = Optimizer::new(network.parameters(), self.optimizer, shares);
        Ok(Training {
            config: self.clone(),
            network,
            optimizer,
            epoch: 0,
            kept: Kept::default(),
        })
    }

    fn factor(&self, epoch: usize, step: usize, steps: usize) -> f64 {
        match &self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => cosine(1.0, epoch * steps + step, self.epochs * steps),
            Schedule::Steps { after, factor } => {
                let past = after.iter().filter(|e| **e <= epoch).count();
                factor.powi(past as i32)
            }
        }
    }
}

/// What an epoch came to, measured on each batch before its step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss.
    pub loss: f64,
    /// Share of samples told right.
    pub accuracy: f64,
}

/// A network in training. Kept and read back between epochs it goes on to the same bits; cloned it branches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Training<T> {
    config: TrainingConfig,
    network: Network<T>,
    optimizer: Optimizer<T>,
    epoch: usize,
    #[serde(skip)]
    kept: Kept<T>,
}

/// Memory that is used again from epoch to epoch: fresh pages of it cost as much as a step. No part of what a training is.
/// With it comes what an epoch works on, so that one that fails leaves no trace.
#[derive(Debug)]
struct Kept<T>(Option<Box<(Workspace<T>, Training<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Kept<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Memory that is used again from step to step.
#[derive(Debug, Default)]
pub struct Workspace<T> {
    trace: Trace<T>,
    gradients: Gradients<T>,
    spare: Spare<T>,
    samples: Vec<usize>,
    rows: Vec<T>,
}

impl<T: Real> Training<T> {
    /// The network as it is.
    #[must_use]
    pub fn network(&self) -> &Network<T> {
        &self.network
    }

    /// The network as it is, for good.
    #[must_use]
    pub fn into_network(self) -> Network<T> {
        self.network
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.epoch
    }

    /// Whether all epochs are done.
    #[must_use]
    pub fn done(&self) -> bool {
        self.epoch >= self.config.epochs
    }

    /// One pass over the samples, `x` `[sample, input]`, in an order drawn from `streams` for this epoch.
    ///
    /// # Errors
    /// Inputs or targets that do not fit or are not finite; a loss or gradient that is not finite, with its step; work that
    /// was stopped, in which case this epoch was not begun as far as the training is concerned.
    pub fn epoch(
        &mut self,
        x: ArrayView2<'_, T>,
        targets: Targets<'_, T>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Epoch, NetworkError> {
        self.accept(x, targets)?;
        self.pass(&Matrix { x, targets }, streams, watch)
    }

    /// One pass over samples whose inputs are made batch by batch, such as augmented images, in an order drawn from `streams`
    /// for this epoch.
    ///
    /// # Errors
    /// As [`Self::epoch`]; where only whole batches are taken, fewer samples than one batch.
    pub fn epoch_of(
        &mut self,
        supply: &dyn Supply<T>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Epoch, NetworkError> {
        let shape = |what, expected, found| NetworkError::Shape {
            what,
            expected,
            found,
        };
        let (inputs, n) = (self.network.n_inputs(), supply.targets().len());
        if supply.inputs() != inputs {
            return Err(shape("inputs, columns", inputs, supply.inputs()));
        }
        let least = if supply.whole_batches() {
            self.config.batch
        } else {
            1
        };
        if n < least {
            return Err(shape("samples, at least one batch", least, n));
        }
        supply.targets().accept(n, self.network.n_outputs())?;
        self.pass(supply, streams, watch)
    }

    /// All epochs that are left. Returns what each came to.
    ///
    /// # Errors
    /// As [`Self::epoch`]; the epochs before stand.
    pub fn finish(
        &mut self,
        x: ArrayView2<'_, T>,
        targets: Targets<'_, T>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Vec<Epoch>, NetworkError> {
        self.accept(x, targets)?;
        watch.stage(
            "training",
            (self.config.epochs - self.epoch.min(self.config.epochs)) as u64,
        );
        let mut all = vec![];
        while !self.done() {
            let found = self.pass(&Matrix { x, targets }, streams, watch)?;
            watch.tick(1);
            watch.best("loss", found.loss);
            all.push(found);
        }
        Ok(all)
    }

    fn accept(&self, x: ArrayView2<'_, T>, targets: Targets<'_, T>) -> Result<(), NetworkError> {
        let shape = |what, expected, found| NetworkError::Shape {
            what,
            expected,
            found,
        };
        if x.ncols() != self.network.n_inputs() {
            return Err(shape("inputs, columns", self.network.n_inputs(), x.ncols()));
        }
        if x.nrows() == 0 {
            return Err(shape("samples, at least", 1, 0));
        }
        targets.accept(x.nrows(), self.network.n_outputs())?;
        finite("inputs", x)?;
        self.network.accept_sequences(x)
    }

    fn pass(
        &mut self,
        supply: &dyn Supply<T>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Epoch, NetworkError> {
        let mut kept = match self.kept.0.take() {
            Some(mut kept) => {
                kept.1.copy(self);
                kept
            }
            None => Box::new((Workspace::default(), self.clone())),
        };
        let (workspace, next) = &mut *kept;
        let found = T::pass(next, supply, streams, watch, workspace);
        if found.is_ok() {
            std::mem::swap(self, next);
        }
        self.kept = Kept(Some(kept));
        found
    }

    /// Becomes `other`, a state of the same training, without memory of its own.
    fn copy(&mut self, other: &Self) {
        self.network.copy(&other.network);
        self.optimizer.copy(&other.optimizer);
        self.epoch = other.epoch;
    }

    pub(crate) fn pass_inner(
        &mut self,
        supply: &dyn Supply<T>,
        streams: &Streams,
        watch: &dyn Watch,
        workspace: &mut Workspace<T>,
    ) -> Result<Epoch, NetworkError> {
        let (targets, inputs) = (supply.targets(), self.network.n_inputs());
        // Rows of a sequence stay together.
        let span = self.network.span();
        let mut order: Vec<usize> = (0..targets.len() / span).collect();
        order.shuffle(&mut streams.indexed("order", self.epoch));
        let batch = self.config.batch;
        if supply.whole_batches() {
            order.truncate(order.len() / batch * batch);
        }
        let n = order.len() * span;
        let steps = order.len().div_ceil(batch);
        if workspace.gradients.arrays().is_empty() {
            workspace.gradients = self.network.no_gradients();
        }
        let Workspace {
            trace,
            gradients,
            spare,
            samples,
            rows,
        } = workspace;
        trace.training = true;
        let (mut loss, mut correct) = (0.0, 0.0);
        for (step, together) in order.chunks(batch).enumerate() {
            watch.check()?;
            samples.clear();
            samples.extend(together.iter().flat_map(|s| s * span..(s + 1) * span));
            rows.resize(samples.len() * inputs, T::ZERO);
            let mix = supply.fill(self.epoch, step, samples, rows);
            self.network.accept_batch(samples.len())?;
            self.network.forward(rows, samples.len(), trace);
            self.network.keep_statistics(trace);
            let mut outputs = spare.of(trace.output().len());
            let of_loss = &self.config.loss;
            let mut sums = of_loss.of(trace.output(), &targets, samples, &mut outputs);
            if let Some(mix) = mix {
                let all = (trace.output(), &targets);
                sums.loss = mixed(of_loss, all, &mix, sums.loss, &mut outputs);
            }
            let (epoch, taken) = (self.epoch, self.optimizer.steps());
            let diverged = |quantity: String| NetworkError::Diverged {
                quantity,
                epoch,
                step: taken,
            };
            if !sums.loss.is_finite() {
                return Err(diverged("the loss".into()));
            }
            gradients.clear();
            let network = &self.network;
            let left = network.back(trace, outputs, gradients, false, spare);
            spare.keep(left);
            let factor = self.config.factor(self.epoch, step, steps);
            let parameters = &mut self.network.parameters;
            let advanced = self
                .optimizer
                .advance(parameters, gradients.arrays(), factor);
            if let Err(bad) = advanced {
                return Err(diverged(format!("the gradient of `{}`", bad.share)));
            }
            self.network.keep_scales();
            loss += sums.loss;
            correct += sums.correct;
        }
        self.epoch += 1;
        Ok(Epoch {
            loss: loss / n as f64,
            accuracy: correct / n as f64,
        })
    }
}
