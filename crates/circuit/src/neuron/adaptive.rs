//! What neurons with a second, slow variable share: the step of both, current-based synapses, spikes and resets.

use chiasm_core::{SettingError, vectorized};

use super::{BLOCK, Cells, Drive, Receptor, receptors};
use crate::math::exp;

/// Names of the state variables.
pub(super) const VARIABLES: [&str; 4] = ["v_m_mv", "w_pa", "i_ex_pa", "i_in_pa"];

/// Where synapses arrive.
pub(super) const RECEPTORS: [Receptor; 2] = receptors(2, "pA", true);

/// The two equations of a model, and its reset.
pub(super) trait Plane: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// `dv/dt`, mV/ms, and `dw/dt`, pA/ms, under a current of `i` pA.
    fn slope(self, v: f64, w: f64, i: f64) -> (f64, f64);
    /// From here on a neuron spikes, mV.
    fn v_peak(&self) -> f64;
    /// Where `v` goes then, mV.
    fn v_reset(&self) -> f64;
    /// What is added to `w` then, pA.
    fn jump(&self) -> f64;
}

/// Potentials that lie below the peak, by the names of their fields.
pub(super) fn check_below_peak(
    v_peak_mv: f64,
    potentials: &[(&str, f64)],
) -> Result<(), SettingError> {
    let expected = format!("a potential below the peak of {v_peak_mv} mV");
    potentials
        .iter()
        .try_for_each(|(field, v)| SettingError::check(*v < v_peak_mv, field, &expected, v))
}

/// What a step multiplies by.
#[derive(Debug, Clone, Copy)]
struct Step {
    dt: f64,
    /// What is left of the synaptic currents after half a step, and after a whole one.
    ex: (f64, f64),
    inh: (f64, f64),
}

/// Neurons at work.
#[derive(Debug)]
pub(super) struct PlaneCells<M> {
    v: Vec<f64>,
    w: Vec<f64>,
    ex: Vec<f64>,
    inh: Vec<f64>,
    hot: Vec<bool>,
    step: Step,
    plane: M,
}

impl<M: Plane> PlaneCells<M> {
    /// `n` neurons at `v_mv`, with no adaptation.
    pub(super) fn new(
        n: usize,
        v_mv: f64,
        (tau_ex_ms, tau_in_ms): (f64, f64),
        dt_ms: f64,
        plane: M,
    ) -> Self {
        let left = |tau: f64| (exp(-0.5 * dt_ms / tau), exp(-dt_ms / tau));
        Self {
            v: vec![v_mv; n],
            w: vec![0.0; n],
            ex: vec![0.0; n],
            inh: vec![0.0; n],
            hot: vec![false; n.div_ceil(BLOCK)],
            step: Step {
                dt: dt_ms,
                ex: left(tau_ex_ms),
                inh: left(tau_in_ms),
            },
            plane,
        }
    }
}

/// One block, by the classical Runge-Kutta method of fourth order; the synaptic currents are exact at each of its stages. The
/// slope of `v` is taken at the peak at most, so that a step across it stays finite. Whether any neuron is at its peak.
#[inline(always)]
fn block<M: Plane>(
    (m, s): (M, Step),
    (v, w): (&mut [f64], &mut [f64]),
    (ex, inh): (&mut [f64], &mut [f64]),
    drive: impl Fn(usize) -> f64,
) -> bool {
    let (half, peak) = (0.5 * s.dt, m.v_peak());
    let mut any = 0u64;
    let cells = v.iter_mut().zip(w).zip(ex).zip(inh);
    for (i, (((v, w), ex), inh)) in cells.enumerate() {
        let i_e = drive(i);
        let middle = i_e + *ex * s.ex.0 + *inh * s.inh.0;
        let end = i_e + *ex * s.ex.1 + *inh * s.inh.1;
        let slope = |v: f64, w: f64, i: f64| m.slope(if v > peak { peak } else { v }, w, i);
        let a = slope(*v, *w, i_e + *ex + *inh);
        let b = slope(*v + half * a.0, *w + half * a.1, middle);
        let c = slope(*v + half * b.0, *w + half * b.1, middle);
        let d = slope(*v + s.dt * c.0, *w + s.dt * c.1, end);
        *v += s.dt / 6.0 * (a.0 + 2.0 * (b.0 + c.0) + d.0);
        *w += s.dt / 6.0 * (a.1 + 2.0 * (b.1 + c.1) + d.1);
        *ex *= s.ex.1;
        *inh *= s.inh.1;
        any |= u64::from(*v >= peak);
    }
    any != 0
}

impl<M: Plane> Cells for PlaneCells<M> {
    fn step(&mut self, drive: Drive<'_>, fired: &mut Vec<u32>) {
        let Self {
            v,
            w,
            ex,
            inh,
            hot,
            step,
            plane,
        } = self;
        let (m, s) = (*plane, *step);
        vectorized(
            #[inline(always)]
            || {
                let state = v.chunks_mut(BLOCK).zip(w.chunks_mut(BLOCK));
                let currents = ex.chunks_mut(BLOCK).zip(inh.chunks_mut(BLOCK));
                let blocks = state.zip(currents).zip(hot.iter_mut());
                match drive {
                    Drive::Same(i) => {
                        for ((state, currents), hot) in blocks {
                            *hot = block((m, s), state, currents, |_| i);
                        }
                    }
                    Drive::Each(each) => {
                        for (((state, currents), hot), each) in blocks.zip(each.chunks(BLOCK)) {
                            *hot = block((m, s), state, currents, |i| each[i]);
                        }
                    }
                }
            },
        );
        let state = v.chunks_mut(BLOCK).zip(w.chunks_mut(BLOCK));
        for (b, ((v, w), hot)) in state.zip(hot.iter()).enumerate() {
            if !hot {
                continue;
            }
            for (i, (v, w)) in v.iter_mut().zip(w).enumerate() {
                if *v >= m.v_peak() {
                    *v = m.v_reset();
                    *w += m.jump();
                    fired.push((b * BLOCK + i) as u32);
                }
            }
        }
    }

    fn variable(&self, idx: usize) -> &[f64] {
        [&self.v, &self.w, &self.ex, &self.inh][idx]
    }

    fn variable_mut(&mut self, idx: usize) -> &mut [f64] {
        [&mut self.v, &mut self.w, &mut self.ex, &mut self.inh][idx]
    }
}
