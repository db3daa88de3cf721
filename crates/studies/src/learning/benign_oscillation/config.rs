//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use chiasm_net::theory::TheoryError;
use chiasm_net::theory::oscillation::Recipe;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::photos::Photos;

/// Settings of the study. The defaults are the quick preset, at the card's own scale: the paper's is smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The samples.
    pub data: Recipe,
    /// Filters of either sign (paper: 8).
    pub filters: usize,
    /// Deviation of the filters at the start times the root of the dimension (card 55: 0.1).
    pub init: f64,
    /// The large step (card 55: 1.3).
    pub k: f64,
    /// The small step, run for twice as many passes (card 55: 0.1).
    pub control: f64,
    /// Steps just below and just above the threshold (card 55: 0.9, 1.1).
    pub around: [f64; 2],
    /// Passes over the samples (card 55: 1500).
    pub passes: usize,
    /// Draws of samples and filters of each of these (card 55: 8; paper: 5).
    pub draws: usize,
    /// Samples of either kind to test on (card 55: 2000).
    pub n_test: usize,
    /// Passes without a weak sample to learn from, at the small step and at 1.4 (card 55: 1200).
    pub no_weak_passes: usize,
    /// Draws of each ablation (card 55: 5, where it says).
    pub ablation_draws: usize,
    /// Steps in the sweep, from 0.1 to 1.55.
    pub sweep: usize,
    /// Draws at each step of the sweep.
    pub sweep_draws: usize,
    /// The same on photographs.
    pub photos: Photos,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: Recipe::default(),
            filters: 8,
            init: 0.1,
            k: 1.3,
            control: 0.1,
            around: [0.9, 1.1],
            passes: 1500,
            draws: 8,
            n_test: 2000,
            no_weak_passes: 1200,
            ablation_draws: 5,
            sweep: 30,
            sweep_draws: 3,
            photos: Photos::default(),
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            // The paper's run has the same sizes; more draws make the curves smooth.
            Preset::Paper => Self {
                draws: 32,
                ablation_draws: 16,
                sweep: 59,
                sweep_draws: 16,
                photos: Photos::paper(),
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            passes: 60,
            draws: 2,
            n_test: 50,
            no_weak_passes: 40,
            ablation_draws: 1,
            sweep: 3,
            sweep_draws: 1,
            photos: Photos::smoke(),
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        match self.data.validate() {
            Ok(()) => {}
            Err(TheoryError::Setting(mut e)) => {
                e.field = format!("data.{}", e.field);
                return Err(e);
            }
            Err(e) => return Err(SettingError::new("data", "settings that can be drawn", e)),
        }
        let fine = self.data.q > 0.0;
        SettingError::check(fine, "data.q", "above 0", self.data.q)?;
        let n = self.data.n_weak;
        SettingError::check(n > 0, "data.n_weak", "1 or more", n)?;
        for (field, v) in [
            ("init", self.init),
            ("k", self.k),
            ("control", self.control),
            ("around", self.around[0]),
            ("around", self.around[1]),
        ] {
            let fine = v.is_finite() && v > 0.0;
            SettingError::check(fine, field, "a number above 0", v)?;
        }
        let mut ks = vec![self.k, self.control, self.around[0], self.around[1]];
        ks.sort_by(f64::total_cmp);
        let distinct = ks.windows(2).all(|w| w[0] < w[1]);
        let found = format!("{ks:?}");
        SettingError::check(distinct, "around", "steps that all differ", found)?;
        for (field, n, most) in [
            ("filters", self.filters, 4096),
            ("passes", self.passes, 1_000_000),
            ("draws", self.draws, 10_000),
            ("n_test", self.n_test, 1_000_000),
            ("no_weak_passes", self.no_weak_passes, 1_000_000),
            ("ablation_draws", self.ablation_draws, 10_000),
            ("sweep_draws", self.sweep_draws, 10_000),
        ] {
            let expected = format!("1 to {most}");
            SettingError::check((1..=most).contains(&n), field, &expected, n)?;
        }
        self.photos.validate()?;
        let n = self.sweep;
        SettingError::check((2..=1000).contains(&n), "sweep", "2 to 1000", n)
    }
}
