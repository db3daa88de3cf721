//! The published RDMs of AlexNet's layers and of human IT, where they are found on this machine.

use std::path::PathBuf;

use chiasm_analysis::rsa::map::grid;
use chiasm_analysis::rsa::{
    Family, Similarity, Thresholds, Transform, accuracy_map, compare, identify,
};
use chiasm_core::{Failure, stats};
use chiasm_data::datasets::{Roots, find};
use chiasm_data::rdm::{ReadRdms, read};
use chiasm_data::{RdmLabel, RdmRules, Rdms};
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;

use super::arms::{Effort, Outcome, measure};
use super::claims::PUBLISHED;
use super::config::Config;
use super::noise::{Curve, under_noise};

/// Thresholds of the reference measurement and how many of the 55 RDMs are told right there.
const COUNTS: [(f64, f64, usize); 5] = [
    (0.0, 0.2, 50),
    (0.2, 0.4, 53),
    (0.4, 0.6, 53),
    (0.8, 1.0, 48),
    (0.2, 0.8, 51),
];
const SESSIONS: [f64; 4] = [0.2770, 0.0954, 0.3825, 0.1196];
const MODELS: [(&str, f64); 8] = [
    ("animacy", 0.5882),
    ("monkeyIT", 0.4389),
    ("FaceBodyManmadeNatobj", 0.4053),
    ("EVA", 0.3542),
    ("HMAX", 0.2217),
    ("Silhouette", 0.1247),
    ("RADON", 0.0612),
    ("V1", 0.0393),
];

struct Files {
    alexnet: PathBuf,
    brain: PathBuf,
    models: PathBuf,
}

fn files() -> Result<Files, String> {
    let set = find("rdms").map_err(|e| e.to_string())?;
    let roots = Roots::from_env();
    let file = |name: &str| roots.locate_file(set, name).map_err(|e| e.to_string());
    Ok(Files {
        alexnet: file("modelRDMs_A2020.mat")?,
        brain: file("92_brainRDMs.mat")?,
        models: file("92_modelRDMs.mat")?,
    })
}

/// Measures the claims on published RDMs, or says why they are not tested. Returns AlexNet's RDMs and
/// outcome, without and under noise.
pub(super) fn published(
    config: &Config,
    effort: Effort,
    bench: &mut Bench,
) -> Result<Option<(Rdms, Outcome, Vec<Curve>)>, Failure> {
    let files = match files() {
        Ok(files) if config.published => files,
        other => {
            let why = match other {
                Ok(_) => "switched off by published=false".into(),
                Err(e) => format!(
                    "the published RDMs are not on this machine ({e}): `chiasm data get rdms`"
                ),
            };
            PUBLISHED
                .iter()
                .for_each(|claim| bench.not_at_this_scale(claim, why.clone()));
            bench.note(format!("Without the published RDMs: {why}."));
            return Ok(None);
        }
    };
    let read = |path: PathBuf| read(&[path], &ReadRdms::default());
    let conv = read(files.alexnet)?.filter(|l| l.region.starts_with("conv"))?;
    counts(&conv, bench)?;
    families(&conv, bench)?;
    let outcome = measure("alexnet", &conv, effort, bench)?;
    let (_, _, best) = outcome.best();
    bench.metric(
        "alexnet/best-minus-rank",
        best - outcome.accuracy("rank"),
        "1",
    )?;
    let noise = under_noise("alexnet", "AlexNet", config, &conv, bench)?;
    human_it(&read(files.brain)?, &read(files.models)?, bench)?;
    Ok(Some((conv, outcome, noise)))
}

fn counts(conv: &Rdms, bench: &mut Bench) -> Result<(), Failure> {
    let right = |t: Transform| -> Result<usize, Failure> {
        Ok(identify(t.apply(conv)?.view(), conv.labels())?.n_right())
    };
    let mut rows = vec![
        ("raw RDM".to_owned(), right(Transform::Raw)?, 23),
        ("rank RDM (0, 1)".to_owned(), right(Transform::Rank)?, 50),
    ];
    for (l, u, expected) in COUNTS {
        let t = Transform::GeoTopological(Thresholds::new(l, u)?);
        rows.push((format!("GT({l}, {u})"), right(t)?, expected));
    }
    let matching = rows.iter().filter(|(_, n, expected)| n == expected).count();
    bench.metric("alexnet/counts-matching", matching as f64, "1")?;
    bench.table(Table {
        id: "alexnet-counts".into(),
        title: "AlexNet's convolutional RDMs told right, of 55".into(),
        columns: ["RDM", "told right", "reference"]
            .map(String::from)
            .to_vec(),
        rows: rows
            .iter()
            .map(|(name, n, expected)| vec![name.clone(), n.to_string(), expected.to_string()])
            .collect(),
    })?;
    Ok(())
}

/// The gaps between the families in their reference order, on the 0.1 grid.
fn families(conv: &Rdms, bench: &mut Bench) -> Result<(), Failure> {
    let map = accuracy_map(conv, &grid(0.1, false)?, bench.watch())?;
    let order = [
        Family::Topology,
        Family::Intermediate,
        Family::Local,
        Family::Geometry,
        Family::Global,
    ];
    let means = order.map(|f| map.family_mean(f));
    let gap = means
        .windows(2)
        .map(|w| w[0] - w[1])
        .fold(f64::INFINITY, f64::min);
    bench.metric("alexnet/smallest-family-gap", gap, "1")?;
    bench.metric("alexnet/grid-mean", map.mean(), "1")
}

fn human_it(brain: &Rdms, models: &Rdms, bench: &mut Bench) -> Result<(), Failure> {
    let between = compare(brain, brain, Similarity::Spearman)?;
    let sessions: Vec<f64> = (0..4).map(|s| between[[s, s + 4]]).collect();
    let worst = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
        pairs.fold(0.0f64, |worst, (a, b)| worst.max((a - b).abs()))
    };
    let deviation = worst(&mut sessions.iter().copied().zip(SESSIONS));
    bench.metric("human-it/sessions-deviation", deviation, "1")?;
    let mean = brain
        .values()
        .mean_axis(ndarray::Axis(0))
        .map(|m| m.insert_axis(ndarray::Axis(0)));
    let mean = Rdms::from_condensed(
        mean.unwrap_or_default(),
        vec![RdmLabel::new("mean of 4 subjects x 2 sessions", "human IT")],
        RdmRules::default(),
    )?;
    let with_models = compare(&mean, models, Similarity::Spearman)?;
    let rho = |name: &str| {
        let at = models.labels().iter().position(|l| l.name == name);
        at.map_or(f64::NAN, |i| with_models[[0, i]])
    };
    let found: Vec<f64> = MODELS.iter().map(|(name, _)| rho(name)).collect();
    // NaN (a model that is not in the file) must not pass as no deviation.
    let deviation = if found.iter().any(|r| r.is_nan()) {
        f64::INFINITY
    } else {
        worst(&mut found.iter().copied().zip(MODELS.map(|(_, r)| r)))
    };
    bench.metric("human-it/models-deviation", deviation, "1")?;
    bench.metric("human-it/session-mean", stats::mean(&sessions), "1")?;
    bench.table(Table {
        id: "human-it-models".into(),
        title: "Human IT (mean of 8 RDMs) and models: Spearman correlation".into(),
        columns: ["model", "measured", "reference"]
            .map(String::from)
            .to_vec(),
        rows: MODELS
            .iter()
            .zip(&found)
            .map(|((name, r), f)| vec![(*name).to_owned(), format!("{f:.4}"), format!("{r:.4}")])
            .collect(),
    })
}
