//! Training step by step: back through time with a surrogate slope (`bptt`), or forward in time with traces (`ottt`).
//!
//! A neuron follows `v = (1 - 1/tau) v + x_t`, spikes where `v >= 1`, and then `v -= 1`. Back, the slope of a spike is that of
//! `sigmoid(slope (v - 1))`, and the reset counts as constant. Forward in time the gradient at a step is `delta_t' a_t`,
//! where the trace `a_t = (1 - 1/tau) a_{t-1} + s_t` of the presynaptic spikes stands for the way back (of the network's
//! inputs themselves there is no trace, as in the authors' code), and the loss is taken at every step.

use ndarray::{Array2, ArrayView2, Axis, s};

use super::network::{Local, Network, Pass, cross_entropy};
use crate::Real;
use crate::continual::arrays::product;

/// The steps of one hidden layer, each `[step and sample, unit]`.
struct Seen<T> {
    /// Potentials before the reset, less the threshold.
    above: Array2<T>,
    spikes: Array2<T>,
}

fn forward<T: Real>(network: &Network<T>, x: ArrayView2<'_, T>) -> Vec<Seen<T>> {
    let n_steps = network.layers.n_steps();
    let samples = x.nrows();
    let stays = T::of(1.0 - 1.0 / network.layers.tau);
    let mut seen: Vec<Seen<T>> = vec![];
    for weights in &network.weights[..network.weights.len() - 1] {
        let driven = match seen.last() {
            None => product(x, weights.t()),
            Some(before) => product(before.spikes.view(), weights.t()),
        };
        let units = weights.nrows();
        let mut v = Array2::<T>::zeros((samples, units));
        let mut above = Array2::zeros((n_steps * samples, units));
        let mut spikes = Array2::zeros((n_steps * samples, units));
        for t in 0..n_steps {
            let of = t * samples..(t + 1) * samples;
            let first = if seen.is_empty() { 0 } else { t * samples };
            let x = driven.slice(s![first..first + samples, ..]);
            ndarray::azip!((
                v in &mut v,
                above in above.slice_mut(s![of.clone(), ..]),
                spike in spikes.slice_mut(s![of, ..]),
                x in x
            ) {
                let next = stays * *v + *x;
                *above = next - T::one();
                *spike = if *above >= T::zero() { T::one() } else { T::zero() };
                *v = next - *spike;
            });
        }
        seen.push(Seen { above, spikes });
    }
    seen
}

/// Mean over the steps of a matrix `[step and sample, unit]`.
fn over_steps<T: Real>(x: &Array2<T>, n_steps: usize) -> Array2<T> {
    let samples = x.nrows() / n_steps.max(1);
    let mut mean = Array2::zeros((samples, x.ncols()));
    for chunk in x.axis_chunks_iter(Axis(0), samples.max(1)) {
        mean += &chunk;
    }
    mean / T::of(n_steps as f64)
}

/// Mean over the steps of the head's sums.
pub(super) fn scores<T: Real>(network: &Network<T>, x: ArrayView2<'_, T>) -> Array2<T> {
    let n_steps = network.layers.n_steps();
    let seen = forward(network, x);
    let head = &network.weights[network.weights.len() - 1];
    match seen.last() {
        Some(last) => product(over_steps(&last.spikes, n_steps).view(), head.t()),
        None => product(x, head.t()),
    }
}

/// The same matrix once for each step.
fn repeated<T: Real>(x: &Array2<T>, n_steps: usize) -> Array2<T> {
    let samples = x.nrows();
    let mut all = Array2::zeros((n_steps * samples, x.ncols()));
    for mut chunk in all.axis_chunks_iter_mut(Axis(0), samples.max(1)) {
        chunk.assign(x);
    }
    all
}

pub(super) fn pass<T: Real>(
    network: &Network<T>,
    x: ArrayView2<'_, T>,
    labels: &[usize],
    through_time: bool,
) -> Pass<T> {
    let n_steps = network.layers.n_steps();
    let seen = forward(network, x);
    let top = network.weights.len() - 1;
    let head = &network.weights[top];
    let last = &seen[top - 1].spikes;
    let per_step = T::of(1.0 / n_steps as f64);
    let (loss, mut delta) = if through_time {
        let scores = product(over_steps(last, n_steps).view(), head.t());
        let (loss, delta) = cross_entropy(&scores, labels);
        (loss, repeated(&(delta * per_step), n_steps))
    } else {
        let scores = product(last.view(), head.t());
        // The loss of every step, over their number: that is the mean over steps and samples.
        cross_entropy(&scores, &labels.repeat(n_steps))
    };
    let mut layers = vec![];
    for layer in (1..=top).rev() {
        let below = &seen[layer - 1];
        let mut back = network.back(layer, delta.view());
        slopes(network, below, &mut back, through_time);
        let pre = if through_time {
            below.spikes.clone()
        } else {
            traces(network, &below.spikes)
        };
        layers.push(Local { pre, delta });
        delta = back;
    }
    // The inputs are the same at every step, so their errors may be summed up first.
    let mut sum = Array2::zeros((x.nrows(), delta.ncols()));
    for chunk in delta.axis_chunks_iter(Axis(0), x.nrows().max(1)) {
        sum += &chunk;
    }
    layers.push(Local {
        pre: x.to_owned(),
        delta: sum,
    });
    layers.reverse();
    Pass {
        loss,
        layers,
        thresholds: vec![],
    }
}

/// From errors at spikes to errors at sums, in place.
fn slopes<T: Real>(
    network: &Network<T>,
    seen: &Seen<T>,
    errors: &mut Array2<T>,
    through_time: bool,
) {
    let n_steps = network.layers.n_steps();
    let samples = errors.nrows() / n_steps.max(1);
    let slope = T::of(network.layers.slope);
    let stays = if through_time {
        T::of(1.0 - 1.0 / network.layers.tau)
    } else {
        T::zero()
    };
    let mut later = Array2::<T>::zeros((samples, errors.ncols()));
    for t in (0..n_steps).rev() {
        let of = t * samples..(t + 1) * samples;
        ndarray::azip!((
            later in &mut later,
            error in errors.slice_mut(s![of.clone(), ..]),
            above in seen.above.slice(s![of, ..])
        ) {
            let sigmoid = T::one() / (T::one() + (-slope * *above).exp());
            *later = *error * slope * sigmoid * (T::one() - sigmoid) + stays * *later;
            *error = *later;
        });
    }
}

/// Traces of spikes.
fn traces<T: Real>(network: &Network<T>, spikes: &Array2<T>) -> Array2<T> {
    let n_steps = network.layers.n_steps();
    let samples = spikes.nrows() / n_steps.max(1);
    let decay = T::of(1.0 - 1.0 / network.layers.tau);
    let mut all = spikes.clone();
    for t in 1..n_steps {
        let (before, mut now) = all.view_mut().split_at(Axis(0), t * samples);
        let before = before.slice_move(s![(t - 1) * samples.., ..]);
        now.slice_mut(s![..samples, ..]).scaled_add(decay, &before);
    }
    all
}
