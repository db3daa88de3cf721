//! The experiment.

use chiasm_core::Failure;
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};
use chiasm_net::theory::critical_periods::{Activation, Task};

use super::claims::{self, AT_DEPTH};
use super::config::Config;
use super::figures;
use super::flows::{self, Flows};
use super::matrices::{self, Curve, mean};
use super::paths::{self, MODES, Map, Path, Portraits};

/// Shares of modes 1 to 5 at depth 4 (card 24, works when 1): early, middle, late.
const SHARES: [[f64; 5]; 3] = [
    [0.997, 0.994, 0.983, 0.983, 0.935],
    [0.5, 0.5, 0.5, 0.5, 0.77],
    [0.5; 5],
];
/// Ends from the small start at depths 2, 3 and 4 (card 24, works when 2).
const SMALL: [[f64; 2]; 3] = [[7.2174, 2.7826], [8.7734, 1.2266], [9.2893, 0.7107]];

/// What was measured.
pub(super) struct Results {
    pub(super) paths: Vec<Path>,
    pub(super) lesion: Path,
    pub(super) map: Map,
    pub(super) portraits: Portraits,
    pub(super) curves: Vec<Curve>,
    pub(super) flows: Flows,
}

impl Results {
    pub(super) fn path(&self, depth: usize, of: Activation, onset: Option<usize>) -> Option<&Path> {
        let mut all = self.paths.iter();
        all.find(|p| p.depth == depth && p.activation == of && p.onset == onset)
    }
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let n_paths = config.paths.depths.len() * 4 + 7;
    bench.watch().stage("two pathways", n_paths as u64);
    let (paths, lesion) = bench.stage("paths", |bench| paths::all(&config.paths, bench))?;
    let map = bench.stage("map", |bench| paths::map(&config.paths, bench))?;
    let portraits = bench.stage("portraits", |bench| paths::portraits(&config.paths, bench))?;
    let curves = matrices::all(&config.matrices, bench)?;
    bench.watch().stage("flow of singular values", 0);
    let flows = bench.stage("flow", |bench| flows::run(&config.flow, bench))?;
    let results = Results {
        paths,
        lesion,
        map,
        portraits,
        curves,
        flows,
    };
    for (claim, depth) in AT_DEPTH {
        let depths = if claims::of_matrices(claim) {
            &config.matrices.depths
        } else {
            &config.paths.depths
        };
        if !depths.contains(&depth) {
            bench.not_at_this_scale(claim, format!("depth {depth} was not asked for"));
        }
    }
    pathways(&results, config, bench)?;
    completion(&results, config, bench)?;
    bench.metric("flow/relative", results.flows.relative[1], "1")?;
    let ratio = results.flows.relative[0] / results.flows.relative[1];
    bench.metric("flow/gap-ratio", ratio, "1")?;
    bench.metric("flow/deviation", results.flows.deviation, "1")?;
    for figure in figures::all(&results, config) {
        bench.figure(figure)?;
    }
    bench.table(table(&results))?;
    Ok(findings(&results, config))
}

fn pathways(results: &Results, config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let task = Task::hierarchy()?;
    let s = task.singular_values();
    let worst = |of: &mut dyn Iterator<Item = f64>| of.fold(0.0f64, f64::max);
    let mut all = results.paths.iter().chain([&results.lesion]);
    bench.metric(
        "paths/deviation",
        worst(&mut all.by_ref().map(|p| p.deviation)),
        "1",
    )?;
    let linear = |depth, onset| results.path(depth, Activation::Linear, Some(onset));
    for (when, name) in ["early", "middle", "late"].into_iter().enumerate() {
        let onset = config.paths.onsets[when];
        for depth in &config.paths.depths {
            if let Some(path) = linear(*depth, onset) {
                bench.metric(&format!("damage/{name}-depth-{depth}"), path.damage, "1")?;
            }
        }
        let Some(path) = linear(4, onset) else {
            continue;
        };
        let (a, b) = path.end();
        let share = |mode: usize| a[mode] / (a[mode] + b[mode]);
        for mode in [0, 4] {
            let metric = format!("paths/{name}-share-{}", mode + 1);
            bench.metric(&metric, share(mode), "1")?;
        }
        let expected = SHARES[when].iter().enumerate();
        let mut apart = expected.map(|(mode, e)| (share(mode) - e).abs());
        bench.metric(&format!("paths/{name}-apart"), worst(&mut apart), "1")?;
    }
    if config.paths.depths.contains(&4) {
        let ends = config.paths.onsets.iter().filter_map(|o| linear(4, *o));
        let mut apart = ends.flat_map(|p| {
            let (a, b) = p.end();
            let first = (0..5).map(move |mode| a[mode] + b[mode]);
            first.zip(s).map(|(sum, s)| (sum - s).abs())
        });
        bench.metric("paths/sum-apart", worst(&mut apart), "1")?;
    }
    let (low, high) = (
        config.paths.depths.first().copied().unwrap_or(0),
        config.paths.depths.last().copied().unwrap_or(0),
    );
    let middle = config.paths.onsets[1];
    if let (Some(low), Some(high)) = (linear(low, middle), linear(high, middle)) {
        bench.metric("paths/middle-deeper", high.damage - low.damage, "1")?;
    }
    for (name, of) in [("tanh", Activation::Tanh), ("relu", Activation::Relu)] {
        let damage = |onset| {
            results
                .path(3, of, Some(onset))
                .map_or(f64::NAN, |p| p.damage)
        };
        let [early, middle, late] = config.paths.onsets.map(damage);
        bench.metric(&format!("{name}/early"), early, "1")?;
        bench.metric(&format!("{name}/middle"), middle, "1")?;
        bench.metric(&format!("{name}/late"), late, "1")?;
        bench.metric(&format!("{name}/early-less-late"), early - late, "1")?;
    }
    let opening = results.lesion.steps.iter().position(|s| *s >= 200.0);
    let freed = |k: &Vec<f64>| k[MODES + 1] / s[1];
    let at = opening.map_or(f64::NAN, |i| freed(&results.lesion.network[i]));
    bench.metric("lesion/at-opening", at, "1")?;
    let at = results.lesion.network.last().map_or(f64::NAN, freed);
    bench.metric("lesion/at-end", at, "1")?;

    let small = results.portraits.small.iter().zip(SMALL);
    let mut apart =
        small.map(|((_, end, _), to)| (end[0] - to[0]).abs().max((end[1] - to[1]).abs()));
    bench.metric("portraits/small-apart", worst(&mut apart), "1")?;
    let late = results.portraits.small.iter();
    let mut apart = late.map(|(_, _, end)| (end[0] - end[1]).abs());
    bench.metric("portraits/small-late", worst(&mut apart), "1")?;
    let share = |depth: usize, early: bool| {
        let mut all = results.portraits.unbalanced.iter();
        let found = all.find(|(d, e, _)| *d == depth && *e == early);
        let ends = found.map_or(&[][..], |(_, _, ways)| ways);
        let each = ends.iter().filter_map(|way| way.last());
        each.map(|[a, b]| a / (a + b)).sum::<f64>() / ends.len() as f64
    };
    for depth in [2, 13] {
        for (name, early) in [("early", true), ("late", false)] {
            let metric = format!("portraits/{name}-depth-{depth}");
            bench.metric(&metric, share(depth, early), "1")?;
        }
    }
    bench.metric("portraits/deeper", share(13, true) - share(2, true), "1")?;
    let [drift, ratio, gap] = paths::exact()?;
    bench.metric("exact/drift", drift, "1")?;
    bench.metric("exact/ratio-apart", ratio, "1")?;
    bench.metric("exact/gap-apart", gap, "1")
}

fn completion(results: &Results, config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let matrices = &config.matrices;
    for depth in &matrices.depths {
        let Some((errors, _)) = mean(&results.curves, "depth", *depth as f64) else {
            continue;
        };
        let (first, last) = (errors[0], errors[errors.len() - 1]);
        let most = errors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
        bench.metric(&format!("depth-{depth}/first"), first, "1")?;
        bench.metric(&format!("depth-{depth}/last"), last, "1")?;
        bench.metric(&format!("depth-{depth}/rise"), last / first, "1")?;
        bench.metric(
            &format!("depth-{depth}/spread"),
            (most - least) / first,
            "1",
        )?;
    }
    // More harm is expected at the last value than at the first, but for observations.
    let as_numbers = |list: &[usize]| list.iter().map(|v| *v as f64).collect::<Vec<_>>();
    for (group, claim, values, sign) in [
        ("rank", "rank-worsens", as_numbers(&matrices.ranks), 1.0),
        (
            "observed",
            "few-observations-worsen",
            as_numbers(&matrices.observations),
            -1.0,
        ),
        ("init", "small-starts-worsen", matrices.inits.clone(), 1.0),
    ] {
        let harm = |value: Option<&f64>| {
            value
                .and_then(|v| mean(&results.curves, group, *v))
                .map(|(_, harm)| harm)
        };
        match (values.len(), harm(values.first()), harm(values.last())) {
            (2.., Some(first), Some(last)) => {
                bench.metric(&format!("harm/{group}-first"), first, "1")?;
                bench.metric(&format!("harm/{group}-last"), last, "1")?;
                bench.metric(&format!("sweep/{group}"), sign * (last - first), "1")?;
            }
            _ => bench.not_at_this_scale(claim, "fewer than two values were asked for"),
        }
    }
    Ok(())
}

fn table(results: &Results) -> Table {
    let rows = results.curves.iter().map(|c| {
        let errors = c.plan.switches.iter().zip(&c.errors);
        let errors: Vec<String> = errors.map(|(t, e)| format!("{t}: {e:.5}")).collect();
        vec![
            c.plan.group.clone(),
            c.plan.value.to_string(),
            c.plan.repeat.to_string(),
            c.plan.depth.to_string(),
            c.plan.observed.to_string(),
            c.plan.init.to_string(),
            errors.join(", "),
        ]
    });
    Table {
        id: "completion".into(),
        title: "Error on the second matrix after each switch".into(),
        columns: [
            "sweep",
            "value",
            "draw",
            "depth",
            "entries seen",
            "scale of the start",
            "mean squared error over all entries, by switch",
        ]
        .map(Into::into)
        .to_vec(),
        rows: rows.collect(),
    }
}

fn findings(results: &Results, config: &Config) -> Findings {
    let damage = |depth: usize| {
        let of = |onset: usize| {
            let path = results.path(depth, Activation::Linear, Some(onset));
            path.map_or(f64::NAN, |p| p.damage)
        };
        let [early, middle, late] = config.paths.onsets.map(of);
        format!("depth {depth}: {early:.2}, {middle:.2} and {late:.2}")
    };
    let damages: Vec<String> = config.paths.depths.iter().map(|d| damage(*d)).collect();
    let errors: Vec<String> = config
        .matrices
        .depths
        .iter()
        .filter_map(|depth| {
            let (errors, _) = mean(&results.curves, "depth", *depth as f64)?;
            let each: Vec<String> = errors.iter().map(|e| format!("{e:.4}")).collect();
            Some(format!("depth {depth}: {}", each.join(", ")))
        })
        .collect();
    Findings::new(format!(
        "What {} steps without learning leave of one of two pathways, early, in the middle and late (0: nothing, 1: it has no \
         part in anything); {}. Descent and its reduction are apart by {:.0e} at most.",
        config.paths.length,
        damages.join("; "),
        results.paths.iter().map(|p| p.deviation).fold(0.0, f64::max)
    ))
    .and(format!(
        "Error of a completed matrix after {:?} steps on another one (side {}, {} entries seen, mean of {} draws); {}.",
        config.matrices.switches,
        config.matrices.side,
        config.matrices.observed,
        config.matrices.repeats,
        errors.join("; ")
    ))
}
