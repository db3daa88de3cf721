//! Where the memory ends: not by the number of contents or lines, but by the time between operations.

use chiasm_circuit::ca3::{Config as Memory, random_contents};
use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arms::report;
use super::ask::{Recall, recall, stored};
use super::config::Config;

/// Recall of a memory of this many cues whose contents have this density.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Load {
    pub(super) n_cues: usize,
    pub(super) density: f64,
    pub(super) recall: Recall,
}

/// Recall by number of cues and by density, one fresh memory each.
pub(super) fn capacity(config: &Config, bench: &mut Bench) -> Result<Vec<Load>, Failure> {
    bench.stage("capacity", |bench| {
        let n_bits = config.small_bits;
        let grid: Vec<(usize, f64)> = config
            .capacity_cues
            .iter()
            .flat_map(|n| config.capacity_densities.iter().map(|p| (*n, *p)))
            .collect();
        let (watch, streams) = (bench.watch(), bench.streams());
        watch.stage("capacity", grid.len() as u64);
        let found: Result<Vec<Load>, Failure> = grid
            .par_iter()
            .enumerate()
            .map(|(i, &(n_cues, density))| {
                let inside = Inside(watch);
                let mut rng = streams.indexed("capacity contents", i);
                let contents = random_contents(n_cues, n_bits, density, &mut rng);
                let mut memory = stored(&contents, n_bits, &Memory::default(), &inside)?;
                let recall = recall(&mut memory, &contents, n_bits, 0, &inside)?;
                watch.tick(1);
                Ok(Load {
                    n_cues,
                    density,
                    recall,
                })
            })
            .collect();
        let found = found?;
        let least = |of: &dyn Fn(&Recall) -> f64| {
            let all = found.iter().map(|load| of(&load.recall));
            all.fold(1.0, f64::min)
        };
        bench.metric("capacity/least-by-cue", least(&|r| r.by_cue), "1")?;
        bench.metric("capacity/least-by-content", least(&|r| r.by_content), "1")?;
        Ok(found)
    })
}

/// Recall of memories that were written with one time between contents, in its mean and its extremes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Spaced {
    pub(super) spacing_ms: u32,
    pub(super) mean: Recall,
    pub(super) least: Recall,
    pub(super) most: Recall,
}

/// The memory on which the limit was found (card 14).
const SPACED: (usize, usize, f64) = (16, 32, 0.3);
/// Questions wait as long as they need: only the writing is in a hurry.
const PAUSE_MS: u64 = 13;

/// Recall by the time between the writing of one content and the next.
pub(super) fn spacing(config: &Config, bench: &mut Bench) -> Result<Vec<Spaced>, Failure> {
    bench.stage("spacing", |bench| {
        let mut found = vec![];
        bench
            .watch()
            .stage("spacings", config.spacings_ms.len() as u64);
        for &spacing_ms in &config.spacings_ms {
            let spaced = at_spacing(spacing_ms, config.spacing_memories, bench)?;
            report(bench, &format!("spacing-{spacing_ms}"), spaced.mean)?;
            found.push(spaced);
            bench.watch().tick(1);
        }
        let least = found.iter().map(|s| s.least.by_cue).fold(1.0, f64::min);
        bench.metric("spacing/least-by-cue", least, "1")?;
        Ok(found)
    })
}

fn at_spacing(spacing_ms: u32, memories: usize, bench: &Bench) -> Result<Spaced, Failure> {
    let (n_cues, n_bits, density) = SPACED;
    let settings = Memory {
        spacing_ms,
        ..Memory::default()
    };
    let (watch, streams) = (bench.watch(), bench.streams());
    let all: Result<Vec<Recall>, Failure> = (0..memories)
        .into_par_iter()
        .map(|i| {
            let inside = Inside(watch);
            // The same contents at each spacing.
            let mut rng = streams.indexed("hurried contents", i);
            let contents = random_contents(n_cues, n_bits, density, &mut rng);
            let mut memory = stored(&contents, n_bits, &settings, &inside)?;
            recall(&mut memory, &contents, n_bits, PAUSE_MS, &inside)
        })
        .collect();
    let all = all?;
    let over = |fold: &dyn Fn(&mut dyn Iterator<Item = f64>) -> f64| Recall {
        by_cue: fold(&mut all.iter().map(|r| r.by_cue)),
        by_content: fold(&mut all.iter().map(|r| r.by_content)),
    };
    Ok(Spaced {
        spacing_ms,
        mean: over(&|x| x.sum::<f64>() / memories as f64),
        least: over(&|x| x.fold(1.0, f64::min)),
        most: over(&|x| x.fold(0.0, f64::max)),
    })
}
