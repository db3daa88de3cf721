//! What classical statistics say of a series: the control of any claim about its graph.

use chiasm_core::stats;
use realfft::RealFftPlanner;
use serde::{Deserialize, Serialize};

use super::{Series, TimeseriesGraphError};

/// Samples of a segment of the spectrum, at most.
const SEGMENT: usize = 4096;

/// Classical statistics of a series with cycles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeriesMeasures {
    /// The largest autocorrelation within half a cycle of one cycle.
    pub at_one_cycle: f64,
    /// The lag at which the autocorrelation's peaks, one for each cycle, fall below 1/e, s; `None` where they do not within half of the
    /// series.
    pub decorrelation_s: Option<f64>,
    /// The share of the strongest frequency in the power (Welch's method: Hann windows of 4096 samples, half overlapped),
    /// 0 to 1: near 2/3 for a sine.
    pub peak_fraction: f64,
    /// Standard deviation over mean; `None` for a mean of 0.
    pub variation: Option<f64>,
}

impl SeriesMeasures {
    /// Measures a series whose cycles last `cycle_s` on average, s.
    ///
    /// # Errors
    /// Uneven times; a constant series; a cycle of fewer than two samples, or more than a quarter of the series.
    pub fn of(series: &Series<'_>, cycle_s: f64) -> Result<Self, TimeseriesGraphError> {
        let step_s = series.step_s("autocorrelation")?;
        let x = series.values();
        if let Some(value) = series.constant() {
            return Err(TimeseriesGraphError::Constant {
                value,
                needs: "it has no correlation",
            });
        }
        let cycle = cycle_s / step_s;
        if !(cycle >= 2.0 && cycle <= x.len() as f64 / 4.0) {
            let expected = format!("{} to {} s", 2.0 * step_s, x.len() as f64 * step_s / 4.0);
            return Err(chiasm_core::SettingError::new("cycle_s", expected, cycle_s).into());
        }
        let r = autocorrelation(x);
        // The peak of each cycle: its lag, and its height.
        let peak = |m: usize| {
            let from = ((m as f64 - 0.5) * cycle).round() as usize;
            let to = ((m as f64 + 0.5) * cycle).round() as usize;
            let lags = from..to.min(x.len() / 2);
            lags.map(|lag| (lag as f64 * step_s, r[lag]))
                .reduce(|a, b| if b.1 > a.1 { b } else { a })
        };
        let level = (-1.0f64).exp();
        let mut before = (0.0, 1.0);
        let mut decorrelation_s = None;
        for m in 1.. {
            let Some(here) = peak(m) else { break };
            if here.1 < level {
                let share = (before.1 - level) / (before.1 - here.1);
                decorrelation_s = Some(before.0 + share * (here.0 - before.0));
                break;
            }
            before = here;
        }
        let mean = stats::mean(x);
        Ok(Self {
            at_one_cycle: peak(1).map_or(f64::NAN, |p| p.1),
            decorrelation_s,
            peak_fraction: peak_fraction(x),
            variation: (mean != 0.0).then(|| stats::sd(x, 0) / mean.abs()),
        })
    }
}

/// The autocorrelation at every lag, over the variance; biased, so that it falls to 0 towards the longest lag. NaN for a constant
/// series.
#[must_use]
pub fn autocorrelation(x: &[f64]) -> Vec<f64> {
    let n = x.len();
    let mean = stats::mean(x);
    let length = (2 * n).next_power_of_two().max(2);
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(length),
        planner.plan_fft_inverse(length),
    );
    let mut padded = vec![0.0; length];
    padded.iter_mut().zip(x).for_each(|(p, v)| *p = v - mean);
    let mut spectrum = forward.make_output_vec();
    // Lengths are those the plans ask for: there is nothing that could fail.
    let done = forward.process(&mut padded, &mut spectrum);
    debug_assert!(done.is_ok());
    for c in &mut spectrum {
        let power = c.norm_sqr();
        (c.re, c.im) = (power, 0.0);
    }
    let done = inverse.process(&mut spectrum, &mut padded);
    debug_assert!(done.is_ok());
    let variance = padded[0];
    padded.truncate(n);
    padded.iter_mut().for_each(|p| *p /= variance);
    padded
}

/// The share of the strongest frequency but 0 in the power.
fn peak_fraction(x: &[f64]) -> f64 {
    let length = SEGMENT.min(x.len() / 2 * 2).max(2);
    let mut planner = RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(length);
    let mean = stats::mean(x);
    let window = |k: usize| {
        let phase = std::f64::consts::TAU * k as f64 / length as f64;
        0.5 - 0.5 * phase.cos()
    };
    let mut power = vec![0.0; length / 2 + 1];
    let mut spectrum = forward.make_output_vec();
    for start in (0..=x.len() - length).step_by((length / 2).max(1)) {
        let piece = &x[start..start + length];
        let mut piece: Vec<f64> = piece
            .iter()
            .enumerate()
            .map(|(k, v)| (v - mean) * window(k))
            .collect();
        let done = forward.process(&mut piece, &mut spectrum);
        debug_assert!(done.is_ok());
        power
            .iter_mut()
            .zip(&spectrum)
            .for_each(|(p, c)| *p += c.norm_sqr());
    }
    let rest = &power[1..];
    rest.iter().copied().fold(0.0, f64::max) / rest.iter().sum::<f64>()
}
