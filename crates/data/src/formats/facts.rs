//! What a table of numbers cannot hold of a recording: a JSON beside a CSV, or in the footer of a Parquet file.

use chiasm_core::TimeAxis;
use serde::{Deserialize, Serialize};

use crate::recording::{Activity, Covariate, Epoch, Recording, Session, Unit};

/// Everything but the table itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Version of this form, 1; marks the file as chiasm's.
    pub(crate) chiasm_recording: u32,
    /// What the traces are.
    pub(crate) quantity: String,
    /// The clock of the traces, if it is regular.
    pub(crate) clock: Option<Regular>,
    /// Start and end of the observation of spikes, s.
    pub(crate) span_s: Option<[f64; 2]>,
    pub(crate) units: Vec<Unit>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) covariates: Vec<Channel>,
    pub(crate) session: Session,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Regular {
    pub(crate) start_s: f64,
    pub(crate) rate_hz: f64,
}

/// A channel; its values stand here unless they are a column of the table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) unit: String,
    /// The channel's own clock; that of the traces if neither is given.
    pub(crate) regular: Option<Regular>,
    pub(crate) times_s: Option<Vec<f64>>,
    /// `null` where missing. Absent if the table has a column `covariate:NAME`.
    pub(crate) values: Option<Vec<Option<f64>>>,
}

impl Facts {
    /// The facts of a recording, and the channels that can be columns beside the traces.
    pub(crate) fn of(recording: &Recording) -> (Self, Vec<&Covariate>) {
        let (mut clock, mut span_s, mut quantity) = (None, None, String::new());
        let axis = match recording.activity() {
            Activity::Traces(t) => {
                quantity.clone_from(&t.quantity);
                if let TimeAxis::Regular {
                    start_s, rate_hz, ..
                } = t.time
                {
                    clock = Some(Regular { start_s, rate_hz });
                }
                Some(&t.time)
            }
            Activity::Spikes(s) => {
                span_s = Some([s.start_s, s.stop_s]);
                None
            }
        };
        let mut columns: Vec<&Covariate> = Vec::new();
        let covariates = recording
            .covariates()
            .iter()
            .map(|c| {
                let mut channel = Channel {
                    name: c.name.clone(),
                    unit: c.unit.clone(),
                    ..Channel::default()
                };
                if Some(&c.time) == axis {
                    if !columns.iter().any(|known| known.name == c.name) {
                        columns.push(c);
                        return channel;
                    }
                } else {
                    match &c.time {
                        TimeAxis::Explicit(t) => channel.times_s = Some(t.clone()),
                        TimeAxis::Regular {
                            start_s, rate_hz, ..
                        } => {
                            channel.regular = Some(Regular {
                                start_s: *start_s,
                                rate_hz: *rate_hz,
                            });
                        }
                    }
                }
                let value = |v: &f64| Some(*v).filter(|v| v.is_finite());
                channel.values = Some(c.values.iter().map(value).collect());
                channel
            })
            .collect();
        // JSON has no NaN: a position that is not known throughout is not known.
        let known = |p: &[f64; 3]| p.iter().all(|v| v.is_finite());
        let units = recording.units().iter().cloned().map(|mut unit| {
            unit.position = unit.position.filter(known);
            unit
        });
        let facts = Self {
            chiasm_recording: 1,
            quantity,
            clock,
            span_s,
            units: units.collect(),
            epochs: recording.epochs().to_vec(),
            covariates,
            session: recording.session().clone(),
        };
        (facts, columns)
    }

    /// The facts in this JSON; `None` if it is not chiasm's, an error text if it is but cannot be read.
    pub(crate) fn parse(json: &[u8]) -> Result<Option<Self>, String> {
        let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(json) else {
            return Ok(None);
        };
        match object
            .get("chiasm_recording")
            .and_then(serde_json::Value::as_u64)
        {
            None => Ok(None),
            Some(1) => serde_json::from_value(object.into())
                .map(Some)
                .map_err(|e| e.to_string()),
            Some(later) => Err(format!("version {later} of chiasm's facts; update chiasm")),
        }
    }
}
