//! Counts from a recording: spikes in bins, trial by trial, as models of spike counts take them.
//!
//! Spike times are counted in bins of one width. Sampled traces are taken as counts where every sample is a whole number
//! of 0 or more (a simulation's counts, a file of binned spikes); then a sample is a bin, or several make one.
//! Trials are the epochs of one kind; without them the recording is one trial, parted where samples are missing in time.
//!
//! ```
//! use chiasm_data::generate::{SpikeAssemblies, spike_assemblies};
//! use chiasm_data::Counting;
//! let (recording, _) = spike_assemblies(&SpikeAssemblies::default(), &chiasm_core::Streams::new(1))?;
//! let counts = Counting { bin_s: Some(0.02), ..Counting::default() }.counts(&recording)?;
//! assert_eq!(counts.values.dim(), (15_000, 60));
//! # Ok::<(), chiasm_data::DataError>(())
//! ```

use std::ops::Range;

use chiasm_core::{SettingError, TimeAxis};
use ndarray::{Array2, ArrayView2, Axis, s};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{DataError, Place};
use crate::recording::{Activity, Recording, Spikes, Traces, Unit};

/// The width of bins of spike times where none is set, s.
const DEFAULT_BIN_S: f64 = 0.02;
/// Counts above this are no counts of spikes: a trace that happens to be whole, or a slip in the bin.
const LARGEST: f32 = 1e6;
/// More cells than this are refused: a slip in the bin would otherwise fill the memory.
const MAX_CELLS: f64 = 5e8;
/// A sample that comes later than so many usual steps after the last begins a new trial.
const GAP: f64 = 1.5;

/// What to do with a unit that never fires in the bins used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Silent {
    /// Refuse the recording, naming the unit.
    #[default]
    Refuse,
    /// Leave the unit out, and list it.
    Drop,
    /// Keep it: for models that have a prior on rates.
    Keep,
}

/// How a recording becomes counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Counting {
    /// Width of a bin, s. Without one: 0.02 s for spike times; for sampled counts the samples as they are.
    pub bin_s: Option<f64>,
    /// Kind of the epochs that are trials, such as `trial`; history does not pass from one to the next. Without one the
    /// recording is one trial.
    pub trials: Option<String>,
    /// What to do with a unit that never fires: `refuse`, `drop` or `keep`.
    pub silent: Silent,
    /// The fewest bins a trial must have.
    pub min_bins: usize,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            bin_s: None,
            trials: None,
            silent: Silent::Refuse,
            min_bins: 2,
        }
    }
}

/// Counts of units in bins, trial by trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// `[bin, unit]`, the trials below each other.
    pub values: Array2<u32>,
    /// The rows of each trial: none is empty, and together they are all rows in order.
    pub trials: Vec<Range<usize>>,
    /// Start of each trial's first bin, s.
    pub starts_s: Vec<f64>,
    /// Label of each trial; empty where it has none.
    pub labels: Vec<String>,
    /// Width of a bin, s.
    pub bin_s: f64,
    /// The units, in the order of the columns.
    pub units: Vec<Unit>,
    /// Names of silent units that were left out.
    pub dropped: Vec<String>,
}

impl Counting {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        if let Some(bin_s) = self.bin_s {
            let holds = bin_s.is_finite() && bin_s > 0.0;
            SettingError::check(holds, "bin_s", "a finite width above 0 s", bin_s)?;
        }
        SettingError::check(self.min_bins > 0, "min_bins", "at least 1", self.min_bins)
    }

    /// Counts of this recording.
    ///
    /// # Errors
    /// [`DataError::Setting`]; [`DataError::Invalid`] with unit and index for samples that are missing, negative, not
    /// whole or above a million, for a silent unit (see [`Silent`]), for a trial outside of the recording, overlapping
    /// the one before or of too few bins, and where no epoch is of the kind asked for.
    pub fn counts(&self, recording: &Recording) -> Result<Counts, DataError> {
        self.validate()?;
        let spans = self.spans(recording)?;
        let mut counts = match recording.activity() {
            Activity::Spikes(spikes) => self.of_spikes(spikes, spans),
            Activity::Traces(traces) => self.of_traces(traces, recording.units(), spans),
        }?;
        counts.units = recording.units().to_vec();
        self.treat_silent(&mut counts)?;
        Ok(counts)
    }

    /// The epochs that are trials, by start, none overlapping the next; `None` without trials.
    fn spans(&self, recording: &Recording) -> Result<Option<Vec<Span>>, DataError> {
        let Some(kind) = &self.trials else {
            return Ok(None);
        };
        let spans: Vec<Span> = recording
            .epochs_of(kind)
            .map(|e| Span {
                start_s: e.start_s,
                stop_s: e.stop_s,
                label: e.label.clone(),
            })
            .collect();
        let place = || Place::dataset(format!("epochs `{kind}`"));
        if spans.is_empty() {
            let mut kinds: Vec<&str> = recording.epochs().iter().map(|e| e.kind.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let found = if kinds.is_empty() {
                "no epochs at all".into()
            } else {
                format!("epochs of the kinds {}", kinds.join(", "))
            };
            return Err(DataError::invalid(place(), "at least one", found)
                .with_help("set `trials` to a kind that is there, or leave it out"));
        }
        for (i, pair) in spans.windows(2).enumerate() {
            // Rounding of times written as decimal numbers is no overlap.
            if pair[1].start_s < pair[0].stop_s - 1e-6 {
                let expected = format!("a start at or after {} s", pair[0].stop_s);
                let found = format!("{} s", pair[1].start_s);
                return Err(DataError::invalid(place().index(i + 1), expected, found));
            }
        }
        Ok(Some(spans))
    }

    fn of_spikes(&self, spikes: &Spikes, spans: Option<Vec<Span>>) -> Result<Counts, DataError> {
        let bin_s = self.bin_s.unwrap_or(DEFAULT_BIN_S);
        let spans = spans.unwrap_or_else(|| {
            vec![Span {
                start_s: spikes.start_s,
                stop_s: spikes.stop_s,
                label: String::new(),
            }]
        });
        let mut counts = Counts::empty(bin_s);
        let mut n_rows = 0;
        for (i, span) in spans.iter().enumerate() {
            if span.start_s < spikes.start_s - 1e-6 || span.stop_s > spikes.stop_s + 1e-6 {
                let expected = format!(
                    "a trial within the recording, {} to {} s",
                    spikes.start_s, spikes.stop_s
                );
                let found = format!("{} to {} s", span.start_s, span.stop_s);
                return Err(DataError::invalid(trial(i, span), expected, found));
            }
            // A whole number of bins may come out a hair short in floating point.
            let n_bins = ((span.stop_s - span.start_s) / bin_s + 1e-6).floor() as usize;
            self.long_enough(i, span, n_bins)?;
            counts.push(span, n_rows..n_rows.saturating_add(n_bins));
            n_rows = n_rows.saturating_add(n_bins);
        }
        let cells = n_rows as f64 * spikes.times.len() as f64;
        if cells > MAX_CELLS {
            let expected = format!("a bin that gives at most {MAX_CELLS:e} counts");
            let found = format!("{bin_s} s, which gives {cells:.1e}");
            return Err(DataError::invalid(Place::dataset("bin_s"), expected, found));
        }
        counts.values = Array2::zeros((n_rows, spikes.times.len()));
        for (rows, start_s) in counts.trials.iter().zip(&counts.starts_s) {
            for (u, train) in spikes.times.iter().enumerate() {
                let first = train.partition_point(|t| t < start_s);
                for t in &train[first..] {
                    let bin = ((t - start_s) / bin_s) as usize;
                    if bin >= rows.len() {
                        break;
                    }
                    counts.values[[rows.start + bin, u]] += 1;
                }
            }
        }
        Ok(counts)
    }

    fn of_traces(
        &self,
        traces: &Traces,
        units: &[Unit],
        spans: Option<Vec<Span>>,
    ) -> Result<Counts, DataError> {
        whole(traces, units)?;
        let step_s = traces.time.median_step_s().unwrap_or(1.0);
        let per_bin = self.samples_per_bin(step_s)?;
        let times = traces.time.to_vec();
        let pieces: Vec<(Span, Range<usize>)> = match spans {
            Some(spans) => spans
                .into_iter()
                .map(|span| {
                    // A sample stands for the step that follows it.
                    let at = |t: f64| times.partition_point(|x| *x < t - 1e-6 * step_s.max(1e-3));
                    let rows = at(span.start_s)..at(span.stop_s);
                    (span, rows)
                })
                .collect(),
            None => without_gaps(&times, step_s),
        };
        let mut counts = Counts::empty(step_s * per_bin as f64);
        let mut n_rows = 0;
        for (i, (span, rows)) in pieces.iter().enumerate() {
            let n_bins = rows.len() / per_bin;
            self.long_enough(i, span, n_bins)?;
            counts.push(span, n_rows..n_rows + n_bins);
            n_rows += n_bins;
        }
        counts.values = Array2::zeros((n_rows, units.len()));
        for (to, (_, from)) in counts.trials.iter().zip(&pieces) {
            for (bin, row) in to.clone().enumerate() {
                let first = from.start + bin * per_bin;
                for sample in traces.values.slice(s![first..first + per_bin, ..]).rows() {
                    for (sum, v) in counts.values.row_mut(row).iter_mut().zip(sample) {
                        *sum += *v as u32;
                    }
                }
            }
        }
        Ok(counts)
    }

    fn samples_per_bin(&self, step_s: f64) -> Result<usize, DataError> {
        let Some(bin_s) = self.bin_s else {
            return Ok(1);
        };
        let ratio = bin_s / step_s;
        let whole = ratio.round();
        if whole >= 1.0 && (ratio - whole).abs() < 0.01 && whole < 1e9 {
            Ok(whole as usize)
        } else {
            let expected = format!("a whole number of samples of {step_s:.6} s");
            let place = Place::dataset("bin_s");
            Err(DataError::invalid(place, expected, format!("{bin_s} s"))
                .with_help("leave `bin_s` out to take every sample as a bin"))
        }
    }

    fn long_enough(&self, i: usize, span: &Span, n_bins: usize) -> Result<(), DataError> {
        if n_bins >= self.min_bins {
            return Ok(());
        }
        let expected = format!("at least {} bins", self.min_bins);
        Err(DataError::invalid(trial(i, span), expected, n_bins))
    }

    fn treat_silent(&self, counts: &mut Counts) -> Result<(), DataError> {
        if self.silent == Silent::Keep {
            return Ok(());
        }
        let fires = |u: &usize| counts.values.column(*u).iter().any(|c| *c > 0);
        let (kept, silent): (Vec<usize>, Vec<usize>) =
            (0..counts.units.len()).partition(|u| fires(u));
        let Some(&first) = silent.first() else {
            return Ok(());
        };
        let place = Place::dataset("counts");
        if self.silent == Silent::Refuse {
            let place = place.unit(counts.units[first].name());
            return Err(
                DataError::invalid(place, "at least one spike", "a silent unit")
                    .with_help("leave silent units out with silent=drop"),
            );
        }
        if kept.is_empty() {
            return Err(DataError::invalid(place, "at least one spike", "silence"));
        }
        counts.dropped = silent
            .iter()
            .map(|&u| counts.units[u].name().to_owned())
            .collect();
        counts.values = counts.values.select(Axis(1), &kept);
        counts.units = kept.iter().map(|&u| counts.units[u].clone()).collect();
        Ok(())
    }
}

impl Counts {
    fn empty(bin_s: f64) -> Self {
        Self {
            values: Array2::zeros((0, 0)),
            trials: vec![],
            starts_s: vec![],
            labels: vec![],
            bin_s,
            units: vec![],
            dropped: vec![],
        }
    }

    fn push(&mut self, span: &Span, rows: Range<usize>) {
        self.trials.push(rows);
        self.starts_s.push(span.start_s);
        self.labels.push(span.label.clone());
    }

    /// Bins of all trials.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.values.nrows()
    }

    /// Number of units.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.values.ncols()
    }

    /// Number of trials.
    #[must_use]
    pub fn n_trials(&self) -> usize {
        self.trials.len()
    }

    /// Counts of one trial, `[bin, unit]`. Panics beyond the last trial.
    #[must_use]
    pub fn trial(&self, i: usize) -> ArrayView2<'_, u32> {
        self.values.slice(s![self.trials[i].clone(), ..])
    }

    /// The same counts with only the trials at these positions, in this order.
    ///
    /// # Errors
    /// If the list is empty or a position lies beyond the last trial.
    pub fn select_trials(&self, idx: &[usize]) -> Result<Self, DataError> {
        let place = Place::dataset("trials");
        if idx.is_empty() {
            return Err(DataError::invalid(place, "at least one trial", "none"));
        }
        if let Some(&bad) = idx.iter().find(|&&i| i >= self.n_trials()) {
            let expected = format!("a position below {}", self.n_trials());
            return Err(DataError::invalid(place, expected, bad));
        }
        let mut selected = Self {
            units: self.units.clone(),
            dropped: self.dropped.clone(),
            ..Self::empty(self.bin_s)
        };
        let mut rows = Vec::new();
        for &i in idx {
            let from = rows.len();
            rows.extend(self.trials[i].clone());
            selected.trials.push(from..rows.len());
            selected.starts_s.push(self.starts_s[i]);
            selected.labels.push(self.labels[i].clone());
        }
        selected.values = self.values.select(Axis(0), &rows);
        Ok(selected)
    }

    /// The same counts with every trial cut into `pieces` of one length (the last may be longer): what a model of trials
    /// takes for folds where a recording has none. Trials shorter than `pieces` bins stay whole.
    #[must_use]
    pub fn cut(&self, pieces: usize) -> Self {
        let mut cut = Self {
            trials: vec![],
            starts_s: vec![],
            labels: vec![],
            ..self.clone()
        };
        for (i, rows) in self.trials.iter().enumerate() {
            let n = if rows.len() < pieces {
                1
            } else {
                pieces.max(1)
            };
            let length = rows.len() / n;
            for k in 0..n {
                let from = rows.start + k * length;
                let to = if k + 1 == n { rows.end } else { from + length };
                cut.trials.push(from..to);
                cut.starts_s
                    .push(self.starts_s[i] + (from - rows.start) as f64 * self.bin_s);
                cut.labels.push(self.labels[i].clone());
            }
        }
        cut
    }

    /// Start of each bin, s, trial after trial.
    #[must_use]
    pub fn times_s(&self) -> Vec<f64> {
        let of = |(rows, start): (&Range<usize>, &f64)| -> Vec<f64> {
            (0..rows.len())
                .map(|k| start + k as f64 * self.bin_s)
                .collect()
        };
        self.trials
            .iter()
            .zip(&self.starts_s)
            .flat_map(of)
            .collect()
    }

    /// The bins' starts as a time axis: regular where there is one trial.
    #[must_use]
    pub fn time(&self) -> TimeAxis {
        match &self.starts_s[..] {
            [start_s] => TimeAxis::Regular {
                start_s: *start_s,
                rate_hz: 1.0 / self.bin_s,
                len: self.n_bins(),
            },
            _ => TimeAxis::Explicit(self.times_s()),
        }
    }
}

struct Span {
    start_s: f64,
    stop_s: f64,
    label: String,
}

fn trial(i: usize, span: &Span) -> Place {
    let name = if span.label.is_empty() {
        "trial".to_owned()
    } else {
        format!("trial {}", span.label)
    };
    Place::dataset(name).index(i)
}

/// Refuses samples that are no counts.
fn whole(traces: &Traces, units: &[Unit]) -> Result<(), DataError> {
    for ((t, u), &v) in traces.values.indexed_iter() {
        if (0.0..=LARGEST).contains(&v) && v.fract() == 0.0 {
            continue;
        }
        let place = Place::dataset("traces").unit(units[u].name()).index(t);
        let (expected, found) = if v.is_nan() {
            ("a count", "a missing sample".to_owned())
        } else if v < 0.0 {
            ("a count of 0 or more", v.to_string())
        } else if v > LARGEST {
            ("a count of at most a million", v.to_string())
        } else {
            ("a whole number, as counts are", v.to_string())
        };
        return Err(DataError::invalid(place, expected, found)
            .with_help("this method takes spike times or spike counts, not continuous traces"));
    }
    Ok(())
}

/// Runs of samples without a gap in time.
fn without_gaps(times: &[f64], step_s: f64) -> Vec<(Span, Range<usize>)> {
    let mut starts = vec![0];
    starts.extend((1..times.len()).filter(|&i| times[i] - times[i - 1] > GAP * step_s));
    starts.push(times.len());
    starts
        .windows(2)
        .map(|w| {
            let span = Span {
                start_s: times[w[0]],
                stop_s: times[w[1] - 1] + step_s,
                label: String::new(),
            };
            (span, w[0]..w[1])
        })
        .collect()
}

#[cfg(test)]
mod tests;
