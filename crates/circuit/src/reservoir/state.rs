//! One step of the reservoir, in the authors' order: spikes and resets, synaptic kernels, membranes, plasticity from the
//! traces before this step, traces, astrocyte, and the decay of the rates of plasticity where features are read.

use chiasm_core::Streams;
use chiasm_core::vectorized;
use rand::seq::SliceRandom;

use super::astrocyte::Astrocyte;
use super::wiring::{Kind, Wiring};
use super::{Config, Plasticity};

/// What does not change from step to step.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    threshold: f64,
    membrane: f64,
    input_gain: f64,
    /// Steps from a spike to the first possible next one.
    pause: u32,
    /// The kernel of a synapse at a spike, `1 / tau_u`, and what is left of it after a step.
    kernel: f64,
    kernel_decay: f64,
    w_max: f32,
    pub(super) eta: f64,
    trace_gain: f32,
    trace_decay: f32,
    pub(super) tau_a: f64,
    decay: f64,
    pub(super) plasticity: Plasticity,
    /// Whom the astrocyte reads.
    read: Vec<bool>,
}

/// Currents below are none: they would become subnormal numbers one day, which are slow.
const LEAST: f64 = 1e-200;

/// Traces below are none: what they do to a weight is less than the last digit of one that is not within 1e-6 of 0.
const LEAST_TRACE: f32 = 1e-12;

/// Time constant of the rate that gates plasticity, ms: a rate of so many spikes in it is one in Hz.
const TAU_RATE_MS: f32 = 1000.0;

impl Rules {
    pub(super) fn new(config: &Config, streams: &Streams) -> Self {
        let tau = config.tau_u_ms;
        let (n, n_inputs) = (config.n_neurons, config.n_inputs);
        let mut read = vec![true; n + n_inputs];
        if let Plasticity::Astrocyte { fraction, .. } = config.plasticity {
            let mut rng = streams.stream("astrocyte");
            for part in [0..n, n..n + n_inputs] {
                let n_read = (fraction * part.len() as f64).ceil() as usize;
                read[part.clone()].fill(false);
                read[part.start..part.start + n_read].fill(true);
                read[part].shuffle(&mut rng);
            }
        }
        Self {
            threshold: config.threshold,
            membrane: 1.0 - 1.0 / config.tau_v_ms,
            input_gain: config.input_gain,
            pause: config.refractory_ms + 1,
            kernel: 1.0 / tau,
            kernel_decay: (-1.0 / tau).exp(),
            w_max: config.w_max as f32,
            eta: config.eta,
            trace_gain: config.trace_gain as f32,
            trace_decay: config.trace_decay as f32,
            tau_a: config.tau_a_ms,
            decay: config.feature_decay,
            plasticity: config.plasticity,
            read,
        }
    }

    /// The weight that every synapse begins with, but for its sign.
    pub(super) fn first_weight(&self) -> f32 {
        match self.plasticity {
            Plasticity::Fixed { weight } | Plasticity::Gated { weight, .. } => weight as f32,
            Plasticity::Stdp | Plasticity::Astrocyte { .. } => self.w_max,
        }
    }

    /// Whom the astrocyte reads.
    #[cfg(test)]
    pub(super) fn read(&self) -> &[bool] {
        &self.read
    }

    fn limits(&self, kind: Kind) -> (f32, f32) {
        match kind {
            Kind::Excitatory => (0.0, self.w_max),
            Kind::Inhibitory => (-self.w_max, 0.0),
            Kind::Input => (-self.w_max, self.w_max),
        }
    }
}

/// Everything that changes from step to step. Neurons of the reservoir come first, then inputs.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) weights: Vec<f32>,
    pub(super) astrocyte: Astrocyte,
    /// Who spiked in the last step: reservoir, then inputs, ascending.
    pub(super) spiked: Vec<u32>,
    /// Of those, how many belong to the reservoir.
    pub(super) n_reservoir: usize,
    v: Vec<f64>,
    /// What all synapses add in this step, for each neuron of the reservoir.
    current: Vec<f64>,
    /// What the weight changes of this step add to `current`.
    change: Vec<f64>,
    ready: Vec<u32>,
    /// What is left of the kernel that each source's last spike started.
    left: Vec<f64>,
    trace: Vec<f32>,
    /// Spikes of this step, as numbers.
    flag: Vec<f32>,
    /// What a spike of the target would add to a synapse, for each source; 0 for sources that spike themselves.
    potential: Vec<f32>,
    /// Rates that gate plasticity, Hz.
    rate: Vec<f32>,
    /// Bounds of the weight changes of each target (gated plasticity alone).
    allowed: Vec<(f32, f32)>,
    now: u32,
}

/// Whether and how weights change in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// They stay as they are.
    Static,
    /// They change.
    Plastic,
    /// They change at rates that decay.
    Decaying,
}

impl State {
    pub(super) fn new(rules: &Rules, wiring: &Wiring, weights: &[f32]) -> Self {
        let (n, n_sources) = (wiring.n_neurons, wiring.n_sources());
        let mut state = Self {
            weights: weights.to_vec(),
            astrocyte: Astrocyte::new(rules),
            spiked: vec![],
            n_reservoir: 0,
            v: vec![0.0; n_sources],
            current: vec![0.0; n],
            change: vec![0.0; n],
            ready: vec![0; n_sources],
            left: vec![0.0; n_sources],
            trace: vec![0.0; n_sources],
            flag: vec![0.0; n],
            potential: vec![0.0; n_sources],
            rate: vec![0.0; n],
            allowed: vec![(f32::NEG_INFINITY, f32::INFINITY); n],
            now: 0,
        };
        state.begin(rules);
        state
    }

    /// The beginning of a sample: all is reset but weights, traces and the rates that gate plasticity.
    pub(super) fn begin(&mut self, rules: &Rules) {
        self.astrocyte = Astrocyte::new(rules);
        self.v.fill(0.0);
        self.current.fill(0.0);
        self.change.fill(0.0);
        self.ready.fill(0);
        self.left.fill(0.0);
        self.now = 0;
    }

    /// The beginning of a sample that must not know of any other: these weights and no traces.
    pub(super) fn begin_afresh(&mut self, rules: &Rules, weights: impl Iterator<Item = f32>) {
        self.weights.clear();
        self.weights.extend(weights);
        self.trace.fill(0.0);
        self.begin(rules);
    }

    pub(super) fn step(&mut self, rules: &Rules, wiring: &Wiring, events: &[u32], mode: Mode) {
        self.find_spikes(rules, wiring.n_neurons);
        if mode == Mode::Static {
            self.deliver(rules, wiring);
        } else if let Plasticity::Gated {
            threshold_hz,
            band_hz,
            ..
        } = rules.plasticity
        {
            self.gate(threshold_hz as f32, band_hz as f32);
            self.rows::<true>(rules, wiring);
            self.columns::<true>(rules, wiring);
        } else {
            self.rows::<false>(rules, wiring);
            self.columns::<false>(rules, wiring);
        }
        self.membranes(rules, events, wiring.n_neurons);
        if mode != Mode::Static {
            self.traces(rules);
            let (reservoir, input) = self.spiked.split_at(self.n_reservoir);
            let read = |of: &[u32]| of.iter().filter(|i| rules.read[**i as usize]).count() as f64;
            let balance = read(reservoir) - read(input);
            self.astrocyte.step(balance, rules.tau_a);
        }
        if mode == Mode::Decaying {
            self.astrocyte.decay(rules.decay);
        }
        for &i in &self.spiked[..self.n_reservoir] {
            self.flag[i as usize] = 0.0;
        }
        self.now += 1;
    }

    fn find_spikes(&mut self, rules: &Rules, n: usize) {
        self.spiked.clear();
        let now = self.now;
        for (i, (v, ready)) in self.v.iter_mut().zip(&mut self.ready).enumerate() {
            if *v >= rules.threshold && *ready <= now {
                *v = 0.0;
                *ready = now + rules.pause;
                self.spiked.push(i as u32);
            }
        }
        self.n_reservoir = self.spiked.partition_point(|i| (*i as usize) < n);
        for &i in &self.spiked[..self.n_reservoir] {
            self.flag[i as usize] = 1.0;
        }
    }

    /// What a spike adds to a synapse's kernel, which restarts: the fresh kernel less what was left of the last one.
    fn restart(&mut self, rules: &Rules, source: usize) -> f64 {
        rules.kernel - std::mem::replace(&mut self.left[source], rules.kernel)
    }

    fn deliver(&mut self, rules: &Rules, wiring: &Wiring) {
        for s in 0..self.spiked.len() {
            let source = self.spiked[s] as usize;
            let gain = self.restart(rules, source);
            let row = wiring.row(source);
            for (target, w) in wiring.targets[row.clone()].iter().zip(&self.weights[row]) {
                self.current[*target as usize] += f64::from(*w) * gain;
            }
        }
    }

    /// The synapses of sources that spike: their current, and the weight change of both parts of the rule.
    fn rows<const GATED: bool>(&mut self, rules: &Rules, wiring: &Wiring) {
        let (a, eta) = (self.astrocyte.a as f32, self.astrocyte.eta as f32);
        for s in 0..self.spiked.len() {
            let source = self.spiked[s] as usize;
            let gain = self.restart(rules, source);
            let kind = wiring.kind(source);
            let (low, high) = rules.limits(kind);
            let (at_target, at_source) = match kind {
                Kind::Inhibitory => (-a, eta),
                Kind::Excitatory | Kind::Input => (eta, -a),
            };
            let from = at_target * self.trace[source];
            let row = wiring.row(source);
            for (target, weight) in wiring.targets[row.clone()]
                .iter()
                .zip(&mut self.weights[row])
            {
                let j = *target as usize;
                let w = *weight;
                self.current[j] += f64::from(w) * gain;
                let (mut by_target, mut by_source) =
                    (from * self.flag[j], at_source * self.trace[j]);
                if GATED {
                    let (least, most) = self.allowed[j];
                    by_target = by_target.clamp(least, most);
                    by_source = by_source.clamp(least, most);
                }
                let new = (w + by_target + by_source).clamp(low, high);
                *weight = new;
                self.change[j] += (f64::from(new) - f64::from(w)) * rules.kernel;
            }
        }
    }

    /// The synapses onto neurons that spike, of sources that do not.
    fn columns<const GATED: bool>(&mut self, rules: &Rules, wiring: &Wiring) {
        if self.n_reservoir == 0 {
            return;
        }
        let (a, eta) = (self.astrocyte.a as f32, self.astrocyte.eta as f32);
        let inhibitory = wiring.n_excitatory..wiring.n_neurons;
        let (potential, trace) = (&mut self.potential, &self.trace);
        vectorized(
            #[inline(always)]
            || {
                for (p, t) in potential.iter_mut().zip(trace) {
                    *p = eta * t;
                }
                for (p, t) in potential[inhibitory.clone()]
                    .iter_mut()
                    .zip(&trace[inhibitory])
                {
                    *p = -a * t;
                }
            },
        );
        for &i in &self.spiked {
            potential[i as usize] = 0.0;
        }
        for s in 0..self.n_reservoir {
            let j = self.spiked[s] as usize;
            let (least, most) = self.allowed[j];
            let mut change = 0.0;
            let column = wiring.column(j);
            let sources = &wiring.column_sources[column.clone()];
            for (source, synapse) in sources.iter().zip(&wiring.column_synapses[column]) {
                let source = *source as usize;
                let mut by_target = self.potential[source];
                if GATED {
                    by_target = by_target.clamp(least, most);
                }
                if by_target != 0.0 {
                    let (low, high) = rules.limits(wiring.kind(source));
                    let weight = &mut self.weights[*synapse as usize];
                    let new = (*weight + by_target).clamp(low, high);
                    change += (f64::from(new) - f64::from(*weight)) * self.left[source];
                    *weight = new;
                }
            }
            self.change[j] += change;
        }
    }

    /// Weights onto a neuron may grow just above the threshold and shrink just below it.
    fn gate(&mut self, threshold: f32, band: f32) {
        let of = self.rate.iter_mut().zip(&self.flag).zip(&mut self.allowed);
        for ((rate, flag), allowed) in of {
            *rate = *rate - *rate / TAU_RATE_MS + *flag;
            let grows = *rate > threshold && *rate < threshold + band;
            let shrinks = *rate > threshold - band && *rate < threshold;
            *allowed = (
                if shrinks { f32::NEG_INFINITY } else { 0.0 },
                if grows { f32::INFINITY } else { 0.0 },
            );
        }
    }

    fn membranes(&mut self, rules: &Rules, events: &[u32], n: usize) {
        let (reservoir, inputs) = self.v.split_at_mut(n);
        let (current, change, left) = (&mut self.current, &mut self.change, &mut self.left);
        vectorized(
            #[inline(always)]
            || {
                for ((v, i), d) in reservoir.iter_mut().zip(&mut *current).zip(&mut *change) {
                    *v = *v * rules.membrane + *i;
                    let next = (*i + *d) * rules.kernel_decay;
                    *i = if next.abs() > LEAST { next } else { 0.0 };
                    *d = 0.0;
                }
                for v in inputs.iter_mut() {
                    *v *= rules.membrane;
                }
                for l in left.iter_mut() {
                    let next = *l * rules.kernel_decay;
                    *l = if next > LEAST { next } else { 0.0 };
                }
            },
        );
        for event in events {
            inputs[*event as usize] += rules.input_gain;
        }
    }

    fn traces(&mut self, rules: &Rules) {
        for &i in &self.spiked {
            self.trace[i as usize] += rules.trace_gain;
        }
        let trace = &mut self.trace;
        vectorized(
            #[inline(always)]
            || {
                for t in trace.iter_mut() {
                    let next = *t * rules.trace_decay;
                    *t = if next > LEAST_TRACE { next } else { 0.0 };
                }
            },
        );
    }
}
