//! A seed's figures, tables, text files and recordings as files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chiasm_core::Failure;
use chiasm_data::files::write_atomic;
use chiasm_data::{DataError, Files, Recording};
use serde::Serialize;

use super::Run;
use super::record::{DocumentRecord, FigureRecord, RecordingRecord, Status, TableRecord};
use crate::bench::{Document, Record, Table};
use crate::draw;
use crate::figure::Figure;

/// A figure's own JSON file.
#[derive(Serialize)]
struct Spec<'a> {
    format: u32,
    kind: &'static str,
    #[serde(flatten)]
    figure: &'a Figure,
}

/// What a seed left as files.
pub(super) struct Written {
    pub(super) figures: Vec<FigureRecord>,
    pub(super) tables: Vec<TableRecord>,
    pub(super) documents: Vec<DocumentRecord>,
    pub(super) recordings: Vec<RecordingRecord>,
}

impl Run {
    /// Writes what a seed left. The first seed's files carry plain names, those of later seeds name their seed.
    pub(super) fn write_outputs(&self, seed: u64, left: &Record) -> Result<Written, Failure> {
        let suffix = if self.record.seeds.first() == Some(&seed) {
            String::new()
        } else {
            format!(".seed-{seed}")
        };
        let mut names = BTreeSet::new();
        let mut stem = |folder: &str, name: &str| {
            let base = format!("{folder}/{}", file_name(name));
            let mut unique = format!("{base}{suffix}");
            let mut n = 2;
            while !names.insert(unique.clone()) {
                unique = format!("{base}-{n}{suffix}");
                n += 1;
            }
            unique
        };
        let figures = left.figures.iter();
        let tables = left.tables.iter();
        let documents = left.documents.iter();
        let recordings = left.recordings.iter();
        Ok(Written {
            figures: figures
                .map(|f| self.write_figure(seed, &stem("figures", &f.id), f))
                .collect::<Result<_, _>>()?,
            tables: tables
                .map(|t| self.write_table(seed, &stem("tables", &t.id), t))
                .collect::<Result<_, _>>()?,
            documents: documents
                .map(|d| self.write_document(seed, &stem("documents", &d.id), d))
                .collect::<Result<_, _>>()?,
            recordings: recordings
                .map(|(name, r)| self.write_recording(seed, &stem("recordings", name), name, r))
                .collect::<Result<_, _>>()?,
        })
    }

    fn write_table(&self, seed: u64, stem: &str, table: &Table) -> Result<TableRecord, Failure> {
        let file = format!("{stem}.csv");
        let path = self.path.join(&file);
        let failed = |e: csv::Error| {
            let place = chiasm_data::Place::dataset(&table.id).in_file(&path);
            DataError::invalid(place, "rows as wide as the head", e)
        };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&table.columns).map_err(failed)?;
        for row in &table.rows {
            writer.write_record(row).map_err(failed)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|e| failed(e.into_error().into()))?;
        self.write(&file, &bytes)?;
        Ok(TableRecord {
            id: table.id.clone(),
            seed,
            title: table.title.clone(),
            columns: table.columns.clone(),
            n_rows: table.rows.len(),
            file,
        })
    }

    fn write_document(
        &self,
        seed: u64,
        stem: &str,
        document: &Document,
    ) -> Result<DocumentRecord, Failure> {
        let file = format!("{stem}.{}", file_name(&document.ending));
        self.write(&file, document.text.as_bytes())?;
        Ok(DocumentRecord {
            id: document.id.clone(),
            seed,
            title: document.title.clone(),
            file,
        })
    }

    fn write_figure(
        &self,
        seed: u64,
        stem: &str,
        figure: &Figure,
    ) -> Result<FigureRecord, Failure> {
        let file = |ending: &str| format!("{stem}.{ending}");
        let (svg, png, data, spec) = (file("svg"), file("png"), file("csv"), file("json"));
        self.write(&svg, draw::svg(figure, draw::Theme::Light).as_bytes())?;
        self.write(&png, &draw::png(figure, PNG_SCALE)?)?;
        self.write(&data, draw::data_csv(figure).as_bytes())?;
        let drawn_from = Spec {
            format: super::FORMAT,
            kind: "figure",
            figure,
        };
        self.write_json(&spec, &drawn_from)?;
        Ok(FigureRecord {
            id: figure.id.clone(),
            seed,
            title: figure.title.clone(),
            caption: figure.caption.clone(),
            svg,
            png,
            data,
            spec,
        })
    }

    fn write_recording(
        &self,
        seed: u64,
        stem: &str,
        name: &str,
        recording: &Recording,
    ) -> Result<RecordingRecord, Failure> {
        let file = format!("{stem}.npz");
        chiasm_data::io::write(&*self.files, self.path.join(&file), recording)?;
        Ok(RecordingRecord {
            name: name.into(),
            seed,
            n_units: recording.units().len(),
            file,
        })
    }

    /// Writes `report.html` from the record and the files that stand.
    pub(super) fn write_report(&self) -> Result<(), Failure> {
        self.write(
            "report.html",
            crate::report::html(&self.record, &self.path).as_bytes(),
        )
    }
}

/// Writes the report of the run in `folder` anew, and returns its path.
///
/// # Errors
/// As [`super::read`]; a disk that refuses.
pub fn write_report(folder: &Path, files: &dyn Files) -> Result<PathBuf, Failure> {
    let record = super::read(folder)?;
    let path = folder.join("report.html");
    write_atomic(
        files,
        &path,
        crate::report::html(&record, folder).as_bytes(),
    )?;
    Ok(path)
}

/// Pixels to a CSS pixel: 288 dots per inch at 180 mm.
const PNG_SCALE: f64 = 3.0;

/// A name as a file's: everything but letters, digits, `-`, `_` and `.` becomes `_`; never hidden, never too long.
pub(super) fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let safe: String = name
        .chars()
        .take(80)
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    match safe.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if safe.is_empty() => "_".into(),
        None => safe,
    }
}

/// An enum's name as it stands in JSON.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Stopped => "stopped",
        Status::Failed => "failed",
        Status::Finished => "finished",
    }
}
