//! The experiment: the authors' three runs, random contents, rewriting, ablations, and the memory's limits.

use chiasm_core::Failure;
use chiasm_lab::{Bench, Findings};

use super::arms::{self, Arm, FULL, NO_DEPRESSION, WILLSHAW, WITHOUT_ZERO_LAG};
use super::config::Config;
use super::{figures, limits, published};

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let differing = published::run(bench)?;
    let random = arms::random(config, bench)?;
    let table = arms::arms(config, bench)?;
    bench.figure(figures::arms(&table))?;
    let loads = limits::capacity(config, bench)?;
    bench.figure(figures::capacity(&loads))?;
    let spaced = limits::spacing(config, bench)?;
    bench.figure(figures::spacing(&spaced))?;
    bench.note(
        "The circuit runs on this engine, not on neuromorphic hardware: real-time operation, resources and power of \
         SpiNNaker are not measured.",
    );

    let rewritten = |name: &str| {
        let arm = table.iter().find(|arm| arm.name == name);
        arm.map_or_else(String::new, |arm: &Arm| percent(arm.rewritten.by_cue))
    };
    let hurried: Vec<String> = spaced
        .iter()
        .map(|s| format!("{} at {} ms", percent(s.mean.by_content), s.spacing_ms))
        .collect();
    Ok(Findings::new(format!(
        "Of the authors' three runs (2,231 spikes), {} of 30 spike counts and {} of 57 answers differ.",
        differing.counts, differing.answers
    ))
    .and(format!(
        "{} random contents of {} lines: {} of the cues and {} of the content lines get exactly the right answer.",
        config.n_cues,
        config.n_bits,
        percent(random.by_cue),
        percent(random.by_content)
    ))
    .and(format!(
        "Every content replaced by its complement: {} of the cues recall the new one alone; without depression {}, without \
         the depression at zero lag {}. A Willshaw memory of the same size, which cannot forget: {}.",
        rewritten(FULL),
        rewritten(NO_DEPRESSION),
        rewritten(WITHOUT_ZERO_LAG),
        rewritten(WILLSHAW)
    ))
    .and(format!(
        "Contents written in a hurry are recalled by content line to {}.",
        hurried.join(", ")
    )))
}

fn percent(x: f64) -> String {
    format!("{:.0} %", 100.0 * x)
}
