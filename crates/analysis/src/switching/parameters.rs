//! What is trained, as one vector; how it becomes weights; and how a gradient by the weights becomes one by the vector.
//! Gradients are worked out by hand and compared with finite differences in the tests.

use chiasm_core::Rng;
use ndarray::{Array3, s};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::config::{Bias, Coupling, Diagonal, SwitchingGlm, TypePrior};

/// Log-probabilities below this stall training: the logits they come from are halved (paper's code).
const STALLED: f64 = -20.0;

/// The parameters of one model, and which part of the vector is what.
#[derive(Debug, Clone)]
pub(super) struct Parameters {
    /// All parameters: biases, couplings, own-history weights, prior logits, kernel logits.
    pub(super) values: Vec<f64>,
    pub(super) coupling: Coupling,
    n_states: usize,
    n_units: usize,
    bias: Bias,
    diagonal: Diagonal,
    prior_sd: f64,
    type_prior: TypePrior,
    type_prior_weight: f64,
    none_states: f64,
    temperature: f64,
    /// Where each part starts: couplings, strengths, own-history weights, prior logits, kernel logits, end.
    at: [usize; 6],
}

/// Relaxed types of all couplings, `[state, to, from, type]`, with the noise already in them.
pub(super) struct Types(Vec<[f64; 3]>);

pub(super) fn softplus(q: f64) -> f64 {
    q.max(0.0) + (-q.abs()).exp().ln_1p()
}

fn sigmoid(q: f64) -> f64 {
    1.0 / (1.0 + (-q).exp())
}

/// The q of this softplus, which is above 0.
fn unsoft(y: f64) -> f64 {
    if y > 30.0 { y } else { y.exp_m1().ln() }
}

fn softmax(z: [f64; 3]) -> [f64; 3] {
    let largest = z[0].max(z[1]).max(z[2]);
    let e = z.map(|v| (v - largest).exp());
    let sum = e[0] + e[1] + e[2];
    e.map(|v| v / sum)
}

fn log_softmax(z: [f64; 3]) -> [f64; 3] {
    let largest = z[0].max(z[1]).max(z[2]);
    let log = largest + z.iter().map(|v| (v - largest).exp()).sum::<f64>().ln();
    z.map(|v| v - log)
}

/// The first of the largest: inhibitory 0, none 1, excitatory 2.
fn arg_max(z: [f64; 3]) -> usize {
    let first = if z[1] > z[0] { 1 } else { 0 };
    if z[2] > z[first] { 2 } else { first }
}

impl Parameters {
    fn empty(config: &SwitchingGlm, coupling: Coupling, n_units: usize) -> Self {
        let (s, n) = (config.states, n_units);
        let one_hot = coupling == Coupling::OneHot;
        let biases = if config.bias == Bias::Shared {
            n
        } else {
            s * n
        };
        let own = match config.diagonal {
            Diagonal::Coupled | Diagonal::Zero => 0,
            Diagonal::Shared => n,
            Diagonal::PerState => s * n,
        };
        let pairs = n * n;
        let sizes = [
            biases,
            s * pairs * if one_hot { 3 } else { 1 },
            if one_hot { s * pairs } else { 0 },
            own,
            if one_hot { pairs * 3 } else { 0 },
            if config.learn_kernel {
                config.history_bins
            } else {
                0
            },
        ];
        let mut at = [0; 6];
        let mut end = 0;
        for (a, size) in at.iter_mut().zip(sizes) {
            end += size;
            *a = end;
        }
        Self {
            values: vec![0.0; end],
            coupling,
            n_states: s,
            n_units: n,
            bias: config.bias,
            diagonal: config.diagonal,
            prior_sd: config.prior_sd,
            type_prior: config.type_prior,
            type_prior_weight: config.type_prior_weight,
            none_states: config.none_states,
            temperature: config.temperature,
            at,
        }
    }

    /// A random start: small normal weights, or types without preference.
    pub(super) fn random(
        config: &SwitchingGlm,
        coupling: Coupling,
        bias: &[f64],
        rng: &mut Rng,
    ) -> Self {
        let mut start = Self::empty(config, coupling, bias.len());
        for (k, v) in start.values[..start.at[0]].iter_mut().enumerate() {
            *v = bias[k % bias.len()];
        }
        let mut normal = || -> f64 {
            let z: f64 = StandardNormal.sample(rng);
            config.start_sd * z
        };
        for k in start.at[0]..start.at[1] {
            start.values[k] = normal();
        }
        if coupling == Coupling::OneHot {
            // Strengths about 0.3, so that types have something to choose about.
            for k in start.at[1]..start.at[2] {
                start.values[k] = unsoft(0.3) + normal();
            }
        }
        start.set_kernel(config);
        start
    }

    fn set_kernel(&mut self, config: &SwitchingGlm) {
        if config.learn_kernel {
            let lags = config.lags();
            for (v, w) in self.values[self.at[4]..].iter_mut().zip(lags) {
                *v = w.max(1e-12).ln();
            }
        }
    }

    /// One-hot parameters that start at fitted weights: logits (-4w, 1 - 4|w|, 4w), strengths of at least 0.3.
    pub(super) fn one_hot_from(config: &SwitchingGlm, fitted: &Self) -> Self {
        let mut start = Self::empty(config, Coupling::OneHot, fitted.n_units);
        start.values[..start.at[0]].copy_from_slice(&fitted.values[..fitted.at[0]]);
        let weights = &fitted.values[fitted.at[0]..fitted.at[1]];
        let n_pairs = start.n_units * start.n_units;
        for (k, &w) in weights.iter().enumerate() {
            let logits = [-4.0 * w, 1.0 - 4.0 * w.abs(), 4.0 * w];
            let at = start.at[0] + 3 * k;
            start.values[at..at + 3].copy_from_slice(&logits);
            start.values[start.at[1] + k] = unsoft(w.abs().max(0.3));
        }
        // The prior starts at its maximiser: the mean over states, those without a coupling among them.
        let n_states = start.n_states as f64 + config.none_states;
        for pair in 0..n_pairs {
            let mut mean = [0.0, config.none_states / n_states, 0.0];
            for state in 0..start.n_states {
                let p = softmax(start.logits(state * n_pairs + pair));
                for (m, p) in mean.iter_mut().zip(p) {
                    *m += p / n_states;
                }
            }
            let at = start.at[3] + 3 * pair;
            for (v, m) in start.values[at..at + 3].iter_mut().zip(mean) {
                *v = m.max(1e-6).ln();
            }
        }
        let (own, theirs) = (start.at[2]..start.at[3], fitted.at[2]..fitted.at[3]);
        start.values[own].copy_from_slice(&fitted.values[theirs]);
        let (kernel, theirs) = (start.at[4]..start.at[5], fitted.at[4]..fitted.at[5]);
        start.values[kernel].copy_from_slice(&fitted.values[theirs]);
        start
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Type logits of coupling `k = (state, to, from)`.
    fn logits(&self, k: usize) -> [f64; 3] {
        let at = self.at[0] + 3 * k;
        [self.values[at], self.values[at + 1], self.values[at + 2]]
    }

    fn prior_logits(&self, pair: usize) -> [f64; 3] {
        let at = self.at[3] + 3 * pair;
        [self.values[at], self.values[at + 1], self.values[at + 2]]
    }

    fn is_free_of_coupling(&self, pair: usize) -> bool {
        self.diagonal != Diagonal::Coupled && pair / self.n_units == pair % self.n_units
    }

    /// Relaxed types with Gumbel noise: softmax((logits + noise) / temperature).
    pub(super) fn sampled(&self, rng: &mut Rng) -> Option<Types> {
        if self.coupling != Coupling::OneHot {
            return None;
        }
        let n = self.n_states * self.n_units * self.n_units;
        let types = (0..n).map(|k| {
            let z = self.logits(k).map(|l| {
                let u: f64 = rng.random::<f64>().max(1e-300);
                (l - (-u.ln()).ln()) / self.temperature
            });
            softmax(z)
        });
        Some(Types(types.collect()))
    }

    /// Types of the couplings, `[state, to, from]`: -1, 0, 1; `None` where couplings have no types.
    pub(super) fn types(&self) -> Option<Array3<i8>> {
        let (s, n) = (self.n_states, self.n_units);
        (self.coupling == Coupling::OneHot).then(|| {
            Array3::from_shape_fn((s, n, n), |(s, i, j)| {
                let pair = i * n + j;
                if self.is_free_of_coupling(pair) {
                    0
                } else {
                    arg_max(self.logits(s * n * n + pair)) as i8 - 1
                }
            })
        })
    }

    /// The common prior of the types, `[to, from, type]` (inhibitory, none, excitatory).
    pub(super) fn prior(&self) -> Option<Array3<f64>> {
        let n = self.n_units;
        (self.coupling == Coupling::OneHot).then(|| {
            Array3::from_shape_fn((n, n, 3), |(i, j, k)| {
                softmax(self.prior_logits(i * n + j))[k]
            })
        })
    }

    /// Strengths of the couplings, `[state, to, from]`.
    pub(super) fn strengths(&self) -> Option<Array3<f64>> {
        let (s, n) = (self.n_states, self.n_units);
        (self.coupling == Coupling::OneHot).then(|| {
            Array3::from_shape_fn((s, n, n), |(s, i, j)| {
                softplus(self.values[self.at[1] + (s * n + i) * n + j])
            })
        })
    }

    /// Weights of the lags; `None` where they are fixed.
    pub(super) fn kernel(&self) -> Option<Vec<f64>> {
        let logits = &self.values[self.at[4]..self.at[5]];
        if logits.is_empty() {
            return None;
        }
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let e: Vec<f64> = logits.iter().map(|l| (l - largest).exp()).collect();
        let sum: f64 = e.iter().sum();
        Some(e.into_iter().map(|v| v / sum).collect())
    }

    /// Weights `[state, to, from + bias]`: with relaxed types where they are given, else with the likeliest.
    pub(super) fn weights(&self, types: Option<&Types>) -> Array3<f64> {
        let (n_states, n) = (self.n_states, self.n_units);
        let mut weights = Array3::zeros((n_states, n, n + 1));
        for state in 0..n_states {
            for i in 0..n {
                for j in 0..n {
                    let pair = i * n + j;
                    let k = state * n * n + pair;
                    weights[[state, i, j]] = if self.is_free_of_coupling(pair) {
                        self.own(state, i)
                    } else if self.coupling == Coupling::OneHot {
                        let sign = match types {
                            Some(types) => types.0[k][2] - types.0[k][0],
                            None => arg_max(self.logits(k)) as f64 - 1.0,
                        };
                        sign * softplus(self.values[self.at[1] + k])
                    } else {
                        self.values[self.at[0] + k]
                    };
                }
                weights[[state, i, n]] = match self.bias {
                    Bias::Shared => self.values[i],
                    Bias::PerState => self.values[state * n + i],
                };
            }
        }
        weights
    }

    fn own(&self, state: usize, i: usize) -> f64 {
        match self.diagonal {
            Diagonal::Coupled | Diagonal::Zero => 0.0,
            Diagonal::Shared => self.values[self.at[2] + i],
            Diagonal::PerState => self.values[self.at[2] + state * self.n_units + i],
        }
    }

    /// The gradient by the parameters, from that by the weights (at the same types) and by the lags' weights, with that
    /// of the prior added.
    pub(super) fn gradient(
        &self,
        types: Option<&Types>,
        by_weight: &Array3<f64>,
        by_lag: &[f64],
    ) -> Vec<f64> {
        let (n_states, n) = (self.n_states, self.n_units);
        let mut out = vec![0.0; self.len()];
        for state in 0..n_states {
            for i in 0..n {
                let of_bias = by_weight[[state, i, n]];
                match self.bias {
                    Bias::Shared => out[i] += of_bias,
                    Bias::PerState => out[state * n + i] += of_bias,
                }
                for j in 0..n {
                    let pair = i * n + j;
                    let k = state * n * n + pair;
                    let g = by_weight[[state, i, j]];
                    if self.is_free_of_coupling(pair) {
                        match self.diagonal {
                            Diagonal::Coupled | Diagonal::Zero => {}
                            Diagonal::Shared => out[self.at[2] + i] += g,
                            Diagonal::PerState => out[self.at[2] + state * n + i] += g,
                        }
                    } else if let Some(types) = types {
                        self.through_types(k, types.0[k], g, &mut out);
                    } else {
                        out[self.at[0] + k] += g;
                    }
                }
            }
        }
        if let Some(kernel) = self.kernel() {
            let mean: f64 = kernel.iter().zip(by_lag).map(|(p, g)| p * g).sum();
            for (k, p) in kernel.iter().enumerate() {
                out[self.at[4] + k] += p * (by_lag[k] - mean);
            }
        }
        self.prior_term(types, Some(&mut out));
        out
    }

    /// Through weight = (excitatory - inhibitory) x softplus(q).
    fn through_types(&self, k: usize, a: [f64; 3], g: f64, out: &mut [f64]) {
        let q = self.values[self.at[1] + k];
        out[self.at[1] + k] += g * (a[2] - a[0]) * sigmoid(q);
        let h = [-g * softplus(q), 0.0, g * softplus(q)];
        self.through_softmax(k, a, h, out);
    }

    /// From a derivative by the relaxed types to one by their logits.
    fn through_softmax(&self, k: usize, a: [f64; 3], h: [f64; 3], out: &mut [f64]) {
        let mean = a[0] * h[0] + a[1] * h[1] + a[2] * h[2];
        for c in 0..3 {
            out[self.at[0] + 3 * k + c] += a[c] * (h[c] - mean) / self.temperature;
        }
    }

    /// The prior's part of the objective; its gradient is added to `out`. Without relaxed types the term is that of
    /// the types' distribution.
    pub(super) fn prior_term(&self, types: Option<&Types>, out: Option<&mut Vec<f64>>) -> f64 {
        match self.coupling {
            Coupling::Free => 0.0,
            Coupling::Gaussian => self.gaussian_term(out),
            Coupling::OneHot => self.type_term(types, out),
        }
    }

    /// sum over states of log N(W; mean over states, sd): the mean is its own maximiser, so that it adds no gradient.
    fn gaussian_term(&self, mut out: Option<&mut Vec<f64>>) -> f64 {
        let n_pairs = self.n_units * self.n_units;
        let precision = self.prior_sd.powi(-2);
        let log_norm = -self.prior_sd.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
        let mut term = 0.0;
        for pair in (0..n_pairs).filter(|p| !self.is_free_of_coupling(*p)) {
            let at = |state: usize| self.at[0] + state * n_pairs + pair;
            let sum: f64 = (0..self.n_states).map(|s| self.values[at(s)]).sum();
            let mean = sum / self.n_states as f64;
            for state in 0..self.n_states {
                let off = self.values[at(state)] - mean;
                term += log_norm - 0.5 * precision * off * off;
                if let Some(out) = out.as_deref_mut() {
                    out[at(state)] -= precision * off;
                }
            }
        }
        term
    }

    fn type_term(&self, types: Option<&Types>, mut out: Option<&mut Vec<f64>>) -> f64 {
        let n_pairs = self.n_units * self.n_units;
        let weight = self.type_prior_weight;
        let mut term = 0.0;
        for pair in (0..n_pairs).filter(|p| !self.is_free_of_coupling(*p)) {
            let log_p = log_softmax(self.prior_logits(pair));
            let p = log_p.map(f64::exp);
            let prior_at = self.at[3] + 3 * pair;
            term += weight * self.none_states * log_p[1];
            if let Some(out) = out.as_deref_mut() {
                for c in 0..3 {
                    let here = if c == 1 { 1.0 } else { 0.0 };
                    out[prior_at + c] += weight * self.none_states * (here - p[c]);
                }
            }
            for state in 0..self.n_states {
                let k = state * n_pairs + pair;
                let (kind, a) = match types {
                    Some(types) => (self.type_prior, types.0[k]),
                    None => (TypePrior::Divergence, [0.0; 3]),
                };
                // The derivative by log p, and by the relaxed types or the logits.
                let by_log_p = match kind {
                    TypePrior::Divergence => {
                        let log_a = log_softmax(self.logits(k));
                        let a = log_a.map(f64::exp);
                        let divergence: f64 = (0..3).map(|c| a[c] * (log_a[c] - log_p[c])).sum();
                        term -= weight * divergence;
                        if let Some(out) = out.as_deref_mut() {
                            for c in 0..3 {
                                let slope = a[c] * (log_a[c] - log_p[c] - divergence);
                                out[self.at[0] + 3 * k + c] -= weight * slope;
                            }
                        }
                        a
                    }
                    TypePrior::Categorical => {
                        term += weight * (0..3).map(|c| a[c] * log_p[c]).sum::<f64>();
                        if let Some(out) = out.as_deref_mut() {
                            self.through_softmax(k, a, log_p.map(|l| weight * l), out);
                        }
                        a
                    }
                    TypePrior::GumbelSoftmax => {
                        let (value, by_log_a, by_log_p) =
                            gumbel_softmax_density(a, log_p, self.temperature);
                        term += weight * value;
                        if let Some(out) = out.as_deref_mut() {
                            let sum: f64 = by_log_a.iter().sum();
                            for c in 0..3 {
                                out[self.at[0] + 3 * k + c] +=
                                    weight * (by_log_a[c] - a[c] * sum) / self.temperature;
                            }
                        }
                        by_log_p
                    }
                };
                if let Some(out) = out.as_deref_mut() {
                    let sum: f64 = by_log_p.iter().sum();
                    for c in 0..3 {
                        out[prior_at + c] += weight * (by_log_p[c] - p[c] * sum);
                    }
                }
            }
        }
        term
    }

    /// Halves logits that have run so far that their gradient is gone (paper's code).
    pub(super) fn unstall(&mut self) {
        if self.coupling != Coupling::OneHot {
            return;
        }
        for part in [self.at[0]..self.at[1], self.at[3]..self.at[4]] {
            for z in self.values[part].chunks_exact_mut(3) {
                if log_softmax([z[0], z[1], z[2]]).iter().any(|l| *l < STALLED) {
                    z.iter_mut().for_each(|v| *v *= 0.5);
                }
            }
        }
    }

    /// The range of a state's couplings in the vector, for tests.
    #[cfg(test)]
    pub(super) fn coupling_range(&self) -> std::ops::Range<usize> {
        self.at[0]..self.at[1]
    }
}

/// log density of relaxed types a under log p at temperature t, and its derivatives by log a and by log p:
/// ln 2 + 2 ln t - 3 logsumexp(log p - t log a) + sum (log p - (t + 1) log a).
fn gumbel_softmax_density(a: [f64; 3], log_p: [f64; 3], t: f64) -> (f64, [f64; 3], [f64; 3]) {
    let log_a = a.map(|v| v.max(1e-300).ln());
    let z: [f64; 3] = std::array::from_fn(|c| log_p[c] - t * log_a[c]);
    let largest = z[0].max(z[1]).max(z[2]);
    let total = largest + z.iter().map(|v| (v - largest).exp()).sum::<f64>().ln();
    let r = z.map(|v| (v - total).exp());
    let value = 2f64.ln() + 2.0 * t.ln() - 3.0 * total
        + (0..3).map(|c| log_p[c] - (t + 1.0) * log_a[c]).sum::<f64>();
    (
        value,
        r.map(|v| 3.0 * t * v - (t + 1.0)),
        r.map(|v| 1.0 - 3.0 * v),
    )
}

/// Weights `[state, to, from + bias]` parted into weights and biases.
pub(super) fn parted(weights: &Array3<f64>) -> (Array3<f64>, ndarray::Array2<f64>) {
    let n = weights.dim().1;
    (
        weights.slice(s![.., .., ..n]).to_owned(),
        weights.slice(s![.., .., n]).to_owned(),
    )
}
