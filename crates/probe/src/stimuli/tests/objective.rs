use ndarray::array;
use proptest::prelude::*;

use crate::stimuli::{Groups, Objective, StimuliError};

#[test]
fn values_by_hand() {
    let objective = Objective { temperature: 1.0 };
    let value = objective.value(&[1.0, 0.0, 0.0], 0).unwrap();
    let by_hand = 1.0 - ((1f64.exp() + 2.0) / 3.0).ln();
    assert!((value - by_hand).abs() < 1e-15);
    assert!((value - 0.547_167_574_7).abs() < 1e-10);
    // Scores of clusters of 4, 5 and 1 neurons; the third would overflow a naive exponential at a lower temperature.
    let scores = [
        vec![1.0, 5.0, 7.0, 8.0],
        vec![0.0, 10.0, 1.0, 1.0, 1.0],
        vec![100.0],
    ];
    let objective = Objective::default();
    let value = objective.of_scores(&scores, 0, &[1, 2]).unwrap();
    assert!((value + 58.120_137_711_33).abs() < 1e-11, "{value}");
    let far = Objective { temperature: 1e-3 }.of_scores(&scores, 0, &[1, 2]);
    assert!(far.unwrap().is_finite());
}

#[test]
fn a_cluster_that_is_not_compared_is_ignored() {
    let scores = [vec![2.0], vec![0.5], vec![1e6], vec![-3.0]];
    let objective = Objective::default();
    let without = objective.of_scores(&scores, 0, &[1, 3]).unwrap();
    let few = [vec![2.0], vec![0.5], vec![-3.0]];
    assert_eq!(without, objective.of_scores(&few, 0, &[1, 2]).unwrap());
    // The cluster itself counts once, whether or not it is listed.
    let listed = objective.of_scores(&scores, 0, &[0, 1, 3]).unwrap();
    assert_eq!(without, listed);
}

#[test]
fn what_has_no_mean_is_refused() {
    let objective = Objective::default();
    let empty = objective.of_scores(&[vec![1.0], vec![]], 0, &[1]);
    assert_eq!(
        empty,
        Err(StimuliError::EmptyCluster {
            cluster: 1,
            n_clusters: 2
        })
    );
    assert!(objective.of_scores(&[vec![1.0]], 0, &[4]).is_err());
    assert!(objective.value(&[1.0], 1).is_err());
    // Label 1 stands for a cluster without a neuron.
    assert_eq!(
        Groups::new(&[0, 2, 2]),
        Err(StimuliError::EmptyCluster {
            cluster: 1,
            n_clusters: 3
        })
    );
}

#[test]
fn values_of_a_matrix_are_those_of_its_means() {
    let groups = Groups::new(&[0, 0, 1]).unwrap();
    let scores = array![[1.0, 3.0, 0.0], [0.0, 0.0, 5.0]];
    let objective = Objective::default();
    let values = objective.values(scores.view(), &groups).unwrap();
    assert_eq!(values[0], objective.value(&[2.0, 0.0], 0).unwrap());
    assert_eq!(values[1], objective.value(&[0.0, 5.0], 1).unwrap());
    let wrong = objective.values(scores.slice(ndarray::s![..1, ..]), &groups);
    assert!(wrong.is_err());
}

proptest! {
    #[test]
    fn bounded_shift_invariant_and_symmetric(
        means in prop::collection::vec(-50.0f64..50.0, 2..12),
        shift in -100.0f64..100.0,
        temperature in 0.05f64..10.0,
    ) {
        let objective = Objective { temperature };
        let k = means.len() as f64;
        let value = objective.value(&means, 0).unwrap();
        prop_assert!(value <= k.ln() + 1e-12);
        let shifted: Vec<f64> = means.iter().map(|m| m + shift).collect();
        let moved = objective.value(&shifted, 0).unwrap();
        prop_assert!((moved - value).abs() < 1e-9 * (1.0 + 150.0 / temperature));
        // Relabelling the clusters changes nothing.
        let reversed: Vec<f64> = means.iter().rev().copied().collect();
        let same = objective.value(&reversed, means.len() - 1).unwrap();
        prop_assert!((same - value).abs() < 1e-9 * (1.0 + value.abs()));
        // Alike in all clusters: 0.
        let flat = vec![means[0]; means.len()];
        prop_assert!(objective.value(&flat, 0).unwrap().abs() < 1e-9);
    }

    #[test]
    fn the_slope_is_that_of_the_value(
        means in prop::collection::vec(-3.0f64..3.0, 2..6),
        temperature in 0.5f64..3.0,
    ) {
        let objective = Objective { temperature };
        let slope = objective.slope(&means, 0);
        for k in 0..means.len() {
            let at = |d: f64| {
                let mut moved = means.clone();
                moved[k] += d;
                objective.value(&moved, 0).unwrap()
            };
            let by_differences = (at(1e-5) - at(-1e-5)) / 2e-5;
            prop_assert!((slope.factor * slope.direction[k] - by_differences).abs() < 1e-7);
        }
    }
}
