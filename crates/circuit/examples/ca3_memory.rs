//! The CA3 memory at work: the published runs, random contents, and writing in a hurry.
//!
//! `cargo run --release -p chiasm-circuit --example ca3_memory [N_CUES N_BITS]`

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use chiasm_circuit::ca3::{Cam, Config, POPULATIONS, first, map, random_contents, stress};
use chiasm_core::Streams;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args()
        .skip(1)
        .map(|a| a.parse())
        .collect::<Result<_, _>>()?;
    let (n_cues, n_bits) = match sizes.as_slice() {
        [] => (64, 128),
        [n_cues, n_bits] => (*n_cues, *n_bits),
        _ => return Err("usage: ca3_memory [N_CUES N_BITS]".into()),
    };
    println!("{POPULATIONS:?}");
    for (name, experiment) in [("first", first()), ("stress", stress()), ("map", map())] {
        let start = Instant::now();
        let mut memory = experiment.run(&Config::default())?;
        let seconds = start.elapsed().as_secs_f64();
        let counts = memory.spikes().map(|s| s.len());
        println!("{name}: {counts:?} in {:.1} ms", 1000.0 * seconds);
    }
    for seed in 0..3 {
        let mut rng = Streams::new(seed).stream("contents");
        let contents = random_contents(n_cues, n_bits, 0.2, &mut rng);
        let start = Instant::now();
        let mut memory = Cam::new(n_cues, n_bits, &Config::default())?;
        for (cue, content) in (0..).zip(&contents) {
            memory.learn(cue, content)?;
        }
        let (cues, lines) = recalled(&mut memory, &contents, n_bits, 0)?;
        println!(
            "{n_cues} contents of {n_bits} lines, seed {seed}: by cue {cues:.3}, by line {lines:.3}, {:.2} s",
            start.elapsed().as_secs_f64()
        );
    }
    for spacing_ms in [7, 8, 9, 10] {
        for seed in 0..3 {
            let mut rng = Streams::new(seed).stream("contents");
            let contents = random_contents(16, 32, 0.3, &mut rng);
            let config = Config {
                spacing_ms,
                ..Config::default()
            };
            let mut memory = Cam::new(16, 32, &config)?;
            for (cue, content) in (0..).zip(&contents) {
                memory.learn(cue, content)?;
            }
            memory.run(&[], 20)?;
            let (cues, lines) = recalled(&mut memory, &contents, 32, 13)?;
            println!(
                "written {spacing_ms} ms apart, seed {seed}: by cue {cues:.3}, by line {lines:.3}"
            );
        }
    }
    Ok(())
}

/// Fractions of cues and of content lines that recall exactly what they should.
fn recalled(
    memory: &mut Cam,
    contents: &[Vec<u32>],
    n_bits: usize,
    pause_ms: u64,
) -> Result<(f64, f64), Box<dyn Error>> {
    let (mut cues, mut lines) = (0, 0);
    for (cue, content) in (0..).zip(contents) {
        cues += usize::from(memory.recall_cue(cue)? == *content);
        memory.run(&[], pause_ms)?;
    }
    for bit in 0..n_bits as u32 {
        let holding = (0u32..).zip(contents).filter(|(_, c)| c.contains(&bit));
        let expected: Vec<u32> = holding.map(|(cue, _)| cue).collect();
        lines += usize::from(memory.recall_content(&[bit])? == expected);
        memory.run(&[], pause_ms)?;
    }
    Ok((
        cues as f64 / contents.len() as f64,
        lines as f64 / n_bits as f64,
    ))
}
