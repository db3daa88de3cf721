//! Descent with momentum, step by step, each on a batch of its own.

use chiasm_core::{SettingError, Streams, Watch};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Recurrent, RecurrentError, Sequences, States};
use crate::Real;
use crate::train::{Optimizer, Rule, Share};

/// At which steps of a trial outputs count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    /// At all, each as much.
    #[default]
    All,
    /// At the last.
    Last,
}

/// How a recurrent network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecurrentTrainingConfig {
    /// Steps of training, each on trials of its own (paper: 10,000).
    pub iterations: usize,
    /// Trials in a batch (paper: 32; 200 for digits).
    pub batch: usize,
    /// Learning rate (paper: 0.003).
    pub rate: f64,
    /// What the velocity keeps of itself (paper: 0.9).
    pub momentum: f64,
    /// Which outputs count.
    pub read: Read,
    /// Steps whose mean loss is one point of the course (paper: every 100 steps one loss).
    pub every: usize,
    /// Whether signs of recurrent weights stay as they began (Dale's law): those that would change become 0.
    pub keep_signs: bool,
}

impl Default for RecurrentTrainingConfig {
    fn default() -> Self {
        Self {
            iterations: 10_000,
            batch: 32,
            rate: 0.003,
            momentum: 0.9,
            read: Read::All,
            every: 100,
            keep_signs: false,
        }
    }
}

impl RecurrentTrainingConfig {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (field, n) in [("batch", self.batch), ("every", self.every)] {
            SettingError::check(n >= 1, field, "1 or more", n)?;
        }
        let fine = self.rate > 0.0 && self.rate.is_finite();
        SettingError::check(fine, "rate", "a number above 0", self.rate)?;
        let fine = (0.0..1.0).contains(&self.momentum);
        SettingError::check(fine, "momentum", "0 or more, below 1", self.momentum)
    }
}

/// A recurrent network in training. It can stop after any step and go on to the same bits; cloned it branches.
#[derive(Debug, Clone)]
pub struct RecurrentTraining<T> {
    config: RecurrentTrainingConfig,
    network: Recurrent<T>,
    optimizer: Optimizer<T>,
    signs: Vec<T>,
    done: usize,
}

impl<T: Real> RecurrentTraining<T> {
    /// Begins to train a network.
    ///
    /// # Errors
    /// [`RecurrentError::Setting`].
    pub fn new(
        config: &RecurrentTrainingConfig,
        network: Recurrent<T>,
    ) -> Result<Self, RecurrentError> {
        config.validate()?;
        let rule = Rule::Sgd {
            momentum: config.momentum,
        };
        let share = Share::all(network.parameters(), config.rate);
        let signs = if config.keep_signs {
            network.array(super::RECURRENT).to_vec()
        } else {
            vec![]
        };
        Ok(Self {
            optimizer: Optimizer::new(network.parameters(), rule, vec![share]),
            config: config.clone(),
            network,
            signs,
            done: 0,
        })
    }

    /// The network as it is.
    #[must_use]
    pub fn network(&self) -> &Recurrent<T> {
        &self.network
    }

    /// The network as it is, for good.
    #[must_use]
    pub fn into_network(self) -> Recurrent<T> {
        self.network
    }

    /// Steps done.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.done
    }

    /// Steps `upto` this number of all, each on the trials that `draw` gives for it from a stream of its own
    /// (`streams.indexed("batch", step)`). Returns the mean loss of every [`RecurrentTrainingConfig::every`] steps.
    ///
    /// # Errors
    /// Trials that do not fit; [`RecurrentError::Diverged`]; [`RecurrentError::Cancelled`].
    pub fn advance(
        &mut self,
        upto: usize,
        streams: &Streams,
        watch: &dyn Watch,
        mut draw: impl FnMut(&mut chiasm_core::Rng) -> Result<Sequences<T>, RecurrentError>,
    ) -> Result<Vec<f64>, RecurrentError> {
        let mut course = vec![];
        let (mut sum, mut count) = (0.0, 0usize);
        let mut states = States::default();
        let mut gradients: Vec<Vec<T>> = self
            .network
            .parameters()
            .arrays
            .iter()
            .map(|a| vec![T::ZERO; a.values.len()])
            .collect();
        let mut errors = vec![];
        while self.done < upto.min(self.config.iterations) {
            watch.check()?;
            let trials = draw(&mut streams.indexed("batch", self.done))?;
            let config = self.network.config();
            trials.accept(config.inputs, config.outputs)?;
            self.network.forward(&trials, &mut states);
            let loss = loss(&states, &trials, self.config.read, &mut errors);
            let diverged = |quantity| RecurrentError::Diverged {
                quantity,
                step: self.done as u64,
            };
            if !loss.is_finite() {
                return Err(diverged("the loss"));
            }
            gradients.iter_mut().for_each(|g| g.fill(T::ZERO));
            self.network.back(&trials, &states, &errors, &mut gradients);
            let updated = self
                .optimizer
                .update(self.network.parameters_mut(), &gradients, 1.0);
            updated.map_err(|_| diverged("the gradient"))?;
            self.hold_signs();
            self.done += 1;
            sum += loss;
            count += 1;
            if count == self.config.every {
                course.push(sum / count as f64);
                watch.best("loss", sum / count as f64);
                (sum, count) = (0.0, 0);
            }
            watch.tick(1);
        }
        if count > 0 {
            course.push(sum / count as f64);
        }
        Ok(course)
    }

    fn hold_signs(&mut self) {
        let weights = &mut self.network.parameters_mut().arrays[super::RECURRENT].values;
        for (w, s) in weights.iter_mut().zip(&self.signs) {
            if *w * *s < T::ZERO {
                *w = T::ZERO;
            }
        }
    }
}

/// The mean cross-entropy of the softmax of the outputs that count, and its gradient with respect to all outputs.
pub(super) fn loss<T: Real>(
    states: &States<T>,
    trials: &Sequences<T>,
    read: Read,
    errors: &mut Vec<T>,
) -> f64 {
    let classes = states.outputs.len() / (states.steps * states.trials).max(1);
    errors.clear();
    errors.resize(states.outputs.len(), T::ZERO);
    let first = match read {
        Read::All => 0,
        Read::Last => (states.steps - 1) * states.trials,
    };
    let labels = trials.labels();
    let count = states.steps * states.trials - first;
    let share = T::ONE / T::of(count as f64);
    let mut sum = 0.0;
    for row in first..states.steps * states.trials {
        let label = labels[[row / states.trials, row % states.trials]];
        let y = &states.outputs[row * classes..(row + 1) * classes];
        let e = &mut errors[row * classes..(row + 1) * classes];
        let top = y
            .iter()
            .fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
        let mut all = T::ZERO;
        for (e, y) in e.iter_mut().zip(y) {
            *e = (*y - top).exp();
            all += *e;
        }
        sum += all.wide().ln() + top.wide() - y[label].wide();
        for e in e.iter_mut() {
            *e = *e / all * share;
        }
        e[label] -= share;
    }
    sum / count as f64
}

impl<T: Real> Recurrent<T> {
    /// The mean loss on trials, and the part of the outputs that count whose largest is the label's.
    ///
    /// # Errors
    /// As [`Recurrent::run`].
    pub fn score(&self, trials: &Sequences<T>, read: Read) -> Result<(f64, f64), RecurrentError> {
        let states = self.run(trials)?;
        let found = loss(&states, trials, read, &mut vec![]);
        let classes = self.config.outputs;
        let first = match read {
            Read::All => 0,
            Read::Last => states.steps - 1,
        };
        let mut right = 0;
        for step in first..states.steps {
            for trial in 0..states.trials {
                let at = (step * states.trials + trial) * classes;
                let y = &states.outputs[at..at + classes];
                let mut best = 0;
                for (k, v) in y.iter().enumerate() {
                    if *v > y[best] {
                        best = k;
                    }
                }
                right += usize::from(best == trials.labels()[[step, trial]]);
            }
        }
        let count = (states.steps - first) * states.trials;
        Ok((found, right as f64 / count as f64))
    }
}

/// A batch of `n` of these trials, drawn with replacement.
#[must_use]
pub fn resample<T: Real>(
    trials: &Sequences<T>,
    n: usize,
    rng: &mut chiasm_core::Rng,
) -> Sequences<T> {
    let drawn: Vec<usize> = (0..n)
        .map(|_| rng.random_range(0..trials.n_trials()))
        .collect();
    trials.select(&drawn)
}
