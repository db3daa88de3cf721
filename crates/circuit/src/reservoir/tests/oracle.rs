//! The plain reservoir: every pair of neurons in every step, literally in the authors' order, with their clocks (time since
//! the last spike, 20 at a sample's beginning, at most 100) and counters.

use std::collections::BTreeMap;

use chiasm_core::Streams;
use rand::Rng as _;

use super::super::wiring::Kind;
use super::super::{Config, Plasticity, Reservoir, Response, Stimuli};

pub(super) struct Plain {
    config: Config,
    n_excitatory: usize,
    /// Source and target of each synapse.
    pairs: Vec<(usize, usize)>,
    w: Vec<f32>,
    v: Vec<f64>,
    since: Vec<f64>,
    rest: Vec<i32>,
    trace: Vec<f32>,
    rate: Vec<f32>,
    a: f64,
    b: f64,
    w_a: f64,
    eta: f64,
    read: Vec<bool>,
}

impl Plain {
    pub(super) fn new(of: &Reservoir) -> Self {
        let config = of.config().clone();
        let n = config.n_neurons + config.n_inputs;
        let first = match config.plasticity {
            Plasticity::Fixed { weight } | Plasticity::Gated { weight, .. } => weight,
            _ => config.w_max,
        };
        let w = of.wiring.signs.iter().map(|s| s * first as f32);
        Self {
            n_excitatory: of.n_excitatory(),
            pairs: of
                .synapses()
                .map(|s| (s.source as usize, s.target as usize))
                .collect(),
            w: w.collect(),
            v: vec![0.0; n],
            since: vec![20.0; n],
            rest: vec![0; n],
            trace: vec![0.0; n],
            rate: vec![0.0; n],
            a: 0.0,
            b: 0.0,
            w_a: 0.0,
            eta: 0.0,
            // The draw is the reservoir's; that it has the right number is another test's.
            read: of.rules.read().to_vec(),
            config,
        }
    }

    pub(super) fn weights(&self) -> &[f32] {
        &self.w
    }

    fn reset(&mut self) {
        self.v.fill(0.0);
        self.since.fill(20.0);
        self.rest.fill(0);
        self.eta = self.config.eta;
        (self.a, self.b) = (self.eta, self.eta);
        self.w_a = match self.config.plasticity {
            Plasticity::Astrocyte { w_a, .. } => w_a,
            _ => 0.0,
        };
    }

    fn kind(&self, i: usize) -> Kind {
        if i >= self.config.n_neurons {
            Kind::Input
        } else if i < self.n_excitatory {
            Kind::Excitatory
        } else {
            Kind::Inhibitory
        }
    }

    fn step(&mut self, events: &BTreeMap<usize, f64>, plastic: bool, decays: bool) -> Vec<usize> {
        let (c, n) = (self.config.clone(), self.v.len());
        let s: Vec<bool> = (0..n)
            .map(|i| self.rest[i] <= 0 && self.v[i] >= c.threshold)
            .collect();
        for i in (0..n).filter(|i| s[*i]) {
            self.v[i] = 0.0;
            self.since[i] = 0.0;
        }
        let mut added = vec![0.0; n];
        for (k, (i, j)) in self.pairs.iter().enumerate() {
            added[*j] += f64::from(self.w[k]) * (-self.since[*i] / c.tau_u_ms).exp() / c.tau_u_ms;
        }
        for (i, v) in self.v.iter_mut().enumerate() {
            let input = i.checked_sub(c.n_neurons).and_then(|i| events.get(&i));
            *v += added[i] + input.unwrap_or(&0.0) * c.input_gain - *v / c.tau_v_ms;
        }
        for (i, spiked) in s.iter().enumerate() {
            self.since[i] = (self.since[i] + 1.0).min(100.0);
            self.rest[i] = if *spiked {
                c.refractory_ms as i32
            } else {
                self.rest[i] - 1
            };
        }
        if plastic {
            self.learn(&s);
            for (trace, s) in self.trace.iter_mut().zip(&s) {
                *trace =
                    c.trace_decay as f32 * (*trace + if *s { c.trace_gain as f32 } else { 0.0 });
            }
            let read = (0..n).filter(|i| s[*i] && self.read[*i]);
            let balance: f64 = read.map(|i| if i < c.n_neurons { 1.0 } else { -1.0 }).sum();
            self.a += (self.w_a * balance + self.b - self.a) / c.tau_a_ms;
        }
        if decays {
            for x in [&mut self.eta, &mut self.a, &mut self.b, &mut self.w_a] {
                *x *= c.feature_decay;
            }
        }
        (0..n).filter(|i| s[*i]).collect()
    }

    fn learn(&mut self, s: &[bool]) {
        let gated = match self.config.plasticity {
            Plasticity::Gated {
                threshold_hz,
                band_hz,
                ..
            } => Some((threshold_hz as f32, band_hz as f32)),
            _ => None,
        };
        for (rate, s) in self.rate.iter_mut().zip(s) {
            *rate = *rate - *rate / 1000.0 + f32::from(u8::from(*s));
        }
        let (eta, a) = (self.eta as f32, self.a as f32);
        let most = self.config.w_max as f32;
        for k in 0..self.pairs.len() {
            let (i, j) = self.pairs[k];
            let kind = self.kind(i);
            let spike = |i: usize| f32::from(u8::from(s[i]));
            let (mut d1, mut d2) = match kind {
                Kind::Inhibitory => (
                    -a * self.trace[i] * spike(j),
                    eta * self.trace[j] * spike(i),
                ),
                _ => (
                    eta * self.trace[i] * spike(j),
                    -a * self.trace[j] * spike(i),
                ),
            };
            if let Some((threshold, band)) = gated {
                let rate = self.rate[j];
                let allow = |d: f32| {
                    let grows = rate > threshold && rate < threshold + band;
                    let shrinks = rate > threshold - band && rate < threshold;
                    if (d > 0.0 && grows) || (d < 0.0 && shrinks) {
                        d
                    } else {
                        0.0
                    }
                };
                (d1, d2) = (allow(d1), allow(d2));
            }
            let w = self.w[k] + d1 + d2;
            self.w[k] = match kind {
                Kind::Excitatory => w.clamp(0.0, most),
                Kind::Inhibitory => w.clamp(-most, 0.0),
                Kind::Input => w.clamp(-most, most),
            };
        }
    }

    fn run(
        &mut self,
        stimuli: &Stimuli,
        sample: usize,
        mut rng: chiasm_core::rng::Rng,
        duration: u32,
        mut step: impl FnMut(&mut Self, &BTreeMap<usize, f64>, u32),
    ) {
        let p = stimuli
            .as_probabilities()
            .expect("probabilities")
            .row(sample)
            .to_owned();
        for t in 0..duration {
            let mut events = BTreeMap::new();
            for (i, p) in p.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                if u64::from(rng.next_u32()) < (f64::from(*p) * 4_294_967_296.0) as u64 {
                    events.insert(i, 1.0);
                }
            }
            step(self, &events, t);
        }
    }

    pub(super) fn initialize(&mut self, stimuli: &Stimuli, order: &[usize], streams: &Streams) {
        for (k, &sample) in order.iter().enumerate() {
            self.reset();
            let rng = streams.indexed("initial", k);
            self.run(
                stimuli,
                sample,
                rng,
                self.config.initial_ms,
                |plain, events, _| {
                    plain.step(events, true, false);
                },
            );
        }
    }

    pub(super) fn respond(
        &mut self,
        stimuli: &Stimuli,
        sample: usize,
        streams: &Streams,
        weights: &[f32],
    ) -> Response {
        self.reset();
        self.trace.fill(0.0);
        self.w.copy_from_slice(weights);
        let plastic = self.config.plastic_features();
        let n = self.config.n_neurons;
        let (mut spikes, mut input_spikes, mut astrocyte) = (vec![], vec![], vec![]);
        let rng = streams.indexed("input", sample);
        self.run(
            stimuli,
            sample,
            rng,
            self.config.sample_ms,
            |plain, events, t| {
                for i in plain.step(events, plastic, plastic) {
                    if i < n {
                        spikes.push((t, i as u32));
                    } else {
                        input_spikes.push((t, (i - n) as u32));
                    }
                }
                astrocyte.push(plain.a);
            },
        );
        Response {
            counts: vec![],
            spikes,
            input_spikes,
            astrocyte,
            weights: self.w.clone(),
        }
    }
}
