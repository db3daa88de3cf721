//! The inputs of the three published runs, random contents, and the memory of Willshaw to compare with.

use chiasm_core::rng::Rng;
use rand::RngExt;

use super::{Cam, Config, LineSpike};
use crate::CircuitError;

/// An input to a memory of some size.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Number of cues.
    pub n_cues: usize,
    /// Number of content lines.
    pub n_bits: usize,
    /// Spikes of the input lines.
    pub spikes: Vec<LineSpike>,
    /// Simulated time, ms.
    pub duration_ms: u64,
}

impl Experiment {
    /// A fresh memory after the experiment.
    ///
    /// # Errors
    /// As [`Cam::new`] and [`Cam::run`].
    pub fn run(&self, config: &Config) -> Result<Cam, CircuitError> {
        let mut memory = Cam::new(self.n_cues, self.n_bits, config)?;
        memory.run(&self.spikes, self.duration_ms)?;
        Ok(memory)
    }
}

/// Experiment 1: three contents, recall by cue and by content, and one cue rewritten.
#[must_use]
pub fn first() -> Experiment {
    let cues: [(u32, &[u64]); 3] = [
        (0, &[0, 1, 2, 30]),
        (3, &[20, 21, 22, 60, 61, 62, 70]),
        (4, &[10, 11, 12]),
    ];
    let content: [(u32, &[u64]); 8] = [
        (0, &[0, 1, 2, 50]),
        (1, &[0, 1, 2, 10, 11, 12, 60, 61, 62]),
        (3, &[60, 61, 62]),
        (4, &[20, 21, 22, 50, 60, 61, 62]),
        (5, &[10, 11, 12, 20, 21, 22]),
        (6, &[10, 11, 12, 20, 21, 22, 40, 80]),
        (8, &[0, 1, 2, 60, 61, 62]),
        (9, &[0, 1, 2]),
    ];
    let content = content.map(|(bit, times)| (5 + bit, times));
    let lines = cues.iter().chain(&content);
    let spikes = lines.flat_map(|(line, times)| times.iter().map(|t| (*t, *line)));
    Experiment {
        n_cues: 5,
        n_bits: 10,
        spikes: spikes.collect(),
        duration_ms: 90,
    }
}

/// Experiment 2: sixty operations, 14 ms apart; every content is replaced by its complement and back.
#[must_use]
pub fn stress() -> Experiment {
    let mut spikes: Vec<LineSpike> = vec![];
    let mut t = 1;
    for complement in [false, true, false] {
        for cue in 0..5u32 {
            let bits = (0..10u32).filter(|bit| (((cue + 1) >> bit) & 1 == 1) != complement);
            let lines: Vec<u32> = std::iter::once(cue).chain(bits.map(|b| 5 + b)).collect();
            for i in 0..3 {
                spikes.extend(lines.iter().map(|line| (t + i, *line)));
            }
            t += 14;
        }
        for line in 0..15 {
            spikes.push((t, line));
            t += 14;
        }
    }
    Experiment {
        n_cues: 5,
        n_bits: 10,
        spikes,
        duration_ms: 851,
    }
}

/// Experiment 3: a map of sixteen cells, each in one of six states; four questions for the cells of some states.
#[must_use]
pub fn map() -> Experiment {
    const STATES: [u32; 16] = [0, 5, 1, 3, 0, 3, 4, 5, 0, 5, 4, 3, 2, 4, 4, 3];
    let mut spikes: Vec<LineSpike> = vec![];
    for (cell, state) in (0..).zip(STATES) {
        for i in 0..3 {
            let t = 7 * u64::from(cell) + i;
            spikes.extend([(t, cell), (t, 16 + state)]);
        }
    }
    for (t, state) in [(112, 1), (112, 2), (112, 4), (118, 3), (124, 5), (130, 0)] {
        spikes.push((t, 16 + state));
    }
    Experiment {
        n_cues: 16,
        n_bits: 6,
        spikes,
        duration_ms: 140,
    }
}

/// A random content for each cue: every line with this probability, at least one.
#[must_use]
pub fn random_contents(n_cues: usize, n_bits: usize, density: f64, rng: &mut Rng) -> Vec<Vec<u32>> {
    (0..n_cues)
        .map(|_| {
            let bits = (0..n_bits as u32).filter(|_| rng.random::<f64>() < density);
            let bits: Vec<u32> = bits.collect();
            if bits.is_empty() { vec![0] } else { bits }
        })
        .collect()
}

/// The binary associative memory of Willshaw: a synapse between cue and content line is there once both were active.
#[derive(Debug, Clone, PartialEq)]
pub struct Willshaw {
    n_bits: usize,
    rows: Vec<Vec<bool>>,
}

impl Willshaw {
    /// An empty memory.
    #[must_use]
    pub fn new(n_cues: usize, n_bits: usize) -> Self {
        Self {
            n_bits,
            rows: vec![vec![false; n_bits]; n_cues],
        }
    }

    /// Adds `content` to what is under `cue`; lines that do not exist are left out.
    pub fn learn(&mut self, cue: u32, content: &[u32]) {
        if let Some(row) = self.rows.get_mut(cue as usize) {
            for bit in content {
                if let Some(synapse) = row.get_mut(*bit as usize) {
                    *synapse = true;
                }
            }
        }
    }

    /// The content lines that one active cue reaches.
    #[must_use]
    pub fn recall_cue(&self, cue: u32) -> Vec<u32> {
        let row = self.rows.get(cue as usize).map_or(&[][..], Vec::as_slice);
        let on = (0..).zip(row).filter(|(_, synapse)| **synapse);
        on.map(|(bit, _)| bit).collect()
    }

    /// The cues that one active content line reaches, against the synapses' direction.
    #[must_use]
    pub fn recall_content(&self, bit: u32) -> Vec<u32> {
        let bit = bit as usize;
        let on = (0..)
            .zip(&self.rows)
            .filter(|(_, row)| bit < self.n_bits && row[bit]);
        on.map(|(cue, _)| cue).collect()
    }
}
