//! Random contents, rewriting, and which part of the plasticity each ability rests on.

use chiasm_circuit::ca3::{Config as Memory, Willshaw, random_contents};
use chiasm_circuit::plasticity::Ties;
use chiasm_core::Failure;
use chiasm_lab::Bench;
use serde::{Deserialize, Serialize};

use super::ask::{Recall, ask_willshaw, complement, kept, recall, stored, write};
use super::config::Config;

/// What one memory recalls after writing, and after every content was replaced by its complement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    pub(super) name: String,
    pub(super) written: Recall,
    pub(super) rewritten: Recall,
    /// Rewritten cues whose answer still has all of their old content, as a fraction.
    pub(super) old_kept: f64,
}

pub(super) const FULL: &str = "full rule";
pub(super) const NO_DEPRESSION: &str = "no depression";
pub(super) const WITHOUT_ZERO_LAG: &str = "zero lag not counted";
pub(super) const WILLSHAW: &str = "Willshaw";

fn variants() -> [(&'static str, Memory); 5] {
    let standard = Memory::default();
    [
        (FULL, standard),
        (
            "no plasticity",
            Memory {
                a_plus_pa: 0.0,
                a_minus_pa: 0.0,
                ..standard
            },
        ),
        (
            NO_DEPRESSION,
            Memory {
                a_minus_pa: 0.0,
                ..standard
            },
        ),
        (
            WITHOUT_ZERO_LAG,
            Memory {
                ties: Ties::Apart,
                ..standard
            },
        ),
        (
            "zero lag potentiates",
            Memory {
                ties: Ties::SourceFirst,
                ..standard
            },
        ),
    ]
}

/// A large memory of random contents, asked from both sides.
pub(super) fn random(config: &Config, bench: &mut Bench) -> Result<Recall, Failure> {
    let (n_cues, n_bits) = (config.n_cues, config.n_bits);
    bench.stage("random", |bench| {
        let mut rng = bench.streams().stream("contents");
        let contents = random_contents(n_cues, n_bits, config.density, &mut rng);
        let watch = bench.watch();
        watch.stage("random contents", 2);
        let mut memory = stored(&contents, n_bits, &Memory::default(), watch)?;
        watch.tick(1);
        let found = recall(&mut memory, &contents, n_bits, 0, watch)?;
        watch.tick(1);
        let simulated_s = memory.now_ms() as f64 / 1000.0;
        report(bench, "random", found)?;
        bench.metric("random/simulated", simulated_s, "s")?;
        Ok(found)
    })
}

/// The memory and its ablations: written, asked, rewritten, asked again. Willshaw's memory comes last.
pub(super) fn arms(config: &Config, bench: &mut Bench) -> Result<Vec<Arm>, Failure> {
    bench.stage("arms", |bench| {
        let (n_cues, n_bits) = (config.small_cues, config.small_bits);
        let mut rng = bench.streams().stream("small contents");
        let old = random_contents(n_cues, n_bits, config.small_density, &mut rng);
        let new: Vec<Vec<u32>> = old.iter().map(|c| complement(c, n_bits)).collect();
        let variants = variants();
        let mut arms = vec![];
        bench.watch().stage("arms", variants.len() as u64);
        for (name, settings) in variants {
            let watch = bench.watch();
            let mut memory = stored(&old, n_bits, &settings, watch)?;
            let written = recall(&mut memory, &old, n_bits, 0, watch)?;
            write(&mut memory, &new, watch)?;
            let rewritten = recall(&mut memory, &new, n_bits, 0, watch)?;
            arms.push(Arm {
                name: name.into(),
                written,
                rewritten,
                old_kept: kept(&mut memory, &old)?,
            });
            watch.tick(1);
        }
        let (willshaw, passes) = willshaw(&old, &new, n_bits);
        bench.metric("willshaw/passes-by-content", passes, "1")?;
        let differing = arms[0].written.by_cue - willshaw.written.by_cue;
        bench.metric("willshaw/by-cue-differing", differing.abs(), "1")?;
        arms.push(willshaw);
        for arm in &arms {
            let slug = arm.name.replace(' ', "-").to_lowercase();
            report(bench, &format!("{slug}/written"), arm.written)?;
            report(bench, &format!("{slug}/rewritten"), arm.rewritten)?;
            bench.metric(&format!("{slug}/old-kept"), arm.old_kept, "1")?;
        }
        Ok(arms)
    })
}

pub(super) fn report(bench: &mut Bench, name: &str, recall: Recall) -> Result<(), Failure> {
    bench.metric(&format!("{name}/by-cue"), recall.by_cue, "1")?;
    bench.metric(&format!("{name}/by-content"), recall.by_content, "1")
}

/// Willshaw's memory, and the passes in which it answers to a content line.
fn willshaw(old: &[Vec<u32>], new: &[Vec<u32>], n_bits: usize) -> (Arm, f64) {
    let mut memory = Willshaw::new(old.len(), n_bits);
    let mut after = |contents: &[Vec<u32>]| {
        for (cue, content) in (0..).zip(contents) {
            memory.learn(cue, content);
        }
        ask_willshaw(&memory, contents, n_bits)
    };
    let (written, passes) = after(old);
    let (rewritten, _) = after(new);
    let holds = |(cue, content): (u32, &Vec<u32>)| {
        let answer = memory.recall_cue(cue);
        content.iter().all(|line| answer.contains(line))
    };
    let old_kept = (0..).zip(old).filter(|c| holds(*c)).count() as f64 / old.len() as f64;
    let arm = Arm {
        name: WILLSHAW.into(),
        written,
        rewritten,
        old_kept,
    };
    (arm, passes)
}
