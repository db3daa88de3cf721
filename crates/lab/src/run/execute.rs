//! The work of a run: each seed once, then the judgement, then the record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chiasm_core::{Failure, Group, Watch, stats};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::checkpoint::SeedCheckpoints;
use super::plan::fit_of;
use super::provenance::{now, peak_memory_bytes};
use super::record::{
    ClaimRecord, DocumentRecord, FORMAT, FigureRecord, MetricRecord, NoteRecord, RecordingRecord,
    RepairRecord, RunRecord, SeriesRecord, Status, TableRecord, Task,
};
use super::{Run, RunError, metrics};
use crate::bench::{Bench, BenchError, Checkpoints, Record};
use crate::claim::Verdict;
use crate::study::{Entry, Input};

/// The name under which a whole seed is kept; studies' own stages live beside it.
const DONE: &str = "whole seed";

/// A finished seed, as kept in its checkpoint. Its figures, tables and recordings stand as files already.
#[derive(Serialize, Deserialize)]
struct SeedDone {
    summary: Vec<String>,
    /// Without figures and tables.
    left: Record,
    figures: Vec<FigureRecord>,
    tables: Vec<TableRecord>,
    documents: Vec<DocumentRecord>,
    recordings: Vec<RecordingRecord>,
}

impl Run {
    /// Does what is left to do and returns the finished record; a finished run is returned as it is. Seeds that were
    /// finished before are taken from their checkpoints. `at_once` runs the seeds in parallel: same results, more
    /// memory.
    ///
    /// # Errors
    /// Any failure of the study, of the disk, or [`chiasm_core::Cancelled`]. What was done stays, the record says
    /// `failed` or `stopped`, and [`Run::resume`] goes on from there.
    pub fn execute(
        mut self,
        entry: &Entry,
        watch: &Arc<dyn Watch + Send>,
        at_once: bool,
    ) -> Result<RunRecord, Failure> {
        if entry.info().name != self.record.study.name {
            return Err(RunError::OtherStudy {
                path: self.path.clone(),
                expected: entry.info().name.into(),
                found: self.record.study.name.clone(),
            }
            .into());
        }
        if self.record.status == Status::Finished {
            return Ok(self.record);
        }
        let began = Instant::now();
        let before = self.record.wall_s;
        let outcome = self.seeds(entry, watch, at_once);
        self.record.wall_s = before + began.elapsed().as_secs_f64();
        match outcome.and_then(|seeds| self.finish(entry, seeds)) {
            Ok(()) => {
                self.drop_traces();
                Ok(self.record)
            }
            Err(failure) => {
                self.record.status = match failure.group() {
                    Group::Cancelled => Status::Stopped,
                    _ => Status::Failed,
                };
                self.record.error =
                    (failure.group() != Group::Cancelled).then(|| failure.to_string());
                // On a full disk the record stays `running`, which resumes as well; the first failure is what counts.
                let _ = self.write_record();
                Err(failure)
            }
        }
    }

    fn seeds(
        &self,
        entry: &Entry,
        watch: &Arc<dyn Watch + Send>,
        at_once: bool,
    ) -> Result<Vec<SeedDone>, Failure> {
        let seeds = &self.record.seeds;
        let input = self
            .record
            .input
            .as_ref()
            .map(|i| i.to_input())
            .transpose()?;
        if at_once && seeds.len() > 1 {
            watch.stage("seeds", seeds.len() as u64);
            let done: Vec<Result<SeedDone, Failure>> = seeds
                .par_iter()
                .with_max_len(1)
                .map(|&seed| {
                    let quiet = SeedWatch {
                        inner: watch.clone(),
                        label: None,
                    };
                    let done = self.seed(entry, seed, input.as_ref(), Arc::new(quiet))?;
                    watch.tick(1);
                    Ok(done)
                })
                .collect();
            // The first in the order of the seeds, not of time.
            return done.into_iter().collect();
        }
        let n = seeds.len();
        let each = seeds.iter().enumerate().map(|(i, &seed)| {
            let label = if n > 1 {
                format!("seed {seed} ({} of {n}): ", i + 1)
            } else {
                String::new()
            };
            let named = SeedWatch {
                inner: watch.clone(),
                label: Some(label),
            };
            self.seed(entry, seed, input.as_ref(), Arc::new(named))
        });
        each.collect()
    }

    fn seed(
        &self,
        entry: &Entry,
        seed: u64,
        input: Option<&Input>,
        watch: Arc<dyn Watch + Send>,
    ) -> Result<SeedDone, Failure> {
        let folder = self.path.join("checkpoint").join(format!("seed-{seed}"));
        let kept = SeedCheckpoints::new(folder, self.files.clone(), self.build.id());
        let kept = Arc::new(kept);
        let damaged = |e: postcard::Error| BenchError::Checkpoint {
            name: DONE.into(),
            reason: e.to_string(),
        };
        if let Some(bytes) = kept.load(DONE)? {
            return Ok(postcard::from_bytes(&bytes).map_err(damaged)?);
        }
        watch.check()?;
        let mut bench = Bench::new(seed, watch.clone(), kept.clone());
        let config = &self.record.config;
        let findings = match (self.record.task, input) {
            (Task::Fit, Some(input)) => fit_of(entry)?.fit(config, input, &mut bench)?,
            _ => entry.study().run(config, &mut bench)?,
        };
        watch.stage("files", 0);
        let mut left = bench.record;
        let written = self.write_outputs(seed, &left)?;
        (left.figures, left.tables, left.recordings) = (vec![], vec![], vec![]);
        left.documents = vec![];
        let done = SeedDone {
            summary: findings.summary,
            left,
            figures: written.figures,
            tables: written.tables,
            documents: written.documents,
            recordings: written.recordings,
        };
        kept.save(DONE, &postcard::to_stdvec(&done).map_err(damaged)?)?;
        Ok(done)
    }

    /// Judges, and writes all that stands for the run as a whole; the record last.
    fn finish(&mut self, entry: &Entry, seeds: Vec<SeedDone>) -> Result<(), Failure> {
        let record = &mut self.record;
        record.summary = seeds.first().map(|s| s.summary.clone()).unwrap_or_default();
        let lefts: Vec<&Record> = seeds.iter().map(|s| &s.left).collect();
        record.metrics = metrics_over(&lefts);
        record.series = series_over(&record.seeds, &lefts);
        if record.task == Task::Study {
            record.claims = claims_over(entry, &lefts);
        }
        (record.notes, record.repairs) = remarks_over(&record.seeds, &lefts);
        (record.figures, record.tables, record.recordings) = (vec![], vec![], vec![]);
        record.documents = vec![];
        for seed in seeds {
            record.figures.extend(seed.figures);
            record.tables.extend(seed.tables);
            record.documents.extend(seed.documents);
            record.recordings.extend(seed.recordings);
        }
        record.peak_memory_bytes = peak_memory_bytes();
        record.provenance.finished = Some(now());
        record.status = Status::Finished;

        let parquet = metrics::to_parquet(&self.record).map_err(|e| RunError::Damaged {
            path: self.path.join("metrics.parquet"),
            reason: e.to_string(),
        })?;
        self.write("metrics.parquet", &parquet)?;
        let claims = serde_json::json!({
            "format": FORMAT,
            "kind": "claims",
            "study": self.record.study.name,
            "claims": self.record.claims,
        });
        self.write_json("claims.json", &claims)?;
        self.write_report()?;
        self.write_record()
    }
}

fn metrics_over(lefts: &[&Record]) -> BTreeMap<String, MetricRecord> {
    let mut all: BTreeMap<String, MetricRecord> = BTreeMap::new();
    for (i, left) in lefts.iter().enumerate() {
        for m in &left.metrics {
            let entry = all.entry(m.name.clone()).or_insert_with(|| MetricRecord {
                unit: m.unit.clone(),
                values: vec![None; lefts.len()],
                mean: f64::NAN,
                spread: None,
            });
            entry.values[i] = Some(m.value);
        }
    }
    for metric in all.values_mut() {
        let values: Vec<f64> = metric.values.iter().flatten().copied().collect();
        metric.mean = stats::mean(&values);
        metric.spread = (values.len() > 1).then(|| stats::sd(&values, 1));
    }
    all
}

fn series_over(seeds: &[u64], lefts: &[&Record]) -> BTreeMap<String, Vec<SeriesRecord>> {
    let mut all: BTreeMap<String, Vec<SeriesRecord>> = BTreeMap::new();
    for (&seed, left) in seeds.iter().zip(lefts) {
        for (name, points) in &left.series {
            all.entry(name.clone()).or_default().push(SeriesRecord {
                seed,
                steps: points.iter().map(|p| p.0).collect(),
                values: points
                    .iter()
                    .map(|p| p.1.is_finite().then_some(p.1))
                    .collect(),
            });
        }
    }
    all
}

fn claims_over(entry: &Entry, lefts: &[&Record]) -> Vec<ClaimRecord> {
    let judge = |spec: crate::ClaimSpec| {
        let value = |left: &&Record| {
            let metric = left.metrics.iter().find(|m| m.name == spec.metric);
            metric.map(|m| m.value)
        };
        let values: Vec<f64> = lefts.iter().filter_map(value).collect();
        let excuse = lefts.iter().find_map(|l| l.excused.get(spec.id));
        // A metric that some seeds lack must not hold on the others alone.
        let partly = !values.is_empty() && values.len() < lefts.len();
        let mut result = spec.judge(values, excuse.map(String::as_str));
        if partly && excuse.is_none() {
            result.verdict = Verdict::Fails;
        }
        ClaimRecord::from(result)
    };
    entry.study().claims().into_iter().map(judge).collect()
}

/// Notes and repairs; those that every seed shares are said once.
fn remarks_over(seeds: &[u64], lefts: &[&Record]) -> (Vec<NoteRecord>, Vec<RepairRecord>) {
    let (mut notes, mut repairs) = (Vec::<NoteRecord>::new(), Vec::<RepairRecord>::new());
    for (&seed, left) in seeds.iter().zip(lefts) {
        for text in &left.notes {
            if lefts.iter().all(|l| l.notes.contains(text)) {
                if !notes.iter().any(|n| n.seed.is_none() && n.text == *text) {
                    notes.push(NoteRecord {
                        seed: None,
                        text: text.clone(),
                    });
                }
            } else {
                notes.push(NoteRecord {
                    seed: Some(seed),
                    text: text.clone(),
                });
            }
        }
        for repair in &left.repairs {
            let repair = RepairRecord {
                what: repair.what.clone(),
                n: repair.n,
            };
            if !repairs.contains(&repair) {
                repairs.push(repair);
            }
        }
    }
    (notes, repairs)
}

/// The run's watch as one seed sees it: with the seed's name before each stage, or, where seeds run at once, without
/// stages and steps.
struct SeedWatch {
    inner: Arc<dyn Watch + Send>,
    label: Option<String>,
}

impl Watch for SeedWatch {
    fn stage(&self, name: &str, total: u64) {
        if let Some(label) = &self.label {
            self.inner.stage(&format!("{label}{name}"), total);
        }
    }
    fn tick(&self, n: u64) {
        if self.label.is_some() {
            self.inner.tick(n);
        }
    }
    fn best(&self, name: &str, value: f64) {
        self.inner.best(name, value);
    }
    fn cancelled(&self) -> bool {
        self.inner.cancelled()
    }
}
