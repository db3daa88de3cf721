//! Cycle, window and recurrence networks, layouts, series measures, channels.

use std::f64::consts::TAU;

use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::{CerebralFlow, Rhythm, cerebral_flow};
use rand::RngExt;

use crate::timeseries_graph::measures::{clustering, density, paths};
use crate::timeseries_graph::{
    CycleNetwork, Graph, Lag, Layout, Link, Picture, Recurrence, Series, SeriesMeasures, Start,
    TimeseriesGraphError, Visibility, WindowNetwork, autocorrelation, first_minimum, multiplex,
};

fn even(x: &[f64], step_s: f64) -> Series<'_> {
    Series::even(x, 0.0, step_s).unwrap()
}

fn sine(n: usize, period: f64) -> Vec<f64> {
    (0..n).map(|i| (TAU * i as f64 / period).sin()).collect()
}

fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = Streams::new(seed).stream("noise");
    (0..n).map(|_| rng.random()).collect()
}

#[test]
fn beats_of_two_shapes_make_two_groups() {
    // Every third beat rises first and falls then; the others the other way round. Beats differ in length and height.
    let (mut x, mut onsets) = (Vec::new(), vec![0.0]);
    for k in 0..30usize {
        let n = 20 + k % 5;
        for i in 0..n {
            let up = (TAU * i as f64 / n as f64).sin();
            x.push((1.0 + k as f64) * if k % 3 == 0 { up } else { -up } + 5.0);
        }
        onsets.push(x.len() as f64 * 0.1);
    }
    x.push(5.0);
    let method = CycleNetwork {
        skip_s: 0.0,
        ..CycleNetwork::default()
    };
    let found = method.build(&even(&x, 0.1), &onsets, &Quiet).unwrap();
    assert_eq!(found.graph.n_nodes(), 30);
    assert!(
        found
            .graph
            .edges()
            .all(|(i, j)| (i % 3 == 0) == (j % 3 == 0))
    );
    assert_eq!(found.graph.n_edges(), 10 * 9 / 2 + 20 * 19 / 2);
    assert_eq!(found.times_s[1], 2.0);
    assert!(found.mean_span_s().unwrap() > 0.0);
    let late = CycleNetwork {
        skip_s: 10.0,
        max_beats: 12,
        ..CycleNetwork::default()
    };
    let late = late.build(&even(&x, 0.1), &onsets, &Quiet).unwrap();
    assert_eq!(late.graph.n_nodes(), 12);
    assert!(late.times_s[0] >= 10.0);
}

#[test]
fn cycle_networks_refuse_by_name() {
    let x = sine(1000, 20.0);
    let build = |x: &[f64], onsets: &[f64]| {
        let method = CycleNetwork {
            skip_s: 0.0,
            ..CycleNetwork::default()
        };
        method
            .build(&even(x, 0.1), onsets, &Quiet)
            .unwrap_err()
            .to_string()
    };
    let few: Vec<f64> = (0..10).map(|k| 2.0 * f64::from(k)).collect();
    assert_eq!(build(&x, &few), "beats: expected at least 10, found 9");
    assert!(build(&x, &[0.0, 200.0]).starts_with("onset 1: expected a time from 0 to 99.9"));
    assert!(build(&x, &[1.0, 1.0]).contains("index 1"));
    assert!(build(&x, &[1.0, 1.02]).starts_with("beat 0: expected at least 2 samples"));
    assert!(build(&x, &[f64::NAN]).starts_with("onset 0"));
    let many: Vec<f64> = (0..40).map(|k| 2.0 * f64::from(k)).collect();
    assert!(build(&[1.0; 1000], &many).starts_with("the series is constant (1)"));
}

#[test]
fn windows_of_a_period_are_all_alike_and_of_noise_are_not() {
    let method = WindowNetwork::default();
    let periodic = method
        .build(&even(&sine(2000, 16.0), 0.05), &Quiet)
        .unwrap();
    assert_eq!(periodic.graph.n_nodes(), 125);
    assert_eq!(density(&periodic.graph), 1.0);
    let random = method.build(&even(&noise(2000, 1), 0.05), &Quiet).unwrap();
    assert!(density(&random.graph) < 0.01);
    // Windows that overlap correlate by themselves.
    let sliding = WindowNetwork {
        window_s: 3.2,
        step_s: 0.05,
        ..method.clone()
    };
    let walk: Vec<f64> = noise(2000, 2)
        .iter()
        .scan(0.0, |s, v| {
            *s += v - 0.5;
            Some(*s)
        })
        .collect();
    let chain = sliding.build(&even(&walk, 0.05), &Quiet).unwrap();
    let next = (1..chain.graph.n_nodes())
        .filter(|j| chain.graph.earlier(*j).first() == Some(&(*j as u32 - 1)));
    // Of this walk's neighbouring windows four in five correlate; of noise, above, less than one in a hundred.
    assert!(next.count() > 1300);
    assert!(method.build(&even(&noise(100, 1), 0.05), &Quiet).is_err());
    assert!(method.build(&even(&noise(100, 1), 0.5), &Quiet).is_err());
    let uneven = Series::timed(&[1.0, 2.0, 0.0], vec![0.0, 1.0, 5.0]).unwrap();
    let error = method.build(&uneven, &Quiet).unwrap_err();
    assert!(
        matches!(error, TimeseriesGraphError::Uneven { .. }),
        "{error}"
    );
}

/// The definition, pair by pair.
fn plain(x: &[f64], dimension: usize, lag: usize, distance: f64) -> Vec<(usize, usize)> {
    let (mean, sd) = (chiasm_core::stats::mean(x), chiasm_core::stats::sd(x, 0));
    let z: Vec<f64> = x.iter().map(|v| (v - mean) / sd).collect();
    let n = x.len() - (dimension - 1) * lag;
    let gap = |i: usize, j: usize| {
        (0..dimension)
            .map(|d| (z[i + d * lag] - z[j + d * lag]).abs())
            .fold(0.0, f64::max)
    };
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    pairs.filter(|&(i, j)| gap(i, j) <= distance).collect()
}

#[test]
fn recurrence_by_distance_density_and_neighbours() {
    let x = noise(300, 3);
    let series = even(&x, 0.1);
    let sorted = |g: &Graph| {
        let mut edges: Vec<_> = g.edges().collect();
        edges.sort_unstable();
        edges
    };
    let by = |link: Link| {
        let method = Recurrence {
            link,
            ..Recurrence::default()
        };
        method.build(&series, &Quiet).unwrap()
    };
    let near = by(Link::Distance(0.7));
    assert_eq!((near.lag, near.timed.graph.n_nodes()), (2, 296));
    assert_eq!(sorted(&near.timed.graph), plain(&x, 3, 2, 0.7));
    // As many edges as asked for, and those at the very distance of the last: a gap of two samples is the distance of up
    // to three pairs of states.
    let dense = by(Link::Density(0.05));
    let expected = (0.05f64 * 296.0 * 295.0 / 2.0).ceil() as usize;
    let enough = expected..expected + 3;
    assert!(enough.contains(&dense.timed.graph.n_edges()));
    assert_eq!(
        sorted(&dense.timed.graph),
        plain(&x, 3, 2, dense.distance.unwrap())
    );
    let nearest = by(Link::Nearest(3));
    assert!(nearest.timed.graph.degrees().iter().all(|d| *d >= 3));
    let apart = Recurrence {
        theiler: 5,
        ..Recurrence::default()
    };
    let apart = apart.build(&series, &Quiet).unwrap();
    assert!(apart.timed.graph.edges().all(|(i, j)| j - i >= 5));
    assert!(enough.contains(&apart.timed.graph.n_edges()));
}

#[test]
fn density_finds_its_distance_among_ties() {
    // Whole numbers: many equal distances, of which all or none are within.
    let x: Vec<f64> = (0..200).map(|i| f64::from((i * 37) % 11)).collect();
    let found = Recurrence::default().build(&even(&x, 0.2), &Quiet).unwrap();
    assert!(density(&found.timed.graph) >= 0.05);
    let mut edges: Vec<_> = found.timed.graph.edges().collect();
    edges.sort_unstable();
    assert_eq!(edges, plain(&x, 3, 1, found.distance.unwrap()));
}

#[test]
fn recurrence_refuses_by_name() {
    let x = noise(100, 4);
    let with = |change: fn(&mut Recurrence)| {
        let mut method = Recurrence::default();
        change(&mut method);
        method
            .build(&even(&x, 0.1), &Quiet)
            .unwrap_err()
            .to_string()
    };
    assert!(with(|m| m.link = Link::Density(1.0)).contains("density"));
    assert!(with(|m| m.link = Link::Nearest(0)).contains("nearest"));
    assert!(with(|m| m.link = Link::Nearest(100)).contains("at most"));
    assert!(with(|m| m.dimension = 0).contains("dimension"));
    assert!(with(|m| m.lag = Lag::Seconds(100.0)).contains("states"));
    let memory = with(|m| m.max_bytes = 1000);
    assert_eq!(
        memory,
        "96 nodes: a matrix of all pairs takes 1152 bytes, above the limit of 1000"
    );
    assert!(
        with(|m| (m.link, m.max_bytes) = (Link::Distance(9.0), 1200))
            .contains("more than 300 edges")
    );
    let constant = Recurrence::default()
        .build(&even(&[2.0; 50], 0.1), &Quiet)
        .unwrap_err();
    assert!(
        constant
            .to_string()
            .starts_with("the series is constant (2)")
    );
}

#[test]
fn mutual_information_of_a_sine_is_least_at_a_quarter_period() {
    let mut rng = Streams::new(5).stream("noise");
    let x: Vec<f64> = sine(5000, 40.0)
        .iter()
        .map(|v| v + 0.2 * rng.random::<f64>())
        .collect();
    let lag = first_minimum(&x, 100).unwrap();
    assert!((8..=12).contains(&lag), "{lag}");
    assert_eq!(first_minimum(&[1.0, 2.0], 10), None);
}

#[test]
fn layouts_tell_chains_from_balls() {
    let chain = Graph::from_edges(100, &(1..100).map(|j| (j - 1, j)).collect::<Vec<_>>()).unwrap();
    let mut rng = Streams::new(6).stream("edges");
    let random: Vec<_> = (0..400)
        .map(|_| (rng.random_range(0..50), rng.random_range(50..100)))
        .collect();
    let ball = Graph::from_edges(100, &random).unwrap();
    for start in [Start::Pivots, Start::Random] {
        let layout = Layout {
            start,
            ..Layout::default()
        };
        let of = |g: &Graph| layout.of(g, &Streams::new(7), &Quiet).unwrap();
        let (long, round) = (of(&chain), of(&ball));
        assert!(round.elongation() < 1.4, "{start:?} {}", round.elongation());
        // From anywhere a chain stays tangled, but is still longer than a ball.
        let least = if start == Start::Pivots { 5.0 } else { 1.2 };
        assert!(long.elongation() > least, "{start:?} {}", long.elongation());
        assert_eq!(of(&ball), round);
        assert!(long.xy.iter().flatten().all(|v| v.is_finite()));
    }
    let picture = Picture {
        nodes: vec![0, 1, 2, 3],
        xy: vec![[-2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, -1.0]],
    };
    assert!((picture.elongation() - 2.0).abs() < 1e-12);
    let small = Layout {
        max_nodes: 50,
        ..Layout::default()
    };
    assert!(small.of(&chain, &Streams::new(1), &Quiet).is_err());
    let apart = Graph::from_edges(4, &[(0, 1)]).unwrap();
    assert!(
        Layout::default()
            .of(&apart, &Streams::new(1), &Quiet)
            .is_err()
    );
}

#[test]
fn series_measures_of_a_sine_of_noise_and_of_a_decay() {
    let step = 0.01;
    let x = sine(40_000, 80.0);
    let m = SeriesMeasures::of(&even(&x, step), 0.8).unwrap();
    // Biased: a cycle of 500 is missing at a lag of one.
    assert!((m.at_one_cycle - (1.0 - 1.0 / 500.0)).abs() < 1e-3, "{m:?}");
    assert_eq!(m.decorrelation_s, None);
    assert!(m.peak_fraction > 0.5, "{m:?}");
    assert_eq!(m.variation.map(|v| v > 100.0), Some(true));
    let m = SeriesMeasures::of(&even(&noise(40_000, 8), step), 0.8).unwrap();
    assert!(m.at_one_cycle < 0.03 && m.peak_fraction < 0.01, "{m:?}");
    assert!(m.decorrelation_s.unwrap() < 0.8);
    // A slow first-order process of time constant 5 s decays to 1/e at 5 s.
    let mut state = 0.0;
    let slow: Vec<f64> = noise(400_000, 9)
        .iter()
        .map(|v| {
            state += -state * step / 5.0 + (v - 0.5);
            state
        })
        .collect();
    let m = SeriesMeasures::of(&even(&slow, step), 0.2).unwrap();
    assert!((m.decorrelation_s.unwrap() - 5.0).abs() < 0.7, "{m:?}");
    let r = autocorrelation(&[1.0, 2.0, 3.0]);
    assert!((r[0] - 1.0).abs() < 1e-12 && r[1].abs() < 1e-12 && (r[2] + 0.5).abs() < 1e-12);
    assert!(SeriesMeasures::of(&even(&[1.0; 100], 0.1), 0.8).is_err());
    assert!(SeriesMeasures::of(&even(&x, step), 1e6).is_err());
    assert!(SeriesMeasures::of(&even(&x, step), f64::NAN).is_err());
}

#[test]
fn channels_that_are_equal_share_everything() {
    let (a, b) = (noise(5000, 10), noise(5000, 11));
    let graph = |x: &[f64]| Visibility::horizontal().build(&even(x, 1.0)).unwrap();
    let same = multiplex(&[graph(&a), graph(&a)]).unwrap();
    assert_eq!(same.edge_overlap, 1.0);
    let entropy = same.degree_information[0][0];
    assert!((same.mean_information() - entropy).abs() < 1e-12 && entropy > 1.0);
    let other = multiplex(&[graph(&a), graph(&b)]).unwrap();
    // The path of neighbours in time is in both.
    assert!(
        other.edge_overlap < 0.85 && other.edge_overlap > 0.5,
        "{}",
        other.edge_overlap
    );
    assert!(other.mean_information() < 0.05);
    assert!(multiplex(&[graph(&a)]).is_err());
    assert!(multiplex(&[graph(&a), graph(&b[..100])]).is_err());
}

#[test]
fn planted_rhythms_are_told_apart_by_their_cycle_networks() {
    let network = |rhythm: Rhythm, site: usize| {
        let planted = CerebralFlow {
            rhythm,
            ..CerebralFlow::default()
        };
        let truth = cerebral_flow(&planted, &Streams::new(12)).unwrap();
        let last = truth.pressure[0].len() as f64 * truth.step_s - truth.step_s;
        let onsets: Vec<f64> = truth
            .onsets_s
            .iter()
            .copied()
            .filter(|t| *t <= last)
            .collect();
        let series = even(&truth.pressure[site], truth.step_s);
        CycleNetwork::default()
            .build(&series, &onsets, &Quiet)
            .unwrap()
            .graph
    };
    let drop = |rhythm| density(&network(rhythm, 0)) - density(&network(rhythm, 3));
    assert!(drop(Rhythm::Sinus) < 0.06);
    assert!(drop(Rhythm::Fibrillation) > 0.3);
    let random = network(Rhythm::Fibrillation, 3).adjacency();
    let component = crate::timeseries_graph::measures::components(&random).largest_nodes();
    let mut rng = Streams::new(1).stream("sources");
    assert!(
        paths(&random, &component, 1000, &mut rng, &Quiet)
            .unwrap()
            .unwrap()
            .mean
            > 1.5
    );
    assert!(clustering(&random, &Quiet).unwrap().transitivity.unwrap() < 0.95);
}
