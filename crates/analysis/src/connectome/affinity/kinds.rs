//! The affinity formulas, computed for blocks of frames in parallel.

use chiasm_core::Watch;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::traces::Features;
use super::{Affinity, AffinityError, AffinityKind};

/// Frames per task.
const FRAMES: usize = 64;
/// Pairs smoothed at once: their frames fit the second-level cache.
const PAIRS: usize = 512;

/// `[time, pair]`.
pub(super) fn affinities(
    config: &Affinity,
    features: &Features,
    pairs: &[(usize, usize)],
    watch: &dyn Watch,
) -> Result<Array2<f32>, AffinityError> {
    let n_frames = features.time.len();
    let mut values = Array2::zeros((n_frames, pairs.len()));
    watch.stage("affinities", n_frames as u64);
    values
        .axis_chunks_iter_mut(Axis(0), FRAMES)
        .into_par_iter()
        .enumerate()
        .try_for_each(|(task, mut rows)| {
            watch.check()?;
            let first = task * FRAMES;
            let n = rows.nrows();
            for (block, start) in pairs.chunks(PAIRS).zip((0..).step_by(PAIRS)) {
                let out = if config.kind == AffinityKind::WindowedPearson {
                    pearson(config, features, block, first..first + n)
                } else {
                    instantaneous(config, features, block, first..first + n)
                };
                for (t, mut row) in rows.axis_iter_mut(Axis(0)).enumerate() {
                    let missing = features.missing.row(first + t);
                    for (k, &(i, j)) in block.iter().enumerate() {
                        row[start + k] = if missing[i] || missing[j] {
                            f32::NAN
                        } else {
                            out[t * block.len() + k]
                        };
                    }
                }
            }
            watch.tick(n as u64);
            Ok::<(), chiasm_core::Cancelled>(())
        })?;
    Ok(values)
}

/// The formulas that look at one moment, then smoothed along time.
fn instantaneous(
    config: &Affinity,
    features: &Features,
    pairs: &[(usize, usize)],
    frames: std::ops::Range<usize>,
) -> Vec<f32> {
    let sigma = config.affinity_sigma_s / config.clock_s;
    let radius = (4.0 * sigma).ceil() as usize;
    let kernel: Vec<f32> = (0..=radius)
        .map(|k| {
            if k == 0 {
                1.0
            } else {
                (-0.5 * (k as f64 / sigma).powi(2)).exp() as f32
            }
        })
        .collect();
    let n_frames = features.time.len();
    let from = frames.start.saturating_sub(radius);
    let to = (frames.end + radius).min(n_frames);
    let raw: Vec<f32> = (from..to)
        .flat_map(|t| {
            let row = features.values.row(t);
            pairs
                .iter()
                .map(move |&(i, j)| formula(config, row[i], row[j]))
        })
        .collect();
    let width = pairs.len();
    let mut out = vec![0.0; frames.len() * width];
    for (t, row) in frames.zip(out.chunks_exact_mut(width)) {
        let mut weight = 0.0;
        let reach = t.saturating_sub(radius)..(t + radius + 1).min(n_frames);
        for s in reach {
            let k = kernel[s.abs_diff(t)];
            weight += k;
            for (o, v) in row.iter_mut().zip(&raw[(s - from) * width..]) {
                *o += k * v;
            }
        }
        row.iter_mut().for_each(|o| *o /= weight);
    }
    out
}

fn formula(config: &Affinity, a: f32, b: f32) -> f32 {
    let width = config.width as f32;
    let agreement = |a: f32, b: f32| (-(a - b) * (a - b) / (2.0 * width * width)).exp();
    let value = match config.kind {
        AffinityKind::Differential | AffinityKind::Levels => {
            if a * b > 0.0 {
                (a * b).sqrt() * agreement(a, b)
            } else {
                0.0
            }
        }
        AffinityKind::Coactivity => (a.max(0.0) * b.max(0.0)).sqrt(),
        AffinityKind::ZProduct => (a * b).max(0.0),
        AffinityKind::LevelKernel | AffinityKind::WindowedPearson => agreement(a, b),
    };
    value.min(config.cap as f32)
}

/// Pearson correlation in a window centered on each frame and cut at the recording's ends, at least 0; 0 where a trace
/// is constant within the window.
fn pearson(
    config: &Affinity,
    features: &Features,
    pairs: &[(usize, usize)],
    frames: std::ops::Range<usize>,
) -> Vec<f32> {
    let half = ((config.window_s / config.clock_s / 2.0).floor() as usize).max(1);
    let n_frames = features.time.len();
    let mut out = Vec::with_capacity(frames.len() * pairs.len());
    for t in frames {
        let window = t.saturating_sub(half)..(t + half + 1).min(n_frames);
        let n = window.len() as f64;
        // Centered once for each unit and window, so that the sums below do not cancel.
        let centered: Vec<Vec<f32>> = features
            .values
            .axis_iter(Axis(1))
            .map(|unit| {
                let x: Vec<f64> = window.clone().map(|s| f64::from(unit[s])).collect();
                let mean = x.iter().sum::<f64>() / n;
                let square: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
                let scale = if square > 1e-12 * n {
                    square.sqrt().recip()
                } else {
                    0.0
                };
                x.iter().map(|v| ((v - mean) * scale) as f32).collect()
            })
            .collect();
        out.extend(pairs.iter().map(|&(i, j)| {
            let r: f32 = centered[i]
                .iter()
                .zip(&centered[j])
                .map(|(a, b)| a * b)
                .sum();
            r.clamp(0.0, 1.0)
        }));
    }
    out
}
