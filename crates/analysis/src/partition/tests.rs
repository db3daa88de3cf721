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

struct Golden {
    graph: WeightedGraph,
    labels: Vec<usize>,
    /// Modularity of the labels at resolutions 1 and 2.
    modularity: Vec<f64>,
    /// Lowest and highest modularity.
    louvain: Vec<f64>,
    combo: Vec<f64>,
    /// Of the labels, lowest and highest.
    surprise: Vec<f64>,
}

fn golden() -> Vec<Golden> {
    [
        include_str!("../../tests/golden/louvain/karate.txt"),
        include_str!("../../tests/golden/louvain/lesmis.txt"),
    ]
    .map(|text| {
        let mut named = std::collections::BTreeMap::new();
        let mut edges = Vec::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            let first = words.next().unwrap();
            let numbers: Vec<f64> = words.map(|w| w.parse().unwrap()).collect();
            match first.parse() {
                Ok(node) => edges.push((node, numbers[0] as usize, numbers[1])),
                Err(_) => drop(named.insert(first, numbers)),
            }
        }
        let labels: Vec<usize> = named["labels"].iter().map(|&l| l as usize).collect();
        Golden {
            graph: WeightedGraph::from_edges(labels.len(), &edges).unwrap(),
            labels,
            modularity: named["modularity"].clone(),
            louvain: named["louvain"].clone(),
            combo: named["combo"].clone(),
            surprise: named["surprise"].clone(),
        }
    })
    .into()
}

/// Fits with 50 seeds must be worth what they say, none much less than the peer's worst, the best as good as the peer's.
fn as_good_as_the_peer(
    peer: &[f64],
    slack: f64,
    fit: impl Fn(u64) -> (Vec<usize>, f64),
    value: impl Fn(&[usize]) -> f64,
) {
    let mut best = f64::NEG_INFINITY;
    for seed in 0..50 {
        let (labels, found) = fit(seed);
        assert!((value(&labels) - found).abs() < 1e-9 * found.abs());
        assert!(found > peer[0] - slack, "{found} {}", peer[0]);
        best = best.max(found);
    }
    assert!(best > peer[1] - 1e-9 * peer[1], "{best} {}", peer[1]);
}

#[test]
fn modularity_and_louvain_agree_with_networkx() {
    for golden in golden() {
        let graph = &golden.graph;
        for (resolution, value) in [1.0, 2.0].into_iter().zip(&golden.modularity) {
            let ours = modularity(graph, &golden.labels, resolution).unwrap();
            assert!((ours - value).abs() < 1e-12, "{ours} {value}");
        }
        let fit = |seed| {
            let mut rng = Streams::new(seed).stream("louvain");
            let fit = Louvain::default().fit(graph, &mut rng).unwrap();
            (fit.labels, fit.modularity)
        };
        let value = |labels: &[usize]| modularity(graph, labels, 1.0).unwrap();
        as_good_as_the_peer(&golden.louvain, 0.01, fit, value);
    }
}

#[test]
fn combo_is_as_good_as_its_authors_program() {
    for golden in golden() {
        let graph = &golden.graph;
        let fit = |seed| {
            let mut rng = Streams::new(seed).stream("combo");
            let fit = Combo::default().fit(graph, &mut rng).unwrap();
            (fit.labels, fit.modularity)
        };
        let value = |labels: &[usize]| modularity(graph, labels, 1.0).unwrap();
        as_good_as_the_peer(&golden.combo, 0.01, fit, value);
    }
}

#[test]
fn surprise_agrees_with_leidenalg() {
    for golden in golden() {
        let graph = &golden.graph;
        let ours = surprise(graph, &golden.labels).unwrap();
        assert!((ours - golden.surprise[0]).abs() < 1e-9 * ours, "{ours}");
        let fit = |seed| {
            let mut rng = Streams::new(seed).stream("surprise");
            let fit = Surprise::default().fit(graph, &mut rng).unwrap();
            (fit.labels, fit.surprise)
        };
        let value = |labels: &[usize]| surprise(graph, labels).unwrap();
        // Without Leiden's refinement of communities a run may end lower.
        as_good_as_the_peer(&golden.surprise[1..], 0.05 * golden.surprise[1], fit, value);
    }
}

#[test]
fn an_encoder_and_decoder_learns_and_parts_cliques() {
    let mut edges = Vec::new();
    for clique in 0..3 {
        for i in 0..6 {
            edges.extend((0..i).map(|j| (6 * clique + i, 6 * clique + j, 2.0)));
        }
    }
    edges.extend([(0, 6, 0.5), (7, 13, 0.5), (12, 1, 0.5)]);
    let graph = WeightedGraph::from_edges(18, &edges).unwrap();
    let truth: Vec<usize> = (0..18).map(|i| i / 6).collect();
    let method = Nnsed {
        communities: 3,
        ..Nnsed::default()
    };
    let mut whole = 0;
    for seed in 0..10 {
        let fit = method
            .fit(&graph, &mut Streams::new(seed).stream("nnsed"))
            .unwrap();
        let falls = fit.errors.windows(2).all(|e| e[1] <= e[0] * (1.0 + 1e-9));
        assert!(falls, "{:?}", fit.errors);
        whole += usize::from(fit.labels == truth);
    }
    assert!(whole >= 5, "{whole} of 10 starts");
}

#[test]
fn graphs_without_weight_leave_nothing_to_find() {
    let graph = WeightedGraph::from_edges(3, &[(0, 1, 0.0)]).unwrap();
    let rng = &mut Streams::new(0).stream("x");
    assert_eq!(Surprise::default().fit(&graph, rng).unwrap().surprise, 0.0);
    assert_eq!(Combo::default().fit(&graph, rng).unwrap().modularity, 0.0);
    let fit = Nnsed::default().fit(&graph, rng).unwrap();
    assert!(fit.errors.iter().all(|e| e.is_finite()));
    let negative = WeightedGraph::from_edges(2, &[(0, 1, -1.0)]).unwrap();
    assert!(Surprise::default().fit(&negative, rng).is_err());
    assert!(Combo::default().fit(&negative, rng).is_err());
    assert!(Nnsed::default().fit(&negative, rng).is_err());
}
