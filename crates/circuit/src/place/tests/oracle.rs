//! The plain module: one neuron, one synapse and one event at a time, as the authors' equations read. Slow, and the
//! standard that the kernel must meet spike by spike.

use crate::place::kernel::State;
use crate::place::plastic::COLD;
use crate::place::synapses::Synapses;
use crate::place::{Conductances, Config};

/// A trace that is set to 1 by an event and decays: its last event, in steps.
type Last = Option<i64>;

pub(super) struct Oracle {
    config: Config,
    pub(super) synapses: Synapses,
    pub(super) now: i64,
    pub(super) v_e: Vec<f64>,
    pub(super) ge_e: Vec<f64>,
    pub(super) gi_e: Vec<f64>,
    v_i: Vec<f64>,
    ge_i: Vec<f64>,
    /// Last spikes.
    e: Vec<Last>,
    i: Vec<Last>,
    /// Last arrival at each synapse.
    x: Vec<Last>,
    /// All spikes of each input so far.
    sent: Vec<(i64, usize)>,
}

impl Oracle {
    pub(super) fn new(synapses: &Synapses, config: &Config) -> Self {
        let (n, state) = (synapses.n, State::start(synapses.n_in, synapses.n));
        Self {
            config: config.clone(),
            synapses: synapses.clone(),
            now: 0,
            v_e: state.v_e,
            ge_e: vec![0.0; n],
            gi_e: vec![0.0; n],
            v_i: state.v_i,
            ge_i: vec![0.0; n],
            e: vec![None; n],
            i: vec![None; n],
            x: vec![None; synapses.n_in * n],
            sent: vec![],
        }
    }

    fn ms(&self, steps: i64) -> f64 {
        steps as f64 * self.config.dt_ms
    }

    fn trace(&self, last: Last, tau_ms: f64) -> f64 {
        last.map_or(0.0, |last| (-self.ms(self.now - last) / tau_ms).exp())
    }

    /// What is left of a conductance, and what the membrane sees of it.
    fn decay(&self, tau_ms: f64) -> (f64, f64) {
        let x = self.config.dt_ms / tau_ms;
        match self.config.conductances {
            Conductances::Euler => (1.0 - x, 1.0),
            Conductances::Exact => ((-x).exp(), (1.0 - (-x).exp()) / x),
        }
    }

    /// One step, in which these inputs spike; the excitatory neurons that spike.
    pub(super) fn step(&mut self, inputs: &[usize], plastic: bool) -> Vec<usize> {
        let (n, dt, now) = (self.synapses.n, self.config.dt_ms, self.now);
        let ((ge_left, ge_seen), (gi_left, gi_seen)) =
            (self.decay(1.0), self.decay(self.config.tau_gi_ms));
        // 1. Integrate.
        for j in 0..n {
            let since = |last: Last| last.map_or(f64::INFINITY, |l| dt * (now - l) as f64);
            if since(self.e[j]) + 1e-9 >= 5.0 {
                let (v, ge, gi) = (self.v_e[j], self.ge_e[j] * ge_seen, self.gi_e[j] * gi_seen);
                self.v_e[j] += dt / 100.0 * ((-65.0 - v) + ge * (0.0 - v) + gi * (-100.0 - v));
            }
            if since(self.i[j]) + 1e-9 >= 2.0 {
                let (v, ge) = (self.v_i[j], self.ge_i[j] * ge_seen);
                self.v_i[j] += dt / 10.0 * ((-60.0 - v) + ge * (0.0 - v));
            }
            self.ge_e[j] *= ge_left;
            self.gi_e[j] *= gi_left;
            self.ge_i[j] *= ge_left;
            if plastic {
                self.synapses.theta[j] *= self.decay(self.config.tau_theta_ms).0;
            }
        }
        // 2. Spikes.
        let late = |last: Last, ms: f64| last.is_none_or(|l| self.ms(now - l) > ms + 1e-9);
        let theta = &self.synapses.theta;
        let fired_e: Vec<usize> = (0..n)
            .filter(|j| self.v_e[*j] > theta[*j] - 72.0)
            .filter(|j| late(self.e[*j], self.config.min_isi_ms))
            .filter(|j| late(self.e[*j], 5.0 - dt))
            .collect();
        let fired_i: Vec<usize> = (0..n)
            .filter(|j| self.v_i[*j] > -40.0 && late(self.i[*j], 2.0 - dt))
            .collect();
        // 3. Arrivals.
        for &j in &fired_e {
            self.ge_i[j] += self.config.w_ei;
        }
        for &k in &fired_i {
            for j in (0..n).filter(|j| *j != k) {
                self.gi_e[j] += self.config.w_ie;
            }
        }
        self.sent.extend(inputs.iter().map(|i| (now, *i)));
        let mut sums = vec![0.0; n];
        for &(sent, i) in &self.sent {
            for (j, sum) in sums.iter_mut().enumerate() {
                let at = i * n + j;
                if sent + i64::from(self.synapses.delays[at]) == now {
                    let y1 = self.trace(self.e[j], 20.0);
                    let y1 = if y1 < COLD { 0.0 } else { y1 };
                    *sum += self.synapses.weights[at];
                    self.x[at] = Some(now);
                    if plastic && y1 > 0.0 {
                        let w = &mut self.synapses.weights[at];
                        *w = (*w + self.config.nu_pre * y1).clamp(0.0, 1.0);
                    }
                }
            }
        }
        for (ge, sum) in self.ge_e.iter_mut().zip(&sums) {
            *ge += sum;
        }
        // 4. Spikes change weights, and reset.
        for &j in &fired_e {
            let y2 = self.trace(self.e[j], 40.0);
            for i in 0..self.synapses.n_in {
                let x = self.trace(self.x[i * n + j], 20.0);
                if plastic && y2 > 0.0 {
                    let w = &mut self.synapses.weights[i * n + j];
                    *w = (*w + self.config.nu_post * x * y2).clamp(0.0, 1.0);
                }
            }
            self.e[j] = Some(now);
            self.v_e[j] = -65.0;
            if plastic {
                self.synapses.theta[j] += self.config.theta_plus_mv;
            }
        }
        for &j in &fired_i {
            self.i[j] = Some(now);
            self.v_i[j] = -45.0;
        }
        self.now += 1;
        fired_e
    }
}
