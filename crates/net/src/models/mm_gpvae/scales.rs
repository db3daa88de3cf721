//! What is learned of the data before training: scales, offsets, and whether they can be trained on at all.

use ndarray::Array3;
use serde::{Deserialize, Serialize};

use super::MmGpVaeError;
use super::config::{MmGpVae, NeuralLikelihood, Scaling};
use super::network::Sizes;
use super::trials::{Stream, Trials};
use crate::Real;

/// Center and scale of every channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Scale {
    pub center: Vec<f64>,
    pub scale: Vec<f64>,
}

impl Scale {
    fn none(channels: usize) -> Self {
        Self {
            center: vec![0.0; channels],
            scale: vec![1.0; channels],
        }
    }

    /// Of the bins seen. A channel that does not vary keeps its scale.
    fn of(stream: &Stream, how: Scaling) -> Self {
        let channels = stream.values.shape()[2];
        if how == Scaling::None {
            return Self::none(channels);
        }
        let mut n = 0.0;
        let (mut sum, mut square) = (vec![0.0; channels], vec![0.0; channels]);
        for ((trial, bin), seen) in stream.seen.indexed_iter() {
            if *seen {
                n += 1.0;
                for (c, v) in stream
                    .values
                    .slice(ndarray::s![trial, bin, ..])
                    .iter()
                    .enumerate()
                {
                    sum[c] += f64::from(*v);
                    square[c] += f64::from(*v).powi(2);
                }
            }
        }
        let sd = |variance: f64, mean: f64| {
            // Below rounding of the values themselves there is no spread to divide by.
            if variance > 1e-10 * mean * mean && variance > 0.0 {
                variance.sqrt()
            } else {
                1.0
            }
        };
        if how == Scaling::Pooled {
            let all = n * channels as f64;
            let mean = sum.iter().sum::<f64>() / all;
            let variance = square.iter().sum::<f64>() / all - mean * mean;
            return Self {
                center: vec![0.0; channels],
                scale: vec![sd(variance, mean); channels],
            };
        }
        let center: Vec<f64> = sum.iter().map(|s| s / n).collect();
        let scale = square
            .iter()
            .zip(&center)
            .map(|(s, m)| sd(s / n - m * m, *m))
            .collect();
        Self { center, scale }
    }

    pub(super) fn apply<T: Real>(&self, c: usize, v: f32) -> T {
        T::of((f64::from(v) - self.center[c]) / self.scale[c])
    }
}

/// What is learned of the data before training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Scales {
    pub neural: Scale,
    pub behavior: Scale,
    /// Offsets of the neural decoder at the start: log mean counts, or 0 for scaled traces.
    pub offsets: Vec<f64>,
    /// Units without a single spike.
    pub silent: Vec<usize>,
}

impl Scales {
    /// Checks that the data hold what the settings ask for, and takes their scales.
    pub(super) fn new(config: &MmGpVae, trials: &Trials) -> Result<Self, MmGpVaeError> {
        let mut scales = Self::default();
        if config.has_neural() {
            let stream = present(&trials.neural, "neural activity")?;
            varies(stream, "neural activity")?;
            let units = stream.values.shape()[2];
            match config.likelihood {
                NeuralLikelihood::Gaussian => {
                    scales.neural = Scale::of(stream, Scaling::EachChannel);
                    scales.offsets = vec![0.0; units];
                }
                NeuralLikelihood::Poisson => {
                    counts(&stream.values)?;
                    scales.neural = Scale::none(units);
                    let seen = stream.seen.iter().filter(|s| **s).count() as f64;
                    for unit in 0..units {
                        let all: f64 = stream
                            .values
                            .slice(ndarray::s![.., .., unit])
                            .iter()
                            .map(|v| f64::from(*v))
                            .sum();
                        if all == 0.0 {
                            scales.silent.push(unit);
                        }
                        scales.offsets.push((all / seen + 1e-3).ln());
                    }
                }
            }
        }
        if config.has_behavior() {
            let stream = present(&trials.behavior, "behaviour")?;
            varies(stream, "behaviour")?;
            scales.behavior = Scale::of(stream, config.scaling);
        }
        Ok(scales)
    }

    /// The same checks for trials that a fitted model is to read.
    pub(super) fn check(
        &self,
        config: &MmGpVae,
        trials: &Trials,
        sizes: Sizes,
    ) -> Result<(), MmGpVaeError> {
        let size = |what: &str, expected: usize, found: usize| {
            if expected == found {
                Ok(())
            } else {
                Err(MmGpVaeError::Shape {
                    what: what.into(),
                    expected: format!("{expected} as in training"),
                    found,
                })
            }
        };
        size("bins", sizes.bins, trials.bins())?;
        if config.has_neural()
            && let Some(s) = &trials.neural
        {
            size("neural, units", sizes.units, s.values.shape()[2])?;
            if config.likelihood == NeuralLikelihood::Poisson {
                counts(&s.values)?;
            }
        }
        if config.has_behavior()
            && let Some(s) = &trials.behavior
        {
            size("behavior, channels", sizes.channels, s.values.shape()[2])?;
        }
        Ok(())
    }
}

fn present<'a>(s: &'a Option<Stream>, stream: &'static str) -> Result<&'a Stream, MmGpVaeError> {
    let s = s.as_ref().ok_or(MmGpVaeError::NoStream { stream })?;
    if s.seen.iter().any(|v| *v) {
        Ok(s)
    } else {
        Err(MmGpVaeError::NothingSeen { stream })
    }
}

fn varies(s: &Stream, stream: &'static str) -> Result<(), MmGpVaeError> {
    let mut first: Option<ndarray::ArrayView1<'_, f32>> = None;
    for ((trial, bin), seen) in s.seen.indexed_iter() {
        if *seen {
            let now = s.values.slice(ndarray::s![trial, bin, ..]);
            match first {
                Some(first) if first != now => return Ok(()),
                Some(_) => {}
                None => first = Some(now),
            }
        }
    }
    Err(MmGpVaeError::Constant {
        stream,
        value: first.map_or(f32::NAN, |f| f[0]),
    })
}

fn counts(values: &Array3<f32>) -> Result<(), MmGpVaeError> {
    for ((trial, bin, channel), &v) in values.indexed_iter() {
        if v < 0.0 || v.fract() != 0.0 {
            return Err(MmGpVaeError::Value {
                what: "neural",
                trial,
                bin,
                channel,
                expected: "a spike count: a whole number, 0 or more",
                found: v,
            });
        }
    }
    Ok(())
}
