//! `chiasm data list`, `get`, and `info` of a data set.

use chiasm_core::{Failure, Group};
use chiasm_data::datasets::{self, DataSet, Get, Known, Roots, Verdict};

use super::GetArgs;
use super::json::{DataGetJson, DataListJson, DataSetJson, FileJson, GotFile, GotSet, ListedSet};
use crate::cli::progress::Progress;
use crate::cli::{Context, Exit, text};

pub(super) fn list(context: &Context<'_>) -> Result<Exit, Failure> {
    let roots = Roots::from_env();
    let sets = datasets::all().iter().map(|set| ListedSet {
        name: set.name.into(),
        what: set.what.into(),
        bytes: set.size(),
        licence: set.licence.into(),
        folder: roots
            .locate(set)
            .ok()
            .map(|l| l.folder.display().to_string()),
    });
    let json = DataListJson::new(sets.collect());
    context.output.result(&json, || {
        let mut table = text::table(&["name", "what", "size", "licence", "on this machine"]);
        for set in &json.sets {
            let here = set.folder.as_deref().unwrap_or("no");
            table.add_row([&set.name, &set.what, &bytes(set.bytes), &set.licence, here]);
        }
        format!("{table}\nFetch one with: chiasm data get NAME")
    });
    Ok(Exit::Done)
}

pub(super) fn get(args: &GetArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    // All names first: a slip in the last one should not show after an hour.
    let sets = args.names.iter().map(|name| datasets::find(name));
    let sets = sets.collect::<Result<Vec<&DataSet>, _>>()?;
    let roots = Roots {
        named: args.to.clone().or_else(|| Roots::from_env().named),
        ..Roots::from_env()
    };
    let get = Get {
        from: args.from.clone(),
        ..Get::default()
    };
    let progress = Progress::start(context.output.is_quiet())?;
    let fetched = sets
        .into_iter()
        .map(|set| {
            let folder = roots.home(set)?;
            let files = get.run(set, &folder, &progress)?;
            let files = files.into_iter().map(|f| GotFile {
                path: f.path.display().to_string(),
                fetched: f.fetched,
            });
            Ok(GotSet {
                name: set.name.into(),
                folder: folder.display().to_string(),
                files: files.collect(),
            })
        })
        .collect::<Result<Vec<GotSet>, Failure>>();
    progress.end();
    let json = match fetched {
        Ok(sets) => DataGetJson::new(sets),
        Err(failure) if failure.group() == Group::Cancelled => {
            let again = "stopped; what has come is kept, and the same command goes on from there";
            context.output.error(again);
            return Ok(Exit::Stopped);
        }
        Err(failure) => return Err(failure),
    };
    context.output.result(&json, || {
        let lines = json.sets.iter().map(|set| {
            let n_fetched = set.files.iter().filter(|f| f.fetched).count();
            let what = match (n_fetched, set.files.len()) {
                (0, n) => format!("all {n} files were here already and are right"),
                (n, all) if n == all => format!("{n} files fetched and checked"),
                (n, all) => format!("{n} of {all} files fetched and checked, the others were here"),
            };
            format!("{}: {what}\n  {}", set.name, set.folder)
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

pub(super) fn info(set: &DataSet, check: bool, context: &Context<'_>) -> Result<Exit, Failure> {
    let roots = Roots::from_env();
    let mut json = DataSetJson::new(set);
    let folders = roots.folders(set);
    json.folders = folders.iter().map(|f| f.display().to_string()).collect();
    let progress = check
        .then(|| Progress::start(context.output.is_quiet()))
        .transpose()?;
    let mut wrong = false;
    for file in set.files {
        let path = roots.locate_file(set, file.name).ok();
        let checked = match (&path, &progress) {
            (Some(path), Some(progress)) => Some(datasets::verify(path, file, progress)?),
            _ => None,
        };
        wrong |= matches!(checked, Some(Verdict::Differs { .. }));
        json.files.push(FileJson {
            name: file.name.into(),
            bytes: file.size,
            sha256: file.sha256.into(),
            known: match file.known {
                Known::Computed => "computed by chiasm's developers".into(),
                Known::Published { by } => format!("published by {by}"),
            },
            addresses: file.addresses.iter().map(|&a| a.into()).collect(),
            path: path.map(|p| p.display().to_string()),
            checked: checked.map(|verdict| match verdict {
                Verdict::Same => "same",
                Verdict::SameContents => "same contents",
                Verdict::Unknown => "unknown",
                Verdict::Differs { .. } => "differs",
            }),
        });
    }
    if let Some(progress) = progress {
        progress.end();
    }
    context.output.result(&json, || as_text(&json));
    // A damaged file is bad input to whatever reads it.
    Ok(if wrong { Exit::BadInput } else { Exit::Done })
}

fn as_text(set: &DataSetJson) -> String {
    let mut lines = vec![
        set.name.clone(),
        text::paragraph(&set.what, 2),
        String::new(),
    ];
    for (term, value) in [
        ("page", &set.page),
        ("licence", &set.licence),
        ("cite", &set.citation),
    ] {
        lines.push(text::entry(term, value, 12));
    }
    lines.push(text::entry("looked for", &set.folders.join(", "), 12));
    lines.push(String::new());
    for file in &set.files {
        let here = match (&file.path, file.checked) {
            (None, _) => "not here".into(),
            (Some(path), None) => path.clone(),
            (Some(path), Some(checked)) => format!("{path} (checked: {checked})"),
        };
        lines.push(format!("  {}  {}  {here}", file.name, bytes(file.bytes)));
        lines.push(format!("    SHA-256 {} ({})", file.sha256, file.known));
        lines.push(format!("    {}", file.addresses.join("\n    ")));
    }
    lines.join("\n")
}

/// A size for people, in powers of ten.
pub(super) fn bytes(n: u64) -> String {
    let n = n as f64;
    let (value, unit) = match n {
        n if n < 1e3 => return format!("{n} B"),
        n if n < 1e6 => (n / 1e3, "kB"),
        n if n < 1e9 => (n / 1e6, "MB"),
        n => (n / 1e9, "GB"),
    };
    if value < 10.0 {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_short() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (4542, "4.5 kB"),
            (28_881, "29 kB"),
            (26_421_880, "26 MB"),
            (3_100_000_000, "3.1 GB"),
        ];
        for (n, text) in cases {
            assert_eq!(bytes(n), text);
        }
    }
}
