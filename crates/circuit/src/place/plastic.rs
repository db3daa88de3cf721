//! Weights that change: neurons that spiked lately see the spikes on their way one by one.
//!
//! A weight is clipped when it changes. Between two scalings weights only grow (with the signs of the defaults), so that
//! scaling lifts none above 1.

use std::collections::VecDeque;

use super::Config;
use super::kernel::{Kernel, NEVER};
use super::synapses::Synapses;
use crate::math::Decay;

/// A neuron's first trace below this counts as 0, 276 ms after its last spike: the neuron is cold again. What this leaves
/// out is at most 1e-10 for each arriving spike.
pub(super) const COLD: f64 = 1e-6;

/// Decay of the inputs' trace and of the neurons' two, ms (paper's code).
const TAU_X: f64 = 20.0;
const TAU_Y1: f64 = 20.0;
const TAU_Y2: f64 = 40.0;

/// The rule, with its traces as tables over steps.
pub(super) struct Rule {
    nu_pre: f64,
    nu_post: f64,
    x: Decay,
    y1: Decay,
    y2: Decay,
}

impl Rule {
    pub(super) fn new(config: &Config) -> Self {
        let dt = config.dt_ms;
        Self {
            nu_pre: config.nu_pre,
            nu_post: config.nu_post,
            x: Decay::new(TAU_X, dt),
            y1: Decay::new(TAU_Y1, dt),
            y2: Decay::new(TAU_Y2, dt),
        }
    }
}

/// What is left of a trace that was set to 1 in step `last`.
fn trace(decay: &Decay, now: f64, last: f64) -> f64 {
    if last <= NEVER {
        return 0.0;
    }
    decay.after((now - last) as i64)
}

/// A neuron that spiked lately.
struct Hot {
    neuron: usize,
    /// Step of its last spike.
    last: f64,
    /// Inputs whose spikes arrive in the step that falls on this row, in the order of sending.
    calendar: Vec<Vec<u16>>,
}

/// Spikes under way, and those that have arrived.
pub(super) struct Plastic {
    /// Rows of the calendars: more than the longest delay.
    rows: usize,
    /// The current step's row.
    row: usize,
    hot: Vec<Hot>,
    /// Whether a neuron is hot.
    is_hot: Vec<bool>,
    /// Spikes of the last `rows` steps: step, input.
    under_way: VecDeque<(f64, u16)>,
    /// Steps of each input's spikes during this image, ascending, after the last one before it.
    sent: Vec<Vec<f64>>,
    /// Calendars that are out of use, all empty.
    spare: Vec<Vec<Vec<u16>>>,
}

impl Plastic {
    /// Before an image: nothing is under way.
    pub(super) fn new(kernel: &Kernel, rule: &Rule, synapses: &Synapses) -> Self {
        let mut new = Self {
            rows: kernel.reach,
            row: 0,
            hot: vec![],
            is_hot: vec![false; synapses.n],
            under_way: VecDeque::new(),
            sent: kernel
                .state
                .last_in
                .iter()
                .map(|last| vec![*last])
                .collect(),
            spare: vec![],
        };
        for (j, &last) in kernel.state.last_e.iter().enumerate() {
            if trace(&rule.y1, kernel.state.step, last) >= COLD {
                new.heat(j, last);
            }
        }
        new
    }

    fn heat(&mut self, neuron: usize, last: f64) {
        let empty = || vec![vec![]; self.rows];
        let calendar = self.spare.pop().unwrap_or_else(empty);
        self.is_hot[neuron] = true;
        self.hot.push(Hot {
            neuron,
            last,
            calendar,
        });
    }

    /// An input's spike in the current step.
    pub(super) fn send(&mut self, now: f64, input: u16, synapses: &Synapses) {
        let i = usize::from(input);
        self.sent[i].push(now);
        self.under_way.push_back((now, input));
        let delays = &synapses.delays[i * synapses.n..(i + 1) * synapses.n];
        for hot in &mut self.hot {
            let at = self.row + usize::from(delays[hot.neuron]);
            let at = if at < self.rows { at } else { at - self.rows };
            hot.calendar[at].push(input);
        }
    }

    /// What arrives at hot neurons in the current step; those whose trace has gone turn cold.
    pub(super) fn arrive(
        &mut self,
        now: f64,
        rule: &Rule,
        synapses: &mut Synapses,
        kernel: &mut Kernel,
    ) {
        while let Some(&(sent, _)) = self.under_way.front()
            && now - sent >= self.rows as f64
        {
            self.under_way.pop_front();
        }
        let n = synapses.n;
        let (mut at, row, rows) = (0, self.row, self.rows);
        while at < self.hot.len() {
            let hot = &mut self.hot[at];
            let trace = trace(&rule.y1, now, hot.last);
            if trace < COLD {
                // What is on its way goes back to the common sums.
                for ahead in 0..rows {
                    let list = &mut hot.calendar[(row + ahead) % rows];
                    let arriving = list
                        .drain(..)
                        .map(|i| synapses.weights[usize::from(i) * n + hot.neuron]);
                    let sum = arriving.fold(0.0, |sum, w| sum + w);
                    *kernel.due(hot.neuron, ahead) = sum;
                }
                let hot = self.hot.swap_remove(at);
                self.is_hot[hot.neuron] = false;
                self.spare.push(hot.calendar);
                continue;
            }
            let change = rule.nu_pre * trace;
            let mut sum = 0.0;
            for input in hot.calendar[row].drain(..) {
                let w = &mut synapses.weights[usize::from(input) * n + hot.neuron];
                sum += *w;
                *w = (*w + change).clamp(0.0, 1.0);
            }
            *kernel.due(hot.neuron, 0) = sum;
            at += 1;
        }
    }

    /// A neuron spikes that did so last in step `last`: its weights change by both traces, and it is hot.
    pub(super) fn fire(
        &mut self,
        now: f64,
        neuron: usize,
        last: f64,
        rule: &Rule,
        synapses: &mut Synapses,
    ) {
        let n = synapses.n;
        let gain = rule.nu_post * trace(&rule.y2, now, last);
        if gain != 0.0 {
            for (i, sent) in self.sent.iter().enumerate() {
                let at = i * n + neuron;
                // The last of the input's spikes that has arrived.
                let until = now - f64::from(synapses.delays[at]);
                let Some(&sent) = sent.iter().rev().find(|sent| **sent <= until) else {
                    continue;
                };
                let w = &mut synapses.weights[at];
                *w = (*w + gain * trace(&rule.x, until, sent)).clamp(0.0, 1.0);
            }
        }
        if self.is_hot[neuron] {
            if let Some(hot) = self.hot.iter_mut().find(|hot| hot.neuron == neuron) {
                hot.last = now;
            }
            return;
        }
        self.heat(neuron, now);
        let Some(hot) = self.hot.last_mut() else {
            return;
        };
        for &(sent, input) in &self.under_way {
            let arrives = sent + f64::from(synapses.delays[usize::from(input) * n + neuron]);
            if arrives > now {
                let row = self.row + (arrives - now) as usize;
                hot.calendar[row % self.rows].push(input);
            }
        }
    }

    /// The current step is over.
    pub(super) fn advance(&mut self) {
        self.row = (self.row + 1) % self.rows;
    }

    /// After an image and a rest longer than the delays: of every input's spikes the last is kept.
    pub(super) fn settle(&mut self, last_in: &mut [f64]) {
        for (sent, last) in self.sent.iter_mut().zip(last_in) {
            *last = sent.last().copied().unwrap_or(NEVER);
            sent.clear();
            sent.push(*last);
        }
    }
}
