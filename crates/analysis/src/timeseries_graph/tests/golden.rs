//! Measures against networkx 3.6.1 and edges against ts2vg 1.2.5 on graphs given by a formula.

use chiasm_core::{Quiet, Streams};

use crate::timeseries_graph::measures::{GraphMeasures, Measures, betweenness, rewired};
use crate::timeseries_graph::{Graph, Series, Visibility};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

fn series() -> Vec<f64> {
    (0..60)
        .map(|i| f64::from((i * 37) % 101 + (i * i) % 17))
        .collect()
}

fn of(graph: &Graph) -> GraphMeasures {
    let all = Measures {
        rewired: 0,
        ..Measures::default()
    };
    all.of(graph, &Streams::new(1), &Quiet).unwrap()
}

#[test]
fn natural_graph_as_networkx_measures_it() {
    let x = series();
    let m = of(&Visibility::default()
        .build(&Series::even(&x, 0.0, 1.0).unwrap())
        .unwrap());
    assert_eq!(
        (m.n_edges, m.max_degree, m.clustering.triangles),
        (136, 14, 102)
    );
    close(m.density, 0.0768361581920904);
    close(m.sd_degree, 2.7836826128150616);
    let paths = m.paths.unwrap();
    close(paths.mean, 3.283050847457627);
    assert_eq!((paths.diameter, paths.radius, paths.exact), (6, 3, true));
    close(paths.mean_eccentricity, 4.95);
    close(m.clustering.transitivity.unwrap(), 0.42917251051893407);
    close(m.clustering.mean_local, 0.7690153365153367);
    close(m.assortativity.unwrap(), 0.0650309885562506);
    let (most, mean) = m.betweenness.unwrap();
    close(most, 0.5758398040689094);
    close(mean, 0.03936294564582115);
    assert_eq!(m.components.n(), 1);
}

#[test]
fn horizontal_graph_as_networkx_measures_it() {
    let x = series();
    let m = of(&Visibility::horizontal()
        .build(&Series::even(&x, 0.0, 1.0).unwrap())
        .unwrap());
    assert_eq!((m.n_edges, m.max_degree), (109, 8));
    let paths = m.paths.unwrap();
    close(paths.mean, 4.190960451977401);
    assert_eq!((paths.diameter, paths.radius), (9, 5));
    close(m.clustering.transitivity.unwrap(), 0.3778337531486146);
    close(m.clustering.mean_local, 0.6454365079365078);
    close(m.assortativity.unwrap(), 0.1123743999378071);
    close(m.betweenness.unwrap().0, 0.5372978764854855);
}

/// Two components, of 20 and 10 nodes.
fn two_components() -> Graph {
    let mut edges = Vec::new();
    for i in 0..30usize {
        for j in i + 1..30 {
            if (i < 20) == (j < 20) && (i * j + 3 * i + 5 * j) % 7 < 2 {
                edges.push((i, j));
            }
        }
    }
    Graph::from_edges(30, &edges).unwrap()
}

#[test]
fn a_graph_of_two_components_as_networkx_measures_it() {
    let m = of(&two_components());
    assert_eq!(m.n_edges, 62);
    assert_eq!(m.components.sizes, [20, 10]);
    close(m.components.largest_share(), 2.0 / 3.0);
    let paths = m.paths.unwrap();
    // Within the larger component.
    close(paths.mean, 2.0);
    assert_eq!((paths.diameter, paths.radius), (4, 2));
    close(m.clustering.transitivity.unwrap(), 0.11020408163265306);
    close(m.clustering.mean_local, 0.11126984126984128);
    close(m.assortativity.unwrap(), 0.35160930043659333);
    let (most, mean) = m.betweenness.unwrap();
    close(most, 0.0607215034554936);
    close(mean, 0.019704433497536953);
}

#[test]
fn graphs_without_shape_have_no_measures_rather_than_nan() {
    let empty = Graph::from_edges(5, &[]).unwrap();
    let m = Measures::default()
        .of(&empty, &Streams::new(1), &Quiet)
        .unwrap();
    assert_eq!(m.paths, None);
    assert_eq!(m.clustering.transitivity, None);
    assert_eq!(m.assortativity, None);
    assert_eq!(m.communities, None);
    assert_eq!(m.small_world, None);
    assert_eq!(m.exponent, None);
    assert_eq!(m.components.n(), 5);
    // Regular: a ring.
    let ring = Graph::from_edges(6, &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)]).unwrap();
    let m = Measures::default()
        .of(&ring, &Streams::new(1), &Quiet)
        .unwrap();
    assert_eq!(m.assortativity, None);
    assert_eq!(m.small_world, None);
    close(m.paths.unwrap().mean, 1.8);
    assert!(Graph::from_edges(3, &[(0, 3)]).is_err());
    assert!(Graph::from_edges(3, &[(1, 1)]).is_err());
    // Listed twice and turned around: one edge.
    assert_eq!(
        Graph::from_edges(3, &[(2, 1), (1, 2)]).unwrap().n_edges(),
        1
    );
}

#[test]
fn drawn_sources_stand_for_all() {
    let x: Vec<f64> = (0..4000).map(|i| f64::from((i * 7919) % 4001)).collect();
    let graph = Visibility::default()
        .build(&Series::even(&x, 0.0, 1.0).unwrap())
        .unwrap();
    let exact = of_effort(&graph, usize::MAX);
    let drawn = of_effort(&graph, 500);
    let (e, d) = (exact.paths.unwrap(), drawn.paths.unwrap());
    assert!(e.exact && !d.exact);
    assert!(
        (e.mean - d.mean).abs() < 0.05 * e.mean,
        "{} {}",
        e.mean,
        d.mean
    );
    assert!(d.diameter <= e.diameter && d.radius >= e.radius);
    let (e, d) = (exact.betweenness.unwrap(), drawn.betweenness.unwrap());
    assert!((e.0 - d.0).abs() < 0.1 * e.0, "{e:?} {d:?}");
}

fn of_effort(graph: &Graph, sources: usize) -> GraphMeasures {
    let all = Measures {
        path_sources: sources,
        betweenness_sources: sources,
        rewired: 0,
        communities: false,
        ..Measures::default()
    };
    all.of(graph, &Streams::new(2), &Quiet).unwrap()
}

#[test]
fn long_paths_are_followed_in_time_that_grows_with_their_length() {
    let ramp: Vec<f64> = (0..100_000).map(f64::from).collect();
    let graph = Visibility::default()
        .build(&Series::even(&ramp, 0.0, 1.0).unwrap())
        .unwrap();
    let m = Measures {
        path_sources: 64,
        betweenness_sources: 8,
        communities: false,
        rewired: 0,
        ..Measures::default()
    };
    let m = m.of(&graph, &Streams::new(3), &Quiet).unwrap();
    let paths = m.paths.unwrap();
    assert!(
        paths.diameter > 90_000 && paths.radius >= 50_000,
        "{paths:?}"
    );
}

#[test]
fn rewiring_keeps_degrees_and_destroys_triangles() {
    let x = series();
    let graph = Visibility::default()
        .build(&Series::even(&x, 0.0, 1.0).unwrap())
        .unwrap();
    let random = rewired(&graph, 20, &mut Streams::new(4).stream("rewired"));
    assert_eq!(random.degrees(), graph.degrees());
    assert_ne!(random, graph);
    let edges: std::collections::BTreeSet<_> = random.edges().collect();
    assert_eq!(edges.len(), graph.n_edges());
    assert!(of(&random).clustering.triangles < 60);
    let m = Measures::default()
        .of(&graph, &Streams::new(5), &Quiet)
        .unwrap();
    assert!(m.small_world.unwrap().sigma() > 1.5);
    let (modularity, n) = m.communities.unwrap();
    assert!(modularity > 0.4 && n > 2, "{modularity} {n}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let x: Vec<f64> = (0..3000).map(|i| f64::from((i * 7919) % 3001)).collect();
    let graph = Visibility::default()
        .build(&Series::even(&x, 0.0, 1.0).unwrap())
        .unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut rng = Streams::new(6).stream("b");
            let sums = betweenness(&graph.adjacency(), 100, &mut rng, &Quiet).unwrap();
            (of_effort(&graph, 200), sums)
        })
    };
    assert_eq!(on(1), on(4));
}
