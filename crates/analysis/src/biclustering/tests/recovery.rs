use chiasm_core::Quiet;

use super::*;
use crate::partition::{adjusted_rand, relabel};

fn method() -> Biclustering {
    Biclustering {
        states: 5,
        sweeps: 400,
        burn_in: 250,
        thin: 2,
        ..Biclustering::default()
    }
}

#[test]
fn planted_groups_and_states_are_found() {
    let (counts, groups, on) = switching(10, 500, 2);
    let method = Biclustering {
        sweeps: 600,
        burn_in: 300,
        ..Biclustering::default()
    };
    let chains = method.run(&counts, &[], &Streams::new(1), &Quiet).unwrap();
    let summary = method.summarize(&chains).unwrap();
    let rand = adjusted_rand(&groups, &summary.neurons.labels).unwrap();
    assert!(rand > 0.95, "{rand} {:?}", summary.neurons.labels);
    assert_eq!(summary.modal_clusters(), 3);
    assert_eq!(summary.latents.len(), 3);
    let states = relabel(&on, &summary.bins.labels).unwrap();
    let agree = states.iter().zip(&on).filter(|(a, b)| a == b).count() as f64 / 500.0;
    assert!(agree > 0.9, "{agree}");
}

#[test]
fn planted_groups_are_found_in_few_poisson_counts() {
    // States are not: with 24 neurons and 300 bins one state explains the paths as well.
    let (counts, groups, _) = planted(8, 300, None, 3);
    let method = Biclustering {
        observation: Observation::Poisson,
        ..method()
    };
    let chains = method.run(&counts, &[], &Streams::new(1), &Quiet).unwrap();
    let summary = method.summarize(&chains).unwrap();
    let rand = adjusted_rand(&groups, &summary.neurons.labels).unwrap();
    assert!(rand > 0.95, "{rand} {:?}", summary.neurons.labels);
    assert_eq!(summary.modal_clusters(), 3);
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_threads_and_across_an_interruption() {
    let (counts, ..) = switching(3, 80, 5);
    let method = Biclustering {
        chains: 2,
        sweeps: 40,
        burn_in: 10,
        ..method()
    };
    let held = [
        HeldOut {
            neuron: 1,
            bin: 4,
            count: 2.0,
        },
        HeldOut {
            neuron: 3,
            bin: 70,
            count: 0.0,
        },
    ];
    let counts = counts.without(&[(1, 4), (3, 70)]).unwrap();
    let streams = Streams::new(9);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| method.run(&counts, &held, &streams, &Quiet).unwrap())
    };
    let whole = on(1);
    assert_eq!(whole, on(3));
    assert_ne!(whole[0].draws, whole[1].draws);
    let started = method.start(&counts, &streams).unwrap();
    let part = method
        .advance(&counts, &held, started, 17, &streams, &Quiet)
        .unwrap();
    let rest = method
        .advance(&counts, &held, part, 40, &streams, &Quiet)
        .unwrap();
    assert_eq!(whole, rest);
    assert_eq!(method.predictive(&whole).unwrap().len(), 2);
}

#[test]
fn one_cluster_or_one_state_stays_one() {
    let (counts, ..) = switching(3, 80, 5);
    let one = Biclustering {
        cluster_prior: ClusterPrior::Fixed,
        clusters: 1,
        sweeps: 20,
        burn_in: 5,
        ..method()
    };
    let chains = one.run(&counts, &[], &Streams::new(1), &Quiet).unwrap();
    assert!(chains[0].trace.iter().all(|t| t.clusters == 1));
    let one = Biclustering {
        states: 1,
        sweeps: 20,
        burn_in: 5,
        ..method()
    };
    let chains = one.run(&counts, &[], &Streams::new(1), &Quiet).unwrap();
    assert!(chains[0].trace.iter().all(|t| t.states == 1));
    let two = Biclustering {
        cluster_prior: ClusterPrior::Fixed,
        clusters: 2,
        sweeps: 60,
        burn_in: 5,
        ..method()
    };
    let chains = two.run(&counts, &[], &Streams::new(1), &Quiet).unwrap();
    assert!(chains[0].trace.iter().all(|t| t.clusters <= 2));
}

#[test]
fn neurons_in_another_order_are_grouped_alike() {
    let (counts, groups, _) = switching(8, 300, 3);
    let order: Vec<usize> = (0..24).map(|i| (i * 7) % 24).collect();
    let values = Array2::from_shape_fn((24, 300), |(i, t)| counts.of(order[i])[t]);
    let shuffled = Counts::new(values.view()).unwrap();
    let chains = method()
        .run(&shuffled, &[], &Streams::new(4), &Quiet)
        .unwrap();
    let found = method().summarize(&chains).unwrap().neurons.labels;
    let expected: Vec<usize> = order.iter().map(|&i| groups[i]).collect();
    assert!(adjusted_rand(&expected, &found).unwrap() > 0.9, "{found:?}");
}
