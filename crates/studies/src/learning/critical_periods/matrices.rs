//! Completion of a matrix after another one.

use chiasm_core::{Failure, Streams};
use chiasm_lab::Bench;
use chiasm_net::theory::critical_periods::{Completion, Course, Init, Observed, Schedule, Target};
use serde::{Deserialize, Serialize};

use super::config::Matrices;

/// What comes before the second matrix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum First {
    /// Another matrix of this rank.
    Rank(usize),
    /// The second matrix, its singular vectors turned to this cosine.
    Turned(f64),
    /// The second matrix, so many entries of it.
    Few(usize),
}

/// One curve over switches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// What it belongs to: `depth`, `rank`, `observed`, `init`, `similarity` or `few`.
    pub(super) group: String,
    /// Its value there.
    pub(super) value: f64,
    pub(super) depth: usize,
    pub(super) first: First,
    pub(super) observed: usize,
    pub(super) init: f64,
    pub(super) steps: usize,
    pub(super) switches: Vec<usize>,
    pub(super) repeat: usize,
}

impl Plan {
    fn name(&self) -> String {
        format!("{}-{}-{}", self.group, self.value, self.repeat)
    }

    pub(super) fn n_steps(&self) -> usize {
        self.switches.last().copied().unwrap_or(0) + self.steps * self.switches.len()
    }
}

/// A curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Curve {
    pub(super) plan: Plan,
    /// Error on the second matrix at the end, for each switch.
    pub(super) errors: Vec<f64>,
    /// Both phases of the last switch with singular values, of the first repeat of a depth.
    pub(super) phases: Option<(Course, Course)>,
}

impl Curve {
    /// Error after the latest switch less that without a first matrix.
    pub(super) fn harm(&self) -> f64 {
        self.errors.last().copied().unwrap_or(f64::NAN) - self.errors[0]
    }
}

pub(super) fn plans(config: &Matrices) -> Vec<Plan> {
    let mut plans = Vec::new();
    for repeat in 0..config.repeats {
        let plan = |group: &str, value: f64| Plan {
            group: group.into(),
            value,
            depth: 3,
            first: First::Rank(config.rank_first),
            observed: config.observed,
            init: config.init,
            steps: config.steps,
            switches: config.sweep_switches.clone(),
            repeat,
        };
        plans.extend(config.depths.iter().map(|depth| Plan {
            depth: *depth,
            switches: config.switches.clone(),
            ..plan("depth", *depth as f64)
        }));
        plans.extend(config.ranks.iter().map(|rank| Plan {
            first: First::Rank(*rank),
            ..plan("rank", *rank as f64)
        }));
        plans.extend(config.observations.iter().map(|observed| Plan {
            observed: *observed,
            ..plan("observed", *observed as f64)
        }));
        plans.extend(config.inits.iter().map(|init| Plan {
            init: *init,
            steps: config.steps * 5 / 3,
            ..plan("init", *init)
        }));
        plans.extend(config.similarities.iter().map(|cosine| Plan {
            first: First::Turned(*cosine),
            ..plan("similarity", *cosine)
        }));
        plans.extend(config.more.iter().map(|more| Plan {
            first: First::Few(config.few),
            observed: *more,
            ..plan("few", *more as f64)
        }));
    }
    plans
}

fn run(plan: &Plan, config: &Matrices, bench: &Bench) -> Result<Curve, Failure> {
    let streams: Streams = bench.streams().child(&format!("matrices {}", plan.repeat));
    let n = config.side;
    let second = Target::random(n, config.rank_second, &mut streams.stream("second"))?;
    let first = match plan.first {
        First::Rank(rank) => Target::random(n, rank, &mut streams.stream("first"))?,
        First::Turned(cosine) => second.turned(cosine, &mut streams.stream("first"))?,
        First::Few(_) => second.clone(),
    };
    let seen = Observed::draw(n, plan.observed, &mut streams.stream("seen"))?;
    let seen_first = match plan.first {
        First::Few(few) => seen.first(few)?,
        _ => seen.clone(),
    };
    let shape = (n, plan.depth);
    let mut network =
        Completion::<f32>::new(shape, Init::Gaussian, plan.init, config.rate, &streams)?;
    let shown = plan.group == "depth" && plan.repeat == 0;
    let noted = Schedule {
        every: if shown { 100 } else { 0 },
        values: 12,
        ..Schedule::default()
    };
    let mut curve = Curve {
        plan: plan.clone(),
        errors: vec![],
        phases: None,
    };
    // The first matrix is learned once; each switch is a branch.
    let mut before = Course::default();
    for (i, switch) in plan.switches.iter().enumerate() {
        let steps = switch - network.n_steps();
        let schedule = Schedule { steps, ..noted };
        let course = network.train(&seen_first, &first, &schedule, bench.watch())?;
        before.steps.extend(course.steps);
        before.values.extend(course.values);
        let last = i + 1 == plan.switches.len();
        let schedule = Schedule {
            steps: plan.steps,
            every: if last { noted.every } else { 0 },
            ..noted
        };
        let mut branch = network.clone();
        let after = branch.train(&seen, &second, &schedule, bench.watch())?;
        curve.errors.push(after.error);
        if last && shown {
            curve.phases = Some((std::mem::take(&mut before), after));
        }
    }
    Ok(curve)
}

pub(super) fn all(config: &Matrices, bench: &mut Bench) -> Result<Vec<Curve>, Failure> {
    let plans = plans(config);
    let steps = plans.iter().map(|p| p.n_steps() as u64).sum();
    bench.watch().stage("completing matrices", steps);
    bench.arms(plans.len(), |i, bench| {
        let plan = &plans[i];
        bench.stage(&plan.name(), |bench| run(plan, config, bench))
    })
}

/// Means over repeats of one curve: of the errors after each switch, and of the harm.
pub(super) fn mean(curves: &[Curve], group: &str, value: f64) -> Option<(Vec<f64>, f64)> {
    let of: Vec<&Curve> = curves
        .iter()
        .filter(|c| c.plan.group == group && c.plan.value == value)
        .collect();
    let n = of.len() as f64;
    let first = of.first()?;
    let errors = (0..first.errors.len()).map(|i| of.iter().map(|c| c.errors[i]).sum::<f64>() / n);
    let harm = of.iter().map(|c| c.harm()).sum::<f64>() / n;
    Some((errors.collect(), harm))
}
