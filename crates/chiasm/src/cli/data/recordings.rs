//! `chiasm data info` of a file, and `convert`.

use std::path::{Path, PathBuf};

use chiasm_core::{Failure, names};
use chiasm_data::datasets::{self, FetchError, Roots};
use chiasm_data::io::{self, Mapping, ReadOptions};
use chiasm_data::{DiskFiles, Recording};
use chiasm_lab::run::{missing_from_text, span_from_text};

use super::json::RecordingJson;
use super::{ConvertArgs, DataFault, InfoArgs, Reading};
use crate::cli::{Context, Exit, text};

pub(super) fn info(args: &InfoArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let path = file_of(&args.what)?;
    let json = RecordingJson::new(&path, &read(&path, &args.how)?);
    context.output.result(&json, || as_text(&json));
    Ok(Exit::Done)
}

pub(super) fn convert(args: &ConvertArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let from = file_of(&args.from)?;
    if !args.force && args.to.exists() {
        let path = args.to.clone();
        return Err(DataFault::Exists { path }.into());
    }
    let recording = read(&from, &args.how)?;
    io::write(&DiskFiles, &args.to, &recording)?;
    let json = RecordingJson::new(&args.to, &recording);
    context.output.result(&json, || as_text(&json));
    Ok(Exit::Done)
}

/// The file of this name, else the registered one (`worms/2022-07-26-31`).
fn file_of(given: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(given);
    if path.exists() {
        return Ok(path.into());
    }
    match Roots::from_env().locate_named(given) {
        Ok(path) => Ok(path),
        Err(FetchError::Unknown { .. }) => {
            let sets: Vec<&str> = datasets::all().iter().map(|s| s.name).collect();
            let help = match names::nearest(given, sets.iter().copied()) {
                Some(name) => format!("did you mean the data set `{name}`?"),
                None => "check the path; `chiasm data list` shows the data sets".into(),
            };
            let given = given.into();
            Err(DataFault::Neither { given, help }.into())
        }
        Err(other) => Err(other.into()),
    }
}

fn read(path: &Path, how: &Reading) -> Result<Recording, Failure> {
    let map = how.map.as_deref().map(Mapping::from_argument).transpose()?;
    let missing = how.missing.as_deref().map(missing_from_text).transpose()?;
    let options = ReadOptions {
        map,
        missing: missing.unwrap_or_default(),
        span_s: how.span.as_deref().map(span_from_text).transpose()?,
        ..ReadOptions::default()
    };
    Ok(io::read(path, &options)?)
}

fn as_text(r: &RecordingJson) -> String {
    let mut lines = vec![r.path.clone()];
    let mut line = |term: &str, value: String| {
        if !value.is_empty() {
            lines.push(text::entry(term, &value, 14));
        }
    };
    let more = r.n_units.saturating_sub(r.first_units.len());
    let rest = if more > 0 {
        format!(", {more} more")
    } else {
        String::new()
    };
    line(
        "units",
        format!("{} ({}{rest})", r.n_units, r.first_units.join(", ")),
    );
    let span = format!(
        "{} to {} s",
        text::number(r.start_s),
        text::number(r.stop_s)
    );
    match (r.n_samples, r.n_spikes) {
        (Some(n), _) => {
            let rate = r.rate_hz.map(|hz| format!(" at {} Hz", text::number(hz)));
            let quantity = r.quantity.as_ref().map(|q| format!(" of {q}"));
            line(
                "traces",
                format!(
                    "{n} samples{}{}, {span}",
                    quantity.unwrap_or_default(),
                    rate.unwrap_or_default()
                ),
            );
        }
        (None, n) => line("spikes", format!("{}, {span}", n.unwrap_or(0))),
    }
    if let Some(n) = r.n_missing.filter(|&n| n > 0) {
        line("missing", format!("{n} samples"));
    }
    let channels = r.channels.iter().map(|c| match c.unit.as_str() {
        "" => c.name.clone(),
        unit => format!("{} [{unit}]", c.name),
    });
    line("channels", channels.collect::<Vec<_>>().join(", "));
    let epochs = r.epochs.iter().map(|e| format!("{} {}", e.n, e.kind));
    line("epochs", epochs.collect::<Vec<_>>().join(", "));
    line("mended", r.repairs.join("; "));
    line("session", r.session.id.clone());
    line("subject", r.session.subject.clone());
    line("description", r.session.description.clone());
    lines.join("\n")
}
