//! One step of many neurons side by side, forward and backward.

use super::super::real::Real;
use super::{Drive, Firing, Lif, Reset};

/// The neurons' equations in one precision. All slices of a call have one length: the lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neuron<R> {
    lif: Lif,
    threshold: R,
}

/// What each lane multiplies by.
#[derive(Debug, Clone)]
pub(super) struct Factors<R> {
    leak: Vec<R>,
    gain: Vec<R>,
}

impl<R: Real> Factors<R> {
    /// Of lanes with these leaks.
    pub(super) fn new(lif: &Lif, leak: impl Iterator<Item = R>) -> Self {
        let leak: Vec<R> = leak.collect();
        let gain = leak.iter().map(|l| match lif.drive {
            Drive::Whole => R::ONE,
            Drive::Leaky => R::ONE - *l,
        });
        Self {
            gain: gain.collect(),
            leak,
        }
    }
}

/// Memory that a step works in.
#[derive(Debug, Clone)]
pub(super) struct Scratch<R> {
    slope: Vec<R>,
    spike: Vec<R>,
    before: Vec<R>,
}

impl<R: Real> Scratch<R> {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            slope: vec![R::ZERO; lanes],
            spike: vec![R::ZERO; lanes],
            before: vec![R::ZERO; lanes],
        }
    }
}

impl<R: Real> Neuron<R> {
    pub(super) fn new(lif: &Lif) -> Self {
        Self {
            lif: *lif,
            threshold: R::of(lif.threshold),
        }
    }

    /// `input` becomes the potential `u` before the reset, `v` the one after it; both are in the unit of the threshold.
    #[inline(always)]
    pub(super) fn forward(
        &self,
        factors: &Factors<R>,
        input: &mut [R],
        v: &mut [R],
        spikes: &mut [R],
    ) {
        let each = input.iter_mut().zip(v.iter());
        for ((u, v), (leak, gain)) in each.zip(factors.leak.iter().zip(&factors.gain)) {
            *u = *leak * *v + *gain * *u;
        }
        self.fire(input, spikes);
        self.reset(input, spikes, v);
    }

    /// Of potentials, spikes. What is not a number stays so.
    #[inline(always)]
    fn fire(&self, u: &[R], spikes: &mut [R]) {
        match self.lif.firing {
            Firing::Spikes => {
                for (s, u) in spikes.iter_mut().zip(u) {
                    let step = if *u >= self.threshold {
                        R::ONE
                    } else {
                        R::ZERO
                    };
                    *s = if u.is_nan() { *u } else { step };
                }
            }
            Firing::Smooth => self.lif.surrogate.integrals(u, self.threshold, spikes),
        }
    }

    #[inline(always)]
    fn reset(&self, u: &[R], spikes: &[R], v: &mut [R]) {
        let each = v.iter_mut().zip(u.iter().zip(spikes));
        match self.lif.reset {
            Reset::Zero => each.for_each(|(v, (u, s))| *v = *u * (R::ONE - *s)),
            Reset::Subtract => each.for_each(|(v, (u, s))| *v = *u - self.threshold * *s),
            Reset::None => each.for_each(|(v, (u, _))| *v = *u),
        }
    }

    /// One step back in time. `grad`, of the spikes, becomes that of the input; `carry`, of `v`, becomes that of the `v` one
    /// step before; `of_leak` is added to. `u` are the potentials of this step, `u_before` of the one before it (`None`: there
    /// is none, and `v` was 0).
    #[inline(always)]
    pub(super) fn backward(
        &self,
        factors: &Factors<R>,
        (u, u_before): (&[R], Option<&[R]>),
        grad: &mut [R],
        carry: &mut [R],
        of_leak: Option<&mut [R]>,
        scratch: &mut Scratch<R>,
    ) {
        let Scratch {
            slope,
            spike,
            before,
        } = scratch;
        let n = u.len();
        let (slope, spike, before) = (&mut slope[..n], &mut spike[..n], &mut before[..n]);
        self.lif.surrogate.slopes(u, self.threshold, slope);
        let whole = !self.lif.detach_reset;
        match self.lif.reset {
            Reset::Zero => {
                self.fire(u, spike);
                let each = grad.iter_mut().zip(carry.iter()).zip(u);
                for (((g, c), u), (p, s)) in each.zip(slope.iter().zip(spike.iter())) {
                    let of_spike = if whole { *g - *u * *c } else { *g };
                    *g = of_spike * *p + *c * (R::ONE - *s);
                }
            }
            Reset::Subtract => {
                for ((g, c), p) in grad.iter_mut().zip(carry.iter()).zip(slope.iter()) {
                    let of_spike = if whole { *g - self.threshold * *c } else { *g };
                    *g = of_spike * *p + *c;
                }
            }
            Reset::None => {
                for ((g, c), p) in grad.iter_mut().zip(carry.iter()).zip(slope.iter()) {
                    *g = *g * *p + *c;
                }
            }
        }
        // grad is now that of u.
        if let Some(of_leak) = of_leak {
            match u_before {
                Some(u) => {
                    self.fire(u, spike);
                    self.reset(u, spike, before);
                }
                None => before.fill(R::ZERO),
            }
            let each = of_leak.iter_mut().zip(grad.iter()).zip(before.iter());
            match self.lif.drive {
                Drive::Whole => {
                    for ((l, g), v) in each {
                        *l += *g * *v;
                    }
                }
                // v - input, with the input from u = leak v + (1 - leak) input.
                Drive::Leaky => {
                    for (((l, g), v), (u, gain)) in each.zip(u.iter().zip(&factors.gain)) {
                        *l += *g * (*v - *u) / *gain;
                    }
                }
            }
        }
        let each = grad.iter_mut().zip(carry.iter_mut());
        for ((g, c), (leak, gain)) in each.zip(factors.leak.iter().zip(&factors.gain)) {
            *c = *leak * *g;
            *g = *gain * *g;
        }
    }
}
