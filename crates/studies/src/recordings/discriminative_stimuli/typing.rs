//! Typing new neurons with a few stimuli, and what the stimuli look like.

use chiasm_core::{Failure, Inside, Streams, Watch};
use chiasm_data::generate::{CellTypes, CellTypesTruth};
use chiasm_probe::stimuli::baseline::{most_exciting, random};
use chiasm_probe::stimuli::{Ascent, Groups, LinearNonlinear, ResponseModel};
use ndarray::{Array1, Array2};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::planted::{self, NORM, Planted};

/// What one set of neurons gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Typing {
    /// Share of fresh neurons typed right by the discriminative, the most exciting and random stimuli: by the largest
    /// response, and by the nearest mean response of a type.
    pub(super) by_largest: [f64; 3],
    pub(super) by_nearest: [f64; 3],
    /// Of each type, cosine of its stimulus with its mean filter.
    pub(super) with_filter: Vec<f64>,
    /// Of each type, cosine of its stimulus with the most exciting one of its best neuron.
    pub(super) with_exciting: Vec<f64>,
}

/// Names of the three sets of stimuli.
pub(super) const SETS: [&str; 3] = ["discriminative", "most exciting", "random"];

/// Makes the three sets of stimuli from these neurons, whose types are given, and types fresh neurons with each.
pub(super) fn run(
    config: &Config,
    cells: &CellTypes,
    known: &Planted<LinearNonlinear>,
    truth: &CellTypesTruth,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Typing, Failure> {
    let n_types = known.names.len();
    let pixels = known.model.shape().n_pixels();
    let ascent: Ascent = config.held_out.ascent();
    let start = random(n_types, pixels, NORM, &mut streams.stream("start"));
    let groups = Groups::new(&known.labels)?;
    let found = ascent.run(
        &known.model,
        &known.normalization,
        &groups,
        start,
        &Inside(watch),
    )?;
    // Of each type the neuron that can be driven most.
    let every: Vec<usize> = (0..known.labels.len()).collect();
    let exciting = most_exciting(
        &known.model,
        &known.normalization,
        &every,
        &ascent.postprocess,
        &mut streams.stream("exciting"),
        &Inside(watch),
    )?;
    let driven = known
        .normalization
        .responses(&known.model, exciting.view())?;
    let best: Vec<usize> = (0..n_types)
        .map(|t| {
            let own = every.iter().copied().filter(|&i| known.labels[i] == t);
            own.reduce(|b, i| {
                if driven[[i, i]] > driven[[b, b]] {
                    i
                } else {
                    b
                }
            })
            .unwrap_or(0)
        })
        .collect();
    let exciting = exciting.select(ndarray::Axis(0), &best);
    let chance = random(n_types, pixels, NORM, &mut streams.stream("random"));

    let fresh_cells = CellTypes {
        per_type: (config.fresh_per_type, config.fresh_per_type),
        ..cells.clone()
    };
    let fresh = planted::linear(
        &fresh_cells,
        config.reference_images,
        &streams.child("fresh"),
    )?
    .0;
    let mut noise = streams.stream("response noise");
    let (mut by_largest, mut by_nearest) = ([0.0; 3], [0.0; 3]);
    for (s, shown) in [&found.stimuli, &exciting, &chance].into_iter().enumerate() {
        let known_responses = known.normalization.responses(&known.model, shown.view())?;
        let mut responses = fresh.normalization.responses(&fresh.model, shown.view())?;
        responses.mapv_inplace(|v| {
            let normal: f64 = StandardNormal.sample(&mut noise);
            v + config.response_noise * normal
        });
        let means = groups.means(known_responses.view());
        let (mut largest, mut nearest) = (0, 0);
        for (column, &label) in responses.columns().into_iter().zip(&fresh.labels) {
            let first = |better: &dyn Fn(usize, usize) -> bool| {
                (1..n_types).fold(0, |b, k| if better(k, b) { k } else { b })
            };
            largest += usize::from(first(&|k, b| column[k] > column[b]) == label);
            let distance = |k: usize| {
                let d = &column - &means.column(k);
                d.dot(&d)
            };
            nearest += usize::from(first(&|k, b| distance(k) < distance(b)) == label);
        }
        let n = fresh.labels.len() as f64;
        by_largest[s] = largest as f64 / n;
        by_nearest[s] = nearest as f64 / n;
    }
    let cosine = |a: ndarray::ArrayView1<f64>, b: ndarray::ArrayView1<f64>| {
        a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt()
    };
    let mean_filter = |t: usize| {
        let mut mean = Array1::<f64>::zeros(pixels);
        for (filter, &label) in truth.filters.rows().into_iter().zip(&truth.labels) {
            if label == t {
                mean += &filter;
            }
        }
        mean
    };
    let with = |others: &Array2<f64>| -> Vec<f64> {
        (0..n_types)
            .map(|t| cosine(found.stimuli.row(t), others.row(t)))
            .collect()
    };
    let filters = Array2::from_shape_fn((n_types, pixels), |_| 0.0);
    let mut filters = filters;
    for t in 0..n_types {
        filters.row_mut(t).assign(&mean_filter(t));
    }
    Ok(Typing {
        by_largest,
        by_nearest,
        with_filter: with(&filters),
        with_exciting: with(&exciting),
    })
}
