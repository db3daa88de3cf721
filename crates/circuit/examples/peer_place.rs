//! Our side of `bench/peers/peer_place.py`: training a module, and answering a query with many.
//!
//! ```text
//! peer_place train IMAGES.npz N_E DT_MS PRESENTATIONS
//! peer_place query IMAGES.npz N_E DT_MS MODULES
//! ```
//!
//! IMAGES.npz holds `images` [place, row, column], 0 to 255. `query` copies one untrained module: cost alone is asked for.

#![allow(clippy::print_stdout)]

use std::env;
use std::path::Path;
use std::time::Instant;

use chiasm_circuit::place::{Config, Ensemble, Training};
use chiasm_core::{Failure, Quiet, SettingError, Streams};
use chiasm_data::Photos;
use ndarray::{Axis, concatenate};

fn main() -> Result<(), Failure> {
    let usage = "train|query IMAGES.npz N_E DT_MS NUMBER";
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [job, path, n_e, dt_ms, number] = arguments.as_slice() else {
        let found = arguments.join(" ");
        return Err(SettingError::new("arguments", usage, found).into());
    };
    let bad = |what: &str| SettingError::new("arguments", usage, what);
    let images = Photos::read(Path::new(path), 28, 28)?.images;
    let (n_places, number) = (images.dim().0, number.parse().map_err(|_| bad(number))?);
    let config = Config {
        n_e: n_e.parse().map_err(|_| bad(n_e))?,
        dt_ms: dt_ms.parse().map_err(|_| bad(dt_ms))?,
        epochs: usize::max(number, 1),
        ..Config::default()
    };
    let repeats: usize = env::var("PEER_REPEATS").map_or(1, |n| n.parse().unwrap_or(1));
    let streams = Streams::new(1);
    let (mut seconds, mut figures) = (vec![], String::new());
    match job.as_str() {
        "train" => {
            let epochs = number.div_ceil(n_places);
            for _ in 0..=repeats {
                let mut training = Training::new(0, n_places, 784, &config, &streams)?;
                let start = Instant::now();
                for _ in 0..epochs {
                    training.epoch(&[images.view()], &streams)?;
                }
                seconds.push(start.elapsed().as_secs_f64());
                let module = training.finish();
                let theta = module.theta_mv();
                let mean = theta.iter().sum::<f64>() / theta.len() as f64;
                let presentations = epochs * n_places;
                let size = theta.len() as f64;
                // Thresholds hardly decay, so what they rose by counts the spikes.
                let spikes = size * (mean - 20.0) / config.theta_plus_mv / presentations as f64;
                figures = format!(
                    r#""presentations": {presentations}, "theta_mv": {mean}, "spikes": {spikes}"#
                );
            }
        }
        "query" => {
            let modules = (0..number).map(|k| {
                Training::new(k * n_places, n_places, 784, &config, &streams).map(Training::finish)
            });
            let ensemble = Ensemble::of(modules.collect::<Result<_, _>>()?, (28, 28))?;
            let views = vec![images.view(); 20usize.div_ceil(n_places)];
            let queries = concatenate(Axis(0), &views).map_err(|_| bad("images"))?;
            let n = queries.dim().0;
            for _ in 0..=repeats {
                let start = Instant::now();
                ensemble.listen_all(queries.view(), &streams, &Quiet)?;
                seconds.push(start.elapsed().as_secs_f64());
            }
            let mut recognizer = ensemble.recognizer();
            let start = Instant::now();
            for image in queries.axis_iter(Axis(0)) {
                recognizer.listen(image, &streams)?;
            }
            let streaming = start.elapsed().as_secs_f64() / n as f64;
            let all = seconds.last().map_or(0.0, |s| s / n as f64);
            figures = format!(
                r#""modules": {number}, "query_ms": {}, "streaming_query_ms": {}"#,
                1e3 * all,
                1e3 * streaming
            );
        }
        other => return Err(bad(other).into()),
    }
    // The first was to warm up.
    println!(r#"{{"seconds": {:?}, {figures}}}"#, &seconds[1..]);
    Ok(())
}
