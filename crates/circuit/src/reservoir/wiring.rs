//! Who is connected to whom: a grid with connections that thin out with distance, and random pairs of inputs and neurons.

use chiasm_core::rng::Rng;
use chiasm_core::{SettingError, Streams};
use rand::RngExt;
use rand::seq::{SliceRandom, index};

use super::Config;

/// What a source does to its targets; inputs have weights of either sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Excitatory,
    Inhibitory,
    Input,
}

/// One synapse of a reservoir.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synapse {
    /// Index of the source: neurons of the reservoir first, then inputs.
    pub source: u32,
    /// Index of the target in the reservoir.
    pub target: u32,
    /// Its weight.
    pub weight: f32,
}

/// Synapses by source, and for each target where its synapses lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wiring {
    pub(super) n_neurons: usize,
    pub(super) n_excitatory: usize,
    /// Where each source's synapses begin; sources are the reservoir's neurons, then the inputs.
    pub(super) starts: Vec<u32>,
    pub(super) targets: Vec<u32>,
    /// `1` or `-1` for each synapse; empty in a part of a wiring, as `places`.
    pub(super) signs: Vec<f32>,
    /// Where each target's entries begin in the two lists below.
    pub(super) column_starts: Vec<u32>,
    pub(super) column_sources: Vec<u32>,
    pub(super) column_synapses: Vec<u32>,
    /// Place of each neuron of the reservoir on the grid.
    pub(super) places: Vec<[u32; 3]>,
}

/// The most synapses: with weights, targets and columns they take 24 bytes each.
const MOST_SYNAPSES: f64 = 1e9;

impl Wiring {
    pub(super) fn new(config: &Config, streams: &Streams) -> Result<Self, SettingError> {
        let (n, n_inputs) = (config.n_neurons, config.n_inputs);
        let most = n as f64 * (n_inputs as f64 * config.input_density + n as f64);
        let expected = "a size of at most 1e9 synapses";
        SettingError::check(most <= MOST_SYNAPSES, "n_neurons", expected, n)?;
        let n_excitatory = (n as f64 * config.excitatory).round() as usize;
        let places = places(config.grid, &mut streams.stream("places"));
        let mut starts = vec![0];
        let mut targets = vec![];
        let mut signs = vec![];
        let mut rng = streams.stream("connections");
        let near = probabilities(config);
        for (source, from) in places.iter().enumerate() {
            let from_inhibitory = source >= n_excitatory;
            for (target, to) in places.iter().enumerate() {
                let pair = 2 * usize::from(from_inhibitory) + usize::from(target >= n_excitatory);
                let p = near[squared_distance(from, to)] * config.connect[pair];
                // Drawn for each pair, so that one connection shifts no other.
                let drawn = rng.random::<f64>() < p;
                if drawn && source != target {
                    targets.push(target as u32);
                    signs.push(if from_inhibitory { -1.0 } else { 1.0 });
                }
            }
            starts.push(targets.len() as u32);
        }
        let mut rng = streams.stream("inputs");
        let n_pairs = (config.input_density * n as f64 * n_inputs as f64).floor() as usize;
        let mut pairs = index::sample(&mut rng, n * n_inputs, n_pairs).into_vec();
        pairs.sort_unstable();
        let mut next = pairs.iter().peekable();
        for input in 0..n_inputs {
            while let Some(pair) = next.next_if(|pair| **pair < (input + 1) * n) {
                targets.push((pair - input * n) as u32);
                signs.push(if rng.random() { 1.0 } else { -1.0 });
            }
            starts.push(targets.len() as u32);
        }
        let mut wiring = Self {
            n_neurons: n,
            n_excitatory,
            starts,
            targets,
            signs,
            column_starts: vec![],
            column_sources: vec![],
            column_synapses: vec![],
            places,
        };
        wiring.columns();
        Ok(wiring)
    }

    /// Fills the columns from the rows; within a column the sources ascend.
    fn columns(&mut self) {
        let mut starts = vec![0u32; self.n_neurons + 1];
        for target in &self.targets {
            starts[*target as usize + 1] += 1;
        }
        for j in 0..self.n_neurons {
            starts[j + 1] += starts[j];
        }
        let mut next = starts.clone();
        self.column_sources = vec![0; self.targets.len()];
        self.column_synapses = vec![0; self.targets.len()];
        for source in 0..self.starts.len() - 1 {
            for k in self.row(source) {
                let at = &mut next[self.targets[k] as usize];
                self.column_sources[*at as usize] = source as u32;
                self.column_synapses[*at as usize] = k as u32;
                *at += 1;
            }
        }
        self.column_starts = starts;
    }

    /// The wiring without the synapses of inputs that are not `active`, and which synapses are left. Where an input never
    /// spikes, none of its synapses is touched in a whole sample, so this changes no result; what is left of a digit's wiring
    /// is a third, which stays in the cache.
    pub(super) fn of_active(&self, active: &[bool]) -> (Self, Vec<u32>) {
        let mut left = vec![];
        let mut starts = vec![0];
        for source in 0..self.n_sources() {
            let input = source.checked_sub(self.n_neurons);
            if input.is_none_or(|i| active[i]) {
                left.extend(self.row(source).map(|k| k as u32));
            }
            starts.push(left.len() as u32);
        }
        let mut wiring = Self {
            n_neurons: self.n_neurons,
            n_excitatory: self.n_excitatory,
            starts,
            targets: left.iter().map(|k| self.targets[*k as usize]).collect(),
            signs: vec![],
            column_starts: vec![],
            column_sources: vec![],
            column_synapses: vec![],
            places: vec![],
        };
        wiring.columns();
        (wiring, left)
    }

    pub(super) fn n_sources(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn n_synapses(&self) -> usize {
        self.targets.len()
    }

    /// The synapses of a source.
    pub(super) fn row(&self, source: usize) -> std::ops::Range<usize> {
        self.starts[source] as usize..self.starts[source + 1] as usize
    }

    /// Where the entries of a target lie in the lists of columns.
    pub(super) fn column(&self, target: usize) -> std::ops::Range<usize> {
        self.column_starts[target] as usize..self.column_starts[target + 1] as usize
    }

    pub(super) fn kind(&self, source: usize) -> Kind {
        if source < self.n_excitatory {
            Kind::Excitatory
        } else if source < self.n_neurons {
            Kind::Inhibitory
        } else {
            Kind::Input
        }
    }
}

/// Every place of the grid, in random order.
fn places(grid: [usize; 3], rng: &mut Rng) -> Vec<[u32; 3]> {
    let mut places = vec![];
    for x in 0..grid[0] as u32 {
        for y in 0..grid[1] as u32 {
            places.extend((0..grid[2] as u32).map(|z| [x, y, z]));
        }
    }
    places.shuffle(rng);
    places
}

fn squared_distance(a: &[u32; 3], b: &[u32; 3]) -> usize {
    let along = |i: usize| a[i].abs_diff(b[i]) as usize;
    (0..3).map(|i| along(i) * along(i)).sum()
}

/// `exp(-(D / lambda)^2)` by squared distance.
fn probabilities(config: &Config) -> Vec<f64> {
    let far: usize = config.grid.iter().map(|n| (n - 1) * (n - 1)).sum();
    let squared = config.lambda * config.lambda;
    (0..=far).map(|d| (-(d as f64) / squared).exp()).collect()
}
