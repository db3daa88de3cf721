//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Simulated subjects of each rhythm (card: 5 seeds).
    pub subjects: usize,
    /// Heart beats of each subject (card: 400; the authors' companion paper: 5000).
    pub beats: usize,
    /// Time left out at the start, s (card: 20).
    pub skip_s: f64,
    /// Beats that are nodes of a cycle network (card: 300).
    pub cycle_beats: usize,
    /// Least correlation of two joined beats (card: 0.9, chosen).
    pub least_r: f64,
    /// Samples of the series that become recurrence and visibility networks (card: 1500).
    pub samples: usize,
    /// Step between those samples, s (card: 0.1).
    pub sample_step_s: f64,
    /// Coordinates of a state of the recurrence network (card: 3).
    pub dimension: usize,
    /// Delay between them, s (card: 0.2).
    pub lag_s: f64,
    /// Density of the recurrence network (card: 0.05).
    pub density: f64,
    /// Random graphs of the same degrees beside each recurrence network.
    pub rewired: usize,
    /// Subjects whose networks are laid out.
    pub laid_out: usize,
    /// Steps of the force-directed layout.
    pub layout_steps: usize,
    /// Samples of noise whose horizontal visibility graph is compared with its exact law (card: 20000).
    pub noise_samples: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            subjects: 5,
            beats: 400,
            skip_s: 20.0,
            cycle_beats: 300,
            least_r: 0.9,
            samples: 1500,
            sample_step_s: 0.1,
            dimension: 3,
            lag_s: 0.2,
            density: 0.05,
            rewired: 1,
            laid_out: 2,
            layout_steps: 100,
            noise_samples: 20_000,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                subjects: 10,
                beats: 5000,
                cycle_beats: 4900,
                rewired: 5,
                laid_out: 5,
                layout_steps: 200,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            subjects: 2,
            beats: 90,
            cycle_beats: 40,
            samples: 300,
            rewired: 1,
            laid_out: 1,
            layout_steps: 10,
            noise_samples: 4000,
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let count = |field: &str, n: usize, least: usize, most: usize| {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&n), field, &expected, n)
        };
        count("subjects", self.subjects, 2, 1000)?;
        count("beats", self.beats, 50, 100_000)?;
        count("cycle_beats", self.cycle_beats, 20, 20_000)?;
        count("samples", self.samples, 100, 20_000)?;
        count("dimension", self.dimension, 1, 64)?;
        count("rewired", self.rewired, 1, 1000)?;
        count("laid_out", self.laid_out, 1, self.subjects)?;
        count("layout_steps", self.layout_steps, 1, 100_000)?;
        count("noise_samples", self.noise_samples, 1000, 10_000_000)?;
        let r = self.least_r;
        SettingError::check((-1.0..=1.0).contains(&r), "least_r", "-1 to 1", r)?;
        let p = self.density;
        SettingError::check(p > 0.0 && p < 1.0, "density", "above 0 and below 1", p)?;
        for (field, s) in [("sample_step_s", self.sample_step_s), ("lag_s", self.lag_s)] {
            SettingError::check(s > 0.0 && s <= 100.0, field, "above 0, at most 100", s)?;
        }
        let s = self.skip_s;
        SettingError::check((0.0..=1000.0).contains(&s), "skip_s", "0 to 1000", s)?;
        // The shortest beats last 0.3 s: enough of them must be left after the start, whatever the rhythm.
        let lasts = 0.6 * self.beats as f64 - s;
        let needs = self.samples as f64 * self.sample_step_s;
        SettingError::check(
            lasts >= needs,
            "beats",
            &format!(
                "enough for {needs} s of samples after {s} s, about {:.0}",
                (needs + s) / 0.6
            ),
            self.beats,
        )
    }
}
