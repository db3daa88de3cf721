//! The experiment: tasks, nonlinearities, and the geometry that comes of them.

use chiasm_core::{Failure, stats};
use chiasm_lab::{Bench, Findings};
use chiasm_net::network::Nonlinearity::{self, Linear, Relu, Tanh};

use super::config::{Cell, Config};
use super::jobs::{self, Code, Job, Outcome, Task, unit_name};
use super::weights::{self, Course};
use super::{figures, report};

/// What was measured.
pub(super) struct Results {
    pub(super) jobs: Vec<(Job, Outcome)>,
    pub(super) courses: Vec<Course>,
}

/// Networks of one kind.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) task: Task,
    pub(super) unit: Nonlinearity,
    pub(super) depth: usize,
    pub(super) trained: bool,
}

impl Kind {
    pub(super) fn of(task: Task, unit: Nonlinearity) -> Self {
        Self {
            task,
            unit,
            depth: 1,
            trained: true,
        }
    }
}

impl Results {
    pub(super) fn nets(&self, kind: Kind) -> impl Iterator<Item = &Outcome> {
        let fits = move |j: &Job| {
            j.task == kind.task
                && j.unit == kind.unit
                && j.depth == kind.depth
                && j.trained == kind.trained
        };
        self.jobs
            .iter()
            .filter(move |(job, _)| fits(job))
            .map(|(_, outcome)| outcome)
    }

    /// A measure of the last hidden layer, over networks.
    pub(super) fn values(&self, kind: Kind, of: impl Fn(&Code) -> f64) -> Vec<f64> {
        let last = self.nets(kind).filter_map(|o| o.codes.last());
        last.map(of).collect()
    }

    /// Its mean.
    pub(super) fn mean(&self, kind: Kind, of: impl Fn(&Code) -> f64) -> f64 {
        stats::mean(&self.values(kind, of))
    }
}

/// The nonlinearities of the ablation: ceilings falling from none, then ceilings of a clipped identity.
pub(super) fn capped(config: &Config) -> Vec<Nonlinearity> {
    let caps = config.caps.iter().map(|&at| Nonlinearity::Capped { at });
    [Relu].into_iter().chain(caps).collect()
}

pub(super) fn lifted(config: &Config) -> Vec<Nonlinearity> {
    let high = config.lifts.iter();
    high.map(|&high| Nonlinearity::Clipped { low: -1.0, high })
        .collect()
}

pub(super) fn cell(config: &Config, cell: Cell) -> Task {
    Task::Aligned(cell, config.noises[0])
}

/// The task of the deep networks.
pub(super) fn deep_task(config: &Config) -> Task {
    cell(config, config.cells[1.min(config.cells.len() - 1)])
}

pub(super) fn xor(config: &Config, noise: f64) -> Vec<Task> {
    let all = config.xor.epsilons.iter();
    all.map(|&epsilon| Task::Xor { epsilon, noise }).collect()
}

fn all_jobs(config: &Config) -> Vec<Job> {
    let mut kinds = vec![];
    for &c in &config.cells {
        let task = cell(config, c);
        for unit in [Relu, Tanh, Linear] {
            kinds.push(Kind::of(task, unit));
        }
        for unit in [Relu, Tanh] {
            kinds.push(Kind {
                trained: false,
                ..Kind::of(task, unit)
            });
        }
    }
    for &noise in &config.noises[1..] {
        for unit in [Relu, Tanh] {
            kinds.push(Kind::of(Task::Aligned(config.cells[0], noise), unit));
        }
    }
    let task = cell(config, config.ablation);
    let units = capped(config).into_iter().chain(lifted(config));
    kinds.extend(units.chain([Tanh]).map(|unit| Kind::of(task, unit)));
    if config.depth > 0 {
        kinds.extend([Relu, Tanh].map(|unit| Kind {
            depth: config.depth,
            ..Kind::of(deep_task(config), unit)
        }));
    }
    for &noise in &config.xor.noises {
        for task in xor(config, noise) {
            kinds.extend([Relu, Tanh].map(|unit| Kind::of(task, unit)));
        }
    }
    let mut jobs: Vec<Job> = vec![];
    for kind in kinds {
        let in_a_cell = config.cells.iter().any(|c| cell(config, *c) == kind.task);
        let main = matches!(kind.unit, Relu | Tanh) && kind.trained && kind.depth == 1;
        let xor = matches!(kind.task, Task::Xor { .. });
        let nets = if main && (in_a_cell || xor) {
            config.nets
        } else {
            config.side_nets
        };
        for net in 0..nets {
            let job = Job {
                task: kind.task,
                unit: kind.unit,
                depth: kind.depth,
                trained: kind.trained,
                net,
            };
            if !jobs.contains(&job) {
                jobs.push(job);
            }
        }
    }
    jobs
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let jobs = all_jobs(config);
    let steps = jobs.iter().map(|j| j.steps(config)).sum();
    bench.watch().stage("networks", steps);
    let outcomes = bench.arms(jobs.len(), |i, bench| {
        let job = &jobs[i];
        bench.stage(&job.name(), |bench| jobs::run(job, config, bench))
    })?;
    let courses = bench.arms(weights::UNITS.len(), |i, bench| {
        let unit = weights::UNITS[i];
        let name = format!("weights-{}", unit_name(unit));
        bench.stage(&name, |bench| weights::course(unit, config, bench))
    })?;
    let mut field: f64 = 0.0;
    for unit in weights::UNITS {
        field = field.max(weights::field_deviation(unit, config, bench)?);
    }
    bench.metric("field/deviation", field, "1")?;
    let results = Results {
        jobs: jobs.into_iter().zip(outcomes).collect(),
        courses,
    };
    report::excuse(config, bench);
    report::exactness(&results, config, bench)?;
    report::cells(&results, config, bench)?;
    report::ablations(&results, config, bench)?;
    report::specialization(&results, bench)?;
    bench.table(report::table(&results, config))?;
    for figure in figures::all(&results, config, bench)? {
        bench.figure(figure)?;
    }
    Ok(report::findings(&results, config))
}
