//! A trained network to be used: norms folded into their neurons, delays rounded or kernels as they were in training.

use rayon::prelude::*;

use super::DelaysError;
use super::events::{Event, Trains};
use super::gradients::spikes;
use super::kernel::{Bump, Kernels};
use super::layer::{arrivals, convolved, steps_after};
use super::network::DelayNetwork;
use super::neuron::{Fire, best, potentials, scores};
use crate::Real;

/// One layer, ready to be used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FrozenLayer<T> {
    pub(super) kernels: Kernels<T>,
    /// What arrives is multiplied by this, and then has that added.
    pub(super) scale: Vec<T>,
    pub(super) offset: Vec<T>,
    pub(super) spiking: bool,
}

/// A network to be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen<T = f32> {
    pub(super) length: usize,
    pub(super) leak: T,
    pub(super) layers: Vec<FrozenLayer<T>>,
}

impl<T: Real> DelayNetwork<T> {
    /// Refuses samples of other channels or classes.
    pub(super) fn accept(&self, trains: &Trains) -> Result<(), DelaysError> {
        let same = |what, expected: usize, found: usize| match expected == found {
            true => Ok(()),
            false => Err(DelaysError::Shape {
                what,
                expected: expected.to_string(),
                found,
            }),
        };
        same(
            "channels of the samples",
            self.n_channels(),
            trains.n_channels(),
        )?;
        same(
            "classes of the samples",
            self.n_classes(),
            trains.n_classes(),
        )
    }

    /// The network with whole delays: the one to be used.
    #[must_use]
    pub fn rounded(&self) -> Frozen<T> {
        self.frozen(Bump::Rounded)
    }

    /// The network with kernels of this width, as in training.
    #[must_use]
    pub fn soft(&self, sigma: f64) -> Frozen<T> {
        self.frozen(Bump::Gauss { sigma })
    }

    fn frozen(&self, bump: Bump) -> Frozen<T> {
        let layers = self.layers.iter().map(|layer| {
            let n = layer.n_out;
            let plain = (vec![T::ONE; n], vec![T::ZERO; n]);
            let (scale, offset) = layer.norm.as_ref().map_or(plain, |norm| norm.frozen());
            FrozenLayer {
                kernels: layer.kernels(self.length, bump),
                scale,
                offset,
                spiking: layer.norm.is_some(),
            }
        });
        Frozen {
            length: self.length,
            leak: T::of(self.leak),
            layers: layers.collect(),
        }
    }
}

impl<T: Real> Frozen<T> {
    /// Channels of the input.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.layers.first().map_or(0, |l| l.kernels.n_in)
    }

    /// Neurons of each hidden layer.
    #[must_use]
    pub fn hidden(&self) -> Vec<usize> {
        let spiking = self.layers.iter().filter(|l| l.spiking);
        spiking.map(|l| l.kernels.n_out).collect()
    }

    /// For each class the sum over steps of the softmax of the readout, sample by sample.
    ///
    /// # Errors
    /// [`DelaysError::Shape`] for samples of other channels.
    pub fn scores(&self, trains: &Trains) -> Result<Vec<Vec<f64>>, DelaysError> {
        self.check(trains.n_channels())?;
        let of = |sample: &Vec<Event>| {
            let (last, _) = self.run(sample, trains.n_steps());
            scores(&last, self.layers[self.layers.len() - 1].kernels.n_out)
        };
        Ok(trains.samples().par_iter().map(of).collect())
    }

    /// The fraction of samples whose class has the highest score.
    ///
    /// # Errors
    /// As [`Self::scores`].
    pub fn accuracy(&self, trains: &Trains) -> Result<f64, DelaysError> {
        let scores = self.scores(trains)?;
        let told = scores.iter().zip(trains.labels());
        let right = told.filter(|(s, label)| best(s) == **label).count();
        Ok(right as f64 / scores.len() as f64)
    }

    /// The spikes of every hidden layer while a sample is shown.
    ///
    /// # Errors
    /// [`DelaysError::Shape`] for samples of other channels, or no such sample.
    pub fn spikes(
        &self,
        trains: &Trains,
        sample: usize,
    ) -> Result<Vec<Vec<Event<T>>>, DelaysError> {
        self.check(trains.n_channels())?;
        let shown = trains.samples().get(sample).ok_or(DelaysError::Shape {
            what: "sample",
            expected: format!("below {}", trains.n_samples()),
            found: sample,
        })?;
        Ok(self.run(shown, trains.n_steps()).1)
    }

    /// Steps that a layer takes for a sample of `steps` steps, the input's first.
    #[must_use]
    pub fn steps(&self, steps: usize) -> Vec<usize> {
        let mut all = vec![steps];
        for _ in &self.layers {
            all.push(steps_after(all[all.len() - 1], self.length));
        }
        all
    }

    fn check(&self, n_channels: usize) -> Result<(), DelaysError> {
        if n_channels == self.n_channels() {
            return Ok(());
        }
        Err(DelaysError::Shape {
            what: "channels of the samples",
            expected: self.n_channels().to_string(),
            found: n_channels,
        })
    }

    /// The readout's potentials `[step][class]` and the spikes of hidden layers.
    pub(super) fn run(&self, sample: &[Event], steps: usize) -> (Vec<T>, Vec<Vec<Event<T>>>) {
        let convert = |e: &Event| Event {
            step: e.step,
            channel: e.channel,
            value: T::of(f64::from(e.value)),
        };
        let mut events: Vec<Event<T>> = sample.iter().map(convert).collect();
        let (mut steps, mut last, mut all) = (steps, vec![], vec![]);
        for layer in &self.layers {
            let n = layer.kernels.n_out;
            steps = steps_after(steps, self.length);
            let mut v = vec![T::ZERO; steps * n];
            arrivals(&layer.kernels, &events, &mut v);
            potentials(
                &mut v,
                n,
                self.leak,
                (&layer.scale, &layer.offset),
                !layer.spiking,
            );
            if layer.spiking {
                events = spikes(&v, n, None, Fire::Spike);
                all.push(events.clone());
            }
            last = v;
        }
        (last, all)
    }
}

impl<T: Real> Frozen<T> {
    /// The readout's potentials `[step][class]` by the plain convolution of every layer, zeros included: what [`Self::play`] is
    /// compared with. With whole delays both give the same bits.
    #[must_use]
    pub fn convolved(&self, sample: &[Event], steps: usize) -> Vec<T> {
        let n_channels = self.n_channels();
        let mut now = vec![T::ZERO; steps * n_channels];
        for e in sample {
            if let Some(x) = now.get_mut(e.step as usize * n_channels + e.channel as usize) {
                *x = T::of(f64::from(e.value));
            }
        }
        for layer in &self.layers {
            let n = layer.kernels.n_out;
            now = convolved(&layer.kernels, &now);
            potentials(
                &mut now,
                n,
                self.leak,
                (&layer.scale, &layer.offset),
                !layer.spiking,
            );
            if layer.spiking {
                for v in &mut now {
                    *v = if *v >= T::ONE { T::ONE } else { T::ZERO };
                }
            }
        }
        now
    }
}
