//! Neurons that see movies through filters separable in space and time.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use super::super::{ResponseModel, StimuliError, StimulusShape};
use super::{Nonlinearity, Precision, Weights, per_neuron};

/// Filters of neurons that see movies, separable within each channel.
#[derive(Debug, Clone)]
pub struct MovieFilters {
    /// In space, one matrix `[neuron, place]` for each channel.
    pub space: Vec<Array2<f64>>,
    /// In time, one matrix `[neuron, lag]` for each channel; lag 0 is the present frame.
    pub time: Vec<Array2<f64>>,
    /// Gains, one for each neuron.
    pub gains: Vec<f64>,
    /// Offsets, one for each neuron.
    pub offsets: Vec<f64>,
}

/// Neurons that see movies: the drive at frame t is the sum, over channels and lags, of the temporal filter at this lag
/// times the spatial filter on the frame at t - lag (frames before the first count as 0); the score is the mean of
/// phi(gain * drive + offset) over a window of frames.
#[derive(Debug, Clone)]
pub struct Movie {
    shape: StimulusShape,
    space: Vec<Weights>,
    /// `[lag, neuron]` of each channel.
    time: Vec<Array2<f64>>,
    gains: Vec<f64>,
    offsets: Vec<f64>,
    nonlinearity: Nonlinearity,
    window: Range<usize>,
}

impl Movie {
    /// Neurons with these filters, whose score is their mean output over this window of frames.
    ///
    /// # Errors
    /// If there is no neuron or lag, an array is not finite or not of the stimulus' shape, a list does not have an entry
    /// for each neuron, or the window is empty or beyond the last frame.
    pub fn new(
        shape: StimulusShape,
        filters: MovieFilters,
        nonlinearity: Nonlinearity,
        window: Range<usize>,
    ) -> Result<Self, StimuliError> {
        shape.check()?;
        let wrong = |what, expected: String, found: String| StimuliError::Shape {
            what,
            expected,
            found,
        };
        let (n_space, n_time) = (filters.space.len(), filters.time.len());
        if n_space != shape.channels || n_time != shape.channels {
            return Err(wrong(
                "filters",
                format!("one for each of {} channels", shape.channels),
                format!("{n_space} in space, {n_time} in time"),
            ));
        }
        if window.is_empty() || window.end > shape.frames {
            return Err(wrong(
                "window",
                format!("frames within 0 to {}", shape.frames),
                format!("{} to {}", window.start, window.end),
            ));
        }
        let n = filters.gains.len();
        let mut space = Vec::new();
        for weights in filters.space {
            let weights = Weights::new("spatial filters", weights, shape.n_places())?;
            if weights.n_rows() != n {
                return Err(StimuliError::PerNeuron {
                    what: "spatial filters",
                    expected: n,
                    found: weights.n_rows(),
                });
            }
            space.push(weights);
        }
        let lags = filters.time[0].ncols();
        for time in &filters.time {
            if time.dim() != (n, lags) || lags == 0 {
                return Err(wrong(
                    "temporal filters",
                    format!("[{n}, lag] with one number of lags, at least 1"),
                    format!("{:?}", time.shape()),
                ));
            }
            super::finite("temporal filters", time.view())?;
        }
        per_neuron("gains", &filters.gains, n)?;
        per_neuron("offsets", &filters.offsets, n)?;
        let upright = |t: Array2<f64>| t.reversed_axes().as_standard_layout().into_owned();
        Ok(Self {
            shape,
            space,
            time: filters.time.into_iter().map(upright).collect(),
            gains: filters.gains,
            offsets: filters.offsets,
            nonlinearity,
            window,
        })
    }

    /// The same neurons with matrix products in this precision.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.space = self.space.into_iter().map(|w| w.with(precision)).collect();
        self
    }

    /// Frames that the window can see: from here to its end.
    fn first_frame(&self) -> usize {
        (self.window.start + 1).saturating_sub(self.time[0].nrows())
    }

    /// Drives `[stimulus * frame of the window, neuron]`.
    fn drive(&self, stimuli: ArrayView2<f64>) -> Array2<f64> {
        let (n, places) = (self.n_neurons(), self.shape.n_places());
        let (first, end) = (self.first_frame(), self.window.end);
        let seen = end - first;
        let mut drive = Array2::zeros((stimuli.nrows() * self.window.len(), n));
        for (c, (space, time)) in self.space.iter().zip(&self.time).enumerate() {
            let offset = (c * self.shape.frames + first) * places;
            let frames = stimuli.slice(s![.., offset..offset + seen * places]);
            let frames = rows_of(frames, places);
            let projected = space.forth(frames.view());
            for (row, mut out) in drive.rows_mut().into_iter().enumerate() {
                let (k, t) = (
                    row / self.window.len(),
                    self.window.start + row % self.window.len(),
                );
                for (lag, weights) in time.rows().into_iter().enumerate().take(t + 1) {
                    let from = projected.row(k * seen + (t - lag - first));
                    ndarray::Zip::from(&mut out)
                        .and(weights)
                        .and(from)
                        .for_each(|o, w, p| *o += w * p);
                }
            }
        }
        for mut row in drive.rows_mut() {
            for ((d, g), o) in row.iter_mut().zip(&self.gains).zip(&self.offsets) {
                *d = g * *d + o;
            }
        }
        drive
    }

    /// Means over the window of the nonlinearity of these drives.
    fn reduce(&self, drive: &Array2<f64>) -> Array2<f64> {
        let length = self.window.len();
        let mut scores = Array2::zeros((drive.nrows() / length, self.n_neurons()));
        for (row, drive) in drive.rows().into_iter().enumerate() {
            let mut out = scores.row_mut(row / length);
            out.zip_mut_with(&drive, |o, d| *o += self.nonlinearity.value(*d));
        }
        scores.mapv_into(|v| v / length as f64)
    }
}

/// Parts of rows `[stimulus, frame * place]` as rows of their own `[stimulus * frame, place]`.
fn rows_of(part: ArrayView2<f64>, places: usize) -> Array2<f64> {
    let n = part.len() / places;
    let flat: Vec<f64> = part.iter().copied().collect();
    Array2::from_shape_vec((n, places), flat).unwrap_or_default()
}

impl ResponseModel for Movie {
    fn n_neurons(&self) -> usize {
        self.gains.len()
    }

    fn shape(&self) -> StimulusShape {
        self.shape
    }

    fn scores(&self, stimuli: ArrayView2<f64>) -> Array2<f64> {
        self.reduce(&self.drive(stimuli))
    }

    fn pull_back(
        &self,
        stimuli: ArrayView2<f64>,
        weigh: &mut dyn FnMut(Array2<f64>) -> Array2<f64>,
    ) -> Array2<f64> {
        let (n, places, length) = (self.n_neurons(), self.shape.n_places(), self.window.len());
        let (first, end) = (self.first_frame(), self.window.end);
        let seen = end - first;
        let mut drive = self.drive(stimuli);
        let weights = weigh(self.reduce(&drive));
        for (row, mut drive) in drive.rows_mut().into_iter().enumerate() {
            ndarray::Zip::from(&mut drive)
                .and(weights.row(row / length))
                .and(&self.gains[..])
                .for_each(|d, w, g| *d = self.nonlinearity.slope(*d) * w * g / length as f64);
        }
        let mut gradient = Array2::zeros(stimuli.raw_dim());
        for (c, (space, time)) in self.space.iter().zip(&self.time).enumerate() {
            let mut projected = Array2::<f64>::zeros((stimuli.nrows() * seen, n));
            for (row, drive) in drive.rows().into_iter().enumerate() {
                let (k, t) = (row / length, self.window.start + row % length);
                for (lag, weights) in time.rows().into_iter().enumerate().take(t + 1) {
                    let mut into = projected.row_mut(k * seen + (t - lag - first));
                    ndarray::Zip::from(&mut into)
                        .and(weights)
                        .and(drive)
                        .for_each(|p, w, d| *p += w * d);
                }
            }
            let frames = space.back(projected.view());
            let offset = (c * self.shape.frames + first) * places;
            let mut part = gradient.slice_mut(s![.., offset..offset + seen * places]);
            part.iter_mut().zip(&frames).for_each(|(g, f)| *g = *f);
        }
        gradient
    }
}
