//! What the study shows.

use chiasm_core::Failure;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_lab::{Bench, bench::Table};
use chiasm_net::models::mm_gpvae::Fitted;
use chiasm_net::models::mm_gpvae::score::Fit;
use ndarray::{Array2, Array3};

use super::arms::{Data, infer, regress, truth};
use super::config::Config;
use super::run::Scored;

/// Held-out trials shown side by side.
const SHOWN: usize = 3;

/// Row numbers of the first trials with a break after each, and the values there.
fn in_a_row(values: &[f64], bins: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (trial, part) in values.chunks(bins).take(SHOWN).enumerate() {
        for (t, v) in part.iter().enumerate() {
            x.push((trial * bins + t) as f64);
            y.push(*v);
        }
        x.push((trial * bins + part.len()) as f64 - 0.5);
        y.push(f64::NAN);
    }
    (x, y)
}

fn line(series: &str, (x, y): (Vec<f64>, Vec<f64>)) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Images alone.
pub(super) fn single(
    config: &Config,
    _data: &Data,
    truth: &[f64],
    rows: &[(&'static str, Fit, Vec<f64>, Fitted)],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let bins = config.single_bins;
    let mut figure = Figure::new(
        "angle-from-images",
        "The angle from images alone, under four priors",
        "Held-out trials side by side: the planted angle, and the latent regressed on it, with the regression fitted on the \
         trials learned from. Above: the pruned Fourier prior; below: priors on time bins and none in time.",
    );
    let axes = || {
        (
            Axis::new("bin of the trials in a row", "bin"),
            Axis::new("angle", "deg"),
        )
    };
    for group in [&rows[..2], &rows[2..]] {
        let (x, y) = axes();
        let mut panel = Panel::new("", x, y).with(line("planted", in_a_row(truth, bins)));
        for (name, _, predicted, _) in group {
            panel = panel.with(line(name, in_a_row(predicted, bins)));
        }
        figure = figure.with(panel);
    }
    figure.shared_x = true;
    bench.figure(figure)?;
    let names: Vec<String> = rows.iter().map(|r| r.0.to_string()).collect();
    bench.figure(
        Figure::new(
            "priors",
            "What the prior gains",
            "Share of the angle's variance on held-out trials that the latent tells, and the objective in training; each \
             prior's own objective, so that only its course compares.",
        )
        .with(
            Panel::new(
                "",
                Axis::categories("prior", names),
                Axis::new("R2 of the angle", "1").range(0.0, 1.0),
            )
            .with(Mark::Bars {
                series: String::new(),
                x: (0..rows.len()).map(|i| i as f64).collect(),
                y: rows.iter().map(|r| r.1.r2.max(0.0)).collect(),
                error: vec![],
            })
            .with(Mark::HLine {
                series: "card's bar".into(),
                y: 0.85,
            }),
        )
        .with(bounds(rows.iter().map(|r| (r.0, &r.3)))),
    )
}

fn bounds<'a>(arms: impl Iterator<Item = (&'static str, &'a Fitted)>) -> Panel {
    let mut panel = Panel::new(
        "",
        Axis::new("epoch", "1"),
        Axis::new("bound above its start", "nat per trial"),
    );
    for (name, fitted) in arms {
        let trace = &fitted.training().trace;
        let start = trace.first().map_or(0.0, |e| e.bound);
        panel = panel.with(Mark::Line {
            series: name.into(),
            x: (1..=trace.len()).map(|e| e as f64).collect(),
            y: trace.iter().map(|e| e.bound - start).collect(),
        });
    }
    panel
}

/// Counts and images together.
pub(super) fn both(
    config: &Config,
    data: &Data,
    arms: &[Scored],
    bench: &mut Bench,
) -> Result<(), Failure> {
    latents(config, data, &arms[0], bench)?;
    rates(data, arms, bench)?;
    strips(config, data, arms, bench)?;
    training(arms, bench)?;
    sweep(config, data, &arms[0], bench)?;
    let cell = |v: Option<f64>, digits: usize| v.map_or("-".into(), |v| format!("{v:.digits$}"));
    bench.table(Table {
        id: "held-out".into(),
        title: "Held-out trials by mode".into(),
        columns: [
            "mode",
            "bound (nat per trial)",
            "log-likelihood (nat per spike)",
            "image error (grey levels squared)",
            "length scales (bins)",
        ]
        .map(String::from)
        .to_vec(),
        rows: arms
            .iter()
            .map(|a| {
                let lengths: Vec<String> = a
                    .fitted
                    .length_bins()
                    .iter()
                    .map(|l| format!("{l:.1}"))
                    .collect();
                vec![
                    a.name.into(),
                    format!("{:.1}", a.bound),
                    cell(a.log_likelihood, 4),
                    cell(a.image_mse, 1),
                    lengths.join(", "),
                ]
            })
            .collect(),
    })
}

fn latents(config: &Config, data: &Data, mm: &Scored, bench: &mut Bench) -> Result<(), Failure> {
    let inferred = infer(&mm.fitted, &data.train, &data.test)?;
    let [own, shared, other] = mm.fitted.latents().blocks();
    let bins = config.data.n_bins;
    let mut figure = Figure::new(
        "latents",
        "Planted latents and what was inferred",
        "Held-out trials side by side: each planted latent, and the posterior mean of the latents of its place regressed on \
         it, with two posterior standard deviations. The regression is fitted on the trials learned from.",
    );
    for (columns, target, scale, label, unit) in [
        (shared, 0, config.data.degrees, "angle (shared)", "deg"),
        (own, 1, 1.0, "neural only", "1"),
        (other, 2, 1.0, "zoom (behavior only)", "1"),
    ] {
        if columns.is_empty() {
            continue;
        }
        let of = |l: &Array3<f64>| truth(l, target, scale);
        let (train, test) = (of(&data.train_latents), of(&data.test_latents));
        let (fit, predicted, map) = regress(&inferred, columns.clone(), &train, &test)?;
        let deviation: Vec<f64> = (0..predicted.len())
            .map(|row| {
                let variance: f64 = columns
                    .clone()
                    .enumerate()
                    .map(|(i, c)| {
                        let v = inferred.test.variance[[row / bins, row % bins, c]];
                        map.weights[[i, 0]].powi(2) * f64::from(v)
                    })
                    .sum();
                2.0 * variance.sqrt()
            })
            .collect();
        let edge = |sign: f64| -> Vec<f64> {
            let moved = predicted.iter().zip(&deviation);
            moved.map(|(p, d)| p + sign * d).collect()
        };
        let (x, low) = in_a_row(&edge(-1.0), bins);
        let (_, high) = in_a_row(&edge(1.0), bins);
        figure = figure.with(
            Panel::new(
                &format!("R2 = {:.3}", fit.r2),
                Axis::new("bin of the trials in a row", "bin"),
                Axis::new(label, unit),
            )
            .with(Mark::Band {
                series: "posterior".into(),
                x,
                low,
                high,
            })
            .with(line("planted", in_a_row(&test.column(0).to_vec(), bins)))
            .with(line("inferred", in_a_row(&predicted, bins))),
        );
    }
    figure.shared_x = true;
    bench.figure(figure)
}

fn rates(data: &Data, arms: &[Scored], bench: &mut Bench) -> Result<(), Failure> {
    let Some(rates) = &arms[0].rates else {
        return Ok(());
    };
    let (_, bins, units) = rates.dim();
    let matrix = |x: &Array3<f32>| -> Vec<Vec<f64>> {
        (0..units)
            .map(|u| {
                (0..SHOWN.min(x.dim().0))
                    .flat_map(|trial| (0..bins).map(move |t| (trial, t)))
                    .map(|(trial, t)| f64::from(x[[trial, t, u]]))
                    .collect()
            })
            .collect()
    };
    let panel = |title: &str, x: &Array3<f32>| {
        Panel::new(
            title,
            Axis::new("bin of the trials in a row", "bin"),
            Axis::new("neuron", "1"),
        )
        .with(Mark::Heatmap {
            series: "count (1)".into(),
            values: matrix(x),
            x_range: None,
            y_range: None,
            color_range: Some((0.0, 8.0)),
            diverging: false,
        })
    };
    bench.figure(
        Figure::new(
            "rates",
            "Counts, and the expected counts that the latents explain",
            "Held-out trials side by side. Above: counts; below: the model's expected counts.",
        )
        .with(panel("counts", &data.test_counts))
        .with(panel("expected", rates)),
    )
}

/// Some bins of one held-out trial, as it is and as each model makes it.
fn strips(config: &Config, data: &Data, arms: &[Scored], bench: &mut Bench) -> Result<(), Failure> {
    let size = config.data.size;
    let frames = 8.min(config.data.n_bins);
    let strip = |x: &Array3<f32>| -> Vec<Vec<f64>> {
        (0..size)
            .map(|row| {
                (0..frames)
                    .flat_map(|f| {
                        let t = f * config.data.n_bins / frames;
                        (0..size).map(move |column| (t, column))
                    })
                    .map(|(t, column)| f64::from(x[[0, t, row * size + column]]))
                    .collect()
            })
            .collect()
    };
    let mut figure = Figure::new(
        "images",
        "Images, and what the models make of them",
        "Bins of one held-out trial from left to right: the images, and those decoded from the posterior mean.",
    );
    let shown = arms
        .iter()
        .filter_map(|a| a.images.as_ref().map(|i| (a.name, i)));
    for (name, images) in [("images", &data.test_images)].into_iter().chain(shown) {
        figure = figure.with(picture(name, strip(images)));
    }
    bench.figure(figure)
}

fn picture(title: &str, values: Vec<Vec<f64>>) -> Panel {
    Panel::new(
        title,
        Axis::new("column", "pixel"),
        Axis::new("row", "pixel"),
    )
    .with(Mark::Heatmap {
        series: "grey level (1)".into(),
        values,
        x_range: None,
        y_range: None,
        color_range: Some((0.0, 255.0)),
        diverging: false,
    })
}

fn training(arms: &[Scored], bench: &mut Bench) -> Result<(), Failure> {
    let mut lengths = Panel::new(
        "",
        Axis::new("epoch", "1"),
        Axis::new("length scale", "bin"),
    );
    let mut spectrum = Panel::new(
        "",
        Axis::new("frequency", "cycles per bin"),
        Axis::new("prior variance", "1").log(),
    );
    for a in arms {
        let trace = &a.fitted.training().trace;
        lengths = lengths.with(Mark::Line {
            series: a.name.into(),
            x: (1..=trace.len()).map(|e| e as f64).collect(),
            y: trace.iter().map(|e| e.length_bins).collect(),
        });
        let (x, y) = a.fitted.spectrum().into_iter().unzip();
        spectrum = spectrum.with(Mark::Line {
            series: a.name.into(),
            x,
            y,
        });
    }
    bench.figure(
        Figure::new(
            "training",
            "Training of the models of counts and images",
            "The objective above its start, the length scale of the latents (planted: see the settings), and the prior \
             variance of each Fourier frequency at the end.",
        )
        .with(bounds(arms.iter().map(|a| (a.name, &a.fitted))))
        .with(lengths)
        .with(spectrum),
    )
}

/// Images decoded while one latent goes from one end of its range to the other and the others rest at their mean.
fn sweep(config: &Config, data: &Data, mm: &Scored, bench: &mut Bench) -> Result<(), Failure> {
    let latents = mm.fitted.latents();
    let posterior = mm.fitted.posterior(&data.train)?;
    let (size, frames) = (config.data.size, 8);
    let mut figure = Figure::new(
        "sweep",
        "What each latent of the images does",
        "Images decoded while one latent goes from two standard deviations below its mean to two above, and the others rest \
         at their means.",
    );
    let first = latents.neural - latents.shared;
    let stats: Vec<(f64, f64)> = (first..latents.total())
        .map(|c| {
            let column: Vec<f64> = posterior
                .mean
                .index_axis(ndarray::Axis(2), c)
                .iter()
                .map(|v| f64::from(*v))
                .collect();
            (
                chiasm_core::stats::mean(&column),
                chiasm_core::stats::sd(&column, 0),
            )
        })
        .collect();
    for (k, latent) in (first..latents.total()).enumerate() {
        let z = Array2::from_shape_fn((frames, latents.behavior), |(f, c)| {
            let (mean, sd) = stats[c];
            let along = 4.0 * f as f64 / (frames - 1) as f64 - 2.0;
            (mean + if c == k { along * sd } else { 0.0 }) as f32
        });
        let Some(images) = mm.fitted.decode_behavior(&z)? else {
            continue;
        };
        let values = (0..size)
            .map(|row| {
                (0..frames)
                    .flat_map(|f| (0..size).map(move |column| (f, column)))
                    .map(|(f, column)| f64::from(images[[f, row * size + column]]))
                    .collect()
            })
            .collect();
        figure = figure.with(picture(&latents.name(latent), values));
    }
    bench.figure(figure)
}
