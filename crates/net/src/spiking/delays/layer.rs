//! A layer of synapses with delays: what arrives from which events, and the gradients of that, on slices.
//!
//! Arrivals go event by event, each adding its channel's row of taps; the gradient of the taps goes channel by channel the
//! same way back; the gradient of the events goes tap by tap along time, as most taps of a narrow bump are 0. Every sum is
//! taken in an order that depends on the events alone.

use chiasm_core::vectorized;
use rayon::prelude::*;

use super::DelaysError;
use super::events::Event;
use super::kernel::{Bump, Kernels};
use crate::Real;

/// Steps whose gradients are added up in registers.
const BLOCK: usize = 32;

/// Steps of what arrives from `steps` steps: half a kernel more, as in the published code.
pub(super) fn steps_after(steps: usize, length: usize) -> usize {
    steps + (length - 1) / 2
}

/// Adds what arrives from the events of one sample to `out`, `[step][out]`.
pub(super) fn arrivals<T: Real>(kernels: &Kernels<T>, events: &[Event<T>], out: &mut [T]) {
    let (n, length) = (kernels.n_out, kernels.length);
    vectorized(
        #[inline(always)]
        || {
            for event in events {
                let (from, channel) = (event.step as usize * n, event.channel as usize);
                let Some(out) = out.get_mut(from..) else {
                    continue;
                };
                if kernels.shape.width == 1 {
                    let synapses = channel * n..(channel + 1) * n;
                    let (delays, taps) =
                        (&kernels.starts[synapses.clone()], &kernels.taps[synapses]);
                    for (o, (delay, tap)) in delays.iter().zip(taps).enumerate() {
                        // What arrives after the last step is lost.
                        if let Some(sum) = out.get_mut(*delay as usize * n + o) {
                            *sum += event.value * *tap;
                        }
                    }
                } else {
                    let row = &kernels.dense[channel * length * n..(channel + 1) * length * n];
                    for (sum, tap) in out.iter_mut().zip(row) {
                        *sum += event.value * *tap;
                    }
                }
            }
        },
    );
}

/// Where a batch's events lie, channel by channel.
pub(super) struct ByChannel<T> {
    /// Where each channel's events begin; one more than there are channels.
    cuts: Vec<usize>,
    /// Sample, step and value, ascending in sample and step.
    events: Vec<(u32, u32, T)>,
}

impl<T: Real> ByChannel<T> {
    pub(super) fn new(n_channels: usize, samples: &[impl AsRef<[Event<T>]>]) -> Self {
        let all = || samples.iter().flat_map(|s| s.as_ref());
        let mut cuts = vec![0usize; n_channels + 1];
        for event in all() {
            cuts[event.channel as usize + 1] += 1;
        }
        for i in 0..n_channels {
            cuts[i + 1] += cuts[i];
        }
        let mut next = cuts.clone();
        let mut events = vec![(0, 0, T::ZERO); cuts[n_channels]];
        for (sample, list) in (0u32..).zip(samples) {
            for event in list.as_ref() {
                let at = &mut next[event.channel as usize];
                events[*at] = (sample, event.step, event.value);
                *at += 1;
            }
        }
        Self { cuts, events }
    }
}

/// Gradients of weights and positions, `[in][out]` each, from that of the arrivals, for each sample `[step][out]`.
pub(super) fn synapse_gradients<T: Real>(
    kernels: &Kernels<T>,
    (weights, positions): (&[T], &[T]),
    events: &ByChannel<T>,
    grad: &[Vec<T>],
) -> (Vec<T>, Vec<T>) {
    let (n, length, width) = (kernels.n_out, kernels.length, kernels.shape.width);
    let mut by_weight = vec![T::ZERO; kernels.n_in * n];
    let mut by_position = vec![T::ZERO; kernels.n_in * n];
    by_weight
        .par_chunks_mut(n)
        .zip(by_position.par_chunks_mut(n))
        .enumerate()
        .for_each_init(
            || (vec![T::ZERO; length * n], vec![T::ZERO; width]),
            |(table, window), (i, (by_weight, by_position))| {
                let list = &events.events[events.cuts[i]..events.cuts[i + 1]];
                let starts = &kernels.starts[i * n..(i + 1) * n];
                vectorized(
                    #[inline(always)]
                    || {
                        if width == 1 {
                            for (sample, step, value) in list {
                                let grad = &grad[*sample as usize][*step as usize * n..];
                                for (o, (w, delay)) in by_weight.iter_mut().zip(starts).enumerate()
                                {
                                    if let Some(g) = grad.get(*delay as usize * n + o) {
                                        *w += *value * *g;
                                    }
                                }
                            }
                            return;
                        }
                        table.fill(T::ZERO);
                        for (sample, step, value) in list {
                            let grad = &grad[*sample as usize][*step as usize * n..];
                            for (sum, g) in table.iter_mut().zip(grad) {
                                *sum += *value * *g;
                            }
                        }
                        for (o, start) in starts.iter().enumerate() {
                            let (s, first) = (i * n + o, *start as usize);
                            for (d, g) in window.iter_mut().enumerate() {
                                *g = table[(first + d) * n + o];
                            }
                            let unit = &kernels.unit[s * width..(s + 1) * width];
                            let (w, p) = kernels.shape.pull(unit, first, positions[s], window);
                            by_weight[o] = w;
                            by_position[o] = weights[s] * p;
                        }
                    },
                );
            },
        );
    (by_weight, by_position)
}

/// Gradient of the values of one sample's events, had there been one of every channel in every step: `[step][in]`, from that
/// of the arrivals, `[step][out]`.
pub(super) fn event_gradients<T: Real>(kernels: &Kernels<T>, steps: usize, grad: &[T]) -> Vec<T> {
    let (n_in, n, width) = (kernels.n_in, kernels.n_out, kernels.shape.width);
    let padded = steps.next_multiple_of(BLOCK);
    // With zeros where nothing arrives any more.
    let row = padded + kernels.length;
    let mut along = vec![T::ZERO; row * n];
    for (t, grad) in grad.chunks_exact(n).enumerate() {
        for (o, g) in grad.iter().enumerate() {
            along[o * row + t] = *g;
        }
    }
    let mut out = vec![T::ZERO; steps * n_in];
    vectorized(
        #[inline(always)]
        || {
            for from in (0..steps).step_by(BLOCK) {
                for i in 0..n_in {
                    let mut sums = [T::ZERO; BLOCK];
                    for o in 0..n {
                        let s = i * n + o;
                        let first = o * row + from + kernels.starts[s] as usize;
                        let taps = &kernels.taps[s * width..(s + 1) * width];
                        let along = &along[first..first + width - 1 + BLOCK];
                        for (tap, grads) in taps.iter().zip(along.windows(BLOCK)) {
                            for (sum, g) in sums.iter_mut().zip(grads) {
                                *sum += *tap * *g;
                            }
                        }
                    }
                    for (k, sum) in sums.iter().take(steps - from).enumerate() {
                        out[(from + k) * n_in + i] = *sum;
                    }
                }
            }
        },
    );
    out
}

/// Arrivals of the same events by the plain convolution of the padded input with the kernels: the oracle of
/// `arrivals`. Terms are added in the events' order, so that rounded kernels give the same bits.
///
/// # Errors
/// Weights, positions or inputs whose number fits no synapses of `n_in` to `n_out`; no length.
pub fn convolution<T: Real>(
    weights: &[T],
    positions: &[T],
    (n_in, n_out): (usize, usize),
    length: usize,
    bump: Bump,
    input: &[T],
) -> Result<Vec<T>, DelaysError> {
    let check = |fine: bool, what, expected: String, found| {
        let refused = DelaysError::Shape {
            what,
            expected,
            found,
        };
        if fine { Ok(()) } else { Err(refused) }
    };
    let n = n_in * n_out;
    check(n > 0, "synapses", "at least 1".into(), n)?;
    check(length > 0, "kernel, taps", "at least 1".into(), length)?;
    for (what, found) in [("weights", weights.len()), ("positions", positions.len())] {
        check(found == n, what, n.to_string(), found)?;
    }
    let whole = input.len().is_multiple_of(n_in);
    let expected = format!("a multiple of the {n_in} channels");
    check(whole, "inputs, values", expected, input.len())?;
    let kernels = Kernels::new(weights, positions, (n_in, n_out), length, bump);
    Ok(convolved(&kernels, input))
}

/// The same with kernels that are there.
pub(super) fn convolved<T: Real>(kernels: &Kernels<T>, input: &[T]) -> Vec<T> {
    let (n_in, n_out, length) = (kernels.n_in, kernels.n_out, kernels.length);
    let tap = |i: usize, o: usize, delay: usize| {
        let s = i * n_out + o;
        let at = delay.checked_sub(kernels.starts[s] as usize);
        let at = at.filter(|at| *at < kernels.shape.width);
        at.map_or(T::ZERO, |at| kernels.taps[s * kernels.shape.width + at])
    };
    let steps = input.len().checked_div(n_in).unwrap_or(0);
    let after = steps_after(steps, length);
    let mut out = vec![T::ZERO; after * n_out];
    for t in 0..after {
        for o in 0..n_out {
            let mut sum = T::ZERO;
            // The tap of index k is the delay of length - 1 - k.
            for k in 0..length {
                let Some(s) = (t + k).checked_sub(length - 1).filter(|s| *s < steps) else {
                    continue;
                };
                for i in 0..n_in {
                    sum += input[s * n_in + i] * tap(i, o, length - 1 - k);
                }
            }
            out[t * n_out + o] = sum;
        }
    }
    out
}
