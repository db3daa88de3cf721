//! Izhikevich's neuron, in its form with units.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adaptive::{Plane, PlaneCells, RECEPTORS, VARIABLES, check_below_peak};
use super::{Cells, Neuron, Receptor, check_common};

/// Izhikevich's neuron with current-based synapses that decay exponentially.
///
/// `c_m dv/dt = k (v - v_r) (v - v_t) - w + i_ex + i_in + i_e`, `dw/dt = a (b (v - v_r) - w)`, `di/dt = -i / tau_syn`
/// (Izhikevich, Dynamical Systems in Neuroscience, 2007, equations 8.5 and 8.6, where `w` is called `u`).
/// At `v_peak` the neuron spikes, `v` goes to `v_reset` and `d` is added to `w`. Runge-Kutta of fourth order.
///
/// The form of 2003, `dv/dt = 0.04 v^2 + 5 v + 140 - u + I` and `du/dt = a (b v - u)`, is `c_m = 1`, `k = 0.04`,
/// `v_r = -82.6556`, `v_t = -42.3444`, `w = u - b v_r` and `i_e = I - b v_r`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Izhikevich {
    /// Capacity, pF.
    pub c_m_pf: f64,
    /// How steeply current grows with the square of the potential, nS/mV.
    pub k_ns_per_mv: f64,
    /// Resting potential, mV.
    pub v_r_mv: f64,
    /// Instantaneous threshold, mV.
    pub v_t_mv: f64,
    /// The spike's peak, mV.
    pub v_peak_mv: f64,
    /// Potential after a spike, mV.
    pub v_reset_mv: f64,
    /// Rate at which `w` recovers, 1/ms.
    pub a_per_ms: f64,
    /// What `w` follows the potential with, nS.
    pub b_ns: f64,
    /// What a spike adds to `w`, pA.
    pub d_pa: f64,
    /// Decay of the excitatory current, ms.
    pub tau_syn_ex_ms: f64,
    /// Decay of the inhibitory current, ms.
    pub tau_syn_in_ms: f64,
    /// Constant current, pA.
    pub i_e_pa: f64,
}

/// A regular spiking cell of layer 5 (Izhikevich 2007, section 8.2.1).
impl Default for Izhikevich {
    fn default() -> Self {
        Self {
            c_m_pf: 100.0,
            k_ns_per_mv: 0.7,
            v_r_mv: -60.0,
            v_t_mv: -40.0,
            v_peak_mv: 35.0,
            v_reset_mv: -50.0,
            a_per_ms: 0.03,
            b_ns: -2.0,
            d_pa: 100.0,
            tau_syn_ex_ms: 5.0,
            tau_syn_in_ms: 10.0,
            i_e_pa: 0.0,
        }
    }
}

impl Neuron for Izhikevich {
    fn name(&self) -> &'static str {
        "izhikevich"
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
                ("v_r_mv", self.v_r_mv),
                ("v_t_mv", self.v_t_mv),
                ("b_ns", self.b_ns),
                ("d_pa", self.d_pa),
                ("i_e_pa", self.i_e_pa),
            ],
            &[
                ("c_m_pf", self.c_m_pf),
                ("k_ns_per_mv", self.k_ns_per_mv),
                ("tau_syn_ex_ms", self.tau_syn_ex_ms),
                ("tau_syn_in_ms", self.tau_syn_in_ms),
            ],
        )?;
        let holds = self.a_per_ms.is_finite() && self.a_per_ms >= 0.0;
        let expected = "a finite rate of at least 0";
        SettingError::check(holds, "a_per_ms", expected, self.a_per_ms)?;
        let below = [("v_r_mv", self.v_r_mv), ("v_t_mv", self.v_t_mv)];
        check_below_peak(self.v_peak_mv, &below)
    }

    fn i_e_pa(&self) -> f64 {
        self.i_e_pa
    }

    fn cells(&self, n: usize, dt_ms: f64) -> Box<dyn Cells> {
        let tau = (self.tau_syn_ex_ms, self.tau_syn_in_ms);
        Box::new(PlaneCells::new(n, self.v_r_mv, tau, dt_ms, *self))
    }
}

impl Plane for Izhikevich {
    #[inline(always)]
    fn slope(self, v: f64, w: f64, i: f64) -> (f64, f64) {
        let pull = self.k_ns_per_mv * (v - self.v_r_mv) * (v - self.v_t_mv);
        let dv = (pull - w + i) / self.c_m_pf;
        (dv, self.a_per_ms * (self.b_ns * (v - self.v_r_mv) - w))
    }

    fn v_peak(&self) -> f64 {
        self.v_peak_mv
    }

    fn v_reset(&self) -> f64 {
        self.v_reset_mv
    }

    fn jump(&self) -> f64 {
        self.d_pa
    }
}
