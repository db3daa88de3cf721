//! Settings of the study and of the method on own matrices.

use chiasm_core::SettingError;
use chiasm_data::generate::CognitiveTask;
use chiasm_lab::{Preset, Settings};
use chiasm_net::recurrent::{Activation, Start};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::images::Images;

/// What a network learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Which of two channels has more, under noise.
    TwoAlternatives,
    /// Whether two stimuli match, across a delay.
    DelayedMatch,
    /// Two stimuli, of which a context tells the one that counts.
    Context,
    /// Digits, row by row.
    Digits,
}

impl Task {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TwoAlternatives => "two-alternatives",
            Self::DelayedMatch => "delayed-match",
            Self::Context => "context",
            Self::Digits => "digits",
        }
    }

    /// The task of the generator; none for digits.
    pub(super) fn cognitive(self) -> Option<CognitiveTask> {
        match self {
            Self::TwoAlternatives => Some(CognitiveTask::TwoAlternatives { fixation: false }),
            Self::DelayedMatch => Some(CognitiveTask::DelayedMatch),
            Self::Context => Some(CognitiveTask::Context),
            Self::Digits => None,
        }
    }
}

/// How networks learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// Standard deviation of the Gaussian weights, times the root of the units (code: 1.25).
    pub gain: f64,
    /// What a unit does to its input (paper: ReLU).
    pub activation: Activation,
    /// Step over time constant (paper: 1).
    pub leak: f64,
    /// Learning rate (paper: 0.003).
    pub rate: f64,
    /// What the velocity keeps (paper: 0.9).
    pub momentum: f64,
    /// Trials in a batch (paper: 32).
    pub batch: usize,
    /// Trials whose tangent kernel is compared (code: 32).
    pub kernel_trials: usize,
    /// Trials whose hidden activity is compared (code: 320).
    pub probe_trials: usize,
}

impl Default for Learning {
    fn default() -> Self {
        Self {
            gain: 1.25,
            activation: Activation::Relu,
            leak: 1.0,
            rate: 0.003,
            momentum: 0.9,
            batch: 32,
            kernel_trials: 32,
            probe_trials: 320,
        }
    }
}

impl Learning {
    fn validate(&self) -> Result<(), SettingError> {
        for (field, v) in [("gain", self.gain), ("rate", self.rate)] {
            SettingError::check(v > 0.0 && v.is_finite(), field, "a number above 0", v)?;
        }
        let v = self.leak;
        SettingError::check(v > 0.0 && v <= 1.0, "leak", "above 0, up to 1", v)?;
        let v = self.momentum;
        SettingError::check((0.0..1.0).contains(&v), "momentum", "0 or more, below 1", v)?;
        for (field, n) in [
            ("batch", self.batch),
            ("kernel_trials", self.kernel_trials),
            ("probe_trials", self.probe_trials),
        ] {
            SettingError::check((1..=100_000).contains(&n), field, "1 to 100,000", n)?;
        }
        Ok(())
    }
}

/// A sweep of ranks on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The task.
    pub task: Task,
    /// Units.
    pub hidden: usize,
    /// Ranks, rising, from 1; the last is the number of units.
    pub ranks: Vec<usize>,
    /// Steps of training.
    pub iterations: usize,
}

/// The structured starts, on decisions between two alternatives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Structured {
    /// Structures beside a Gaussian start (chosen).
    pub starts: Vec<Start>,
    /// The worm's wiring, where it is found, beside a Gaussian start of as many units.
    pub connectome: bool,
    /// Units of the generated ones.
    pub hidden: usize,
    /// Steps of training.
    pub iterations: usize,
}

impl Default for Structured {
    fn default() -> Self {
        Self {
            starts: vec![
                Start::Dale { excitatory: 0.8 },
                Start::HeavyTail { sigma: 1.0 },
                Start::Blocks {
                    types: 4,
                    strength: 2.0,
                },
                Start::Chain { strength: 2.0 },
            ],
            connectome: true,
            hidden: 100,
            iterations: 800,
        }
    }
}

/// The two-layer linear theory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Theory {
    /// Inputs and, twice as many, units (card 17, works when 1: 10 and 20).
    pub inputs: usize,
    /// Ranks of the first layer.
    pub ranks: Vec<usize>,
    /// Norm of the start (card 17: 0.001).
    pub scale: f64,
    /// Random targets (card 17: 1,000, whose mean at rank 1 has a standard error of 0.35 %; chosen: ten times as many).
    pub targets: usize,
    /// Targets of these that are learned by descent, too.
    pub descents: usize,
    /// Rate of descent (card 17: 0.02).
    pub rate: f64,
    /// Strengths of strong features (chosen; paper: figure 3).
    pub kappas: Vec<f64>,
}

impl Default for Theory {
    fn default() -> Self {
        Self {
            inputs: 10,
            ranks: vec![1, 2, 5, 10],
            scale: 1e-3,
            targets: 10_000,
            descents: 200,
            rate: 0.02,
            kappas: vec![1.0, 2.0, 4.0, 8.0, 16.0],
        }
    }
}

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The theory.
    pub theory: Theory,
    /// Sweeps of ranks, each task once; decisions between two alternatives come first (card 17, works when 4).
    pub sweeps: Vec<Sweep>,
    /// Networks of each kind (card 17: 5).
    pub nets: usize,
    /// How they learn.
    pub learning: Learning,
    /// Structured starts.
    pub structured: Structured,
    /// Which digits.
    pub images: Images,
    /// Digits to learn from (card 17: 8,000).
    pub digits: usize,
    /// Digits in a batch (paper: 200).
    pub digits_batch: usize,
}

impl Default for Config {
    fn default() -> Self {
        let sweep = |task, hidden, ranks: &[usize], iterations| Sweep {
            task,
            hidden,
            ranks: ranks.to_vec(),
            iterations,
        };
        Self {
            theory: Theory::default(),
            sweeps: vec![
                sweep(Task::TwoAlternatives, 300, &[1, 30, 300], 1000),
                sweep(Task::DelayedMatch, 100, &[1, 30, 100], 1000),
                sweep(Task::Context, 100, &[1, 30, 100], 1000),
                sweep(Task::Digits, 100, &[5, 30, 100], 60),
            ],
            nets: 3,
            learning: Learning::default(),
            structured: Structured::default(),
            images: Images::Mnist,
            digits: 8000,
            digits_batch: 200,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => {
                let sweep = |task, ranks: &[usize]| Sweep {
                    task,
                    hidden: 300,
                    ranks: ranks.to_vec(),
                    iterations: 10_000,
                };
                Self {
                    sweeps: vec![
                        sweep(Task::TwoAlternatives, &[1, 30, 100, 300]),
                        sweep(Task::DelayedMatch, &[1, 30, 100, 300]),
                        sweep(Task::Context, &[1, 30, 100, 300]),
                        sweep(Task::Digits, &[5, 30, 300]),
                    ],
                    nets: 5,
                    structured: Structured {
                        hidden: 300,
                        iterations: 10_000,
                        ..Structured::default()
                    },
                    digits: 60_000,
                    ..Self::default()
                }
            }
        }
    }

    fn smoke() -> Self {
        let sweep = |task, iterations| Sweep {
            task,
            hidden: 16,
            ranks: vec![1, 16],
            iterations,
        };
        Self {
            theory: Theory {
                targets: 50,
                descents: 2,
                ..Theory::default()
            },
            sweeps: vec![
                sweep(Task::TwoAlternatives, 40),
                sweep(Task::DelayedMatch, 20),
                sweep(Task::Context, 20),
                sweep(Task::Digits, 5),
            ],
            nets: 2,
            learning: Learning {
                batch: 8,
                kernel_trials: 6,
                probe_trials: 20,
                ..Learning::default()
            },
            structured: Structured {
                hidden: 16,
                iterations: 20,
                connectome: false,
                ..Structured::default()
            },
            images: Images::Drawn,
            digits: 100,
            digits_batch: 10,
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let within = |name: &str, mut e: SettingError| {
            e.field = format!("{name}.{}", e.field);
            e
        };
        self.learning
            .validate()
            .map_err(|e| within("learning", e))?;
        let t = &self.theory;
        let n = t.inputs;
        SettingError::check((2..=1000).contains(&n), "theory.inputs", "2 to 1000", n)?;
        ranks("theory.ranks", &t.ranks, n)?;
        for (field, v) in [("theory.scale", t.scale), ("theory.rate", t.rate)] {
            SettingError::check(v > 0.0 && v <= 1.0, field, "above 0, up to 1", v)?;
        }
        let n = t.targets;
        SettingError::check(
            (1..=1_000_000).contains(&n),
            "theory.targets",
            "1 to 1,000,000",
            n,
        )?;
        let expected = format!("1 to {n}, the targets");
        SettingError::check(
            (1..=n).contains(&t.descents),
            "theory.descents",
            &expected,
            t.descents,
        )?;
        let fine = t.kappas.iter().all(|k| *k >= 1.0 && k.is_finite()) && !t.kappas.is_empty();
        let found = format!("{:?}", t.kappas);
        SettingError::check(fine, "theory.kappas", "numbers of 1 or more", found)?;
        for (i, sweep) in self.sweeps.iter().enumerate() {
            let field = |name: &str| format!("sweeps.{i}.{name}");
            let again = self.sweeps[..i].iter().any(|s| s.task == sweep.task);
            let name = sweep.task.name();
            SettingError::check(
                !again,
                &field("task"),
                "each task once",
                format!("{name} again"),
            )?;
            let n = sweep.hidden;
            SettingError::check((2..=5000).contains(&n), &field("hidden"), "2 to 5000", n)?;
            ranks(&field("ranks"), &sweep.ranks, n)?;
            let fine = sweep.ranks.len() >= 2 && sweep.ranks.last() == Some(&n);
            let found = format!("{:?}", sweep.ranks);
            let expected = format!("two ranks or more, the last {n}, as many as units");
            SettingError::check(fine, &field("ranks"), &expected, found)?;
            let n = sweep.iterations;
            SettingError::check(
                (1..=10_000_000).contains(&n),
                &field("iterations"),
                "1 to 10,000,000",
                n,
            )?;
        }
        SettingError::check(!self.sweeps.is_empty(), "sweeps", "at least one", 0)?;
        let n = self.nets;
        SettingError::check((2..=1000).contains(&n), "nets", "2 to 1000", n)?;
        let s = &self.structured;
        let n = s.hidden;
        SettingError::check((2..=5000).contains(&n), "structured.hidden", "2 to 5000", n)?;
        let n = s.iterations;
        SettingError::check(
            (1..=10_000_000).contains(&n),
            "structured.iterations",
            "1 to 10,000,000",
            n,
        )?;
        for (i, start) in s.starts.iter().enumerate() {
            let name = format!("structured.starts.{i}");
            start.validate(s.hidden).map_err(|e| within(&name, e))?;
        }
        for (field, n) in [("digits", self.digits), ("digits_batch", self.digits_batch)] {
            SettingError::check((10..=60_000).contains(&n), field, "10 to 60,000", n)?;
        }
        Ok(())
    }
}

fn ranks(field: &str, ranks: &[usize], most: usize) -> Result<(), SettingError> {
    let rising = ranks.windows(2).all(|w| w[0] < w[1]);
    let inside = ranks.iter().all(|r| (1..=most).contains(r));
    let expected = format!("ranks of 1 to {most}, rising");
    let found = format!("{ranks:?}");
    SettingError::check(
        rising && inside && !ranks.is_empty(),
        field,
        &expected,
        found,
    )
}

/// Settings of the method on own matrices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The array that holds the weights, `[from, to]`; the first of the file if not given.
    pub variable: Option<String>,
    /// Take the mean off first.
    pub remove_mean: bool,
    /// Bring the weights to the norm of Gaussian ones; if not they are taken as they are, and the Gaussian ones are brought
    /// to theirs.
    pub rescale: bool,
    /// What is learned (digits are not offered here).
    pub task: Task,
    /// Steps of training.
    pub iterations: usize,
    /// Networks of each kind.
    pub nets: usize,
    /// How they learn.
    pub learning: Learning,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            variable: None,
            remove_mean: false,
            rescale: true,
            task: Task::TwoAlternatives,
            iterations: 2000,
            nets: 3,
            learning: Learning::default(),
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        self.learning.validate().map_err(|mut e| {
            e.field = format!("learning.{}", e.field);
            e
        })?;
        let fine = self.task != Task::Digits;
        SettingError::check(fine, "task", "a task of trials", self.task.name())?;
        let n = self.iterations;
        SettingError::check(
            (1..=10_000_000).contains(&n),
            "iterations",
            "1 to 10,000,000",
            n,
        )?;
        SettingError::check(
            (1..=1000).contains(&self.nets),
            "nets",
            "1 to 1000",
            self.nets,
        )
    }
}
