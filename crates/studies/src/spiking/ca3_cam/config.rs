//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Cues of the random memory (chosen: 64).
    pub n_cues: usize,
    /// Content lines of the random memory (chosen: 128).
    pub n_bits: usize,
    /// Probability of a content line in a random content (chosen: 0.2).
    pub density: f64,
    /// Cues of the memory that is rewritten and taken apart (chosen: 32).
    pub small_cues: usize,
    /// Its content lines (chosen: 64).
    pub small_bits: usize,
    /// Probability of a line in its contents (chosen: 0.3).
    pub small_density: f64,
    /// Numbers of cues of the capacity study, ascending; its contents have `small_bits` lines (chosen: 8 to 128).
    pub capacity_cues: Vec<usize>,
    /// Probabilities of a content line in the capacity study, ascending (chosen: 0.05 to 0.9).
    pub capacity_densities: Vec<f64>,
    /// Times between the writing of one content and the next, ms; at least 7 (chosen: 7 to 12).
    pub spacings_ms: Vec<u32>,
    /// Memories of 16 cues and 32 lines written at each of these times, with contents of their own (chosen: 20).
    pub spacing_memories: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            n_cues: 64,
            n_bits: 128,
            density: 0.2,
            small_cues: 32,
            small_bits: 64,
            small_density: 0.3,
            capacity_cues: vec![8, 16, 32, 64, 128],
            capacity_densities: vec![0.05, 0.1, 0.3, 0.5, 0.9],
            spacings_ms: vec![7, 8, 9, 10, 12],
            spacing_memories: 20,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            // The paper's memories have 5 and 16 cues; this is the greatest size that the bars ask for.
            Preset::Paper => Self {
                n_cues: 256,
                n_bits: 1024,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            n_cues: 8,
            n_bits: 16,
            small_cues: 8,
            small_bits: 16,
            capacity_cues: vec![4, 8],
            capacity_densities: vec![0.3, 0.5],
            spacings_ms: vec![7, 8, 9],
            spacing_memories: 2,
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        for (field, n, most) in [
            ("n_cues", self.n_cues, 4096),
            ("n_bits", self.n_bits, 8192),
            ("small_cues", self.small_cues, 1024),
            ("small_bits", self.small_bits, 2048),
        ] {
            let expected = format!("2 to {most}");
            SettingError::check((2..=most).contains(&n), field, &expected, n)?;
        }
        for (field, p) in [
            ("density", self.density),
            ("small_density", self.small_density),
        ] {
            SettingError::check(p > 0.0 && p < 1.0, field, "above 0 and below 1", p)?;
        }
        let cues = &self.capacity_cues;
        let fine = !cues.is_empty() && cues.windows(2).all(|w| w[0] < w[1]);
        let fine = fine && cues.iter().all(|n| (2..=1024).contains(n));
        let expected = "ascending numbers from 2 to 1024";
        SettingError::check(fine, "capacity_cues", expected, format!("{cues:?}"))?;
        let densities = &self.capacity_densities;
        let fine = !densities.is_empty() && densities.windows(2).all(|w| w[0] < w[1]);
        let fine = fine && densities.iter().all(|p| *p > 0.0 && *p < 1.0);
        let expected = "ascending probabilities above 0 and below 1";
        let found = format!("{densities:?}");
        SettingError::check(fine, "capacity_densities", expected, found)?;
        let n = self.spacing_memories;
        SettingError::check((1..=1000).contains(&n), "spacing_memories", "1 to 1000", n)?;
        let spacings = &self.spacings_ms;
        let fine = [7, 8, 9].iter().all(|ms| spacings.contains(ms));
        let fine = fine && spacings.windows(2).all(|w| w[0] < w[1]) && spacings[0] >= 7;
        let expected = "ascending times of at least 7 ms, 7, 8 and 9 ms among them";
        SettingError::check(fine, "spacings_ms", expected, format!("{spacings:?}"))
    }
}
