//! One way to learn the tasks, and what is measured of it.

use chiasm_core::{Failure, Watch};
use chiasm_lab::Bench;
use chiasm_net::continual::hlop::{
    Birth, Code, Feedback, Layers, Learner, Protect, Replay, Rows, Rule, Training,
};
use chiasm_net::continual::{Accuracies, Task};
use serde::{Deserialize, Serialize};

use super::config::{Arm, Config, PIXELS};

/// What one arm came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) arm: Arm,
    pub(super) accuracies: Accuracies,
    /// For each task.
    pub(super) trainings: Vec<Training>,
    /// Rows of each layer at the end.
    pub(super) rows: Vec<usize>,
    /// Numbers that the lateral circuits hold at the end.
    pub(super) lateral_numbers: usize,
}

/// How an arm differs from the study's settings.
struct Setup {
    layers: Layers,
    protect: Option<Protect>,
    replay: Option<Replay>,
    tasks: usize,
}

fn setup(arm: Arm, config: &Config) -> Setup {
    let mut layers = config.layers.clone();
    let mut protect = config.protect.clone();
    let mut tasks = config.tasks;
    match arm {
        Arm::BornAnywhere => protect.birth = Birth::Anywhere,
        Arm::SpikingLateral => {
            protect.code = Code::Spiking {
                scale: 20.0,
                steps: config.lateral_steps,
            };
        }
        Arm::FrozenRows => protect.iterations = 0,
        Arm::FullRank => {
            let inputs: Vec<usize> = std::iter::once(PIXELS)
                .chain(layers.hidden.iter().copied())
                .collect();
            protect.rows = Rows {
                later: vec![0; inputs.len()],
                first: inputs,
                fewer: 0,
            };
            // These rows explain everything, so nothing is left that they could learn from.
            protect.iterations = 0;
            tasks = 2;
        }
        Arm::BpttSequential | Arm::BpttHlop => layers.rule = Rule::Bptt,
        Arm::OtttSequential | Arm::OtttHlop => layers.rule = Rule::Ottt,
        Arm::RandomSequential | Arm::RandomHlop => layers.feedback = Feedback::Random,
        Arm::SignSequential | Arm::SignHlop => layers.feedback = Feedback::Sign,
        Arm::Sequential | Arm::Hlop | Arm::Replay | Arm::HlopReplay | Arm::Together => {}
    }
    let replays = matches!(arm, Arm::Replay | Arm::HlopReplay);
    Setup {
        layers,
        protect: arm.is_protected().then_some(protect),
        replay: replays.then_some(config.replay),
        tasks,
    }
}

/// Batches that an arm learns from, for progress.
pub(super) fn n_batches(arm: Arm, config: &Config, n_train: usize, classes: usize) -> u64 {
    let setup = setup(arm, config);
    let batch = config.train.batch;
    if arm == Arm::Together {
        return ((setup.tasks * n_train).div_ceil(batch) * config.train.epochs) as u64;
    }
    let learned = setup.tasks * n_train.div_ceil(batch) * config.train.epochs;
    let replayed = setup.replay.map_or(0, |r| {
        let kept = (1..=setup.tasks).map(|t| (t * classes * r.per_class).div_ceil(batch));
        kept.sum::<usize>() * r.epochs
    });
    (learned + replayed) as u64
}

/// A learner between two tasks, with what it came to so far.
#[derive(Serialize, Deserialize)]
struct State {
    learner: Learner<f32>,
    row: Vec<f64>,
    training: Training,
}

pub(super) fn run(
    arm: Arm,
    config: &Config,
    (tasks, classes): (&[Task<'_, f32>], usize),
    bench: &mut Bench,
) -> Result<Outcome, Failure> {
    let setup = setup(arm, config);
    let tasks = &tasks[..setup.tasks];
    let (protect, replay) = (setup.protect.as_ref(), setup.replay.as_ref());
    // The same streams for all arms: the same weights and orders of samples at the start.
    let streams = bench.streams().clone();
    let how = (&setup.layers, &config.train);
    let mut learner = Learner::new(how, protect, replay, (PIXELS, classes), &streams)?;
    let mut accuracies = Accuracies::new();
    let mut trainings = vec![];
    if arm == Arm::Together {
        trainings.push(learner.learn_together(tasks, &streams, bench.watch())?);
        let row = asked(&learner, tasks, bench.watch())?;
        // No order: each task is as well done after each.
        (0..tasks.len()).for_each(|_| accuracies.push(row.clone()));
    } else {
        for k in 0..tasks.len() {
            let task = |bench: &mut Bench| -> Result<State, Failure> {
                let training = learner.learn(tasks, k, &streams, bench.watch())?;
                // The course of forgetting is shown of the main arms; of the others ACC and BWT alone are.
                let first = if arm.is_main() || k + 1 == tasks.len() {
                    0
                } else {
                    k
                };
                let mut row = vec![f64::NAN; first];
                row.extend(asked(&learner, &tasks[first..=k], bench.watch())?);
                Ok(State {
                    learner,
                    row,
                    training,
                })
            };
            let state = if config.keep_tasks {
                bench.stage(&format!("{}-task-{k}", arm.name()), task)?
            } else {
                task(bench)?
            };
            learner = state.learner;
            accuracies.push(state.row);
            trainings.push(state.training);
        }
    }
    let layers = learner.protection().map_or(&[][..], |p| p.layers());
    Ok(Outcome {
        arm,
        accuracies,
        trainings,
        rows: layers.iter().map(|l| l.n_rows()).collect(),
        lateral_numbers: layers.iter().map(|l| l.n_rows() * l.dimension()).sum(),
    })
}

fn asked(
    learner: &Learner<f32>,
    tasks: &[Task<'_, f32>],
    watch: &dyn Watch,
) -> Result<Vec<f64>, Failure> {
    let each = tasks.iter().map(|task| Ok(learner.accuracy(task, watch)?));
    each.collect()
}
