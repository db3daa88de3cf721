//! The card's numbers, measured on the published RDMs and on the four figure-eights.

use chiasm_core::{Quiet, stats};
use chiasm_data::Rdms;
use chiasm_data::generate::shapes::{Shape, points};
use chiasm_data::rdm::{ReadRdms, read};

use super::real_file;
use crate::rsa::map::grid;
use crate::rsa::*;

fn read_file(name: &str) -> Option<Rdms> {
    real_file(name).map(|path| read(&[path], &ReadRdms::default()).unwrap())
}

fn conv() -> Option<Rdms> {
    read_file("modelRDMs_A2020.mat").map(|r| r.filter(|l| l.region.starts_with("conv")).unwrap())
}

#[test]
fn alexnet_layers_are_told_as_often_as_measured() {
    let Some(rdms) = conv() else { return };
    assert_eq!(rdms.len(), 55);
    let right = |transform: Transform| {
        let vectors = transform.apply(&rdms).unwrap();
        identify(vectors.view(), rdms.labels()).unwrap().n_right()
    };
    let gt = |l, u| Transform::GeoTopological(Thresholds::new(l, u).unwrap());
    assert_eq!(right(Transform::Raw), 23);
    assert_eq!(right(Transform::Rank), 50);
    for (l, u, count) in [
        (0.0, 1.0, 50),
        (0.0, 0.2, 50),
        (0.2, 0.4, 53),
        (0.4, 0.6, 53),
        (0.8, 1.0, 48),
        (0.2, 0.8, 51),
    ] {
        assert_eq!(right(gt(l, u)), count, "GT({l}, {u})");
    }
}

#[test]
fn the_map_over_thresholds_is_as_measured() {
    let Some(rdms) = conv() else { return };
    let map = accuracy_map(&rdms, &grid(0.1, false).unwrap(), &Quiet).unwrap();
    let counts: Vec<usize> = map
        .cells
        .iter()
        .map(|c| (c.accuracy * 55.0).round() as usize)
        .collect();
    let best = *counts.iter().max().unwrap();
    assert_eq!(
        (best, counts.iter().filter(|&&c| c == best).count()),
        (53, 16)
    );
    let at = |l: f64, u: f64| {
        let same = |c: &&crate::rsa::map::MapCell| {
            (c.thresholds.l() - l).abs() < 1e-9 && (c.thresholds.u() - u).abs() < 1e-9
        };
        map.cells.iter().find(same).unwrap().accuracy
    };
    assert_eq!(at(0.1, 0.2), 53.0 / 55.0);
    assert_eq!(at(0.5, 0.6), 53.0 / 55.0);
    let worst = *counts.iter().min().unwrap();
    assert_eq!(worst, 48);
    assert_eq!((at(0.8, 1.0), at(0.9, 1.0)), (48.0 / 55.0, 48.0 / 55.0));
    assert!((map.mean() - 0.9349).abs() < 5e-5, "{}", map.mean());
    for (family, mean) in [
        (Family::Topology, 0.9636),
        (Family::Intermediate, 0.9412),
        (Family::Local, 0.9364),
        (Family::Geometry, 0.9121),
        (Family::Global, 0.9061),
    ] {
        assert!(
            (map.family_mean(family) - mean).abs() < 5e-5,
            "{family:?} {}",
            map.family_mean(family)
        );
    }
}

#[test]
fn human_it_correlates_as_measured() {
    let Some(brain) = read_file("92_brainRDMs.mat") else {
        return;
    };
    let between = compare(&brain, &brain, Similarity::Spearman).unwrap();
    for (subject, expected) in [0.2770, 0.0954, 0.3825, 0.1196].into_iter().enumerate() {
        let rho = between[[subject, subject + 4]];
        assert!((rho - expected).abs() < 5e-5, "subject {subject}: {rho}");
    }
    let Some(models) = read_file("92_modelRDMs.mat") else {
        return;
    };
    let mean: Vec<f64> = brain.values().mean_axis(ndarray::Axis(0)).unwrap().to_vec();
    for (model, expected) in [
        ("animacy", 0.5882),
        ("monkeyIT", 0.4389),
        ("FaceBodyManmadeNatobj", 0.4053),
        ("EVA", 0.3542),
        ("HMAX", 0.2217),
        ("Silhouette", 0.1247),
        ("RADON", 0.0612),
        ("V1", 0.0393),
    ] {
        let one = models.filter(|l| l.name == model).unwrap();
        let rho = stats::spearman(&mean, &one.vector(0).to_vec());
        assert!((rho - expected).abs() < 5e-5, "{model}: {rho}");
    }
}

#[test]
fn geodesics_group_the_figure_eights_by_topology() {
    let shapes = [
        Shape::FlatEight,
        Shape::TwistEight,
        Shape::UntangledFlatEight,
        Shape::UntangledTwistEight,
    ];
    let distances: Vec<Vec<f64>> = shapes
        .iter()
        .map(|&s| rdm(points(s, 50).unwrap().view(), &Distance::Euclidean).unwrap())
        .collect();
    // Same topology: 0-1 and 2-3. Same geometry: 0-2 and 1-3.
    let ratio = |vectors: Vec<Vec<f64>>| {
        let d = |a: usize, b: usize| {
            let squares = vectors[a]
                .iter()
                .zip(&vectors[b])
                .map(|(x, y)| (x - y) * (x - y));
            squares.sum::<f64>().sqrt()
        };
        (d(0, 1) + d(2, 3)) / (d(0, 2) + d(1, 3))
    };
    let all = |t: Transform| ratio(distances.iter().map(|d| t.vector(d).unwrap()).collect());
    let near = Thresholds::new(0.0, 0.075).unwrap();
    let rank = all(Transform::Rank);
    assert!(rank > 4.0 && (rank - 5.35).abs() < 5e-3, "{rank}");
    let gt = all(Transform::GeoTopological(near));
    assert!((gt - 1.77).abs() < 5e-3, "{gt}");
    let geodesic = all(Transform::Geodesic(
        Geodesic::TwoStep(near),
        ZeroEdges::Keep,
    ));
    assert!(
        geodesic < 0.8 && (geodesic - 0.69).abs() < 5e-3,
        "{geodesic}"
    );
    let missing = all(Transform::Geodesic(
        Geodesic::TwoStep(near),
        ZeroEdges::Missing,
    ));
    assert!((missing - 0.67).abs() < 5e-3, "{missing}");
    for d in &distances {
        let paths = Geodesic::TwoStep(near).paths(d, ZeroEdges::Keep).unwrap();
        assert!(paths.iter().all(|p| p.is_finite()));
    }
}
