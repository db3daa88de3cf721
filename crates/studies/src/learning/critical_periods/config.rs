//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two pathways and their reduction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    /// Depths at which descent is compared with its reduction (card 24: 2, 3, 4, 6).
    pub depths: Vec<usize>,
    /// Hidden units of each layer (code: 100).
    pub width: usize,
    /// Learning rate (code: 0.01).
    pub rate: f64,
    /// Steps (code: 1000).
    pub steps: usize,
    /// Steps in which pathway b does not learn (code: 150).
    pub length: usize,
    /// When these begin: early, in the middle, late (code: 0, 400, 750).
    pub onsets: [usize; 3],
    /// Onsets in the map of deficits.
    pub map_onsets: usize,
    /// Lengths in the map of deficits, up to 300 steps.
    pub map_lengths: usize,
    /// Trajectories in each phase portrait (code: 100).
    pub trajectories: usize,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            depths: vec![2, 3, 4, 6],
            width: 100,
            rate: 0.01,
            steps: 1000,
            length: 150,
            onsets: [0, 400, 750],
            map_onsets: 36,
            map_lengths: 12,
            trajectories: 100,
        }
    }
}

/// Completion of matrices, with a switch of what is to be completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Matrices {
    /// Rows and columns (paper: 100; card 24, works when 4: 50).
    pub side: usize,
    /// Entries that are seen (code: 2000; card 24, works when 4: 750).
    pub observed: usize,
    /// Weight matrices in a row; others than 1, 2 and 3 are shown and make no claim.
    pub depths: Vec<usize>,
    /// Rank of the first matrix (code: 10).
    pub rank_first: usize,
    /// Rank of the second matrix (code: 5).
    pub rank_second: usize,
    /// Scale of the product at the start (code: 0.001).
    pub init: f64,
    /// Learning rate (code: 0.2).
    pub rate: f64,
    /// Steps on the first matrix before the switch, in ascending order, the first of them 0.
    pub switches: Vec<usize>,
    /// Steps on the second matrix (code: 30,000).
    pub steps: usize,
    /// Draws of matrices, entries and weights, each a run of its own (code: 4).
    pub repeats: usize,
    /// Switches of the sweeps below, all at depth 3.
    pub sweep_switches: Vec<usize>,
    /// Ranks of the first matrix to try, in ascending order.
    pub ranks: Vec<usize>,
    /// Numbers of entries to try, in ascending order.
    pub observations: Vec<usize>,
    /// Scales of the start to try, in descending order; with 5/3 of the steps (code: 50,000).
    pub inits: Vec<f64>,
    /// Cosines between the singular vectors of first and second matrix to try, both of the second's rank.
    pub similarities: Vec<f64>,
    /// Entries of the second matrix seen in the first phase, where what changes is their number alone.
    pub few: usize,
    /// Entries seen in the second phase then.
    pub more: Vec<usize>,
}

impl Default for Matrices {
    fn default() -> Self {
        Self {
            side: 50,
            observed: 750,
            depths: vec![1, 2, 3],
            rank_first: 10,
            rank_second: 5,
            init: 0.001,
            rate: 0.2,
            switches: vec![0, 1000, 5000, 10_000, 20_000, 40_000],
            steps: 30_000,
            repeats: 3,
            sweep_switches: vec![0, 20_000],
            ranks: vec![2, 15],
            observations: vec![500, 1000],
            inits: vec![0.1, 1e-4],
            similarities: vec![0.5],
            few: 375,
            more: vec![750],
        }
    }
}

/// The flow of singular values beside descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowCheck {
    /// Rows and columns (paper: 100).
    pub side: usize,
    /// Entries that are seen (paper: 5000).
    pub observed: usize,
    /// Rank of the first matrix (paper: 8).
    pub rank_first: usize,
    /// Rank of the second matrix (paper: 2).
    pub rank_second: usize,
    /// Depth (paper: 3).
    pub depth: usize,
    /// Step of both (paper: 0.25).
    pub rate: f64,
    /// Steps on each matrix (paper: 10,000).
    pub steps: usize,
    /// Scale of the identity at the start.
    pub init: f64,
    /// Deviation of the noise that tells its singular values apart (card 24: 1e-5).
    pub noise: f64,
}

impl Default for FlowCheck {
    fn default() -> Self {
        Self {
            side: 20,
            observed: 200,
            rank_first: 4,
            rank_second: 2,
            depth: 3,
            rate: 0.25,
            steps: 4000,
            init: 0.001,
            noise: 1e-5,
        }
    }
}

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Two pathways.
    pub paths: Paths,
    /// Completion of matrices.
    pub matrices: Matrices,
    /// The flow of singular values.
    pub flow: FlowCheck,
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                matrices: Matrices {
                    side: 100,
                    observed: 2000,
                    switches: vec![
                        0, 1000, 5000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000,
                    ],
                    repeats: 4,
                    sweep_switches: vec![0, 5000, 20_000, 40_000, 100_000],
                    ranks: vec![2, 5, 10, 15],
                    observations: vec![1000, 1500, 2000, 3000, 4000],
                    inits: vec![0.1, 0.01, 1e-3, 1e-4],
                    similarities: vec![0.0, 0.25, 0.5, 0.75, 0.95],
                    few: 1000,
                    more: vec![1250, 1500, 1750, 2000],
                    ..Matrices::default()
                },
                flow: FlowCheck {
                    side: 100,
                    observed: 5000,
                    rank_first: 8,
                    rank_second: 2,
                    steps: 10_000,
                    ..FlowCheck::default()
                },
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            paths: Paths {
                depths: vec![2, 4, 6],
                width: 12,
                map_onsets: 5,
                map_lengths: 2,
                trajectories: 3,
                ..Paths::default()
            },
            matrices: Matrices {
                side: 12,
                observed: 90,
                rank_first: 3,
                rank_second: 2,
                switches: vec![0, 300],
                steps: 600,
                repeats: 2,
                sweep_switches: vec![0, 300],
                ranks: vec![1, 4],
                observations: vec![70, 100],
                inits: vec![0.1, 0.01],
                similarities: vec![0.5],
                few: 50,
                more: vec![90],
                ..Matrices::default()
            },
            flow: FlowCheck {
                side: 8,
                observed: 40,
                steps: 100,
                ..FlowCheck::default()
            },
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        self.paths.validate()?;
        self.matrices.validate()?;
        self.flow.validate()
    }
}

fn positive(field: &str, v: f64) -> Result<(), SettingError> {
    SettingError::check(v.is_finite() && v > 0.0, field, "a number above 0", v)
}

fn count(field: &str, n: usize, most: usize) -> Result<(), SettingError> {
    let expected = format!("1 to {most}");
    SettingError::check((1..=most).contains(&n), field, &expected, n)
}

fn ascending<T: PartialOrd + std::fmt::Debug>(field: &str, list: &[T]) -> Result<(), SettingError> {
    let fine = list.windows(2).all(|w| w[0] < w[1]);
    SettingError::check(
        fine,
        field,
        "numbers in ascending order",
        format!("{list:?}"),
    )
}

impl Paths {
    fn validate(&self) -> Result<(), SettingError> {
        let fine = self.depths.len() >= 2 && self.depths.iter().all(|d| (2..=32).contains(d));
        let found = format!("{:?}", self.depths);
        SettingError::check(fine, "paths.depths", "two or more, each 2 to 32", found)?;
        ascending("paths.depths", &self.depths)?;
        SettingError::check(
            (8..=4096).contains(&self.width),
            "paths.width",
            "8 to 4096",
            self.width,
        )?;
        positive("paths.rate", self.rate)?;
        count("paths.steps", self.steps, 1_000_000)?;
        for onset in self.onsets {
            let expected = format!(
                "onsets such that {} steps end within {}",
                self.length, self.steps
            );
            let fine = onset + self.length <= self.steps;
            SettingError::check(fine, "paths.onsets", &expected, onset)?;
        }
        ascending("paths.onsets", &self.onsets)?;
        let fine = self.steps > 300;
        SettingError::check(
            fine,
            "paths.steps",
            "more than 300, for the map",
            self.steps,
        )?;
        for (field, n) in [
            ("paths.map_onsets", self.map_onsets),
            ("paths.map_lengths", self.map_lengths),
            ("paths.trajectories", self.trajectories),
        ] {
            count(field, n, 1000)?;
        }
        Ok(())
    }
}

impl Matrices {
    fn validate(&self) -> Result<(), SettingError> {
        let n = self.side;
        count("matrices.side", n, 1000)?;
        let seen = |field: &str, found: usize| {
            let expected = format!("1 to {}, the entries of the matrix", n * n);
            SettingError::check((1..=n * n).contains(&found), field, &expected, found)
        };
        seen("matrices.observed", self.observed)?;
        seen("matrices.few", self.few)?;
        for v in &self.observations {
            seen("matrices.observations", *v)?;
        }
        for v in &self.more {
            let fine = *v >= self.few;
            SettingError::check(fine, "matrices.more", "at least as many as `few`", v)?;
            seen("matrices.more", *v)?;
        }
        let rank = |field: &str, found: usize| {
            let expected = format!("1 to {n}, the side of the matrix");
            SettingError::check((1..=n).contains(&found), field, &expected, found)
        };
        rank("matrices.rank_first", self.rank_first)?;
        rank("matrices.rank_second", self.rank_second)?;
        for v in &self.ranks {
            rank("matrices.ranks", *v)?;
        }
        for v in &self.similarities {
            let fine = (0.0..=1.0).contains(v) && 2 * self.rank_second <= n;
            SettingError::check(fine, "matrices.similarities", "0 to 1", v)?;
        }
        positive("matrices.init", self.init)?;
        positive("matrices.rate", self.rate)?;
        for v in &self.inits {
            positive("matrices.inits", *v)?;
        }
        let fine = !self.depths.is_empty() && self.depths.iter().all(|d| (1..=32).contains(d));
        let found = format!("{:?}", self.depths);
        SettingError::check(fine, "matrices.depths", "one or more, each 1 to 32", found)?;
        ascending("matrices.depths", &self.depths)?;
        for (field, list) in [
            ("matrices.switches", &self.switches),
            ("matrices.sweep_switches", &self.sweep_switches),
        ] {
            ascending(field, list)?;
            let fine = list.len() >= 2 && list[0] == 0;
            SettingError::check(
                fine,
                field,
                "two or more, the first of them 0",
                format!("{list:?}"),
            )?;
        }
        ascending("matrices.ranks", &self.ranks)?;
        ascending("matrices.observations", &self.observations)?;
        let turned: Vec<f64> = self.inits.iter().map(|v| -v).collect();
        ascending("matrices.inits (descending)", &turned)?;
        count("matrices.steps", self.steps, 10_000_000)?;
        count("matrices.repeats", self.repeats, 1000)
    }
}

impl FlowCheck {
    fn validate(&self) -> Result<(), SettingError> {
        let n = self.side;
        count("flow.side", n, 1000)?;
        let expected = format!("1 to {}, the entries of the matrix", n * n);
        let fine = (1..=n * n).contains(&self.observed);
        SettingError::check(fine, "flow.observed", &expected, self.observed)?;
        count("flow.rank_first", self.rank_first, n)?;
        count("flow.rank_second", self.rank_second, n)?;
        count("flow.depth", self.depth, 32)?;
        count("flow.steps", self.steps, 10_000_000)?;
        for (field, v) in [
            ("flow.rate", self.rate),
            ("flow.init", self.init),
            ("flow.noise", self.noise),
        ] {
            positive(field, v)?;
        }
        Ok(())
    }
}
