//! From trials to batches: masks, and the order of trials.

use burn_tensor::Device;
use chiasm_core::Streams;
use rand::RngExt;
use rand::seq::SliceRandom;
use statrs::function::gamma::ln_gamma;

use super::config::{Latents, MmGpVae, NeuralLikelihood};
use super::network::{Batch, Sizes};
use super::scales::{Scale, Scales};
use super::trials::{Stream, Trials};
use crate::Real;
use crate::train::upload;

/// What of a batch is drawn at random, besides the samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alone {
    /// For each trial which encoders speak of the shared latents: (neural, behaviour).
    pub speak: Vec<(bool, bool)>,
}

impl Alone {
    /// Both speak wherever they saw anything.
    pub(super) fn none(trials: usize) -> Self {
        Self {
            speak: vec![(true, true); trials],
        }
    }

    pub(super) fn draw(share: f64, trials: usize, rng: &mut chiasm_core::Rng) -> Self {
        let speak = (0..trials)
            .map(|_| {
                let (alone, which) = (rng.random::<f64>() < share, rng.random::<bool>());
                (!alone || which, !alone || !which)
            })
            .collect();
        Self { speak }
    }
}

/// The order in which the trials come in an epoch.
pub(super) fn order(trials: usize, streams: &Streams, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..trials).collect();
    order.shuffle(&mut streams.indexed("order", epoch));
    order
}

/// One stream as the model sees it: scaled, and 0 where not seen.
struct Rows<T> {
    channels: usize,
    /// `[trial x time, channel]`.
    values: Vec<T>,
    /// `[trial x time]`: 1 where seen.
    seen: Vec<T>,
    /// Bins seen of each trial.
    bins: Vec<usize>,
}

/// All trials as the model sees them.
pub(super) struct Prepared<T> {
    trials: usize,
    neural: Option<Rows<T>>,
    behavior: Option<Rows<T>>,
}

impl<T: Real> Prepared<T> {
    /// A stream that the model explains and the data lack counts as not seen.
    pub(super) fn new(config: &MmGpVae, scales: &Scales, trials: &Trials, sizes: Sizes) -> Self {
        let (n, t) = (trials.len(), sizes.bins);
        let rows = |s: &Option<Stream>, scale: &Scale, channels: usize| {
            let mut rows = Rows {
                channels,
                values: vec![T::of(0.0); n * t * channels],
                seen: vec![T::of(0.0); n * t],
                bins: vec![0; n],
            };
            let seen = s.iter().flat_map(|s| s.seen.indexed_iter());
            for ((trial, bin), _) in seen.filter(|(_, seen)| **seen) {
                let row = trial * t + bin;
                rows.seen[row] = T::of(1.0);
                rows.bins[trial] += 1;
                let from = s
                    .iter()
                    .flat_map(|s| s.values.slice(ndarray::s![trial, bin, ..]));
                let to = &mut rows.values[row * channels..(row + 1) * channels];
                for (c, (to, v)) in to.iter_mut().zip(from).enumerate() {
                    *to = scale.apply(c, *v);
                }
            }
            rows
        };
        Self {
            trials: n,
            neural: config
                .has_neural()
                .then(|| rows(&trials.neural, &scales.neural, sizes.units)),
            behavior: config
                .has_behavior()
                .then(|| rows(&trials.behavior, &scales.behavior, sizes.channels)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.trials
    }

    /// For each trial whether anything was seen of (neural activity, behaviour).
    pub(super) fn any(&self, trial: usize) -> (bool, bool) {
        let any = |r: &Option<Rows<T>>| r.as_ref().is_some_and(|r| r.bins[trial] > 0);
        (any(&self.neural), any(&self.behavior))
    }

    /// These trials on the device.
    pub(super) fn batch(
        &self,
        which: &[usize],
        alone: &Alone,
        latents: Latents,
        device: &Device,
    ) -> Batch {
        let send = |r: &Option<Rows<T>>| {
            let r = r.as_ref()?;
            let t = r.seen.len() / self.trials;
            let pick = |x: &[T], width: usize| -> Vec<T> {
                let mut picked = Vec::with_capacity(which.len() * width);
                for &w in which {
                    picked.extend_from_slice(&x[w * width..(w + 1) * width]);
                }
                picked
            };
            let rows = which.len() * t;
            let values = pick(&r.values, t * r.channels);
            Some((
                upload(values, [rows, r.channels], device),
                upload(pick(&r.seen, t), [rows, 1], device),
            ))
        };
        let bins = |r: &Option<Rows<T>>| -> f64 {
            let all = r.iter().flat_map(|r| which.iter().map(|&w| r.bins[w]));
            all.sum::<usize>() as f64
        };
        let (mut from_neural, mut from_behavior, mut counted) = (vec![], vec![], vec![]);
        for (&w, &(says_n, says_b)) in which.iter().zip(&alone.speak) {
            let (n, b) = self.any(w);
            // Alone is no choice where the other saw nothing.
            let (n_speaks, b_speaks) = if n && b { (says_n, says_b) } else { (n, b) };
            from_neural.push(one_if::<T>(n_speaks));
            from_behavior.push(one_if::<T>(b_speaks));
            counted.extend(explained(latents, n, b).into_iter().map(one_if::<T>));
        }
        let shape = [which.len(), 1, 1];
        Batch {
            trials: which.len(),
            neural: send(&self.neural),
            behavior: send(&self.behavior),
            from_neural: upload(from_neural, shape, device),
            from_behavior: upload(from_behavior, shape, device),
            counts: upload(counted, [which.len(), latents.total()], device),
            neural_bins: bins(&self.neural),
            behavior_bins: bins(&self.behavior),
        }
    }
}

fn one_if<T: Real>(holds: bool) -> T {
    T::of(f64::from(u8::from(holds)))
}

/// For each latent whether anything was seen that it explains.
pub(super) fn explained(latents: Latents, neural: bool, behavior: bool) -> Vec<bool> {
    let [own, shared, other] = latents.blocks();
    own.map(|_| neural)
        .chain(shared.map(|_| neural || behavior))
        .chain(other.map(|_| behavior))
        .collect()
}

/// What does not depend on the parameters in minus the log-likelihood of these trials, in the data's own units: `ln y!` of
/// counts, and the logarithms of the scales of what is Gaussian.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Constants {
    pub neural: f64,
    pub behavior: f64,
}

/// One for each trial.
pub(super) fn constants(config: &MmGpVae, scales: &Scales, trials: &Trials) -> Vec<Constants> {
    let log_scale = |s: &Scale| s.scale.iter().map(|v| v.ln()).sum::<f64>();
    let (log_neural, log_behavior) = (log_scale(&scales.neural), log_scale(&scales.behavior));
    let mut all = vec![Constants::default(); trials.len()];
    if let (true, Some(s)) = (config.has_neural(), &trials.neural) {
        for ((trial, bin), _) in s.seen.indexed_iter().filter(|(_, seen)| **seen) {
            all[trial].neural += match config.likelihood {
                NeuralLikelihood::Gaussian => log_neural,
                NeuralLikelihood::Poisson => {
                    let counts = s.values.slice(ndarray::s![trial, bin, ..]);
                    counts.iter().map(|&y| log_factorial(y)).sum()
                }
            };
        }
    }
    if let (true, Some(s)) = (config.has_behavior(), &trials.behavior) {
        for ((trial, _), _) in s.seen.indexed_iter().filter(|(_, seen)| **seen) {
            all[trial].behavior += log_behavior;
        }
    }
    all
}

pub(super) fn log_factorial(y: f32) -> f64 {
    if y < 1.5 {
        0.0
    } else {
        ln_gamma(f64::from(y) + 1.0)
    }
}
