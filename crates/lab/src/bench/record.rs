//! What a study leaves: metrics, tables, text files, and the record of all of it.

use std::collections::BTreeMap;

use chiasm_data::{Recording, Repair};
use serde::{Deserialize, Serialize};

use super::BenchError;
use crate::figure::Figure;

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

impl Record {
    /// Adds what another record holds, in its order.
    pub(super) fn absorb(&mut self, other: Self) -> Result<(), BenchError> {
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

pub(super) fn once<'a>(
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
