//! Training by rates (differentiation on spike representation): spikes forward, back the derivative of what the neurons do
//! to weighted rates.
//!
//! A neuron follows `V = beta V + (1 - beta) x_t`, spikes where `V >= alpha V_th`, and then gives `V_th` off; its output is
//! `V_th / dt`, with times in units of its time constant and `beta = exp(-dt)`. Rates are weighted towards the end,
//! `r = sum_t w_t s_t / sum_t w_t` with `w_t = exp(-(T - t) dt)`, under which `r_out` is nearly `clamp(r_in, 0, V_th / dt)`:
//! its derivative is that of the clamp.

use chiasm_core::vectorized;
use ndarray::{Array2, ArrayView2, Axis};

use super::network::{Local, Network, Pass, cross_entropy};
use crate::Real;
use crate::continual::arrays::product;

/// A batch forward.
pub(super) struct Forward<T> {
    /// Weighted rate of each layer's inputs, `[sample, input]`.
    pre: Vec<Array2<T>>,
    /// Weighted rate of each hidden layer's sums, `[sample, unit]`.
    sums: Vec<Array2<T>>,
    pub(super) scores: Array2<T>,
}

/// Neurons of one layer.
struct Neurons<T> {
    beta: T,
    threshold: T,
    spike_at: T,
    output: T,
    /// `w_t`, which sum up to 1.
    weights: Vec<T>,
}

impl<T: Real> Neurons<T> {
    fn of(network: &Network<T>, layer: usize) -> Self {
        let settings = &network.layers;
        let n = settings.n_steps();
        let weight = |t: usize| (-((n - 1 - t) as f64) * settings.step).exp();
        let sum: f64 = (0..n).map(weight).sum();
        let threshold = network.thresholds[layer];
        Self {
            beta: T::of((-settings.step).exp()),
            threshold,
            spike_at: T::of(settings.spike_at) * threshold,
            output: threshold / T::of(settings.step),
            weights: (0..n).map(|t| T::of(weight(t) / sum)).collect(),
        }
    }

    /// Spikes of one step: potentials `v`, sums `x`, outputs `out`, rates so far `rate`.
    #[inline(always)]
    fn step(&self, t: usize, v: &mut [T], x: &[T], out: &mut [T], rate: &mut [T]) {
        let (input, weight) = (T::one() - self.beta, self.weights[t]);
        for (((v, x), out), rate) in v.iter_mut().zip(x).zip(out).zip(rate) {
            let next = self.beta * *v + input * *x;
            let spike = if next >= self.spike_at {
                T::one()
            } else {
                T::zero()
            };
            *v = next - spike * self.threshold;
            *out = spike * self.output;
            *rate += weight * *out;
        }
    }
}

pub(super) fn forward<T: Real>(network: &Network<T>, x: ArrayView2<'_, T>) -> Forward<T> {
    let n_steps = network.layers.n_steps();
    let (samples, n_layers) = (x.nrows(), network.weights.len());
    let (mut pre, mut sums) = (vec![x.to_owned()], vec![]);
    // Spikes of the layer before, step by step, `[step and sample, unit]`; the inputs are the same at every step.
    let mut before: Option<Array2<T>> = None;
    for layer in 0..n_layers - 1 {
        let neurons = Neurons::of(network, layer);
        let weights = network.weights[layer].t();
        let units = weights.ncols();
        let driven = match &before {
            None => product(x, weights),
            Some(spikes) => product(spikes.view(), weights),
        };
        let per_step = samples * units;
        // Of the last hidden layer the rates are enough.
        let kept = if layer + 2 < n_layers { n_steps } else { 1 };
        let mut spikes = Array2::zeros((kept * samples, units));
        let mut rate = Array2::zeros((samples, units));
        let mut sum = Array2::zeros((samples, units));
        let mut potential = vec![T::zero(); per_step];
        let constant = before.is_none();
        // All four are in row order, as they were just made.
        let made = (
            spikes.as_slice_mut(),
            rate.as_slice_mut(),
            sum.as_slice_mut(),
        );
        if let ((Some(spikes), Some(rate), Some(sum)), Some(driven)) = (made, driven.as_slice()) {
            vectorized(
                #[inline(always)]
                || {
                    for t in 0..n_steps {
                        let of = |step: usize| step * per_step..(step + 1) * per_step;
                        let x = &driven[of(if constant { 0 } else { t })];
                        let out = &mut spikes[of(t % kept)];
                        neurons.step(t, &mut potential, x, out, rate);
                        let weight = neurons.weights[t];
                        for (sum, x) in sum.iter_mut().zip(x) {
                            *sum += weight * *x;
                        }
                    }
                },
            );
        }
        before = Some(spikes);
        pre.push(rate);
        sums.push(sum);
    }
    // The head sums up: its weighted rate is that of its inputs times its weights.
    let scores = product(pre[n_layers - 1].view(), network.weights[n_layers - 1].t());
    Forward { pre, sums, scores }
}

pub(super) fn pass<T: Real>(
    network: &Network<T>,
    x: ArrayView2<'_, T>,
    labels: &[usize],
) -> Pass<T> {
    let Forward { pre, sums, scores } = forward(network, x);
    let (loss, mut delta) = cross_entropy(&scores, labels);
    let step = T::of(network.layers.step);
    let mut thresholds = vec![T::zero(); sums.len()];
    let mut layers = Vec::with_capacity(pre.len());
    for (layer, pre) in pre.into_iter().enumerate().rev() {
        let below = (layer > 0).then(|| {
            let mut back = network.back(layer, delta.view());
            let most = network.thresholds[layer - 1] / step;
            let mut saturated = T::zero();
            for (mut back, sums) in back.axis_iter_mut(Axis(0)).zip(sums[layer - 1].rows()) {
                for (g, sum) in back.iter_mut().zip(sums) {
                    if *sum > most {
                        saturated += *g;
                    }
                    if !(*sum > T::zero() && *sum < most) {
                        *g = T::zero();
                    }
                }
            }
            // The authors' code has the step where the clamp's derivative has one over it: thresholds move slowly.
            thresholds[layer - 1] = step * saturated;
            back
        });
        layers.push(Local { pre, delta });
        match below {
            Some(back) => delta = back,
            None => break,
        }
    }
    layers.reverse();
    Pass {
        loss,
        layers,
        thresholds,
    }
}
