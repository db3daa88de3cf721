//! The flow of singular values beside descent.

use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use chiasm_net::theory::critical_periods::{Completion, Flow, Observed, Target};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::config::FlowCheck;

/// Singular values shown.
const SHOWN: usize = 8;

/// The flow beside descent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Flows {
    /// Distance of `ds/dt` from finite differences of descent, relative to the largest, at a step of 1e-3 and of 1e-4.
    pub(super) relative: [f64; 2],
    pub(super) steps: Vec<f64>,
    /// `[time][value]`.
    pub(super) flow: Vec<Vec<f64>>,
    pub(super) descent: Vec<Vec<f64>>,
    /// Largest distance, relative to the largest singular value.
    pub(super) deviation: f64,
}

/// Finite differences of one step of descent beside the flow's velocity, at distinct singular values.
fn relative(rate: f64, depth: usize, bench: &Bench) -> Result<f64, Failure> {
    const N: usize = 12;
    let streams = bench.streams().child("velocity");
    let target = Target::random(N, 3, &mut streams.stream("target"))?;
    let seen = Observed::draw(N, N * N / 2, &mut streams.stream("seen"))?;
    let values: Vec<f64> = seen.of(&target)?;
    let mut rng = streams.stream("start");
    let draws = Array2::from_shape_simple_fn((N, N), || StandardNormal.sample(&mut rng));
    let basis = Flow::new(&draws, depth)?;
    let s: Vec<f64> = (0..N).map(|i| 3.0 / (1.0 + i as f64)).collect();
    let mut network =
        Completion::balanced((basis.left(), &s, basis.right()), depth, rate, &streams)?;
    let before = Flow::new(&network.matrix(), depth)?;
    let speed = before.velocity(&network.gradient(&seen, &values)?)?.s;
    network.descend(&seen, &values)?;
    let after = Flow::new(&network.matrix(), depth)?;
    let largest = speed.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let pairs = after.singular_values().iter().zip(before.singular_values());
    let apart = pairs
        .zip(&speed)
        .map(|((b, a), v)| ((b - a) / rate - v).abs());
    Ok(apart.fold(0.0, f64::max) / largest)
}

pub(super) fn run(config: &FlowCheck, bench: &Bench) -> Result<Flows, Failure> {
    let streams = bench.streams().child("flow");
    let n = config.side;
    let first = Target::random(n, config.rank_first, &mut streams.stream("first"))?;
    let second = Target::random(n, config.rank_second, &mut streams.stream("second"))?;
    let seen = Observed::draw(n, config.observed, &mut streams.stream("seen"))?;
    let mut rng = streams.stream("noise");
    let start = Array2::from_shape_fn((n, n), |(i, j)| {
        let draw: f64 = StandardNormal.sample(&mut rng);
        config.noise * draw + if i == j { config.init } else { 0.0 }
    });
    let mut flow = Flow::new(&start, config.depth)?;
    let parts = (flow.left(), flow.singular_values(), flow.right());
    let mut network = Completion::balanced(parts, config.depth, config.rate, &streams)?;
    let shown = SHOWN.min(n);
    let every = (config.steps / 200).max(1);
    let mut found = Flows {
        relative: [
            relative(1e-3, config.depth, bench)?,
            relative(1e-4, config.depth, bench)?,
        ],
        steps: vec![],
        flow: vec![],
        descent: vec![],
        deviation: 0.0,
    };
    for (phase, target) in [&first, &second].into_iter().enumerate() {
        let watch = Inside(bench.watch());
        let on = (&seen, target);
        let part = flow.beside(&mut network, on, shown, (config.steps, every), &watch)?;
        found.deviation = found.deviation.max(part.largest());
        let begin = (phase * config.steps) as f64;
        let steps = part.theory.steps.iter();
        found.steps.extend(steps.map(|s| begin + *s as f64));
        found.flow.extend(part.theory.readouts);
        found.descent.extend(part.simulation.readouts);
    }
    let most = found
        .descent
        .iter()
        .flatten()
        .fold(0.0f64, |m, v| m.max(*v));
    found.deviation /= most;
    Ok(found)
}
