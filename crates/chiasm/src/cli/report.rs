//! `chiasm report`: a run's report, written anew.

use std::path::{Path, PathBuf};

use chiasm_core::Failure;
use chiasm_data::DiskFiles;
use chiasm_lab::run::{Status, newest};

use super::args::ReportArgs;
use super::errors::Unknown;
use super::json::{ReportJson, ReportPlace};
use super::{Context, Exit};

pub(super) fn report(args: &ReportArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut reports = Vec::new();
    for run in &args.runs {
        let folder = folder_of(run)?;
        let report = chiasm_lab::run::write_report(&folder, &DiskFiles)?;
        reports.push(ReportPlace {
            folder: folder.display().to_string(),
            report: report.display().to_string(),
        });
    }
    let json = ReportJson::new(reports);
    context.output.result(&json, || {
        let each = json.reports.iter().map(|r| r.report.as_str());
        each.collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

/// A run's folder: the one given, or the newest finished run of the study given.
pub(super) fn folder_of(given: &Path) -> Result<PathBuf, Failure> {
    if given.exists() {
        return Ok(given.into());
    }
    let name = given.to_string_lossy();
    let finished = newest(Path::new(super::run::ROOT), &name, |r| {
        r.status == Status::Finished
    });
    finished.ok_or_else(|| {
        Unknown::Run {
            given: name.into_owned(),
        }
        .into()
    })
}
