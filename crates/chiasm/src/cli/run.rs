//! `chiasm run`, and the way of a run that `chiasm fit` shares: plan, folder, work, result.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chiasm_core::{Failure, Group, SettingError};
use chiasm_data::DiskFiles;
use chiasm_lab::run::{
    Place, Plan, Run, RunError, Status, Task, missing_from_text, newest, span_from_text,
};
use chiasm_lab::{Entry, Input, Preset, settings};

use super::args::{How, RunArgs};
use super::json::RunJson;
use super::progress::Progress;
use super::{Context, Exit, claims, errors};

/// Below this folder runs are made and looked for.
pub(super) const ROOT: &str = "runs";

pub(super) fn run(args: &RunArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let how = &args.how;
    if args.data.is_empty() && !how.resume {
        let of_data = [
            (&how.map, "map"),
            (&how.missing, "missing"),
            (&how.span, "span"),
        ];
        for (given, name) in of_data {
            if let Some(given) = given {
                let expected = "--data FILE beside it: without one the study makes its own data";
                return Err(SettingError::new(name, expected, format!("`{given}` alone")).into());
            }
        }
    }
    let files = (!args.data.is_empty()).then_some(args.data.as_slice());
    launch("run", &args.study, files, how, context)
}

/// Runs a study (no files) or fits its method (files) as the options say.
pub(super) fn launch(
    verb: &str,
    name: &str,
    files: Option<&[PathBuf]>,
    how: &How,
    context: &Context<'_>,
) -> Result<Exit, Failure> {
    let entry = context.catalogue.entry(name)?;
    let disk = Arc::new(DiskFiles);
    let run = if how.resume {
        let folder = unfinished(entry, verb, how)?;
        Run::resume(&folder, &context.build, disk)?
    } else {
        let plan = plan(verb, entry, files, how, context)?;
        let place = match &how.out {
            Some(folder) => Place::At(folder.clone()),
            None => Place::Under(ROOT.into()),
        };
        Run::create(&plan, &place, disk)?
    };
    let folder = run.path().to_path_buf();
    errors::working_on(Some(&folder));
    let progress = Arc::new(Progress::start(context.output.is_quiet())?);
    let at_once = run.record().seeds.len() > 1 && rayon::current_num_threads() > 1;
    let watch: Arc<dyn chiasm_core::Watch + Send> = progress.clone();
    let outcome = run.execute(entry, &watch, at_once);
    progress.end();
    errors::working_on(None);
    let again = format!(
        "chiasm {verb} {name} --resume --out {}",
        quoted(&folder.display().to_string())
    );
    let record = match outcome {
        Ok(record) => record,
        Err(failure) if failure.group() == Group::Cancelled => {
            context.output.error(&format!(
                "stopped; what is done is kept\nGo on with: {again}"
            ));
            return Ok(Exit::Stopped);
        }
        Err(failure) => {
            context.output.message(&format!(
                "what is done is kept in {}\nTry again with: {again}",
                folder.display()
            ));
            return Err(failure);
        }
    };
    let failed = record.tally().1 > 0;
    let json = RunJson {
        record,
        folder: folder.display().to_string(),
        report: folder.join("report.html").display().to_string(),
    };
    context.output.result(&json, || {
        claims::result(&json.record, &json.folder, &json.report)
    });
    Ok(if failed {
        Exit::ClaimFailed
    } else {
        Exit::Done
    })
}

/// The folder to go on in.
fn unfinished(entry: &Entry, verb: &str, how: &How) -> Result<PathBuf, Failure> {
    if let Some(folder) = &how.out {
        return Ok(folder.clone());
    }
    let root = Path::new(ROOT);
    let name = entry.info().name;
    let task = if verb == "fit" { Some(Task::Fit) } else { None };
    let found = newest(root, name, |r| {
        r.status != Status::Finished && task.is_none_or(|t| r.task == t)
    });
    found.ok_or_else(|| {
        let path = root.join(name);
        RunError::NothingToResume { path }.into()
    })
}

fn plan<'a>(
    verb: &str,
    entry: &'a Entry,
    files: Option<&[PathBuf]>,
    how: &How,
    context: &Context<'_>,
) -> Result<Plan<'a>, Failure> {
    let preset = how.preset.map_or(Preset::Quick, Preset::from);
    let (schema, mut config) = match files {
        None => (entry.study().schema(), entry.study().preset(preset)),
        Some(_) => {
            let fit = chiasm_lab::run::fit_of(entry)?;
            (fit.schema(), fit.preset(preset))
        }
    };
    if let Some(path) = &how.config {
        settings::set_from_file(&schema, &mut config, path)?;
    }
    for assignment in &how.set {
        settings::set(&schema, &mut config, assignment)?;
    }
    let first = how.seed.unwrap_or(0);
    let n = how.seeds.map_or(1, |n| u64::from(n.get()));
    let last = first.checked_add(n - 1).ok_or_else(|| {
        SettingError::new(
            "seed",
            format!("a number that leaves room for {n} seeds"),
            first,
        )
    })?;
    let input = match files {
        None => None,
        Some(paths) => Some(Input {
            paths: paths.to_vec(),
            map: how.map.clone(),
            missing: how
                .missing
                .as_deref()
                .map_or(Ok(Default::default()), missing_from_text)?,
            span_s: how.span.as_deref().map(span_from_text).transpose()?,
        }),
    };
    Ok(Plan {
        entry,
        preset,
        config,
        seeds: (first..=last).collect(),
        input,
        build: context.build.clone(),
        command: command(verb, entry.info().name, files, how),
    })
}

/// The command that makes the run again, whatever its folder, threads and way of printing.
fn command(verb: &str, name: &str, files: Option<&[PathBuf]>, how: &How) -> String {
    let mut words = vec!["chiasm".to_owned(), verb.into(), name.into()];
    for file in files.unwrap_or_default() {
        if verb == "run" {
            words.push("--data".into());
        }
        words.push(quoted(&file.display().to_string()));
    }
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([format!("--{name}"), quoted(&value)]);
        }
    };
    option("map", how.map.clone());
    option("missing", how.missing.clone());
    option("span", how.span.clone());
    option(
        "preset",
        how.preset.map(|p| format!("{p:?}").to_lowercase()),
    );
    option(
        "config",
        how.config.as_ref().map(|p| p.display().to_string()),
    );
    for assignment in &how.set {
        option("set", Some(assignment.clone()));
    }
    option("seed", how.seed.map(|s| s.to_string()));
    option("seeds", how.seeds.map(|s| s.to_string()));
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
