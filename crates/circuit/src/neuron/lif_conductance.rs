//! The leaky integrate-and-fire neuron with conductance-based synapses that decay exponentially.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lif::{LifCells, Membrane};
use super::{Cells, Neuron, Receptor, check_common, receptors};
use crate::math::{PHI_TO, exp, phi};

/// The leaky integrate-and-fire neuron with conductance-based synapses that decay exponentially.
///
/// `c_m dv/dt = g_l (e_l - v) + g_ex (e_ex - v) + g_in (e_in - v) + i_e`, `dg/dt = -g / tau_syn` for both conductances.
/// A spike adds its weight (nS) to the conductance of its receptor. Exponential Euler: over a step the conductances are
/// held at their value at its beginning, for which the equation of `v` is solved exactly. At `v_th` the neuron spikes,
/// `v` goes to `v_reset` and stays there for `t_ref`, while the conductances go on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LifConductance {
    /// Capacity, pF.
    pub c_m_pf: f64,
    /// Leak conductance, nS.
    pub g_l_ns: f64,
    /// Resting potential, mV.
    pub e_l_mv: f64,
    /// Reversal potential of excitation, mV.
    pub e_ex_mv: f64,
    /// Reversal potential of inhibition, mV.
    pub e_in_mv: f64,
    /// Threshold, mV.
    pub v_th_mv: f64,
    /// Potential after a spike, mV.
    pub v_reset_mv: f64,
    /// Refractory time, ms; rounded to whole steps in which the membrane is not integrated.
    pub t_ref_ms: f64,
    /// Decay of the excitatory conductance, ms.
    pub tau_syn_ex_ms: f64,
    /// Decay of the inhibitory conductance, ms.
    pub tau_syn_in_ms: f64,
    /// Constant current, pA.
    pub i_e_pa: f64,
}

/// The network of Vogels and Abbott (2005) as Brette et al. (2007) give it.
impl Default for LifConductance {
    fn default() -> Self {
        Self {
            c_m_pf: 200.0,
            g_l_ns: 10.0,
            e_l_mv: -60.0,
            e_ex_mv: 0.0,
            e_in_mv: -80.0,
            v_th_mv: -50.0,
            v_reset_mv: -60.0,
            t_ref_ms: 5.0,
            tau_syn_ex_ms: 5.0,
            tau_syn_in_ms: 10.0,
            i_e_pa: 0.0,
        }
    }
}

const VARIABLES: [&str; 3] = ["v_m_mv", "g_ex_ns", "g_in_ns"];
const RECEPTORS: [Receptor; 2] = receptors(1, "nS", false);

impl Neuron for LifConductance {
    fn name(&self) -> &'static str {
        "lif-conductance"
    }

    fn variables(&self) -> &'static [&'static str] {
        &VARIABLES
    }

    fn receptors(&self) -> &'static [Receptor] {
        &RECEPTORS
    }

    fn validate(&self) -> Result<(), SettingError> {
        check_common(
            ("v_th_mv", self.v_th_mv, self.v_reset_mv),
            self.t_ref_ms,
            &[
                ("e_l_mv", self.e_l_mv),
                ("e_ex_mv", self.e_ex_mv),
                ("e_in_mv", self.e_in_mv),
                ("i_e_pa", self.i_e_pa),
            ],
            &[
                ("c_m_pf", self.c_m_pf),
                ("g_l_ns", self.g_l_ns),
                ("tau_syn_ex_ms", self.tau_syn_ex_ms),
                ("tau_syn_in_ms", self.tau_syn_in_ms),
            ],
        )
    }

    fn i_e_pa(&self) -> f64 {
        self.i_e_pa
    }

    fn cells(&self, n: usize, dt_ms: f64) -> Box<dyn Cells> {
        let factors = Factors {
            g_l: self.g_l_ns,
            leak: self.g_l_ns * self.e_l_mv,
            e_ex: self.e_ex_mv,
            e_in: self.e_in_mv,
            v_th: self.v_th_mv,
            v_reset: self.v_reset_mv,
            rate: -dt_ms / self.c_m_pf,
            ex: exp(-dt_ms / self.tau_syn_ex_ms),
            inh: exp(-dt_ms / self.tau_syn_in_ms),
        };
        Box::new(LifCells::new(n, self.e_l_mv, self.t_ref_ms, dt_ms, factors))
    }
}

#[derive(Debug, Clone, Copy)]
struct Factors {
    g_l: f64,
    /// `g_l e_l`, pA.
    leak: f64,
    e_ex: f64,
    e_in: f64,
    v_th: f64,
    v_reset: f64,
    /// `-dt / c_m`.
    rate: f64,
    /// What is left of the conductances.
    ex: f64,
    inh: f64,
}

/// One neuron: `v` after the step. The solution for conductances held is `v + dt dv/dt phi(x)` with `x = -dt total / c_m`,
/// which needs no division where `x` is small; elsewhere `v` goes towards its value for these conductances.
#[inline(always)]
fn stepped(f: Factors, (v, ex, inh, drive): (f64, f64, f64, f64), all_small: bool) -> f64 {
    let total = f.g_l + ex + inh;
    let pull = f.leak + ex * f.e_ex + inh * f.e_in + drive;
    let x = f.rate * total;
    let near = v - f.rate * (pull - total * v) * phi(x);
    if all_small {
        return near;
    }
    let v_inf = pull / total;
    let far = v_inf + (v - v_inf) * exp(x);
    if x < -PHI_TO { far } else { near }
}

impl Membrane for Factors {
    fn v_th(&self) -> f64 {
        self.v_th
    }

    fn v_reset(&self) -> f64 {
        self.v_reset
    }

    /// One block: the potentials are stepped, the conductances decay; whether any neuron is at threshold.
    #[inline(always)]
    fn block(
        self,
        v: &mut [f64],
        ex: &mut [f64],
        inh: &mut [f64],
        drive: impl Fn(usize) -> f64,
    ) -> bool {
        let f = self;
        let mut large = 0u64;
        for (ex, inh) in ex.iter().zip(inh.iter()) {
            large |= u64::from(f.rate * (f.g_l + *ex + *inh) < -PHI_TO);
        }
        if large == 0 {
            all::<true>(f, v, ex, inh, drive)
        } else {
            all::<false>(f, v, ex, inh, drive)
        }
    }
}

#[inline(always)]
fn all<const SMALL: bool>(
    f: Factors,
    v: &mut [f64],
    ex: &mut [f64],
    inh: &mut [f64],
    drive: impl Fn(usize) -> f64,
) -> bool {
    let mut any = 0u64;
    for (i, ((v, ex), inh)) in v.iter_mut().zip(ex).zip(inh).enumerate() {
        *v = stepped(f, (*v, *ex, *inh, drive(i)), SMALL);
        *ex *= f.ex;
        *inh *= f.inh;
        any |= u64::from(*v >= f.v_th);
    }
    any != 0
}
