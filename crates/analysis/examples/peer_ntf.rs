//! Our side of `bench/peers/peer_ntf.py`: factorizes a tensor read from a file, from one random start, for a fixed number
//! of sweeps.
//!
//! The file holds three numbers (frames, pairs, animals; `u64`, little-endian) and the values `[time, pair, animal]`
//! (`f32`, little-endian).

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use chiasm_analysis::connectome::factorization::{Factorization, MaskedTensor};
use chiasm_core::{Quiet, Streams};
use ndarray::Array3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(rank), Some(sweeps)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: peer_ntf FILE RANK SWEEPS".into());
    };
    let tensor = MaskedTensor::from_dense(&read(&path)?)?;
    let fit = Factorization {
        rank: rank.parse()?,
        starts: 1,
        max_sweeps: sweeps.parse()?,
        tolerance: 0.0,
        ..Factorization::default()
    };
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut seconds = Vec::new();
    let mut error = f64::NAN;
    for repeat in 0..=repeats {
        let start = Instant::now();
        error = fit
            .fit(&tensor, &Streams::new(0), &Quiet)?
            .best
            .relative_error();
        if repeat > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!("{{\"seconds\": {seconds:?}, \"relative_error\": {error}}}");
    Ok(())
}

fn read(path: &str) -> Result<Array3<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let (head, body) = bytes.split_at_checked(24).ok_or("the file is cut short")?;
    let mut shape = [0usize; 3];
    for (size, word) in shape.iter_mut().zip(head.chunks_exact(8)) {
        *size = usize::try_from(u64::from_le_bytes(word.try_into()?))?;
    }
    let values: Vec<f32> = body
        .chunks_exact(4)
        .map(|b| Ok(f32::from_le_bytes(b.try_into()?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    Ok(Array3::from_shape_vec(shape, values)?)
}
