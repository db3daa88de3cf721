//! The shapes of `chiasm data ... --json`.

use chiasm_lab::run::FORMAT;
use schemars::JsonSchema;
use serde::Serialize;

/// `chiasm data list --json`.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct DataListJson {
    format: u32,
    kind: &'static str,
    /// By name.
    pub(super) sets: Vec<ListedSet>,
}

/// One data set of the register.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ListedSet {
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) what: String,
    /// Sum of its files' sizes.
    pub(super) bytes: u64,
    /// Under which terms it is given out.
    pub(super) licence: String,
    /// The folder on this machine that holds all of it; null if none does.
    pub(super) folder: Option<String>,
}

/// `chiasm data get --json`.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct DataGetJson {
    format: u32,
    kind: &'static str,
    /// In the order asked for.
    pub(super) sets: Vec<GotSet>,
}

/// One data set that is here now.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct GotSet {
    /// Its name.
    pub(super) name: String,
    /// Its folder.
    pub(super) folder: String,
    /// Its files.
    pub(super) files: Vec<GotFile>,
}

/// One file that is here now.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct GotFile {
    /// Where.
    pub(super) path: String,
    /// Whether it was fetched; false if it was here and right.
    pub(super) fetched: bool,
}

/// `chiasm data info --json` of a data set.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct DataSetJson {
    format: u32,
    kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) what: String,
    /// The page that describes it.
    pub(super) page: String,
    /// Under which terms it is given out.
    pub(super) licence: String,
    /// What to cite.
    pub(super) citation: String,
    /// The folders in which it is looked for, in order.
    pub(super) folders: Vec<String>,
    /// Its files.
    pub(super) files: Vec<FileJson>,
}

/// One file of a data set.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct FileJson {
    /// Its name.
    pub(super) name: String,
    /// Its size at the source.
    pub(super) bytes: u64,
    /// SHA-256 at the source.
    pub(super) sha256: String,
    /// Who computed the checksum.
    pub(super) known: String,
    /// Where it is fetched, in the order of the attempts.
    pub(super) addresses: Vec<String>,
    /// Where it lies on this machine; null if it does not.
    pub(super) path: Option<String>,
    /// With --check: `same`, `same contents`, `unknown` or `differs`; null without, or if it is not here.
    pub(super) checked: Option<&'static str>,
}

/// `chiasm data info --json` and `chiasm data convert --json` of a recording.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct RecordingJson {
    format: u32,
    kind: &'static str,
    /// The file.
    pub(super) path: String,
    /// Number of units.
    pub(super) n_units: usize,
    /// The first units' labels, or their ids where they have none.
    pub(super) first_units: Vec<String>,
    /// `traces` or `spikes`.
    pub(super) activity: &'static str,
    /// Of traces: what the values are, if known.
    pub(super) quantity: Option<String>,
    /// Of traces: samples of each unit.
    pub(super) n_samples: Option<usize>,
    /// Of traces: samples per second, from the median step, Hz.
    pub(super) rate_hz: Option<f64>,
    /// Of traces: missing samples.
    pub(super) n_missing: Option<usize>,
    /// Of spikes: all of them.
    pub(super) n_spikes: Option<usize>,
    /// Start of the observation, s.
    pub(super) start_s: f64,
    /// End of the observation, s.
    pub(super) stop_s: f64,
    /// Behaviour and stimulus channels.
    pub(super) channels: Vec<ChannelJson>,
    /// Kinds of epochs, and how many there are of each.
    pub(super) epochs: Vec<EpochsJson>,
    /// What had to be mended to read it.
    pub(super) repairs: Vec<String>,
    /// What the file says of the session.
    pub(super) session: SessionJson,
}

/// A behaviour or stimulus channel.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ChannelJson {
    /// Its name.
    pub(super) name: String,
    /// Its unit; empty if it has none.
    pub(super) unit: String,
    /// Samples.
    pub(super) n_samples: usize,
}

/// The epochs of one kind.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct EpochsJson {
    /// The kind.
    pub(super) kind: String,
    /// How many.
    pub(super) n: usize,
}

/// Facts about the session.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SessionJson {
    /// Its identity.
    pub(super) id: String,
    /// What was done.
    pub(super) description: String,
    /// The animal or model.
    pub(super) subject: String,
    /// Its start, ISO 8601.
    pub(super) start: Option<String>,
    /// Where the data came from.
    pub(super) source: String,
}

impl DataListJson {
    pub(super) fn new(sets: Vec<ListedSet>) -> Self {
        Self {
            format: FORMAT,
            kind: "data-list",
            sets,
        }
    }
}

impl DataGetJson {
    pub(super) fn new(sets: Vec<GotSet>) -> Self {
        Self {
            format: FORMAT,
            kind: "data-get",
            sets,
        }
    }
}

impl DataSetJson {
    pub(super) fn new(set: &chiasm_data::datasets::DataSet) -> Self {
        Self {
            format: FORMAT,
            kind: "data-set",
            name: set.name.into(),
            what: set.what.into(),
            page: set.page.into(),
            licence: set.licence.into(),
            citation: set.citation.into(),
            folders: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl RecordingJson {
    /// What is in `recording`, which was read from or written to `path`.
    pub(super) fn new(path: &std::path::Path, recording: &chiasm_data::Recording) -> Self {
        let (start_s, stop_s) = recording.span_s();
        let traces = recording.traces();
        let mut epochs: Vec<EpochsJson> = Vec::new();
        for epoch in recording.epochs() {
            match epochs.iter_mut().find(|e| e.kind == epoch.kind) {
                Some(of_kind) => of_kind.n += 1,
                None => epochs.push(EpochsJson {
                    kind: epoch.kind.clone(),
                    n: 1,
                }),
            }
        }
        let session = recording.session();
        Self {
            format: FORMAT,
            kind: "recording",
            path: path.display().to_string(),
            n_units: recording.n_units(),
            first_units: recording
                .units()
                .iter()
                .take(8)
                .map(|u| u.name().to_owned())
                .collect(),
            activity: if traces.is_some() { "traces" } else { "spikes" },
            quantity: traces.map(|t| t.quantity.clone()).filter(|q| !q.is_empty()),
            n_samples: traces.map(|t| t.time.len()),
            rate_hz: traces.and_then(|t| t.time.median_step_s()).map(|s| 1.0 / s),
            n_missing: traces.map(|t| t.values.iter().filter(|v| v.is_nan()).count()),
            n_spikes: recording
                .spikes()
                .map(|s| s.times.iter().map(Vec::len).sum()),
            start_s,
            stop_s,
            channels: recording
                .covariates()
                .iter()
                .map(|c| ChannelJson {
                    name: c.name.clone(),
                    unit: c.unit.clone(),
                    n_samples: c.values.len(),
                })
                .collect(),
            epochs,
            repairs: recording
                .repairs()
                .iter()
                .map(|r| format!("{} ({})", r.what, r.n))
                .collect(),
            session: SessionJson {
                id: session.id.clone(),
                description: session.description.clone(),
                subject: session.subject.clone(),
                start: session.start.clone(),
                source: session.source.clone(),
            },
        }
    }
}
