//! The module in motion.
//!
//! In step `k`, in this order (that of the authors' simulator):
//!
//! 1. membranes, conductances and thresholds go from `k dt` to `(k + 1) dt`, all from the values at its beginning;
//! 2. neurons above threshold spike, unless they are refractory or spiked less than the least interval ago;
//! 3. spikes arrive: partners excite and inhibit at once; an input's spike of step `k - d` adds `w` to the conductance,
//!    then `w` changes by the neuron's trace;
//! 4. the weights onto neurons that spiked change by the inputs' traces; spikes reset.
//!
//! # What makes it fast
//!
//! Nearly all of the work is the arrival of input spikes: 8,800 an image, each at every neuron. As inputs spike whatever
//! the network does, a spike is added at once to the sums of the steps in which it will arrive (a ring over the longest
//! delay, which fits the first caches). This is right as long as the weight does not change before it arrives, so as long
//! as the neuron's trace is 0: true for nearly all neurons at nearly all times. The few that spiked lately are *hot*; for
//! them the spikes under way are kept one by one ([`super::plastic`]). An input's trace is never stored: it follows from
//! its last spike that has arrived, which is looked up when a neuron spikes.
//!
//! What arrives in one step is added in the order in which it was sent, then to the conductance; so hot and cold neurons
//! have the same bits.

use chiasm_core::vectorized;
use serde::{Deserialize, Serialize};

use super::input::Train;
use super::plastic::{Plastic, Rule};
use super::synapses::Synapses;
use super::{Conductances, Config};

/// A spike that never was, in steps.
pub(super) const NEVER: f64 = -1e15;

/// mV; ms. Excitatory neurons, then inhibitory ones (paper's code).
const REST_E: f64 = -65.0;
const INHIBITION_E: f64 = -100.0;
const RESET_E: f64 = -65.0;
const START_E: f64 = -105.0;
const TAU_E: f64 = 100.0;
const HOLD_E: f64 = 5.0;
const REST_I: f64 = -60.0;
const THRESHOLD_I: f64 = -40.0;
const RESET_I: f64 = -45.0;
const START_I: f64 = -100.0;
const TAU_I: f64 = 10.0;
const HOLD_I: f64 = 2.0;
const TAU_GE: f64 = 1.0;
/// Steps after which the ring's end is moved to its beginning.
const BLOCK: usize = 128;

/// Where a module stands between two images: nothing is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Steps since the beginning.
    pub(super) step: f64,
    pub(super) v_e: Vec<f64>,
    pub(super) ge_e: Vec<f64>,
    pub(super) gi_e: Vec<f64>,
    /// Step of each excitatory neuron's last spike.
    pub(super) last_e: Vec<f64>,
    pub(super) v_i: Vec<f64>,
    pub(super) ge_i: Vec<f64>,
    pub(super) last_i: Vec<f64>,
    /// Step of each input's last spike.
    pub(super) last_in: Vec<f64>,
}

impl State {
    pub(super) fn start(n_in: usize, n: usize) -> Self {
        Self {
            step: 0.0,
            v_e: vec![START_E; n],
            ge_e: vec![0.0; n],
            gi_e: vec![0.0; n],
            last_e: vec![NEVER; n],
            v_i: vec![START_I; n],
            ge_i: vec![0.0; n],
            last_i: vec![NEVER; n],
            last_in: vec![NEVER; n_in],
        }
    }
}

/// Factors of a step.
#[derive(Debug, Clone, Copy)]
struct Factors {
    /// `dt / tau` of the membranes.
    rate_e: f64,
    rate_i: f64,
    /// What is left of conductances and thresholds.
    ge: f64,
    gi: f64,
    theta: f64,
    /// What the membrane sees of a conductance at the step's beginning.
    seen_ge: f64,
    seen_gi: f64,
    /// Steps.
    hold_e: f64,
    isi: f64,
    hold_i: f64,
}

impl Factors {
    fn new(config: &Config) -> Self {
        let dt = config.dt_ms;
        let exact = config.conductances == Conductances::Exact;
        let left = |x: f64| if exact { (-x).exp() } else { 1.0 - x };
        let seen = |x: f64| if exact { -(-x).exp_m1() / x } else { 1.0 };
        let steps = |ms: f64| config.steps(ms) as f64;
        Self {
            rate_e: dt / TAU_E,
            rate_i: dt / TAU_I,
            ge: left(dt / TAU_GE),
            gi: left(dt / config.tau_gi_ms),
            theta: left(dt / config.tau_theta_ms),
            seen_ge: seen(dt / TAU_GE),
            seen_gi: seen(dt / config.tau_gi_ms),
            hold_e: steps(HOLD_E),
            isi: steps(config.min_isi_ms),
            hold_i: steps(HOLD_I),
        }
    }
}

/// A module's state and what its simulation needs beside the synapses.
pub(super) struct Kernel {
    pub(super) state: State,
    factors: Factors,
    w_ei: f64,
    w_ie: f64,
    theta_plus: f64,
    n: usize,
    /// Longest delay and one, steps.
    pub(super) reach: usize,
    /// `delay * n + neuron`, of every synapse: where a spike arrives, from the ring's current row on.
    offsets: Vec<u32>,
    /// Sums of what arrives in the steps to come, `[step, neuron]`, from row `row` on.
    ring: Vec<f64>,
    row: usize,
    fired_e: Vec<usize>,
    fired_i: Vec<usize>,
}

impl Kernel {
    pub(super) fn new(synapses: &Synapses, state: State, config: &Config) -> Self {
        let n = synapses.n;
        let reach = config.steps(config.max_delay_ms) + 1;
        let neuron = (0..n as u32).cycle();
        let offsets = synapses.delays.iter().zip(neuron);
        Self {
            state,
            factors: Factors::new(config),
            w_ei: config.w_ei,
            w_ie: config.w_ie,
            theta_plus: config.theta_plus_mv,
            n,
            reach,
            offsets: offsets.map(|(d, j)| u32::from(*d) * n as u32 + j).collect(),
            ring: vec![0.0; (BLOCK + reach) * n],
            row: 0,
            fired_e: vec![],
            fired_i: vec![],
        }
    }

    /// Runs for some steps with fixed weights and thresholds, and adds the neurons' spikes to `counts`.
    pub(super) fn listen(
        &mut self,
        synapses: &Synapses,
        train: &Train,
        steps: usize,
        counts: &mut [u8],
    ) {
        for k in 0..steps {
            for &input in train.at(k) {
                self.send(&synapses.weights, usize::from(input));
            }
            self.integrate(&synapses.theta);
            self.inhibit();
            self.arrive();
            self.reset(counts);
            self.advance();
        }
    }

    /// As [`Kernel::listen`], while weights and thresholds change.
    pub(super) fn learn(
        &mut self,
        synapses: &mut Synapses,
        plastic: &mut Plastic,
        rule: &Rule,
        (train, steps): (&Train, usize),
        counts: &mut [u8],
    ) {
        for k in 0..steps {
            let now = self.state.step;
            for &input in train.at(k) {
                self.send(&synapses.weights, usize::from(input));
                plastic.send(now, input, synapses);
            }
            let left = self.factors.theta;
            synapses.theta.iter_mut().for_each(|theta| *theta *= left);
            self.integrate(&synapses.theta);
            self.inhibit();
            plastic.arrive(now, rule, synapses, self);
            self.arrive();
            for &j in &self.fired_e {
                plastic.fire(now, j, self.state.last_e[j], rule, synapses);
                synapses.theta[j] += self.theta_plus;
            }
            self.reset(counts);
            self.advance();
            plastic.advance();
        }
    }

    /// Back to this state, with nothing under way.
    pub(super) fn restart(&mut self, state: &State) {
        self.state.clone_from(state);
        self.ring.fill(0.0);
        self.row = 0;
    }

    /// The first neuron whose potential is not finite.
    pub(super) fn not_finite(&self) -> Option<(usize, f64)> {
        let v = self.state.v_e.iter().chain(&self.state.v_i);
        let at = v.enumerate().find(|(_, v)| !v.is_finite());
        at.map(|(i, v)| (i % self.n, *v))
    }

    /// What arrives at a neuron in `ahead` steps.
    pub(super) fn due(&mut self, neuron: usize, ahead: usize) -> &mut f64 {
        &mut self.ring[(self.row + ahead) * self.n + neuron]
    }

    /// An input's spike in the current step, to all neurons.
    fn send(&mut self, weights: &[f64], input: usize) {
        let synapses = input * self.n..(input + 1) * self.n;
        let ring = &mut self.ring[self.row * self.n..];
        for (w, at) in weights[synapses.clone()]
            .iter()
            .zip(&self.offsets[synapses])
        {
            ring[*at as usize] += w;
        }
    }

    /// Steps all membranes and lists who spikes.
    fn integrate(&mut self, theta: &[f64]) {
        let (f, s) = (self.factors, &mut self.state);
        let now = s.step;
        let any = vectorized(
            #[inline(always)]
            || {
                let e = excitatory(
                    f,
                    now,
                    (&mut s.v_e, &mut s.ge_e, &mut s.gi_e),
                    &s.last_e,
                    theta,
                );
                let i = inhibitory(f, now, (&mut s.v_i, &mut s.ge_i), &s.last_i);
                (e, i)
            },
        );
        self.fired_e.clear();
        self.fired_i.clear();
        if any.0 {
            let spikes = |j: &usize| spikes_e(f, now, s.v_e[*j], s.last_e[*j], theta[*j]);
            self.fired_e.extend((0..self.n).filter(spikes));
        }
        if any.1 {
            let spikes = |j: &usize| spikes_i(f, now, s.v_i[*j], s.last_i[*j]);
            self.fired_i.extend((0..self.n).filter(spikes));
        }
    }

    /// Neurons excite their partners, which inhibit all others.
    fn inhibit(&mut self) {
        for &j in &self.fired_e {
            self.state.ge_i[j] += self.w_ei;
        }
        for &j in &self.fired_i {
            let (before, rest) = self.state.gi_e.split_at_mut(j);
            for gi in before.iter_mut().chain(&mut rest[1..]) {
                *gi += self.w_ie;
            }
        }
    }

    /// What arrives in the current step is added, and its row cleared.
    fn arrive(&mut self) {
        let row = &mut self.ring[self.row * self.n..(self.row + 1) * self.n];
        for (ge, sum) in self.state.ge_e.iter_mut().zip(row) {
            *ge += *sum;
            *sum = 0.0;
        }
    }

    fn reset(&mut self, counts: &mut [u8]) {
        for &j in &self.fired_e {
            self.state.v_e[j] = RESET_E;
            self.state.last_e[j] = self.state.step;
            counts[j] = counts[j].saturating_add(1);
        }
        for &j in &self.fired_i {
            self.state.v_i[j] = RESET_I;
            self.state.last_i[j] = self.state.step;
        }
    }

    fn advance(&mut self) {
        self.state.step += 1.0;
        self.row += 1;
        if self.row == BLOCK {
            self.row = 0;
            let start = BLOCK * self.n;
            self.ring.copy_within(start.., 0);
            let kept = self.reach * self.n;
            self.ring[kept..].fill(0.0);
        }
    }
}

#[inline(always)]
fn spikes_e(f: Factors, now: f64, v: f64, last: f64, theta: f64) -> bool {
    let since = now - last;
    (v > theta - 20.0 - 52.0) & (since > f.isi) & (since >= f.hold_e)
}

#[inline(always)]
fn spikes_i(f: Factors, now: f64, v: f64, last: f64) -> bool {
    (v > THRESHOLD_I) & (now - last >= f.hold_i)
}

/// One step of excitatory neurons; whether any spikes.
#[inline(always)]
fn excitatory(
    f: Factors,
    now: f64,
    (v, ge, gi): (&mut [f64], &mut [f64], &mut [f64]),
    last: &[f64],
    theta: &[f64],
) -> bool {
    let n = v.len();
    let (ge, gi) = (&mut ge[..n], &mut gi[..n]);
    let (last, theta) = (&last[..n], &theta[..n]);
    let mut any = 0u64;
    for j in 0..n {
        let pull =
            (REST_E - v[j]) - f.seen_ge * ge[j] * v[j] + f.seen_gi * gi[j] * (INHIBITION_E - v[j]);
        let next = v[j] + f.rate_e * pull;
        v[j] = if now - last[j] < f.hold_e { v[j] } else { next };
        ge[j] *= f.ge;
        gi[j] *= f.gi;
        any |= u64::from(spikes_e(f, now, v[j], last[j], theta[j]));
    }
    any != 0
}

/// One step of inhibitory neurons, which nobody inhibits; whether any spikes.
#[inline(always)]
fn inhibitory(f: Factors, now: f64, (v, ge): (&mut [f64], &mut [f64]), last: &[f64]) -> bool {
    let n = v.len();
    let (ge, last) = (&mut ge[..n], &last[..n]);
    let mut any = 0u64;
    for j in 0..n {
        let pull = (REST_I - v[j]) - f.seen_ge * ge[j] * v[j];
        let next = v[j] + f.rate_i * pull;
        v[j] = if now - last[j] < f.hold_i { v[j] } else { next };
        ge[j] *= f.ge;
        any |= u64::from(spikes_i(f, now, v[j], last[j]));
    }
    any != 0
}
