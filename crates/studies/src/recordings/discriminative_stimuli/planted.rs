//! Neurons of known types, as models.

use chiasm_core::{Failure, Inside, Streams, Watch};
use chiasm_data::generate::{
    CellKind, CellTypes, CellTypesTruth, MovieTypes, MovieTypesTruth, cell_types, movie_types,
};
use chiasm_probe::stimuli::baseline::random;
use chiasm_probe::stimuli::{
    Dense, Energy, LinearNonlinear, Movie, MovieFilters, Nonlinearity, Normalization, Precision,
    ResponseModel, StimulusShape, Training,
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

/// A network fitted to the responses of linear-nonlinear neurons to white noise; with the mean correlation of its
/// predictions with responses it was not fitted to.
pub(super) fn network(
    planted: &CellTypes,
    training: &Training,
    images: usize,
    reference_images: usize,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<(Planted<Dense>, f64), Failure> {
    let (known, _) = linear(planted, reference_images, streams)?;
    let shape = known.model.shape();
    // Of unit variance: far stronger than the stimuli that are sought, so that neurons leave their baseline.
    let norm = (shape.n_pixels() as f64).sqrt();
    let mut rng = streams.stream("training images");
    let shown = random(images, shape.n_pixels(), norm, &mut rng);
    let responses = known.model.scores(shown.view());
    let (model, correlation) = training.fit(
        shape,
        shown.view(),
        responses.view(),
        &streams.child("training"),
        &Inside(watch),
    )?;
    let planted = with_reference(
        model,
        known.labels,
        known.names,
        reference_images,
        NORM,
        streams,
    )?;
    Ok((planted, correlation))
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
