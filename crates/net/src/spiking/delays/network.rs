//! The network: layers of synapses with delays, batch-norm and spiking neurons between them, and a readout.

use chiasm_core::Streams;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::DelaysError;
use super::config::{Config, Delays};
use super::kernel::{self, Bump, Kernels};
use super::neuron::Norm;
use crate::Real;

/// Synapses onto one layer, and its batch-norm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Layer<T> {
    pub(super) n_in: usize,
    pub(super) n_out: usize,
    /// `[in][out]`
    pub(super) weights: Vec<T>,
    /// `[in][out]`
    pub(super) positions: Vec<T>,
    /// Which synapses exist, `[in][out]`; empty if all do.
    pub(super) exists: Vec<bool>,
    /// `None` for the readout.
    pub(super) norm: Option<Norm<T>>,
}

/// A network of spiking neurons whose synapses have weights and delays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DelayNetwork<T = f32> {
    pub(super) length: usize,
    pub(super) leak: f64,
    pub(super) alpha: f64,
    pub(super) layers: Vec<Layer<T>>,
}

impl<T: Real> DelayNetwork<T> {
    /// A network at its start: weights uniform within `sqrt(6 / n_in)`, positions uniform over their range.
    ///
    /// # Errors
    /// [`DelaysError::Setting`]; [`DelaysError::Shape`] for no channel or fewer than two classes.
    pub fn new(
        config: &Config,
        n_channels: usize,
        n_classes: usize,
        streams: &Streams,
    ) -> Result<Self, DelaysError> {
        config.validate()?;
        for (what, least, found) in [("channels", 1, n_channels), ("classes", 2, n_classes)] {
            if found < least {
                return Err(DelaysError::Shape {
                    what,
                    expected: format!("at least {least}"),
                    found,
                });
            }
        }
        let (length, _) = config.kernel_length();
        let half = kernel::half(length);
        let mut sizes = vec![n_channels];
        sizes.extend(&config.hidden);
        sizes.push(n_classes);
        let last = sizes.len() - 2;
        let layers = sizes.windows(2).enumerate().map(|(l, pair)| {
            let (n_in, n_out) = (pair[0], pair[1]);
            let bound = (6.0 / n_in as f64).sqrt();
            let mut rng = streams.indexed("weights", l);
            let weights = (0..n_in * n_out).map(|_| rng.random_range(-bound..=bound));
            let mut weights: Vec<T> = weights.map(T::of).collect();
            let mut rng = streams.indexed("positions", l);
            let positions = (0..n_in * n_out).map(|_| {
                let drawn: f64 = rng.random_range(-half..=half);
                T::of(match config.delays {
                    Delays::Learned => drawn,
                    // What is not trained is used as it will be rounded.
                    Delays::Fixed | Delays::None => drawn.round_ties_even(),
                })
            });
            let positions: Vec<T> = positions.collect();
            let mut exists = vec![];
            if config.sparsity > 0.0 {
                let mut rng = streams.indexed("synapses", l);
                exists = weights
                    .iter()
                    .map(|_| !rng.random_bool(config.sparsity))
                    .collect();
                silence(&mut weights, &exists);
            }
            Layer {
                n_in,
                n_out,
                weights,
                positions,
                exists,
                norm: (l < last).then(|| Norm::new(n_out)),
            }
        });
        Ok(Self {
            length,
            leak: config.leak(),
            alpha: config.surrogate_alpha,
            layers: layers.collect(),
        })
    }

    /// Gives a layer other weights and positions, `[in][out]`, such as those of a network trained elsewhere.
    ///
    /// # Errors
    /// [`DelaysError::Shape`] for a layer that is not there or another number of synapses; [`DelaysError::Synapse`] for a weight
    /// that is not finite or a position beyond the kernel.
    pub fn set_synapses(
        &mut self,
        layer: usize,
        weights: &[T],
        positions: &[T],
    ) -> Result<(), DelaysError> {
        let (length, n_layers) = (self.length, self.layers.len());
        let shape = |what, expected: String, found| DelaysError::Shape {
            what,
            expected,
            found,
        };
        let Some(to) = self.layers.get_mut(layer) else {
            return Err(shape("layer", format!("below {n_layers}"), layer));
        };
        let n = to.weights.len();
        for found in [weights.len(), positions.len()] {
            if found != n {
                return Err(shape("synapses", n.to_string(), found));
            }
        }
        let half = kernel::half(length);
        for (s, (w, p)) in weights.iter().zip(positions).enumerate() {
            let refuse = |expected: String, found: T| DelaysError::Synapse {
                layer,
                pre: s / to.n_out,
                post: s % to.n_out,
                expected,
                found: found.wide().to_string(),
            };
            if !w.is_finite() {
                return Err(refuse("a finite weight".into(), *w));
            }
            if !(-half..=half).contains(&p.wide()) {
                return Err(refuse(format!("a position from -{half} to {half}"), *p));
            }
        }
        to.weights.copy_from_slice(weights);
        to.positions.copy_from_slice(positions);
        silence(&mut to.weights, &to.exists);
        Ok(())
    }

    /// Channels of the input.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.layers.first().map_or(0, |l| l.n_in)
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.layers.last().map_or(0, |l| l.n_out)
    }

    /// Taps of a kernel: delays are below this.
    #[must_use]
    pub fn kernel_length(&self) -> usize {
        self.length
    }

    /// Number of layers of synapses, the readout's included.
    #[must_use]
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Numbers that describe it: weights of synapses that exist, their delays where there are any, gains and shifts.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let each = if self.length > 1 { 2 } else { 1 };
        let of = |l: &Layer<T>| {
            let synapses = match l.exists.is_empty() {
                true => l.weights.len(),
                false => l.exists.iter().filter(|e| **e).count(),
            };
            each * synapses + if l.norm.is_some() { 2 * l.n_out } else { 0 }
        };
        self.layers.iter().map(of).sum()
    }

    /// The delays of a layer's synapses that exist, in steps, as they are (not rounded); `None` beyond the last layer.
    #[must_use]
    pub fn delays(&self, layer: usize) -> Option<Vec<f64>> {
        let layer = self.layers.get(layer)?;
        let exists = |s: &usize| layer.exists.get(*s).copied().unwrap_or(true);
        let delays = (0..layer.positions.len())
            .filter(exists)
            .map(|s| kernel::delay(layer.positions[s].wide(), self.length));
        Some(delays.collect())
    }
}

impl<T: Real> Layer<T> {
    pub(super) fn kernels(&self, length: usize, bump: Bump) -> Kernels<T> {
        let shape = (self.n_in, self.n_out);
        Kernels::new(&self.weights, &self.positions, shape, length, bump)
    }
}

/// Puts 0 where no synapse is.
pub(super) fn silence<T: Real>(values: &mut [T], exists: &[bool]) {
    for (value, exists) in values.iter_mut().zip(exists) {
        if !exists {
            *value = T::ZERO;
        }
    }
}
