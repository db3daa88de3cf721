//! Measures of neural collapse on the clock, for the comparison with their peers in `bench/peers/peer_collapse.py`.
//!
//! - `peer_collapse measures X.npy LABELS.npy CLASSIFIER.npy`: NC1 (two forms), NC2, NC3 of features `[sample, feature]`;
//! - `peer_collapse language X.npy LABELS.npy CLASSIFIER.npy BATCH`: three passes in batches, then the measures over pairs;
//! - `peer_collapse pairs MEANS.npy VARIANCES.npy`: variance over distance and log kernel over all pairs of class means.
//!
//! Each prints a JSON line with the seconds of each repeat and figures that both sides must share.
#![allow(clippy::print_stdout)] // An example is a program: its output is its result.

use std::time::Instant;

use chiasm_analysis::collapse::{Classifier, Collapse, Decisions, Means, Pairs, Spread, Sums};
use chiasm_core::{Failure, Quiet, SettingError};
use chiasm_data::NamedArrays;
use ndarray::{Array2, Ix2, s};

type Figures = Vec<(&'static str, f64)>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let repeats = std::env::var("PEER_REPEATS")
        .ok()
        .and_then(|r| r.parse().ok());
    let work: Box<dyn Fn() -> Result<Figures, Failure>> = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()[..]
    {
        ["measures", x, labels, weights] => {
            let (x, labels) = (matrix(x)?, classes(labels)?);
            let classifier = Classifier::new(matrix(weights)?.view(), None)?;
            Box::new(move || measures(&x, &labels, &classifier))
        }
        ["language", x, labels, weights, batch] => {
            let (x, labels) = (matrix(x)?, classes(labels)?);
            let classifier = Classifier::new(matrix(weights)?.view(), None)?;
            let batch = batch.parse().unwrap_or(4096);
            Box::new(move || language(&x, &labels, &classifier, batch))
        }
        ["pairs", means, variances] => {
            let means = matrix(means)?;
            let variances = NamedArrays::open(variances)?.vector("array")?;
            Box::new(move || pairs(&means, &variances))
        }
        _ => {
            let found = arguments.join(" ");
            let expected = "measures X LABELS CLASSIFIER, language X LABELS CLASSIFIER BATCH or pairs MEANS VARIANCES";
            return Err(SettingError::new("arguments", expected, found).into());
        }
    };
    let mut figures = work()?;
    let mut seconds = Vec::new();
    for _ in 0..repeats.unwrap_or(1usize) {
        let start = Instant::now();
        figures = work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let figures: String = figures
        .iter()
        .map(|(name, value)| format!(", \"{name}\": {value}"))
        .collect();
    println!("{{\"seconds\": {seconds:?}{figures}}}");
    Ok(())
}

fn matrix(path: &str) -> Result<Array2<f64>, Failure> {
    let file = NamedArrays::open(path)?;
    let found = file.numbers("array")?.into_dimensionality::<Ix2>();
    Ok(found.map_err(|e| file.fault("array", None, "a matrix", e))?)
}

fn classes(path: &str) -> Result<Vec<usize>, Failure> {
    let values = NamedArrays::open(path)?.vector("array")?;
    Ok(values.into_iter().map(|v| v as usize).collect())
}

fn measures(
    x: &Array2<f64>,
    labels: &[usize],
    classifier: &Classifier,
) -> Result<Figures, Failure> {
    let n_classes = classifier.weights().nrows();
    let mut sums = Sums::new(n_classes, x.ncols())?;
    sums.add(x.view(), labels)?;
    let means = sums.means().with_between()?;
    let mut spread = Spread::new(&means);
    spread.add(&means, x.view(), labels)?;
    let within = spread.within(&means)?;
    let found = Collapse::from_passes(&means, &within, Some(classifier), None)?;
    Ok(vec![
        ("nc1", found.ratio),
        ("nc1_quotient", found.quotient),
        ("nc2", found.simplex),
        ("nc3", found.duality.unwrap_or(f64::NAN)),
    ])
}

fn language(
    x: &Array2<f64>,
    labels: &[usize],
    classifier: &Classifier,
    batch: usize,
) -> Result<Figures, Failure> {
    let n_classes = classifier.weights().nrows();
    let batches: Vec<(usize, usize)> = (0..labels.len())
        .step_by(batch)
        .map(|from| (from, (from + batch).min(labels.len())))
        .collect();
    let of = |(from, to): (usize, usize)| (x.slice(s![from..to, ..]), &labels[from..to]);
    let mut sums = Sums::new(n_classes, x.ncols())?;
    for &part in &batches {
        let (x, labels) = of(part);
        sums.add(x, labels)?;
    }
    let means: Means = sums.means();
    let mut spread = Spread::new(&means);
    for &part in &batches {
        let (x, labels) = of(part);
        spread.add(&means, x, labels)?;
    }
    // Decisions on a tenth of the samples.
    let mut decisions = Decisions::new(&means);
    for &part in batches.iter().step_by(10) {
        let (x, labels) = of(part);
        decisions.add((&means, classifier), x, labels)?;
    }
    let within = spread.within(&means)?;
    let (centered, _) = means.centered(&means.seen(1))?;
    let found = Pairs::default().measure(centered.view(), &within.variances, &Quiet)?;
    Ok(vec![
        ("cdnv", found.cdnv),
        ("log_kernel", found.log_kernel.mean),
        ("log_kernel_variance", found.log_kernel.variance),
        ("agreement", decisions.agreement(&means)?.agreement),
    ])
}

fn pairs(means: &Array2<f64>, variances: &[f64]) -> Result<Figures, Failure> {
    let global = means.sum_axis(ndarray::Axis(0)) / means.nrows() as f64;
    let centered = means - &global;
    let found = Pairs::default().measure(centered.view(), variances, &Quiet)?;
    Ok(vec![
        ("cdnv", found.cdnv),
        ("log_kernel", found.log_kernel.mean),
        ("log_kernel_variance", found.log_kernel.variance),
    ])
}
