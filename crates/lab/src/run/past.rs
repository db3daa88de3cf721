//! Runs of the past.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chiasm_core::Failure;
use chiasm_data::DataError;

use super::RunError;
use super::folder::entries;
use super::record::{FORMAT, RunRecord};

/// The record of the run in this folder.
///
/// # Errors
/// No run there, a damaged record, or one of a newer format.
pub fn read(folder: &Path) -> Result<RunRecord, Failure> {
    let path = folder.join("run.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // ENOTDIR: the folder is a file.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(RunError::NoRun {
                path: folder.into(),
            }
            .into());
        }
        Err(source) => {
            return Err(DataError::Io {
                path,
                action: "read",
                source,
            }
            .into());
        }
    };
    let damaged = |e: serde_json::Error| RunError::Damaged {
        path: path.clone(),
        reason: e.to_string(),
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(damaged)?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(FORMAT) => {
            let known = FORMAT;
            Err(RunError::Format { path, found, known }.into())
        }
        _ => Ok(serde_json::from_value(value).map_err(damaged)?),
    }
}

/// The runs of a study below `root`, oldest first: folder and record. Folders that cannot be read are left out.
#[must_use]
pub fn runs_of(root: &Path, study: &str) -> Vec<(PathBuf, RunRecord)> {
    let mut runs: Vec<(PathBuf, RunRecord)> = entries(&root.join(study))
        .into_iter()
        .filter_map(|folder| read(&folder).ok().map(|record| (folder, record)))
        .collect();
    runs.sort_by(|a, b| (&a.1.provenance.started, &a.0).cmp(&(&b.1.provenance.started, &b.0)));
    runs
}

/// The newest run of a study below `root` that `wanted` accepts.
#[must_use]
pub fn newest(root: &Path, study: &str, wanted: impl Fn(&RunRecord) -> bool) -> Option<PathBuf> {
    let runs = runs_of(root, study).into_iter().rev();
    runs.filter(|(_, record)| wanted(record))
        .map(|(p, _)| p)
        .next()
}
