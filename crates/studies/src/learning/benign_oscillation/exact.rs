//! What one sample does, exactly.

use chiasm_core::{Failure, Quiet, Streams};
use chiasm_lab::Bench;
use chiasm_net::theory::oscillation::{Network, OneSample, Orbit, Patches, Recipe, ScalarMap};
use chiasm_net::theory::{Dynamics, TheoryError, course, side_by_side};
use ndarray::Array3;
use serde::{Deserialize, Serialize};

/// Starts from which a network on one sample is followed.
const STARTS: usize = 8;

/// The bifurcation diagram.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Diagram {
    pub(super) k: Vec<f64>,
    pub(super) g: Vec<f64>,
}

pub(super) fn diagram() -> Result<Diagram, Failure> {
    let mut found = Diagram {
        k: vec![],
        g: vec![],
    };
    for i in 0..150 {
        let k = 0.5 + 1.098 * f64::from(i) / 149.0;
        let map = ScalarMap::new(k)?;
        let mut kept = map.orbit(0.3, 3000, 48)?;
        kept.sort_by(f64::total_cmp);
        // One point for each value of a cycle.
        kept.dedup_by(|a, b| (*a - *b).abs() < 1e-3);
        found.k.extend(kept.iter().map(|_| k));
        found.g.extend(kept);
    }
    Ok(found)
}

/// The map beside its closed forms (card 55, works when 1 and 2).
pub(super) fn map(q: f64, bench: &mut Bench) -> Result<(), Failure> {
    let (mut cycles, mut growth) = (0.0f64, 0.0f64);
    for k in [1.05, 1.1, 1.2] {
        let map = ScalarMap::new(k)?;
        let mut end = map.orbit(0.3, 100_000, 2)?;
        end.sort_by(f64::total_cmp);
        let closed = map.two_cycle().unwrap_or([f64::NAN; 2]);
        let mean = 1.0 - (end[0] + end[1]) / 2.0;
        for apart in [
            end[0] - closed[0],
            end[1] - closed[1],
            mean - map.mean_gap()?,
        ] {
            cycles = cycles.max(apart.abs());
        }
        let grown: f64 = end.iter().map(|g| 1.0 + q * k * (1.0 - g)).product();
        growth = growth.max((grown - map.weak_growth(q)).abs());
    }
    bench.metric("map/cycles-apart", cycles, "1")?;
    bench.metric("map/growth-apart", growth, "1")?;
    let end = ScalarMap::new(0.9)?.orbit(0.3, 10_000, 1)?;
    bench.metric("map/rest-apart", (end[0] - 1.0).abs(), "1")?;
    let end = ScalarMap::new(1.3)?.orbit(0.3, 100_000, 3)?;
    bench.metric("map/two-steps-apart", (end[2] - end[0]).abs(), "1")?;
    let long = ScalarMap::new(1.598)?.orbit(0.3, 0, 200_000)?;
    let highest = long.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = long.iter().copied().fold(f64::INFINITY, f64::min);
    bench.metric("map/highest", highest, "1")?;
    bench.metric("map/lowest", lowest, "1")?;
    match ScalarMap::new(1.6)?.orbit(0.3, 0, 100_000) {
        Err(TheoryError::Dead { step }) => bench.metric("map/death", step as f64, "steps"),
        Err(e) => Err(e.into()),
        // It lived: as late as it was followed.
        Ok(_) => bench.metric("map/death", 100_000.0, "steps"),
    }
}

/// A network on its one strong sample, filters of the other sign negative on it.
fn alone(k: f64, start: usize, bench: &Bench) -> Result<OneSample, Failure> {
    let streams: Streams = bench.streams().child(&format!("one sample {start}"));
    let (recipe, m) = (Recipe::default(), 8);
    let features = recipe.features(&streams)?;
    let (u, d) = (features.strong(), recipe.dimension);
    let mut filters = Network::draw(m, d, 0.1 / (d as f64).sqrt(), &streams)?
        .filters()
        .clone();
    for mut w in filters.rows_mut().into_iter().skip(m) {
        let along: f64 = w.iter().zip(u).map(|(w, u)| w * u).sum();
        if along > 0.0 {
            let turn = 2.0 * along / features.strong_norm();
            w.iter_mut().zip(u).for_each(|(w, u)| *w -= turn * u);
        }
    }
    let x = Array3::from_shape_fn((1, 1, d), |(_, _, j)| u[j]);
    let sample = Patches::new(x, vec![1.0], vec![false])?;
    let eta = k * m as f64 / (4.0 * features.strong_norm());
    Ok(OneSample::new(
        Network::from_filters(filters)?,
        sample,
        eta,
    )?)
}

/// The network on one sample beside the map (card 55, works when 3), and how its shortfall adds up (claim 1).
pub(super) fn one_sample(bench: &mut Bench) -> Result<(), Failure> {
    let apart = |k: f64, steps: usize, bench: &Bench| -> Result<Vec<f64>, Failure> {
        let each = (0..STARTS).map(|start| {
            let mut network = alone(k, start, bench)?;
            let mut map = Orbit::new(ScalarMap::new(k)?, network.readout()[0])?;
            let found = side_by_side(&mut map, &mut network, (steps, 1), &Quiet)?;
            Ok(found.largest())
        });
        each.collect()
    };
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        f64::midpoint(values[STARTS / 2 - 1], values[STARTS / 2])
    };
    let (mut typical, mut most) = (0.0f64, 0.0f64);
    for k in [0.5, 0.9, 1.1, 1.3] {
        let found = apart(k, 60, bench)?;
        most = found.iter().copied().fold(most, f64::max);
        typical = typical.max(median(found));
    }
    bench.metric("one-sample/apart", typical, "1")?;
    bench.metric("one-sample/apart-most", most, "1")?;
    let chaos = median(apart(1.5, 60, bench)?);
    bench.metric("one-sample/apart-chaos", chaos, "1")?;
    let chaos = median(apart(1.5, 40, bench)?);
    bench.metric("one-sample/apart-chaos-40", chaos, "1")?;
    let mut most = 0.0f64;
    for k in [1.05, 1.1, 1.2] {
        let mut network = alone(k, 0, bench)?;
        course(&mut network, (4000, 4000), &Quiet)?;
        let found = course(&mut network, (2000, 1), &Quiet)?;
        let gaps: f64 = found.readouts[..2000].iter().map(|g| 1.0 - g[0]).sum();
        most = most.max((gaps / 2000.0 - ScalarMap::new(k)?.mean_gap()?).abs());
    }
    bench.metric("one-sample/drift-apart", most, "1")
}
