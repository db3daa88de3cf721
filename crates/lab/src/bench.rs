//! What a study is given: streams, progress, and places to leave metrics, figures, recordings and checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use chiasm_core::{Diagnose, Failure, Group, Quiet, Streams, Watch};
use chiasm_data::{Recording, Repair};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::figure::Figure;

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

/// A scalar result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name, in snake case; the arm after a slash where there are several (`nmi/louvain`).
    pub name: String,
    /// Its value: always finite.
    pub value: f64,
    /// Its unit; `1` for a pure number.
    pub unit: String,
}

/// A table for the report and for download.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Identity within the run, in kebab case: the file's name.
    pub id: String,
    /// One line above the table.
    pub title: String,
    /// Names of the columns, units included where they have one.
    pub columns: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
}

/// A text file for download, in a format that other programs read: a graph, a circuit, a description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Identity within the run, in kebab case: the file's name.
    pub id: String,
    /// What it is, in one line.
    pub title: String,
    /// The file's ending, without a dot (`graphml`).
    pub ending: String,
    /// What it holds.
    pub text: String,
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

/// Everything a study left on its bench, in the order it was left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Scalar results.
    pub metrics: Vec<Metric>,
    /// Values over steps: `(step, value)` by name.
    pub series: BTreeMap<String, Vec<(f64, f64)>>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Text files for download.
    pub documents: Vec<Document>,
    /// Recordings, by name. Not part of a checkpoint: they are written to the run folder as files of their own.
    #[serde(skip)]
    pub recordings: Vec<(String, Recording)>,
    /// Claims that this preset does not test, and why.
    pub excused: BTreeMap<String, String>,
    /// Remarks that must not be lost: stand-ins used, limits reached.
    pub notes: Vec<String>,
    /// What validation changed in the input.
    pub repairs: Vec<Repair>,
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

impl Record {
    /// Adds what another record holds, in its order.
    fn absorb(&mut self, other: Self) -> Result<(), BenchError> {
        fn distinct<T>(
            what: &'static str,
            mine: &[T],
            theirs: &[T],
            name: impl Fn(&T) -> &str,
        ) -> Result<(), BenchError> {
            theirs
                .iter()
                .try_for_each(|t| once(what, name(t), mine.iter().map(&name)))
        }
        distinct("metric", &self.metrics, &other.metrics, |m| &m.name)?;
        distinct("figure", &self.figures, &other.figures, |f| &f.id)?;
        distinct("table", &self.tables, &other.tables, |t| &t.id)?;
        distinct("document", &self.documents, &other.documents, |d| &d.id)?;
        distinct("recording", &self.recordings, &other.recordings, |r| &r.0)?;
        self.metrics.extend(other.metrics);
        self.figures.extend(other.figures);
        self.tables.extend(other.tables);
        self.documents.extend(other.documents);
        self.recordings.extend(other.recordings);
        for (name, points) in other.series {
            self.series.entry(name).or_default().extend(points);
        }
        self.excused.extend(other.excused);
        self.notes.extend(other.notes);
        self.repairs.extend(other.repairs);
        Ok(())
    }
}

fn once<'a>(
    what: &'static str,
    name: &str,
    mut taken: impl Iterator<Item = &'a str>,
) -> Result<(), BenchError> {
    if taken.any(|t| t == name) {
        Err(BenchError::Twice {
            what,
            name: name.into(),
        })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct InMemory(Mutex<BTreeMap<String, Vec<u8>>>);

    impl Checkpoints for InMemory {
        fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
            Ok(self.0.lock().expect("one thread").get(name).cloned())
        }
        fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
            let mut kept = self.0.lock().expect("one thread");
            kept.insert(name.into(), bytes.to_vec());
            Ok(())
        }
    }

    fn staged(bench: &mut Bench, ran: &mut usize) -> Result<f64, Failure> {
        bench.stage("outer", |b| {
            *ran += 1;
            b.log("loss", 0.0, f64::NAN);
            b.note("a stand-in");
            let inner: f64 = b.stage("inner", |b| {
                b.metric("inner", 1.5, "1")?;
                Ok(1.5)
            })?;
            b.figure(
                Figure::new("f", "title", "caption").with(crate::figure::Panel::new(
                    "",
                    crate::figure::Axis::new("x", "s"),
                    crate::figure::Axis::new("y", "1").range(0.0, 1.0),
                )),
            )?;
            Ok(inner * 2.0)
        })
    }

    #[test]
    fn a_stage_from_its_checkpoint_leaves_what_it_left() {
        let kept = Arc::new(InMemory::default());
        let mut ran = 0;
        let mut first = Bench::new(1, Arc::new(Quiet), kept.clone());
        let value = staged(&mut first, &mut ran).expect("computes");
        let mut again = Bench::new(1, Arc::new(Quiet), kept);
        assert_eq!(staged(&mut again, &mut ran).expect("loads"), value);
        assert_eq!(ran, 1);
        // NaN is kept, so the records are compared as text.
        assert_eq!(
            format!("{:?}", first.record()),
            format!("{:?}", again.record())
        );
        assert_eq!(first.record().metrics.len(), 1);
        assert_eq!(first.record().figures.len(), 1);
    }

    #[test]
    fn arms_leave_what_they_left_in_their_order() {
        let mut bench = Bench::in_memory(3);
        let values = bench
            .arms(5, |i, b| {
                // The first arms end last.
                std::thread::sleep(std::time::Duration::from_millis(5 * (5 - i as u64)));
                b.metric(&format!("score/{i}"), i as f64, "1")?;
                Ok(2 * i)
            })
            .expect("five names");
        assert_eq!(values, [0, 2, 4, 6, 8]);
        let names: Vec<&str> = bench
            .record()
            .metrics
            .iter()
            .map(|m| m.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["score/0", "score/1", "score/2", "score/3", "score/4"]
        );
        let twice = bench.arms(2, |_, b| b.metric("same", 0.0, "1"));
        assert!(twice.is_err(), "two arms leave one name");
        let failed = bench.arms(3, |i, b| {
            b.metric(&format!("other/{i}"), 0.0 / i as f64, "1")
        });
        assert!(failed.is_err(), "the first arm's 0 / 0 is no result");
    }

    #[test]
    fn names_are_used_once_across_stages_and_values_are_finite() {
        let mut bench = Bench::in_memory(0);
        bench.metric("inner", 1.0, "1").expect("first");
        let twice = staged(&mut bench, &mut 0).expect_err("`inner` is taken");
        assert!(matches!(
            twice.downcast_ref(),
            Some(BenchError::Twice { what: "metric", .. })
        ));
        assert!(bench.metric("nan", f64::NAN, "1").is_err());
    }
}
