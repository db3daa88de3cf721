//! From a recording to smoothed, scaled traces on a common clock.

use std::collections::BTreeMap;

use chiasm_core::{TimeAxis, stats};
use chiasm_data::{Activity, Recording, Spikes, Traces};
use ndarray::{Array2, Axis};

use super::{Affinity, AffinityError, AffinityKind, Constant};

/// Fewer frames say nothing about a time course.
const LEAST_FRAMES: usize = 10;

/// Traces on the common clock: neither smoothed nor scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockTraces {
    /// When, s after the recording's start or the epoch aligned on; whole multiples of the clock's step.
    pub time: TimeAxis,
    /// Time 0 of `time` on the recording's own clock, s.
    pub origin_s: f64,
    /// Names of the units.
    pub names: Vec<String>,
    /// `[unit, time]`; gaps are bridged by interpolation, and marked in `missing`.
    pub values: Array2<f64>,
    /// `[unit, time]`: whether the value stands in a gap too long to be bridged.
    pub missing: Array2<bool>,
}

/// What the affinity formula is applied to.
pub(super) struct Features {
    pub(super) time: TimeAxis,
    pub(super) origin_s: f64,
    pub(super) names: Vec<String>,
    /// `[time, unit]`.
    pub(super) values: Array2<f32>,
    /// `[time, unit]`.
    pub(super) missing: Array2<bool>,
}

/// The recording's traces on the clock of the settings. Spikes are counted in bins of the clock, as rates in Hz.
///
/// # Errors
/// Fewer than two units, names given twice, a unit without a usable sample, too few frames, a recording that would take
/// more memory than allowed.
pub fn on_clock(config: &Affinity, recording: &Recording) -> Result<ClockTraces, AffinityError> {
    let names: Vec<String> = recording
        .units()
        .iter()
        .map(|u| u.name().to_owned())
        .collect();
    if names.len() < 2 {
        return Err(AffinityError::TooFewUnits { found: names.len() });
    }
    let mut seen = BTreeMap::new();
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, second) {
            return Err(AffinityError::DuplicateName {
                name: name.clone(),
                first,
                second,
            });
        }
    }
    let (start_s, stop_s) = recording.span_s();
    let origin_s = match &config.align_on {
        Some(kind) => recording
            .epochs_of(kind)
            .next()
            .map_or(start_s, |e| e.start_s),
        None => start_s,
    };
    // Frames are counted from the origin: those that lie within the recording.
    let clock = config.clock_s;
    let first = ((start_s - origin_s) / clock - 1e-9).ceil();
    let last = ((stop_s - origin_s) / clock + 1e-9).floor();
    let n_frames = if last >= first {
        (last - first) as usize + 1
    } else {
        0
    };
    if n_frames < LEAST_FRAMES {
        return Err(AffinityError::TooShort {
            needed: LEAST_FRAMES,
            found: n_frames,
            clock_s: clock,
        });
    }
    let needed_gib = names.len() as f64 * n_frames as f64 * 9.0 / f64::from(1u32 << 30);
    if needed_gib > config.max_memory_gib {
        return Err(AffinityError::TooLarge {
            n_pairs: names.len() * (names.len() - 1) / 2,
            n_frames,
            needed_gib,
            allowed_gib: config.max_memory_gib,
        });
    }
    let grid: Vec<f64> = (0..n_frames)
        .map(|k| origin_s + (first + k as f64) * clock)
        .collect();
    let mut traces = ClockTraces {
        time: TimeAxis::Regular {
            start_s: first * clock,
            rate_hz: 1.0 / clock,
            len: n_frames,
        },
        origin_s,
        values: Array2::zeros((names.len(), n_frames)),
        missing: Array2::from_elem((names.len(), n_frames), false),
        names,
    };
    match recording.activity() {
        Activity::Traces(source) => resample(source, &grid, config, &mut traces)?,
        Activity::Spikes(spikes) => count(spikes, &grid, clock, &mut traces),
    }
    Ok(traces)
}

fn resample(
    source: &Traces,
    grid: &[f64],
    config: &Affinity,
    traces: &mut ClockTraces,
) -> Result<(), AffinityError> {
    let times = source.time.to_vec();
    let step = source.time.median_step_s().unwrap_or(config.clock_s);
    let longest = config.max_gap_s.max(1.5 * step);
    for u in 0..traces.names.len() {
        let column = source.values.column(u);
        let observed: Vec<(f64, f64)> = times
            .iter()
            .zip(column)
            .filter(|(_, v)| v.is_finite())
            .map(|(&t, &v)| (t, f64::from(v)))
            .collect();
        if observed.is_empty() {
            return Err(AffinityError::AllMissing {
                name: traces.names[u].clone(),
            });
        }
        // Where the clock is at least twice as coarse as the samples, their mean within each step keeps fast
        // fluctuations from folding into slow ones.
        let average = config.clock_s >= 2.0 * step;
        let (mut from, mut to) = (0, 0);
        for (k, &g) in grid.iter().enumerate() {
            if average {
                let half = config.clock_s / 2.0;
                while from < observed.len() && observed[from].0 < g - half {
                    from += 1;
                }
                to = to.max(from);
                while to < observed.len() && observed[to].0 < g + half {
                    to += 1;
                }
                if to > from {
                    let sum: f64 = observed[from..to].iter().map(|o| o.1).sum();
                    traces.values[[u, k]] = sum / (to - from) as f64;
                    continue;
                }
            }
            let (value, gap) = interpolate(&observed, g);
            traces.values[[u, k]] = value;
            traces.missing[[u, k]] = gap > longest * (1.0 + 1e-9);
        }
    }
    Ok(())
}

/// Linear interpolation between the observed samples around `t`, and the distance between those. Beyond the ends the
/// nearest sample is held, and the distance is twice that to it.
fn interpolate(observed: &[(f64, f64)], t: f64) -> (f64, f64) {
    let after = observed.partition_point(|o| o.0 < t);
    match (
        after.checked_sub(1).map(|i| observed[i]),
        observed.get(after),
    ) {
        (Some(a), Some(b)) if b.0 > t => {
            let share = (t - a.0) / (b.0 - a.0);
            (a.1 + share * (b.1 - a.1), b.0 - a.0)
        }
        (_, Some(b)) if b.0 == t => (b.1, 0.0),
        (None, Some(b)) => (b.1, 2.0 * (b.0 - t)),
        (Some(a), None) => (a.1, 2.0 * (t - a.0)),
        _ => (f64::NAN, f64::INFINITY),
    }
}

/// Firing rates in bins centered on the grid.
fn count(spikes: &Spikes, grid: &[f64], clock: f64, traces: &mut ClockTraces) {
    let origin = grid[0] - clock / 2.0;
    for (u, train) in spikes.times.iter().enumerate() {
        for &t in train {
            let bin = ((t - origin) / clock).floor();
            if bin >= 0.0 && (bin as usize) < grid.len() {
                traces.values[[u, bin as usize]] += 1.0 / clock;
            }
        }
    }
}

/// Smooths, differentiates where the kind asks for it, and scales; constant units are refused or left out.
pub(super) fn features(
    config: &Affinity,
    traces: ClockTraces,
) -> Result<(Features, Vec<String>), AffinityError> {
    let sigma = config.trace_sigma_s / config.clock_s;
    let mut kept = Vec::new();
    let mut constant = Vec::new();
    for (u, trace) in traces.values.axis_iter(Axis(0)).enumerate() {
        let smooth = stats::gaussian_smooth(&trace.to_vec(), sigma);
        let missing = traces.missing.row(u);
        match scaled(config.kind, &smooth, |t| !missing[t]) {
            Some(feature) => kept.push((u, feature)),
            None => constant.push(traces.names[u].clone()),
        }
    }
    if !constant.is_empty() && (config.constant == Constant::Refuse || kept.len() < 2) {
        return Err(AffinityError::Constant {
            names: constant,
            n_units: traces.names.len(),
        });
    }
    let shape = (traces.time.len(), kept.len());
    let features = Features {
        names: kept.iter().map(|&(u, _)| traces.names[u].clone()).collect(),
        values: Array2::from_shape_fn(shape, |(t, k)| kept[k].1[t] as f32),
        missing: Array2::from_shape_fn(shape, |(t, k)| traces.missing[[kept[k].0, t]]),
        origin_s: traces.origin_s,
        time: traces.time,
    };
    Ok((features, constant))
}

/// The feature of one smoothed trace; `None` if it never changes where it is observed.
fn scaled(
    kind: AffinityKind,
    smooth: &[f64],
    observed: impl Fn(usize) -> bool,
) -> Option<Vec<f64>> {
    let raw = match kind {
        AffinityKind::Differential => central_differences(smooth),
        _ => smooth.to_vec(),
    };
    let seen = |x: &[f64]| -> Vec<f64> {
        x.iter()
            .enumerate()
            .filter(|(t, _)| observed(*t))
            .map(|(_, v)| *v)
            .collect()
    };
    let values = seen(&raw);
    // A trace is constant if it varies by no more than rounding.
    let size = seen(smooth).iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let varies = |sd: f64| sd.is_finite() && sd > 1e-9 * size;
    let sd = stats::sd(&values, 0);
    if !varies(sd) {
        return None;
    }
    let (center, scale) = match kind {
        AffinityKind::Differential | AffinityKind::Levels => {
            let center = match kind {
                AffinityKind::Levels => stats::median(&values),
                _ => 0.0,
            };
            let deviations: Vec<f64> = values.iter().map(|v| (v - center).abs()).collect();
            let robust = stats::median(&deviations) / 0.6745;
            // A trace at rest most of the time (a sparse spike rate) has no robust scale, but is not constant.
            (center, if varies(robust) { robust } else { sd })
        }
        _ => (stats::mean(&values), sd),
    };
    Some(raw.iter().map(|v| (v - center) / scale).collect())
}

/// Central differences per step, one-sided at the ends.
fn central_differences(x: &[f64]) -> Vec<f64> {
    let last = x.len() - 1;
    (0..=last)
        .map(|t| match t {
            0 => x[1] - x[0],
            t if t == last => x[t] - x[t - 1],
            t => (x[t + 1] - x[t - 1]) / 2.0,
        })
        .collect()
}
