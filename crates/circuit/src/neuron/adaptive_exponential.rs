//! The adaptive exponential integrate-and-fire neuron.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adaptive::{Plane, PlaneCells, RECEPTORS, VARIABLES, check_below_peak};
use super::{Cells, Neuron, Receptor, check_common};
use crate::math::exp;

/// The adaptive exponential integrate-and-fire neuron with current-based synapses that decay exponentially.
///
/// `c_m dv/dt = -g_l (v - e_l) + g_l delta_t exp((v - v_t) / delta_t) - w + i_ex + i_in + i_e`,
/// `tau_w dw/dt = a (v - e_l) - w`, `di/dt = -i / tau_syn` (Brette and Gerstner 2005, equations 3 and 4).
/// At `v_peak` the neuron spikes, `v` goes to `v_reset` and `b` is added to `w`. Runge-Kutta of fourth order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveExponential {
    /// Capacity, pF.
    pub c_m_pf: f64,
    /// Leak conductance, nS.
    pub g_l_ns: f64,
    /// Resting potential, mV.
    pub e_l_mv: f64,
    /// Where the spike sets in, mV.
    pub v_t_mv: f64,
    /// How smoothly it sets in, mV.
    pub delta_t_mv: f64,
    /// The spike's peak, mV.
    pub v_peak_mv: f64,
    /// Potential after a spike, mV.
    pub v_reset_mv: f64,
    /// Decay of the adaptation, ms.
    pub tau_w_ms: f64,
    /// What the adaptation follows the potential with, nS.
    pub a_ns: f64,
    /// What a spike adds to the adaptation, pA.
    pub b_pa: f64,
    /// Decay of the excitatory current, ms.
    pub tau_syn_ex_ms: f64,
    /// Decay of the inhibitory current, ms.
    pub tau_syn_in_ms: f64,
    /// Constant current, pA.
    pub i_e_pa: f64,
}

/// The cell of Brette and Gerstner (2005).
impl Default for AdaptiveExponential {
    fn default() -> Self {
        Self {
            c_m_pf: 281.0,
            g_l_ns: 30.0,
            e_l_mv: -70.6,
            v_t_mv: -50.4,
            delta_t_mv: 2.0,
            v_peak_mv: 20.0,
            v_reset_mv: -70.6,
            tau_w_ms: 144.0,
            a_ns: 4.0,
            b_pa: 80.5,
            tau_syn_ex_ms: 5.0,
            tau_syn_in_ms: 10.0,
            i_e_pa: 0.0,
        }
    }
}

impl Neuron for AdaptiveExponential {
    fn name(&self) -> &'static str {
        "adaptive-exponential"
    }

    fn variables(&self) -> &'static [&'static str] {
        &VARIABLES
    }

    fn receptors(&self) -> &'static [Receptor] {
        &RECEPTORS
    }

    fn validate(&self) -> Result<(), SettingError> {
        // The peak is this model's threshold.
        check_common(
            ("v_peak_mv", self.v_peak_mv, self.v_reset_mv),
            0.0,
            &[
                ("e_l_mv", self.e_l_mv),
                ("v_t_mv", self.v_t_mv),
                ("a_ns", self.a_ns),
                ("b_pa", self.b_pa),
                ("i_e_pa", self.i_e_pa),
            ],
            &[
                ("c_m_pf", self.c_m_pf),
                ("g_l_ns", self.g_l_ns),
                ("delta_t_mv", self.delta_t_mv),
                ("tau_w_ms", self.tau_w_ms),
                ("tau_syn_ex_ms", self.tau_syn_ex_ms),
                ("tau_syn_in_ms", self.tau_syn_in_ms),
            ],
        )?;
        let below = [("e_l_mv", self.e_l_mv), ("v_t_mv", self.v_t_mv)];
        check_below_peak(self.v_peak_mv, &below)
    }

    fn i_e_pa(&self) -> f64 {
        self.i_e_pa
    }

    fn cells(&self, n: usize, dt_ms: f64) -> Box<dyn Cells> {
        let tau = (self.tau_syn_ex_ms, self.tau_syn_in_ms);
        Box::new(PlaneCells::new(n, self.e_l_mv, tau, dt_ms, *self))
    }
}

impl Plane for AdaptiveExponential {
    #[inline(always)]
    fn slope(self, v: f64, w: f64, i: f64) -> (f64, f64) {
        let upstroke = self.delta_t_mv * exp((v - self.v_t_mv) / self.delta_t_mv);
        let leak = self.g_l_ns * (upstroke - (v - self.e_l_mv));
        let dw = (self.a_ns * (v - self.e_l_mv) - w) / self.tau_w_ms;
        ((leak - w + i) / self.c_m_pf, dw)
    }

    fn v_peak(&self) -> f64 {
        self.v_peak_mv
    }

    fn v_reset(&self) -> f64 {
        self.v_reset_mv
    }

    fn jump(&self) -> f64 {
        self.b_pa
    }
}
