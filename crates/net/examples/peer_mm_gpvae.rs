//! Our side of `bench/peers/peer_mm_gpvae.py`: epochs of training from given parameters.
//!
//! `dump FOLDER UNITS SIZE WIDTHS` writes the trials (`counts.bin`, `images.bin`), the draws for one look at the objective
//! (`noise.bin`; all `f32`, little-endian) and the parameters at the start with the sizes (`start.json`).
//! `train FOLDER UNITS SIZE WIDTHS EPOCHS` reports the objective at the start, with those draws, and trains.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{RotatingDigits, rotating_digits};
use chiasm_net::models::mm_gpvae::{Missing, MmGpVae, Trials};
use ndarray::Array3;
use rand_distr::{Distribution, StandardNormal};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, folder, units, size, widths, rest @ ..] = arguments.as_slice() else {
        return Err("usage: peer_mm_gpvae dump|train FOLDER UNITS SIZE WIDTHS [EPOCHS]".into());
    };
    let folder = Path::new(folder);
    let config = RotatingDigits {
        n_trials: 60,
        n_units: units.parse()?,
        size: size.parse()?,
        ..RotatingDigits::default()
    };
    let made = rotating_digits(&config, None, &Streams::new(0))?;
    let trials = Trials::new(
        Some(made.counts.clone()),
        Some(made.images.clone()),
        Missing::Refuse,
    )?;
    let widths: Result<Vec<usize>, _> = widths.split(',').map(str::parse).collect();
    let model = MmGpVae {
        behavior_widths: widths?,
        alone: 0.0,
        ..MmGpVae::default()
    };
    let streams = Streams::new(1);
    let start = model.start(&trials, &streams)?;
    let fitted = model.fitted(&start)?;
    let shape = (60, fitted.latents().total(), fitted.n_coefficients());
    let mut rng = streams.stream("noise");
    let noise = Array3::from_shape_simple_fn(shape, || {
        let v: f64 = StandardNormal.sample(&mut rng);
        v as f32
    });
    if task == "dump" {
        let bytes = |x: &Array3<f32>| x.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        std::fs::write(folder.join("counts.bin"), bytes(&made.counts))?;
        std::fs::write(folder.join("images.bin"), bytes(&made.images))?;
        std::fs::write(folder.join("noise.bin"), bytes(&noise))?;
        let parameters = serde_json::to_value(start.parameters())?;
        let all = serde_json::json!({
            "parameters": parameters["arrays"],
            "trials": 60, "bins": 60, "units": config.n_units, "pixels": config.size * config.size,
            "coefficients": shape.2,
        });
        std::fs::write(folder.join("start.json"), serde_json::to_vec(&all)?)?;
        return Ok(());
    }
    let epochs: usize = rest.first().ok_or("EPOCHS is missing")?.parse()?;
    let bound = fitted.bound_with(&trials, &noise)?.bound;
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let (mut seconds, mut last) = (Vec::new(), f64::NAN);
    for repeat in 0..=repeats {
        let mut training = start.clone();
        let clock = Instant::now();
        model.train(&trials, &mut training, epochs, &streams, &Quiet)?;
        if repeat > 0 {
            seconds.push(clock.elapsed().as_secs_f64());
        }
        last = training.trace.last().map_or(f64::NAN, |e| e.bound);
    }
    println!("{{\"seconds\": {seconds:?}, \"bound\": {bound}, \"trained_bound\": {last}}}");
    Ok(())
}
