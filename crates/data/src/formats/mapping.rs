//! `Mapping`: where in a file of any layout the parts of a recording stand.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use chiasm_core::names;
use serde::{Deserialize, Serialize};

use crate::{DataError, Place};

/// Which axis of a matrix is time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axes {
    /// Judged by the length of the time axis; refused where both fit.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// `[time, unit]`.
    #[serde(rename = "time.unit")]
    TimeUnit,
    /// `[unit, time]`.
    #[serde(rename = "unit.time")]
    UnitTime,
}

/// The unit in which a file's times are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seconds.
    #[default]
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Minutes.
    Min,
}

impl TimeUnit {
    /// The time in seconds.
    #[must_use]
    pub fn to_s(self, time: f64) -> f64 {
        match self {
            Self::S => time,
            Self::Ms => time / 1e3,
            Self::Us => time / 1e6,
            Self::Min => time * 60.0,
        }
    }
}

/// One behaviour or stimulus channel in a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CovariateAt {
    /// The array of its values.
    pub dataset: String,
    /// The unit of its values, empty if it has none.
    #[serde(default)]
    pub unit: String,
    /// The array of its own times; the clock of the traces if not given.
    #[serde(default)]
    pub time: Option<String>,
    /// Whether the channel is left out without complaint where the file lacks it.
    #[serde(default)]
    pub optional: bool,
}

/// Epochs of one kind in a file: an array of starts and ends, `[2, n]` or `[n, 2]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochsAt {
    /// The array of starts and ends.
    pub dataset: String,
    /// Whether the numbers are frames of the traces' clock instead of times.
    #[serde(default)]
    pub frames: bool,
    /// The number that the file gives to the first frame.
    #[serde(default)]
    pub first_frame: u32,
    /// Whether the last frame named still belongs to the epoch.
    #[serde(default)]
    pub end_included: bool,
    /// Whether the epochs are left out without complaint where the file lacks them.
    #[serde(default)]
    pub optional: bool,
}

/// Session facts that a mapping states.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionFacts {
    /// Identity of the session; the file's name if empty.
    pub id: String,
    /// What was done.
    pub description: String,
    /// The animal or model.
    pub subject: String,
}

/// Where in a file the parts of a recording stand.
///
/// Written on one line, `traces=gcamp/trace_array,time=timing/t,axes=time.unit,velocity=behavior/velocity[mm/s]`, or
/// as a TOML file with the same keys. On the line, any key that is not one of the fields below names a covariate;
/// `epochs.KIND=dataset` names epochs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Name of the layout, for messages.
    pub name: String,
    /// A file is of this layout if it holds all these arrays (shipped mappings only).
    pub detect: Vec<String>,
    /// The matrix of traces.
    pub traces: Option<String>,
    /// What the traces are, such as `dF/F`.
    pub quantity: String,
    /// Which axis of the traces is time.
    pub axes: Axes,
    /// The array of sampling times.
    pub time: Option<String>,
    /// The unit of all times in the file.
    pub time_unit: TimeUnit,
    /// Whether to shift all times so that the traces start at 0 s.
    pub zero: bool,
    /// Sampling rate where there is no array of times: a number in Hz, or the name of an array that holds it.
    pub rate: Option<String>,
    /// Time of the first sample, s, where a rate is given.
    pub start: f64,
    /// Spike times: lists (one for each unit), or one flat array together with `spike_units`.
    pub spikes: Option<String>,
    /// For each spike of the flat array, the unit that fired it.
    pub spike_units: Option<String>,
    /// Start and end of the observation of spikes, s; from 0 to the last spike if not given.
    pub span: Option<[f64; 2]>,
    /// The array of unit ids.
    pub ids: Option<String>,
    /// The array of unit labels.
    pub labels: Option<String>,
    /// The array of regions.
    pub regions: Option<String>,
    /// The array of cell types.
    pub kinds: Option<String>,
    /// Positions, `[unit, 3]`.
    pub positions: Option<String>,
    /// Channels by name.
    pub covariates: BTreeMap<String, CovariateAt>,
    /// Epochs by kind.
    pub epochs: BTreeMap<String, EpochsAt>,
    /// Session facts.
    pub session: SessionFacts,
}

/// The keys of the one-line form that are not covariates.
const KEYS: [&str; 16] = [
    "traces",
    "quantity",
    "axes",
    "time",
    "time_unit",
    "zero",
    "rate",
    "start",
    "spikes",
    "spike_units",
    "span",
    "ids",
    "labels",
    "regions",
    "kinds",
    "positions",
];

impl Mapping {
    /// A mapping from the text of a TOML file.
    ///
    /// # Errors
    /// [`DataError::Malformed`] with the line and the key at fault.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, DataError> {
        let mapping: Self = toml::from_str(text).map_err(|e| DataError::Malformed {
            path: path.to_path_buf(),
            format: "a mapping in TOML",
            reason: e.to_string().trim_end().to_owned(),
        })?;
        mapping.check().map_err(|e| e.in_file(path))?;
        Ok(mapping)
    }

    /// A mapping as given to `--map`: the path of a TOML file, or the one-line form.
    ///
    /// # Errors
    /// If the file cannot be read, or what stands there is no mapping.
    pub fn from_argument(argument: &str) -> Result<Self, DataError> {
        if argument.contains('=') {
            return argument.parse();
        }
        let path = Path::new(argument);
        let text = std::fs::read_to_string(path).map_err(|source| DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        })?;
        Self::from_toml(&text, path)
    }

    /// The mappings that come with chiasm, for layouts found by inspection.
    ///
    /// # Errors
    /// Never in a released chiasm: a test reads them all.
    pub fn shipped() -> Result<Vec<Self>, DataError> {
        let files = [(
            "mappings/worm-flavell.toml",
            include_str!("../../mappings/worm-flavell.toml"),
        )];
        files
            .into_iter()
            .map(|(name, text)| Self::from_toml(text, Path::new(name)))
            .collect()
    }

    fn check(&self) -> Result<(), DataError> {
        let refuse = |key: &str, expected: &str, found: &str| {
            Err(DataError::invalid(
                Place::dataset(format!("mapping, {key}")),
                expected,
                found,
            ))
        };
        match (&self.traces, &self.spikes) {
            (Some(_), Some(_)) => refuse("traces", "either traces or spikes", "both"),
            (None, None) => {
                let near = self
                    .covariates
                    .keys()
                    .find_map(|k| names::nearest(k, ["traces", "spikes"]).map(|near| (k, near)));
                let error = refuse("traces", "`traces` or `spikes`", "neither");
                match near {
                    Some((key, near)) => error.map_err(|e| {
                        e.with_help(format!(
                            "`{key}` was taken for a channel; did you mean `{near}`?"
                        ))
                    }),
                    None => error,
                }
            }
            _ if self.time.is_some() && self.rate.is_some() => {
                refuse("time", "either `time` or `rate`", "both")
            }
            _ => Ok(()),
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), DataError> {
        let refuse = |expected: &str| {
            DataError::invalid(
                Place::dataset(format!("mapping, {key}")),
                expected,
                format!("`{value}`"),
            )
        };
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| refuse("a number"));
        let some = || Some(value.to_owned());
        match key {
            "traces" => self.traces = some(),
            "quantity" => self.quantity = value.to_owned(),
            "axes" => {
                self.axes = match value {
                    "time.unit" => Axes::TimeUnit,
                    "unit.time" => Axes::UnitTime,
                    "auto" => Axes::Auto,
                    _ => return Err(refuse("time.unit, unit.time or auto")),
                };
            }
            "time" => self.time = some(),
            "time_unit" => {
                self.time_unit = match value {
                    "s" => TimeUnit::S,
                    "ms" => TimeUnit::Ms,
                    "us" => TimeUnit::Us,
                    "min" => TimeUnit::Min,
                    _ => return Err(refuse("s, ms, us or min")),
                };
            }
            "zero" => self.zero = value.parse().map_err(|_| refuse("true or false"))?,
            "rate" => self.rate = some(),
            "start" => self.start = number(value)?,
            "spikes" => self.spikes = some(),
            "spike_units" => self.spike_units = some(),
            "span" => {
                let (start, stop) = value
                    .split_once(':')
                    .ok_or_else(|| refuse("START:STOP in s"))?;
                self.span = Some([number(start)?, number(stop)?]);
            }
            "ids" => self.ids = some(),
            "labels" => self.labels = some(),
            "regions" => self.regions = some(),
            "kinds" => self.kinds = some(),
            "positions" => self.positions = some(),
            _ => {
                if let Some(kind) = key.strip_prefix("epochs.") {
                    let at = EpochsAt {
                        dataset: value.to_owned(),
                        ..EpochsAt::default()
                    };
                    self.epochs.insert(kind.to_owned(), at);
                    return Ok(());
                }
                let (value, time) = match value.split_once('@') {
                    Some((value, time)) => (value, Some(time.to_owned())),
                    None => (value, None),
                };
                let (dataset, unit) = match value.strip_suffix(']').and_then(|v| v.split_once('['))
                {
                    Some((dataset, unit)) => (dataset, unit),
                    None => (value, ""),
                };
                let at = CovariateAt {
                    dataset: dataset.to_owned(),
                    unit: unit.to_owned(),
                    time,
                    optional: false,
                };
                self.covariates.insert(key.to_owned(), at);
            }
        }
        Ok(())
    }
}

impl FromStr for Mapping {
    type Err = DataError;

    /// Reads the one-line form: `key=value` pairs, separated by commas.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let mut mapping = Self::default();
        let mut seen = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let Some((key, value)) = pair.split_once('=').map(|(k, v)| (k.trim(), v.trim())) else {
                let error =
                    DataError::invalid(Place::dataset("mapping"), "KEY=VALUE", format!("`{pair}`"));
                return Err(error.with_help(format!(
                    "keys are {}, and names of channels",
                    KEYS.join(", ")
                )));
            };
            if key.is_empty() || value.is_empty() {
                return Err(DataError::invalid(
                    Place::dataset("mapping"),
                    "KEY=VALUE",
                    format!("`{pair}`"),
                ));
            }
            if seen.contains(&key) {
                return Err(DataError::invalid(
                    Place::dataset("mapping"),
                    "each key once",
                    format!("`{key}` twice"),
                ));
            }
            seen.push(key);
            mapping.set(key, value)?;
        }
        mapping.check()?;
        Ok(mapping)
    }
}
