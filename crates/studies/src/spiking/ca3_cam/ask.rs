//! Writing to memories and asking them; what counts as recalled.

use chiasm_circuit::ca3::{Cam, Config as Memory, Willshaw};
use chiasm_core::{Failure, Watch};
use serde::{Deserialize, Serialize};

/// What a memory recalls without a fault: fractions of cues and of content lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Recall {
    /// Cues whose answer is their content and nothing else.
    pub(super) by_cue: f64,
    /// Content lines whose answer is the cues that hold them and no other.
    pub(super) by_content: f64,
}

/// All content lines that `content` does not have; line 0, if there is none.
pub(super) fn complement(content: &[u32], n_bits: usize) -> Vec<u32> {
    let others = (0..n_bits as u32).filter(|b| !content.contains(b));
    let others: Vec<u32> = others.collect();
    if others.is_empty() { vec![0] } else { others }
}

/// The cues whose content holds a line.
fn holding(contents: &[Vec<u32>], bit: u32) -> Vec<u32> {
    let cues = (0u32..).zip(contents).filter(|(_, c)| c.contains(&bit));
    cues.map(|(cue, _)| cue).collect()
}

/// Learns one content after the other, from cue 0 on.
pub(super) fn write(
    memory: &mut Cam,
    contents: &[Vec<u32>],
    watch: &dyn Watch,
) -> Result<(), Failure> {
    for (cue, content) in (0..).zip(contents) {
        watch.check()?;
        memory.learn(cue, content)?;
    }
    Ok(())
}

/// A fresh memory that has learned these contents.
pub(super) fn stored(
    contents: &[Vec<u32>],
    n_bits: usize,
    config: &Memory,
    watch: &dyn Watch,
) -> Result<Cam, Failure> {
    let mut memory = Cam::new(contents.len(), n_bits, config)?;
    write(&mut memory, contents, watch)?;
    Ok(memory)
}

/// Asks for every cue and every content line, each after a pause on top of the memory's own spacing.
pub(super) fn recall(
    memory: &mut Cam,
    contents: &[Vec<u32>],
    n_bits: usize,
    pause_ms: u64,
    watch: &dyn Watch,
) -> Result<Recall, Failure> {
    let mut right = [0, 0];
    for (cue, content) in (0..).zip(contents) {
        watch.check()?;
        memory.run(&[], pause_ms)?;
        right[0] += usize::from(memory.recall_cue(cue)? == *content);
    }
    for bit in 0..n_bits as u32 {
        watch.check()?;
        memory.run(&[], pause_ms)?;
        right[1] += usize::from(memory.recall_content(&[bit])? == holding(contents, bit));
    }
    Ok(Recall {
        by_cue: right[0] as f64 / contents.len() as f64,
        by_content: right[1] as f64 / n_bits as f64,
    })
}

/// The fraction of cues whose answer still has all of their former content.
pub(super) fn kept(memory: &mut Cam, former: &[Vec<u32>]) -> Result<f64, Failure> {
    let mut n = 0;
    for (cue, content) in (0..).zip(former) {
        let answer = memory.recall_cue(cue)?;
        n += usize::from(content.iter().all(|line| answer.contains(line)));
    }
    Ok(n as f64 / former.len() as f64)
}

/// The same questions to Willshaw's memory. Its synapses lead from cues to content, so one pass answers a question for a
/// cue's content; to find the cues of a content line, each cue is asked in turn. The passes that a content line takes are the
/// second figure.
pub(super) fn ask_willshaw(
    memory: &Willshaw,
    contents: &[Vec<u32>],
    n_bits: usize,
) -> (Recall, f64) {
    let cues = (0..).zip(contents);
    let cues = cues.filter(|(cue, content)| memory.recall_cue(*cue) == **content);
    let by_cue = cues.count() as f64 / contents.len() as f64;
    let (mut right, mut passes) = (0, 0);
    for bit in 0..n_bits as u32 {
        let mut found = vec![];
        for cue in 0..contents.len() as u32 {
            passes += 1;
            if memory.recall_cue(cue).contains(&bit) {
                found.push(cue);
            }
        }
        right += usize::from(found == holding(contents, bit));
    }
    let recall = Recall {
        by_cue,
        by_content: right as f64 / n_bits as f64,
    };
    (recall, f64::from(passes) / n_bits as f64)
}
