//! A network with whole delays as a list of synapses, and at work step by step.

use chiasm_core::vectorized;

use super::DelaysError;
use super::events::Event;
use super::frozen::Frozen;
use super::kernel::{self, Bump, Kernels};
use crate::Real;

/// A synapse of a network with whole delays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synapse {
    /// Layer, from 0.
    pub layer: usize,
    /// Presynaptic neuron.
    pub pre: usize,
    /// Postsynaptic neuron.
    pub post: usize,
    /// Weight.
    pub weight: f64,
    /// Delay, steps.
    pub delay: usize,
}

impl<T: Real> Frozen<T> {
    fn whole(&self) -> Result<(), DelaysError> {
        let width = self.layers.iter().map(|l| l.kernels.shape.width).max();
        match width {
            Some(width) if width > 1 => Err(DelaysError::NotRounded { width }),
            _ => Ok(()),
        }
    }

    /// Every synapse whose weight is not 0, by layer, presynaptic and postsynaptic neuron: what a simulator or a chip with
    /// delay buffers takes.
    ///
    /// # Errors
    /// [`DelaysError::NotRounded`].
    pub fn synapses(&self) -> Result<Vec<Synapse>, DelaysError> {
        self.whole()?;
        let mut all = vec![];
        for (l, layer) in self.layers.iter().enumerate() {
            let k = &layer.kernels;
            for (s, (delay, tap)) in k.starts.iter().zip(&k.taps).enumerate() {
                if *tap != T::ZERO {
                    all.push(Synapse {
                        layer: l,
                        pre: s / k.n_out,
                        post: s % k.n_out,
                        weight: tap.wide(),
                        delay: *delay as usize,
                    });
                }
            }
        }
        Ok(all)
    }

    /// The same network with these synapses and no others; scales and offsets of its neurons stay.
    ///
    /// # Errors
    /// [`DelaysError::Synapse`] for one between neurons that do not exist, whose weight is not finite, or whose delay the
    /// buffers of `kernel_length` slots cannot hold.
    pub fn with_synapses(&self, synapses: &[Synapse]) -> Result<Self, DelaysError> {
        let mut parameters: Vec<(Vec<T>, Vec<T>)> = self
            .layers
            .iter()
            .map(|l| {
                let n = l.kernels.n_in * l.kernels.n_out;
                (vec![T::ZERO; n], vec![T::ZERO; n])
            })
            .collect();
        for s in synapses {
            let refuse = |expected: String, found: String| DelaysError::Synapse {
                layer: s.layer,
                pre: s.pre,
                post: s.post,
                expected,
                found,
            };
            let Some(k) = self.layers.get(s.layer).map(|l| &l.kernels) else {
                let expected = format!("one of {} layers", self.layers.len());
                return Err(refuse(expected, s.layer.to_string()));
            };
            if s.pre >= k.n_in || s.post >= k.n_out {
                let expected = format!("{} neurons to {}", k.n_in, k.n_out);
                return Err(refuse(expected, format!("{} to {}", s.pre, s.post)));
            }
            if s.delay >= self.length {
                let expected = format!("a delay below {} steps", self.length);
                return Err(refuse(expected, s.delay.to_string()));
            }
            if !s.weight.is_finite() {
                return Err(refuse("a finite weight".into(), s.weight.to_string()));
            }
            let at = s.pre * k.n_out + s.post;
            let (weights, positions) = &mut parameters[s.layer];
            weights[at] = T::of(s.weight);
            positions[at] = T::of(kernel::half(self.length) - s.delay as f64);
        }
        let mut new = self.clone();
        for (layer, (weights, positions)) in new.layers.iter_mut().zip(&parameters) {
            let shape = (layer.kernels.n_in, layer.kernels.n_out);
            layer.kernels = Kernels::new(weights, positions, shape, self.length, Bump::Rounded);
        }
        Ok(new)
    }

    /// The network at work step by step, each neuron with a ring of `kernel_length` slots in which what was sent waits for
    /// its time.
    ///
    /// # Errors
    /// [`DelaysError::NotRounded`].
    pub fn player(&self) -> Result<Player<'_, T>, DelaysError> {
        self.whole()?;
        let layers = self.layers.iter().map(|layer| {
            let n = layer.kernels.n_out;
            Ring {
                slots: vec![T::ZERO; n * self.length],
                state: vec![T::ZERO; n],
                v: vec![T::ZERO; n],
            }
        });
        Ok(Player {
            network: self,
            rings: layers.collect(),
            step: 0,
            ends: vec![usize::MAX; self.layers.len()],
        })
    }

    /// The readout's potentials `[step][class]` while a sample is shown, by a [`Player`] whose layers end when they do for a
    /// sample of a batch.
    ///
    /// # Errors
    /// As [`Self::player`] and [`Player::step`].
    pub fn play(&self, sample: &[Event], steps: usize) -> Result<Vec<Vec<T>>, DelaysError> {
        let mut player = self.player()?;
        let ends = self.steps(steps);
        player.ends = ends[1..].to_vec();
        let mut rest = sample;
        let mut shown = vec![];
        for step in 0..ends[ends.len() - 1] {
            let n = rest.iter().take_while(|e| e.step as usize == step).count();
            let (now, later) = rest.split_at(n);
            rest = later;
            let active = now
                .iter()
                .map(|e| (e.channel as usize, T::of(f64::from(e.value))));
            let active: Vec<(usize, T)> = active.collect();
            shown.push(player.step(&active)?.to_vec());
        }
        Ok(shown)
    }
}

/// A layer's memory.
#[derive(Debug, Clone)]
struct Ring<T> {
    /// `[slot][neuron]`
    slots: Vec<T>,
    state: Vec<T>,
    v: Vec<T>,
}

/// A network at work, step by step.
#[derive(Debug, Clone)]
pub struct Player<'a, T = f32> {
    network: &'a Frozen<T>,
    rings: Vec<Ring<T>>,
    step: usize,
    /// The step from which each layer is silent.
    ends: Vec<usize>,
}

impl<T: Real> Player<'_, T> {
    /// Takes what is active in the next step (channel, value) and gives the readout's potentials.
    ///
    /// # Errors
    /// [`DelaysError::Event`] for a channel beyond the last.
    pub fn step(&mut self, active: &[(usize, T)]) -> Result<&[T], DelaysError> {
        let n_channels = self.network.n_channels();
        if let Some((channel, _)) = active.iter().find(|(c, _)| *c >= n_channels) {
            return Err(DelaysError::Event {
                sample: 0,
                what: "channel",
                expected: format!("below {n_channels}"),
                found: channel.to_string(),
            });
        }
        let length = self.network.length;
        let now = self.step % length;
        let mut active = active.to_vec();
        let leak = self.network.leak;
        let layers = self.network.layers.iter().zip(&mut self.rings);
        for ((layer, ring), end) in layers.zip(&self.ends) {
            let k = &layer.kernels;
            let n = k.n_out;
            for (channel, value) in &active {
                let synapses = channel * n..(channel + 1) * n;
                let all = k.starts[synapses.clone()].iter().zip(&k.taps[synapses]);
                for (o, (delay, tap)) in all.enumerate() {
                    let slot = now + *delay as usize;
                    let slot = if slot < length { slot } else { slot - length };
                    ring.slots[slot * n + o] += *value * *tap;
                }
            }
            vectorized(
                #[inline(always)]
                || {
                    let slot = &mut ring.slots[now * n..(now + 1) * n];
                    let affine = layer.scale.iter().zip(&layer.offset);
                    let all = slot.iter_mut().zip(&mut ring.state).zip(&mut ring.v);
                    for (((slot, state), v), (scale, offset)) in all.zip(affine) {
                        *v = leak * *state + *scale * *slot + *offset;
                        *slot = T::ZERO;
                        let fires = layer.spiking && *v >= T::ONE;
                        *state = if fires { T::ZERO } else { *v };
                    }
                },
            );
            if self.step >= *end {
                active.clear();
                continue;
            }
            let fires = ring.v.iter().enumerate().filter(|(_, v)| **v >= T::ONE);
            active = fires.map(|(j, _)| (j, T::ONE)).collect();
        }
        self.step += 1;
        Ok(self.rings.last().map_or(&[], |r| &r.v))
    }
}
