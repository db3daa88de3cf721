//! Networks of images turned into integrate-and-fire neurons.

use chiasm_core::{SettingError, vectorized};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, ArrayView1, ArrayView2, Axis};

use super::projection::{Lie, Projection};
use super::sample::{Told, at_least_one, record, until_sure};
use super::{QcfsError, Run};
use crate::network::{Layer, Network};
use crate::spiking::confidence::{Agent, Decision};

/// Integrate-and-fire neurons in place of the quantized activations ([`Layer::Quantized`]) of a trained [`Network`] of
/// convolutions, mean pools and dense layers (paper 48).
///
/// A neuron's threshold is its layer's scale; it starts at half of it, adds its input at every step, biases included, and
/// gives the threshold off at each spike. The inputs come as the same current at every step, so that what they give the first
/// neurons is found once, by the network itself; the outputs are summed.
///
/// ```
/// use chiasm_core::Streams;
/// use chiasm_net::network::{Layer, Network, Pooling, Window};
/// use chiasm_net::spiking::qcfs::ConvertedNetwork;
/// use ndarray::Array2;
///
/// let levels = || Layer::Quantized { levels: 4, scale: 1.0 };
/// let layers = [
///     Layer::convolution(Window::same([1, 4, 4]), 3),
///     levels(),
///     Layer::Pool { window: Window::tiles([3, 4, 4], 2), pooling: Pooling::Mean },
///     Layer::dense(5),
/// ];
/// let network = Network::<f32>::new(16, &layers, &mut Streams::new(1).stream("start"))?;
/// let spiking = ConvertedNetwork::new(network)?;
/// let images = Array2::from_shape_fn((2, 16), |(i, k)| (i + k) as f32 / 16.0);
/// // In as many steps as there are levels the first neurons say what the network's activations say.
/// assert_eq!(spiking.first_layer(images.view(), 4)?, spiking.first_levels(images.view())?);
/// assert_eq!(spiking.run(images.view(), 8)?.sums.dim(), (2, 8, 5));
/// # Ok::<(), chiasm_net::spiking::qcfs::QcfsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConvertedNetwork {
    network: Network<f32>,
    /// The layer of the first neurons.
    first: usize,
    populations: Vec<Population>,
}

/// Neurons of one threshold, and their synapses.
#[derive(Debug, Clone, PartialEq)]
struct Population {
    threshold: f64,
    levels: u32,
    lie: Lie,
    out: Projection,
}

/// The state of one sample. Potentials are in double precision: sums of a few single-precision numbers are then exact, and no
/// spike of the first neurons is owed to rounding.
struct State {
    v: Vec<Vec<f64>>,
    fired: Vec<u8>,
    active: Vec<u32>,
    input: Vec<f32>,
}

/// Samples whose currents are found at once, and that one task runs.
const ROWS: usize = 16;

pub(super) fn layer_fault(
    position: usize,
    expected: &str,
    found: impl std::fmt::Display,
) -> QcfsError {
    QcfsError::Layer {
        position,
        expected: expected.into(),
        found: found.to_string(),
    }
}

/// A layer's parameter; empty if it has none of that name.
pub(super) fn values<'a>(network: &'a Network<f32>, layer: usize, part: &str) -> &'a [f32] {
    let name = format!("{layer}.{part}");
    let mut arrays = network.parameters().arrays.iter();
    arrays.find(|a| a.name == name).map_or(&[], |a| &a.values)
}

impl ConvertedNetwork {
    /// Turns a network into neurons. Before its first quantized activations there may be convolutions, dense layers and mean
    /// pools in any order; after each of them mean pools, then one convolution or dense layer.
    ///
    /// # Errors
    /// [`QcfsError::Layer`] with its position for a layer that has no counterpart in spikes, such as a largest-of pool;
    /// [`QcfsError::Setting`] for a scale that is not above 0.
    pub fn new(network: Network<f32>) -> Result<Self, QcfsError> {
        let layers = network.layers();
        let is_quantized = |l: &Layer| matches!(l, Layer::Quantized { .. });
        let positions: Vec<usize> = (0..layers.len())
            .filter(|i| is_quantized(&layers[*i]))
            .collect();
        let Some(&first) = positions.first() else {
            let expected = "a layer of quantized activations";
            return Err(layer_fault(layers.len(), expected, "none"));
        };
        let mut lie = before_first(&network, first)?;
        let mut populations = vec![];
        for (i, &position) in positions.iter().enumerate() {
            let Layer::Quantized { levels, .. } = layers[position] else {
                continue;
            };
            let scale = values(&network, position, "scale").first().copied();
            let scale = scale.unwrap_or(f32::NAN);
            let fine = scale.is_finite() && scale > 0.0;
            let field = format!("{position}.scale");
            SettingError::check(fine, &field, "a number above 0", scale)?;
            let end = positions.get(i + 1).copied().unwrap_or(layers.len());
            let (out, after) = Projection::of(&network, position + 1..end, lie, scale)?;
            populations.push(Population {
                threshold: scale.into(),
                levels,
                lie,
                out,
            });
            lie = after;
        }
        Ok(Self {
            network,
            first,
            populations,
        })
    }

    /// The network whose activations are quantized.
    #[must_use]
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// Neurons of each layer.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        self.populations.iter().map(|p| p.lie.n()).collect()
    }

    /// Number of neurons.
    #[must_use]
    pub fn n_neurons(&self) -> usize {
        self.sizes().iter().sum()
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.network.n_outputs()
    }

    /// The thresholds, layer by layer.
    #[must_use]
    pub fn thresholds(&self) -> Vec<f64> {
        self.populations.iter().map(|p| p.threshold).collect()
    }

    /// All samples, `[sample, input]`, for `steps` steps. The bits do not depend on the number of threads.
    ///
    /// # Errors
    /// Inputs of another width or not finite; no step.
    pub fn run(&self, inputs: ArrayView2<'_, f32>, steps: usize) -> Result<Run, QcfsError> {
        at_least_one(steps)?;
        let n = inputs.nrows();
        let mut sums = Array3::zeros((n, steps, self.n_classes()));
        let mut spikes = Array2::zeros((n, steps));
        let parts = inputs.axis_chunks_iter(Axis(0), ROWS).into_par_iter();
        parts
            .zip(sums.axis_chunks_iter_mut(Axis(0), ROWS))
            .zip(spikes.axis_chunks_iter_mut(Axis(0), ROWS))
            .try_for_each(|((inputs, mut sums), mut spikes)| {
                let currents = self.currents(inputs)?;
                let each = currents.rows().into_iter().zip(sums.outer_iter_mut());
                for ((current, sums), spikes) in each.zip(spikes.outer_iter_mut()) {
                    let current = self.laid(current);
                    let mut state = self.start();
                    record(|told| self.step(&current, &mut state, told), sums, spikes);
                }
                Ok::<(), QcfsError>(())
            })?;
        Ok(Run { sums, spikes })
    }

    /// All samples, each until the agent is sure of it or `steps` are over: samples that it is sure of leave the batch. For
    /// each the decision and the spikes it took.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_until_sure(
        &self,
        inputs: ArrayView2<'_, f32>,
        steps: usize,
        agent: Agent,
    ) -> Result<Vec<(Decision, u32)>, QcfsError> {
        at_least_one(steps)?;
        let parts = inputs.axis_chunks_iter(Axis(0), ROWS).into_par_iter();
        let decided = parts.map(|inputs| {
            let currents = self.currents(inputs)?;
            let decide = |current: ArrayView1<'_, f32>| {
                let current = self.laid(current);
                let mut state = self.start();
                let step = |told: &mut Told| self.step(&current, &mut state, told);
                until_sure(step, self.n_classes(), agent.decider(steps))
            };
            Ok(currents.rows().into_iter().map(decide).collect())
        });
        let decided: Result<Vec<Vec<(Decision, u32)>>, QcfsError> = decided.collect();
        Ok(decided?.concat())
    }

    /// Spikes of the first neurons in `steps` steps, `[sample, unit]` as the network counts its units.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn first_layer(
        &self,
        inputs: ArrayView2<'_, f32>,
        steps: usize,
    ) -> Result<Array2<u32>, QcfsError> {
        at_least_one(steps)?;
        let population = &self.populations[0];
        let mut counts = Array2::zeros((inputs.nrows(), population.lie.n()));
        let currents = self.currents(inputs)?;
        let (mut fired, mut active) = (vec![], vec![]);
        for (current, mut counts) in currents.rows().into_iter().zip(counts.rows_mut()) {
            let current = self.laid(current);
            let mut v = vec![0.5 * population.threshold; current.len()];
            for _ in 0..steps {
                fire(
                    &mut v,
                    &current,
                    population.threshold,
                    &mut fired,
                    &mut active,
                );
                for neuron in &active {
                    counts[population.lie.own(*neuron as usize)] += 1;
                }
            }
        }
        Ok(counts)
    }

    /// The levels of the network's first quantized activations, `[sample, unit]`: what [`Self::first_layer`] comes to in as
    /// many steps as there are levels.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn first_levels(&self, inputs: ArrayView2<'_, f32>) -> Result<Array2<u32>, QcfsError> {
        let found = self.network.activity(inputs, self.first)?;
        let Population {
            threshold, levels, ..
        } = self.populations[0];
        // The activity is a level's share of the scale, rounded once: the level is what it is nearest to.
        Ok(found.mapv(|h| (f64::from(h) * f64::from(levels) / threshold).round() as u32))
    }

    /// What the inputs give the first neurons at every step, `[sample, unit]`.
    fn currents(&self, inputs: ArrayView2<'_, f32>) -> Result<Array2<f32>, QcfsError> {
        Ok(match self.first.checked_sub(1) {
            Some(last) => self.network.activity(inputs, last)?,
            // Asked for all the same, so that inputs are refused that the network refuses.
            None => {
                self.network.activity(inputs, 0)?;
                inputs.to_owned()
            }
        })
    }

    /// The current in the order in which neurons lie.
    fn laid(&self, current: ArrayView1<'_, f32>) -> Vec<f32> {
        let lie = self.populations[0].lie;
        (0..lie.n()).map(|i| current[lie.own(i)]).collect()
    }

    fn start(&self) -> State {
        let at_half = |p: &Population| vec![0.5 * p.threshold; p.lie.n()];
        State {
            v: self.populations.iter().map(at_half).collect(),
            fired: vec![],
            active: vec![],
            input: vec![],
        }
    }

    /// One step through all neurons: each layer takes the spikes that the layer before gives in this same step.
    fn step(&self, current: &[f32], state: &mut State, told: &mut Told) {
        let State {
            v,
            fired,
            active,
            input,
        } = state;
        for (i, (population, v)) in self.populations.iter().zip(v).enumerate() {
            let input_now = if i == 0 { current } else { &input[..] };
            fire(v, input_now, population.threshold, fired, active);
            told.spikes += active.len() as u32;
            population.out.project(active, input);
        }
        told.add(input);
    }
}

/// How the first neurons lie, if what comes before them is linear.
fn before_first(network: &Network<f32>, first: usize) -> Result<Lie, QcfsError> {
    let mut lie = Lie {
        channels: network.n_inputs(),
        places: 1,
    };
    for (i, layer) in network.layers()[..first].iter().enumerate() {
        let (channels, [rows, columns]) = match layer {
            Layer::Dense { outputs, .. } => (*outputs, [1, 1]),
            Layer::Convolution {
                window, channels, ..
            } => (*channels, window.outputs()),
            Layer::Pool {
                window,
                pooling: crate::network::Pooling::Mean,
            } => (window.image[0], window.outputs()),
            _ => {
                let expected = "convolutions, mean pools and dense layers before the first neurons";
                return Err(layer_fault(i, expected, "another layer"));
            }
        };
        lie = Lie {
            channels,
            places: rows * columns,
        };
    }
    Ok(lie)
}

/// Adds the input to the potentials and lists the neurons that spike, by their number.
fn fire(v: &mut [f64], input: &[f32], threshold: f64, fired: &mut Vec<u8>, active: &mut Vec<u32>) {
    fired.clear();
    fired.resize(v.len().next_multiple_of(8), 0);
    active.clear();
    vectorized(
        #[inline(always)]
        || {
            for ((v, x), fired) in v.iter_mut().zip(input).zip(fired.iter_mut()) {
                let now = *v + f64::from(*x);
                let spikes = now >= threshold;
                *v = if spikes { now - threshold } else { now };
                *fired = u8::from(spikes);
            }
        },
    );
    // Most neurons are silent: eight of them are passed by at once.
    for (i, eight) in fired.chunks_exact(8).enumerate() {
        let mut left = u64::from_le_bytes(eight.try_into().expect("chunks of eight"));
        while left != 0 {
            active.push(8 * i as u32 + left.trailing_zeros() / 8);
            left &= left - 1;
        }
    }
}
