//! What is to be run.

use std::collections::BTreeMap;

use chiasm_core::Failure;
use sha2::{Digest, Sha256};

use super::RunError;
use super::input::{checksums, hex};
use super::provenance::{Build, now};
use super::record::{FORMAT, InputRecord, Provenance, RecordKind, RunRecord, Status, Task};
use crate::study::{Entry, Input, Preset};

/// What is to be run: everything that decides the results.
pub struct Plan<'a> {
    /// The study.
    pub entry: &'a Entry,
    /// The preset its settings start from.
    pub preset: Preset,
    /// All settings.
    pub config: serde_json::Value,
    /// The root seeds.
    pub seeds: Vec<u64>,
    /// The user's data: with it the method is fitted, without it the study is run.
    pub input: Option<Input>,
    /// How the binary was built.
    pub build: Build,
    /// The command that makes the run again, for the record.
    pub command: String,
}

impl Plan<'_> {
    /// The record of this plan before anything is done. Settings and data files are checked here.
    ///
    /// # Errors
    /// Settings that do not fit or are out of range, no seeds or one twice, a study that takes no data, a data file
    /// that cannot be read.
    pub(super) fn record(&self) -> Result<RunRecord, Failure> {
        let mut distinct = self.seeds.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.is_empty() || distinct.len() < self.seeds.len() {
            let found = format!("{:?}", self.seeds);
            return Err(RunError::Seeds { found }.into());
        }
        let (task, config) = match &self.input {
            None => (Task::Study, self.entry.study().check(&self.config)?),
            Some(_) => (Task::Fit, fit_of(self.entry)?.check(&self.config)?),
        };
        let mut provenance = Provenance {
            version: String::new(),
            commit: None,
            compiler: String::new(),
            target: String::new(),
            machine: String::new(),
            threads: 0,
            device: String::new(),
            started: now(),
            finished: None,
            resumed: 0,
            command: self.command.clone(),
            data: self.input.as_ref().map_or(Ok(vec![]), checksums)?,
        };
        provenance.stamp(&self.build);
        Ok(RunRecord {
            format: FORMAT,
            kind: RecordKind::Run,
            status: Status::Running,
            error: None,
            task,
            study: self.entry.info().into(),
            paper: self.entry.info().into(),
            preset: self.preset,
            seeds: self.seeds.clone(),
            config,
            input: self.input.as_ref().map(InputRecord::from),
            summary: vec![],
            claims: vec![],
            metrics: BTreeMap::new(),
            series: BTreeMap::new(),
            figures: vec![],
            tables: vec![],
            documents: vec![],
            recordings: vec![],
            notes: vec![],
            repairs: vec![],
            wall_s: 0.0,
            peak_memory_bytes: None,
            provenance,
        })
    }
}

/// The study's method on own data.
///
/// # Errors
/// The reason why it takes none.
pub fn fit_of(entry: &Entry) -> Result<&dyn crate::study::ErasedFit, NoFit> {
    entry.fit().map_err(|reason| NoFit {
        study: entry.info().name,
        reason,
    })
}

/// A study was asked to take data that it cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{study}` takes no data of your own: {reason}")]
pub struct NoFit {
    /// The study.
    pub study: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl chiasm_core::Diagnose for NoFit {
    fn group(&self) -> chiasm_core::Group {
        chiasm_core::Group::Input
    }
}

/// Eight hex digits of what decides the results: the name of the run's folder.
pub(super) fn hash(record: &RunRecord) -> String {
    let what = serde_json::json!([
        record.study.name,
        record.task,
        record.preset,
        record.seeds,
        record.config,
        record
            .provenance
            .data
            .iter()
            .map(|d| &d.sha256)
            .collect::<Vec<_>>(),
        record.input,
    ]);
    hex(&Sha256::digest(what.to_string().as_bytes()))[..8].to_owned()
}
