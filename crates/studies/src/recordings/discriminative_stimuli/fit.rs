//! The method on own models or recordings.

use chiasm_analysis::partition::{adjusted_mutual_information, adjusted_rand};
use chiasm_core::{Failure, TimeAxis, stats};
use chiasm_data::{Activity, Draft, Missing, Traces, Unit};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};
use chiasm_probe::stimuli::Types;
use ndarray::Array2;

use super::config::FitConfig;
use super::load::{self, Known, Loaded};
use super::{figures, gallery};

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let loaded = load::load(config, input, bench)?;
    let truth = load::labels(config, input, &loaded)?;
    let normalization = load::normalization(config, &loaded, bench)?;
    if !normalization.clipped().is_empty() {
        let named: Vec<&str> = normalization
            .clipped()
            .iter()
            .take(20)
            .map(|&i| loaded.names[i].as_str())
            .collect();
        bench.note(format!(
            "{} of {} neurons hardly respond to the reference stimuli (standard deviation below 0.1, taken as 0.1): {}{}",
            normalization.clipped().len(),
            loaded.names.len(),
            named.join(", "),
            if normalization.clipped().len() > 20 { ", ..." } else { "" }
        ));
    }
    let n = loaded.names.len();
    let mut clustering = config.clustering.clone();
    if n >= 2 && clustering.clusters > n {
        bench.note(format!(
            "The clustering begins from {n} clusters, as many as there are neurons, rather than {}.",
            clustering.clusters
        ));
        clustering.clusters = n;
    }
    let types: Types = bench.stage("types", |bench| {
        let found = clustering.fit(
            &*loaded.model,
            &normalization,
            bench.streams(),
            bench.watch(),
        );
        found.map_err(|e| about(e, input))
    })?;
    record(config, &loaded, truth.as_ref(), &types, bench)?;
    leave(&types, bench)?;
    let names = match &truth {
        Some((names, labels)) => figures::names_of(&types, names, labels),
        None => (0..types.n_clusters())
            .map(|k| format!("type {}", k + 1))
            .collect(),
    };
    let gallery = if types.shape.frames > 1 {
        gallery::movies("stimuli", &types, &names)
    } else {
        gallery::images("stimuli", &types, &names)
    };
    bench.figure(gallery)?;
    bench.figure(figures::responses("responses", &types, &names))?;
    bench.figure(figures::own_course(&types))?;
    if let Some((names, labels)) = &truth {
        bench.figure(figures::confusion("confusion", &types, names, labels))?;
    }
    summary(config, &types, truth.as_ref())
}

fn about(error: chiasm_probe::stimuli::StimuliError, input: &Input) -> Failure {
    let failure = Failure::from(error);
    match input.paths.first() {
        Some(path) => failure.about(path.display()),
        None => failure,
    }
}

fn record(
    config: &FitConfig,
    loaded: &Loaded,
    truth: Option<&Known>,
    types: &Types,
    bench: &mut Bench,
) -> Result<(), Failure> {
    bench.metric("neurons", loaded.names.len() as f64, "1")?;
    bench.metric("types", types.n_clusters() as f64, "1")?;
    bench.metric("splits", types.n_splits as f64, "1")?;
    bench.metric("objective/mean", stats::mean(&types.values), "nat")?;
    let bound = (types.n_clusters() as f64).ln();
    bench.metric("objective/bound", bound, "nat")?;
    let margins = types.margins();
    if types.n_clusters() > 1 {
        bench.metric("margin/median", stats::median(&margins), "z")?;
    }
    let ambiguous = types.ambiguous(config.ambiguous_margin);
    bench.metric("ambiguous", ambiguous.len() as f64, "1")?;
    if !types.converged {
        bench.note("The clustering was stopped at its last iteration while neurons still moved.");
    }
    for (i, iteration) in types.iterations.iter().enumerate() {
        let step = (i + 1) as f64;
        bench.log("clusters", step, iteration.n_clusters as f64);
        bench.log("objective", step, iteration.mean_value);
        bench.log("neurons-moved", step, iteration.changed as f64);
        if let Some((_, labels)) = truth {
            bench.log("ari", step, adjusted_rand(labels, &iteration.labels)?);
        }
    }
    if let Some((_, labels)) = truth {
        bench.metric("ari", adjusted_rand(labels, &types.labels)?, "1")?;
        let ami = adjusted_mutual_information(labels, &types.labels)?;
        bench.metric("ami", ami, "1")?;
    }
    if let Some(fields) = &loaded.fields {
        bench.metric(
            "receptive-fields/correlation",
            stats::median(&fields.correlation),
            "1",
        )?;
        bench.metric(
            "receptive-fields/separable",
            stats::median(&fields.separable),
            "1",
        )?;
    }
    let shares = types.shares();
    let second = |i: usize| {
        let column = shares.column(i);
        (0..column.len())
            .filter(|&k| k != types.labels[i])
            .reduce(|b, k| if column[k] > column[b] { k } else { b })
    };
    let row = |i: usize| {
        let own = types.labels[i];
        let other = second(i);
        let or_none = |v: Option<String>| v.unwrap_or_default();
        vec![
            loaded.names[i].clone(),
            (own + 1).to_string(),
            format!("{:.4}", shares[[own, i]]),
            or_none(other.map(|k| (k + 1).to_string())),
            or_none(other.map(|_| format!("{:.3}", margins[i]))),
            if ambiguous.contains(&i) { "yes" } else { "" }.to_owned(),
        ]
    };
    bench.table(Table {
        id: "neurons".into(),
        title: "Type of each neuron, its share in a softmax over all stimuli, the next best type and the margin to it".into(),
        columns: ["neuron", "type", "share", "next", "margin (z)", "ambiguous"]
            .map(String::from)
            .to_vec(),
        rows: (0..loaded.names.len()).map(row).collect(),
    })
}

/// The stimuli as a recording whose units are pixels and whose samples are stimuli: NPZ in the run folder, for the display.
fn leave(types: &Types, bench: &mut Bench) -> Result<(), Failure> {
    let shape = types.shape;
    let values = Array2::from_shape_fn(types.stimuli.dim(), |(k, p)| types.stimuli[[k, p]] as f32);
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: types.n_clusters(),
        },
        values,
        quantity: "pixel".into(),
    }));
    draft.units = (0..shape.n_pixels())
        .map(|p| {
            let (y, x) = (p / shape.width % shape.height, p % shape.width);
            let frame = p / shape.n_places() % shape.frames;
            let channel = p / (shape.n_places() * shape.frames);
            Unit {
                kind: Some("pixel".into()),
                ..Unit::new(format!("{channel}:{frame}:{y}:{x}"))
            }
        })
        .collect();
    draft.session.description =
        "most discriminative stimuli: one row for each type, one column for each pixel \
         (channel:frame:line:column)"
            .into();
    bench.recording("stimuli", draft.validate(Missing::Refuse)?)
}

fn summary(config: &FitConfig, types: &Types, truth: Option<&Known>) -> Result<Findings, Failure> {
    let sizes: Vec<String> = types.sizes().iter().map(usize::to_string).collect();
    let ambiguous = types.ambiguous(config.ambiguous_margin).len();
    let mut findings = Findings::new(format!(
        "{} neurons fall into {} functional types, of {} neurons; {ambiguous} of them are ambiguous (margin below {} z).",
        types.labels.len(),
        types.n_clusters(),
        sizes.join(", "),
        config.ambiguous_margin
    ));
    if types.n_clusters() == 1 {
        findings = findings.and(
            "No stimulus drives some of the neurons and not the others: they are of one type, or too few clusters were begun \
             with.",
        );
    }
    if let Some((names, labels)) = truth {
        let ari = adjusted_rand(labels, &types.labels)?;
        findings = findings.and(format!(
            "Agreement with the {} given types: adjusted Rand index {ari:.3}.",
            names.len()
        ));
    }
    Ok(findings)
}
