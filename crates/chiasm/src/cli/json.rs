//! The shapes of `--json`, each with its schema (`chiasm show --schema OUTPUT`).
//!
//! Every output is one object with a `format` (raised when a reader of the old shape would misread the new one) and a
//! `kind`. Fields may be added without a new format.

use chiasm_lab::Area;
use chiasm_lab::claim::ClaimSpec;
use chiasm_lab::compare::Comparison;
use chiasm_lab::run::record::{PaperRecord, StudyRecord};
use chiasm_lab::run::{FORMAT, RunRecord};
use chiasm_lab::settings::Setting;
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::data::json::{DataGetJson, DataListJson, DataSetJson, RecordingJson};

/// The outputs that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Of `chiasm list`
    List,
    /// Of `chiasm show`
    Show,
    /// Of `chiasm run` and `chiasm fit`; without `folder` and `report`, of run.json
    Run,
    /// Of `chiasm report`
    Report,
    /// Of `chiasm compare`
    Compare,
    /// Of `chiasm data list`
    DataList,
    /// Of `chiasm data get`
    DataGet,
    /// Of `chiasm data info NAME`
    DataSet,
    /// Of `chiasm data info FILE` and `chiasm data convert`
    Recording,
    /// Of `chiasm simulate`
    Simulate,
    /// Of any verb that failed
    Error,
}

impl Kind {
    /// The JSON schema of the output.
    pub(super) fn schema(self) -> Value {
        let schema = match self {
            Self::List => schemars::schema_for!(ListJson),
            Self::Show => schemars::schema_for!(ShowJson),
            Self::Run => schemars::schema_for!(RunJson),
            Self::Report => schemars::schema_for!(ReportJson),
            Self::Compare => schemars::schema_for!(Comparison),
            Self::DataList => schemars::schema_for!(DataListJson),
            Self::DataGet => schemars::schema_for!(DataGetJson),
            Self::DataSet => schemars::schema_for!(DataSetJson),
            Self::Recording => schemars::schema_for!(RecordingJson),
            Self::Simulate => schemars::schema_for!(SimulateJson),
            Self::Error => schemars::schema_for!(ErrorJson),
        };
        schema.to_value()
    }
}

/// `chiasm list --json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct ListJson {
    format: u32,
    kind: &'static str,
    /// In the order of their papers.
    pub(super) studies: Vec<ListedSystem>,
}

/// One system of the catalogue.
#[derive(Serialize, JsonSchema)]
pub(super) struct ListedSystem {
    /// Number of its paper; 0 for a study of your own.
    pub(super) card: u8,
    /// Its study's name.
    pub(super) name: String,
    /// Its area.
    pub(super) area: Area,
    /// Where its method lives, or will live.
    pub(super) home: String,
    /// What it is, in one line.
    pub(super) title: String,
    /// Whether it can be run.
    pub(super) status: BuildStatus,
    /// Whether it takes data of your own.
    pub(super) takes_data: bool,
}

/// Whether a system can be run.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum BuildStatus {
    /// It can.
    Built,
    /// It cannot yet.
    Planned,
}

impl ListJson {
    pub(super) fn new(studies: Vec<ListedSystem>) -> Self {
        Self {
            format: FORMAT,
            kind: "list",
            studies,
        }
    }
}

/// `chiasm show STUDY --json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShowJson {
    pub(super) format: u32,
    pub(super) kind: &'static str,
    /// What the catalogue says of it.
    pub(super) study: StudyRecord,
    /// Its paper.
    pub(super) paper: PaperRecord,
    /// The study's settings.
    pub(super) settings: SettingsJson,
    /// What the paper claims.
    pub(super) claims: Vec<ClaimSpec>,
    /// The settings of the method on your own data; `None` where it takes none.
    pub(super) fit: Option<SettingsJson>,
    /// Why it takes no data of your own; `None` where it does.
    pub(super) no_data_because: Option<String>,
}

/// Settings: one by one, as a JSON schema, and in either preset.
#[derive(Serialize, JsonSchema)]
pub(super) struct SettingsJson {
    /// One by one, nested ones by dotted keys.
    pub(super) each: Vec<Setting>,
    /// Their JSON schema.
    pub(super) schema: Value,
    /// In the quick preset.
    pub(super) quick: Value,
    /// In the paper preset.
    pub(super) paper: Value,
}

/// `chiasm run --json` and `chiasm fit --json`: the run's record, and where it is.
#[derive(Serialize, JsonSchema)]
pub(super) struct RunJson {
    #[serde(flatten)]
    pub(super) record: RunRecord,
    /// The run's folder.
    pub(super) folder: String,
    /// Its report.
    pub(super) report: String,
}

/// `chiasm report --json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReportJson {
    format: u32,
    kind: &'static str,
    /// One for each run, in the order given.
    pub(super) reports: Vec<ReportPlace>,
}

/// Where a run's report is.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReportPlace {
    /// The run's folder.
    pub(super) folder: String,
    /// The report.
    pub(super) report: String,
}

impl ReportJson {
    pub(super) fn new(reports: Vec<ReportPlace>) -> Self {
        Self {
            format: FORMAT,
            kind: "report",
            reports,
        }
    }
}

/// `chiasm simulate --json`.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct SimulateJson {
    format: u32,
    kind: &'static str,
    /// The circuit's name.
    pub(super) name: String,
    /// The circuit's file.
    pub(super) file: String,
    /// The root seed.
    pub(super) seed: u64,
    /// Number of threads; the results do not depend on it.
    pub(super) threads: usize,
    /// The step, ms.
    pub(super) dt_ms: f64,
    /// Simulated time, s.
    pub(super) simulated_s: f64,
    /// Whether Ctrl-C ended it early.
    pub(super) stopped: bool,
    /// Number of neurons, inputs not counted.
    pub(super) n_neurons: usize,
    /// Number of synapses.
    pub(super) n_synapses: usize,
    /// Memory of the synapses, bytes.
    pub(super) synapse_bytes: usize,
    /// Time to draw the synapses, s.
    pub(super) build_s: f64,
    /// Time to simulate, s.
    pub(super) wall_s: f64,
    /// Seconds of work for one simulated second; below 1 is faster than real time. `None` if nothing was simulated.
    pub(super) realtime_factor: Option<f64>,
    /// Activity of each recorded population and input.
    pub(super) groups: Vec<SimulatedGroup>,
    /// What was written.
    pub(super) files: Vec<String>,
}

/// Activity of a population or input.
#[derive(Serialize, JsonSchema)]
pub(super) struct SimulatedGroup {
    /// Its name.
    pub(super) name: String,
    /// Its size.
    pub(super) n: usize,
    /// Number of spikes.
    pub(super) n_spikes: usize,
    /// Mean rate, Hz.
    pub(super) rate_hz: f64,
    /// Mean coefficient of variation of the intervals between spikes; `None` if no unit has three spikes.
    pub(super) cv_isi: Option<f64>,
}

impl SimulateJson {
    pub(super) fn new(name: &str, file: String) -> Self {
        Self {
            format: FORMAT,
            kind: "simulate",
            name: name.into(),
            file,
            ..Self::default()
        }
    }
}

/// What any verb prints with `--json` where it fails.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorJson {
    format: u32,
    kind: &'static str,
    error: ErrorBody,
}

/// What went wrong.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorBody {
    /// `input`, `numerical`, `io`, `cancelled` or `internal`.
    pub(super) group: String,
    /// What went wrong.
    pub(super) message: String,
    /// Why, from the nearest cause to the first.
    pub(super) causes: Vec<String>,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl ErrorJson {
    pub(super) fn new(error: ErrorBody) -> Self {
        Self {
            format: FORMAT,
            kind: "error",
            error,
        }
    }
}
