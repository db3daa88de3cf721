//! Our side of `bench/peers/peer_stimuli.py`.
//!
//! `peer_stimuli ascent FILE.npz STEPS RATE NORM`: improves one stimulus for each cluster of linear-nonlinear neurons.
//! `peer_stimuli cluster images|movies TYPES PER_TYPE SIDE FRAMES`: a whole clustering of planted types.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use chiasm_analysis::partition::adjusted_rand;
use chiasm_core::{Quiet, Streams, stats};
use chiasm_data::NamedArrays;
use chiasm_data::generate::{CellTypes, MovieTypes, cell_types, movie_types};
use chiasm_probe::stimuli::{
    Ascent, Config, Groups, LinearNonlinear, Movie, MovieFilters, Nonlinearity, Normalization,
    Postprocess, Precision, ResponseModel, StepRule, StimulusShape,
};
use ndarray::{Array2, Ix2};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ascent", path, steps, rate, norm] => {
            ascent(path, steps.parse()?, rate.parse()?, norm.parse()?)
        }
        ["cluster", kind, types, per_type, side, frames] => cluster(
            kind,
            types.parse()?,
            per_type.parse()?,
            side.parse()?,
            frames.parse()?,
        ),
        _ => Err("usage: peer_stimuli ascent FILE STEPS RATE NORM | cluster KIND TYPES PER_TYPE SIDE FRAMES".into()),
    }
}

/// Does the work once to warm up and PEER_REPEATS times on the clock.
fn timed(mut work: impl FnMut() -> Result<String, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    let mut figures = String::new();
    for repeat in 0..=repeats {
        let start = Instant::now();
        figures = work()?;
        if repeat > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!("{{\"seconds\": {seconds:?}, {figures}}}");
    Ok(())
}

fn ascent(path: &str, steps: usize, rate: f64, norm: f64) -> Result<(), Box<dyn Error>> {
    let file = NamedArrays::open(path)?;
    let matrix = |name: &str| -> Result<Array2<f64>, Box<dyn Error>> {
        Ok(file.numbers(name)?.into_dimensionality::<Ix2>()?)
    };
    let filters = matrix("filters")?;
    let shape = StimulusShape::image(1, filters.ncols());
    let model = LinearNonlinear::new(shape, filters, Nonlinearity::Softplus)?
        .with_gains(file.vector("gains")?)?
        .with_offsets(file.vector("offsets")?)?
        .with_precision(Precision::Single);
    let normalization = Normalization::from_responses(matrix("reference")?.view())?;
    let labels: Vec<usize> = file.vector("labels")?.iter().map(|&l| l as usize).collect();
    let groups = Groups::new(&labels)?;
    let start = matrix("start")?;
    let ascent = Ascent {
        steps,
        rule: StepRule::Raw,
        step: rate,
        postprocess: Postprocess {
            norm: Some(norm),
            ..Postprocess::default()
        },
        ..Ascent::default()
    };
    timed(|| {
        let found = ascent.run(&model, &normalization, &groups, start.clone(), &Quiet)?;
        Ok(format!("\"objective\": {:?}", found.values))
    })
}

fn cluster(
    kind: &str,
    n_types: usize,
    per_type: usize,
    side: usize,
    frames: usize,
) -> Result<(), Box<dyn Error>> {
    let streams = Streams::new(0);
    let per_type = (per_type, per_type);
    let (model, labels, norm): (Box<dyn ResponseModel>, Vec<usize>, f64) = if kind == "movies" {
        let planted = MovieTypes {
            side,
            lags: 8,
            n_types,
            per_type,
            ..MovieTypes::default()
        };
        let truth = movie_types(&planted, &streams)?;
        let filters = MovieFilters {
            space: vec![truth.space],
            time: vec![truth.time],
            gains: truth.gains,
            offsets: truth.offsets,
        };
        let shape = StimulusShape::movie(1, frames, side, side);
        let window = frames - (frames / 3).max(1)..frames;
        let model = Movie::new(shape, filters, Nonlinearity::Softplus, window)?;
        (
            Box::new(model.with_precision(Precision::Single)),
            truth.labels,
            30.0,
        )
    } else {
        let planted = CellTypes {
            side,
            per_type,
            ..CellTypes::default()
        };
        let truth = cell_types(&planted, &streams)?;
        let shape = StimulusShape::image(side, side);
        let model = LinearNonlinear::new(shape, truth.filters, Nonlinearity::Softplus)?
            .with_gains(truth.gains)?
            .with_offsets(truth.offsets)?;
        (Box::new(model), truth.labels, 6.0)
    };
    let mut rng = streams.stream("reference");
    let normalization = Normalization::from_model(&*model, 200, norm, &mut rng)?;
    let config = Config {
        clusters: 3 * n_types,
        norm: Some(norm),
        ..Config::held_out()
    };
    timed(|| {
        let types = config.fit(&*model, &normalization, &streams, &Quiet)?;
        Ok(format!(
            "\"ari\": {}, \"clusters\": {}, \"splits\": {}, \"iterations\": {}, \"objective\": {}",
            adjusted_rand(&labels, &types.labels)?,
            types.n_clusters(),
            types.n_splits,
            types.iterations.len(),
            stats::mean(&types.values)
        ))
    })
}
