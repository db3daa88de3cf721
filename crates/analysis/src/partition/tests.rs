use chiasm_core::Streams;
use proptest::prelude::*;

use super::*;
use crate::connectome::block_model::WeightedGraph;

#[test]
fn scores_agree_with_scikit_learn() {
    // scikit-learn 1.9.1: normalized_mutual_info_score, adjusted_mutual_info_score, adjusted_rand_score.
    type Case<'a> = (&'a [usize], &'a [usize], f64, f64, f64);
    #[rustfmt::skip]
    let cases: [Case<'_>; 7] = [
        (&[0, 0, 1, 1, 2, 2], &[0, 0, 1, 1, 2, 2], 1.0, 1.0, 1.0),
        (&[0, 0, 1, 1, 2, 2], &[0, 1, 1, 2, 2, 0], 0.3690702464285424, -0.249999999999999, -0.25),
        (&[0, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5], 0.0, 0.0, 0.0),
        (&[0, 0, 0, 0, 0, 0], &[0, 0, 0, 1, 1, 1], 0.0, 0.0, 0.0),
        (&[3, 2, 2, 1, 1, 0, 0, 0, 0, 3, 2, 3, 2, 2, 3, 2, 2, 2, 2, 3, 1, 3, 2, 0, 1, 3, 2, 0, 3, 2], &[3, 0, 0, 3, 0, 2, 0, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 1, 2, 3, 1, 1, 3, 3, 3, 1, 2, 3, 2], 0.18672314889646377, 0.05520308043197894, 0.025957355772659202),
        (&[4, 3, 3, 1, 4, 0, 2, 3, 4, 2, 1, 1, 2, 2, 3, 4, 0, 4, 2, 1, 3, 2, 1, 1, 3, 2, 2, 1, 3, 1], &[1, 4, 1, 1, 3, 3, 0, 0, 4, 2, 1, 1, 2, 2, 3, 4, 0, 4, 2, 1, 3, 2, 1, 1, 3, 2, 2, 1, 3, 1], 0.6244131217382256, 0.5229981251190583, 0.5621042377009254),
        (&[4, 9, 4, 9, 3, 2, 9, 10, 0, 0, 8, 4, 6, 1, 10, 5, 10, 9, 8, 2, 9, 0, 6, 4, 11, 2, 11, 1, 7, 6], &[8, 2, 9, 6, 8, 1, 7, 9, 0, 3, 6, 1, 5, 6, 7, 9, 4, 4, 4, 9, 1, 4, 0, 4, 9, 6, 3, 9, 6, 9], 0.48364457026527274, -0.15009003488791034, -0.09481028385740227),
    ];
    for (a, b, nmi, ami, ari) in cases {
        // 1e-10: the expected information is a sum of hundreds of exponentials of differences of log factorials.
        let close = |x: f64, y: f64| assert!((x - y).abs() < 1e-10, "{a:?} {b:?}: {x} {y}");
        close(normalized_mutual_information(a, b).unwrap(), nmi);
        close(adjusted_mutual_information(a, b).unwrap(), ami);
        close(adjusted_rand(a, b).unwrap(), ari);
    }
}

#[test]
fn relabelling_matches_as_many_as_possible() {
    assert_eq!(
        relabel(&[5, 5, 5, 7, 7, 9], &[0, 0, 1, 1, 1, 2]).unwrap(),
        [5, 5, 7, 7, 7, 9]
    );
    // More blocks than the reference has: the surplus one gets a new name.
    assert_eq!(relabel(&[1, 1, 1, 1], &[0, 0, 0, 4]).unwrap(), [1, 1, 1, 2]);
    assert_eq!(
        relabel(&[0, 1], &[3, 3]).unwrap(),
        relabel(&[0, 1], &[0, 0]).unwrap()
    );
}

#[test]
fn unequal_and_empty_are_refused() {
    assert_eq!(
        adjusted_rand(&[0, 1], &[0]).unwrap_err().to_string(),
        "partitions: expected 2 labels as in the first, found 1"
    );
    assert_eq!(
        normalized_mutual_information(&[], &[]),
        Err(PartitionError::Empty)
    );
    let graph = WeightedGraph::from_edges(2, &[(0, 1, -1.0)]).unwrap();
    assert!(modularity(&graph, &[0, 0], 1.0).is_err());
    assert!(
        Louvain::default()
            .fit(&graph, &mut Streams::new(0).stream("x"))
            .is_err()
    );
}

proptest! {
    #[test]
    fn scores_are_symmetric_and_blind_to_names(a in prop::collection::vec(0usize..5, 2..40), seed in 0u64..100) {
        use rand::RngExt;
        let mut rng = Streams::new(seed).stream("b");
        let b: Vec<usize> = a.iter().map(|&x| if rng.random::<bool>() { x } else { rng.random_range(0..5) }).collect();
        let renamed: Vec<usize> = b.iter().map(|x| 17 - 3 * x).collect();
        for score in [normalized_mutual_information, adjusted_mutual_information, adjusted_rand] {
            let value = score(&a, &b).unwrap();
            prop_assert!((value - score(&b, &a).unwrap()).abs() < 1e-9);
            prop_assert!((value - score(&a, &renamed).unwrap()).abs() < 1e-9);
            prop_assert!(value < 1.0 + 1e-9 && (score(&a, &a).unwrap() - 1.0).abs() < 1e-9);
        }
        let matched = relabel(&a, &renamed).unwrap();
        let hits = |x: &[usize]| x.iter().zip(&a).filter(|(x, y)| x == y).count();
        prop_assert!(hits(&matched) >= hits(&b));
        prop_assert!((adjusted_rand(&matched, &b).unwrap() - 1.0).abs() < 1e-9);
    }
}

fn golden(text: &str) -> (WeightedGraph, Vec<usize>, [f64; 2], [f64; 2]) {
    let mut labels = Vec::new();
    let (mut values, mut range) = ([0.0; 2], [0.0; 2]);
    let mut edges = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let first = words.next().unwrap();
        let numbers: Vec<f64> = words.map(|w| w.parse().unwrap()).collect();
        match first {
            "labels" => labels = numbers.iter().map(|&l| l as usize).collect(),
            "modularity" => values.copy_from_slice(&numbers),
            "louvain" => range.copy_from_slice(&numbers),
            node => edges.push((node.parse().unwrap(), numbers[0] as usize, numbers[1])),
        }
    }
    let graph = WeightedGraph::from_edges(labels.len(), &edges).unwrap();
    (graph, labels, values, range)
}

#[test]
fn modularity_and_louvain_agree_with_networkx() {
    for text in [
        include_str!("../../tests/golden/louvain/karate.txt"),
        include_str!("../../tests/golden/louvain/lesmis.txt"),
    ] {
        let (graph, labels, values, [lowest, highest]) = golden(text);
        for (resolution, value) in [1.0, 2.0].into_iter().zip(values) {
            let ours = modularity(&graph, &labels, resolution).unwrap();
            assert!((ours - value).abs() < 1e-12, "{ours} {value}");
        }
        let mut best = f64::NEG_INFINITY;
        for seed in 0..50 {
            let fit = Louvain::default()
                .fit(&graph, &mut Streams::new(seed).stream("louvain"))
                .unwrap();
            let again = modularity(&graph, &fit.labels, 1.0).unwrap();
            assert!((again - fit.modularity).abs() < 1e-12);
            assert!(
                fit.modularity > lowest - 0.01,
                "{} {lowest}",
                fit.modularity
            );
            best = best.max(fit.modularity);
        }
        assert!(best > highest - 1e-9, "{best} {highest}");
    }
}
