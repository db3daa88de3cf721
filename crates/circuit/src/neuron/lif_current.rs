//! The leaky integrate-and-fire neuron with current-based synapses that decay exponentially.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lif::{LifCells, Membrane};
use super::{Cells, Neuron, Receptor, check_common, receptors};
use crate::math::{exp, expm1_over};

/// How the synaptic currents enter the membrane within a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Integration {
    /// The solution of the linear equations, with currents that decay within the step.
    #[default]
    Exact,
    /// Currents are held at their mean over the step, as sPyNNaker does: a coarse step then acts as on that hardware.
    MeanCurrent,
}

/// The leaky integrate-and-fire neuron with current-based synapses that decay exponentially.
///
/// `c_m dv/dt = -c_m (v - e_l) / tau_m + i_ex + i_in + i_e`, `di/dt = -i / tau_syn` for both currents.
/// A spike adds its weight (pA) to the current of its receptor; inhibitory weights are negative. The equations are linear
/// and integrated exactly. At `v_th` the neuron spikes, `v` goes to `v_reset` and stays there for `t_ref`, while the
/// currents go on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LifCurrent {
    /// Capacity, pF.
    pub c_m_pf: f64,
    /// Membrane time constant, ms.
    pub tau_m_ms: f64,
    /// Resting potential, mV.
    pub e_l_mv: f64,
    /// Threshold, mV.
    pub v_th_mv: f64,
    /// Potential after a spike, mV.
    pub v_reset_mv: f64,
    /// Refractory time, ms; rounded to whole steps in which the membrane is not integrated.
    pub t_ref_ms: f64,
    /// Decay of the excitatory current, ms.
    pub tau_syn_ex_ms: f64,
    /// Decay of the inhibitory current, ms.
    pub tau_syn_in_ms: f64,
    /// Constant current, pA.
    pub i_e_pa: f64,
    /// How currents enter within a step.
    pub integration: Integration,
}

/// The membrane and synapses of the network of Vogels and Abbott (2005) as Brette et al. (2007) give them.
impl Default for LifCurrent {
    fn default() -> Self {
        Self {
            c_m_pf: 200.0,
            tau_m_ms: 20.0,
            e_l_mv: -60.0,
            v_th_mv: -50.0,
            v_reset_mv: -60.0,
            t_ref_ms: 5.0,
            tau_syn_ex_ms: 5.0,
            tau_syn_in_ms: 10.0,
            i_e_pa: 0.0,
            integration: Integration::Exact,
        }
    }
}

const VARIABLES: [&str; 3] = ["v_m_mv", "i_ex_pa", "i_in_pa"];
const RECEPTORS: [Receptor; 2] = receptors(1, "pA", true);

impl Neuron for LifCurrent {
    fn name(&self) -> &'static str {
        "lif-current"
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
            &[("e_l_mv", self.e_l_mv), ("i_e_pa", self.i_e_pa)],
            &[
                ("c_m_pf", self.c_m_pf),
                ("tau_m_ms", self.tau_m_ms),
                ("tau_syn_ex_ms", self.tau_syn_ex_ms),
                ("tau_syn_in_ms", self.tau_syn_in_ms),
            ],
        )
    }

    fn i_e_pa(&self) -> f64 {
        self.i_e_pa
    }

    fn cells(&self, n: usize, dt_ms: f64) -> Box<dyn Cells> {
        Box::new(LifCells::new(
            n,
            self.e_l_mv,
            self.t_ref_ms,
            dt_ms,
            Factors::new(self, dt_ms),
        ))
    }
}

/// What one step multiplies by.
#[derive(Debug, Clone, Copy)]
struct Factors {
    e_l: f64,
    v_th: f64,
    v_reset: f64,
    /// mV for each pA of constant current.
    resistance: f64,
    /// What is left of `v - v_inf`, and of the currents.
    v: f64,
    ex: f64,
    inh: f64,
    /// mV for each pA of synaptic current.
    ex_to_v: f64,
    in_to_v: f64,
}

impl Factors {
    fn new(model: &LifCurrent, dt: f64) -> Self {
        let tau_m = model.tau_m_ms;
        let resistance = tau_m / model.c_m_pf;
        let to_v = |tau: f64| match model.integration {
            // R tau / (tau - tau_m) (e^(-dt/tau) - e^(-dt/tau_m)), written so that tau may equal tau_m.
            Integration::Exact => {
                let x = dt / tau_m - dt / tau;
                resistance * (dt / tau_m) * exp(-dt / tau_m) * expm1_over(x)
            }
            Integration::MeanCurrent => {
                let mean = tau / dt * (1.0 - exp(-dt / tau));
                resistance * mean * (1.0 - exp(-dt / tau_m))
            }
        };
        Self {
            e_l: model.e_l_mv,
            v_th: model.v_th_mv,
            v_reset: model.v_reset_mv,
            resistance,
            v: exp(-dt / tau_m),
            ex: exp(-dt / model.tau_syn_ex_ms),
            inh: exp(-dt / model.tau_syn_in_ms),
            ex_to_v: to_v(model.tau_syn_ex_ms),
            in_to_v: to_v(model.tau_syn_in_ms),
        }
    }
}

impl Membrane for Factors {
    fn v_th(&self) -> f64 {
        self.v_th
    }

    fn v_reset(&self) -> f64 {
        self.v_reset
    }

    /// One block: `v` goes towards `e_l + R i`, the currents decay; whether any is at threshold.
    #[inline(always)]
    fn block(
        self,
        v: &mut [f64],
        ex: &mut [f64],
        inh: &mut [f64],
        drive: impl Fn(usize) -> f64,
    ) -> bool {
        let f = self;
        let mut any = 0u64;
        for (i, ((v, ex), inh)) in v.iter_mut().zip(ex).zip(inh).enumerate() {
            let v_inf = f.e_l + f.resistance * drive(i);
            *v = v_inf + (*v - v_inf) * f.v + *ex * f.ex_to_v + *inh * f.in_to_v;
            *ex *= f.ex;
            *inh *= f.inh;
            any |= u64::from(*v >= f.v_th);
        }
        any != 0
    }
}
