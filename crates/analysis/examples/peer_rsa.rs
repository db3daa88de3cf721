//! Representational similarity analysis on the clock, for the comparison with its peers in `bench/peers/peer_rsa.py`.
//!
//! `peer_rsa transforms|compare|identify|map|bootstrap RDMS.npy LABELS.csv [RESAMPLES]` does the work of that name on the
//! RDMs (`[rdm, pair]`) and prints a JSON line with the seconds of each repeat and a figure that both sides must share.
#![allow(clippy::print_stdout)] // An example is a program: its output is its result.

use std::path::PathBuf;
use std::time::Instant;

use chiasm_analysis::rsa::map::{draw_families, grid};
use chiasm_analysis::rsa::{
    Bootstrap, Geodesic, Similarity, Thresholds, Transform, ZeroEdges, accuracy_map, bootstrap,
    compare, identify,
};
use chiasm_core::{Failure, Quiet, SettingError, Streams};
use chiasm_data::Rdms;
use chiasm_data::rdm::{Layout, ReadRdms, read};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, rdms, labels, rest @ ..] = arguments.as_slice() else {
        return Err(SettingError::new("arguments", "WORK RDMS LABELS", arguments.join(" ")).into());
    };
    let how = ReadRdms {
        layout: Layout::Condensed,
        labels: Some(labels.into()),
        ..ReadRdms::default()
    };
    let rdms = read(&[PathBuf::from(rdms)], &how)?;
    let resamples = rest.first().and_then(|r| r.parse().ok()).unwrap_or(1000);
    let repeats = std::env::var("PEER_REPEATS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(1usize);
    let mut figure = once(work, &rdms, resamples)?;
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        figure = once(work, &rdms, resamples)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    println!("{{\"seconds\": {seconds:?}, \"figure\": {figure}}}");
    Ok(())
}

/// One round of the work, and the figure by which the sides are compared.
fn once(work: &str, rdms: &Rdms, resamples: usize) -> Result<f64, Failure> {
    match work {
        "transforms" => {
            let gt = Thresholds::new(0.2, 0.8)?;
            let mut sum = Transform::Rank.apply(rdms)?.sum();
            sum += Transform::GeoTopological(gt).apply(rdms)?.sum();
            let geodesic = Transform::Geodesic(Geodesic::TwoStep(gt), ZeroEdges::Keep);
            sum += geodesic.apply(rdms)?.sum();
            Ok(sum)
        }
        "compare" => Ok(compare(rdms, rdms, Similarity::Spearman)?.sum()),
        "identify" => {
            let vectors = Transform::Rank.apply(rdms)?;
            Ok(identify(vectors.view(), rdms.labels())?.accuracy())
        }
        "map" => Ok(accuracy_map(rdms, &grid(0.05, false)?, &Quiet)?.mean()),
        "bootstrap" => {
            let streams = Streams::new(1);
            let families = draw_families(10, &mut streams.stream("families"));
            let arms: Vec<Vec<Transform>> = families
                .into_iter()
                .map(|(_, t)| t.into_iter().map(Transform::GeoTopological).collect())
                .collect();
            let how = Bootstrap {
                n_resamples: resamples,
                ..Bootstrap::default()
            };
            Ok(bootstrap(rdms, &arms, how, &streams, &Quiet)?
                .accuracy
                .mean()
                .unwrap_or(0.0))
        }
        other => Err(SettingError::new(
            "work",
            "transforms, compare, identify, map or bootstrap",
            other,
        )
        .into()),
    }
}
