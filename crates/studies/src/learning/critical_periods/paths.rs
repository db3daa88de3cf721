//! Two pathways: descent beside its reduction, portraits, the map of deficits, lesions and other activations.

use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use chiasm_net::theory::critical_periods::{
    Activation, Deficit, Grid, Integrator, Portrait, Reduced, Span, Start, Task, TwoPath,
    Unfolding, damage, early_gap, exponential_ratio, sweep,
};
use chiasm_net::theory::{course, side_by_side};
use serde::{Deserialize, Serialize};

use super::config::Paths;

/// Modes of the hierarchy.
pub(super) const MODES: usize = 8;
/// Steps between readouts.
const EVERY: usize = 5;

/// One run of the pathways, with the reduction beside it where they are linear.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Path {
    pub(super) depth: usize,
    pub(super) onset: Option<usize>,
    pub(super) activation: Activation,
    pub(super) steps: Vec<f64>,
    /// `[time][K_a of all modes, then K_b]`; empty without a theory.
    pub(super) theory: Vec<Vec<f64>>,
    pub(super) network: Vec<Vec<f64>>,
    /// Largest distance between the two.
    pub(super) deviation: f64,
    pub(super) damage: f64,
}

impl Path {
    /// Strengths in both pathways at the end.
    pub(super) fn end(&self) -> (&[f64], &[f64]) {
        self.network
            .last()
            .map_or((&[], &[]), |k| k.split_at(MODES))
    }
}

/// What is to be run.
#[derive(Clone, Copy)]
struct Plan {
    depth: usize,
    activation: Activation,
    onset: Option<usize>,
    length: usize,
    lesion: Option<usize>,
}

fn follow(plan: Plan, config: &Paths, bench: &Bench) -> Result<Path, Failure> {
    let task = Task::hierarchy()?;
    let streams = bench.streams().child("pathways");
    let start = Start {
        depth: plan.depth,
        width: config.width,
        activation: plan.activation,
        ..Start::default()
    };
    let deficit = Deficit {
        gate: plan.onset.map(|start| Span {
            start,
            length: plan.length,
        }),
        lesion: plan.lesion,
    };
    let how = (config.rate, config.steps);
    let mut network = TwoPath::new(&task, &start, deficit, how, &streams)?;
    let (s, watch) = (task.singular_values(), Inside(bench.watch()));
    let (deviation, theory, found) = if plan.activation == Activation::Linear {
        let k = start.strengths(&streams)?;
        let mut theory = Reduced::new(s, &k, plan.depth, deficit, how)?;
        let found = side_by_side(&mut theory, &mut network, (config.steps, EVERY), &watch)?;
        (found.largest(), found.theory.readouts, found.simulation)
    } else {
        let found = course(&mut network, (config.steps, EVERY), &watch)?;
        (0.0, vec![], found)
    };
    let (a, b) = found.last().split_at(MODES);
    Ok(Path {
        depth: plan.depth,
        onset: plan.onset,
        activation: plan.activation,
        steps: found.steps.iter().map(|s| *s as f64).collect(),
        damage: damage(s, a, b)?,
        network: found.readouts,
        theory,
        deviation,
    })
}

/// Every depth without a deficit and with each; then every activation with each at depth 3; then the lesion.
pub(super) fn all(config: &Paths, bench: &mut Bench) -> Result<(Vec<Path>, Path), Failure> {
    let mut plans = Vec::new();
    let plan = |depth, activation, onset| Plan {
        depth,
        activation,
        onset,
        length: config.length,
        lesion: None,
    };
    for depth in &config.depths {
        plans.push(plan(*depth, Activation::Linear, None));
        let each = config.onsets.iter();
        plans.extend(each.map(|onset| plan(*depth, Activation::Linear, Some(*onset))));
    }
    for activation in [Activation::Tanh, Activation::Relu] {
        let each = config.onsets.iter();
        plans.extend(each.map(|onset| plan(3, activation, Some(*onset))));
    }
    // Card 24, A: depth 3, 200 steps from the start, mode 1.
    plans.push(Plan {
        depth: 3,
        activation: Activation::Linear,
        onset: Some(0),
        length: 200,
        lesion: Some(1),
    });
    let mut found = bench.arms(plans.len(), |i, bench| {
        bench.watch().tick(1);
        follow(plans[i], config, bench)
    })?;
    let lesion = found.remove(found.len() - 1);
    Ok((found, lesion))
}

/// What every deficit leaves: `[depth][length][onset]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Map {
    pub(super) onsets: Vec<usize>,
    pub(super) lengths: Vec<usize>,
    pub(super) damage: Vec<Vec<Vec<f64>>>,
}

pub(super) fn map(config: &Paths, bench: &Bench) -> Result<Map, Failure> {
    let task = Task::hierarchy()?;
    let start = Start {
        width: config.width,
        ..Start::default()
    };
    let k = start.strengths(&bench.streams().child("pathways"))?;
    let spread = |n: usize, most: usize| -> Vec<usize> { (1..=n).map(|i| i * most / n).collect() };
    // From 0 to 300 steps before the end.
    let last = config.steps - 300;
    let onsets: Vec<usize> = (0..config.map_onsets)
        .map(|i| i * last / config.map_onsets.max(2).saturating_sub(1))
        .collect();
    let grid = Grid {
        depths: config.depths.clone(),
        onsets,
        lengths: spread(config.map_lengths, 300),
    };
    let watch = Inside(bench.watch());
    let found = sweep(
        task.singular_values(),
        &k,
        &grid,
        (config.rate, config.steps),
        &watch,
    )?;
    let onsets = |d, l| (0..grid.onsets.len()).map(move |o| (d, l, o));
    let damage = (0..grid.depths.len())
        .map(|d| {
            let row = |l| {
                onsets(d, l)
                    .map(|(d, l, o)| found.damage(d, l, o))
                    .collect()
            };
            (0..grid.lengths.len()).map(row).collect()
        })
        .collect();
    Ok(Map {
        onsets: grid.onsets,
        lengths: grid.lengths,
        damage,
    })
}

/// Strengths of one mode in both pathways, step by step.
type Trajectory = Vec<[f64; 2]>;

/// Trajectories of one mode, S = 10 (card 24, B).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Portraits {
    /// Depth, then whether the deficit is early, with trajectories from unbalanced starts.
    pub(super) unbalanced: Vec<(usize, bool, Vec<Trajectory>)>,
    /// Depth, ends with an early and a late deficit, from the small start.
    pub(super) small: Vec<(usize, [f64; 2], [f64; 2])>,
}

pub(super) fn portraits(config: &Paths, bench: &Bench) -> Result<Portraits, Failure> {
    use rand_distr::{Distribution, StandardNormal};
    let portrait = |depth, (start, length), unfolding| Portrait {
        depth,
        s: 10.0,
        step: if unfolding == Unfolding::Small {
            0.01
        } else {
            0.001
        },
        steps: if unfolding == Unfolding::Small {
            1_000_000
        } else {
            1000
        },
        gate: Some(Span { start, length }),
        unfolding,
    };
    let mut unbalanced = Vec::new();
    for (early, gate) in [(true, (0, 15)), (false, (100, 15))] {
        for depth in [2, 5, 8, 13] {
            let mut rng = bench.streams().stream("portraits");
            let mut draw = || -> f64 {
                let draw: f64 = StandardNormal.sample(&mut rng);
                0.01 * draw
            };
            let portrait = portrait(depth, gate, Unfolding::Unbalanced);
            let ways = (0..config.trajectories)
                .map(|_| Ok(portrait.trajectory([draw(), draw()])?))
                .collect::<Result<Vec<_>, Failure>>()?;
            unbalanced.push((depth, early, ways));
        }
    }
    let small = [2, 3, 4].map(|depth| {
        let end = |gate| portrait(depth, gate, Unfolding::Small).end([0.005; 2]);
        Ok((depth, end((0, 5))?, end((500_000, 10_000))?))
    });
    Ok(Portraits {
        unbalanced,
        small: small.into_iter().collect::<Result<_, Failure>>()?,
    })
}

/// Drift of what is conserved, and distances from the closed forms, relative: continuous time by Runge and Kutta.
pub(super) fn exact() -> Result<[f64; 3], Failure> {
    const S: f64 = 2.0;
    const STEP: f64 = 1e-3;
    const CLOSED: usize = 300;
    let gate = Deficit::gate(Span {
        start: 0,
        length: CLOSED,
    });
    let (mut drift, mut ratio, mut gap) = (0.0f64, 0.0, 0.0f64);
    for (depth, k) in [(2, 1e-6), (3, 1e-4), (4, 1e-4)] {
        let theory = Reduced::new(&[S], &[k], depth, gate, (STEP, CLOSED))?;
        let mut theory = theory.by(Integrator::Rk4);
        course(&mut theory, (CLOSED, CLOSED), &chiasm_core::Quiet)?;
        let tau = STEP * CLOSED as f64;
        let before = chiasm_net::theory::Dynamics::conserved(&theory)[0];
        // Unequal from here on: now there is something to conserve.
        let rest = course(&mut theory, (400_000, 1000), &chiasm_core::Quiet)?;
        drift = drift.max(rest.drift());
        if depth == 2 {
            let found = theory.strengths(0)[0] / theory.strengths(1)[0];
            ratio = (found / exponential_ratio(S, tau) - 1.0).abs();
        } else {
            gap = gap.max((before / early_gap(depth, S, tau) - 1.0).abs());
        }
    }
    Ok([drift, ratio, gap])
}
