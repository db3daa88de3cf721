//! Which operations in a list of input spikes the memory cannot keep apart.

use std::fmt;

use super::LineSpike;

/// Operations that begin this close to each other disturb each other's weights, ms.
const LEAST_SPACING: u64 = 9;
/// An operation's input spikes fall into this many steps.
const STEPS: u64 = 3;

/// Something in a list of input spikes that the memory takes, but hardly as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clash {
    /// An operation begins before the one before it is over.
    TooSoon {
        /// Its first spike, ms.
        at_ms: u64,
        /// First spike of the operation before it, ms.
        before_ms: u64,
    },
    /// Several cue lines are active while a content is learned: it is stored under all of them.
    SeveralCues {
        /// First spike of the operation, ms.
        at_ms: u64,
        /// The cues.
        cues: Vec<u32>,
    },
    /// A cue line is held as for learning, but there is no content.
    NoContent {
        /// First spike of the operation, ms.
        at_ms: u64,
        /// The cue.
        cue: u32,
    },
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSoon { at_ms, before_ms } => write!(
                f,
                "the operation at {at_ms} ms begins {} ms after that at {before_ms} ms: below {LEAST_SPACING} ms they \
                 disturb each other's weights",
                at_ms - before_ms
            ),
            Self::SeveralCues { at_ms, cues } => write!(
                f,
                "at {at_ms} ms a content is learned under several cues: {cues:?}"
            ),
            Self::NoContent { at_ms, cue } => {
                write!(
                    f,
                    "at {at_ms} ms cue {cue} is to learn a content without lines"
                )
            }
        }
    }
}

/// What in a list of input spikes (time in ms and line, the cues first) will hardly do what was meant, in the order of time.
///
/// Spikes within 3 ms from the first one are one operation; one with cue and content is a learning.
#[must_use]
pub fn clashes(n_cues: usize, spikes: &[LineSpike]) -> Vec<Clash> {
    let mut sorted = spikes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut found = vec![];
    let mut rest = sorted.as_slice();
    let mut before = None;
    while let Some(&(at_ms, _)) = rest.first() {
        // Not `at_ms + STEPS`: times may be as large as they can be.
        let (operation, later) = rest.split_at(rest.partition_point(|s| s.0 - at_ms < STEPS));
        rest = later;
        if let Some(before_ms) = before
            && at_ms - before_ms < LEAST_SPACING
        {
            found.push(Clash::TooSoon { at_ms, before_ms });
        }
        before = Some(at_ms);
        let is_cue = |s: &&LineSpike| (s.1 as usize) < n_cues;
        let mut cues: Vec<u32> = operation.iter().filter(is_cue).map(|s| s.1).collect();
        let n_cue_spikes = cues.len();
        cues.sort_unstable();
        cues.dedup();
        let learns = n_cue_spikes < operation.len();
        match cues.as_slice() {
            [cue] if !learns && n_cue_spikes > 1 => {
                found.push(Clash::NoContent { at_ms, cue: *cue })
            }
            [_, _, ..] if learns => found.push(Clash::SeveralCues { at_ms, cues }),
            _ => {}
        }
    }
    found
}
