//! A content-addressable memory of spiking neurons, after hippocampal area CA3.
//!
//! Pairs of a cue (one of `n_cues` lines) and a content (any of `n_bits` lines) are stored in plastic synapses in one
//! presentation; a cue recalls its content, a content line recalls all cues whose content holds it, and writing a cue
//! again replaces what it had.
//!
//! Casanueva-Morato et al., Neural Networks 2024, art. 106474 (paper 14).
//!
//! ```
//! use chiasm_circuit::ca3::{Cam, Config};
//!
//! # fn main() -> Result<(), chiasm_circuit::CircuitError> {
//! let mut memory = Cam::new(5, 10, &Config::default())?;
//! memory.learn(0, &[0, 1, 8])?;
//! memory.learn(3, &[4, 8])?;
//! assert_eq!(memory.recall_cue(0)?, [0, 1, 8]);
//! assert_eq!(memory.recall_content(&[8])?, [0, 3]);
//! memory.learn(0, &[2])?;
//! assert_eq!(memory.recall_content(&[8])?, [3]);
//! # Ok(())
//! # }
//! ```

mod clashes;
mod experiments;
mod wiring;

pub use clashes::{Clash, clashes};
pub use experiments::{Experiment, Willshaw, first, map, random_contents, stress};

use chiasm_core::{Quiet, SettingError, Streams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plasticity::Ties;
use crate::projection::{Distributed, Draw};
use crate::{CircuitError, Engine, Group, LinkId};
use wiring::{Wired, wired};

/// Settings of the memory. The synapses' delays and the neurons are those of the released configuration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Time between operations, ms; below 9 ms the next operation disturbs the last one's weights (chosen).
    pub spacing_ms: u32,
    /// Greatest plastic weight, pA (released configuration: 6 nA).
    pub w_max_pa: f64,
    /// Potentiation and depression without lag, pA (released configuration: 6 nA).
    pub a_plus_pa: f64,
    /// As `a_plus_pa`, of the depression; 0 keeps the memory from forgetting.
    pub a_minus_pa: f64,
    /// Decay of both traces, ms (released configuration).
    pub tau_ms: f64,
    /// Which event comes first within a step; the zero-lag depression is what erases.
    pub ties: Ties,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            spacing_ms: 10,
            w_max_pa: 6000.0,
            a_plus_pa: 6000.0,
            a_minus_pa: 6000.0,
            tau_ms: 3.0,
            ties: Ties::TargetFirst,
        }
    }
}

/// Steps from the first input spike to the echo at the output: of a cue, of the content it recalls, of a content line, of
/// the cues it recalls.
const RECALLED_CONTENT: u64 = 6;
const RECALLED_CUES: u64 = 6;

/// The populations in the order of the paper's tables; the output is split into its cue and content lines.
pub const POPULATIONS: [&str; 10] = [
    "CueCue", "ContCue", "Cond", "Int", "CueCont", "ContCont", "MCue", "MCont", "OUTcue", "OUTcont",
];

/// One spike of an input line: time in ms, line (cues first, then content).
pub type LineSpike = (u64, u32);

/// The memory: a circuit with two sets of input and output lines.
#[derive(Debug)]
pub struct Cam {
    engine: Engine,
    n_cues: usize,
    n_bits: usize,
    spacing: u64,
    cue_lines: Group,
    content_lines: Group,
    populations: [Group; 10],
    plastic: [LinkId; 2],
    now: u64,
}

/// The most synapses of one projection: 100 million of them, with their weights and targets, take a gigabyte.
const MOST_SYNAPSES: usize = 100_000_000;

fn check_sizes(n_cues: usize, n_bits: usize) -> Result<(), SettingError> {
    let most = n_cues.max(n_bits).saturating_mul(n_cues.max(1));
    let expected = format!("sizes of at most {MOST_SYNAPSES} synapses from all lines to all cues");
    let found = format!("{n_cues} cues, {n_bits} content lines");
    SettingError::check(most <= MOST_SYNAPSES, "n_cues", &expected, found)
}

impl Cam {
    /// An empty memory.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for sizes of 0, a spacing that is too short for an operation to end, weights or times
    /// outside their range.
    pub fn new(n_cues: usize, n_bits: usize, config: &Config) -> Result<Self, CircuitError> {
        Self::of(n_cues, n_bits, config, [0.0, 0.0].map(Draw::Same))
    }

    /// A memory that begins with these plastic weights, as [`Cam::weights`] gives them: source, target and pA, from cues to
    /// content and from content to cues. Synapses that are not named begin at 0; one that is named twice keeps the last. The
    /// traces that the other memory's last spikes left are not part of them.
    ///
    /// # Errors
    /// As [`Cam::new`]; [`CircuitError::Setting`] for a synapse that does not exist and for a weight outside 0 to
    /// `w_max_pa`.
    pub fn preloaded(
        n_cues: usize,
        n_bits: usize,
        config: &Config,
        weights: &[Vec<(u32, u32, f32)>; 2],
    ) -> Result<Self, CircuitError> {
        check_sizes(n_cues, n_bits)?;
        let dense = |of: &[(u32, u32, f32)], n_from: usize, n_to: usize| {
            let mut all = vec![0.0; n_from * n_to];
            for &(source, target, w) in of {
                let holds = (source as usize) < n_from && (target as usize) < n_to;
                let expected = format!("synapses from below {n_from} to below {n_to}");
                let found = format!("{source} to {target}");
                SettingError::check(holds, "weights", &expected, found)?;
                let holds = (0.0..=config.w_max_pa).contains(&f64::from(w));
                let expected = format!("weights from 0 to {} pA", config.w_max_pa);
                SettingError::check(holds, "weights", &expected, w)?;
                all[source as usize * n_to + target as usize] = f64::from(w);
            }
            Ok::<Draw, SettingError>(Draw::From(Distributed::Each(all)))
        };
        let to_content = dense(&weights[0], n_cues, n_bits)?;
        let to_cues = dense(&weights[1], n_bits, n_cues)?;
        Self::of(n_cues, n_bits, config, [to_content, to_cues])
    }

    fn of(
        n_cues: usize,
        n_bits: usize,
        config: &Config,
        weights: [Draw; 2],
    ) -> Result<Self, CircuitError> {
        let least = u32::try_from(RECALLED_CONTENT + 1).unwrap_or(7);
        let expected = format!("at least {least} ms, or answers overlap");
        let holds = config.spacing_ms >= least;
        SettingError::check(holds, "spacing_ms", &expected, config.spacing_ms)?;
        check_sizes(n_cues, n_bits)?;
        let Wired {
            circuit,
            cue_lines,
            content_lines,
            populations,
            plastic,
        } = wired(n_cues, n_bits, config, weights);
        Ok(Self {
            engine: circuit.build(&Streams::new(0))?,
            n_cues,
            n_bits,
            spacing: u64::from(config.spacing_ms),
            cue_lines,
            content_lines,
            populations,
            plastic,
            now: 0,
        })
    }

    /// Neurons of each population, in the order of [`POPULATIONS`].
    #[must_use]
    pub fn sizes(&self) -> [usize; 10] {
        wiring::sizes(self.n_cues, self.n_bits)
    }

    /// Simulated time so far, ms.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now
    }

    fn check_cue(&self, cue: u32) -> Result<(), CircuitError> {
        let expected = format!("a cue below {}", self.n_cues);
        let holds = (cue as usize) < self.n_cues;
        Ok(SettingError::check(holds, "cue", &expected, cue)?)
    }

    fn check_bits(&self, bits: &[u32]) -> Result<(), CircuitError> {
        SettingError::check(!bits.is_empty(), "content", "at least one line", "none")?;
        let expected = format!("content lines below {}", self.n_bits);
        for bit in bits {
            SettingError::check((*bit as usize) < self.n_bits, "content", &expected, bit)?;
        }
        Ok(())
    }

    /// Stores `content` under `cue`, in place of what was there.
    ///
    /// # Errors
    /// A cue or content line that does not exist; an empty content.
    pub fn learn(&mut self, cue: u32, content: &[u32]) -> Result<(), CircuitError> {
        self.check_cue(cue)?;
        self.check_bits(content)?;
        let first = self.n_cues as u32;
        let lines = std::iter::once(cue).chain(content.iter().map(|b| first + b));
        let spikes: Vec<LineSpike> = (0..3)
            .flat_map(|i| lines.clone().map(move |line| (i, line)))
            .collect();
        self.operate(&spikes)?;
        Ok(())
    }

    /// The content stored under `cue`, ascending; empty if there is none.
    ///
    /// # Errors
    /// A cue that does not exist.
    pub fn recall_cue(&mut self, cue: u32) -> Result<Vec<u32>, CircuitError> {
        self.check_cue(cue)?;
        let start = self.operate(&[(0, cue)])?;
        Ok(self.output_at(9, start + RECALLED_CONTENT))
    }

    /// The cues whose content holds one of the lines, ascending.
    ///
    /// # Errors
    /// A content line that does not exist; none at all.
    pub fn recall_content(&mut self, content: &[u32]) -> Result<Vec<u32>, CircuitError> {
        self.check_bits(content)?;
        let first = self.n_cues as u32;
        let spikes: Vec<LineSpike> = content.iter().map(|b| (0, first + b)).collect();
        let start = self.operate(&spikes)?;
        Ok(self.output_at(8, start + RECALLED_CUES))
    }

    /// Sends spikes that begin now, and waits for the answer and the next operation's turn.
    fn operate(&mut self, spikes: &[LineSpike]) -> Result<u64, CircuitError> {
        let start = self.now;
        let later: Vec<LineSpike> = spikes.iter().map(|(t, l)| (start + t, *l)).collect();
        self.run(&later, self.spacing)?;
        Ok(start)
    }

    /// Sends spikes at the given times (ms, from now on) and simulates `duration_ms` more. What happened is in
    /// [`Cam::spikes`]. It does as it is told: [`clashes`] says which operations disturb each other.
    ///
    /// # Errors
    /// A line that does not exist; a time that is over.
    pub fn run(&mut self, spikes: &[LineSpike], duration_ms: u64) -> Result<(), CircuitError> {
        let (mut cues, mut content) = (vec![], vec![]);
        for &(t, line) in spikes {
            let holds = (line as usize) < self.n_cues + self.n_bits;
            let expected = format!("lines below {}", self.n_cues + self.n_bits);
            SettingError::check(holds, "line", &expected, line)?;
            match line.checked_sub(self.n_cues as u32) {
                None => cues.push((t, line)),
                Some(bit) => content.push((t, bit)),
            }
        }
        self.engine.feed(self.cue_lines, &cues)?;
        self.engine.feed(self.content_lines, &content)?;
        self.engine.run(duration_ms as f64 / 1000.0, &Quiet)?;
        self.now += duration_ms;
        Ok(())
    }

    /// Who of a population (by its place in [`POPULATIONS`]) spiked at `time`.
    fn output_at(&mut self, population: usize, time: u64) -> Vec<u32> {
        let spikes = self.engine.spikes_since(self.populations[population], time);
        let now = spikes.into_iter().filter(|s| u64::from(s.0) == time);
        now.map(|s| s.1).collect()
    }

    /// All spikes of each population, in the order of [`POPULATIONS`], as time in ms and neuron.
    pub fn spikes(&mut self) -> [Vec<(u32, u32)>; 10] {
        let populations = self.populations;
        populations.map(|g| self.engine.spikes(g))
    }

    /// The plastic weights, pA: from cues to content, and from content to cues; as source, target and weight.
    pub fn weights(&mut self) -> [Vec<(u32, u32, f32)>; 2] {
        let plastic = self.plastic;
        plastic.map(|link| self.engine.weights(link))
    }

    /// Everything that happened as a recording of spikes.
    ///
    /// # Errors
    /// Where nothing has been simulated.
    pub fn recording(&mut self) -> Result<chiasm_data::Recording, CircuitError> {
        self.engine.recording()
    }
}
