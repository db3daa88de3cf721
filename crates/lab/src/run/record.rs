//! What is known of a run: the content of `run.json`, and what `chiasm run --json` prints.
//!
//! Every type here is plain data with a JSON schema, so that the report, the web page and Python read the same record.
//! [`FORMAT`] is raised whenever a reader of the old shape would misread the new one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claim::{Bound, ClaimKind, ClaimResult, Verdict};
use crate::study::{Area, Preset, StudyInfo};

/// The version of the record's shape.
pub const FORMAT: u32 = 1;

/// Everything known of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// `run`, in every record.
    pub kind: RecordKind,
    /// Whether the run is finished.
    pub status: Status,
    /// Why it failed; only with [`Status::Failed`].
    pub error: Option<String>,
    /// The paper's own experiment, or the method on the user's data.
    pub task: Task,
    /// What the catalogue says of the study.
    pub study: StudyRecord,
    /// The paper behind it.
    pub paper: PaperRecord,
    /// Which preset the settings started from.
    pub preset: Preset,
    /// The root seeds, in the order of every list of values below.
    pub seeds: Vec<u64>,
    /// All settings, resolved.
    pub config: serde_json::Value,
    /// The user's data and how it was read; `None` for the study's own.
    pub input: Option<InputRecord>,
    /// What was found, in paragraphs, for the first seed.
    pub summary: Vec<String>,
    /// The claims beside what was measured, in the study's order; empty for a fit.
    pub claims: Vec<ClaimRecord>,
    /// Scalar results by name.
    pub metrics: BTreeMap<String, MetricRecord>,
    /// Curves by name (a loss over steps), one for each seed that has it.
    pub series: BTreeMap<String, Vec<SeriesRecord>>,
    /// Figures, in the order they were left; those of the first seed come first.
    pub figures: Vec<FigureRecord>,
    /// Tables, likewise.
    pub tables: Vec<TableRecord>,
    /// Text files for download, likewise.
    #[serde(default)]
    pub documents: Vec<DocumentRecord>,
    /// Recordings, likewise.
    pub recordings: Vec<RecordingRecord>,
    /// Remarks: stand-ins used, limits reached.
    pub notes: Vec<NoteRecord>,
    /// What validation changed in the input.
    pub repairs: Vec<RepairRecord>,
    /// Seconds of work, over all sessions that ended by themselves (a killed one leaves none).
    pub wall_s: f64,
    /// The largest resident memory of the process that finished the run, bytes; `None` where the system does not say.
    pub peak_memory_bytes: Option<u64>,
    /// How it came about.
    pub provenance: Provenance,
}

/// Tells this record from chiasm's other JSON outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// A run.
    Run,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In progress, or killed: resume it.
    Running,
    /// Stopped on request: resume it.
    Stopped,
    /// Ended in an error; resuming tries again.
    Failed,
    /// Done: all results are there.
    Finished,
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// The paper's own experiment.
    Study,
    /// The method on the user's data.
    Fit,
}

/// What the catalogue says of a study, as kept with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StudyRecord {
    /// The command: `chiasm run NAME`.
    pub name: String,
    /// Its area.
    pub area: Area,
    /// What it is, in one line.
    pub title: String,
    /// What it does and shows, in a paragraph.
    pub summary: String,
    /// Where its method lives.
    pub home: String,
    /// What it takes in.
    pub inputs: String,
}

/// A paper, as it is to be cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaperRecord {
    /// Number of the paper in the catalogue.
    pub card: u8,
    /// Title.
    pub title: String,
    /// Authors.
    pub authors: String,
    /// Journal, conference or archive.
    pub venue: String,
    /// Year.
    pub year: u16,
    /// DOI or arXiv address.
    pub link: String,
}

/// The user's data and how it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputRecord {
    /// The files, in the order given.
    pub paths: Vec<String>,
    /// The mapping of an unknown layout, as given.
    pub map: Option<String>,
    /// What was done with missing samples, as given to `--missing`.
    pub missing: String,
    /// The span of time that was kept, as given to `--span`; all of it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
}

/// A claim beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimRecord {
    /// Identity within the study.
    pub id: String,
    /// The statement.
    pub statement: String,
    /// Where it stands in the paper.
    pub place: String,
    /// What kind of agreement is asked for.
    pub kind: ClaimKind,
    /// The paper's own figure as printed; `None` where there is none.
    pub paper: Option<String>,
    /// The metric that measures it.
    pub metric: String,
    /// What counts as holding.
    pub bound: Bound,
    /// Why this bound.
    pub reason: String,
    /// The metric on each seed.
    pub values: Vec<f64>,
    /// Mean over seeds; `None` where it was not measured.
    pub measured: Option<f64>,
    /// Sample standard deviation over seeds; `None` with fewer than two.
    pub spread: Option<f64>,
    /// On how many seeds the bound holds by itself.
    pub seeds_holding: usize,
    /// The verdict, on the mean.
    pub verdict: VerdictRecord,
    /// Why it was not tested; only with [`VerdictRecord::NotAtThisScale`].
    pub why: Option<String>,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictRecord {
    /// The mean over seeds is within the bound.
    Holds,
    /// It is not.
    Fails,
    /// Not tested by this preset.
    NotAtThisScale,
}

/// A scalar result over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricRecord {
    /// Its unit; `1` for a pure number.
    pub unit: String,
    /// One value for each seed, in the order of the seeds; `None` where a seed did not record it.
    pub values: Vec<Option<f64>>,
    /// Mean over the seeds that recorded it.
    pub mean: f64,
    /// Sample standard deviation; `None` with fewer than two values.
    pub spread: Option<f64>,
}

/// A curve of one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesRecord {
    /// The seed.
    pub seed: u64,
    /// Steps.
    pub steps: Vec<f64>,
    /// Values; `None` where not finite.
    pub values: Vec<Option<f64>>,
}

/// A figure's files, relative to the run folder, `/` between parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FigureRecord {
    /// Identity within the seed.
    pub id: String,
    /// The seed it was made with.
    pub seed: u64,
    /// One line above the figure.
    pub title: String,
    /// What is shown and how to read it.
    pub caption: String,
    /// The drawing.
    pub svg: String,
    /// The same in pixels.
    pub png: String,
    /// The numbers behind it, as CSV.
    pub data: String,
    /// The [`Figure`](crate::figure::Figure) itself, as JSON, to draw it anew.
    pub spec: String,
}

/// A table's file, relative to the run folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableRecord {
    /// Identity within the seed.
    pub id: String,
    /// The seed it was made with.
    pub seed: u64,
    /// One line above the table.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Number of rows.
    pub n_rows: usize,
    /// The table, as CSV.
    pub file: String,
}

/// A text file for download, relative to the run folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentRecord {
    /// Identity within the seed.
    pub id: String,
    /// The seed it was made with.
    pub seed: u64,
    /// What it is, in one line.
    pub title: String,
    /// The file.
    pub file: String,
}

/// A recording's file, relative to the run folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordingRecord {
    /// Name within the seed.
    pub name: String,
    /// The seed it was made with.
    pub seed: u64,
    /// Number of units.
    pub n_units: usize,
    /// The recording, as NPZ.
    pub file: String,
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteRecord {
    /// The seed it was made on; `None` where it concerns the run.
    pub seed: Option<u64>,
    /// The remark.
    pub text: String,
}

/// Something that validation changed in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepairRecord {
    /// What was done.
    pub what: String,
    /// How many samples, frames or units it touched.
    pub n: usize,
}

/// How a run came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Version of chiasm.
    pub version: String,
    /// The commit it was built from, `-dirty` after it where the tree had changes; `None` if built outside a repository.
    pub commit: Option<String>,
    /// The compiler.
    pub compiler: String,
    /// What it was built for, and how (`x86_64-unknown-linux-gnu, release`).
    pub target: String,
    /// The machine: system, processor, number of cores.
    pub machine: String,
    /// Threads used.
    pub threads: usize,
    /// What computed: `cpu`.
    pub device: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// When it ended, likewise; `None` while it runs.
    pub finished: Option<String>,
    /// How often it was taken up again.
    pub resumed: u32,
    /// The command that makes it again.
    pub command: String,
    /// The user's files with their checksums.
    pub data: Vec<DataFileRecord>,
}

/// A data file that went in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataFileRecord {
    /// The file or folder, as given.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256, in hex; of a folder, that of a list of its files' names, sizes and own checksums.
    pub sha256: String,
}

impl RunRecord {
    /// Number of claims that hold, fail, and were not tested.
    #[must_use]
    pub fn tally(&self) -> (usize, usize, usize) {
        let count = |v| self.claims.iter().filter(|c| c.verdict == v).count();
        (
            count(VerdictRecord::Holds),
            count(VerdictRecord::Fails),
            count(VerdictRecord::NotAtThisScale),
        )
    }
}

impl From<&StudyInfo> for StudyRecord {
    fn from(info: &StudyInfo) -> Self {
        Self {
            name: info.name.into(),
            area: info.area,
            title: info.title.into(),
            summary: info.summary.into(),
            home: info.home.into(),
            inputs: info.inputs.into(),
        }
    }
}

impl From<&StudyInfo> for PaperRecord {
    fn from(info: &StudyInfo) -> Self {
        let paper = &info.paper;
        Self {
            card: paper.card,
            title: paper.title.into(),
            authors: paper.authors.into(),
            venue: paper.venue.into(),
            year: paper.year,
            link: paper.link.into(),
        }
    }
}

impl From<ClaimResult> for ClaimRecord {
    fn from(result: ClaimResult) -> Self {
        let (verdict, why) = match result.verdict {
            Verdict::Holds => (VerdictRecord::Holds, None),
            Verdict::Fails => (VerdictRecord::Fails, None),
            Verdict::NotAtThisScale(why) => (VerdictRecord::NotAtThisScale, Some(why)),
        };
        Self {
            id: result.spec.id.into(),
            statement: result.spec.statement.into(),
            place: result.spec.place.into(),
            kind: result.spec.kind,
            paper: result.spec.paper.map(Into::into),
            metric: result.spec.metric.into(),
            bound: result.spec.bound,
            reason: result.spec.reason.into(),
            values: result.values,
            measured: result.measured,
            spread: result.spread,
            seeds_holding: result.seeds_holding,
            verdict,
            why,
        }
    }
}
