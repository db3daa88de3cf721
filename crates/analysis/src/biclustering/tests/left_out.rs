//! Paths without a neuron against the plain recursions.

use super::steps::{augmented, somewhere};
use crate::biclustering::latents::{Information, Space, draw_paths};
use crate::biclustering::left_out::LeftOut;
use crate::biclustering::pseudo_data::Evidence;
use chiasm_core::Streams;

#[test]
fn paths_without_a_neuron_are_those_of_data_without_it() {
    let (method, counts, state) = somewhere();
    let (data, ln_r) = augmented(&method, &counts, &state);
    let (n_bins, rows, k) = (state.n_bins(), state.rows, state.k());
    let streams = Streams::new(5);
    let left_out = LeftOut::new(&data, &ln_r, &state).unwrap();
    let found = left_out.paths(&state, &streams, "left out").unwrap();
    let information: Vec<Information> = state
        .dynamics
        .iter()
        .map(|d| Information::of(d, k).unwrap())
        .collect();
    for (i, found) in found.iter().enumerate() {
        let c = state.clusters[i];
        let mut others = data.clone();
        others.omega[i * n_bins..(i + 1) * n_bins].fill(0.0);
        others.kappa[i * n_bins..(i + 1) * n_bins].fill(0.0);
        let evidence = Evidence::gather(&state, &others, &ln_r);
        let mut plain = state.clone();
        let mut rng = streams.indexed("left out", i);
        draw_paths(
            &mut plain,
            &information,
            &evidence,
            c..c + 1,
            Some(&mut rng),
            &mut Space::default(),
        )
        .unwrap();
        for (found, plain) in found.chunks_exact(rows).zip(plain.paths.chunks_exact(k)) {
            for (a, b) in found.iter().zip(&plain[c * rows..(c + 1) * rows]) {
                assert!(
                    (a - b).abs() < 1e-9 * (1.0 + b.abs()),
                    "neuron {i}: {a} {b}"
                );
            }
        }
    }
}
