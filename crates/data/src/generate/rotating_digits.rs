//! Spike counts and images driven by shared and private smooth latents (paper 27): a digit that turns and grows while
//! neurons fire with its angle.

use chiasm_core::linalg::Cholesky;
use chiasm_core::{Rng, SettingError, Streams};
use ndarray::{Array2, Array3, ArrayView2};
use rand::RngExt;
use rand_distr::{Distribution, Poisson, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataError, Place};

/// What [`rotating_digits`] draws. The defaults are the scaled set; [`RotatingDigits::paper`] has the paper's sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RotatingDigits {
    /// Trials (paper 27: 300).
    pub n_trials: usize,
    /// Bins of each trial (paper 27: 60; 40 for images alone).
    pub n_bins: usize,
    /// Neurons (paper 27: 100).
    pub n_units: usize,
    /// Rows and columns of an image (paper 27: 36).
    pub size: usize,
    /// Length scale of the latents, bins (paper 27: 10).
    pub length_bins: f64,
    /// Variances of the latents: angle, neural, scale (paper 27: 0.3, 0.5, 0.8).
    pub variances: [f64; 3],
    /// Degrees of rotation for each unit of the first latent (paper 27: 120).
    pub degrees: f64,
    /// Whether the third latent scales the digit.
    pub zoom: bool,
    /// Weights of the log rates are uniform in plus or minus this (paper 27: 1.5).
    pub gain: f64,
    /// Offsets of the log rates are uniform in plus or minus this (paper 27: 0.5).
    pub offset: f64,
    /// Standard deviation of the noise on each pixel, grey levels (chosen: 5).
    pub noise: f64,
}

impl Default for RotatingDigits {
    fn default() -> Self {
        Self {
            n_trials: 300,
            n_bins: 60,
            n_units: 50,
            size: 20,
            length_bins: 10.0,
            variances: [0.3, 0.5, 0.8],
            degrees: 120.0,
            zoom: true,
            gain: 1.5,
            offset: 0.5,
            noise: 5.0,
        }
    }
}

impl RotatingDigits {
    /// The paper's sizes.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            n_units: 100,
            size: 36,
            ..Self::default()
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let positive = |field: &str, n: usize| SettingError::check(n > 0, field, "at least 1", n);
        positive("n_trials", self.n_trials)?;
        SettingError::check(
            (2..=2000).contains(&self.n_bins),
            "n_bins",
            "from 2 to 2000",
            self.n_bins,
        )?;
        positive("n_units", self.n_units)?;
        SettingError::check(
            (8..=512).contains(&self.size),
            "size",
            "from 8 to 512",
            self.size,
        )?;
        let above = |field: &str, v: f64| {
            let holds = v.is_finite() && v > 0.0;
            SettingError::check(holds, field, "a finite value above 0", v)
        };
        above("length_bins", self.length_bins)?;
        for (i, &v) in self.variances.iter().enumerate() {
            above(&format!("variances.{i}"), v)?;
        }
        let holds = self.degrees.is_finite();
        SettingError::check(holds, "degrees", "a finite angle", self.degrees)?;
        for (field, v) in [
            ("gain", self.gain),
            ("offset", self.offset),
            ("noise", self.noise),
        ] {
            let holds = v.is_finite() && v >= 0.0;
            SettingError::check(holds, field, "a finite value of 0 or more", v)?;
        }
        let values = self.n_trials as f64 * self.n_bins as f64 * (self.size * self.size) as f64;
        let expected = "at most 4e9 pixels in all";
        SettingError::check(values <= 4e9, "n_trials", expected, self.n_trials)
    }
}

/// Counts and images of the same trials, and what drives them.
#[derive(Debug, Clone, PartialEq)]
pub struct DigitTrials {
    /// Spike counts, `[trial, time, unit]`.
    pub counts: Array3<f32>,
    /// Images, grey levels 0 to 255, `[trial, time, pixel]`, row by row.
    pub images: Array3<f32>,
    /// The latents, `[trial, time, 3]`: g1 (angle over `degrees`; drives both), g2 (drives the counts), zoom (1 + g3;
    /// its size scales the images).
    pub latents: Array3<f64>,
    /// Expected counts, `[trial, time, unit]`.
    pub rates: Array3<f32>,
}

/// Draws trials in which one smooth latent turns a digit and drives neurons, a second drives the neurons alone and a
/// third scales the digit.
///
/// The latents are Gaussian processes with squared-exponential covariance, drawn for each trial. Log rates are
/// `W [g1; g2] + o`. The digit is a 3 of two stacked arcs of 240 degrees, drawn anew in every bin with a stroke width and
/// a shift of its own, or, where `exemplars` (`[item, row, column]`, 0 to 255) are given, one of them at random in every
/// bin. Every trial draws from a stream of its own.
///
/// # Errors
/// [`DataError::Setting`] for a setting out of its range; [`DataError::Invalid`] for exemplars without a pixel.
pub fn rotating_digits(
    config: &RotatingDigits,
    exemplars: Option<&Array3<u8>>,
    streams: &Streams,
) -> Result<DigitTrials, DataError> {
    config.validate()?;
    if let Some(e) = exemplars.filter(|e| e.is_empty()) {
        let found = format!("{:?}", e.dim());
        let place = Place::dataset("exemplars");
        return Err(DataError::invalid(place, "at least one image", found));
    }
    let streams = streams.child("rotating_digits");
    let (trials, bins, units) = (config.n_trials, config.n_bins, config.n_units);
    let mut rng = streams.stream("weights");
    let mut uniform = |scale: f64| scale * (2.0 * rng.random::<f64>() - 1.0);
    let weights = Array2::from_shape_fn((units, 2), |_| uniform(config.gain));
    let offsets: Vec<f64> = (0..units).map(|_| uniform(config.offset)).collect();
    let factor = smooth(bins, config.length_bins)?;

    let pixels = config.size * config.size;
    let mut made = DigitTrials {
        counts: Array3::zeros((trials, bins, units)),
        images: Array3::zeros((trials, bins, pixels)),
        latents: Array3::zeros((trials, bins, 3)),
        rates: Array3::zeros((trials, bins, units)),
    };
    for trial in 0..trials {
        let streams = streams.child(&trial.to_string());
        let mut rng = streams.stream("latents");
        for (latent, variance) in config.variances.iter().enumerate() {
            let white: Vec<f64> = (0..bins).map(|_| StandardNormal.sample(&mut rng)).collect();
            for (t, g) in factor.times(&white).into_iter().enumerate() {
                made.latents[[trial, t, latent]] =
                    variance.sqrt() * g + f64::from(u8::from(latent == 2));
            }
        }
        let mut rng = streams.stream("counts");
        for t in 0..bins {
            let (g1, g2) = (made.latents[[trial, t, 0]], made.latents[[trial, t, 1]]);
            for unit in 0..units {
                let log_rate = weights[[unit, 0]] * g1 + weights[[unit, 1]] * g2 + offsets[unit];
                let rate = log_rate.exp();
                made.rates[[trial, t, unit]] = rate as f32;
                made.counts[[trial, t, unit]] = poisson(rate, &mut rng);
            }
        }
        let mut rng = streams.stream("images");
        for t in 0..bins {
            let pose = Pose {
                angle: (config.degrees * made.latents[[trial, t, 0]]).to_radians(),
                zoom: if config.zoom {
                    made.latents[[trial, t, 2]].abs()
                } else {
                    1.0
                },
            };
            let mut image = made.images.slice_mut(ndarray::s![trial, t, ..]);
            match exemplars {
                None => {
                    let digit = Drawn::new(config.size, &mut rng);
                    pose.render(config.size, |x, y| digit.grey(x, y, pose.zoom), &mut image);
                }
                Some(all) => {
                    let one = all.index_axis(ndarray::Axis(0), rng.random_range(0..all.dim().0));
                    pose.render(config.size, |x, y| sample(one, x, y), &mut image);
                }
            }
            for pixel in &mut image {
                let noise: f64 = StandardNormal.sample(&mut rng);
                *pixel = (*pixel + (config.noise * noise) as f32).clamp(0.0, 255.0);
            }
        }
    }
    Ok(made)
}

/// The Cholesky factor of a squared-exponential covariance of variance 1.
fn smooth(bins: usize, length_bins: f64) -> Result<Cholesky, DataError> {
    let covariance: Vec<f64> = (0..bins * bins)
        .map(|k| {
            let apart = (k / bins) as f64 - (k % bins) as f64;
            let same = f64::from(u8::from(apart == 0.0));
            (-0.5 * (apart / length_bins).powi(2)).exp() + 1e-6 * same
        })
        .collect();
    Cholesky::of(&covariance, bins).ok_or_else(|| {
        let expected = "a length whose covariance can be factored";
        SettingError::new("length_bins", expected, length_bins).into()
    })
}

fn poisson(rate: f64, rng: &mut Rng) -> f32 {
    // A rate of 0 or beyond every count has no Poisson distribution here; the first gives 0 spikes.
    Poisson::new(rate).map_or(0.0, |p| p.sample(rng) as f32)
}

struct Pose {
    angle: f64,
    zoom: f64,
}

impl Pose {
    /// For every pixel the grey of the point of the digit that the pose brings there; (x, y) from the center, in pixels.
    fn render(
        &self,
        size: usize,
        grey: impl Fn(f64, f64) -> f64,
        image: &mut ndarray::ArrayViewMut1<'_, f32>,
    ) {
        if self.zoom < 1e-3 {
            return;
        }
        let (sin, cos) = self.angle.sin_cos();
        let center = (size as f64 - 1.0) / 2.0;
        for (k, pixel) in image.iter_mut().enumerate() {
            let (x, y) = ((k % size) as f64 - center, (k / size) as f64 - center);
            let (x, y) = (x * cos + y * sin, y * cos - x * sin);
            *pixel = grey(x / self.zoom, y / self.zoom) as f32;
        }
    }
}

/// A 3 of two stacked arcs, open to the left.
struct Drawn {
    radius: f64,
    half_stroke: f64,
    shift: [f64; 2],
}

impl Drawn {
    fn new(size: usize, rng: &mut Rng) -> Self {
        let scale = size as f64 / 20.0;
        let mut within = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
        Self {
            radius: 2.75 * scale,
            half_stroke: 0.5 * scale * within(1.8, 2.6),
            shift: [scale * within(-0.7, 0.7), scale * within(-0.7, 0.7)],
        }
    }

    /// Grey of the point (x, y), anti-aliased over one pixel of the zoomed image.
    fn grey(&self, x: f64, y: f64, zoom: f64) -> f64 {
        let (x, y) = (x - self.shift[0], y - self.shift[1]);
        let away = [-self.radius, self.radius]
            .map(|center| self.arc_distance(x, y - center))
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        255.0 * ((self.half_stroke - away) * zoom + 0.5).clamp(0.0, 1.0)
    }

    /// Distance from an arc of 240 degrees around the origin.
    fn arc_distance(&self, x: f64, y: f64) -> f64 {
        let limit = 2.0 * std::f64::consts::FRAC_PI_3;
        if y.atan2(x).abs() <= limit {
            return (x.hypot(y) - self.radius).abs();
        }
        let (sin, cos) = limit.sin_cos();
        (x - self.radius * cos).hypot(y.abs() - self.radius * sin)
    }
}

/// An exemplar at (x, y) from its center, between its pixels linearly; 0 outside.
fn sample(image: ArrayView2<'_, u8>, x: f64, y: f64) -> f64 {
    let (rows, columns) = image.dim();
    let (x, y) = (
        x + (columns as f64 - 1.0) / 2.0,
        y + (rows as f64 - 1.0) / 2.0,
    );
    let (left, top) = (x.floor(), y.floor());
    let at = |row: f64, column: f64| {
        let inside = row >= 0.0 && column >= 0.0 && row < rows as f64 && column < columns as f64;
        if inside {
            f64::from(image[[row as usize, column as usize]])
        } else {
            0.0
        }
    };
    let (right, down) = (x - left, y - top);
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

#[cfg(test)]
mod tests;
