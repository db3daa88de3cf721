//! Figures and tables of the method on own data.

use chiasm_analysis::connectome::communities::Connectome;
use chiasm_core::{Failure, stats};
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::figures::{matrix_panel, rank_diagnostics};
use super::fit::Animal;

pub(super) fn all(
    connectome: &Connectome,
    animals: &[Animal],
    bench: &mut Bench,
) -> Result<(), Failure> {
    for (a, animal) in animals.iter().enumerate() {
        bench.figure(overview(connectome, animals.len(), a, animal))?;
    }
    bench.figure(matrices(connectome))?;
    rank_diagnostics(connectome.choice.as_ref(), bench)?;
    for (a, animal) in animals.iter().enumerate() {
        if let Some(figure) = behavior(connectome, animals.len(), a, animal) {
            bench.figure(figure)?;
        }
    }
    atlas(connectome, animals, bench)
}

fn id(name: &str, n_animals: usize, a: usize) -> String {
    if n_animals == 1 {
        name.into()
    } else {
        format!("{name}-{}", a + 1)
    }
}

/// The component whose communities sort the traces: the one closest to behaviour, else the strongest.
fn leading(animal: &Animal) -> usize {
    let Some(test) = &animal.bout_test else {
        return 0;
    };
    let size = |c: &usize| test.z[*c].iter().fold(0.0f64, |m, z| m.max(z.abs()));
    (0..test.z.len())
        .max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a)))
        .unwrap_or(0)
}

/// Traces sorted by community, time courses of the components, and behaviour, on one time axis.
fn overview(connectome: &Connectome, n_animals: usize, a: usize, animal: &Animal) -> Figure {
    let lead = leading(animal);
    let found = &connectome.communities[lead];
    let times = &animal.times_s;
    let (first, last) = (times[0], times[times.len() - 1]);
    let axis = || Axis::new("time", "s").range(first, last);
    let bouts = || Mark::Spans {
        series: "bouts".into(),
        spans: animal.bouts.0.clone(),
    };

    // Only the units this animal shows, in the order of the communities.
    let trace_of = |unit: usize| {
        animal
            .traces
            .names
            .iter()
            .position(|n| *n == connectome.joined.names[unit])
    };
    let shown: Vec<(usize, usize)> = found
        .order
        .iter()
        .filter_map(|&u| trace_of(u).map(|t| (u, t)))
        .collect();
    let values = shown
        .iter()
        .map(|&(_, t)| {
            let x = animal.traces.values.row(t).to_vec();
            let (m, s) = (stats::mean(&x), stats::sd(&x, 0));
            x.iter()
                .map(|v| if s > 0.0 { (v - m) / s } else { 0.0 })
                .collect()
        })
        .collect();
    let labels = found.blocks.labels();
    let n = shown.len() as f64;
    let mut traces = Panel::new(
        &format!("units, sorted by the communities of component {}", lead + 1),
        axis(),
        Axis::new("unit", "1").range(n, 0.0),
    )
    .height(2.4)
    .with(Mark::Heatmap {
        series: "activity (z)".into(),
        values,
        x_range: Some((first, last)),
        y_range: Some((0.0, n)),
        color_range: Some((-2.5, 2.5)),
        diverging: true,
    });
    for k in 1..shown.len() {
        if labels[shown[k].0] != labels[shown[k - 1].0] {
            traces = traces.with(Mark::HLine {
                series: String::new(),
                y: k as f64,
            });
        }
    }
    let mut figure = Figure::new(
        &id("overview", n_animals, a),
        &format!("{}: who is active with whom, when", animal.name),
        &format!(
            "Top: every unit's trace (z-scored), sorted by the communities of component {}; lines are borders between \
             communities, the most cohesive on top. Below: the time course of each component, with bouts of behaviour \
             ({}) shaded. Bottom: behaviour.",
            lead + 1,
            animal.bouts.0.len()
        ),
    )
    .shared_x()
    .with(traces);
    for c in 0..connectome.factors.rank() {
        let verdict = animal.bout_test.as_ref().map_or(String::new(), |t| {
            let p = &t.p_family[c];
            format!(": bouts p {}, onsets p {}", p_text(p[0]), p_text(p[1]))
        });
        let weight = connectome.factors.animals[[a, c]];
        figure = figure.with(
            Panel::new(
                &format!("component {}{verdict}", c + 1),
                axis(),
                Axis::new("weight", "affinity"),
            )
            .height(0.5)
            .with(bouts())
            .with(Mark::Line {
                series: String::new(),
                x: times.clone(),
                y: connectome
                    .factors
                    .time
                    .column(c)
                    .iter()
                    .map(|v| v * weight)
                    .collect(),
            }),
        );
    }
    for name in ["velocity", "head_angle", "pumping"] {
        let Some(channel) = animal.recording.covariate(name) else {
            continue;
        };
        if !animal.channels.iter().any(|c| c == name) {
            continue;
        }
        let unit = if channel.unit.is_empty() {
            "a.u."
        } else {
            &channel.unit
        };
        figure = figure.with(
            Panel::new(
                &name.replace('_', " "),
                axis(),
                Axis::new(&name.replace('_', " "), unit),
            )
            .height(0.5)
            .with(bouts())
            .with(Mark::Line {
                series: String::new(),
                x: times.clone(),
                y: channel.at(times),
            }),
        );
    }
    figure
}

fn p_text(p: f64) -> String {
    if p < 0.001 {
        "< .001".into()
    } else {
        format!("= {p:.3}")
    }
}

fn matrices(connectome: &Connectome) -> Figure {
    let mut figure = Figure::new(
        "communities",
        "The communities of each component",
        "Pair weights of each component relative to its 99.5th percentile, units sorted by its communities, the most cohesive first; \
         lines are borders between communities.",
    )
    .columns(3);
    for (c, found) in connectome.communities.iter().enumerate() {
        let title = format!(
            "component {}: {} communities",
            c + 1,
            found.blocks.n_blocks()
        );
        figure = figure.with(matrix_panel(&title, found));
    }
    figure
}

/// Every component against bouts, onsets and channels, in standard deviations of the shifted copies.
fn behavior(
    connectome: &Connectome,
    n_animals: usize,
    a: usize,
    animal: &Animal,
) -> Option<Figure> {
    let rank = connectome.factors.rank();
    let mut rows: Vec<(String, Vec<f64>, Vec<f64>)> = Vec::new();
    if let Some(test) = &animal.bout_test {
        for (k, name) in ["bouts", "onsets"].iter().enumerate() {
            let column = |x: &[Vec<f64>]| (0..rank).map(|c| x[c][k]).collect();
            rows.push(((*name).into(), column(&test.z), column(&test.p_family)));
        }
    }
    if let Some(test) = &animal.channel_test {
        for (k, name) in animal.channels.iter().enumerate() {
            let column = |x: &[Vec<f64>]| (0..rank).map(|c| x[c][k]).collect();
            rows.push((
                name.replace('_', " "),
                column(&test.z),
                column(&test.p_family),
            ));
        }
    }
    if rows.is_empty() {
        return None;
    }
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (r, row) in rows.iter().enumerate() {
        for (c, p) in row.2.iter().enumerate() {
            if *p < 0.05 {
                x.push(c as f64);
                y.push(r as f64);
            }
        }
    }
    let names = |prefix: &str| (1..=rank).map(|c| format!("{prefix}{c}")).collect();
    let labels = vec!["*".to_string(); x.len()];
    let panel = Panel::new(
        "",
        Axis::categories("component", names("")),
        Axis::categories("behavior", rows.iter().map(|r| r.0.clone()).collect()),
    )
    .with(Mark::Heatmap {
        series: "correlation, in sd of shifted copies".into(),
        values: rows.iter().map(|r| r.1.clone()).collect(),
        x_range: None,
        y_range: None,
        color_range: Some((-5.0, 5.0)),
        diverging: true,
    })
    .with(Mark::Points {
        series: "p < .05, corrected".into(),
        x,
        y,
        labels,
    });
    Some(
        Figure::new(
            &id("behavior", n_animals, a),
            &format!("{}: what the components follow", animal.name),
            "Correlation of each component's time course with behaviour, in standard deviations of the same correlation when \
             behaviour is shifted in time around the recording. Marked: p < .05, corrected by the largest value of each \
             shift over all components and both of bouts and onsets, or over all components and channels.",
        )
        .with(panel),
    )
}

/// One row for each community: where it belongs, what its component follows, who its members are.
fn atlas(connectome: &Connectome, animals: &[Animal], bench: &mut Bench) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for (c, found) in connectome.communities.iter().enumerate() {
        let follows: Vec<String> = animals.iter().map(|a| follows(a, c)).collect();
        for (k, block) in found.by_cohesion().into_iter().enumerate() {
            let members = found.members(block);
            let cohesion = found.cohesion[block];
            let names: Vec<&str> = members
                .iter()
                .map(|&u| connectome.joined.names[u].as_str())
                .collect();
            rows.push(vec![
                (c + 1).to_string(),
                (k + 1).to_string(),
                members.len().to_string(),
                if cohesion.is_nan() {
                    "single unit".into()
                } else {
                    format!("{cohesion:.2}")
                },
                follows.join("; "),
                names.join(" "),
            ]);
        }
    }
    bench.table(Table {
        id: "atlas".into(),
        title: "Atlas of communities".into(),
        columns: [
            "component",
            "community",
            "units",
            "cohesion (relative to the component's mean)",
            "component follows (corrected p < .05)",
            "members, strongest first",
        ]
        .map(String::from)
        .to_vec(),
        rows,
    })
}

/// What a component follows in an animal, in words.
fn follows(animal: &Animal, c: usize) -> String {
    let mut found = Vec::new();
    let mut add = |name: &str, r: f64, p: f64| {
        if p < 0.05 {
            found.push(format!("{name} (r = {r:.2}, p {})", p_text(p)));
        }
    };
    if let Some(t) = &animal.bout_test {
        add("bouts", t.correlation[c][0], t.p_family[c][0]);
        add("onsets of bouts", t.correlation[c][1], t.p_family[c][1]);
    }
    if let Some(t) = &animal.channel_test {
        for (k, name) in animal.channels.iter().enumerate() {
            add(
                &name.replace('_', " "),
                t.correlation[c][k],
                t.p_family[c][k],
            );
        }
    }
    if found.is_empty() {
        "nothing".into()
    } else {
        found.join(", ")
    }
}
