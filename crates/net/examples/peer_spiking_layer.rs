//! Our side of `bench/peers/peer_spiking_layer.py`: a linear layer and its spiking neurons, forward and backward.
//!
//! `peer_spiking_layer FOLDER N TIME BATCH` reads spikes (`spikes.bin`: bytes, `[time, batch, neuron]`) and weights
//! (`weights.bin`: `f32`, little-endian, `[in, out]`).

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Instant;

use chiasm_net::layers::spiking::{Lif, spike_counts, spiking_linear};
use chiasm_net::tensor::{Device, Tensor};
use chiasm_net::train::upload;

/// Numbers of `SIZE` bytes, without the whole file in memory beside them.
fn read<const SIZE: usize>(
    path: &Path,
    length: usize,
    of: fn([u8; SIZE]) -> f32,
) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut values = Vec::with_capacity(length);
    for _ in 0..length {
        let mut bytes = [0; SIZE];
        file.read_exact(&mut bytes)?;
        values.push(of(bytes));
    }
    Ok(values)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, sizes @ ..] = arguments.as_slice() else {
        return Err("usage: peer_spiking_layer FOLDER N TIME BATCH".into());
    };
    let sizes: Result<Vec<usize>, _> = sizes.iter().map(|s| s.parse()).collect();
    let [n, time, batch] = sizes?[..] else {
        return Err("usage: peer_spiking_layer FOLDER N TIME BATCH".into());
    };
    let folder = Path::new(folder);
    let spikes = read(&folder.join("spikes.bin"), time * batch * n, |[b]| {
        f32::from(b)
    })?;
    let weights = read(&folder.join("weights.bin"), n * n, f32::from_le_bytes)?;
    let device = Device::flex().autodiff();
    let input = upload(spikes, [time, batch, n], &device);
    let weights = upload(weights, [n, n], &device).require_grad();
    let leak = Tensor::<1>::from_floats([0.9375], &device);
    let config = Lif {
        detach_reset: true,
        ..Lif::default()
    };

    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    for repeat in 0..=repeats {
        let clock = Instant::now();
        let out = spiking_linear(input.clone(), weights.clone(), None, leak.clone(), &config)?;
        let count = spike_counts(out.clone()).sum();
        let mut grads = count.backward();
        let grad = weights.grad_remove(&mut grads).ok_or("no gradient")?;
        if repeat > 0 {
            seconds.push(clock.elapsed().as_secs_f64());
        }
        if repeat < repeats {
            continue;
        }
        let (out, grad) = (out.inner().into_data(), grad.into_data());
        let (Ok(out), Ok(grad)) = (out.as_slice::<f32>(), grad.as_slice::<f32>()) else {
            return Err("expected single precision".into());
        };
        // Counted apart: a sum of so many in single precision is not exact.
        let n_spikes: f64 = out.iter().map(|s| f64::from(*s)).sum();
        let squares: f64 = grad.iter().map(|g| f64::from(*g).powi(2)).sum();
        // Weights from input i to neuron 7 i + 3.
        let entries = (0..n).step_by(n / 16);
        let entries: Vec<f32> = entries.map(|i| grad[i * n + (7 * i + 3) % n]).collect();
        let norm = squares.sqrt();
        println!(
            "{{\"seconds\": {seconds:?}, \"spikes\": {n_spikes}, \"gradient\": {norm}, \"entries\": {entries:?}}}"
        );
    }
    Ok(())
}
