//! Harder neurons: types of unlike size, phase-invariant ones, a network that was fitted to neurons, and ones that see
//! movies.

use chiasm_core::Failure;
use chiasm_data::generate::{CellTypes, MovieTypes};
use chiasm_lab::Bench;
use chiasm_probe::stimuli::{self, Types};

use super::arms::{ArmResult, cluster};
use super::config::Config;
use super::planted::{self, MOVIE_NORM};

/// What was found.
pub(super) struct Hard {
    pub(super) arms: Vec<ArmResult>,
    pub(super) movies: Types,
    pub(super) movie_names: Vec<String>,
    pub(super) movie_labels: Vec<usize>,
}

/// Clusters each kind once, each as a stage of its own.
pub(super) fn run(config: &Config, cells: &CellTypes, bench: &mut Bench) -> Result<Hard, Failure> {
    let clusters = *config.start_clusters.last().unwrap_or(&24);
    let held_out = stimuli::Config {
        clusters,
        split: false,
        ..config.held_out.clone()
    };
    let mut arms = Vec::new();
    let unlike = CellTypes {
        per_type: (
            config.neurons_per_type.div_ceil(3),
            3 * config.neurons_per_type,
        ),
        ..cells.clone()
    };
    arms.push(bench.stage("unlike-sizes", |bench| {
        let streams = bench.streams().child("unlike sizes");
        let planted = planted::linear(&unlike, config.reference_images, &streams)?.0;
        Ok(cluster("unlike-sizes", &held_out, &planted, &streams, bench.watch())?.0)
    })?);
    arms.push(bench.stage("phase-invariant", |bench| {
        let streams = bench.streams().child("phase invariant");
        let planted = planted::energy(cells, config.reference_images, &streams)?;
        Ok(cluster(
            "phase-invariant",
            &held_out,
            &planted,
            &streams,
            bench.watch(),
        )?
        .0)
    })?);
    let (result, correlation) = bench.stage("network", |bench| {
        let streams = bench.streams().child("network");
        let (planted, correlation) = planted::network(
            cells,
            &config.training,
            config.training_images,
            config.reference_images,
            &streams,
            bench.watch(),
        )?;
        let found = cluster("network", &held_out, &planted, &streams, bench.watch())?;
        Ok((found.0, correlation))
    })?;
    bench.metric("network/correlation", correlation, "1")?;
    arms.push(result);
    let movie_cells = MovieTypes {
        side: config.movie_side,
        lags: (config.movie_frames / 2).max(4),
        n_types: config.movie_types,
        per_type: (config.movie_neurons_per_type, config.movie_neurons_per_type),
        ..MovieTypes::default()
    };
    let neurons = config.movie_types * config.movie_neurons_per_type;
    let on_movies = stimuli::Config {
        clusters: (3 * config.movie_types).min(neurons),
        norm: Some(MOVIE_NORM),
        ..held_out
    };
    let (result, movies, movie_names, movie_labels) = bench.stage("movies", |bench| {
        let streams = bench.streams().child("movies");
        let reference = config.reference_images.min(200);
        let planted = planted::movie(&movie_cells, config.movie_frames, reference, &streams)?;
        let (result, types) = cluster("movies", &on_movies, &planted, &streams, bench.watch())?;
        Ok((result, types, planted.names, planted.labels))
    })?;
    arms.push(result);
    for arm in &arms {
        bench.metric(&format!("ari/{}", arm.name), arm.ari, "1")?;
        bench.metric(
            &format!("clusters/{}", arm.name),
            arm.n_clusters as f64,
            "1",
        )?;
    }
    Ok(Hard {
        arms,
        movies,
        movie_names,
        movie_labels,
    })
}
