//! Two runs side by side.

use std::collections::BTreeSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::claim::Bound;
use crate::run::record::{ClaimRecord, VerdictRecord};
use crate::run::{FORMAT, RunRecord};

/// Two runs side by side: what `chiasm compare --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Version of this shape.
    pub format: u32,
    /// `compare`.
    pub kind: &'static str,
    /// The first run.
    pub a: RunHead,
    /// The second run.
    pub b: RunHead,
    /// Settings that differ.
    pub settings: Vec<SettingPair>,
    /// Claims of either run, in the order of the first.
    pub claims: Vec<ClaimPair>,
    /// Metrics of either run, by name.
    pub metrics: Vec<MetricPair>,
}

/// What a run is known by.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunHead {
    /// Its folder, as given.
    pub folder: String,
    /// Its study.
    pub study: String,
    /// Its seeds.
    pub seeds: Vec<u64>,
    /// The chiasm that made it.
    pub version: String,
    /// When it began.
    pub started: String,
    /// Seconds of work.
    pub wall_s: f64,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SettingPair {
    /// The dotted key.
    pub key: String,
    /// In the first run; `None` where it has no such setting.
    pub a: Option<Value>,
    /// In the second run.
    pub b: Option<Value>,
}

/// A claim in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClaimPair {
    /// Identity within the study.
    pub id: String,
    /// The statement.
    pub statement: String,
    /// What counts as holding.
    pub bound: Bound,
    /// In the first run; `None` where it has no such claim.
    pub a: Option<ClaimSide>,
    /// In the second run.
    pub b: Option<ClaimSide>,
}

/// What one run measured for a claim.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClaimSide {
    /// Mean over seeds.
    pub measured: Option<f64>,
    /// Sample standard deviation over seeds.
    pub spread: Option<f64>,
    /// The verdict.
    pub verdict: VerdictRecord,
}

/// A metric in both runs: means over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MetricPair {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// In the first run; `None` where it was not recorded.
    pub a: Option<f64>,
    /// In the second run.
    pub b: Option<f64>,
    /// Second less first.
    pub difference: Option<f64>,
}

impl Comparison {
    /// The comparison of two runs, each with its folder.
    #[must_use]
    pub fn of(a: (&Path, &RunRecord), b: (&Path, &RunRecord)) -> Self {
        Self {
            format: FORMAT,
            kind: "compare",
            settings: settings(&a.1.config, &b.1.config),
            claims: claims(a.1, b.1),
            metrics: metrics(a.1, b.1),
            a: head(a.0, a.1),
            b: head(b.0, b.1),
        }
    }
}

fn head(folder: &Path, run: &RunRecord) -> RunHead {
    RunHead {
        folder: folder.display().to_string(),
        study: run.study.name.clone(),
        seeds: run.seeds.clone(),
        version: run.provenance.version.clone(),
        started: run.provenance.started.clone(),
        wall_s: run.wall_s,
    }
}

/// The leaves of nested settings, by dotted key.
fn leaves(prefix: &str, value: &Value, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let key = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                leaves(&key, inner, all);
            }
        }
        leaf => all.push((prefix.into(), leaf.clone())),
    }
}

fn settings(a: &Value, b: &Value) -> Vec<SettingPair> {
    let (mut in_a, mut in_b) = (Vec::new(), Vec::new());
    leaves("", a, &mut in_a);
    leaves("", b, &mut in_b);
    let find = |all: &[(String, Value)], key: &str| {
        all.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone())
    };
    let mut seen = BTreeSet::new();
    let keys = in_a.iter().chain(&in_b).map(|(k, _)| k.clone());
    keys.filter(|k| seen.insert(k.clone()))
        .map(|key| SettingPair {
            a: find(&in_a, &key),
            b: find(&in_b, &key),
            key,
        })
        .filter(|s| s.a != s.b)
        .collect()
}

fn claims(a: &RunRecord, b: &RunRecord) -> Vec<ClaimPair> {
    let find = |run: &RunRecord, id: &str| run.claims.iter().find(|c| c.id == id).map(side);
    let only_b = b
        .claims
        .iter()
        .filter(|c| a.claims.iter().all(|other| other.id != c.id));
    let all = a.claims.iter().chain(only_b);
    all.map(|c| ClaimPair {
        id: c.id.clone(),
        statement: c.statement.clone(),
        bound: c.bound,
        a: find(a, &c.id),
        b: find(b, &c.id),
    })
    .collect()
}

fn side(claim: &ClaimRecord) -> ClaimSide {
    ClaimSide {
        measured: claim.measured,
        spread: claim.spread,
        verdict: claim.verdict,
    }
}

fn metrics(a: &RunRecord, b: &RunRecord) -> Vec<MetricPair> {
    let names: BTreeSet<&String> = a.metrics.keys().chain(b.metrics.keys()).collect();
    let each = names.into_iter().map(|name| {
        let (in_a, in_b) = (a.metrics.get(name), b.metrics.get(name));
        let (mean_a, mean_b) = (in_a.map(|m| m.mean), in_b.map(|m| m.mean));
        MetricPair {
            name: name.clone(),
            unit: in_a.or(in_b).map(|m| m.unit.clone()).unwrap_or_default(),
            a: mean_a,
            b: mean_b,
            difference: mean_a.zip(mean_b).map(|(a, b)| b - a),
        }
    });
    each.collect()
}
