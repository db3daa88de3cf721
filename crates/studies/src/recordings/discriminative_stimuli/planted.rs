//! Neurons of known types, as models.

use chiasm_core::{Failure, Streams};
use chiasm_data::generate::{
    CellKind, CellTypes, CellTypesTruth, MovieTypes, MovieTypesTruth, cell_types, movie_types,
};
use chiasm_probe::stimuli::{
    Energy, LinearNonlinear, Movie, MovieFilters, Nonlinearity, Normalization, Precision,
    ResponseModel, StimulusShape,
};

/// Norm of the reference images, that of the stimuli (card).
pub(super) const NORM: f64 = 6.0;

/// A model with its true types and its normalization.
pub(super) struct Planted<M> {
    pub(super) model: M,
    pub(super) normalization: Normalization,
    pub(super) labels: Vec<usize>,
    pub(super) names: Vec<String>,
}

/// Linear-nonlinear neurons of 8 types.
pub(super) fn linear(
    planted: &CellTypes,
    reference_images: usize,
    streams: &Streams,
) -> Result<(Planted<LinearNonlinear>, CellTypesTruth), Failure> {
    let truth = cell_types(planted, streams)?;
    let shape = StimulusShape::image(planted.side, planted.side);
    let model = LinearNonlinear::new(shape, truth.filters.clone(), Nonlinearity::Softplus)?
        .with_gains(truth.gains.clone())?
        .with_offsets(truth.offsets.clone())?;
    let planted = with_reference(
        model,
        truth.labels.clone(),
        truth.names.clone(),
        reference_images,
        NORM,
        streams,
    )?;
    Ok((planted, truth))
}

/// Phase-invariant neurons of 8 types.
pub(super) fn energy(
    planted: &CellTypes,
    reference_images: usize,
    streams: &Streams,
) -> Result<Planted<Energy>, Failure> {
    let planted = CellTypes {
        kind: CellKind::Energy,
        ..planted.clone()
    };
    let truth = cell_types(&planted, streams)?;
    let shape = StimulusShape::image(planted.side, planted.side);
    let second = truth
        .second
        .clone()
        .unwrap_or_else(|| truth.filters.clone());
    let model = Energy::new(
        shape,
        &truth.filters,
        &second,
        truth.gains.clone(),
        truth.offsets.clone(),
        Nonlinearity::Softplus,
    )?;
    with_reference(
        model,
        truth.labels,
        truth.names,
        reference_images,
        NORM,
        streams,
    )
}

/// Neurons that see movies, whose score is their mean output over the last third of a stimulus of this many frames.
pub(super) fn movie(
    planted: &MovieTypes,
    frames: usize,
    reference: usize,
    streams: &Streams,
) -> Result<Planted<Movie>, Failure> {
    let truth: MovieTypesTruth = movie_types(planted, streams)?;
    let shape = StimulusShape::movie(1, frames, planted.side, planted.side);
    let filters = MovieFilters {
        space: vec![truth.space],
        time: vec![truth.time],
        gains: truth.gains,
        offsets: truth.offsets,
    };
    let window = frames - (frames / 3).max(1)..frames;
    let model = Movie::new(shape, filters, Nonlinearity::Softplus, window)?;
    let model = model.with_precision(Precision::Single);
    with_reference(
        model,
        truth.labels,
        truth.names,
        reference,
        MOVIE_NORM,
        streams,
    )
}

/// Norm of movies (openretina).
pub(super) const MOVIE_NORM: f64 = 30.0;

fn with_reference<M: ResponseModel>(
    model: M,
    labels: Vec<usize>,
    names: Vec<String>,
    n: usize,
    norm: f64,
    streams: &Streams,
) -> Result<Planted<M>, Failure> {
    let mut rng = streams.stream("reference");
    let normalization = Normalization::from_model(&model, n, norm, &mut rng)?;
    Ok(Planted {
        model,
        normalization,
        labels,
        names,
    })
}
