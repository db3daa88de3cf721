//! Representational similarity analysis on the clock, for the comparison with its peers in `bench/peers/peer_rsa.py`.
//!
//! `peer_rsa WORK RDMS.npy LABELS.csv [RESAMPLES]` does that work on the RDMs (`[rdm, pair]`) and prints a JSON line with
//! the seconds of each repeat and figures that both sides must share. The works: `transforms`, `compare` (with themselves),
//! `compare-others`, `tau-a` (compare by Kendall's tau-a), `identify`, `map`, `bootstrap`, `whole`.
//! `whole` is what a paper's figure takes: the map on the full grid, then the bootstrap of all five families.
#![allow(clippy::print_stdout)] // An example is a program: its output is its result.

use std::path::PathBuf;
use std::time::Instant;

use chiasm_analysis::rsa::map::{draw_families, grid};
use chiasm_analysis::rsa::{
    Bootstrap, Geodesic, Similarity, Thresholds, Transform, ZeroEdges, accuracy_map, bootstrap,
    compare, identify,
};
use chiasm_core::{Failure, Quiet, SettingError, Streams};
use chiasm_data::rdm::{Layout, ReadRdms, read};
use chiasm_data::{RdmRules, Rdms};
use ndarray::{Array2, s};

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
    // The same RDMs in reverse order, to be compared as others are.
    let reversed = rdms.values().slice(s![..;-1, ..]).to_owned();
    let others = Rdms::from_condensed(reversed, rdms.labels().to_vec(), RdmRules::default())?;
    let mut figures = once(work, &rdms, &others, resamples)?;
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        figures = once(work, &rdms, &others, resamples)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let figures: String = figures
        .iter()
        .map(|(name, value)| format!(", \"{name}\": {value}"))
        .collect();
    println!("{{\"seconds\": {seconds:?}{figures}}}");
    Ok(())
}

/// A sum in which every place has a weight of its own: that of ranks would be the same whatever their order.
fn weighted_sum(values: &Array2<f64>) -> f64 {
    let weight = |i: usize, j: usize| ((i * 31 + j * 7) % 101) as f64 / 101.0;
    values
        .indexed_iter()
        .map(|((i, j), v)| weight(i, j) * v)
        .sum()
}

/// One round of the work, and the figures by which the sides are compared.
fn once(
    work: &str,
    rdms: &Rdms,
    others: &Rdms,
    resamples: usize,
) -> Result<Vec<(&'static str, f64)>, Failure> {
    let accuracy = |figure| Ok(vec![("accuracy", figure)]);
    match work {
        "transforms" => {
            let gt = Thresholds::new(0.2, 0.8)?;
            let rank = Transform::Rank.apply(rdms)?;
            let clipped = Transform::GeoTopological(gt).apply(rdms)?;
            // The peer's graph library drops edges of length 0; with them all geodesics would be 0.
            let geodesic = Transform::Geodesic(Geodesic::TwoStep(gt), ZeroEdges::Missing);
            let geodesic = geodesic.apply(rdms)?;
            Ok(vec![
                ("rank", weighted_sum(&rank)),
                // The peer's is wrong above the upper threshold.
                (
                    "geo_topological",
                    weighted_sum(&clipped.mapv(|g| g.min(0.8))),
                ),
                ("geodesic", weighted_sum(&geodesic)),
            ])
        }
        "compare" | "compare-others" | "tau-a" => {
            let second = if work == "compare-others" {
                others
            } else {
                rdms
            };
            let how = match work {
                "tau-a" => Similarity::KendallTauA,
                _ => Similarity::Spearman,
            };
            let found = compare(rdms, second, how)?;
            Ok(vec![("similarity", weighted_sum(&found))])
        }
        "identify" => {
            let vectors = Transform::Rank.apply(rdms)?;
            accuracy(identify(vectors.view(), rdms.labels())?.accuracy())
        }
        "map" => accuracy(accuracy_map(rdms, &grid(0.05, false)?, &Quiet)?.mean()),
        "whole" => {
            let both = [
                once("map", rdms, others, resamples)?,
                once("bootstrap", rdms, others, resamples)?,
            ];
            Ok(vec![("map", both[0][0].1), ("bootstrap", both[1][0].1)])
        }
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
            let found = bootstrap(rdms, &arms, how, &streams, &Quiet)?;
            accuracy(found.accuracy.mean().unwrap_or(0.0))
        }
        other => Err(SettingError::new(
            "work",
            "transforms, compare, compare-others, tau-a, identify, map, bootstrap or whole",
            other,
        )
        .into()),
    }
}
