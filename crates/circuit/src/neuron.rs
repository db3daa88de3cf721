//! Neuron models: plain structs of parameters, and the cells that they become.

use std::collections::VecDeque;
use std::fmt::Debug;

use chiasm_core::SettingError;

mod adaptive;
mod adaptive_exponential;
mod izhikevich;
mod lif;
mod lif_conductance;
mod lif_current;

pub use adaptive_exponential::AdaptiveExponential;
pub use izhikevich::Izhikevich;
pub use lif_conductance::LifConductance;
pub use lif_current::{Integration, LifCurrent};

/// A neuron model: parameters that all neurons of a population share.
///
/// Its unit of time is ms, of voltage mV, of current pA, of capacity pF, of conductance nS.
pub trait Neuron: Debug + Send + Sync {
    /// The name of the model.
    fn name(&self) -> &'static str;

    /// Names of the state variables, with their units, such as `v_m_mv`. The first is the membrane potential.
    fn variables(&self) -> &'static [&'static str];

    /// Where synapses can arrive.
    fn receptors(&self) -> &'static [Receptor];

    /// Checks the parameters.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    fn validate(&self) -> Result<(), SettingError>;

    /// Constant current into every neuron, pA.
    fn i_e_pa(&self) -> f64;

    /// `n` neurons at rest, to be advanced in steps of `dt_ms`.
    fn cells(&self, n: usize, dt_ms: f64) -> Box<dyn Cells>;
}

/// Where synapses can arrive: a state variable that weights are added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receptor {
    /// Its name (`excitatory`).
    pub name: &'static str,
    /// Index among [`Neuron::variables`].
    pub variable: usize,
    /// The unit of the weights.
    pub unit: &'static str,
    /// Whether weights may be negative: a current may, a conductance may not.
    pub signed: bool,
}

/// An excitatory and an inhibitory one, whose variables are `first` and the one after it.
pub(crate) const fn receptors(first: usize, unit: &'static str, signed: bool) -> [Receptor; 2] {
    let excitatory = Receptor {
        name: "excitatory",
        variable: first,
        unit,
        signed,
    };
    let inhibitory = Receptor {
        name: "inhibitory",
        variable: first + 1,
        ..excitatory
    };
    [excitatory, inhibitory]
}

/// Current into each of the neurons, pA.
#[derive(Debug, Clone, Copy)]
pub enum Drive<'a> {
    /// The same for all.
    Same(f64),
    /// One for each.
    Each(&'a [f64]),
}

/// Neurons at work: their state as one array for each variable.
pub trait Cells: Debug + Send {
    /// Integrates one step; those that spike are added to `fired` by index, ascending, and reset.
    fn step(&mut self, drive: Drive<'_>, fired: &mut Vec<u32>);

    /// A state variable, by its index among [`Neuron::variables`].
    fn variable(&self, idx: usize) -> &[f64];

    /// A state variable, to start from or to add to.
    fn variable_mut(&mut self, idx: usize) -> &mut [f64];
}

/// Neurons looked at together for threshold crossings.
pub(crate) const BLOCK: usize = 64;

/// Who is refractory: the spikes of the last steps, in order.
#[derive(Debug, Clone)]
pub(crate) struct Refractory {
    steps: usize,
    held: VecDeque<u32>,
    counts: VecDeque<usize>,
}

impl Refractory {
    /// For a refractory time that is rounded to whole steps.
    pub(crate) fn new(t_ref_ms: f64, dt_ms: f64) -> Self {
        Self {
            steps: (t_ref_ms / dt_ms).round() as usize,
            held: VecDeque::new(),
            counts: VecDeque::new(),
        }
    }

    /// Puts the refractory neurons back to `v_reset`.
    pub(crate) fn hold(&self, v: &mut [f64], v_reset: f64) {
        let (a, b) = self.held.as_slices();
        for &i in a.iter().chain(b) {
            v[i as usize] = v_reset;
        }
    }

    /// Takes in the spikes of this step and lets go of those whose time is over.
    pub(crate) fn next(&mut self, fired: &[u32]) {
        self.held.extend(fired);
        self.counts.push_back(fired.len());
        if self.counts.len() > self.steps
            && let Some(n) = self.counts.pop_front()
        {
            self.held.drain(..n);
        }
    }
}

/// Finds the spikes in the blocks that are `hot`, resets them, and puts their indices into `fired`.
pub(crate) fn fire(v: &mut [f64], hot: &[bool], (v_th, v_reset): (f64, f64), fired: &mut Vec<u32>) {
    for (b, block) in v.chunks_mut(BLOCK).enumerate() {
        if !hot[b] {
            continue;
        }
        for (i, v) in block.iter_mut().enumerate() {
            if *v >= v_th {
                *v = v_reset;
                fired.push((b * BLOCK + i) as u32);
            }
        }
    }
}

/// The checks that all integrate-and-fire models share; the threshold comes with its field's name.
pub(crate) fn check_common(
    (threshold, v_th_mv, v_reset_mv): (&str, f64, f64),
    t_ref_ms: f64,
    finite: &[(&str, f64)],
    positive: &[(&str, f64)],
) -> Result<(), SettingError> {
    for (field, value) in finite {
        SettingError::check(value.is_finite(), field, "a finite number", value)?;
    }
    for (field, value) in positive {
        let holds = value.is_finite() && *value > 0.0;
        SettingError::check(holds, field, "a finite number above 0", value)?;
    }
    SettingError::check(v_th_mv.is_finite(), threshold, "a finite number", v_th_mv)?;
    let expected = format!("a potential below {threshold}, which is {v_th_mv} mV");
    SettingError::check(v_reset_mv < v_th_mv, "v_reset_mv", &expected, v_reset_mv)?;
    let holds = t_ref_ms.is_finite() && t_ref_ms >= 0.0;
    SettingError::check(
        holds,
        "t_ref_ms",
        "a finite time of at least 0 ms",
        t_ref_ms,
    )
}
