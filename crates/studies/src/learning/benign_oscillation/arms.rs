//! One descent, and what it came to.

use chiasm_core::{Failure, Group};
use chiasm_lab::Bench;
use chiasm_net::theory::oscillation::{
    Decay, Descent, Kind, Network, Recipe, Rectifier, Settings, Trace,
};
use serde::{Deserialize, Serialize};

use super::config::Config;

/// A way to learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// What it belongs to: `steps`, `sweep`, or the name of an ablation.
    pub(super) group: String,
    pub(super) k: f64,
    pub(super) passes: usize,
    pub(super) data: Recipe,
    pub(super) decay: Option<Decay>,
    pub(super) batch: usize,
    pub(super) rectifier: Rectifier,
    pub(super) train_output: bool,
    pub(super) draw: usize,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) plan: Plan,
    /// Where the step was said to lie.
    pub(super) standing: String,
    /// Why and at which step it stopped, if it did.
    pub(super) stopped: Option<String>,
    /// Accuracy on samples without and with the strong feature.
    pub(super) weak: f64,
    pub(super) strong: f64,
    /// Mean loss over the last pass.
    pub(super) loss: f64,
    /// Largest weak projection of the sign without a weak sample, over its start.
    pub(super) growth: f64,
    /// Sum of 1 - y f over all strong samples that came, and part of them that oscillated.
    pub(super) shortfall: f64,
    pub(super) oscillating: f64,
    /// Its course, where it is shown.
    pub(super) course: Option<Course>,
}

/// A course: what was noted, and accuracies after some passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) trace: Trace,
    pub(super) passes: Vec<f64>,
    pub(super) weak: Vec<f64>,
    pub(super) strong: Vec<f64>,
}

/// Ablations of the large step: their names in the report.
pub(super) const ABLATIONS: [&str; 7] = [
    "large-step",
    "decay",
    "batch-of-4",
    "turned-labels",
    "quadratic",
    "plain-relu",
    "output-trained",
];

pub(super) fn plans(config: &Config) -> Vec<Plan> {
    let base = Plan {
        group: "steps".into(),
        k: config.k,
        passes: config.passes,
        data: config.data,
        decay: None,
        batch: 1,
        rectifier: Rectifier::Squared,
        train_output: false,
        draw: 0,
    };
    let mut plans = Vec::new();
    let mut add = |n: usize, plan: Plan| {
        plans.extend((0..n).map(|draw| Plan {
            draw,
            ..plan.clone()
        }));
    };
    let small = |k: f64, plan: Plan| Plan {
        k,
        passes: 2 * config.passes,
        ..plan
    };
    add(config.draws, small(config.control, base.clone()));
    for k in [config.around[0], config.around[1], config.k] {
        add(config.draws, Plan { k, ..base.clone() });
    }
    // Without the weak feature, and without a weak sample.
    let none = Plan {
        group: "no-feature".into(),
        data: Recipe {
            q: 0.0,
            ..config.data
        },
        ..base.clone()
    };
    add(config.ablation_draws, small(config.control, none.clone()));
    add(config.ablation_draws, none);
    let none = |k| Plan {
        group: "no-weak-sample".into(),
        k,
        passes: config.no_weak_passes,
        data: Recipe {
            n_weak: 0,
            ..config.data
        },
        ..base.clone()
    };
    add(config.ablation_draws, none(config.control));
    add(config.ablation_draws, none(1.4));
    for name in ABLATIONS.into_iter().skip(1) {
        let mut plan = Plan {
            group: name.into(),
            ..base.clone()
        };
        match name {
            "decay" => {
                plan.decay = Some(Decay {
                    after: config.passes / 2,
                    k: config.control,
                });
            }
            "batch-of-4" => plan.batch = 4,
            "turned-labels" => plan.data.label_noise = 0.125,
            "quadratic" => plan.rectifier = Rectifier::Quadratic,
            "plain-relu" => plan.rectifier = Rectifier::Plain,
            _ => plan.train_output = true,
        }
        add(config.ablation_draws, plan);
    }
    for i in 0..config.sweep {
        let k = 0.1 + 1.45 * i as f64 / (config.sweep - 1) as f64;
        let plan = Plan {
            group: "sweep".into(),
            k,
            // As far in steps times passes as at 1, up to twice as many.
            passes: (config.passes as f64 * (1.0 / k).clamp(1.0, 2.0)) as usize,
            ..base.clone()
        };
        add(config.sweep_draws, plan);
    }
    plans
}

pub(super) fn run(plan: &Plan, config: &Config, bench: &Bench) -> Result<Outcome, Failure> {
    // The same samples and filters for all ways to learn.
    let streams = bench.streams().child(&format!("draw {}", plan.draw));
    let features = plan.data.features(&streams)?;
    let train = plan.data.train(&features, &streams)?;
    let test = |kind| plan.data.test(&features, kind, config.n_test, &streams);
    let (weak, strong) = (test(Kind::Weak)?, test(Kind::Strong)?);
    let d = plan.data.dimension;
    let deviation = config.init / (d as f64).sqrt();
    let mut network = Network::draw(config.filters, d, deviation, &streams)?;
    network.rectifier = plan.rectifier;
    network.train_output = plan.train_output;
    // The sign of the first weak sample's label has something to learn from.
    let taught = (0..train.len()).find(|i| train.is_weak(*i));
    let free = taught.is_some_and(|i| train.labels()[i] < 0.0);
    let before = network.projection(free, features.weak());
    let settings = Settings {
        k: plan.k,
        passes: plan.passes,
        batch: plan.batch,
        decay: plan.decay,
        ..Settings::default()
    };
    let mut descent = Descent::new(network, &train, &features, settings)?;
    let shown = plan.group == "steps" && plan.draw == 0;
    let mut course = Course {
        trace: Trace::default(),
        passes: vec![],
        weak: vec![],
        strong: vec![],
    };
    let mut stopped = None;
    let parts = if shown { 30 } else { 1 };
    for part in 1..=parts {
        let until = plan.passes * part / parts;
        match descent.advance(until, &streams, bench.watch()) {
            Ok(()) => {}
            Err(e) => {
                // Death and divergence are findings; what is cancelled or refused is not.
                let message = e.to_string();
                let failure = Failure::from(e);
                if failure.group() != Group::Numerical {
                    return Err(failure);
                }
                stopped = Some(message);
                break;
            }
        }
        if shown {
            course.passes.push(until as f64);
            course.weak.push(descent.network().accuracy(&weak)?);
            course.strong.push(descent.network().accuracy(&strong)?);
        }
    }
    let standing = descent.standing().to_string();
    let (network, trace) = descent.into_parts();
    let after = network.projection(free, features.weak());
    let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
    let n = trace.oscillating.len().max(1) as f64;
    Ok(Outcome {
        plan: plan.clone(),
        standing,
        weak: network.accuracy(&weak)?,
        strong: network.accuracy(&strong)?,
        loss: last(&trace.loss),
        growth: after / before,
        shortfall: last(&trace.shortfall),
        oscillating: trace.oscillating.iter().sum::<f64>() / n,
        course: shown.then_some(Course { trace, ..course }),
        stopped,
    })
}
