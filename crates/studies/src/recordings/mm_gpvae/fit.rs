//! The method on own data: latents of a recording, shared with behaviour and not, and what either stream says of the other.

use chiasm_core::{Failure, TimeAxis};
use chiasm_data::{
    Activity, Covariate, DataError, Draft, Missing, Place, Recording, Session, Traces, Unit,
};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};
use chiasm_net::models::mm_gpvae::{Fitted, MmGpVae, Modalities, Posterior, Reconstruction};
use ndarray::{Array2, Array3};

use super::arms::{self, Arm};
use super::config::FitConfig;
use super::fit_figures;
use super::own::{Binned, binned};

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let recordings = input.recordings(bench)?;
    let ([path], [recording]) = (input.paths.as_slice(), recordings.as_slice()) else {
        let place = Place::dataset("input");
        let expected = "one recording of activity and behavior";
        let found = format!("{} files", input.paths.len());
        return Err(DataError::invalid(place, expected, found).into());
    };
    let about = |e: Failure| e.about(path.display());
    let data = binned(recording, config).map_err(about)?;
    for note in &data.notes {
        bench.note(note.clone());
    }
    let (test, train): (Vec<usize>, Vec<usize>) =
        (0..data.trials.len()).partition(|t| (t + 1) % config.test_every == 0);
    let (train_trials, test_trials) = (
        data.trials(&train).map_err(about)?,
        data.trials(&test).map_err(about)?,
    );
    let model = MmGpVae {
        likelihood: data.likelihood,
        ..config.model.clone()
    };
    bench.watch().stage("training", model.ticks());
    let arm = Arm {
        name: "own",
        model: model.clone(),
        trials: &train_trials,
    };
    let fitted = arms::train(&arm, config.checkpoint_epochs, bench).map_err(about)?;
    for warning in fitted.warnings() {
        bench.note(warning);
    }
    let streams = bench.streams().clone();
    let bound = fitted.bound(&test_trials, 4, &streams)?.bound;
    let train_bound = fitted.bound(&train_trials, 4, &streams)?.bound;
    bench.metric("held_out_bound", bound, "nat")?;
    bench.metric("training_bound", train_bound, "nat")?;

    // What the streams explain of themselves, and each of the other.
    let both = fitted.reconstruct(&test_trials)?;
    let mut views = vec![("both", both.clone())];
    if model.modalities == Modalities::Both {
        views.push((
            "behavior",
            fitted.reconstruct(&test_trials.without_neural()?)?,
        ));
        views.push((
            "neural",
            fitted.reconstruct(&test_trials.without_behavior()?)?,
        ));
    }
    let mut rows = Vec::new();
    for (name, made) in &views {
        let (units, channels) = explained(&data, &test, made);
        if !units.is_empty() {
            let mean = chiasm_core::stats::mean(&units);
            bench.metric(&format!("neural_r2/from_{name}"), mean, "1")?;
            rows.push(vec![
                name.to_string(),
                "neural activity".into(),
                format!("{mean:.3}"),
            ]);
        }
        for (channel, r2) in data.channels.iter().zip(&channels) {
            bench.metric(&format!("behavior_r2/from_{name}/{channel}"), *r2, "1")?;
            rows.push(vec![name.to_string(), channel.clone(), format!("{r2:.3}")]);
        }
    }
    bench.table(Table {
        id: "explained".into(),
        title: "Share of the variance of held-out trials explained".into(),
        columns: ["from", "of", "R2"].map(String::from).to_vec(),
        rows: rows.clone(),
    })?;
    let every: Vec<usize> = (0..data.trials.len()).collect();
    let all = data.trials(&every)?;
    let posterior = fitted.posterior(&all)?;
    fit_figures::all(&data, &fitted, &posterior, &test, &both, bench)?;
    leave(recording, &data, &fitted, &posterior, bench)?;
    Ok(findings(&data, &fitted, &rows, bound))
}

/// Share of the variance of held-out values that is explained, of each unit and of each channel; none of a stream that the
/// model does not explain.
fn explained(data: &Binned, test: &[usize], made: &Reconstruction) -> (Vec<f64>, Vec<f64>) {
    let of = |truth: &Array2<f32>, made: &Option<Array3<f32>>| -> Vec<f64> {
        let Some(made) = made else {
            return Vec::new();
        };
        (0..truth.ncols())
            .map(|c| {
                let (mut y, mut p) = (Vec::new(), Vec::new());
                for (i, &w) in test.iter().enumerate() {
                    let (from, n) = data.trials[w];
                    for t in 0..n {
                        let v = truth[[from + t, c]];
                        if !v.is_nan() {
                            y.push(f64::from(v));
                            p.push(f64::from(made[[i, t, c]]));
                        }
                    }
                }
                let variance = chiasm_core::stats::sd(&y, 0).powi(2);
                let error: f64 = y.iter().zip(&p).map(|(y, p)| (y - p).powi(2)).sum::<f64>();
                1.0 - error / y.len() as f64 / variance
            })
            .collect()
    };
    let finite = |v: Vec<f64>| -> Vec<f64> {
        // A channel that does not vary in the held-out trials has no variance to explain.
        v.into_iter()
            .map(|r| if r.is_finite() { r } else { 0.0 })
            .collect()
    };
    (
        finite(of(&data.neural, &made.neural)),
        finite(of(&data.behavior, &made.behavior)),
    )
}

/// Posterior means as a recording, with behaviour beside them, and posterior variances as another.
fn leave(
    recording: &Recording,
    data: &Binned,
    fitted: &Fitted,
    posterior: &Posterior,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let latents = fitted.latents();
    let bins: Vec<(usize, usize, usize)> = data
        .trials
        .iter()
        .enumerate()
        .flat_map(|(w, &(from, n))| (0..n).map(move |t| (w, t, from + t)))
        .collect();
    // Epochs may overlap or come in any order; a recording's times rise.
    let mut bins = bins;
    bins.sort_by_key(|b| b.2);
    bins.dedup_by_key(|b| b.2);
    let times: Vec<f64> = bins.iter().map(|b| data.time_s(b.2)).collect();
    for (name, values, quantity) in [
        ("latents", &posterior.mean, "posterior mean"),
        (
            "latent-variances",
            &posterior.variance,
            "posterior variance",
        ),
    ] {
        let values = Array2::from_shape_fn((bins.len(), latents.total()), |(row, p)| {
            values[[bins[row].0, bins[row].1, p]]
        });
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Explicit(times.clone()),
            values,
            quantity: quantity.into(),
        }));
        draft.units = (0..latents.total())
            .map(|p| Unit {
                kind: Some("latent".into()),
                ..Unit::new(latents.name(p))
            })
            .collect();
        draft.covariates = data
            .channels
            .iter()
            .enumerate()
            .map(|(c, name)| Covariate {
                name: name.clone(),
                unit: recording
                    .covariate(name)
                    .map_or(String::new(), |c| c.unit.clone()),
                time: TimeAxis::Explicit(times.clone()),
                values: bins
                    .iter()
                    .map(|b| f64::from(data.behavior[[b.2, c]]))
                    .collect(),
            })
            .collect();
        draft.session = Session {
            description: format!("{quantity} of latents of {}", recording.session().id),
            source: "mm-gpvae".into(),
            ..recording.session().clone()
        };
        bench.recording(name, draft.validate(Missing::Keep)?)?;
    }
    Ok(())
}

fn findings(data: &Binned, fitted: &Fitted, rows: &[Vec<String>], bound: f64) -> Findings {
    let latents = fitted.latents();
    let of = |from: &str| -> String {
        rows.iter()
            .filter(|r| r[0] == from)
            .map(|r| format!("{} {}", r[1], r[2]))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let lengths: Vec<String> = fitted
        .length_bins()
        .iter()
        .map(|l| format!("{:.2}", l * data.bin_s))
        .collect();
    Findings::new(format!(
        "{} trials of up to {} bins of {:.3} s: {} latents ({} shared), length scales {} s. The bound of held-out trials is \
         {bound:.1} nats per trial.",
        data.trials.len(),
        data.trials.iter().map(|t| t.1).max().unwrap_or(0),
        data.bin_s,
        latents.total(),
        latents.shared,
        lengths.join(", "),
    ))
    .and(
        ["both", "behavior", "neural"]
            .into_iter()
            .filter(|from| rows.iter().any(|r| r[0] == *from))
            .map(|from| format!("From {from}: {}.", of(from)))
            .fold(
                "Share of held-out variance explained (R2); what one stream says of the other goes through the shared \
                 latents."
                    .to_string(),
                |text, part| text + " " + &part,
            ),
    )
}
