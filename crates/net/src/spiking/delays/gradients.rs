//! A batch forward and backward.

use rayon::prelude::*;

use super::events::Event;
use super::kernel::{Bump, Kernels};
use super::layer::{ByChannel, arrivals, event_gradients, steps_after, synapse_gradients};
use super::network::{DelayNetwork, silence};
use super::neuron::{self, Fire, Moments, potentials, potentials_backward};
use crate::Real;

/// Gradients of one layer; those of the norm are empty for the readout.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gradients<T> {
    pub(super) weights: Vec<T>,
    pub(super) positions: Vec<T>,
    pub(super) gain: Vec<T>,
    pub(super) shift: Vec<T>,
}

/// What a batch gave.
pub(super) struct Outcome<T> {
    /// Mean over the batch.
    pub(super) loss: f64,
    pub(super) scores: Vec<Vec<f64>>,
    pub(super) gradients: Vec<Gradients<T>>,
    /// Spikes of all hidden neurons.
    pub(super) n_spikes: usize,
}

/// Which neurons are kept in each sample and by how much more their spikes count; `None` keeps all.
pub(super) struct Kept {
    /// For each hidden layer `[sample][neuron]`.
    pub(super) neurons: Vec<Vec<bool>>,
    pub(super) scale: f64,
}

/// What a layer's backward pass needs of its forward pass.
struct Trace<T> {
    kernels: Kernels<T>,
    /// What came in.
    events: Vec<Vec<Event<T>>>,
    steps: usize,
    /// What arrived, for each sample `[step][neuron]`; empty for the readout.
    arrived: Vec<Vec<T>>,
    /// Potentials before resets.
    potentials: Vec<Vec<T>>,
    moments: Option<Moments<T>>,
}

impl<T: Real> DelayNetwork<T> {
    /// Loss, scores and gradients of a batch; the running moments of the norms follow it.
    pub(super) fn gradients(
        &mut self,
        samples: &[&[Event]],
        labels: &[usize],
        steps: usize,
        bump: Bump,
        kept: Option<&Kept>,
        fire: Fire,
    ) -> Outcome<T> {
        let events = samples.iter().map(|s| {
            let of = |e: &Event| Event {
                step: e.step,
                channel: e.channel,
                value: T::of(f64::from(e.value)),
            };
            s.iter().map(of).collect()
        });
        let mut events: Vec<Vec<Event<T>>> = events.collect();
        let mut steps = steps;
        let leak = T::of(self.leak);
        let length = self.length;
        let mut traces = Vec::with_capacity(self.layers.len());
        let mut n_spikes = 0;
        for (l, layer) in self.layers.iter_mut().enumerate() {
            let kernels = layer.kernels(length, bump);
            let n = layer.n_out;
            let after = steps_after(steps, length);
            let arrived: Vec<Vec<T>> = events
                .par_iter()
                .map(|events| {
                    let mut out = vec![T::ZERO; after * n];
                    arrivals(&kernels, events, &mut out);
                    out
                })
                .collect();
            let Some(norm) = &mut layer.norm else {
                let (one, zero) = (vec![T::ONE; n], vec![T::ZERO; n]);
                let mut all = arrived;
                all.par_iter_mut()
                    .for_each(|x| potentials(x, n, leak, (&one, &zero), true));
                traces.push(Trace {
                    kernels,
                    events: std::mem::take(&mut events),
                    steps,
                    arrived: vec![],
                    potentials: all,
                    moments: None,
                });
                continue;
            };
            let moments = norm.moments(&arrived);
            let (scale, offset) = norm.affine(&moments);
            let kept = kept.map(|k| (&k.neurons[l], T::of(k.scale)));
            let (all, next): (Vec<Vec<T>>, Vec<Vec<Event<T>>>) = arrived
                .par_iter()
                .enumerate()
                .map(|(b, x)| {
                    let mut v = x.clone();
                    potentials(&mut v, n, leak, (&scale, &offset), false);
                    let kept = kept.map(|(k, s)| (&k[b * n..(b + 1) * n], s));
                    let spikes = spikes(&v, n, kept, fire);
                    (v, spikes)
                })
                .unzip();
            traces.push(Trace {
                kernels,
                events: std::mem::replace(&mut events, next),
                steps,
                arrived,
                potentials: all,
                moments: Some(moments),
            });
            n_spikes += events.iter().map(Vec::len).sum::<usize>();
            steps = after;
        }
        let (loss, scores, gradients) = self.backward(traces, labels, kept);
        Outcome {
            loss,
            scores,
            gradients,
            n_spikes,
        }
    }

    fn backward(
        &self,
        mut traces: Vec<Trace<T>>,
        labels: &[usize],
        kept: Option<&Kept>,
    ) -> (f64, Vec<Vec<f64>>, Vec<Gradients<T>>) {
        let leak = T::of(self.leak);
        let (mut loss, mut scores) = (0.0, vec![]);
        let mut gradients = vec![];
        let mut grad: Vec<Vec<T>> = vec![];
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let Some(mut trace) = traces.pop() else {
                break;
            };
            let n = layer.n_out;
            let (mut gain, mut shift) = (vec![], vec![]);
            if let (Some(norm), Some(moments)) = (&layer.norm, &trace.moments) {
                let kept = kept.map(|k| (&k.neurons[l], T::of(k.scale)));
                let alpha = self.alpha;
                let all = grad.par_iter_mut().zip(&trace.potentials).enumerate();
                all.for_each(|(b, (grad, v))| {
                    if let Some((kept, scale)) = kept {
                        let kept = &kept[b * n..(b + 1) * n];
                        for row in grad.chunks_exact_mut(n) {
                            for (g, kept) in row.iter_mut().zip(kept) {
                                *g = if *kept { *g * scale } else { T::ZERO };
                            }
                        }
                    }
                    potentials_backward(grad, v, n, leak, alpha);
                });
                (gain, shift) = norm.backward(moments, &trace.arrived, &mut grad);
            } else {
                let weight = 1.0 / labels.len() as f64;
                let each: Vec<(f64, Vec<f64>)> = trace
                    .potentials
                    .par_iter_mut()
                    .zip(labels)
                    .map(|(v, label)| neuron::loss(v, n, leak, *label, weight))
                    .collect();
                grad = std::mem::take(&mut trace.potentials);
                for (of_sample, score) in each {
                    loss += weight * of_sample;
                    scores.push(score);
                }
            }
            let by_channel = ByChannel::new(layer.n_in, &trace.events);
            let parameters = (&layer.weights[..], &layer.positions[..]);
            let (mut weights, mut positions) =
                synapse_gradients(&trace.kernels, parameters, &by_channel, &grad);
            silence(&mut weights, &layer.exists);
            silence(&mut positions, &layer.exists);
            if l > 0 {
                let (kernels, steps) = (&trace.kernels, trace.steps);
                grad = grad
                    .par_iter()
                    .map(|grad| event_gradients(kernels, steps, grad))
                    .collect();
            }
            gradients.push(Gradients {
                weights,
                positions,
                gain,
                shift,
            });
        }
        gradients.reverse();
        (loss, scores, gradients)
    }
}

/// The spikes of potentials `[step][neuron]` as events.
pub(super) fn spikes<T: Real>(
    potentials: &[T],
    n: usize,
    kept: Option<(&[bool], T)>,
    fire: Fire,
) -> Vec<Event<T>> {
    let scale = kept.map_or(T::ONE, |(_, scale)| scale);
    let mut events = Vec::with_capacity(potentials.len() / 8);
    for (t, row) in potentials.chunks_exact(n).enumerate() {
        for (j, v) in row.iter().enumerate() {
            let value = match fire {
                Fire::Spike if *v >= T::ONE => T::ONE,
                Fire::Spike => continue,
                #[cfg(test)]
                Fire::Smooth { alpha } => neuron::smooth(*v, alpha),
            };
            if kept.is_none_or(|(kept, _)| kept[j]) {
                events.push(Event::new(t, j, scale * value));
            }
        }
    }
    events
}
