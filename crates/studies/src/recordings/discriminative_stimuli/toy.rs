//! The released toy: 42 neurons that respond to an 18 x 18 image with its mean, half of them with the opposite sign.

use chiasm_analysis::partition::adjusted_rand;
use chiasm_core::{Failure, Inside, stats};
use chiasm_lab::Bench;
use chiasm_probe::stimuli::{self, LinearNonlinear, Nonlinearity, Normalization, StimulusShape};
use ndarray::Array2;

use super::config::Config;

const NEURONS: usize = 42;
const SIDE: usize = 18;

/// Clusters the toy at each norm, once for each set of neurons of the study; the mean objective at each norm.
pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Vec<f64>, Failure> {
    let labels: Vec<usize> = (0..NEURONS).map(|i| i % 2).collect();
    let pixels = (SIDE * SIDE) as f64;
    let filters = Array2::from_shape_fn((NEURONS, SIDE * SIDE), |(i, _)| {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        sign / pixels
    });
    let shape = StimulusShape::image(SIDE, SIDE);
    let model = LinearNonlinear::new(shape, filters, Nonlinearity::Identity)?;
    let none = Normalization::none(NEURONS);
    let mut objectives = Vec::new();
    let (mut least_ari, mut most_clusters) = (1.0_f64, 0);
    for (i, &norm) in config.toy_norms.iter().enumerate() {
        let mut values = Vec::new();
        for dataset in 0..config.datasets {
            let clustering = stimuli::Config {
                clusters: 5,
                norm: Some(norm),
                // The gradient of a mean over pixels is small: a rate that matches the norm.
                step: 100.0 * norm,
                ..config.paper.clone()
            };
            let streams = bench.streams().child(&format!("toy {i}, {dataset}"));
            let types = clustering.fit(&model, &none, &streams, &Inside(bench.watch()))?;
            least_ari = least_ari.min(adjusted_rand(&labels, &types.labels)?);
            most_clusters = most_clusters.max(types.n_clusters());
            values.push(stats::mean(&types.values));
        }
        objectives.push(stats::mean(&values));
    }
    bench.metric("toy/least-ari", least_ari, "1")?;
    bench.metric("toy/most-clusters", most_clusters as f64, "1")?;
    let last = objectives.last().copied().unwrap_or(f64::NAN);
    bench.metric("toy/objective-below-ln-2", 2f64.ln() - last, "nat")?;
    Ok(objectives)
}
