use chiasm_core::Streams;
use chiasm_core::stats::{mean, pearson};

use super::*;

/// The nine settings of card 01 without their seeds: `(beta, mu_topology, mean degree, mu_weight)`.
const CARD: [(f64, f64, f64, f64); 8] = [
    (0.5, 0.5, 25.0, 0.5),
    (1.0, 0.5, 25.0, 0.5),
    (2.0, 0.5, 25.0, 0.5),
    (2.0, 0.25, 25.0, 0.5),
    (2.0, 0.75, 25.0, 0.5),
    (2.0, 0.5, 10.0, 0.5),
    (2.0, 0.5, 25.0, 0.25),
    (2.0, 0.5, 25.0, 0.75),
];

fn settings((beta, mu_topology, mean_degree, mu_weight): (f64, f64, f64, f64)) -> Lfr {
    Lfr {
        mean_degree,
        mu_topology,
        mu_weight,
        beta,
        ..Lfr::default()
    }
}

#[test]
fn graphs_have_the_statistics_asked_for() {
    for card in CARD {
        let settings = settings(card);
        let (mut degree, mut mixing, mut weight_mixing, mut follows) =
            (vec![], vec![], vec![], vec![]);
        for seed in 10..23 {
            let graph = lfr(&settings, &mut Streams::new(seed).stream("lfr")).unwrap();
            let mut k = vec![0.0f64; graph.n_nodes];
            let mut strength = vec![0.0f64; graph.n_nodes];
            for pair in graph.edges.windows(2) {
                assert!((pair[0].0, pair[0].1) < (pair[1].0, pair[1].1));
            }
            for &(a, b, w) in &graph.edges {
                assert!(a < b && b < graph.n_nodes && w > 0.0 && w.is_finite());
                k[a] += 1.0;
                k[b] += 1.0;
                strength[a] += w;
                strength[b] += w;
            }
            assert!(k.iter().all(|&k| k <= settings.max_degree as f64));
            assert!(graph.n_communities() > 1);
            degree.push(mean(&k));
            mixing.push(graph.mixing());
            weight_mixing.push(graph.weight_mixing());
            let log = |x: &[f64]| x.iter().map(|v| v.max(1e-9).ln()).collect::<Vec<_>>();
            follows.push(pearson(&log(&k), &log(&strength)));
        }
        // 125 degrees of a power law with a heavy tail: their mean has a standard error of about 2 at k = 25.
        let (k, mu) = (mean(&degree), mean(&mixing));
        assert!(
            (k - card.2).abs() < 0.1 * card.2,
            "{card:?}: mean degree {k}"
        );
        assert!((mu - card.1).abs() < 0.03, "{card:?}: mixing {mu}");
        let mu = mean(&weight_mixing);
        assert!((mu - card.3).abs() < 0.1, "{card:?}: weight mixing {mu}");
        let r = mean(&follows);
        assert!(r > 0.9, "{card:?}: strength follows degree, r = {r}");
    }
}

#[test]
fn strengths_are_met_where_they_can_be() {
    // With beta = 1 and equal mixings every weight is near 1.
    let graph = lfr(
        &settings((1.0, 0.5, 25.0, 0.5)),
        &mut Streams::new(1).stream("lfr"),
    )
    .unwrap();
    let mut strength = vec![0.0f64; graph.n_nodes];
    let mut k = vec![0.0f64; graph.n_nodes];
    for &(a, b, w) in &graph.edges {
        for i in [a, b] {
            strength[i] += w;
            k[i] += 1.0;
        }
    }
    for (s, k) in strength.iter().zip(&k) {
        assert!((s - k).abs() < 0.02 * k.max(5.0), "{s} {k}");
    }
}

#[test]
fn degrees_follow_the_power_law() {
    let settings = Lfr {
        n_nodes: 4000,
        ..Lfr::default()
    };
    let k = degrees(&settings, &mut Streams::new(2).stream("degrees"));
    let as_f64: Vec<f64> = k.iter().map(|&k| k as f64).collect();
    assert!((mean(&as_f64) - 25.0).abs() < 1.0);
    // Twice the degree, a quarter as many per unit of degree: (20..40) holds as many per width as four of (40..80).
    let count = |from, to| k.iter().filter(|&&k| k >= from && k < to).count() as f64;
    let ratio = (count(20, 40) / 20.0) / (count(40, 80) / 40.0);
    assert!((ratio - 4.0).abs() < 0.6, "{ratio}");
}

#[test]
fn same_seed_same_graph_and_bad_settings_are_refused() {
    let draw = |seed| lfr(&Lfr::default(), &mut Streams::new(seed).stream("lfr")).unwrap();
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3).edges, draw(4).edges);
    let refused = |settings: Lfr| settings.validate().unwrap_err().field;
    assert_eq!(
        refused(Lfr {
            mu_topology: 1.5,
            ..Lfr::default()
        }),
        "mu_topology"
    );
    assert_eq!(
        refused(Lfr {
            mean_degree: 1.0,
            ..Lfr::default()
        }),
        "mean_degree"
    );
    assert_eq!(
        refused(Lfr {
            max_degree: 125,
            ..Lfr::default()
        }),
        "max_degree"
    );
    assert_eq!(
        refused(Lfr {
            beta: f64::NAN,
            ..Lfr::default()
        }),
        "beta"
    );
}
