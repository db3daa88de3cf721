//! Place recognition with ensembles of compact spiking modules.
//!
//! A module is a small network that learns a few neighboring places without a teacher: pixels drive excitatory neurons
//! through plastic synapses with delays, every excitatory neuron has an inhibitory partner that silences all others, and
//! thresholds rise with use. Each neuron is then labeled with the place it responds to most. Modules learn consecutive
//! stretches of a route independently of each other and answer side by side: the place whose neurons respond best wins.
//! Neurons that respond to too many reference images ([`Hyperactivity`]) would drown the right module's answer, so they
//! are silenced.
//!
//! Hussaini, Milford and Fischer, ICRA 2023, arXiv 2209.08723 (paper 44). The network is that of Diehl and Cook (2015).
//!
//! ```
//! use chiasm_circuit::place::{Config, Ensemble, patch_normalized};
//! use chiasm_core::{Quiet, Streams};
//! use ndarray::Array3;
//!
//! # fn main() -> Result<(), chiasm_core::Failure> {
//! // Two traverses of 4 places: each has a bar of its own, bright in one traverse and dim in the other.
//! let traverse = |level: u8| {
//!     Array3::from_shape_fn((4, 8, 8), |(place, row, _)| if row / 2 == place { level } else { 20 })
//! };
//! let first = patch_normalized(&traverse(200))?;
//! let second = patch_normalized(&traverse(120))?;
//! let config = Config { n_e: 20, places_per_module: 2, epochs: 2, dt_ms: 0.25, ..Config::default() };
//! let streams = Streams::new(1);
//! let ensemble = Ensemble::train(&[first.view(), second.view()], &config, &streams, &Quiet)?;
//! assert_eq!(ensemble.modules().len(), 2);
//! let mut recognizer = ensemble.recognizer();
//! let counts = recognizer.listen(first.index_axis(ndarray::Axis(0), 3), &streams.child("query"))?;
//! assert_eq!(ensemble.responses(&counts, None).len(), 4);
//! # Ok(())
//! # }
//! ```
//!
//! # Why a kernel of its own
//!
//! The [`Engine`](crate::Engine) runs circuits described from outside. This network asks for what its vocabulary does not
//! hold: thresholds that rise with use, a least interval between spikes apart from the refractory time, a rule with three
//! traces whose weights change when a spike *arrives*, and rescaling between images. And its wiring is all-to-all from
//! inputs that spike without being asked, which leaves room for speed: see `kernel`.

mod ensemble;
mod error;
mod images;
mod input;
mod kernel;
mod module;
mod plastic;
mod score;
mod store;

mod synapses;

pub use ensemble::{Counts, Ensemble, Hyperactivity, Learning, Recognizer, disjoint};
pub use error::PlaceError;
pub use images::{nearest, patch_normalized, sad};
pub use module::{Assignment, Module, Training};
pub use score::{Curve, best_place, precision_recall, recall_at};

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How conductances decay over a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conductances {
    /// By the factor `1 - dt / tau`, as the authors' simulator does.
    #[default]
    Euler,
    /// By `e^(-dt / tau)`; the membrane sees the mean over the step, so that a spike's charge does not depend on the step.
    Exact,
}

/// Settings of a module and of its training. The defaults are those of the paper's code but where they are said to be
/// chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Excitatory neurons of a module, and as many inhibitory ones (code: 400).
    pub n_e: usize,
    /// Places that a module learns (code: 25); the last module may have fewer.
    pub places_per_module: usize,
    /// Passes through a module's images (code: 30).
    pub epochs: usize,
    /// The last presentations of training, whose responses give each neuron its label: rounded up to whole epochs (chosen:
    /// 300).
    pub label_presentations: usize,
    /// Step, ms (code: 0.1).
    pub dt_ms: f64,
    /// How conductances decay over a step.
    pub conductances: Conductances,
    /// Time that an image is shown, ms (code: 350).
    pub present_ms: f64,
    /// Rest after it, ms; at least `max_delay_ms` (code: 150).
    pub rest_ms: f64,
    /// Rest before the first image, ms (code: 500).
    pub initial_rest_ms: f64,
    /// Rate of an input for each grey level, Hz (code: 1/4).
    pub rate_per_level_hz: f64,
    /// Decay of inhibition at excitatory neurons, ms (code: 2.0 in the model, 0.5 in the run script; the stored module is
    /// matched by 2.0).
    pub tau_gi_ms: f64,
    /// Least time between two spikes of an excitatory neuron, ms (code: a timer of 5 ms that runs at a tenth of the time).
    pub min_isi_ms: f64,
    /// Rise of the threshold at each spike, mV (code: 0.05).
    pub theta_plus_mv: f64,
    /// Decay of that rise, ms (code: 1e7).
    pub tau_theta_ms: f64,
    /// Delays of the input's synapses are uniform from 0 to this, ms (code: 10).
    pub max_delay_ms: f64,
    /// Weight from an excitatory neuron to its partner (code: 10.4).
    pub w_ei: f64,
    /// Weight from an inhibitory neuron to all but its partner (code: 17).
    pub w_ie: f64,
    /// What the weights onto an excitatory neuron are scaled to before each image (code: 78).
    pub w_sum: f64,
    /// Change at the arrival of an input spike for each unit of the neuron's trace (code: +1e-4; Diehl and Cook have minus).
    pub nu_pre: f64,
    /// Change at a neuron's spike for each unit of both traces (code: 0.01).
    pub nu_post: f64,
    /// Whether a trained module goes from one image to the next as in training, with `rest_ms` between (code: true), or
    /// is shown every image rested (chosen: answers do not depend on what was asked before).
    pub carry_over: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            n_e: 400,
            places_per_module: 25,
            epochs: 30,
            label_presentations: 300,
            dt_ms: 0.1,
            conductances: Conductances::Euler,
            present_ms: 350.0,
            rest_ms: 150.0,
            initial_rest_ms: 500.0,
            rate_per_level_hz: 0.25,
            tau_gi_ms: 2.0,
            min_isi_ms: 50.0,
            theta_plus_mv: 0.05,
            tau_theta_ms: 1e7,
            max_delay_ms: 10.0,
            w_ei: 10.4,
            w_ie: 17.0,
            w_sum: 78.0,
            nu_pre: 1e-4,
            nu_post: 0.01,
            carry_over: false,
        }
    }
}

/// The longest a single image may be shown or rested after, ms.
const LONGEST_MS: f64 = 60_000.0;

impl Config {
    /// Refuses what cannot run, by name.
    ///
    /// # Errors
    /// [`SettingError`] for the first field outside its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (field, n, most) in [
            ("n_e", self.n_e, 4096),
            ("places_per_module", self.places_per_module, 4096),
            ("epochs", self.epochs, 10_000),
            ("label_presentations", self.label_presentations, 1_000_000),
        ] {
            let expected = format!("1 to {most}");
            SettingError::check((1..=most).contains(&n), field, &expected, n)?;
        }
        let dt = self.dt_ms;
        let holds = (0.01..=0.5).contains(&dt);
        SettingError::check(holds, "dt_ms", "a step of 0.01 to 0.5 ms", dt)?;
        for (field, t, least) in [
            ("present_ms", self.present_ms, dt),
            ("rest_ms", self.rest_ms, self.max_delay_ms),
            ("initial_rest_ms", self.initial_rest_ms, 0.0),
            ("max_delay_ms", self.max_delay_ms, 0.0),
            ("min_isi_ms", self.min_isi_ms, 0.0),
        ] {
            let expected = format!("a time from {least} to {LONGEST_MS} ms");
            SettingError::check((least..=LONGEST_MS).contains(&t), field, &expected, t)?;
        }
        let holds = self.max_delay_ms / dt < 10_000.0;
        let expected = "a delay of fewer than 10,000 steps";
        SettingError::check(holds, "max_delay_ms", expected, self.max_delay_ms)?;
        for (field, tau) in [
            ("tau_gi_ms", self.tau_gi_ms),
            ("tau_theta_ms", self.tau_theta_ms),
        ] {
            let expected = format!("a finite time of at least the step, {dt} ms");
            SettingError::check(tau.is_finite() && tau >= dt, field, &expected, tau)?;
        }
        let most = 1000.0 / (255.0 * dt);
        let holds = self.rate_per_level_hz > 0.0 && self.rate_per_level_hz < most;
        let expected = format!("above 0 and below {most:.2}, or white would spike in every step");
        SettingError::check(
            holds,
            "rate_per_level_hz",
            &expected,
            self.rate_per_level_hz,
        )?;
        for (field, x) in [
            ("theta_plus_mv", self.theta_plus_mv),
            ("w_ei", self.w_ei),
            ("w_ie", self.w_ie),
        ] {
            let expected = "0 to 100";
            SettingError::check((0.0..=100.0).contains(&x), field, expected, x)?;
        }
        let holds = self.w_sum > 0.0 && self.w_sum <= 10_000.0;
        SettingError::check(holds, "w_sum", "above 0 and at most 10,000", self.w_sum)?;
        for (field, x) in [("nu_pre", self.nu_pre), ("nu_post", self.nu_post)] {
            SettingError::check((-1.0..=1.0).contains(&x), field, "-1 to 1", x)?;
        }
        Ok(())
    }

    /// Neurons and synapses of a module for images of this many pixels: inputs, excitatory and inhibitory neurons; from
    /// inputs, to partners, from partners to all others.
    #[must_use]
    pub fn size(&self, n_pixels: usize) -> (usize, usize) {
        let n = self.n_e;
        (n_pixels + 2 * n, n_pixels * n + n + n * n.saturating_sub(1))
    }

    /// Steps in this time.
    fn steps(&self, ms: f64) -> usize {
        (ms / self.dt_ms).round() as usize
    }
}

#[cfg(test)]
mod tests;
