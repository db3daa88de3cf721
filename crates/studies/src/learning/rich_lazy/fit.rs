//! The regime that an own weight matrix learns in, beside Gaussian weights of its norm.

use chiasm_core::{Failure, SettingError, stats};
use chiasm_data::arrays::NamedArrays;
use chiasm_data::{DataError, Place};
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_lab::{Bench, Figure, Findings, Input};
use chiasm_net::recurrent::starts;
use ndarray::{Array2, Ix2};
use std::path::Path;

use super::config::FitConfig;
use super::nets::{Measure, Moved, Plan, Source, train};
use super::report::MEASURES;

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    if input.paths.is_empty() {
        let place = Place::dataset("input");
        return Err(DataError::invalid(place, "at least one weight matrix", "no file").into());
    }
    let mut matrices = vec![];
    for path in &input.paths {
        let mut name = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        if matrices.iter().any(|(n, _)| *n == name) {
            name = format!("{name}-{}", matrices.len() + 1);
        }
        let weights = read(path, config.variable.as_deref())?;
        let weights = if config.remove_mean {
            starts::without_mean(weights.view())
        } else {
            weights
        };
        matrices.push((name, weights));
    }
    let per = 2 * config.nets;
    bench
        .watch()
        .stage("networks", (per * matrices.len()) as u64);
    let found = bench.arms(per * matrices.len(), |i, bench| {
        let (name, weights) = &matrices[i / per];
        let (own, net) = (i % 2 == 0, i % per / 2);
        let streams = bench.streams().child("networks").child(&net.to_string());
        let stage = format!("{}-{name}-net{net}", if own { "own" } else { "gaussian" });
        bench.stage(&stage, |bench| {
            let mut rng = streams.stream("weights");
            let gaussian = starts::gaussian(weights.nrows(), config.learning.gain, &mut rng)?;
            let norm = starts::norm(if config.rescale {
                gaussian.view()
            } else {
                weights.view()
            });
            let start = if own { weights } else { &gaussian };
            let start =
                starts::scaled(start.view(), norm).map_err(|e| Failure::from(e).about(name))?;
            let plan = Plan {
                source: &Source::Drawn(config.task),
                start: &start,
                iterations: config.iterations,
                batch: config.learning.batch,
                learning: &config.learning,
                streams: streams.clone(),
            };
            train(&plan, bench)
        })
    })?;
    let mut findings: Option<Findings> = None;
    for ((name, weights), found) in matrices.iter().zip(found.chunks_exact(per)) {
        let of = |own: bool| -> Vec<&Moved> {
            let each = found.iter().skip(usize::from(!own)).step_by(2);
            each.flatten().collect()
        };
        let sentence = told(
            config,
            (name, weights.nrows()),
            (&of(true), &of(false)),
            bench,
        )?;
        findings = Some(match findings {
            None => Findings::new(sentence),
            Some(all) => all.and(sentence),
        });
    }
    Ok(findings.unwrap_or_default())
}

fn read(path: &Path, variable: Option<&str>) -> Result<Array2<f64>, Failure> {
    let file = NamedArrays::open(path)?;
    let first = file.names().first().cloned();
    let name = variable.map(str::to_owned).or(first).unwrap_or_default();
    let values = file.numbers(&name)?;
    let shape = values.shape().to_vec();
    let place = || Place::dataset(name.clone()).in_file(path);
    let square = values
        .into_dimensionality::<Ix2>()
        .ok()
        .filter(|m| m.is_square() && m.nrows() >= 2);
    let Some(matrix) = square else {
        let expected = "a square matrix of weights, [from, to]";
        return Err(DataError::invalid(place(), expected, format!("{shape:?}")).into());
    };
    if let Some((i, v)) = matrix.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(DataError::invalid(place().index(i), "a finite weight", v).into());
    }
    if matrix.iter().all(|v| *v == 0.0) {
        return Err(DataError::invalid(place(), "a weight that is not 0", "zeros").into());
    }
    Ok(matrix)
}

fn told(
    config: &FitConfig,
    (name, units): (&str, usize),
    (own, gaussian): (&[&Moved], &[&Moved]),
    bench: &mut Bench,
) -> Result<String, Failure> {
    let mean = |nets: &[&Moved], of: fn(&Moved) -> f64| {
        stats::mean(&nets.iter().map(|m| of(m)).collect::<Vec<_>>())
    };
    let lost = 2 * config.nets - own.len() - gaussian.len();
    if lost > 0 {
        bench.note(format!(
            "{name}: {lost} networks left the finite numbers or fell silent, and are not counted."
        ));
    }
    if own.is_empty() || gaussian.is_empty() {
        let expected =
            "weights with which a network stays finite (see `rescale` and `learning.gain`)";
        return Err(SettingError::new("files", expected, format!("{name}: none did")).into());
    }
    for (kind, nets) in [("own", own), ("gaussian", gaussian)] {
        for (measure, of) in MEASURES {
            bench.metric(&format!("{name}/{measure}/{kind}"), mean(nets, of), "1")?;
        }
        let start: [Measure; 4] = [
            ("norm", |m| m.norm),
            ("participation", |m| m.participation),
            ("effective-rank", |m| m.effective_rank),
            ("radius", |m| m.radius),
        ];
        for (measure, of) in start {
            bench.metric(&format!("{name}/{measure}/{kind}"), mean(nets, of), "1")?;
        }
    }
    let shown: [Measure; 3] = [
        ("change of weights", |m| m.weights),
        ("alignment of codes", |m| m.representation),
        ("alignment of kernels", |m| m.kernel),
    ];
    let mut figure = Figure::new(
        &format!("regime-{}", name.to_lowercase().replace(['_', ' ', '.'], "-")),
        &format!("How {name} learns"),
        "How far learning moved weights, hidden activity and the tangent kernel, from these weights and from Gaussian ones of the same \
         norm. Mean and standard deviation over networks.",
    )
    .columns(3);
    for (what, of) in shown {
        let names = ["own", "Gaussian"].map(String::from).to_vec();
        let spread = |nets: &[&Moved]| {
            let values: Vec<f64> = nets.iter().map(|m| of(m)).collect();
            if values.len() > 1 {
                stats::sd(&values, 1)
            } else {
                0.0
            }
        };
        figure = figure.with(
            Panel::new("", Axis::categories("start", names), Axis::new(what, "1")).with(
                Mark::Bars {
                    series: String::new(),
                    x: vec![0.0, 1.0],
                    y: vec![mean(own, of), mean(gaussian, of)],
                    error: vec![spread(own), spread(gaussian)],
                },
            ),
        );
    }
    bench.figure(figure)?;
    let (a, b) = (mean(own, |m| m.kernel), mean(gaussian, |m| m.kernel));
    Ok(format!(
        "{name}, {units} units: learning keeps the tangent kernel's direction by {a:.2}, from Gaussian weights of the same norm by \
         {b:.2}: {}.",
        if a < b {
            "the richer regime"
        } else {
            "the lazier regime"
        }
    ))
}
