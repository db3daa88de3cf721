use chiasm_core::{Quiet, Streams};
use chiasm_data::{RdmLabel, RdmRules, Rdms};
use ndarray::array;
use proptest::prelude::*;

use super::{plain, planted};
use crate::rsa::map::{draw_families, grid};
use crate::rsa::*;

#[test]
fn what_leave_one_subject_out_cannot_do_is_refused() {
    let values = array![[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 3.0, 2.0]];
    let outcome = |labels: [(&str, &str); 3]| {
        let labels: Vec<RdmLabel> = labels.iter().map(|(s, r)| RdmLabel::new(*s, *r)).collect();
        identify(values.view(), &labels).unwrap_err()
    };
    let one_subject = outcome([("a", "x"), ("a", "y"), ("a", "x")]);
    assert_eq!(one_subject, RsaError::OneSubject { found: 1 });
    let one_region = outcome([("a", "x"), ("b", "x"), ("c", "x")]);
    assert_eq!(one_region, RsaError::OneRegion { found: 1 });
    let missing = outcome([("a", "x"), ("b", "x"), ("b", "y")]);
    assert!(
        matches!(missing, RsaError::RegionMissing { region, subject } if region == "y" && subject == "b")
    );
    let unlabelled = outcome([("a", "x"), ("", "x"), ("b", "y")]);
    assert!(matches!(
        unlabelled,
        RsaError::Unlabelled {
            index: 1,
            label: "subject",
            ..
        }
    ));
    let few = identify(values.view(), &[]).unwrap_err();
    assert!(matches!(few, RsaError::Shape { .. }));
}

#[test]
fn the_confusion_counts_every_rdm_once() {
    let rdms = planted(4, 3, 8, 1);
    let vectors = Transform::Rank.apply(&rdms).unwrap();
    let result = identify(vectors.view(), rdms.labels()).unwrap();
    assert_eq!(result.confusion().sum(), 12);
    assert_eq!(result.confusion().diag().sum(), result.n_right());
    assert!(result.accuracy() > 0.5, "{}", result.accuracy());
}

#[test]
fn accuracies_by_subject_are_compared_in_pairs() {
    let rdms = planted(4, 3, 8, 1);
    let vectors = Transform::Rank.apply(&rdms).unwrap();
    let result = identify(vectors.view(), rdms.labels()).unwrap();
    let own = result.by_subject();
    assert_eq!(own.len(), 4);
    assert!((own.iter().sum::<f64>() / 4.0 - result.accuracy()).abs() < 1e-12);
    // scipy.stats.ttest_rel(a, b, alternative="less").
    let (a, b) = ([0.5, 0.6, 0.4, 0.7], [0.6, 0.8, 0.5, 0.7]);
    let p = worse_p(&a, &b).unwrap();
    assert!((p - 0.045_860_556_655_785_96).abs() < 1e-9, "{p}");
    assert!((worse_p(&b, &a).unwrap() - (1.0 - p)).abs() < 1e-12);
    assert_eq!(worse_p(&a, &a).unwrap(), 1.0);
    assert_eq!(worse_p(&[0.25, 0.5], &[0.5, 0.75]).unwrap(), 0.0);
    assert!(matches!(worse_p(&a, &b[1..]), Err(RsaError::Shape { .. })));
    assert!(matches!(
        worse_p(&a[..1], &b[..1]),
        Err(RsaError::OneSubject { found: 1 })
    ));
    assert!(matches!(
        worse_p(&a, &[f64::NAN; 4]),
        Err(RsaError::NotFinite { .. })
    ));
}

#[test]
fn an_unbalanced_design_equals_the_plain_version() {
    let rdms = planted(5, 3, 9, 2)
        .select(&[0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 13, 14, 0])
        .unwrap();
    for transform in [Transform::Raw, Transform::Rank] {
        let vectors = transform.apply(&rdms).unwrap();
        let fast = identify(vectors.view(), rdms.labels()).unwrap();
        assert_eq!(fast.n_right(), plain::n_right(&vectors, &rdms));
    }
}

#[test]
fn the_grid_is_that_of_the_released_code() {
    let cells = grid(0.05, true).unwrap();
    // 20 lower thresholds with 21, 20, ... 2 upper ones, without (0, 0).
    assert_eq!(cells.len(), (2..=21).sum::<usize>() - 1);
    assert_eq!((cells[0].l(), cells[0].u()), (0.0, 1.0));
    assert_eq!(grid(0.1, false).unwrap().len(), 55);
    assert!(grid(0.0, true).is_err() && grid(0.7, true).is_err());
}

#[test]
fn families_by_position() {
    let of = |l, u| Family::of(Thresholds::new(l, u).unwrap());
    assert_eq!(of(0.0, 0.4), Family::Local);
    assert_eq!(of(0.6, 1.0), Family::Global);
    assert_eq!(of(0.0, 1.0), Family::Geometry);
    assert_eq!(of(0.1, 0.9), Family::Geometry);
    assert_eq!(of(0.4, 0.6), Family::Topology);
    assert_eq!(of(0.3, 0.6), Family::Intermediate);
    let drawn = draw_families(10, &mut Streams::new(3).stream("families"));
    for (family, thresholds) in drawn {
        assert_eq!(thresholds.len(), 10);
        assert!(thresholds.iter().all(|&t| Family::of(t) == family));
    }
}

#[test]
fn a_constant_rdm_cannot_come_so_far() {
    let error = Rdms::from_condensed(
        array![[1.0, 1.0, 1.0]],
        vec![RdmLabel::new("a", "x")],
        RdmRules::default(),
    );
    assert!(error.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_map_equals_transform_and_identify_at_each_cell(seed in any::<u64>(), subjects in 2usize..5, regions in 2usize..4) {
        let rdms = planted(subjects, regions, 7, seed);
        let map = accuracy_map(&rdms, &grid(0.25, true).unwrap(), &Quiet).unwrap();
        for cell in &map.cells {
            let vectors = Transform::GeoTopological(cell.thresholds).apply(&rdms).unwrap();
            let right = identify(vectors.view(), rdms.labels()).unwrap().n_right();
            prop_assert_eq!(cell.accuracy, right as f64 / rdms.len() as f64);
        }
    }
}
