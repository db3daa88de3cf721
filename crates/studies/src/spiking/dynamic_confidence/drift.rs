//! Made-up outputs whose difficulty is known: `O_t = t mu e_y + N(0, t)` (card 48, works when 7).

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_net::spiking::confidence::{Calibration, Given, Outputs};
use ndarray::Array3;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// Drifts of the right class, a step.
pub(super) const DRIFTS: [f64; 3] = [0.3, 1.0, 3.0];
const CLASSES: usize = 10;
const STEPS: usize = 50;
const SAMPLES: usize = 1_500;

/// Mean steps for each drift, of an agent calibrated on other samples.
pub(super) fn run(bench: &Bench) -> Result<[f64; 3], Failure> {
    let calibration = drifting("drift calibration", bench)?;
    let test = drifting("drift test", bench)?;
    let agent = Calibration::default().fit(&calibration)?.agent;
    let mut steps = [0.0; 3];
    for (i, decision) in agent.decide(&test).iter().enumerate() {
        let each = (SAMPLES / DRIFTS.len()) as f64;
        steps[i % DRIFTS.len()] += decision.steps as f64 / each;
    }
    Ok(steps)
}

fn drifting(stream: &str, bench: &Bench) -> Result<Outputs, Failure> {
    let mut rng = bench.streams().stream(stream);
    let labels: Vec<usize> = (0..SAMPLES).map(|_| rng.random_range(0..CLASSES)).collect();
    let values = Array3::from_shape_fn((SAMPLES, STEPS, CLASSES), |(i, _, c)| {
        let noise: f64 = StandardNormal.sample(&mut rng);
        let drift = if c == labels[i] {
            DRIFTS[i % DRIFTS.len()]
        } else {
            0.0
        };
        (drift + noise) as f32
    });
    Ok(Outputs::new(values, labels, Given::Steps)?)
}
