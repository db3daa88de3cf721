use burn_tensor::{Device, Tensor};
use chiasm_core::Streams;
use rand::RngExt;

use super::*;
use crate::Real;
use crate::train::{download, upload};

mod differences;
mod known;
mod linear;
mod refusals;
mod same;

const SURROGATES: [Surrogate; 4] = [
    Surrogate::Atan { alpha: 2.0 },
    Surrogate::Sigmoid { slope: 4.0 },
    // Narrow and wide enough for potentials on both sides of its end.
    Surrogate::Triangle {
        width: 0.4,
        height: 0.3,
    },
    Surrogate::Slayer {
        decay: 2.5,
        height: 0.8,
    },
];

/// Every combination of reset, detachment, drive and surrogate.
fn all_settings() -> impl Iterator<Item = Lif> {
    let resets = [Reset::Zero, Reset::Subtract, Reset::None];
    SURROGATES.into_iter().flat_map(move |surrogate| {
        resets.into_iter().flat_map(move |reset| {
            [Drive::Whole, Drive::Leaky]
                .into_iter()
                .flat_map(move |drive| {
                    [false, true].into_iter().map(move |detach_reset| Lif {
                        threshold: 0.7,
                        reset,
                        detach_reset,
                        drive,
                        surrogate,
                        firing: Firing::Spikes,
                    })
                })
        })
    })
}

/// Draws between `low` and `high`.
fn draws(name: &str, n: usize, (low, high): (f64, f64)) -> Vec<f64> {
    let mut rng = Streams::new(6).stream(name);
    (0..n)
        .map(|_| low + (high - low) * rng.random::<f64>())
        .collect()
}

fn to<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|v| T::of(*v)).collect()
}

fn close<T: Real>(what: &str, a: &[T], b: &[T], tolerance: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    // Sums of terms of order 1: relative to those, should the sums cancel.
    let scale = b.iter().map(|v| v.wide().abs()).fold(0.1, f64::max);
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let gap = (a.wide() - b.wide()).abs() / scale;
        // Not `gap > tolerance`: NaN must not pass.
        assert!(
            gap <= tolerance,
            "{what} {i}: {:?} {:?}",
            a.wide(),
            b.wide()
        );
    }
}
