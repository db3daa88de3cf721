//! Settings of the study.

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use chiasm_net::continual::hlop::{Layers, Protect, Replay, Rows, Train};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::images::Images;

/// One way to learn the tasks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// One task after the other, with nothing against forgetting.
    Sequential,
    /// The method.
    Hlop,
    /// The method, its new rows not orthogonal to finished ones at first, as in the authors' code.
    BornAnywhere,
    /// The method, its lateral neurons sending spikes.
    SpikingLateral,
    /// Rows that stay at random.
    FrozenRows,
    /// As many rows as inputs, for two tasks.
    FullRank,
    /// Sequential, with replay of a few samples after each task.
    Replay,
    /// The method, with that replay.
    HlopReplay,
    /// All tasks at once.
    Together,
    /// Sequential, trained back through time.
    BpttSequential,
    /// The method, trained back through time.
    BpttHlop,
    /// Sequential, trained forward in time.
    OtttSequential,
    /// The method, trained forward in time.
    OtttHlop,
    /// Sequential, errors sent back by fixed random weights.
    RandomSequential,
    /// The method, errors sent back by fixed random weights.
    RandomHlop,
    /// Sequential, errors sent back by the weights' signs.
    SignSequential,
    /// The method, errors sent back by the weights' signs.
    SignHlop,
}

impl Arm {
    /// All of them.
    pub(super) const ALL: [Self; 17] = [
        Self::Sequential,
        Self::Hlop,
        Self::BornAnywhere,
        Self::SpikingLateral,
        Self::FrozenRows,
        Self::FullRank,
        Self::Replay,
        Self::HlopReplay,
        Self::Together,
        Self::BpttSequential,
        Self::BpttHlop,
        Self::OtttSequential,
        Self::OtttHlop,
        Self::RandomSequential,
        Self::RandomHlop,
        Self::SignSequential,
        Self::SignHlop,
    ];

    /// As in metrics and settings.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Hlop => "hlop",
            Self::BornAnywhere => "born-anywhere",
            Self::SpikingLateral => "spiking-lateral",
            Self::FrozenRows => "frozen-rows",
            Self::FullRank => "full-rank",
            Self::Replay => "replay",
            Self::HlopReplay => "hlop-replay",
            Self::Together => "together",
            Self::BpttSequential => "bptt-sequential",
            Self::BpttHlop => "bptt-hlop",
            Self::OtttSequential => "ottt-sequential",
            Self::OtttHlop => "ottt-hlop",
            Self::RandomSequential => "random-sequential",
            Self::RandomHlop => "random-hlop",
            Self::SignSequential => "sign-sequential",
            Self::SignHlop => "sign-hlop",
        }
    }

    /// Whether every task is asked for after every task.
    pub(super) fn is_main(self) -> bool {
        matches!(
            self,
            Self::Sequential | Self::Hlop | Self::Replay | Self::HlopReplay
        )
    }

    /// Whether lateral circuits protect what was learned.
    pub(super) fn is_protected(self) -> bool {
        !matches!(
            self,
            Self::Sequential
                | Self::Replay
                | Self::Together
                | Self::BpttSequential
                | Self::OtttSequential
                | Self::RandomSequential
                | Self::SignSequential
        )
    }
}

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The images.
    pub images: Images,
    /// Tasks, each with an order of the pixels of its own (card 19, works when 3: 8; paper: 10).
    pub tasks: usize,
    /// Images to learn from in each task (card 19: 10,000; paper: 60,000).
    pub n_train: usize,
    /// Images to test on (card 19: 1,000; paper: 10,000).
    pub n_test: usize,
    /// The network (card 19: 256, 256; paper: 800, 800 hidden units).
    pub layers: Layers,
    /// How it is trained.
    pub train: Train,
    /// The lateral circuits of the method.
    pub protect: Protect,
    /// Steps of the spiking lateral neurons' code, up to a value of 20 (card 19, works when 6: 40).
    pub lateral_steps: u32,
    /// The replay.
    pub replay: Replay,
    /// Ways to learn the tasks. Claims about others are not tested.
    pub arms: Vec<Arm>,
    /// Whether a run that was killed goes on after each task of each arm rather than after each arm.
    pub keep_tasks: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            images: Images::Mnist,
            tasks: 8,
            n_train: 10_000,
            n_test: 1000,
            layers: Layers {
                hidden: vec![256, 256],
                ..Layers::default()
            },
            train: Train::default(),
            protect: Protect {
                rows: Rows {
                    first: vec![80, 60, 40],
                    later: vec![60, 24, 24],
                    fewer: 0,
                },
                ..Protect::default()
            },
            lateral_steps: 40,
            replay: Replay::default(),
            // Two minutes have no room for the last combination.
            arms: Arm::ALL
                .into_iter()
                .filter(|a| *a != Arm::HlopReplay)
                .collect(),
            keep_tasks: false,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                tasks: 10,
                n_train: 60_000,
                n_test: 10_000,
                layers: Layers::default(),
                protect: Protect::default(),
                arms: Arm::ALL.to_vec(),
                keep_tasks: true,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            images: Images::Drawn,
            tasks: 3,
            n_train: 200,
            n_test: 100,
            layers: Layers {
                hidden: vec![24, 20],
                ..Layers::default()
            },
            train: Train {
                batch: 16,
                ..Train::default()
            },
            protect: Protect {
                rows: Rows {
                    first: vec![10, 6, 5],
                    later: vec![8, 5, 4],
                    fewer: 0,
                },
                ..Protect::default()
            },
            replay: Replay {
                per_class: 5,
                ..Replay::default()
            },
            arms: Arm::ALL.to_vec(),
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let within = |name: &'static str| {
            move |mut e: SettingError| {
                e.field = format!("{name}.{}", e.field);
                e
            }
        };
        self.layers.validate().map_err(within("layers"))?;
        self.train.validate().map_err(within("train"))?;
        self.protect.validate().map_err(within("protect"))?;
        self.replay.validate().map_err(within("replay"))?;
        let n = self.tasks;
        SettingError::check((2..=100).contains(&n), "tasks", "2 to 100", n)?;
        for (field, n) in [("n_train", self.n_train), ("n_test", self.n_test)] {
            SettingError::check((50..=60_000).contains(&n), field, "50 to 60,000", n)?;
        }
        let inputs: Vec<usize> = std::iter::once(PIXELS)
            .chain(self.layers.hidden.iter().copied())
            .collect();
        let rows = self.protect.rows.validate(&inputs, self.tasks);
        rows.map_err(within("protect.rows"))?;
        let n = self.lateral_steps;
        SettingError::check(
            (1..=100_000).contains(&n),
            "lateral_steps",
            "1 to 100,000",
            n,
        )?;
        let mut sorted = self.arms.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let found = self.arms.iter().map(|a| a.name()).collect::<Vec<_>>();
        let fine = sorted.len() == self.arms.len() && !sorted.is_empty();
        SettingError::check(
            fine,
            "arms",
            "at least one arm, each once",
            found.join(", "),
        )
    }
}

/// Pixels of an image.
pub(super) const PIXELS: usize = 784;
