//! Stochastic gradient descent, and what is diagnosed on the way (card 55, C and E).

use chiasm_core::{SettingError, Streams, Watch};
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::error::TheoryError;
use super::network::{Network, Pass};
use super::patches::{Features, Patches};
use super::standing::Standing;

/// A smaller step after a while.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    /// Passes after which the step becomes smaller.
    pub after: usize,
    /// The dimensionless step from then on.
    pub k: f64,
}

/// The descent. Defaults are the card's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The dimensionless step `k = 4 eta |u|^2 / m` (card 55: 1.3; control 0.1).
    pub k: f64,
    /// Passes over the samples (card 55: 1500; control 3000).
    pub passes: usize,
    /// Samples in a step, whose gradients are averaged (card 55: 1).
    pub batch: usize,
    /// A smaller step after a while; never if not given.
    pub decay: Option<Decay>,
    /// Distance from the label from which a prediction counts as oscillating (card 55: 0.2).
    pub delta: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            k: 1.3,
            passes: 1500,
            batch: 1,
            decay: None,
            delta: 0.2,
        }
    }
}

impl Settings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), TheoryError> {
        let positive = |field, v: f64| {
            SettingError::check(v.is_finite() && v > 0.0, field, "a number above 0", v)
        };
        positive("k", self.k)?;
        positive("delta", self.delta)?;
        let n = self.passes;
        SettingError::check(
            (1..=10_000_000).contains(&n),
            "passes",
            "1 to 10,000,000",
            n,
        )?;
        let n = self.batch;
        SettingError::check((1..=1 << 20).contains(&n), "batch", "1 to 1048576", n)?;
        if let Some(decay) = self.decay {
            positive("decay.k", decay.k)?;
        }
        Ok(())
    }
}

/// What is noted after each pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Mean squared error over the samples as they came.
    pub loss: Vec<f64>,
    /// Largest projection of the positive and of the negative filters on `u` and `-u`.
    pub strong: Vec<[f64; 2]>,
    /// The same on `v` and `-v`.
    pub weak: Vec<[f64; 2]>,
    /// Largest projection of any filter on the last patch of any sample: its noise.
    pub noise: Vec<f64>,
    /// `y f` of the first strong sample as it came.
    pub prediction: Vec<f64>,
    /// Sum of `1 - y f` over the strong samples that came, from the start.
    pub shortfall: Vec<f64>,
    /// Part of the strong samples of the pass with `|y f - 1| >= delta`.
    pub oscillating: Vec<f64>,
}

/// A descent on its way.
#[derive(Debug, Clone)]
pub struct Descent<'a> {
    network: Network,
    train: &'a Patches,
    features: &'a Features,
    settings: Settings,
    standing: Standing,
    trace: Trace,
    pass: usize,
    step: usize,
}

impl<'a> Descent<'a> {
    /// Of a network on samples with these features.
    ///
    /// # Errors
    /// [`TheoryError`]: settings out of range, patches or features of another dimension than the filters.
    pub fn new(
        network: Network,
        train: &'a Patches,
        features: &'a Features,
        settings: Settings,
    ) -> Result<Self, TheoryError> {
        settings.validate()?;
        network.check(train)?;
        if features.strong().len() != network.dimension() {
            return Err(TheoryError::Shape {
                what: "features",
                expected: network.dimension(),
                found: features.strong().len(),
            });
        }
        let eta = eta(settings.k, network.m(), features);
        let standing = Standing::new(eta, network.m(), features, train)?;
        Ok(Self {
            network,
            train,
            features,
            settings,
            standing,
            trace: Trace::default(),
            pass: 0,
            step: 0,
        })
    }

    /// Where the step lies, before anything is run.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The network now.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What was noted so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The network and what was noted.
    #[must_use]
    pub fn into_parts(self) -> (Network, Trace) {
        (self.network, self.trace)
    }

    /// All passes that are left. Orders come from the stream `order` and the pass's number.
    ///
    /// # Errors
    /// [`TheoryError::Diverged`] or [`TheoryError::Dead`] with the step; [`TheoryError::Cancelled`].
    pub fn run(&mut self, streams: &Streams, watch: &dyn Watch) -> Result<(), TheoryError> {
        self.advance(self.settings.passes, streams, watch)
    }

    /// As [`Descent::run`], until so many passes are done.
    ///
    /// # Errors
    /// As [`Descent::run`].
    pub fn advance(
        &mut self,
        passes_done: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(), TheoryError> {
        let n = self.train.len();
        let mut passes = vec![Pass::default(); self.settings.batch.min(n)];
        let (mut silent, mut order) = (0, Vec::new());
        while self.pass < passes_done.min(self.settings.passes) {
            watch.check()?;
            let k = match self.settings.decay {
                Some(decay) if self.pass >= decay.after => decay.k,
                _ => self.settings.k,
            };
            let eta = eta(k, self.network.m(), self.features);
            order.clear();
            order.extend(0..n);
            order.shuffle(&mut streams.indexed("order", self.pass));
            let (mut sum, mut short, mut far, mut strong) = (0.0, 0.0, 0, 0);
            let mut shown = f64::NAN;
            for batch in order.chunks(self.settings.batch) {
                for (&i, pass) in batch.iter().zip(&mut passes) {
                    self.network.evaluate(self.train.sample(i), pass);
                    let y = self.train.labels()[i];
                    if !(pass.f.is_finite() && pass.f.abs() < 1e12) {
                        let (quantity, step) = ("the output", self.step);
                        return Err(TheoryError::Diverged { quantity, step });
                    }
                    sum += (pass.f - y).powi(2);
                    if !self.train.is_weak(i) {
                        let gap = 1.0 - y * pass.f;
                        short += gap;
                        strong += 1;
                        far += usize::from(gap.abs() >= self.settings.delta);
                        if i == 0 {
                            shown = y * pass.f;
                        }
                    }
                    silent = if pass.alive { 0 } else { silent + 1 };
                }
                if silent >= n {
                    return Err(TheoryError::Dead { step: self.step });
                }
                let eta = eta / batch.len() as f64;
                for (&i, pass) in batch.iter().zip(&passes) {
                    let (x, y) = (self.train.sample(i), self.train.labels()[i]);
                    self.network.descend(x, y, eta, pass);
                }
                self.step += 1;
            }
            self.note(
                sum / n as f64,
                short,
                far as f64 / f64::from(strong.max(1)),
                shown,
            );
            self.pass += 1;
            watch.tick(1);
        }
        Ok(())
    }

    fn note(&mut self, loss: f64, short: f64, far: f64, shown: f64) {
        let trace = &mut self.trace;
        trace.loss.push(loss);
        let (net, u, v) = (&self.network, self.features.strong(), self.features.weak());
        let both = |x| [net.projection(true, x), net.projection(false, x)];
        trace.strong.push(both(u));
        trace.weak.push(both(v));
        let last = self.train.n_patches() - 1;
        let noise = (0..self.train.len()).map(|i| {
            let patch = self.train.patch(i, last);
            net.largest_projection(patch.as_slice().unwrap_or(&[]))
        });
        trace.noise.push(noise.fold(f64::NEG_INFINITY, f64::max));
        trace.prediction.push(shown);
        let before = trace.shortfall.last().copied().unwrap_or(0.0);
        trace.shortfall.push(before + short);
        trace.oscillating.push(far);
    }
}

/// The step of a dimensionless one.
fn eta(k: f64, m: usize, features: &Features) -> f64 {
    k * m as f64 / (4.0 * features.strong_norm())
}
