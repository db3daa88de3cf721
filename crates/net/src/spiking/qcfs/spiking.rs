//! The network of integrate-and-fire neurons that a [`QcfsNetwork`] turns into.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, ArrayView2};

use super::sample::{Told, at_least_one, record, until_sure};
use super::{QcfsError, QcfsNetwork};
use crate::spiking::confidence::{Agent, Decision, Given, Outputs};

/// A layer of neurons with one threshold.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    /// Row by row for each input; those of hidden layers already times the threshold of the layer before.
    weights: Vec<f32>,
    bias: Vec<f32>,
    /// Units.
    n: usize,
}

/// Integrate-and-fire neurons: `v += input`, a spike where `v >= lambda`, then `v -= lambda`; `v` starts at `lambda / 2`. The
/// inputs come as the same current at every step. The last layer sums what reaches it.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikingNetwork {
    layers: Vec<Layer>,
    thresholds: Vec<f32>,
}

/// A whole run of some samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Sums of the outputs after each step, `[sample, step, class]`.
    pub sums: Array3<f32>,
    /// Spikes up to and including each step, `[sample, step]`.
    pub spikes: Array2<u32>,
}

impl Run {
    /// The run as what an agent decides on.
    ///
    /// # Errors
    /// Labels that do not fit.
    pub fn outputs(&self, labels: &[usize]) -> Result<Outputs, QcfsError> {
        Ok(Outputs::new(
            self.sums.clone(),
            labels.to_vec(),
            Given::Sums,
        )?)
    }
}

/// The state of one sample.
struct State {
    v: Vec<Vec<f32>>,
    active: Vec<u32>,
    input: Vec<f32>,
}

impl SpikingNetwork {
    pub(super) fn of(network: &QcfsNetwork) -> Self {
        let thresholds = network.thresholds();
        let arrays = &network.parameters().arrays;
        // A spike is worth its layer's threshold: the layer after it takes that into its weights.
        let worth = std::iter::once(1.0).chain(thresholds.iter().copied());
        let layers = arrays.chunks(3).zip(worth).map(|(layer, worth)| Layer {
            weights: layer[0].values.iter().map(|w| w * worth).collect(),
            bias: layer[1].values.clone(),
            n: layer[1].values.len(),
        });
        Self {
            layers: layers.collect(),
            thresholds,
        }
    }

    /// Neurons of each layer that spikes.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let spiking = self.layers.iter().zip(&self.thresholds);
        spiking.map(|(layer, _)| layer.n).collect()
    }

    /// Number of neurons that spike.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        self.sizes().iter().sum()
    }

    /// Columns of the inputs.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.layers[0].weights.len() / self.layers[0].n.max(1)
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.layers.last().map_or(0, |l| l.n)
    }

    /// All samples for `steps` steps.
    ///
    /// # Errors
    /// Another number of columns than the network has; an input that is not finite; no step.
    pub fn run(&self, inputs: ArrayView2<'_, f32>, steps: usize) -> Result<Run, QcfsError> {
        self.accept(inputs, steps)?;
        let (n, classes) = (inputs.nrows(), self.n_classes());
        let mut sums = Array3::zeros((n, steps, classes));
        let mut spikes = Array2::zeros((n, steps));
        let rows = sums.outer_iter_mut().into_par_iter();
        let rows = rows.zip(spikes.outer_iter_mut().into_par_iter());
        rows.enumerate().for_each(|(i, (sums, spikes))| {
            let current = self.current(inputs.row(i).iter().copied());
            let mut state = self.start();
            record(|told| self.step(&current, &mut state, told), sums, spikes);
        });
        Ok(Run { sums, spikes })
    }

    /// All samples, each until the agent is sure of it or `steps` are over; for each the decision and the spikes it took.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_until_sure(
        &self,
        inputs: ArrayView2<'_, f32>,
        steps: usize,
        agent: Agent,
    ) -> Result<Vec<(Decision, u32)>, QcfsError> {
        self.accept(inputs, steps)?;
        let decide = |i: usize| {
            let current = self.current(inputs.row(i).iter().copied());
            let mut state = self.start();
            let step = |told: &mut Told| self.step(&current, &mut state, told);
            until_sure(step, self.n_classes(), agent.decider(steps))
        };
        Ok((0..inputs.nrows()).into_par_iter().map(decide).collect())
    }

    /// Spikes of the first layer in `steps` steps, `[sample, neuron]`: what the activations' levels are compared with.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn first_layer(
        &self,
        inputs: ArrayView2<'_, f32>,
        steps: usize,
    ) -> Result<Array2<u32>, QcfsError> {
        self.accept(inputs, steps)?;
        let n = self.layers[0].n;
        let mut counts = Array2::zeros((inputs.nrows(), n));
        for (row, mut counts) in inputs.rows().into_iter().zip(counts.rows_mut()) {
            let current = self.current(row.iter().copied());
            let mut state = self.start();
            for _ in 0..steps {
                fire(
                    &mut state.v[0],
                    &current,
                    self.thresholds[0],
                    &mut state.active,
                );
                for &neuron in &state.active {
                    counts[neuron as usize] += 1;
                }
            }
        }
        Ok(counts)
    }

    pub(super) fn accept(
        &self,
        inputs: ArrayView2<'_, f32>,
        steps: usize,
    ) -> Result<(), QcfsError> {
        let (expected, found) = (self.n_inputs(), inputs.ncols());
        if found != expected {
            return Err(QcfsError::Shape {
                what: "inputs, columns",
                expected,
                found,
            });
        }
        at_least_one(steps)?;
        super::finite(inputs)
    }

    fn start(&self) -> State {
        let hidden = self.layers.iter().zip(&self.thresholds);
        State {
            v: hidden.map(|(l, lambda)| vec![0.5 * lambda; l.n]).collect(),
            active: vec![],
            input: vec![],
        }
    }

    /// What the inputs give the first layer at every step. Zeros, of which images are full, are not multiplied.
    pub(super) fn current(&self, inputs: impl Iterator<Item = f32>) -> Vec<f32> {
        let layer = &self.layers[0];
        let mut current = layer.bias.clone();
        for (x, weights) in inputs.zip(layer.weights.chunks_exact(layer.n)) {
            if x != 0.0 {
                for (sum, w) in current.iter_mut().zip(weights) {
                    *sum += x * w;
                }
            }
        }
        current
    }

    /// One step through all layers: each takes the spikes that the layer before gives in this same step.
    fn step(&self, current: &[f32], state: &mut State, told: &mut Told) {
        self.step_seen(current, state, told, |_, _| {});
    }

    /// [`Self::step`], with each layer and its neurons that spiked shown to `see`.
    fn step_seen(
        &self,
        current: &[f32],
        state: &mut State,
        told: &mut Told,
        mut see: impl FnMut(usize, &[u32]),
    ) {
        let State { v, active, input } = state;
        fire(&mut v[0], current, self.thresholds[0], active);
        told.spikes += active.len() as u32;
        see(0, active);
        for (i, layer) in self.layers.iter().enumerate().skip(1) {
            input.clear();
            input.extend_from_slice(&layer.bias);
            for &neuron in active.iter() {
                let weights = &layer.weights[neuron as usize * layer.n..][..layer.n];
                for (sum, w) in input.iter_mut().zip(weights) {
                    *sum += w;
                }
            }
            match self.thresholds.get(i) {
                Some(&lambda) => {
                    fire(&mut v[i], input, lambda, active);
                    told.spikes += active.len() as u32;
                    see(i, active);
                }
                None => told.add(input),
            }
        }
    }
}

/// Runs one sample for `steps` steps and tells of each spike: the neuron, counted through all layers, and the step.
pub(super) fn fire_all(
    network: &SpikingNetwork,
    inputs: impl Iterator<Item = f32>,
    steps: usize,
    mut tell: impl FnMut(usize, usize),
) {
    let before: Vec<usize> = network
        .sizes()
        .iter()
        .scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n)))
        .collect();
    let current = network.current(inputs);
    let mut state = network.start();
    let mut told = Told::nothing(network.n_classes());
    for t in 0..steps {
        network.step_seen(&current, &mut state, &mut told, |layer, active| {
            for &neuron in active {
                tell(before[layer] + neuron as usize, t);
            }
        });
    }
}

/// Adds the input to the potentials and lists those that spike.
pub(super) fn fire(v: &mut [f32], input: &[f32], lambda: f32, active: &mut Vec<u32>) {
    active.clear();
    for (i, (v, x)) in v.iter_mut().zip(input).enumerate() {
        *v += x;
        if *v >= lambda {
            *v -= lambda;
            active.push(i as u32);
        }
    }
}
