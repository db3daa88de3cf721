//! The published table of 230 language models.

use std::path::Path;

use chiasm_analysis::collapse::{Correlation, correlate, simplex_error_floor};
use chiasm_core::{Failure, stats};
use chiasm_data::arrays::csv_column;
use chiasm_data::datasets::{Roots, find};
use chiasm_data::{DataError, Place};
use chiasm_lab::Bench;
use serde::{Deserialize, Serialize};

use super::config::Config;

/// Measures of the table that are set beside the loss, with what they are.
pub(super) const MEASURES: [(&str, &str); 8] = [
    ("cdnv", "NC1: class-distance normalized variance"),
    ("norms_log_var", "NC2: equinorm (variance of log norms)"),
    (
        "interfere_var",
        "NC2: equiangularity (variance of interference)",
    ),
    ("etf_error", "NC2: distance from a simplex"),
    (
        "log_kern_var",
        "GNC2: hyperspherical uniformity (variance of log kernel)",
    ),
    ("dual_error", "NC3: self-duality"),
    ("simcos_var", "UNC3: uniform duality (variance of cosines)"),
    ("agreement", "NC4: agreement with the nearest mean"),
];

/// The card's reference: Pearson's and Spearman's correlation with the validation loss over the rows of scaling.
const SCALING: [(&str, f64, f64); 8] = [
    ("cdnv", 0.573, 0.936),
    ("norms_log_var", 0.484, 0.544),
    ("interfere_var", -0.565, -0.851),
    ("etf_error", 0.866, 0.837),
    ("log_kern_var", 0.888, 0.919),
    ("dual_error", 0.814, 0.788),
    ("simcos_var", 0.743, 0.753),
    ("agreement", -0.944, -0.958),
];
/// The same over the rows of seeds.
const SEEDS: [(&str, f64, f64); 5] = [
    ("cdnv", 0.463, 0.519),
    ("etf_error", 0.417, 0.432),
    ("log_kern_var", 0.481, 0.543),
    ("simcos_var", -0.428, -0.550),
    ("agreement", -0.685, -0.680),
];
/// Of the logarithm of the class-distance normalized variance.
const LN_CDNV: f64 = 0.957;
/// Classes seen in the published models' training text.
const SEEN: usize = 29_233;

/// Rows of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rows {
    pub(super) loss: Vec<f64>,
    /// In the order of [`MEASURES`].
    pub(super) measures: Vec<Vec<f64>>,
    pub(super) correlations: Vec<Correlation>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Published {
    pub(super) scaling: Rows,
    pub(super) seeds: Rows,
}

struct Table {
    models: Vec<String>,
    n_params: Vec<f64>,
    loss: Vec<f64>,
    /// In the order of [`MEASURES`].
    measures: Vec<Vec<f64>>,
    log_kernel_mean: Vec<f64>,
}

fn column(path: &Path, name: &str) -> Result<Vec<f64>, Failure> {
    let cells = csv_column(path, &[name])?;
    let each = cells.iter().enumerate().map(|(i, cell)| {
        let number = cell.parse().ok().filter(|v: &f64| v.is_finite());
        number.ok_or_else(|| {
            let place = Place::dataset(name).index(i);
            DataError::invalid(place, "a number", format!("`{cell}`"))
                .in_file(path)
                .into()
        })
    });
    each.collect()
}

fn read(path: &Path) -> Result<Table, Failure> {
    let (hits, misses) = (column(path, "hits")?, column(path, "misses")?);
    let agreement = hits.iter().zip(&misses).map(|(h, m)| h / (h + m)).collect();
    let mut measures = vec![];
    for (name, _) in &MEASURES[..MEASURES.len() - 1] {
        measures.push(column(path, name)?);
    }
    measures.push(agreement);
    Ok(Table {
        models: csv_column(path, &["model"])?,
        n_params: column(path, "n_params")?,
        loss: column(path, "val_loss")?,
        measures,
        log_kernel_mean: column(path, "log_kern_mean")?,
    })
}

/// Layers, width and tag of a model such as `02x0768_10L@5`.
fn parts(model: &str) -> Option<(usize, usize, &str)> {
    let (size, tag) = model.split_once('_')?;
    let (layers, width) = size.split_once('x')?;
    let tag = tag.split('@').next()?;
    Some((layers.parse().ok()?, width.parse().ok()?, tag))
}

/// Number of parameters of a model of these layers and width (card 50, A).
fn parameters(layers: usize, width: usize) -> f64 {
    let (v, context) = (50_257, 2048);
    (v * width + context * width + layers * (12 * width * width + 10 * width) + 2 * width) as f64
}

/// The path of the table, or why it is not read.
pub(super) fn locate(config: &Config) -> Result<std::path::PathBuf, String> {
    if !config.published {
        return Err("switched off by published=false".into());
    }
    let set = find("collapse-table").map_err(|e| e.to_string())?;
    let found = Roots::from_env().locate(set);
    let found = found.map_err(|e| {
        format!(
            "the published table is not on this machine ({e}): `chiasm data get collapse-table`"
        )
    })?;
    Ok(found.paths[0].clone())
}

/// Correlations and floors of the table; leaves their metrics.
pub(super) fn measure(
    path: &Path,
    config: &Config,
    bench: &mut Bench,
) -> Result<Published, Failure> {
    let table = read(path)?;
    let mut known = vec![];
    for (i, model) in table.models.iter().enumerate() {
        let place = || Place::dataset("model").index(i);
        let own = parts(model).ok_or_else(|| {
            DataError::invalid(place(), "LAYERSxWIDTH_TAG@CHECKPOINT", model).in_file(path)
        })?;
        known.push(own);
    }
    let rows = |scaling: bool| -> Vec<usize> {
        let tags = known.iter().enumerate();
        tags.filter(|(_, (_, _, tag))| (tag.len() == 3) == scaling)
            .map(|(i, _)| i)
            .collect()
    };
    let of = |name: &str, rows: &[usize]| -> Result<Rows, Failure> {
        let pick = |values: &[f64]| rows.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        let loss = pick(&table.loss);
        let measures: Vec<Vec<f64>> = table.measures.iter().map(|m| pick(m)).collect();
        let streams = bench.streams().child(name);
        let each = measures
            .iter()
            .zip(&MEASURES)
            .map(|(m, (measure, _))| correlate(m, &loss, config.shuffles, &streams.child(measure)));
        Ok(Rows {
            correlations: each.collect::<Result<Vec<_>, _>>()?,
            loss,
            measures,
        })
    };
    let found = Published {
        scaling: of("scaling", &rows(true))?,
        seeds: of("seeds", &rows(false))?,
    };
    let ln: Vec<f64> = found.scaling.measures[0].iter().map(|v| v.ln()).collect();
    let ln_cdnv = stats::pearson(&ln, &found.scaling.loss);
    bench.metric("scaling/rows", found.scaling.loss.len() as f64, "1")?;
    bench.metric("seeds/rows", found.seeds.loss.len() as f64, "1")?;
    bench.metric("scaling/pearson/ln-cdnv", ln_cdnv, "1")?;
    let apart = deviation(&found.scaling, &SCALING).max((ln_cdnv - LN_CDNV).abs());
    bench.metric("scaling/deviation", apart, "1")?;
    bench.metric("seeds/deviation", deviation(&found.seeds, &SEEDS), "1")?;
    report("scaling", &found.scaling, bench)?;
    report("seeds", &found.seeds, bench)?;
    associations(&found, bench)?;
    floors(&table, &known, bench)?;
    Ok(found)
}

fn at(name: &str) -> usize {
    let place = MEASURES.iter().position(|(n, _)| *n == name);
    place.unwrap_or(MEASURES.len())
}

/// The largest distance from the reference.
fn deviation(rows: &Rows, reference: &[(&str, f64, f64)]) -> f64 {
    let each = reference.iter().map(|(name, pearson, spearman)| {
        rows.correlations.get(at(name)).map_or(f64::INFINITY, |c| {
            (c.pearson - pearson)
                .abs()
                .max((c.spearman - spearman).abs())
        })
    });
    each.fold(0.0, f64::max)
}

fn report(name: &str, rows: &Rows, bench: &mut Bench) -> Result<(), Failure> {
    for ((measure, _), found) in MEASURES.iter().zip(&rows.correlations) {
        bench.metric(&format!("{name}/pearson/{measure}"), found.pearson, "1")?;
        bench.metric(&format!("{name}/spearman/{measure}"), found.spearman, "1")?;
        bench.metric(&format!("{name}/p/{measure}"), found.spearman_p, "1")?;
    }
    Ok(())
}

/// Which measures go with the loss more than others, and whether fewer do at one size.
fn associations(found: &Published, bench: &mut Bench) -> Result<(), Failure> {
    let strength = |rows: &Rows, name: &str| rows.correlations[at(name)].pearson.abs();
    let s = &found.scaling;
    let (equinorm, angles, uniform) = (
        strength(s, "norms_log_var"),
        strength(s, "interfere_var"),
        strength(s, "log_kern_var"),
    );
    let gap = (angles - equinorm).min(uniform - angles);
    bench.metric("scaling/uniformity-over-angles-over-norms", gap, "1")?;
    // Collapse goes with scale and training: signs over the rows of scaling.
    let signs =
        ["cdnv", "log_kern_var", "etf_error", "dual_error"].map(|m| s.correlations[at(m)].spearman);
    let agreement = s.correlations[at("agreement")].spearman;
    let least = signs.into_iter().fold(-agreement, f64::min);
    bench.metric("scaling/least-association", least, "1")?;
    // At one size: how many go with the loss at 5 %, and how much weaker they are.
    let seeds = &found.seeds;
    let names = SEEDS.map(|(name, _, _)| name);
    let sure = names
        .iter()
        .filter(|n| seeds.correlations[at(n)].spearman_p < 0.05);
    bench.metric("seeds/measures-associated", sure.count() as f64, "1")?;
    let mean = |rows: &Rows| {
        let each = names.map(|n| rows.correlations[at(n)].spearman.abs());
        stats::mean(&each)
    };
    bench.metric("seeds/strength-over-scaling", mean(seeds) / mean(s), "1")
}

/// How far the published rows lie above what geometry allows.
fn floors(table: &Table, known: &[(usize, usize, &str)], bench: &mut Bench) -> Result<(), Failure> {
    let (etf, kernel) = (
        &table.measures[at("etf_error")],
        &table.measures[at("log_kern_var")],
    );
    let (mut above_floor, mut above_uniform) = (f64::INFINITY, f64::INFINITY);
    let mut mismatches = 0;
    for (i, (layers, width, _)) in known.iter().enumerate() {
        above_floor = above_floor.min(etf[i] - simplex_error_floor(*width, SEEN));
        above_uniform = above_uniform.min(kernel[i] - 1.0 / (4.0 * *width as f64));
        mismatches += usize::from(table.n_params[i] != parameters(*layers, *width));
    }
    let means = &table.log_kernel_mean;
    let least = means.iter().copied().fold(f64::INFINITY, f64::min);
    bench.metric("floor/simplex-margin", above_floor, "1")?;
    bench.metric("floor/kernel-variance-margin", above_uniform, "1")?;
    bench.metric("floor/kernel-mean-margin", least + 0.5 * 2f64.ln(), "1")?;
    bench.metric("parameters/mismatches", mismatches as f64, "1")
}
