mod ascent;
mod clustering;
mod models;
mod objective;
mod receptive_fields;

use chiasm_core::Streams;
use chiasm_data::generate::{CellTypes, CellTypesTruth, cell_types};

use super::{LinearNonlinear, Nonlinearity, Normalization, StimulusShape};

/// Neurons of known types, with their model and its normalization.
pub(super) fn planted(
    planted: &CellTypes,
    seed: u64,
) -> (CellTypesTruth, LinearNonlinear, Normalization) {
    let streams = Streams::new(seed);
    let truth = cell_types(planted, &streams).unwrap();
    let shape = StimulusShape::image(planted.side, planted.side);
    let model = LinearNonlinear::new(shape, truth.filters.clone(), Nonlinearity::Softplus)
        .and_then(|m| m.with_gains(truth.gains.clone()))
        .and_then(|m| m.with_offsets(truth.offsets.clone()))
        .unwrap();
    let mut rng = streams.stream("reference");
    let normalization = Normalization::from_model(&model, 500, 6.0, &mut rng).unwrap();
    (truth, model, normalization)
}
