//! Networks of stretches of a series that look alike: heart beats (or any cycles), and windows of one length.

use chiasm_core::{SettingError, Watch, stats};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::graph::Graph;
use super::series::Series;
use super::{TimedGraph, TimeseriesGraphError};

/// Fewest beats or windows of a network.
const LEAST_NODES: usize = 10;

/// The cycle network (after Zhang & Small 2006): each beat is a node; two are joined where their courses, stretched to one
/// length, correlate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CycleNetwork {
    /// Least Pearson correlation of two joined beats, -1 to 1 (card 38, B1: 0.9, chosen).
    pub least_r: f64,
    /// Points that each beat is linearly resampled to (card 38, B1: 32, chosen).
    pub points: usize,
    /// Most beats; later ones are left out (card 38, B1: 300).
    pub max_beats: usize,
    /// Beats that start before this much time has passed since the start of the series are left out, s (card 38: 20 s of transients).
    pub skip_s: f64,
}

impl Default for CycleNetwork {
    fn default() -> Self {
        Self {
            least_r: 0.9,
            points: 32,
            max_beats: 300,
            skip_s: 20.0,
        }
    }
}

impl CycleNetwork {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// Names the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        correlation_in_range(self.least_r)?;
        let p = self.points;
        SettingError::check((3..=4096).contains(&p), "points", "3 to 4096", p)?;
        let n = self.max_beats;
        let range = LEAST_NODES..=20_000;
        SettingError::check(range.contains(&n), "max_beats", "10 to 20000", n)?;
        let s = self.skip_s;
        SettingError::check(s >= 0.0 && s.is_finite(), "skip_s", "0 or more", s)
    }

    /// The network of the beats between `onsets_s` (s, on the clock of the series); a beat lasts to the next onset. Nodes
    /// carry the time of their onset.
    ///
    /// # Errors
    /// Settings out of range; an onset outside of the series or not after the one before; fewer than 10 beats; a beat of
    /// fewer than 2 samples; a constant series.
    pub fn build(
        &self,
        series: &Series<'_>,
        onsets_s: &[f64],
        watch: &dyn Watch,
    ) -> Result<TimedGraph, TimeseriesGraphError> {
        self.validate()?;
        let (start_s, stop_s) = (series.time_s(0), series.time_s(series.len() - 1));
        for (index, &found) in onsets_s.iter().enumerate() {
            if !(start_s..=stop_s).contains(&found) {
                return Err(TimeseriesGraphError::OnsetOutside {
                    index,
                    start_s,
                    stop_s,
                    found,
                });
            }
            if index > 0 && found <= onsets_s[index - 1] {
                return Err(TimeseriesGraphError::TimeOrder {
                    index,
                    before: onsets_s[index - 1],
                    found,
                });
            }
        }
        let mut rows = Vec::new();
        let mut times_s = Vec::new();
        for (k, pair) in onsets_s.windows(2).enumerate() {
            if pair[0] < start_s + self.skip_s || times_s.len() == self.max_beats {
                continue;
            }
            let beat = first_at(series, pair[0])..first_at(series, pair[1]);
            if beat.len() < 2 {
                return Err(TimeseriesGraphError::Short {
                    what: "beat",
                    index: k,
                    least: 2,
                    found: beat.len(),
                });
            }
            rows.extend(resampled(&series.values()[beat], self.points));
            times_s.push(pair[0]);
        }
        joined(
            "beats",
            rows,
            self.points,
            times_s,
            self.least_r,
            series,
            watch,
        )
    }
}

/// The window network: windows of one length are nodes, joined where their courses correlate. Windows that overlap
/// correlate by themselves, which makes a chain of any series: keep `step_s` at `window_s` or above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowNetwork {
    /// Least Pearson correlation of two joined windows, -1 to 1 (card 38, B2: 0.9).
    pub least_r: f64,
    /// Length of a window, s (card 38, B2: 0.8).
    pub window_s: f64,
    /// From the start of a window to that of the next, s (card 38, B2: 0.8).
    pub step_s: f64,
    /// Most windows; more are refused.
    pub max_windows: usize,
}

impl Default for WindowNetwork {
    fn default() -> Self {
        Self {
            least_r: 0.9,
            window_s: 0.8,
            step_s: 0.8,
            max_windows: 20_000,
        }
    }
}

impl WindowNetwork {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// Names the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        correlation_in_range(self.least_r)?;
        for (field, s) in [("window_s", self.window_s), ("step_s", self.step_s)] {
            SettingError::check(s > 0.0 && s.is_finite(), field, "above 0", s)?;
        }
        let n = self.max_windows;
        SettingError::check(n >= LEAST_NODES, "max_windows", "at least 10", n)
    }

    /// The network of a series' windows. Nodes carry the start of their window.
    ///
    /// # Errors
    /// Settings out of range; uneven times; a window of fewer than 3 samples; fewer than 10 windows, or more than
    /// `max_windows`; a constant series.
    pub fn build(
        &self,
        series: &Series<'_>,
        watch: &dyn Watch,
    ) -> Result<TimedGraph, TimeseriesGraphError> {
        self.validate()?;
        let step_s = series.step_s("a window network")?;
        let samples = |s: f64| (s / step_s).round().min(1e15) as usize;
        let (window, step) = (samples(self.window_s), samples(self.step_s).max(1));
        if window < 3 {
            return Err(TimeseriesGraphError::Short {
                what: "window",
                index: 0,
                least: 3,
                found: window,
            });
        }
        let n = if series.len() < window {
            0
        } else {
            (series.len() - window) / step + 1
        };
        if n > self.max_windows {
            return Err(TimeseriesGraphError::TooManyNodes {
                n,
                bytes: n.saturating_mul(n) / 8,
                limit: self.max_windows * self.max_windows / 8,
            });
        }
        let starts: Vec<usize> = (0..n).map(|k| k * step).collect();
        let rows = starts.iter().flat_map(|&s| &series.values()[s..s + window]);
        let rows = rows.copied().collect();
        let times_s = starts.iter().map(|&s| series.time_s(s)).collect();
        joined(
            "windows",
            rows,
            window,
            times_s,
            self.least_r,
            series,
            watch,
        )
    }
}

fn correlation_in_range(r: f64) -> Result<(), SettingError> {
    SettingError::check((-1.0..=1.0).contains(&r), "least_r", "-1 to 1", r)
}

/// The first sample at or after this time.
fn first_at(series: &Series<'_>, time_s: f64) -> usize {
    let (mut low, mut high) = (0, series.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if series.time_s(middle) < time_s {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Linear interpolation at `points` places evenly spaced from the first to the last sample.
fn resampled(x: &[f64], points: usize) -> impl Iterator<Item = f64> + '_ {
    let scale = (x.len() - 1) as f64 / (points - 1) as f64;
    (0..points).map(move |p| {
        let at = p as f64 * scale;
        let low = (at as usize).min(x.len() - 2);
        x[low] + (at - low as f64) * (x[low + 1] - x[low])
    })
}

/// The graph of the rows that correlate; a row without variation is joined to none.
fn joined(
    what: &'static str,
    mut rows: Vec<f64>,
    width: usize,
    times_s: Vec<f64>,
    least_r: f64,
    series: &Series<'_>,
    watch: &dyn Watch,
) -> Result<TimedGraph, TimeseriesGraphError> {
    let n = times_s.len();
    if n < LEAST_NODES {
        return Err(TimeseriesGraphError::TooFew {
            what,
            least: LEAST_NODES,
            found: n,
        });
    }
    if let Some(value) = series.constant() {
        return Err(TimeseriesGraphError::Constant {
            value,
            needs: "its stretches have no correlation",
        });
    }
    let flat: Vec<bool> = rows.par_chunks_mut(width).map(standardize).collect();
    watch.stage("correlating", n as u64);
    let lists: Vec<Vec<u32>> = (0..n)
        .into_par_iter()
        .map(|j| {
            watch.check()?;
            let of = |k: usize| &rows[k * width..(k + 1) * width];
            let near = |i: &usize| !flat[*i] && dot(of(*i), of(j)) >= least_r;
            let list = if flat[j] {
                Vec::new()
            } else {
                (0..j).rev().filter(near).map(|i| i as u32).collect()
            };
            watch.tick(1);
            Ok(list)
        })
        .collect::<Result<_, chiasm_core::Cancelled>>()?;
    Ok(TimedGraph {
        graph: Graph::from_earlier(&lists),
        times_s,
    })
}

/// Scales a row to mean 0 and length 1; true where it does not vary.
fn standardize(row: &mut [f64]) -> bool {
    let mean = stats::mean(row);
    let largest = row.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    row.iter_mut().for_each(|v| *v -= mean);
    let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
    // What rounding leaves of a constant is no variation.
    if length <= 1e-12 * largest * (row.len() as f64).sqrt() {
        return true;
    }
    row.iter_mut().for_each(|v| *v /= length);
    false
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums side by side, in one order whatever the thread.
    let mut sums = [0.0f64; 4];
    let (fours, rest) = (a.chunks_exact(4), a.chunks_exact(4).remainder());
    let from = a.len() - rest.len();
    for (p, q) in fours.zip(b.chunks_exact(4)) {
        for k in 0..4 {
            sums[k] += p[k] * q[k];
        }
    }
    let tail: f64 = rest.iter().zip(&b[from..]).map(|(p, q)| p * q).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}
