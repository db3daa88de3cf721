use chiasm_core::{Quiet, Streams};
use proptest::prelude::*;
use rand::RngExt;

use super::hierarchy::{Coupling, levels_above};
use super::multigraph::Multigraph;
use super::search::{shrink, sweep};
use super::state::{Gathered, State};
use super::terms::{Layer, LogFactorials, Terms};
use super::weights::Weighting;
use super::*;

fn two_cliques() -> WeightedGraph {
    let mut edges = Vec::new();
    for a in 0..8 {
        for b in a + 1..8 {
            if (a < 4) == (b < 4) {
                edges.push((a, b, 2.0));
            }
        }
    }
    edges.push((0, 4, 0.1));
    WeightedGraph::from_edges(8, &edges).unwrap()
}

fn complete(n: usize, half: usize) -> WeightedGraph {
    let mut edges = Vec::new();
    for a in 0..n {
        for b in a + 1..n {
            edges.push((a, b, if (a < half) == (b < half) { 2.0 } else { 0.1 }));
        }
    }
    WeightedGraph::from_edges(n, &edges).unwrap()
}

fn flat(graph: &WeightedGraph, labels: &[usize], corrected: bool) -> DescriptionLength {
    description_length(
        graph,
        &[labels.to_vec()],
        WeightModel::Exponential,
        corrected,
    )
    .unwrap()
}

#[test]
fn unit_values_of_the_card() {
    // Card 01, bar 3, to all printed digits.
    let one = vec![0; 8];
    let halves = vec![0, 0, 0, 0, 1, 1, 1, 1];
    let single: Vec<usize> = (0..8).collect();
    let graph = two_cliques();
    for (labels, corrected, total) in [
        (&one, false, 47.000895),
        (&halves, false, 50.624382),
        (&single, false, 64.362536),
        (&one, true, 52.358057),
        (&halves, true, 55.234266),
        (&single, true, 64.362536),
    ] {
        let dl = flat(&graph, labels, corrected);
        assert!((dl.total() - total).abs() < 5e-7, "{total}: {dl:?}");
    }
    let dl = flat(&graph, &one, false);
    assert!((dl.weights - 22.419051).abs() < 5e-7);
    assert!((dl.total() - dl.weights - 24.581844).abs() < 5e-7);
    let dl = flat(&graph, &halves, false);
    assert!((dl.weights - 23.129190).abs() < 5e-7);
    assert!((dl.total() - dl.weights - 27.495192).abs() < 5e-7);

    let graph = complete(8, 4);
    for (labels, corrected, total) in [
        (&one, false, 58.482999),
        (&halves, false, 47.762509),
        (&one, true, 66.317137),
        (&halves, true, 54.529662),
    ] {
        let dl = flat(&graph, labels, corrected);
        assert!((dl.total() - total).abs() < 5e-7, "{total}: {dl:?}");
    }
    let fitted = BlockModel {
        nested: false,
        ..BlockModel::default()
    }
    .fit(&graph, &Streams::new(0), &Quiet)
    .unwrap();
    assert_eq!(fitted.labels(), halves);
    assert!((fitted.description.total() - 47.762509).abs() < 5e-7);
    assert!(!fitted.degree_corrected);
    assert!((fitted.ln_evidence_ratio.unwrap() - (47.762509 - 54.529662)).abs() < 1e-6);
}

#[test]
fn description_lengths_agree_with_graph_tool() {
    let mut edges = Vec::new();
    for line in include_str!("../../../tests/golden/block_model/graph.txt").lines() {
        let cells: Vec<f64> = line.split(' ').map(|c| c.parse().unwrap()).collect();
        edges.push((cells[0] as usize, cells[1] as usize, cells[2]));
    }
    let graph = WeightedGraph::from_edges(20, &edges).unwrap();
    let levels: Vec<Vec<usize>> = vec![
        (0..20).map(|i| i % 5).collect(),
        vec![0, 0, 1, 1, 2],
        vec![0, 0, 1],
        vec![0, 0],
    ];
    let total = |levels: &[Vec<usize>], weights, corrected| {
        description_length(&graph, levels, weights, corrected)
            .unwrap()
            .total()
    };
    for (corrected, flat, unweighted, nested) in [
        (
            false,
            300.2826097390936,
            193.7858284736962,
            314.9327732640823,
        ),
        (
            true,
            314.3418815687519,
            207.84510030335454,
            328.9920450937406,
        ),
    ] {
        let one = &levels[..1];
        assert!((total(one, WeightModel::Exponential, corrected) - flat).abs() < 1e-8);
        assert!((total(one, WeightModel::None, corrected) - unweighted).abs() < 1e-8);
        let all = total(&levels, WeightModel::Exponential, corrected);
        assert!((all - nested).abs() < 1e-8, "{all} {nested}");
    }
}

/// A random graph with random weights; whole numbers, so that every weight model takes them.
fn random_graph(n: usize, density: f64, seed: u64) -> WeightedGraph {
    let mut rng = Streams::new(seed).stream("graph");
    let mut edges = vec![(0, 1, 3.0), (0, 2, 1.0)];
    for a in 0..n {
        for b in a + 1..n {
            if (a > 0 || b > 2) && rng.random::<f64>() < density {
                edges.push((a, b, f64::from(rng.random_range(1..9u32))));
            }
        }
    }
    WeightedGraph::from_edges(n, &edges).unwrap()
}

const MODELS: [WeightModel; 5] = [
    WeightModel::Exponential,
    WeightModel::Normal,
    WeightModel::LogNormal,
    WeightModel::Poisson,
    WeightModel::None,
];

fn widen(labels: &[u32]) -> Vec<usize> {
    labels.iter().map(|&r| r as usize).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_moves_change_is_the_difference_of_two_recomputations(
        n in 4usize..24, density in 0.1f64..1.0, b in 2usize..7, seed in 0u64..1000, corrected: bool, model in 0usize..5,
    ) {
        let graph = random_graph(n, density, seed);
        let model = MODELS[model];
        let seen = Weighting::new(model, &graph).unwrap();
        let lf = LogFactorials::new(2 * graph.n_edges() + n);
        let terms = Terms { layer: Layer::Ground { deg_corr: corrected, weights: seen.term }, lf: &lf };
        let ground = Multigraph::ground(&seen.graph);
        let mut rng = Streams::new(seed).stream("moves");
        let b = b.min(n);
        let label: Vec<u32> = (0..n).map(|_| rng.random_range(0..b as u32)).collect();
        let mut state = State::new(&ground, terms, label, b);
        let full = |state: &State<'_>| {
            description_length(&graph, &[widen(&state.label)], model, corrected).unwrap().total()
        };
        let mut moving = Gathered::default();
        let mut before = full(&state);
        for _ in 0..40 {
            // Blocks may empty and fill again.
            let node = rng.random_range(0..n);
            let (r, s) = (state.label[node] as usize, rng.random_range(0..b));
            if r == s {
                continue;
            }
            state.gather(node, &mut moving);
            let change = state.move_cost(&moving, s) + state.count_change(r, s, true);
            let own = state.flat_cost();
            state.apply(&moving, s);
            let after = full(&state);
            prop_assert!((change - (after - before)).abs() < 1e-8, "{change} {}", after - before);
            prop_assert!((state.flat_cost() - own - change).abs() < 1e-8);
            before = after;
        }
    }

    #[test]
    fn a_move_seen_from_all_levels_is_the_difference_of_two_recomputations(
        n in 8usize..24, density in 0.2f64..1.0, b in 3usize..8, seed in 0u64..1000, corrected: bool,
    ) {
        let graph = random_graph(n, density, seed);
        let Weighting { term: weights, .. } = Weighting::new(WeightModel::Exponential, &graph).unwrap();
        let lf = LogFactorials::new(2 * graph.n_edges() + n);
        let terms = Terms { layer: Layer::Ground { deg_corr: corrected, weights }, lf: &lf };
        let ground = Multigraph::ground(&graph);
        let mut rng = Streams::new(seed).stream("moves");
        let label: Vec<u32> = (0..n).map(|i| if i < b { i as u32 } else { rng.random_range(0..b as u32) }).collect();
        let middle = b.div_ceil(2) as u32;
        let levels: Vec<Vec<u32>> = vec![
            (0..b as u32).map(|r| r % middle).collect(),
            (0..middle).map(|r| u32::from(r > 1)).collect(),
            vec![0; if middle > 2 { 2 } else { 1 }],
        ];
        let mut above = Coupling::new(&ground.condense(&label, b, true), &levels, &lf);
        let mut state = State::new(&ground, terms, label, b);
        let full = |state: &State<'_>| {
            let mut all = vec![widen(&state.label)];
            all.extend(levels.iter().map(|l| widen(l)));
            description_length(&graph, &all, WeightModel::Exponential, corrected).unwrap().total()
        };
        let mut moving = Gathered::default();
        let mut before = full(&state);
        for _ in 0..30 {
            let node = rng.random_range(0..n);
            let (r, s) = (state.label[node] as usize, rng.random_range(0..b));
            if r == s || state.members[r] == 1 {
                continue;
            }
            state.gather(node, &mut moving);
            let change = state.move_cost(&moving, s) + above.move_cost(&moving, r, s);
            above.apply(&moving, r, s);
            state.apply(&moving, s);
            let after = full(&state);
            prop_assert!((change - (after - before)).abs() < 1e-8, "{change} {}", after - before);
            before = after;
        }
    }

    #[test]
    fn blocks_of_blocks_move_by_the_same_rule(n in 6usize..20, seed in 0u64..1000, b in 2usize..6) {
        // A level's own multigraph: nodes with inner edges and many edges to each other.
        let graph = Multigraph::ground(&random_graph(2 * n, 0.5, seed));
        let halves: Vec<u32> = (0..2 * n as u32).map(|i| i / 2).collect();
        let graph = graph.condense(&halves, n, true);
        let lf = LogFactorials::new(1000);
        let terms = Terms { layer: Layer::Blocks, lf: &lf };
        let mut rng = Streams::new(seed).stream("moves");
        let label: Vec<u32> = (0..n).map(|_| rng.random_range(0..b as u32)).collect();
        let mut state = State::new(&graph, terms, label, b);
        let mut moving = Gathered::default();
        for _ in 0..30 {
            let node = rng.random_range(0..n);
            let (r, s) = (state.label[node] as usize, rng.random_range(0..b));
            if r == s {
                continue;
            }
            let before = State::new(&graph, terms, state.label.clone(), b).flat_cost();
            state.gather(node, &mut moving);
            let change = state.move_cost(&moving, s) + state.count_change(r, s, true);
            state.apply(&moving, s);
            let after = State::new(&graph, terms, state.label.clone(), b).flat_cost();
            prop_assert!((change - (after - before)).abs() < 1e-8, "{change} {}", after - before);
            prop_assert!((state.flat_cost() - after).abs() < 1e-8);
        }
    }

    #[test]
    fn order_of_nodes_and_labels_does_not_matter(n in 4usize..16, seed in 0u64..1000, corrected: bool, model in 0usize..4) {
        let graph = random_graph(n, 0.6, seed);
        let mut rng = Streams::new(seed).stream("order");
        let labels: Vec<usize> = (0..n).map(|_| rng.random_range(0..n.min(4))).collect();
        let shift = rng.random_range(1..n);
        let place = |i: usize| (i + shift) % n;
        let edges: Vec<_> = graph.edges().map(|(a, b, w)| (place(b), place(a), w)).collect();
        let turned = WeightedGraph::from_edges(n, &edges).unwrap();
        let mut moved = vec![0; n];
        for i in 0..n {
            moved[place(i)] = (3 - labels[i] + n) % n;
        }
        let a = description_length(&graph, &[labels], MODELS[model], corrected).unwrap().total();
        let b = description_length(&turned, &[moved], MODELS[model], corrected).unwrap().total();
        prop_assert!((a - b).abs() < 1e-8, "{a} {b}");
    }

    #[test]
    fn searching_keeps_the_books(n in 6usize..40, density in 0.1f64..1.0, seed in 0u64..1000, nested: bool) {
        let graph = random_graph(n, density, seed);
        let model = BlockModel { restarts: 2, nested, ..BlockModel::default() };
        let fitted = model.fit(&graph, &Streams::new(seed), &Quiet).unwrap();
        let one = description_length(&graph, &[vec![0; n]], model.weights, false).unwrap();
        prop_assert!(fitted.description.total() <= one.total() + 1e-9);
        let least = fitted.restarts.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert!((least - fitted.description.total()).abs() < 1e-7);
        for pair in fitted.levels.windows(2) {
            // Each level is a coarsening of the one below.
            for i in 0..n {
                for j in 0..i {
                    prop_assert!(pair[0][i] != pair[0][j] || pair[1][i] == pair[1][j]);
                }
            }
        }
    }
}

#[test]
fn nested_with_one_block_above_is_flat_and_a_logarithm() {
    let graph = random_graph(12, 0.5, 3);
    let labels: Vec<usize> = (0..12).map(|i| i % 4).collect();
    let flat = flat(&graph, &labels, false).total();
    let levels = [labels, vec![0; 4]];
    let nested = description_length(&graph, &levels, WeightModel::Exponential, false).unwrap();
    assert!((nested.total() - flat - 4f64.ln()).abs() < 1e-9);
}

#[test]
fn the_bound_between_dense_and_hashed_tables_is_not_seen() {
    // 1300 singletons are kept in a hashed table, 1200 in a dense one; both shrink to the same cost as recomputed.
    let n = 1300;
    let mut rng = Streams::new(5).stream("ring");
    let edges: Vec<_> = (0..n)
        .flat_map(|i| [(i, (i + 1) % n, 1.0), (i, (i + 7) % n, 2.0)])
        .collect();
    let graph = WeightedGraph::from_edges(n, &edges).unwrap();
    let Weighting { term: weights, .. } = Weighting::new(WeightModel::Exponential, &graph).unwrap();
    let lf = LogFactorials::new(2 * graph.n_edges() + n);
    let terms = Terms {
        layer: Layer::Ground {
            deg_corr: false,
            weights,
        },
        lf: &lf,
    };
    let ground = Multigraph::ground(&graph);
    let single = State::singletons(&ground, terms);
    let labels = shrink(&single, 1290, &mut rng);
    let mut state = State::new(&ground, terms, labels, 1290);
    let before = state.flat_cost();
    let gained = sweep(&mut state, 2, None, &mut rng);
    let labels = widen(&state.compact_labels());
    let full = description_length(&graph, &[labels], WeightModel::Exponential, false).unwrap();
    assert!((before - gained - full.total()).abs() < 1e-6 * full.total().abs());
    let (levels, _) = levels_above(&ground.condense(&vec![0; n], 1, true), &lf, &mut rng);
    assert!(levels.is_empty());
}

#[test]
fn one_and_many_threads_give_the_same_blocks() {
    let graph = random_graph(40, 0.4, 9);
    let fit = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                BlockModel::default()
                    .fit(&graph, &Streams::new(4), &Quiet)
                    .unwrap()
            })
    };
    assert_eq!(fit(1), fit(4));
}

#[test]
fn planted_weights_on_a_complete_graph_are_found() {
    // The real use: every pair is joined and only weights inform.
    let n = 60;
    let mut rng = Streams::new(2).stream("planted");
    let mut edges = Vec::new();
    for a in 0..n {
        for b in a + 1..n {
            let mean = if a % 3 == b % 3 { 3.0 } else { 1.0 };
            edges.push((a, b, -mean * (1.0 - rng.random::<f64>()).ln()));
        }
    }
    let graph = WeightedGraph::from_edges(n, &edges).unwrap();
    let fitted = BlockModel::default()
        .fit(&graph, &Streams::new(1), &Quiet)
        .unwrap();
    assert_eq!(fitted.n_blocks(), 3);
    assert!((0..n).all(|i| fitted.labels()[i] == fitted.labels()[i % 3]));
    assert!(!fitted.degree_corrected, "all degrees are alike");
}

#[test]
fn noise_has_one_block_and_one_level() {
    let n = 40;
    let mut rng = Streams::new(8).stream("noise");
    let mut edges = Vec::new();
    for a in 0..n {
        for b in a + 1..n {
            edges.push((a, b, -(1.0 - rng.random::<f64>()).ln()));
        }
    }
    let graph = WeightedGraph::from_edges(n, &edges).unwrap();
    let fitted = BlockModel::default()
        .fit(&graph, &Streams::new(1), &Quiet)
        .unwrap();
    assert_eq!(fitted.levels, [vec![0; n]]);
}

#[test]
fn bad_graphs_are_refused_by_name() {
    use ndarray::{Array2, array};
    let edges =
        |e: &[(usize, usize, f64)]| WeightedGraph::from_edges(3, e).unwrap_err().to_string();
    assert_eq!(
        edges(&[]),
        "graph of 3 nodes: expected at least one edge, found none"
    );
    assert_eq!(
        edges(&[(0, 3, 1.0)]),
        "edge 0: expected nodes below 3, found (0, 3)"
    );
    assert_eq!(
        edges(&[(1, 1, 1.0)]),
        "edge (1, 1): expected two different nodes"
    );
    assert_eq!(
        edges(&[(0, 1, 1.0), (1, 0, 1.0)]),
        "edge (0, 1): expected each pair once, found it again"
    );
    assert_eq!(
        edges(&[(2, 1, f64::NAN)]),
        "edge (1, 2): expected a finite weight, found NaN"
    );
    let graph = WeightedGraph::from_edges(3, &[(0, 1, 1.0), (1, 2, 0.0)]).unwrap();
    let refusal = |weights| {
        BlockModel {
            weights,
            ..BlockModel::default()
        }
        .fit(&graph, &Streams::new(0), &Quiet)
        .map_err(|e| e.to_string())
    };
    assert_eq!(
        refusal(WeightModel::Exponential).unwrap_err(),
        "edge (1, 2): expected a weight above 0 (exponential model), found 0"
    );
    assert!(refusal(WeightModel::Poisson).is_ok() && refusal(WeightModel::Normal).is_ok());

    let matrix = |m: Array2<f64>| WeightedGraph::from_matrix(m.view(), None, 1e-3);
    let good = matrix(array![[9.0, 1.0, 0.0], [1.0, 9.0, 5e-4], [0.0, 5e-4, 9.0]]).unwrap();
    assert_eq!(good.edges().collect::<Vec<_>>(), [(0, 1, 1.0)]);
    assert_eq!(
        matrix(array![[0.0, 1.0], [2.0, 0.0]])
            .unwrap_err()
            .to_string(),
        "weights[0, 1]: expected 2 as in weights[1, 0], found 1"
    );
    assert!(matrix(array![[0.0, f64::NAN], [f64::NAN, 0.0]]).is_err());
    assert!(matrix(array![[0.0, -1.0], [-1.0, 0.0]]).is_err());
    assert!(matrix(Array2::zeros((2, 3))).is_err() && matrix(Array2::zeros((2, 2))).is_err());
    // A pair never seen together is dropped unread.
    let weights = array![[0.0, f64::NAN, 1.0], [f64::NAN, 0.0, 1.0], [1.0, 1.0, 0.0]];
    let seen = weights.mapv(|w: f64| !w.is_nan());
    let graph = WeightedGraph::from_matrix(weights.view(), Some(seen.view()), 1e-3).unwrap();
    assert_eq!(graph.n_edges(), 2);
    assert!(
        BlockModel {
            restarts: 0,
            ..BlockModel::default()
        }
        .validate()
        .is_err()
    );
}

/// Two groups of six, joined completely: weights near 1 within and near `between` across, with a scatter of 10 %.
fn scattered(between: f64) -> WeightedGraph {
    let mut rng = Streams::new(8).stream("scattered");
    let mut edges = Vec::new();
    for a in 0..12 {
        for b in a + 1..12 {
            let scale = if (a < 6) == (b < 6) { 1.0 } else { between };
            edges.push((a, b, scale * (0.2 * (rng.random::<f64>() - 0.5)).exp()));
        }
    }
    WeightedGraph::from_edges(12, &edges).unwrap()
}

#[test]
fn log_normal_is_normal_on_logarithms_and_pays_for_the_change_of_variable() {
    let graph = scattered(0.6);
    let logs = graph.map_weights(f64::ln);
    let labels = vec![(0..12).map(|i| i / 6).collect::<Vec<usize>>()];
    let of = |graph, model| {
        description_length(graph, &labels, model, false)
            .unwrap()
            .total()
    };
    let jacobian: f64 = graph.edges().map(|e| e.2.ln()).sum();
    let expected = of(&logs, WeightModel::Normal) + jacobian;
    assert!((of(&graph, WeightModel::LogNormal) - expected).abs() < 1e-9);
    // Another unit of weight changes every density alike: the evidence between partitions stays.
    let scaled = graph.map_weights(|w| 7.0 * w);
    let one = [vec![0usize; 12]];
    let gain = |graph| {
        description_length(graph, &one, WeightModel::LogNormal, false)
            .unwrap()
            .total()
            - of(graph, WeightModel::LogNormal)
    };
    assert!((gain(&graph) - gain(&scaled)).abs() < 1e-9);
}

#[test]
fn the_weight_model_is_chosen_by_the_length_of_the_description() {
    let fit = |graph: &WeightedGraph, weights| {
        let model = BlockModel {
            weights,
            restarts: 2,
            ..BlockModel::default()
        };
        model.fit(graph, &Streams::new(3), &Quiet).unwrap()
    };
    // Weights that scatter little around two scales: an exponential is too wide to tell 1 from 0.6.
    let graph = scattered(0.6);
    let exponential = fit(&graph, WeightModel::Exponential);
    let auto = fit(&graph, WeightModel::Auto);
    assert_eq!((exponential.n_blocks(), auto.n_blocks()), (1, 2));
    assert_eq!(auto.weights, WeightModel::LogNormal);
    assert!(auto.description.total() < exponential.description.total());
    let log_normal = fit(&graph, WeightModel::LogNormal);
    assert_eq!(auto, log_normal);
    // Exponential weights are called so.
    let mut rng = Streams::new(5).stream("exponential");
    let edges: Vec<_> = graph
        .edges()
        .map(|(a, b, _)| (a, b, -(1.0 - rng.random::<f64>()).ln() + 1e-9))
        .collect();
    let graph = WeightedGraph::from_edges(12, &edges).unwrap();
    assert_eq!(
        fit(&graph, WeightModel::Auto).weights,
        WeightModel::Exponential
    );
    // Equal weights have no log-normal, and are no error.
    let equal = graph.map_weights(|_| 2.0);
    assert_eq!(
        fit(&equal, WeightModel::Auto).weights,
        WeightModel::Exponential
    );
}
