//! A user's recording as trials: bins of activity and of behaviour channels.

use chiasm_core::{Failure, stats};
use chiasm_data::{Activity, Counting, DataError, Place, Recording, Traces};
use chiasm_net::models::mm_gpvae::{NeuralLikelihood, Trials};
use ndarray::{Array2, s};

use super::config::{self, FitConfig};

/// A recording in bins of one width.
#[derive(Debug)]
pub(super) struct Binned {
    /// `[bin, unit]`; NaN where nothing was sampled.
    pub neural: Array2<f32>,
    pub likelihood: NeuralLikelihood,
    /// `[bin, channel]`; NaN where nothing was sampled.
    pub behavior: Array2<f32>,
    pub channels: Vec<String>,
    /// Start of each bin, s.
    pub starts_s: Vec<f64>,
    pub bin_s: f64,
    /// First bin and number of bins of each trial.
    pub trials: Vec<(usize, usize)>,
    pub notes: Vec<String>,
}

impl Binned {
    /// These trials, padded to the longest.
    pub(super) fn trials(&self, which: &[usize]) -> Result<Trials, Failure> {
        let longest = self.trials.iter().map(|t| t.1).max().unwrap_or(0);
        let cut = |x: &Array2<f32>| -> Vec<Array2<f32>> {
            which
                .iter()
                .map(|&w| {
                    let (from, n) = self.trials[w];
                    let mut out = Array2::from_elem((longest, x.ncols()), f32::NAN);
                    out.slice_mut(s![..n, ..])
                        .assign(&x.slice(s![from..from + n, ..]));
                    out
                })
                .collect()
        };
        let behavior = (!self.channels.is_empty()).then(|| cut(&self.behavior));
        Ok(Trials::padded(
            Some(&cut(&self.neural)),
            behavior.as_deref(),
        )?)
    }

    /// Time of the middle of a bin, s.
    pub(super) fn time_s(&self, bin: usize) -> f64 {
        self.starts_s[bin] + 0.5 * self.bin_s
    }
}

pub(super) fn binned(recording: &Recording, config: &FitConfig) -> Result<Binned, Failure> {
    if recording.n_units() < 2 {
        let place = Place::dataset("units");
        return Err(DataError::invalid(place, "at least 2 units", recording.n_units()).into());
    }
    let mut data = match (recording.activity(), config.activity) {
        (Activity::Traces(t), config::Activity::Gaussian) => traces(recording, t, config)?,
        (Activity::Traces(t), config::Activity::Auto) if !are_counts(t) => {
            traces(recording, t, config)?
        }
        _ => counts(recording, config)?,
    };
    if config.model.has_behavior() {
        behavior(recording, config, &mut data)?;
    }
    let least = 2 * config.test_every;
    if data.trials.len() < least {
        let (place, what) = if config.epochs.is_empty() {
            let what = format!("at least {least} trials of {} bins", config.trial_bins);
            (Place::dataset("time"), what)
        } else {
            let what = format!("at least {least} epochs of the kind `{}`", config.epochs);
            (Place::dataset("epochs"), what)
        };
        let found = format!("{} in {} bins", data.trials.len(), data.starts_s.len());
        return Err(DataError::invalid(place, what, found)
            .with_help("lower trial_bins, bin_s or test_every")
            .into());
    }
    Ok(data)
}

/// Whether traces are whole numbers, none below 0.
fn are_counts(traces: &Traces) -> bool {
    traces.values.iter().all(|v| *v >= 0.0 && v.fract() == 0.0)
}

/// Cuts stretches of bins into trials of one length; what is left over is noted.
fn cut(
    stretches: &[(usize, usize)],
    length: usize,
    notes: &mut Vec<String>,
) -> Vec<(usize, usize)> {
    let mut rest = 0;
    let mut trials = Vec::new();
    for &(from, n) in stretches {
        rest += n % length;
        trials.extend((0..n / length).map(|i| (from + i * length, length)));
    }
    if rest > 0 {
        notes.push(format!("{rest} bins make no whole trial and are left out"));
    }
    trials
}

fn counts(recording: &Recording, config: &FitConfig) -> Result<Binned, Failure> {
    let counting = Counting {
        bin_s: (config.bin_s > 0.0).then_some(config.bin_s),
        trials: (!config.epochs.is_empty()).then(|| config.epochs.clone()),
        ..Counting::default()
    };
    let counts = counting.counts(recording).map_err(|e| {
        let traces = recording.traces().is_some();
        if traces {
            e.with_help("for traces and rates set activity=gaussian")
        } else {
            e
        }
    })?;
    let stretches: Vec<(usize, usize)> = counts.trials.iter().map(|r| (r.start, r.len())).collect();
    let starts_s = counts
        .trials
        .iter()
        .zip(&counts.starts_s)
        .flat_map(|(rows, start)| (0..rows.len()).map(move |k| start + k as f64 * counts.bin_s))
        .collect();
    let mut notes = Vec::new();
    let trials = if config.epochs.is_empty() {
        cut(&stretches, config.trial_bins, &mut notes)
    } else {
        stretches
    };
    Ok(Binned {
        neural: counts.values.mapv(|c| c as f32),
        likelihood: NeuralLikelihood::Poisson,
        behavior: Array2::zeros((counts.values.nrows(), 0)),
        channels: Vec::new(),
        starts_s,
        bin_s: counts.bin_s,
        trials,
        notes,
    })
}

/// Traces on a regular grid, each sample in the middle of its bin.
fn traces(recording: &Recording, traces: &Traces, config: &FitConfig) -> Result<Binned, Failure> {
    let (start_s, stop_s) = recording.span_s();
    let bin_s = if config.bin_s > 0.0 {
        config.bin_s
    } else {
        traces.time.median_step_s().unwrap_or(0.0)
    };
    // The last sample has a bin of its own.
    let n = ((stop_s - start_s) / bin_s + 1.0).round();
    if !(n.is_finite() && (1.0..1e7).contains(&n)) {
        let found = format!("{n} bins of {bin_s} s in {:.3} s", stop_s - start_s);
        let place = Place::dataset("time");
        return Err(
            DataError::invalid(place, "from 1 to 10 million bins", found)
                .with_help("set bin_s")
                .into(),
        );
    }
    let n = n as usize;
    let first = start_s - 0.5 * bin_s;
    let starts_s: Vec<f64> = (0..n).map(|k| first + k as f64 * bin_s).collect();
    let times = traces.time.to_vec();
    let mut neural = Array2::zeros((n, recording.n_units()));
    for (unit, column) in traces.values.columns().into_iter().enumerate() {
        let means = means(&starts_s, bin_s, &times, |i| f64::from(column[i]));
        let place = || Place::dataset("activity").unit(recording.units()[unit].name());
        let mut seen = means.iter().filter(|v| !v.is_nan());
        let Some(one) = seen.next() else {
            return Err(DataError::invalid(place(), "at least one sample", "none").into());
        };
        if seen.all(|v| v == one) {
            let found = format!("{one} throughout");
            return Err(DataError::invalid(place(), "values that vary", found)
                .with_help("leave this unit out")
                .into());
        }
        for (to, v) in neural.column_mut(unit).iter_mut().zip(means) {
            *to = v as f32;
        }
    }
    let mut notes = Vec::new();
    let trials = if config.epochs.is_empty() {
        cut(&[(0, n)], config.trial_bins, &mut notes)
    } else {
        let bin = |t: f64| ((t - first) / bin_s).round().clamp(0.0, n as f64) as usize;
        recording
            .epochs_of(&config.epochs)
            .map(|e| (bin(e.start_s), bin(e.stop_s)))
            .filter(|(from, to)| *to >= from + 2)
            .map(|(from, to)| (from, to - from))
            .collect()
    };
    Ok(Binned {
        behavior: Array2::zeros((n, 0)),
        neural,
        likelihood: NeuralLikelihood::Gaussian,
        channels: Vec::new(),
        starts_s,
        bin_s,
        trials,
        notes,
    })
}

/// Means of the samples of each bin, of those that are there; a bin without any takes the last sample before its middle if
/// that is no farther than one and a half usual steps between samples, else it is NaN. Bins and samples rise in time.
fn means(starts_s: &[f64], bin_s: f64, times: &[f64], values: impl Fn(usize) -> f64) -> Vec<f64> {
    let steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let reach = if steps.is_empty() {
        0.0
    } else {
        1.5 * stats::median(&steps)
    };
    starts_s
        .iter()
        .map(|&start| {
            // Rounding must not move a sample that lies on an edge.
            let at = |t: f64| times.partition_point(|x| *x < t - 1e-9 * bin_s);
            let inside = at(start)..at(start + bin_s);
            let there: Vec<f64> = inside.map(&values).filter(|v| v.is_finite()).collect();
            if !there.is_empty() {
                return stats::mean(&there);
            }
            let middle = start + 0.5 * bin_s;
            match times.partition_point(|t| *t <= middle).checked_sub(1) {
                Some(i) if middle - times[i] <= reach => values(i),
                _ => f64::NAN,
            }
        })
        .collect()
}

/// Adds the behaviour channels in the same bins.
fn behavior(recording: &Recording, config: &FitConfig, data: &mut Binned) -> Result<(), Failure> {
    let available: Vec<&str> = recording
        .covariates()
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    let mut columns = Vec::new();
    let wanted: Vec<&str> = if config.channels.is_empty() {
        available.clone()
    } else {
        config.channels.iter().map(String::as_str).collect()
    };
    for name in wanted {
        let place = || Place::dataset("channels");
        let Some(c) = recording.covariate(name) else {
            let help = chiasm_core::names::suggest(name, &available);
            return Err(
                DataError::invalid(place(), "a channel of the recording", name)
                    .with_help(help)
                    .into(),
            );
        };
        let times = c.time.to_vec();
        let values = means(&data.starts_s, data.bin_s, &times, |i| c.values[i]);
        let mut seen = values.iter().filter(|v| !v.is_nan());
        let first = seen.next();
        if first.is_none_or(|f| seen.all(|v| v == f)) {
            if config.channels.is_empty() {
                let note = format!("channel {name} does not vary and is left out");
                data.notes.push(note);
                continue;
            }
            let found = format!("{name}, which does not");
            return Err(DataError::invalid(place(), "a channel that varies", found).into());
        }
        data.channels.push(name.to_string());
        columns.push(values);
    }
    if columns.is_empty() {
        let place = Place::dataset("channels");
        let found = format!("{} channels in the recording", available.len());
        return Err(
            DataError::invalid(place, "at least one behavior channel that varies", found)
                .with_help("to fit neural activity alone set model.modalities=neural")
                .into(),
        );
    }
    let shape = (data.starts_s.len(), columns.len());
    data.behavior = Array2::from_shape_fn(shape, |(bin, c)| columns[c][bin] as f32);
    Ok(())
}
