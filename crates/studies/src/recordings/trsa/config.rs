//! Settings of the study and of the method on own data.

use std::path::PathBuf;

use chiasm_analysis::rsa::{Duplicates, NoiseScale};
use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Points on each of the four figure-eights (paper: 50).
    pub shape_points: usize,
    /// Upper threshold of the two-step geodesics of the eights; the lower one is 0 (paper: 0.075).
    pub shape_upper: f64,
    /// Layers of the generated networks (paper: 10).
    pub layers: usize,
    /// Seeds of the generated networks (paper: 10).
    pub seeds: usize,
    /// Stimuli shown to the generated networks (paper: 62).
    pub stimuli: usize,
    /// Jitter of each generated network, in standard deviations of an image feature (chosen).
    pub jitter: f64,
    /// Step of the grid over (l, u) (released code: 0.05).
    pub grid_step: f64,
    /// Thresholds drawn for each family (released code: 10).
    pub draws: usize,
    /// Bootstrap resamples of stimuli and subjects (released code: 1000).
    pub bootstraps: usize,
    /// What becomes of pairs of a stimulus with itself in a resample: dropped, or given the RDM's mean.
    pub impute_duplicates: bool,
    /// Noise levels, in standard deviations of the distances (released code: 0 to 0.4).
    pub noise_levels: Vec<f64>,
    /// Whose standard deviation that is: each RDM's own, or that of all together, as in the released code.
    pub noise_scale: NoiseScale,
    /// Draws of the noise at each level, whose accuracies are averaged (chosen).
    pub noise_draws: usize,
    /// Measure on the published RDMs, too, where they are found.
    pub published: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shape_points: 50,
            shape_upper: 0.075,
            layers: 10,
            seeds: 10,
            stimuli: 62,
            jitter: 0.5,
            grid_step: 0.1,
            draws: 5,
            bootstraps: 100,
            impute_duplicates: false,
            noise_levels: vec![0.0, 0.2, 0.4],
            noise_scale: NoiseScale::PerRdm,
            noise_draws: 3,
            published: true,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                grid_step: 0.05,
                draws: 10,
                bootstraps: 1000,
                noise_levels: vec![0.0, 0.1, 0.2, 0.3, 0.4],
                noise_draws: 10,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            layers: 3,
            seeds: 3,
            stimuli: 12,
            grid_step: 0.25,
            draws: 2,
            bootstraps: 10,
            noise_draws: 1,
            published: false,
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let n = self.shape_points;
        SettingError::check((8..=400).contains(&n), "shape_points", "8 to 400", n)?;
        let u = self.shape_upper;
        SettingError::check(u > 0.0 && u < 1.0, "shape_upper", "above 0 and below 1", u)?;
        SettingError::check(self.layers >= 2, "layers", "at least 2", self.layers)?;
        SettingError::check(self.seeds >= 2, "seeds", "at least 2", self.seeds)?;
        SettingError::check(self.stimuli >= 5, "stimuli", "at least 5", self.stimuli)?;
        let j = self.jitter;
        SettingError::check((0.0..=100.0).contains(&j), "jitter", "0 to 100", j)?;
        grid_and_draws(self.grid_step, self.draws, self.bootstraps)?;
        let n = self.noise_draws;
        SettingError::check((1..=1000).contains(&n), "noise_draws", "1 to 1000", n)?;
        let levels = &self.noise_levels;
        let fine = !levels.is_empty() && levels.iter().all(|l| (0.0..=10.0).contains(l));
        let found = format!("{levels:?}");
        SettingError::check(
            fine,
            "noise_levels",
            "one or more levels from 0 to 10",
            &found,
        )?;
        let ascending = levels.windows(2).all(|w| w[0] < w[1]);
        SettingError::check(
            ascending,
            "noise_levels",
            "levels in ascending order",
            &found,
        )
    }
}

fn grid_and_draws(step: f64, draws: usize, bootstraps: usize) -> Result<(), SettingError> {
    SettingError::check(
        (0.01..=0.5).contains(&step),
        "grid_step",
        "0.01 to 0.5",
        step,
    )?;
    SettingError::check((1..=1000).contains(&draws), "draws", "1 to 1000", draws)?;
    SettingError::check(bootstraps >= 2, "bootstraps", "at least 2", bootstraps)
}

/// What is done with own RDMs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Tell regions apart across subjects, under every transform.
    #[default]
    Identify,
    /// Only compare RDMs with each other: needs no subjects.
    Compare,
}

/// A distance between patterns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum PatternDistance {
    #[default]
    Correlation,
    Euclidean,
    SquaredEuclidean,
}

/// What is done with missing pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum MissingChoice {
    #[default]
    Refuse,
    DropStimuli,
    Impute,
}

/// How numbers stand for RDMs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum LayoutChoice {
    #[default]
    Auto,
    Square,
    Condensed,
}

/// Settings of the method on own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// Tell regions apart (needs subject and region of each RDM), or only compare RDMs.
    pub task: Task,
    /// A CSV file with the columns subject and region (and, optionally, name): a row for each RDM, in the order of the
    /// files.
    pub labels: Option<PathBuf>,
    /// The variable or array that holds the RDMs; the first that fits if not given.
    pub variable: Option<String>,
    /// How the numbers stand for RDMs: by shape, or said outright.
    pub layout: LayoutChoice,
    /// Take the mean of both triangles of an asymmetric RDM rather than refuse it.
    pub symmetrise: bool,
    /// Missing pairs (NaN, infinite): refuse, drop stimuli until none is missing, or take the mean over the other RDMs.
    pub missing: MissingChoice,
    /// Refuse distances below 0 rather than warn: they are expected of cross-validated distances alone.
    pub refuse_negative: bool,
    /// Of recordings: the kind of epoch whose labels are the conditions. If given, the files are recordings.
    pub epochs: Option<String>,
    /// Of recordings: the number of time bins that are the conditions, where there are no epochs. If given, the files
    /// are recordings.
    pub bins: Option<usize>,
    /// Of recordings: the distance between the patterns of two conditions.
    pub distance: PatternDistance,
    /// Lower threshold of the geo-topological RDMs that are shown (released code: 0.2).
    pub lower: f64,
    /// Upper threshold of the geo-topological RDMs that are shown (released code: 0.8).
    pub upper: f64,
    /// Step of the grid over (l, u) (released code: 0.05).
    pub grid_step: f64,
    /// Thresholds drawn for each family (released code: 10).
    pub draws: usize,
    /// Bootstrap resamples of stimuli and subjects (released code: 1000).
    pub bootstraps: usize,
    /// Give pairs of a stimulus with itself the RDM's mean in a resample, rather than drop them.
    pub impute_duplicates: bool,
    /// Add noise of this level first, in standard deviations of each RDM.
    pub noise_level: f64,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            task: Task::Identify,
            labels: None,
            variable: None,
            layout: LayoutChoice::Auto,
            symmetrise: false,
            missing: MissingChoice::Refuse,
            refuse_negative: false,
            epochs: None,
            bins: None,
            distance: PatternDistance::Correlation,
            lower: 0.2,
            upper: 0.8,
            grid_step: 0.05,
            draws: 10,
            bootstraps: 1000,
            impute_duplicates: false,
            noise_level: 0.0,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        let (l, u) = (self.lower, self.upper);
        let fine = 0.0 <= l && l < u && u <= 1.0;
        SettingError::check(
            fine,
            "lower",
            "0 <= lower < upper <= 1",
            format!("{l}, with upper = {u}"),
        )?;
        grid_and_draws(self.grid_step, self.draws, self.bootstraps)?;
        let n = self.noise_level;
        SettingError::check((0.0..=10.0).contains(&n), "noise_level", "0 to 10", n)?;
        if let Some(bins) = self.bins {
            SettingError::check(bins >= 3, "bins", "at least 3", bins)?;
        }
        Ok(())
    }
}

/// The bootstrap's way with duplicates.
pub(super) fn duplicates(impute: bool) -> Duplicates {
    if impute {
        Duplicates::Impute
    } else {
        Duplicates::Drop
    }
}
