//! Visibility graphs against their definition, pair by pair.

use chiasm_core::Streams;
use proptest::prelude::*;
use rand::RngExt;

use crate::timeseries_graph::measures::{
    components, degree_distribution, degree_exponent, mean_degree,
};
use crate::timeseries_graph::{
    Direction, Graph, Series, Sight, TimeseriesGraphError, Visibility, VisibilityStream, Weight,
    irreversibility,
};

fn even(x: &[f64]) -> Series<'_> {
    Series::even(x, 0.0, 1.0).unwrap()
}

fn natural(x: &[f64]) -> Graph {
    Visibility::default().build(&even(x)).unwrap()
}

fn horizontal(x: &[f64]) -> Graph {
    Visibility::horizontal().build(&even(x)).unwrap()
}

fn sorted(graph: &Graph) -> Vec<(usize, usize)> {
    let mut edges: Vec<_> = graph.edges().collect();
    edges.sort_unstable();
    edges
}

/// The definition, on whole numbers: exact.
fn plain(t: &[i64], x: &[i64], sight: Sight, penetrable: usize) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            let hides = |k: &usize| match sight {
                Sight::Horizontal => x[*k] >= x[i].min(x[j]),
                Sight::Natural => {
                    // x_k >= x_j + (x_i - x_j) (t_j - t_k) / (t_j - t_i)
                    (x[*k] - x[j]) * (t[j] - t[i]) >= (x[i] - x[j]) * (t[j] - t[*k])
                }
            };
            if (i + 1..j).filter(hides).count() <= penetrable {
                edges.push((i, j));
            }
        }
    }
    edges
}

#[test]
fn the_cards_examples() {
    let x = [0.87, 0.49, 0.36, 0.83, 0.87];
    let expected = [
        (0, 1),
        (0, 2),
        (0, 3),
        (0, 4),
        (1, 2),
        (1, 3),
        (2, 3),
        (3, 4),
    ];
    assert_eq!(sorted(&natural(&x)), expected);
    let ramp: Vec<f64> = (0..10).map(f64::from).collect();
    assert_eq!(natural(&ramp).n_edges(), 9);
    let saw = [2.0, 1.0, 3.0].repeat(4);
    assert_eq!(natural(&saw).n_edges(), 18);
}

#[test]
fn convex_and_concave_series_are_complete_and_paths() {
    let bowl: Vec<f64> = (0..60).map(|i| f64::from((i - 30) * (i - 30))).collect();
    assert_eq!(natural(&bowl).n_edges(), 60 * 59 / 2);
    let hill: Vec<f64> = bowl.iter().map(|v| -v).collect();
    assert_eq!(natural(&hill).n_edges(), 59);
    let flat = [3.0; 50];
    assert_eq!(natural(&flat).n_edges(), 49);
    assert_eq!(horizontal(&flat).n_edges(), 49);
}

#[test]
fn a_graph_beyond_the_limit_is_refused_before_it_is_built() {
    let bowl: Vec<f64> = (0..100_000).map(|i| f64::from(i).powi(2)).collect();
    let small = Visibility {
        max_edges: 1_000_000,
        ..Visibility::default()
    };
    let error = small.build(&even(&bowl)).unwrap_err();
    assert!(
        matches!(error, TimeseriesGraphError::TooManyEdges { limit: 1_000_000, done, n: 100_000 } if done < 2000),
        "{error}"
    );
    for sight in [Sight::Natural, Sight::Horizontal] {
        let one = Visibility {
            sight,
            penetrable: 1,
            max_edges: 50,
        };
        assert!(one.build(&even(&bowl[..100])).is_err());
    }
}

#[test]
fn horizontal_graph_of_noise() {
    let mut rng = Streams::new(3).stream("noise");
    let x: Vec<f64> = (0..20_000).map(|_| rng.random()).collect();
    let graph = horizontal(&x);
    // 2 n - 3 edges less what the ends do not see: 4 (1 - 1 / (2 n)) in the limit.
    assert!(
        (mean_degree(&graph) - 4.0).abs() < 0.006,
        "{}",
        mean_degree(&graph)
    );
    let p = degree_distribution(&graph);
    for (k, share) in p.iter().enumerate().take(6).skip(2) {
        let exact = (2.0f64 / 3.0).powi(k as i32 - 2) / 3.0;
        // Four standard errors of a share at this n are 0.013; neighbours' degrees are correlated.
        assert!((share - exact).abs() < 0.0135, "P({k}) = {share}, {exact}");
    }
    let (lambda, error) = degree_exponent(&graph, 3).unwrap();
    assert!(
        (lambda - 1.5f64.ln()).abs() < 4.0 * error.max(0.004),
        "{lambda} +- {error}"
    );
}

#[test]
fn horizontal_graph_of_a_period() {
    // Without repeated values within a period, the mean degree is 4 (1 - 1 / (2 T)).
    for (period, values) in [
        (2, vec![1.0, 2.0]),
        (3, vec![2.0, 1.0, 3.0]),
        (5, vec![1.0, 4.0, 2.0, 3.0, 5.0]),
    ] {
        let x = values.repeat(4000);
        let expected = 4.0 * (1.0 - 0.5 / f64::from(period));
        assert!(
            (mean_degree(&horizontal(&x)) - expected).abs() < 1e-3,
            "{period}"
        );
    }
}

#[test]
fn natural_graph_of_noise() {
    let mut rng = Streams::new(4).stream("noise");
    let x: Vec<f64> = (0..3000).map(|_| rng.random()).collect();
    assert!((mean_degree(&natural(&x)) - 5.5).abs() < 0.2);
}

#[test]
fn a_ramp_and_noise_of_a_million_samples_are_quick() {
    // Bounded by the counts, not by a clock: a step back per edge, and one more per sample.
    let ramp: Vec<f64> = (0..1_000_000).map(f64::from).collect();
    assert_eq!(natural(&ramp).n_edges(), 999_999);
    // The steps of 0.1 i are rounded: nearly, but not quite, on one line.
    let rounded: Vec<f64> = (0..300_000).map(|i| 0.1 * f64::from(i)).collect();
    assert!(natural(&rounded).n_edges() >= 299_999);
    let mut rng = Streams::new(5).stream("noise");
    let x: Vec<f64> = (0..1_000_000).map(|_| rng.random()).collect();
    let graph = natural(&x);
    assert!(
        (mean_degree(&graph) - 5.7).abs() < 0.3,
        "{}",
        mean_degree(&graph)
    );
}

#[test]
fn bad_series_are_refused_by_name() {
    let short = Series::even(&[1.0], 0.0, 1.0).unwrap_err();
    assert_eq!(short.to_string(), "samples: expected at least 2, found 1");
    let nan = Series::even(&[1.0, 2.0, f64::NAN], 0.0, 1.0).unwrap_err();
    assert_eq!(
        nan.to_string(),
        "value, index 2: expected a finite value, found NaN"
    );
    assert!(Series::even(&[1.0, f64::INFINITY], 0.0, 1.0).is_err());
    assert!(Series::even(&[1.0, 1e300], 0.0, 1.0).is_err());
    assert!(Series::even(&[1.0, 2.0], 0.0, 0.0).is_err());
    let order = Series::timed(&[1.0, 2.0, 3.0], &[0.0, 2.0, 1.0]).unwrap_err();
    assert!(order.to_string().contains("index 2"), "{order}");
    assert!(Series::timed(&[1.0, 2.0], &[0.0, f64::NAN]).is_err());
    assert!(Series::timed(&[1.0, 2.0], &[0.0]).is_err());
    let mut stream = VisibilityStream::new(Sight::Natural, 10);
    assert!(stream.push(0.0, f64::NAN).is_err());
    stream.push(0.0, 1.0).unwrap();
    assert!(stream.push(0.0, 1.0).is_err());
    // A refused sample leaves the stream as it was.
    assert_eq!(stream.push(1.0, 2.0).unwrap(), [0]);
}

#[test]
fn weights_and_directions() {
    let x = [0.0, 3.0, 1.0];
    let series = Series::timed(&x, vec![0.0, 4.0, 5.0]).unwrap();
    let of = |w: Weight| w.of(&series, 0, 1);
    assert_eq!(of(Weight::Distance), 5.0);
    assert_eq!(of(Weight::SquaredDistance), 25.0);
    assert_eq!(of(Weight::Rise), 3.0);
    assert_eq!(of(Weight::Span), 4.0);
    assert_eq!(of(Weight::Slope), 0.75);
    assert_eq!(Weight::Slope.of(&series, 1, 2), -2.0);
    assert_eq!(Weight::AbsSlope.of(&series, 1, 2), 2.0);
    assert_eq!(Weight::AbsRise.of(&series, 1, 2), 2.0);
    assert_eq!(Weight::Angle.of(&series, 1, 2), (-2.0f64).atan());
    let graph = Visibility::default().build(&series).unwrap();
    assert_eq!(Weight::One.all(&graph, &series), [1.0, 1.0]);
    let time = Direction::Time.targets(&graph, &series);
    assert_eq!(
        (time.of(0), time.of(1), time.of(2)),
        (&[1][..], &[2][..], &[][..])
    );
    let descent = Direction::Descent.targets(&graph, &series);
    assert_eq!(descent.of(1), [0, 2]);
    assert_eq!(Direction::None.targets(&graph, &series), graph.adjacency());
}

#[test]
fn a_sawtooth_is_irreversible_and_noise_is_not() {
    let mut rng = Streams::new(6).stream("noise");
    let noise: Vec<f64> = (0..50_000).map(|_| rng.random()).collect();
    let saw: Vec<f64> = (0..50_000)
        .map(|i| f64::from(i % 7) + 0.5 * rng.random::<f64>())
        .collect();
    assert!(irreversibility(&horizontal(&noise)) < 0.002);
    assert!(irreversibility(&horizontal(&saw)) > 0.1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn edges_are_those_of_the_definition(
        steps in proptest::collection::vec((1i64..4, -6i64..7), 2..60),
        penetrable in 0usize..4,
        even_steps in any::<bool>(),
    ) {
        let mut t = 0;
        let (mut times, mut x) = (vec![], vec![]);
        for (k, (step, value)) in steps.iter().enumerate() {
            t += if even_steps { 1 } else { *step };
            times.push(t);
            x.push(if k % 5 == 0 { 2 * value } else { *value });
        }
        let values: Vec<f64> = x.iter().map(|v| *v as f64).collect();
        let clock: Vec<f64> = times.iter().map(|v| *v as f64).collect();
        for sight in [Sight::Natural, Sight::Horizontal] {
            let method = Visibility { sight, penetrable, ..Visibility::default() };
            let series = Series::timed(&values, &clock).unwrap();
            let found = method.build(&series).unwrap();
            prop_assert_eq!(sorted(&found), plain(&times, &x, sight, penetrable));
            for j in 0..values.len() {
                prop_assert!(found.earlier(j).is_sorted_by(|a, b| a > b));
            }
            if even_steps {
                prop_assert_eq!(&found, &method.build(&even(&values)).unwrap());
            }
            if penetrable == 0 {
                let mut stream = VisibilityStream::new(sight, 1_000_000);
                for (t, v) in clock.iter().zip(&values) {
                    stream.push(*t, *v).unwrap();
                }
                prop_assert_eq!(&found, &stream.graph());
            }
        }
    }

    #[test]
    fn maps_that_keep_lines_keep_the_graph(
        x in proptest::collection::vec(-1000i32..1000, 2..200),
        factor in 1u32..100, shift in -1000i32..1000, power in -300i32..300,
    ) {
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();
        let own = natural(&x);
        // Whole numbers: these maps are exact.
        let mapped: Vec<f64> = x.iter().map(|v| v * f64::from(factor) + f64::from(shift)).collect();
        prop_assert_eq!(&own, &natural(&mapped));
        // Also far from 1, where products would leave the range of numbers.
        let small: Vec<f64> = x.iter().map(|v| v * 2f64.powi(power)).collect();
        prop_assert_eq!(&own, &natural(&small));
        prop_assert_eq!(&own, &Visibility::default().build(&Series::even(&x, -3.0, 0.25).unwrap()).unwrap());
        // Connected, with the path of neighbours in time.
        prop_assert_eq!(components(&own.adjacency()).n(), 1);
        prop_assert!((1..x.len()).all(|j| own.earlier(j)[0] as usize == j - 1));
        // A horizontal line of sight is free along the straight one, too.
        let flat = horizontal(&x);
        for j in 0..x.len() {
            prop_assert!(flat.earlier(j).iter().all(|i| own.earlier(j).contains(i) ));
        }
    }

    #[test]
    fn long_series_agree_with_the_definition_where_blocks_are_stepped_over(
        seed in 0u64..1000, penetrable in 1usize..4, bent in any::<bool>(),
    ) {
        let mut rng = Streams::new(seed).stream("long");
        let bend = |i: i64| if bent { (i - 300) * (i - 300) / 40 } else { -(i - 300) * (i - 300) / 40 };
        let x: Vec<i64> = (0..600).map(|i| bend(i) + rng.random_range(0..40)).collect();
        let t: Vec<i64> = (0..600).collect();
        let values: Vec<f64> = x.iter().map(|v| *v as f64).collect();
        if seed % 10 == 0 {
            for sight in [Sight::Natural, Sight::Horizontal] {
                let method = Visibility { sight, penetrable, ..Visibility::default() };
                prop_assert_eq!(sorted(&method.build(&even(&values)).unwrap()), plain(&t, &x, sight, penetrable));
            }
        }
    }
}
