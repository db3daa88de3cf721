//! What can be wrong with a series, or with the graph that is asked of it.

use chiasm_core::{Cancelled, Diagnose, Group};

/// A series that makes no graph, or a graph that cannot be measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeseriesGraphError {
    /// Too few samples, beats, windows or delay vectors to be the nodes of a graph.
    #[error("{what}: expected at least {least}, found {found}")]
    TooFew {
        /// What the nodes are made of.
        what: &'static str,
        /// The fewest that make a graph.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is NaN, infinite, or larger than arithmetic allows.
    #[error("{what}, index {index}: expected a finite value, found {found}")]
    NotFinite {
        /// `value` or `time`.
        what: &'static str,
        /// Its position from 0.
        index: usize,
        /// The value.
        found: f64,
    },
    /// Two arrays that belong together differ in length.
    #[error("{what}: expected {expected} as there are values, found {found}")]
    Length {
        /// Which array.
        what: &'static str,
        /// The length that would fit.
        expected: usize,
        /// The length that came.
        found: usize,
    },
    /// Times do not increase strictly.
    #[error("time, index {index}: expected a time after {before} s, found {found} s")]
    TimeOrder {
        /// The first sample that is not later than the one before it.
        index: usize,
        /// The time of the one before, s.
        before: f64,
        /// Its time, s.
        found: f64,
    },
    /// All values are equal, where a scale or a correlation is needed.
    #[error("the series is constant ({value}): {needs}")]
    Constant {
        /// The value.
        value: f64,
        /// What a constant series does not have.
        needs: &'static str,
    },
    /// A beat starts outside of the series.
    #[error("onset {index}: expected a time from {start_s} to {stop_s} s, found {found} s")]
    OnsetOutside {
        /// Position of the onset from 0.
        index: usize,
        /// Start of the series, s.
        start_s: f64,
        /// End of the series, s.
        stop_s: f64,
        /// The onset, s.
        found: f64,
    },
    /// A beat or window holds too few samples to be compared.
    #[error("{what} {index}: expected at least {least} samples, found {found}")]
    Short {
        /// `beat` or `window`.
        what: &'static str,
        /// Its position from 0.
        index: usize,
        /// The fewest.
        least: usize,
        /// How many it holds.
        found: usize,
    },
    /// The graph has more edges than its limit: a series of n samples has up to n (n - 1) / 2.
    #[error(
        "more than {limit} edges after {done} of {n} samples: the graph would not fit the limit set for it"
    )]
    TooManyEdges {
        /// The limit.
        limit: usize,
        /// Samples whose edges were found.
        done: usize,
        /// All samples; 0 for a stream.
        n: usize,
    },
    /// A comparison of all pairs is asked of too many nodes.
    #[error("{n} nodes: a matrix of all pairs takes {bytes} bytes, above the limit of {limit}")]
    TooManyNodes {
        /// Nodes.
        n: usize,
        /// What the matrix would take, one bit for each pair.
        bytes: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// More nodes than an index of 32 bits can name.
    #[error("expected at most {limit} nodes, found {found}")]
    Index {
        /// The most.
        limit: usize,
        /// How many.
        found: usize,
    },
    /// Uneven times where a method counts in samples.
    #[error(
        "{what} counts in samples: expected evenly spaced times, found steps from {least} to {most} s"
    )]
    Uneven {
        /// The method.
        what: &'static str,
        /// Shortest step, s.
        least: f64,
        /// Longest step, s.
        most: f64,
    },
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] chiasm_core::SettingError),
    /// Communities cannot be found.
    #[error(transparent)]
    Partition(#[from] crate::partition::PartitionError),
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for TimeseriesGraphError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::NotFinite { .. } => {
                    "leave that unit out, or fill the gap before making a graph"
                }
                Self::Constant { .. } => {
                    "leave that unit out, or use a visibility graph, which a constant series has"
                }
                Self::TooManyEdges { .. } => {
                    "a smooth (convex) stretch sees itself whole: use the horizontal graph, take fewer samples, or raise \
                     max_edges if the memory is there (8 bytes an edge)"
                }
                Self::TooManyNodes { .. } => "take fewer samples (a larger step), or raise max_bytes",
                Self::OnsetOutside { .. } => "onsets and series must share one clock, in seconds",
                Self::Uneven { .. } => "resample the series, or use a visibility graph, which takes any times",
                _ => return None,
            }
            .into(),
        )
    }
}
