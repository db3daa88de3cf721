//! Linear-nonlinear models from a recording and the frames that were shown.
//!
//! The receptive field of each unit is the ridge regression of its response on the frames of the last few moments,
//! w = (X'X / n + r v I)^-1 X'y / n (v the mean variance of a pixel; a large r gives the response-weighted mean of the
//! frames). Its best approximation by one filter in space times one in time, and a fitted gain and offset, give a model
//! whose stimuli are in standard deviations of a pixel.

use chiasm_core::{Watch, stats};
use chiasm_data::{Activity, Recording};
use ndarray::{Array2, Array3, ArrayView1, Axis, s};

use super::product::{times, times_transposed};
use super::{
    LinearNonlinear, Movie, MovieFilters, Nonlinearity, ResponseModel, StimuliError, StimulusShape,
};

/// Share of the frames, at the end, that predictions are tested on.
const HELD_OUT: f64 = 0.2;
/// Iterations of conjugate gradients, and the relative residual at which they stop.
const MOST_ITERATIONS: usize = 50;
const TOLERANCE: f64 = 1e-6;

/// Frames that were shown, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// `[frame, line, column]`.
    pub values: Array3<f64>,
    /// Onset of each, s, ascending.
    pub times_s: Vec<f64>,
}

/// How receptive fields are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regression {
    /// Lags, frames.
    pub lags: usize,
    /// Ridge penalty, in the mean variance of a pixel.
    pub ridge: f64,
    /// What makes a response of a drive.
    pub nonlinearity: Nonlinearity,
    /// Shift each field to the center of the frame.
    pub center: bool,
    /// Units whose predictions on held-out frames correlate less than this with their responses are left out.
    pub least_correlation: f64,
}

/// Receptive fields of units.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceptiveFields {
    /// Units that are kept, by their position in the recording.
    pub units: Vec<usize>,
    /// In space `[unit, line * column]`, of unit norm.
    pub space: Array2<f64>,
    /// In time `[unit, lag]`; lag 0 is the present frame.
    pub time: Array2<f64>,
    /// Gains and offsets.
    pub gains: Vec<f64>,
    /// See `gains`.
    pub offsets: Vec<f64>,
    /// Correlation of predicted and measured responses on held-out frames.
    pub correlation: Vec<f64>,
    /// Share of each field's square that one filter in space times one in time holds.
    pub separable: Vec<f64>,
    /// Units left out, each with its correlation: NaN where the response is constant.
    pub left_out: Vec<(usize, f64)>,
    /// Lines and columns of a frame.
    pub size: (usize, usize),
    /// What makes a response of a drive.
    pub nonlinearity: Nonlinearity,
}

fn fault(what: &str, expected: String, found: String, help: &'static str) -> StimuliError {
    StimuliError::Frames {
        what: what.into(),
        expected,
        found,
        help,
    }
}

/// Responses `[frame, unit]` of the frames that lie within the recording, which are returned by their range. Of traces the
/// mean over each frame (or, where none was sampled during it, the last sample before), of spikes their number.
///
/// # Errors
/// If frames and times do not match, times do not ascend, a sample is missing, or fewer than `least` frames lie within
/// the recording.
pub fn responses(
    recording: &Recording,
    frames: &Frames,
    least: usize,
) -> Result<(std::ops::Range<usize>, Array2<f64>), StimuliError> {
    let times = &frames.times_s;
    let n = frames.values.len_of(Axis(0));
    if times.len() != n || n < 2 {
        let help = "give one time for each frame, and at least 2 frames";
        let found = format!("{} times of {n} frames", times.len());
        return Err(fault(
            "frame times",
            format!("{n}, at least 2"),
            found,
            help,
        ));
    }
    if let Some(i) = times.windows(2).position(|w| w[0] >= w[1] || w[1].is_nan()) {
        let found = format!("{} after {} at frame {}", times[i + 1], times[i], i + 1);
        let help = "times are the onsets of the frames, in s";
        return Err(fault("frame times", "ascending times".into(), found, help));
    }
    if let Some((i, v)) = frames.values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        let help = "leave out or fill in missing pixels";
        return Err(fault(
            "frames",
            "finite pixels".into(),
            format!("{v} at {i:?}"),
            help,
        ));
    }
    let (start, stop) = recording.span_s();
    let steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let step = stats::median(&steps);
    let end_of = |i: usize| times.get(i + 1).copied().unwrap_or(times[i] + step);
    let first = times.partition_point(|&t| t < start);
    let last = (first..n).take_while(|&i| end_of(i) <= stop + step).count() + first;
    if last - first < least {
        let found = format!(
            "{} (frames from {:.3} to {:.3} s, recording from {start:.3} to {stop:.3} s)",
            last - first,
            times[0],
            times[n - 1]
        );
        let help = "frames and recording must share a clock, and overlap for long enough";
        let expected = format!("at least {least} frames within the recording");
        return Err(fault("frames", expected, found, help));
    }
    let mut out = Array2::zeros((last - first, recording.n_units()));
    match recording.activity() {
        Activity::Spikes(spikes) => {
            for (u, train) in spikes.times.iter().enumerate() {
                for i in first..last {
                    let from = train.partition_point(|&t| t < times[i]);
                    let to = train.partition_point(|&t| t < end_of(i));
                    out[[i - first, u]] = (to - from) as f64;
                }
            }
        }
        Activity::Traces(traces) => {
            if recording.has_missing() {
                let help = "fill in missing samples with --missing interpolate";
                return Err(fault(
                    "traces",
                    "no missing sample".into(),
                    "NaN".into(),
                    help,
                ));
            }
            let at = traces.time.to_vec();
            for (i, &onset) in times.iter().enumerate().take(last).skip(first) {
                let from = at.partition_point(|&t| t < onset);
                let to = at.partition_point(|&t| t < end_of(i));
                let rows = if to > from {
                    from..to
                } else {
                    // Sampled more slowly than frames were shown.
                    let held = from.saturating_sub(1);
                    held..held + 1
                };
                let length = rows.len() as f64;
                for (o, column) in out
                    .row_mut(i - first)
                    .iter_mut()
                    .zip(traces.values.columns())
                {
                    let part = column.slice(s![rows.clone()]);
                    *o = part.iter().map(|&v| f64::from(v)).sum::<f64>() / length;
                }
            }
        }
    }
    Ok((first..last, out))
}

/// Fits a receptive field to each unit of a recording.
///
/// # Errors
/// Those of [`responses`]; frames that do not vary; fewer than 2 units that are kept; [`StimuliError::Cancelled`].
pub fn fit(
    recording: &Recording,
    frames: &Frames,
    how: &Regression,
    watch: &dyn Watch,
) -> Result<ReceptiveFields, StimuliError> {
    let least = 20 * how.lags.max(1);
    let (range, responses) = responses(recording, frames, least)?;
    let (_, height, width) = frames.values.dim();
    let shown = frames.values.slice(s![range, .., ..]);
    let places = height * width;
    let flat: Vec<f64> = shown.iter().copied().collect();
    let mut x = Array2::from_shape_vec((responses.nrows(), places), flat).unwrap_or_default();
    let mean = x.mean_axis(Axis(0)).unwrap_or_default();
    x -= &mean;
    let variance = x.iter().map(|v| v * v).sum::<f64>() / x.len().max(1) as f64;
    if variance <= 0.0 || variance.is_nan() {
        let help = "frames must differ from each other";
        let found = "the same frame at all times".into();
        return Err(fault("frames", "frames that vary".into(), found, help));
    }
    x /= variance.sqrt();
    let n_train = ((1.0 - HELD_OUT) * x.nrows() as f64) as usize;
    let (varying, mut left_out) = varying(&responses, n_train);
    let mut y = responses.select(Axis(1), &varying);
    for mut column in y.columns_mut() {
        let train = column.slice(s![..n_train]).to_vec();
        let (m, sd) = (stats::mean(&train), stats::sd(&train, 0));
        column.mapv_inplace(|v| (v - m) / sd);
    }
    let design = Design {
        x: x.slice(s![..n_train, ..]).to_owned(),
        lags: how.lags,
        ridge: how.ridge,
    };
    let fields = design.solve(&y.slice(s![..n_train, ..]).to_owned(), watch)?;
    let mut found = ReceptiveFields {
        units: vec![],
        space: Array2::zeros((0, places)),
        time: Array2::zeros((0, how.lags)),
        gains: vec![],
        offsets: vec![],
        correlation: vec![],
        separable: vec![],
        left_out: vec![],
        size: (height, width),
        nonlinearity: how.nonlinearity,
    };
    for (k, &unit) in varying.iter().enumerate() {
        let field = Array2::from_shape_fn((how.lags, places), |(l, p)| fields[l][[k, p]]);
        let (time, space, share) = separate(&field);
        let drive = drive(&x, &time, &space);
        let target = y.column(k).to_vec();
        let sd = stats::sd(&drive[..n_train], 0);
        let (gain, offset) = if sd > 0.0 {
            gain_and_offset(&drive[..n_train], &target[..n_train], sd, how.nonlinearity)
        } else {
            (0.0, 0.0)
        };
        let predicted: Vec<f64> = drive[n_train..]
            .iter()
            .map(|d| how.nonlinearity.value(gain * d + offset))
            .collect();
        let correlation = stats::pearson(&predicted, &target[n_train..]);
        if correlation < how.least_correlation || correlation.is_nan() {
            left_out.push((unit, correlation));
            continue;
        }
        let space = if how.center {
            centered(&space, (height, width))
        } else {
            space
        };
        let row = |r: &[f64]| ndarray::Array1::from(r.to_vec());
        // Shapes agree by construction: each row has one value for each column.
        let _ = found.space.push_row(row(&space).view());
        let _ = found.time.push_row(row(&time).view());
        found.units.push(unit);
        found.gains.push(gain);
        found.offsets.push(offset);
        found.correlation.push(correlation);
        found.separable.push(share);
    }
    left_out.sort_by_key(|l| l.0);
    found.left_out = left_out;
    if found.units.len() < 2 {
        let help = "more frames, a larger ridge, or a lower least_correlation may keep more units";
        return Err(fault(
            "receptive fields",
            format!(
                "at least 2 units whose predictions correlate by {}",
                how.least_correlation
            ),
            format!("{} of {}", found.units.len(), recording.n_units()),
            help,
        ));
    }
    Ok(found)
}

impl ReceptiveFields {
    /// The neurons as a model: of images where there is one lag, else of movies of this many frames whose score is the mean
    /// from this frame on.
    ///
    /// # Errors
    /// If the movie is too short.
    pub fn model(
        &self,
        frames: usize,
        window_from: usize,
    ) -> Result<Box<dyn ResponseModel>, StimuliError> {
        let (height, width) = self.size;
        if self.time.ncols() == 1 {
            let mut filters = self.space.clone();
            for (mut row, t) in filters.rows_mut().into_iter().zip(self.time.column(0)) {
                row *= *t;
            }
            let shape = StimulusShape::image(height, width);
            let model = LinearNonlinear::new(shape, filters, self.nonlinearity)?
                .with_gains(self.gains.clone())?
                .with_offsets(self.offsets.clone())?;
            return Ok(Box::new(model));
        }
        let filters = MovieFilters {
            space: vec![self.space.clone()],
            time: vec![self.time.clone()],
            gains: self.gains.clone(),
            offsets: self.offsets.clone(),
        };
        let shape = StimulusShape::movie(1, frames, height, width);
        let model = Movie::new(shape, filters, self.nonlinearity, window_from..frames)?;
        Ok(Box::new(model))
    }
}

/// Units whose response varies while it is trained on, and those whose does not.
fn varying(responses: &Array2<f64>, n_train: usize) -> (Vec<usize>, Vec<(usize, f64)>) {
    let (mut varying, mut constant) = (vec![], vec![]);
    for (u, column) in responses.columns().into_iter().enumerate() {
        if stats::sd(&column.slice(s![..n_train]).to_vec(), 0) > 0.0 {
            varying.push(u);
        } else {
            constant.push((u, f64::NAN));
        }
    }
    (varying, constant)
}

/// The frames that responses are regressed on.
struct Design {
    /// `[frame, place]`.
    x: Array2<f64>,
    lags: usize,
    ridge: f64,
}

impl Design {
    /// For each lag, frames as seen that much later, on responses `[frame, unit]`: `[unit, place]`.
    fn back(&self, y: &Array2<f64>) -> Vec<Array2<f64>> {
        let n = self.x.nrows();
        (0..self.lags)
            .map(|lag| {
                let x = self.x.slice(s![..n - lag, ..]);
                let late = y.slice(s![lag.., ..]);
                let late = late.t().as_standard_layout().into_owned();
                times(late.view(), x) / n as f64
            })
            .collect()
    }

    /// Drives `[frame, unit]` of fields.
    fn forth(&self, fields: &[Array2<f64>]) -> Array2<f64> {
        let n = self.x.nrows();
        let mut out = Array2::zeros((n, fields[0].nrows()));
        for (lag, field) in fields.iter().enumerate() {
            let drive = times_transposed(self.x.slice(s![..n - lag, ..]), field.view());
            let mut late = out.slice_mut(s![lag.., ..]);
            late += &drive;
        }
        out
    }

    /// Ridge regression of all units at once, by conjugate gradients: for each lag `[unit, place]`.
    fn solve(&self, y: &Array2<f64>, watch: &dyn Watch) -> Result<Vec<Array2<f64>>, StimuliError> {
        let n_units = y.ncols();
        let mut residual = self.back(y);
        let mut fields: Vec<Array2<f64>> = residual
            .iter()
            .map(|r| Array2::zeros(r.raw_dim()))
            .collect();
        let mut direction = residual.clone();
        // Of each unit, the sum over lags and places.
        let dots = |a: &[Array2<f64>], b: &[Array2<f64>]| -> Vec<f64> {
            let of = |u: usize| a.iter().zip(b).map(|(a, b)| a.row(u).dot(&b.row(u))).sum();
            (0..n_units).map(of).collect()
        };
        let first = dots(&residual, &residual);
        let mut now = first.clone();
        for _ in 0..MOST_ITERATIONS {
            watch.check()?;
            let open = |u: usize| now[u] > TOLERANCE * TOLERANCE * first[u];
            if !(0..n_units).any(open) {
                break;
            }
            let mut applied = self.back(&self.forth(&direction));
            for (a, d) in applied.iter_mut().zip(&direction) {
                a.scaled_add(self.ridge, d);
            }
            let curvature = dots(&direction, &applied);
            let rate = |u: usize| {
                if open(u) && curvature[u] > 0.0 {
                    now[u] / curvature[u]
                } else {
                    0.0
                }
            };
            let rates: Vec<f64> = (0..n_units).map(rate).collect();
            for lag in 0..self.lags {
                for (u, &rate) in rates.iter().enumerate() {
                    fields[lag]
                        .row_mut(u)
                        .scaled_add(rate, &direction[lag].row(u));
                    residual[lag]
                        .row_mut(u)
                        .scaled_add(-rate, &applied[lag].row(u));
                }
            }
            let next = dots(&residual, &residual);
            for lag in 0..self.lags {
                for u in 0..n_units {
                    let keep = if now[u] > 0.0 { next[u] / now[u] } else { 0.0 };
                    let mut row = direction[lag].row_mut(u);
                    row *= keep;
                    row += &residual[lag].row(u);
                }
            }
            now = next;
        }
        Ok(fields)
    }
}

/// The best filter in time times one in space of a field `[lag, place]`, the latter of unit norm; and the share of its
/// square that they hold. The temporal filter's largest value is positive.
fn separate(field: &Array2<f64>) -> (Vec<f64>, Vec<f64>, f64) {
    let total = field.iter().map(|v| v * v).sum::<f64>();
    let strongest = (0..field.nrows()).fold(0, |b, l| {
        let power = |l: usize| field.row(l).dot(&field.row(l));
        if power(l) > power(b) { l } else { b }
    });
    let mut space = field.row(strongest).to_owned();
    let mut time = field.column(0).to_owned();
    for _ in 0..100 {
        let norm = space.dot(&space).sqrt();
        if norm == 0.0 {
            break;
        }
        space /= norm;
        time = field.dot(&space);
        space = field.t().dot(&time);
    }
    let norm = space.dot(&space).sqrt();
    if norm > 0.0 {
        space /= norm;
    }
    let largest = time
        .iter()
        .fold(0.0_f64, |m, &v| if v.abs() > m.abs() { v } else { m });
    if largest < 0.0 {
        time = -time;
        space = -space;
    }
    let share = if total > 0.0 {
        time.dot(&time) / total
    } else {
        0.0
    };
    (time.to_vec(), space.to_vec(), share)
}

/// The drive of a separable field over frames; frames before the first count as the mean frame.
fn drive(x: &Array2<f64>, time: &[f64], space: &[f64]) -> Vec<f64> {
    let seen = x.dot(&ArrayView1::from(space));
    (0..seen.len())
        .map(|t| {
            let lags = time.iter().enumerate().take(t + 1);
            lags.map(|(lag, w)| w * seen[t - lag]).sum()
        })
        .collect()
}

/// The gain and offset on a grid whose output, scaled and shifted, comes nearest to a response.
fn gain_and_offset(
    drive: &[f64],
    target: &[f64],
    sd: f64,
    nonlinearity: Nonlinearity,
) -> (f64, f64) {
    if nonlinearity == Nonlinearity::Identity {
        return (1.0 / sd, 0.0);
    }
    let mut best = (f64::NEG_INFINITY, 1.0, 0.0);
    for gain in [0.5, 1.0, 2.0, 4.0] {
        for step in 0..9 {
            let offset = -4.0 + 0.75 * f64::from(step);
            let out: Vec<f64> = drive
                .iter()
                .map(|d| nonlinearity.value(gain * d / sd + offset))
                .collect();
            // A scale below 0 would turn the response around.
            let r = stats::pearson(&out, target);
            if r > best.0 {
                best = (r, gain / sd, offset);
            }
        }
    }
    (best.1, best.2)
}

/// A filter moved so that the center of its square stands at the center of the frame; what leaves the frame is lost.
fn centered(space: &[f64], (height, width): (usize, usize)) -> Vec<f64> {
    let (mut sum, mut line, mut column) = (0.0, 0.0, 0.0);
    for (i, v) in space.iter().enumerate() {
        // The fourth power: noise far away must not hold the center back.
        let weight = v.powi(4);
        sum += weight;
        line += weight * (i / width) as f64;
        column += weight * (i % width) as f64;
    }
    if sum <= 0.0 || sum.is_nan() {
        return space.to_vec();
    }
    let shift = |at: f64, n: usize| ((n as f64 - 1.0) / 2.0 - at / sum).round() as isize;
    let (down, right) = (shift(line, height), shift(column, width));
    let mut out = vec![0.0; space.len()];
    for y in 0..height {
        for x in 0..width {
            let (to_y, to_x) = (y as isize + down, x as isize + right);
            if (0..height as isize).contains(&to_y) && (0..width as isize).contains(&to_x) {
                out[to_y as usize * width + to_x as usize] = space[y * width + x];
            }
        }
    }
    out
}
