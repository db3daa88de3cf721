//! What was seen, and training on it: module by module, each kept as soon as it is done.

use std::ops::Range;

use chiasm_circuit::place::{Ensemble, Module, PlaceError, Training, patch_normalized};
use chiasm_core::{Failure, Streams, Watch};
use chiasm_lab::Bench;
use ndarray::{Array3, ArrayView3, s};

use super::config::Experiment;

/// Traverses of the same places: references, and the query last.
pub(super) struct Seen {
    /// As they are.
    pub(super) raw: Vec<Array3<u8>>,
    /// Patch-normalized.
    pub(super) normalized: Vec<Array3<u8>>,
}

impl Seen {
    pub(super) fn new(raw: Vec<Array3<u8>>) -> Result<Self, PlaceError> {
        let expected = raw.first().map_or(0, |t| t.dim().0);
        for (traverse, images) in raw.iter().enumerate() {
            let found = images.dim().0;
            if found != expected {
                return Err(PlaceError::UnequalTraverses {
                    traverse,
                    expected,
                    found,
                });
            }
        }
        let normalized = raw.iter().map(patch_normalized).collect::<Result<_, _>>()?;
        Ok(Self { raw, normalized })
    }

    pub(super) fn n_places(&self) -> usize {
        self.raw.first().map_or(0, |t| t.dim().0)
    }
}

/// These places of the references among some traverses.
pub(super) fn references(
    traverses: &[Array3<u8>],
    places: Range<usize>,
) -> Vec<ArrayView3<'_, u8>> {
    let references = &traverses[..traverses.len() - 1];
    let part = references
        .iter()
        .map(|t| t.slice(s![places.clone(), .., ..]));
    part.collect()
}

/// The ensemble of all places, calibration first; and the single module of all test places, if it is asked for.
pub(super) fn ensemble(
    config: &Experiment,
    seen: &Seen,
    bench: &mut Bench,
) -> Result<(Ensemble, Option<Ensemble>), Failure> {
    let (module, n_places) = (&config.module, seen.n_places());
    let per_module = module.places_per_module;
    if n_places < config.calibration_places + per_module {
        return Err(PlaceError::TooFewPlaces {
            places: n_places - config.calibration_places.min(n_places),
            per_module,
        }
        .into());
    }
    let starts: Vec<usize> = (0..n_places).step_by(per_module).collect();
    let lead = usize::from(config.one_module);
    let arms = lead + starts.len();
    bench
        .watch()
        .stage("training", (arms * module.epochs) as u64);
    // The single module takes longest, so it begins first.
    let mut trained = bench.arms(arms, |arm, bench| {
        if arm < lead {
            let places = config.calibration_places..n_places;
            // As many passes for the labels as a module has.
            let mut settings = module.clone();
            settings.label_presentations *= places.len().div_ceil(per_module);
            let streams = bench.streams().child("one module");
            let parts = references(&seen.normalized, places);
            return bench.stage("one-module", |bench| {
                learned((0, &parts), &settings, &streams, bench.watch())
            });
        }
        let first = starts[arm - lead];
        let places = first..(first + per_module).min(n_places);
        let parts = references(&seen.normalized, places);
        let streams = bench.streams().clone();
        bench.stage(&format!("module-{first}"), |bench| {
            learned((first, &parts), module, &streams, bench.watch())
        })
    })?;
    let (_, rows, columns) = seen.raw[0].dim();
    let split = trained.split_off(lead);
    let one = match trained.is_empty() {
        true => None,
        false => Some(Ensemble::of(trained, (rows, columns))?),
    };
    Ok((Ensemble::of(split, (rows, columns))?, one))
}

fn learned(
    (first, parts): (usize, &[ArrayView3<'_, u8>]),
    config: &chiasm_circuit::place::Config,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Module, Failure> {
    let (n_places, rows, columns) = parts.first().map_or((0, 0, 0), |p| p.dim());
    let mut training = Training::new(first, n_places, rows * columns, config, streams)?;
    while !training.is_done() {
        watch.check()?;
        training.epoch(parts, streams)?;
        watch.tick(1);
    }
    Ok(training.finish())
}
