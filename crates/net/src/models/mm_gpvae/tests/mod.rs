//! What the model keeps to, by closed forms, finite differences and planted truth.

mod bases;
mod objective;
mod refusals;
mod training;

use chiasm_core::Streams;
use chiasm_data::generate::{DigitTrials, RotatingDigits, rotating_digits};

use super::*;
use crate::layers::Activation;

/// Few, small trials of everything.
fn digits(n_trials: usize, n_bins: usize, size: usize) -> DigitTrials {
    let config = RotatingDigits {
        n_trials,
        n_bins,
        n_units: 20,
        size,
        ..RotatingDigits::default()
    };
    rotating_digits(&config, None, &Streams::new(11)).unwrap()
}

fn trials_of(made: &DigitTrials) -> Trials {
    let (counts, images) = (made.counts.clone(), made.images.clone());
    Trials::new(Some(counts), Some(images), Missing::Refuse).unwrap()
}

/// A model small enough to be looked at entry by entry.
fn small() -> MmGpVae {
    MmGpVae {
        neural_widths: vec![6],
        behavior_widths: vec![8, 5],
        min_length_bins: 4.0,
        start_length_bins: 6.0,
        max_length_bins: 10.0,
        output: Activation::Linear,
        batch: 3,
        epochs: 3,
        behavior_rate: 2e-3,
        neural_rate: 2e-3,
        ..MmGpVae::default()
    }
}
