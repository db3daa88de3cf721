//! What a study is given: streams, progress, and places to leave metrics, figures, recordings and checkpoints.

use std::sync::Arc;

use chiasm_core::{Diagnose, Failure, Group, Quiet, Streams, Watch};
use chiasm_data::Recording;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::figure::Figure;

mod record;

use record::once;
pub use record::{Document, Metric, Record, Table};

/// What a study says at its end, beside its metrics and figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Paragraphs for the head of the report: what was found, in plain words with the measured numbers.
    pub summary: Vec<String>,
}

impl Findings {
    /// Findings of one paragraph.
    #[must_use]
    pub fn new(paragraph: impl Into<String>) -> Self {
        Self {
            summary: vec![paragraph.into()],
        }
    }

    /// The same findings with one more paragraph.
    #[must_use]
    pub fn and(mut self, paragraph: impl Into<String>) -> Self {
        self.summary.push(paragraph.into());
        self
    }
}

/// Where stages of a run are kept, so that a killed run goes on where it stood.
pub trait Checkpoints: Send + Sync {
    /// The bytes kept under this name, if any.
    ///
    /// # Errors
    /// If they exist but cannot be read back whole.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Failure>;
    /// Keeps these bytes under this name, whole or not at all.
    ///
    /// # Errors
    /// If the disk refuses.
    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Failure>;
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn load(&self, _: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
    fn save(&self, _: &str, _: &[u8]) -> Result<(), Failure> {
        Ok(())
    }
}

/// A result that must not pass as one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A metric is NaN or infinite.
    #[error("metric `{name}`: expected a finite value, found {value}")]
    NotFinite {
        /// The metric.
        name: String,
        /// Its value.
        value: f64,
    },
    /// A metric, figure, table or recording of this name was already left.
    #[error("{what} `{name}` was already recorded in this run")]
    Twice {
        /// `metric`, `figure`, ...
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A stage left a recording, which its checkpoint cannot keep.
    #[error("stage `{stage}` left the recording `{name}`: leave recordings after the stage")]
    RecordingInStage {
        /// The stage.
        stage: String,
        /// The recording.
        name: String,
    },
    /// A checkpoint was written by another version of the study or is damaged.
    #[error("checkpoint `{name}`: not readable ({reason})")]
    Checkpoint {
        /// The stage.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl Diagnose for BenchError {
    fn group(&self) -> Group {
        match self {
            Self::Checkpoint { .. } => Group::Io,
            _ => Group::Numerical,
        }
    }
    fn help(&self) -> Option<String> {
        match self {
            Self::Checkpoint { .. } => Some("start afresh in another folder with --out".into()),
            _ => None,
        }
    }
}

/// What a study is given for one seed.
pub struct Bench {
    streams: Streams,
    watch: Arc<dyn Watch + Send>,
    checkpoints: Arc<dyn Checkpoints>,
    pub(crate) record: Record,
}

impl Bench {
    /// A bench for this seed.
    #[must_use]
    pub fn new(seed: u64, watch: Arc<dyn Watch + Send>, checkpoints: Arc<dyn Checkpoints>) -> Self {
        Self {
            streams: Streams::new(seed),
            watch,
            checkpoints,
            record: Record::default(),
        }
    }

    /// A bench that shows nothing and keeps nothing on disk: for tests and examples.
    #[must_use]
    pub fn in_memory(seed: u64) -> Self {
        Self::new(seed, Arc::new(Quiet), Arc::new(NoCheckpoints))
    }

    /// The seed's random streams.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Progress and cancellation, to be handed to methods.
    #[must_use]
    pub fn watch(&self) -> &dyn Watch {
        &*self.watch
    }

    /// Records a scalar result.
    ///
    /// # Errors
    /// If it is not finite, or the name was used before.
    pub fn metric(&mut self, name: &str, value: f64, unit: &str) -> Result<(), Failure> {
        if !value.is_finite() {
            return Err(BenchError::NotFinite {
                name: name.into(),
                value,
            }
            .into());
        }
        once(
            "metric",
            name,
            self.record.metrics.iter().map(|m| m.name.as_str()),
        )?;
        self.record.metrics.push(Metric {
            name: name.into(),
            value,
            unit: unit.into(),
        });
        Ok(())
    }

    /// Adds a point to a curve (a loss over steps, an error over ranks). The step is finite; a value that is not shows
    /// as a gap.
    pub fn log(&mut self, name: &str, step: f64, value: f64) {
        self.record
            .series
            .entry(name.into())
            .or_default()
            .push((step, value));
    }

    /// Leaves a figure.
    ///
    /// # Errors
    /// If the id was used before.
    pub fn figure(&mut self, figure: Figure) -> Result<(), Failure> {
        once(
            "figure",
            &figure.id,
            self.record.figures.iter().map(|f| f.id.as_str()),
        )?;
        self.record.figures.push(figure);
        Ok(())
    }

    /// Leaves a table.
    ///
    /// # Errors
    /// If the id was used before.
    pub fn table(&mut self, table: Table) -> Result<(), Failure> {
        once(
            "table",
            &table.id,
            self.record.tables.iter().map(|t| t.id.as_str()),
        )?;
        self.record.tables.push(table);
        Ok(())
    }

    /// Leaves a text file for download.
    ///
    /// # Errors
    /// If the id was used before.
    pub fn document(&mut self, document: Document) -> Result<(), Failure> {
        once(
            "document",
            &document.id,
            self.record.documents.iter().map(|d| d.id.as_str()),
        )?;
        self.record.documents.push(document);
        Ok(())
    }

    /// Leaves a recording: activity of a model, or a result that is units x time.
    ///
    /// # Errors
    /// If the name was used before.
    pub fn recording(&mut self, name: &str, recording: Recording) -> Result<(), Failure> {
        once(
            "recording",
            name,
            self.record.recordings.iter().map(|(n, _)| n.as_str()),
        )?;
        self.record.recordings.push((name.into(), recording));
        Ok(())
    }

    /// Says that this preset cannot test a claim, and why.
    pub fn not_at_this_scale(&mut self, claim: &str, why: impl Into<String>) {
        self.record.excused.insert(claim.into(), why.into());
    }

    /// Leaves a remark that must not be lost.
    pub fn note(&mut self, remark: impl Into<String>) {
        self.record.notes.push(remark.into());
    }

    /// Says what validation changed in a recording that was read, so that the report shows it.
    pub fn repaired(&mut self, recording: &Recording) {
        self.record.repairs.extend_from_slice(recording.repairs());
    }

    /// A stage of the run: computed once and kept, so that a killed run goes on after it. As streams are named and not
    /// counted, a stage taken from its checkpoint leaves all later bits as they were. What `compute` leaves on the
    /// bench (metrics, figures, tables, notes; not recordings) is kept with its value.
    ///
    /// # Errors
    /// Those of `compute`; a recording left by `compute`; a damaged checkpoint; a disk that refuses.
    pub fn stage<T, F>(&mut self, name: &str, compute: F) -> Result<T, Failure>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce(&mut Self) -> Result<T, Failure>,
    {
        let damaged = |e: postcard::Error| BenchError::Checkpoint {
            name: name.into(),
            reason: e.to_string(),
        };
        if let Some(bytes) = self.checkpoints.load(name)? {
            let (value, left): (T, Record) = postcard::from_bytes(&bytes).map_err(damaged)?;
            self.record.absorb(left)?;
            return Ok(value);
        }
        // What the stage leaves is collected apart, so that it can be kept with the value.
        let before = std::mem::take(&mut self.record);
        let computed = compute(self);
        let left = std::mem::replace(&mut self.record, before);
        let value = computed?;
        if let Some((recording, _)) = left.recordings.first() {
            return Err(BenchError::RecordingInStage {
                stage: name.into(),
                name: recording.clone(),
            }
            .into());
        }
        let bytes = postcard::to_stdvec(&(&value, &left)).map_err(damaged)?;
        self.checkpoints.save(name, &bytes)?;
        self.record.absorb(left)?;
        self.watch.check()?;
        Ok(value)
    }

    /// Arms of the study computed at once, each on a bench of its own with the same streams, checkpoints and watch. What
    /// they leave is added in the arms' order, so nothing depends on which ends first. Of the watch they see steps
    /// alone: name the stage and its steps in all before.
    ///
    /// # Errors
    /// That of the first arm in order that fails; a name that two arms left.
    pub fn arms<T, F>(&mut self, n: usize, compute: F) -> Result<Vec<T>, Failure>
    where
        T: Send,
        F: Fn(usize, &mut Self) -> Result<T, Failure> + Sync,
    {
        let watch: Arc<dyn Watch + Send> = Arc::new(Steps(self.watch.clone()));
        let mut benches: Vec<Self> = (0..n)
            .map(|_| Self {
                streams: self.streams.clone(),
                watch: watch.clone(),
                checkpoints: self.checkpoints.clone(),
                record: Record::default(),
            })
            .collect();
        let computed: Vec<Result<T, Failure>> = benches
            .par_iter_mut()
            .with_max_len(1)
            .enumerate()
            .map(|(i, bench)| compute(i, bench))
            .collect();
        let mut values = Vec::with_capacity(n);
        for (value, bench) in computed.into_iter().zip(benches) {
            values.push(value?);
            self.record.absorb(bench.record)?;
        }
        Ok(values)
    }

    /// Everything left on the bench so far.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }
}

/// A watch that is told of steps, not of stages: for work of which several pieces run at once.
struct Steps(Arc<dyn Watch + Send>);

impl Watch for Steps {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, n: u64) {
        self.0.tick(n);
    }
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

#[cfg(test)]
mod tests;
