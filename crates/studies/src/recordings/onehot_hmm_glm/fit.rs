//! The method on own data: which states the spike counts pass through, and which couplings each has.

use chiasm_analysis::switching::{Fold, SwitchingFit, cross_validated};
use chiasm_core::{Failure, stats};
use chiasm_data::formats::Mapping;
use chiasm_data::io::{ReadOptions, read};
use chiasm_data::{
    Activity, Counts, DataError, Draft, Epoch, Missing, Place, Recording, Traces, Unit,
};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};

use super::config::FitConfig;
use super::fit_figures;

/// Couplings in the table, by size.
const MOST_COUPLINGS: usize = 200;

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let (path, rest) = match &input.paths[..] {
        [] => {
            let place = Place::dataset("input");
            return Err(DataError::invalid(place, "one recording", "no file").into());
        }
        [path, rest @ ..] => (path, rest),
    };
    if !rest.is_empty() {
        let place = Place::dataset("input");
        let found = format!("{} files", input.paths.len());
        let error = DataError::invalid(place, "one recording", found);
        return Err(error
            .with_help("units of several recordings are not the same: fit them one by one")
            .into());
    }
    let options = ReadOptions {
        map: input
            .map
            .as_deref()
            .map(Mapping::from_argument)
            .transpose()?,
        missing: input.missing,
        ..ReadOptions::default()
    };
    let recording = read(path, &options)?;
    bench.repaired(&recording);
    let named = |failure: Failure| failure.about(path.display());
    let counts = config
        .counting
        .counts(&recording)
        .map_err(|e| e.in_file(path))?;
    if !counts.dropped.is_empty() {
        bench.note(format!(
            "silent units left out: {}",
            counts.dropped.join(", ")
        ));
    }
    let streams = bench.streams().clone();
    let fit = config
        .model
        .fit(&counts, &streams, bench.watch())
        .map_err(|e| named(e.into()))?;
    let fit = by_occupancy(&fit)?;
    let folds = if config.compare_states.is_empty() {
        vec![]
    } else {
        let trials = if counts.n_trials() < config.folds {
            counts.cut(config.folds)
        } else {
            counts.clone()
        };
        cross_validated(
            &config.model,
            &trials,
            &config.compare_states,
            config.folds,
            &streams.child("cross-validation"),
            bench.watch(),
        )
        .map_err(|e| named(e.into()))?
    };
    let path = fit
        .model
        .viterbi(&counts)
        .map_err(|e| named(e.into()))?
        .into_iter()
        .flat_map(|p| p.states)
        .collect::<Vec<usize>>();
    record(&fit, &counts, &folds, &path, bench)?;
    fit_figures::all(&fit, &counts, &folds, &path, bench)?;
    bench.recording("states", states(&fit, &counts, &path, &recording)?)?;
    Ok(summary(config, &fit, &counts, &folds))
}

/// States by their share of bins, the largest first: their numbers mean nothing else.
fn by_occupancy(fit: &SwitchingFit) -> Result<SwitchingFit, Failure> {
    let order = stats::ascending(&fit.occupancy.iter().map(|o| -o).collect::<Vec<f64>>());
    let mut name = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        name[old] = new;
    }
    Ok(fit.renamed(&name)?)
}

fn record(
    fit: &SwitchingFit,
    counts: &Counts,
    folds: &[Fold],
    path: &[usize],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let per_count = "nat per bin and unit";
    bench.metric("units", counts.n_units() as f64, "1")?;
    bench.metric("trials", counts.n_trials() as f64, "1")?;
    bench.metric("bins", counts.n_bins() as f64, "1")?;
    bench.metric("log_likelihood", fit.decoded.per_count(), per_count)?;
    bench.metric("states_visited", fit.n_visited() as f64, "1")?;
    let stay = fit.model.chain.transition().diag().to_vec();
    for (s, (occupancy, stay)) in fit.occupancy.iter().zip(&stay).enumerate() {
        bench.metric(&format!("occupancy/state_{}", s + 1), *occupancy, "1")?;
        // A state that is never left has no mean dwell.
        if *stay < 1.0 {
            bench.metric(
                &format!("mean_dwell/state_{}", s + 1),
                counts.bin_s / (1.0 - stay),
                "s",
            )?;
        }
    }
    for (k, round) in fit.rounds.iter().enumerate() {
        bench.log("log_likelihood", k as f64, round.log_likelihood);
    }
    for states in distinct(folds) {
        let name = format!("held_out/{states}_states");
        bench.metric(&name, mean_of(folds, states), per_count)?;
    }
    for warning in &fit.warnings {
        bench.note(warning.to_string());
    }
    bench.table(couplings(fit, counts))?;
    bench.table(transitions(fit))?;
    bench.table(stretches(fit, counts, path))
}

pub(super) fn distinct(folds: &[Fold]) -> Vec<usize> {
    let mut states: Vec<usize> = folds.iter().map(|f| f.states).collect();
    states.sort_unstable();
    states.dedup();
    states
}

pub(super) fn mean_of(folds: &[Fold], states: usize) -> f64 {
    let of = folds.iter().filter(|f| f.states == states);
    stats::mean(&of.map(|f| f.held_out).collect::<Vec<f64>>())
}

/// The strongest couplings of all states.
fn couplings(fit: &SwitchingFit, counts: &Counts) -> Table {
    let mut all: Vec<((usize, usize, usize), f64)> = fit
        .model
        .weights
        .indexed_iter()
        .filter(|(_, w)| **w != 0.0)
        .map(|(at, w)| (at, *w))
        .collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    let shown = all.len().min(MOST_COUPLINGS);
    let name = |u: usize| counts.units[u].name().to_owned();
    let rows = all[..shown].iter().map(|((s, i, j), w)| {
        let prior = fit.prior.as_ref().map_or_else(String::new, |p| {
            format!(
                "{:.3} / {:.3} / {:.3}",
                p[[*i, *j, 0]],
                p[[*i, *j, 1]],
                p[[*i, *j, 2]]
            )
        });
        vec![
            (s + 1).to_string(),
            name(*j),
            name(*i),
            if *w > 0.0 { "excitatory" } else { "inhibitory" }.to_owned(),
            format!("{w:.3}"),
            prior,
        ]
    });
    Table {
        id: "couplings".into(),
        title: format!("The {shown} strongest of {} couplings", all.len()),
        columns: [
            "state",
            "from",
            "to",
            "type",
            "weight (1)",
            "prior: inhibitory / none / excitatory",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    }
}

fn transitions(fit: &SwitchingFit) -> Table {
    let n = fit.model.n_states();
    let mut columns = vec!["from".to_owned()];
    columns.extend((1..=n).map(|s| format!("to state {s}")));
    let rows = fit.model.chain.transition().rows().into_iter().enumerate();
    let rows = rows.map(|(s, row)| {
        let mut cells = vec![format!("state {}", s + 1)];
        cells.extend(row.iter().map(|p| format!("{p:.4}")));
        cells
    });
    Table {
        id: "transitions".into(),
        title: "Transition probabilities from bin to bin".into(),
        columns,
        rows: rows.collect(),
    }
}

/// What each state is like: its share, its stretches, the mean rate there.
fn stretches(fit: &SwitchingFit, counts: &Counts, path: &[usize]) -> Table {
    let n = fit.model.n_states();
    let mut visits = vec![0usize; n];
    let mut bins = vec![0usize; n];
    let mut spikes = vec![0.0; n];
    for rows in &counts.trials {
        for t in rows.clone() {
            let s = path[t];
            visits[s] += usize::from(t == rows.start || path[t - 1] != s);
            bins[s] += 1;
            spikes[s] += counts
                .values
                .row(t)
                .iter()
                .map(|&c| f64::from(c))
                .sum::<f64>();
        }
    }
    let rows = (0..n).map(|s| {
        let seconds = bins[s] as f64 * counts.bin_s;
        let rate = spikes[s] / (seconds * counts.n_units() as f64);
        let or_none = |v: f64| {
            if v.is_finite() {
                format!("{v:.3}")
            } else {
                "none".into()
            }
        };
        vec![
            (s + 1).to_string(),
            format!("{:.3}", bins[s] as f64 / path.len() as f64),
            visits[s].to_string(),
            or_none(seconds / visits[s] as f64),
            or_none(rate),
        ]
    });
    Table {
        id: "states".into(),
        title: "States along the likeliest path".into(),
        columns: [
            "state",
            "share of bins",
            "visits",
            "mean visit (s)",
            "mean rate of a unit (Hz)",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    }
}

/// Probabilities of the states as traces, and the stretches of the likeliest path as epochs of the kind `state`, beside
/// the recording's own epochs and channels.
fn states(
    fit: &SwitchingFit,
    counts: &Counts,
    path: &[usize],
    recording: &Recording,
) -> Result<Recording, Failure> {
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: counts.time(),
        values: fit.decoded.posterior.mapv(|p| p as f32),
        quantity: "probability".into(),
    }));
    draft.units = (1..=fit.model.n_states())
        .map(|s| Unit {
            kind: Some("state".into()),
            ..Unit::new(format!("state {s}"))
        })
        .collect();
    draft.epochs = recording.epochs().to_vec();
    for (rows, start_s) in counts.trials.iter().zip(&counts.starts_s) {
        let mut from = rows.start;
        for t in rows.clone() {
            if t + 1 == rows.end || path[t + 1] != path[t] {
                let at = |row: usize| start_s + (row - rows.start) as f64 * counts.bin_s;
                draft.epochs.push(Epoch {
                    kind: "state".into(),
                    label: (path[t] + 1).to_string(),
                    start_s: at(from),
                    stop_s: at(t + 1),
                });
                from = t + 1;
            }
        }
    }
    draft.covariates = recording.covariates().to_vec();
    draft.session = recording.session().clone();
    draft.session.description = "probabilities of the states of a switching model".into();
    Ok(draft.validate(Missing::Refuse)?)
}

fn summary(config: &FitConfig, fit: &SwitchingFit, counts: &Counts, folds: &[Fold]) -> Findings {
    let percent: Vec<String> = fit
        .occupancy
        .iter()
        .map(|o| format!("{:.0} %", 100.0 * o))
        .collect();
    let mut findings = Findings::new(format!(
        "{} units in {} bins of {} s ({} trials), {} states: they hold {} of the bins; log-likelihood {:.4} for each bin and \
         unit.",
        counts.n_units(),
        counts.n_bins(),
        counts.bin_s,
        counts.n_trials(),
        config.model.states,
        percent.join(", "),
        fit.decoded.per_count(),
    ));
    if fit.collapsed() {
        findings = findings.and(
            "Fewer states were found than asked for: some are never visited or alike (see the remarks). Ask for fewer, or for \
             more random starts.",
        );
    }
    if let Some(best) = distinct(folds)
        .into_iter()
        .max_by(|a, b| mean_of(folds, *a).total_cmp(&mean_of(folds, *b)))
    {
        findings = findings.and(format!(
            "Held-out likelihood over {} folds is best with {best} states ({:.4} for each bin and unit).",
            config.folds,
            mean_of(folds, best)
        ));
    }
    findings
}
