//! The method on own counts.

use chiasm_analysis::biclustering::{BiclusteringError, Counts, Summary};
use chiasm_analysis::partition::{adjusted_rand, by_appearance};
use chiasm_core::{Failure, TimeAxis};
use chiasm_data::io::{Mapping, ReadOptions, read};
use chiasm_data::{
    Activity, Counting, Covariate, DataError, Draft, Epoch, Missing, Place, Recording, Silent,
    Traces, Unit,
};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};
use ndarray::Array2;

use super::config::FitConfig;
use super::figures;
use super::run::{report_mixing, staged, within_and_between};

/// Width of the bins of spike times where none is asked for, s (released code).
const BIN_S: f64 = 0.5;

/// Counts of a recording with the units and times they belong to.
struct Binned {
    counts: Counts,
    units: Vec<Unit>,
    /// Start of each bin, s.
    times_s: Vec<f64>,
    bin_s: f64,
}

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let [path] = input.paths.as_slice() else {
        let found = format!("{} files", input.paths.len());
        return Err(
            DataError::invalid(Place::dataset("input"), "exactly one recording", found).into(),
        );
    };
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
    let binned = binned(config, &recording, bench).map_err(|e| e.about(path.display()))?;
    let method = &config.method;
    let named = |e: Failure| name_unit(e, &binned.units).about(path.display());
    let chains = staged("chains", method, &binned.counts, config.stages, bench).map_err(named)?;
    let summary = method.summarize(&chains)?;
    bench.metric("neurons", binned.counts.n_neurons() as f64, "1")?;
    bench.metric("bins", binned.counts.n_bins() as f64, "1")?;
    bench.metric(
        "point_clusters",
        distinct(&summary.neurons.labels) as f64,
        "1",
    )?;
    bench.metric("point_states", distinct(&summary.bins.labels) as f64, "1")?;
    report_mixing(&chains, &summary, bench)?;
    let regions = regions(&binned.units);
    let epochs = epochs(config, &recording, &binned, bench)?;
    let mut words = compare(
        &summary,
        regions.as_deref(),
        epochs.as_ref().map(|e| e.1.as_slice()),
        bench,
    )?;
    table(&summary, &binned, bench)?;
    let (groups, what) = match &regions {
        Some(r) => (r.as_slice(), "region's"),
        None => (summary.neurons.labels.as_slice(), "found"),
    };
    figures::co_clustering(&summary, groups, &summary.bins.labels, what, bench)?;
    figures::traces(method, &chains, bench)?;
    figures::counts(&summary, bench)?;
    let mut rows: Vec<(&str, &[usize])> = vec![("biclustering", &summary.bins.labels)];
    if let Some((kind, labels)) = &epochs {
        rows.insert(0, (kind, labels));
    }
    figures::ribbon(&binned.times_s, &rows, bench)?;
    figures::latents(&binned.times_s, &summary, None, bench)?;
    leave(&summary, &binned, &recording, bench)?;
    words.insert(
        0,
        format!(
            "{} neurons in {} bins of {} s: {} clusters and {} states stand for {} draws; the most frequent numbers are {} \
             and {}.",
            binned.counts.n_neurons(),
            binned.counts.n_bins(),
            binned.bin_s,
            distinct(&summary.neurons.labels),
            distinct(&summary.bins.labels),
            summary.n_draws,
            summary.modal_clusters(),
            summary.modal_states(),
        ),
    );
    Ok(words.into_iter().fold(Findings::default(), Findings::and))
}

fn distinct(labels: &[usize]) -> usize {
    labels.iter().max().map_or(0, |l| l + 1)
}

/// A fault of the method that names a neuron by position, with the unit's own name.
fn name_unit(e: Failure, units: &[Unit]) -> Failure {
    let neuron = match e.downcast_ref::<BiclusteringError>() {
        Some(
            BiclusteringError::NotACount { neuron, .. }
            | BiclusteringError::Unobserved { neuron, .. }
            | BiclusteringError::Silent { neuron, .. },
        ) => Some(*neuron),
        _ => None,
    };
    match neuron.and_then(|i| units.get(i)) {
        Some(unit) => e.about(format!("unit {}", unit.name())),
        None => e,
    }
}

fn binned(config: &FitConfig, recording: &Recording, bench: &mut Bench) -> Result<Binned, Failure> {
    if let Some(traces) = recording.traces()
        && recording.has_missing()
        && config.bin_s.is_none()
    {
        return holed(traces, recording, bench);
    }
    let bin_s = match (config.bin_s, recording.spikes()) {
        (None, Some(_)) => Some(BIN_S),
        (given, _) => given,
    };
    let counting = Counting {
        bin_s,
        silent: Silent::Drop,
        min_bins: 3,
        ..Counting::default()
    };
    let counts = counting.counts(recording)?;
    if !counts.dropped.is_empty() {
        bench.note(format!(
            "silent units left out: {}",
            counts.dropped.join(", ")
        ));
    }
    let values = counts.values.t().mapv(f64::from);
    let named = |e: BiclusteringError| name_unit(e.into(), &counts.units);
    Ok(Binned {
        counts: Counts::new(values.view()).map_err(named)?,
        times_s: counts.times_s(),
        bin_s: counts.bin_s,
        units: counts.units,
    })
}

/// Sampled counts some of which are missing: these are left to the sampler.
fn holed(traces: &Traces, recording: &Recording, bench: &mut Bench) -> Result<Binned, Failure> {
    let values = traces.values.t().mapv(f64::from);
    let named = |e: BiclusteringError| name_unit(e.into(), recording.units());
    let all = Counts::new(values.view()).map_err(named)?;
    let silent = all.silent();
    let kept: Vec<usize> = (0..values.nrows())
        .filter(|i| !silent.contains(i))
        .collect();
    let units: Vec<Unit> = kept.iter().map(|&i| recording.units()[i].clone()).collect();
    if !silent.is_empty() {
        let names: Vec<&str> = silent
            .iter()
            .map(|&i| recording.units()[i].name())
            .collect();
        bench.note(format!("silent units left out: {}", names.join(", ")));
    }
    let shown = values.select(ndarray::Axis(0), &kept);
    let missing = shown.iter().filter(|v| v.is_nan()).count();
    bench.note(format!(
        "{missing} counts are missing: the sampler does without them"
    ));
    let times_s = traces.time.to_vec();
    let bin_s = traces.time.duration_s() / (times_s.len().max(2) - 1) as f64;
    Ok(Binned {
        counts: Counts::new(shown.view())?,
        units,
        times_s,
        bin_s,
    })
}

/// The regions of the units as groups; `None` with fewer than two regions, or a unit without one.
fn regions(units: &[Unit]) -> Option<Vec<usize>> {
    let names: Vec<&str> = units
        .iter()
        .map(|u| u.region.as_deref())
        .collect::<Option<_>>()?;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let at = |name: &&str| sorted.iter().position(|s| s == name).unwrap_or(0);
    (sorted.len() > 1).then(|| names.iter().map(at).collect())
}

/// Epochs as labels of the bins: bins outside of every epoch have one of their own.
fn epochs(
    config: &FitConfig,
    recording: &Recording,
    binned: &Binned,
    bench: &mut Bench,
) -> Result<Option<(String, Vec<usize>)>, Failure> {
    let mut kinds: Vec<&str> = recording.epochs().iter().map(|e| e.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kind = match &config.epochs {
        Some(kind) if kinds.contains(&kind.as_str()) => kind.clone(),
        Some(kind) => {
            let place = Place::dataset("epochs");
            let expected = format!("epochs of the kind `{kind}`");
            return Err(DataError::invalid(place, expected, format!("kinds {kinds:?}")).into());
        }
        None if kinds.len() == 1 => kinds[0].to_owned(),
        None => return Ok(None),
    };
    let own: Vec<&Epoch> = recording.epochs_of(&kind).collect();
    let mut labels: Vec<&str> = own.iter().map(|e| e.label.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    let of_bin = |t: &f64| {
        let middle = t + 0.5 * binned.bin_s;
        own.iter()
            .find(|e| (e.start_s..e.stop_s).contains(&middle))
            .map_or(0, |e| {
                1 + labels.iter().position(|l| *l == e.label).unwrap_or(0)
            })
    };
    let found = by_appearance(&binned.times_s.iter().map(of_bin).collect::<Vec<_>>());
    if distinct(&found) < 2 {
        bench.note(format!(
            "epochs of the kind `{kind}` do not part the bins: states are not compared with them"
        ));
        return Ok(None);
    }
    Ok(Some((kind, found)))
}

/// Clusters beside regions, states beside epochs.
fn compare(
    summary: &Summary,
    regions: Option<&[usize]>,
    epochs: Option<&[usize]>,
    bench: &mut Bench,
) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    if let Some(regions) = regions {
        let rand = adjusted_rand(regions, &summary.neurons.labels)?;
        bench.metric("regions/adjusted_rand", rand, "1")?;
        if let Some((within, between)) = within_and_between(&summary.neuron_similarity, regions) {
            bench.metric("regions/within", within, "1")?;
            bench.metric("regions/between", between, "1")?;
            bench.metric("regions/within_minus_between", within - between, "1")?;
            words.push(format!(
                "Neurons of one region share a cluster with probability {within:.3}, neurons of two with {between:.3}; the \
                 adjusted Rand index of clusters and regions is {rand:.3}."
            ));
        }
    }
    if let Some(epochs) = epochs {
        let rand = adjusted_rand(epochs, &summary.bins.labels)?;
        bench.metric("epochs/adjusted_rand", rand, "1")?;
        words.push(format!(
            "The adjusted Rand index of states and epochs is {rand:.3}."
        ));
    }
    Ok(words)
}

fn table(summary: &Summary, binned: &Binned, bench: &mut Bench) -> Result<(), Failure> {
    bench.table(Table {
        id: "neurons".into(),
        title: "The point partition of the neurons; how surely each belongs to its cluster".into(),
        columns: [
            "unit",
            "region",
            "cluster",
            "mean probability of sharing it (1)",
            "dispersion (1)",
        ]
        .map(String::from)
        .to_vec(),
        rows: (0..binned.units.len())
            .map(|i| {
                let label = summary.neurons.labels[i];
                let mates: Vec<f64> = (0..binned.units.len())
                    .filter(|&j| j != i && summary.neurons.labels[j] == label)
                    .map(|j| summary.neuron_similarity[[i, j]])
                    .collect();
                let sure = if mates.is_empty() {
                    String::new()
                } else {
                    format!("{:.3}", chiasm_core::stats::mean(&mates))
                };
                vec![
                    binned.units[i].name().into(),
                    binned.units[i].region.clone().unwrap_or_default(),
                    (label + 1).to_string(),
                    sure,
                    format!("{:.3}", summary.dispersions[i]),
                ]
            })
            .collect(),
    })
}

/// The paths as a recording of their own, with the states as epochs.
fn leave(
    summary: &Summary,
    binned: &Binned,
    recording: &Recording,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let rows: Vec<(usize, usize)> = (0..summary.latents.len())
        .flat_map(|l| (0..summary.latents[l].mean.nrows()).map(move |r| (l, r)))
        .collect();
    let values = Array2::from_shape_fn((binned.times_s.len(), rows.len()), |(t, u)| {
        let (l, r) = rows[u];
        summary.latents[l].mean[[r, t]] as f32
    });
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Explicit(binned.times_s.clone()),
        values,
        quantity: "log rate".into(),
    }));
    draft.units = rows
        .iter()
        .map(|&(l, r)| {
            let label = summary.latents[l].label + 1;
            let row = if r == 0 {
                "mean path".into()
            } else {
                format!("latent {r}")
            };
            Unit {
                kind: Some("path".into()),
                ..Unit::new(format!("cluster {label}, {row}"))
            }
        })
        .collect();
    draft.covariates = vec![Covariate {
        name: "state".into(),
        unit: String::new(),
        time: TimeAxis::Explicit(binned.times_s.clone()),
        values: summary
            .bins
            .labels
            .iter()
            .map(|s| (*s + 1) as f64)
            .collect(),
    }];
    draft.epochs = recording.epochs().to_vec();
    draft.session = recording.session().clone();
    draft.session.description =
        "paths of the clusters of a biclustering, and the state of each bin".into();
    bench.recording("paths", draft.validate(Missing::Refuse)?)
}
