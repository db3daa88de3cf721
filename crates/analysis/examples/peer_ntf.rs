//! Our side of `bench/peers/peer_ntf.py`: factorizes a tensor read from a file, from random starts, for a fixed number of
//! sweeps, with products in `single` or `double` precision.
//!
//! The file holds three numbers (frames, pairs, animals; `u64`, little-endian) and the values `[time, pair, animal]`
//! (`f32`, little-endian; NaN where hidden).

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::time::Instant;

use chiasm_analysis::connectome::factorization::{Factorization, MaskedTensor, Precision};
use chiasm_core::{Quiet, Streams};
use ndarray::Array3;

/// Rounds of coordinate descent for each mode and sweep: as many as the peer takes.
const INNER: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let [Some(path), Some(rank), Some(sweeps), Some(starts)] =
        std::array::from_fn(|_| arguments.next())
    else {
        return Err("usage: peer_ntf FILE RANK SWEEPS STARTS [single|double]".into());
    };
    let precision = match arguments.next().as_deref() {
        Some("single") => Precision::Single,
        None | Some("double") => Precision::Double,
        Some(other) => {
            return Err(format!("precision must be single or double, found {other}").into());
        }
    };
    let tensor = MaskedTensor::from_dense(&read(&path)?)?;
    let fit = Factorization {
        rank: rank.parse()?,
        starts: starts.parse()?,
        max_sweeps: sweeps.parse()?,
        tolerance: 0.0,
        precision,
        inner: INNER,
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
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut shape = [0usize; 3];
    for size in &mut shape {
        let mut word = [0; 8];
        file.read_exact(&mut word)?;
        *size = usize::try_from(u64::from_le_bytes(word))?;
    }
    let mut values = vec![0.0f32; shape.iter().product()];
    for value in &mut values {
        let mut word = [0; 4];
        file.read_exact(&mut word)?;
        *value = f32::from_le_bytes(word);
    }
    Ok(Array3::from_shape_vec(shape, values)?)
}
