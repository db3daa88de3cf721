//! Our side of `bench/peers/peer_circuit.py`: builds the circuit in a file and simulates it, recording all spikes.
//!
//! The number of threads is that of `RAYON_NUM_THREADS`.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use chiasm_circuit::file::CircuitFile;
use chiasm_circuit::{Engine, correlation, summarize};
use chiasm_core::{Failure, Quiet, Streams};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let [Some(path), Some(seed)] = std::array::from_fn(|_| arguments.next()) else {
        return Err("usage: peer_circuit FILE SEED".into());
    };
    let text = std::fs::read_to_string(path)?;
    let file = CircuitFile::parse(&text)?;
    let seed: u64 = seed.parse()?;
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let threads: usize = std::env::var("RAYON_NUM_THREADS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    let mut figures = String::new();
    for repeat in 0..=repeats {
        let start = Instant::now();
        let (engine, build_s, recording) = work(&file, seed, threads).map_err(|e| e.to_string())?;
        let total = start.elapsed().as_secs_f64();
        if repeat > 0 {
            seconds.push(total);
        }
        let spikes: usize = summarize(&recording, 0.0).iter().map(|g| g.n_spikes).sum();
        let settled = summarize(&recording, 0.5);
        let n: usize = settled.iter().map(|g| g.n_units).sum();
        let mean = |f: &dyn Fn(&chiasm_circuit::Summary) -> f64| {
            settled.iter().map(|g| f(g) * g.n_units as f64).sum::<f64>() / n as f64
        };
        let rate = mean(&|g| g.rate_hz);
        let cv = mean(&|g| g.cv_isi.unwrap_or(f64::NAN));
        let first = recording.units()[0].region.clone().unwrap_or_default();
        let r = correlation(&recording, &first, 200, 0.01, 0.5).unwrap_or(f64::NAN);
        let bytes = engine.synapse_bytes() as f64 / engine.n_synapses() as f64;
        figures = format!(
            "\"run_s\": {}, \"build_s\": {build_s}, \"spikes\": {spikes}, \"rate_hz\": {rate}, \"cv_isi\": {cv}, \
             \"correlation\": {r}, \"synapses\": {}, \"bytes_per_synapse\": {bytes}",
            total - build_s,
            engine.n_synapses()
        );
    }
    println!(
        "{{\"seconds\": {seconds:?}, {}}}",
        figures.replace("NaN", "null")
    );
    Ok(())
}

fn work(
    file: &CircuitFile,
    seed: u64,
    threads: usize,
) -> Result<(Engine, f64, chiasm_data::Recording), Failure> {
    let start = Instant::now();
    let circuit = file.circuit()?;
    let streams = Streams::new(seed);
    let mut engine = if threads == 1 {
        circuit.build(&streams)?
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().map_err(|e| {
            chiasm_core::SettingError::new("RAYON_NUM_THREADS", "threads that start", e)
        })?;
        circuit.build_on(&streams, pool)?
    };
    let build_s = start.elapsed().as_secs_f64();
    engine.run(file.duration_s, &Quiet)?;
    let recording = engine.recording()?;
    Ok((engine, build_s, recording))
}
