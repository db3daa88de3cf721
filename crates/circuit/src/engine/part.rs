//! One thread's share of a circuit: some neurons of every population, and all synapses onto them.

use std::ops::Range;

use crate::circuit::Pulse;
use crate::engine::plastic::Plastic;
use crate::input::Generator;
use crate::modulator::Level;
use crate::neuron::{Cells, Drive};
use crate::projection::{PerSynapse, Synapses};

/// A share of a population.
#[derive(Debug)]
pub(super) struct Member {
    /// Which neurons of the population.
    pub(super) range: Range<usize>,
    pub(super) cells: Box<dyn Cells>,
    pub(super) base: Base,
    pub(super) pulses: Vec<PulseSteps>,
    pub(super) drive: Vec<f64>,
    /// For each receptor, what arrives later; only where a projection has several delays.
    pub(super) rings: Vec<Option<Ring>>,
    /// For each receptor the variable it adds to.
    pub(super) variables: Vec<usize>,
}

/// Constant current.
#[derive(Debug)]
pub(super) enum Base {
    Same(f64),
    Each(Vec<f64>),
}

/// A pulse in steps, of neurons counted within the share; all if `None`.
#[derive(Debug)]
pub(super) struct PulseSteps {
    steps: Range<u64>,
    i_pa: f64,
    neurons: Option<Vec<usize>>,
}

impl PulseSteps {
    pub(super) fn new(pulse: &Pulse, share: &Range<usize>, dt_ms: f64) -> Self {
        let step = |t: f64| (t * 1000.0 / dt_ms).round() as u64;
        let mine = pulse.neurons.iter().map(|i| *i as usize);
        let mine = mine.filter(|i| share.contains(i)).map(|i| i - share.start);
        Self {
            steps: step(pulse.start_s)..step(pulse.stop_s),
            i_pa: pulse.i_pa,
            neurons: (!pulse.neurons.is_empty()).then(|| mine.collect()),
        }
    }
}

/// What arrives in each of the coming steps, as one array of targets for each step.
#[derive(Debug)]
pub(super) struct Ring {
    n: usize,
    slots: Vec<f64>,
    used: Vec<bool>,
}

impl Ring {
    pub(super) fn new(n: usize, longest: u16) -> Self {
        let slots = (usize::from(longest) + 1).next_power_of_two();
        Self {
            n,
            slots: vec![0.0; slots * n],
            used: vec![false; slots],
        }
    }

    fn slot(&self, k: u64) -> usize {
        k as usize & (self.used.len() - 1)
    }

    #[inline]
    fn add(&mut self, target: usize, k: u64, w: f32) {
        let slot = self.slot(k);
        self.used[slot] = true;
        self.slots[slot * self.n + target] += f64::from(w);
    }

    /// Moves what arrives at step `k` into the variable.
    fn empty(&mut self, k: u64, into: &mut [f64]) {
        let slot = self.slot(k);
        if std::mem::take(&mut self.used[slot]) {
            let waiting = &mut self.slots[slot * self.n..(slot + 1) * self.n];
            for (to, from) in into.iter_mut().zip(waiting) {
                *to += std::mem::take(from);
            }
        }
    }
}

/// A share of a projection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) receptor: usize,
    pub(super) synapses: Kind,
}

/// How a projection is delivered.
#[derive(Debug)]
pub(super) enum Kind {
    /// One delay: spikes wait, and are then added directly.
    Uniform { synapses: Synapses, lag: u64 },
    /// Several delays: weights wait in the ring.
    Mixed(Synapses),
    /// Plastic.
    Plastic(Box<Plastic>),
}

impl Kind {
    /// How many steps ago the spikes happened that are delivered now.
    fn lag(&self) -> u64 {
        match self {
            Self::Uniform { lag, .. } => *lag,
            Self::Mixed(_) => 0,
            Self::Plastic(p) => p.axonal,
        }
    }
}

/// The spikes of the last steps of one group.
#[derive(Debug, Default)]
pub(super) struct Past {
    lists: Vec<Vec<u32>>,
}

impl Past {
    fn keep(&mut self, k: u64, fired: &[u32]) {
        let n = self.lists.len() as u64;
        if n > 0 {
            let list = &mut self.lists[(k % n) as usize];
            list.clear();
            list.extend_from_slice(fired);
        }
    }

    fn at(&self, k: u64) -> &[u32] {
        &self.lists[(k % self.lists.len() as u64) as usize]
    }
}

/// A share of a state probe.
#[derive(Debug)]
pub(super) struct Sampler {
    pub(super) group: usize,
    pub(super) variable: usize,
    /// Steps between samples.
    pub(super) every: u64,
    /// Neurons counted within the share.
    pub(super) neurons: Vec<usize>,
    /// Sample by sample.
    pub(super) values: Vec<f32>,
}

/// One thread's share of a circuit.
#[derive(Debug)]
pub(super) struct Part {
    /// For each group; `None` for inputs.
    pub(super) members: Vec<Option<Member>>,
    /// For each group; inputs that this part generates.
    pub(super) inputs: Vec<Option<Generator>>,
    pub(super) links: Vec<Link>,
    pub(super) past: Vec<Past>,
    pub(super) modulators: Vec<Level>,
    /// For each group the spikes of this step that happened here, ascending.
    pub(super) fired: Vec<Vec<u32>>,
    /// For each group the spikes of this step that happened anywhere, ascending.
    pub(super) heard: Vec<Vec<u32>>,
    /// For each group whether it is recorded, and the record: step and neuron.
    pub(super) recorded: Vec<bool>,
    pub(super) spikes: Vec<Vec<(u32, u32)>>,
    pub(super) samplers: Vec<Sampler>,
}

impl Part {
    /// To be called once all links are there.
    pub(super) fn prepare(&mut self) {
        let n = self.members.len();
        self.fired = vec![vec![]; n];
        self.heard = vec![vec![]; n];
        self.spikes = vec![vec![]; n];
        self.past = (0..n).map(|_| Past::default()).collect();
        for link in &self.links {
            let lag = link.synapses.lag() as usize;
            let lists = &mut self.past[link.from].lists;
            if lag > 0 && lists.len() <= lag {
                lists.resize(lag + 1, vec![]);
            }
        }
    }

    /// Integrates step `k` and finds its spikes.
    pub(super) fn advance(&mut self, k: u64) {
        for (g, fired) in self.fired.iter_mut().enumerate() {
            fired.clear();
            if let Some(member) = &mut self.members[g] {
                member.advance(k, fired);
            } else if let Some(input) = &mut self.inputs[g] {
                input.emit(k, fired);
            }
            if self.recorded[g] {
                self.spikes[g].extend(fired.iter().map(|i| (k as u32, *i)));
            }
        }
        for sampler in &mut self.samplers {
            if (k + 1).is_multiple_of(sampler.every)
                && let Some(member) = &self.members[sampler.group]
            {
                let values = member.cells.variable(sampler.variable);
                let chosen = sampler.neurons.iter().map(|i| values[*i] as f32);
                sampler.values.extend(chosen);
            }
        }
    }

    /// Delivers what has been heard of step `k`.
    pub(super) fn deliver(&mut self, k: u64) {
        let Self {
            members,
            links,
            past,
            heard,
            modulators,
            ..
        } = self;
        for (past, heard) in past.iter_mut().zip(heard.iter()) {
            past.keep(k, heard);
        }
        for link in links.iter_mut() {
            let lag = link.synapses.lag();
            let sources = if lag == 0 {
                heard[link.from].as_slice()
            } else if k >= lag {
                past[link.from].at(k - lag)
            } else {
                &[]
            };
            let Some(member) = &mut members[link.to] else {
                continue;
            };
            if let Kind::Plastic(plastic) = &mut link.synapses {
                let share = &member.range;
                let mine = heard[link.to].iter().map(|i| *i as usize);
                let mine = mine.filter(|i| share.contains(i)).map(|i| i - share.start);
                plastic.remember(mine, k, &*modulators);
            }
            if sources.is_empty() {
                continue;
            }
            let inlet = member.cells.variable_mut(member.variables[link.receptor]);
            let ring = &mut member.rings[link.receptor];
            match &mut link.synapses {
                Kind::Uniform { synapses, .. } => add(synapses, sources, inlet),
                Kind::Mixed(synapses) => {
                    let Some(ring) = ring else { continue };
                    for &s in sources {
                        for idx in synapses.row(s) {
                            let at = k + u64::from(synapses.delays.at(idx));
                            ring.add(synapses.targets[idx] as usize, at, synapses.weights.at(idx));
                        }
                    }
                }
                Kind::Plastic(plastic) => plastic.deliver(sources, k, |target, ahead, w| {
                    match (ring.as_mut(), ahead) {
                        // Without a ring, all arrive with the next step.
                        (None, _) | (_, 1) => inlet[target] += f64::from(w),
                        (Some(ring), ahead) => ring.add(target, k + ahead, w),
                    }
                }),
            }
        }
        for member in members.iter_mut().flatten() {
            for (ring, variable) in member.rings.iter_mut().zip(&member.variables) {
                if let Some(ring) = ring {
                    ring.empty(k + 1, member.cells.variable_mut(*variable));
                }
            }
        }
        for modulator in modulators {
            modulator.step(k, heard);
        }
    }
}

impl Member {
    fn advance(&mut self, k: u64, fired: &mut Vec<u32>) {
        let active = |p: &&PulseSteps| p.steps.contains(&k);
        let drive = if self.pulses.iter().any(|p| active(&p)) {
            match &self.base {
                Base::Same(i) => self.drive.fill(*i),
                Base::Each(each) => self.drive.copy_from_slice(each),
            }
            for pulse in self.pulses.iter().filter(active) {
                match &pulse.neurons {
                    None => self.drive.iter_mut().for_each(|i| *i += pulse.i_pa),
                    Some(neurons) => neurons.iter().for_each(|n| self.drive[*n] += pulse.i_pa),
                }
            }
            Drive::Each(&self.drive)
        } else {
            match &self.base {
                Base::Same(i) => Drive::Same(*i),
                Base::Each(each) => Drive::Each(each),
            }
        };
        self.cells.step(drive, fired);
        if self.range.start > 0 {
            fired.iter_mut().for_each(|i| *i += self.range.start as u32);
        }
    }
}

/// Adds the weights of all synapses of `sources` to their targets.
fn add(synapses: &Synapses, sources: &[u32], inlet: &mut [f64]) {
    for &s in sources {
        let row = synapses.row(s);
        let targets = &synapses.targets[row.clone()];
        match &synapses.weights {
            PerSynapse::Same(w) => {
                let w = f64::from(*w);
                for &t in targets {
                    inlet[t as usize] += w;
                }
            }
            PerSynapse::Each(weights) => {
                for (&t, w) in targets.iter().zip(&weights[row]) {
                    inlet[t as usize] += f64::from(*w);
                }
            }
        }
    }
}
