//! Values and identities that hold to the last digit, or to the digits that are printed.

use chiasm_core::stats::greater;
use chiasm_core::{Failure, Streams};
use chiasm_lab::Bench;
use chiasm_net::Real;
use chiasm_net::spiking::delays::kernel::{Bump, slopes, taps};
use chiasm_net::spiking::delays::{Config, DelayNetwork, DelaysError, Event, convolution};
use rand::RngExt;

/// Taps of the published kernel of length 25 (card 45, works when 1): position, bump, and the taps largest first.
const PRINTED: [(f64, Bump, &[f64]); 4] = [
    (
        0.0,
        Bump::Gauss { sigma: 0.23 },
        &[0.7866, 0.1065, 0.1065, 0.0003, 0.0003],
    ),
    (
        0.5,
        Bump::Gauss { sigma: 0.23 },
        &[0.491, 0.491, 0.009, 0.009],
    ),
    (0.0, Bump::Gauss { sigma: 0.0 }, &[0.9979, 0.0010, 0.0010]),
    (3.25, Bump::Triangle, &[0.75, 0.25]),
];
const LENGTH: usize = 25;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let mut off: f64 = 0.0;
    for (position, bump, printed) in PRINTED {
        let mut found = taps(1.0, position, LENGTH, bump);
        found.sort_by(|a, b| b.total_cmp(a));
        for (found, printed) in found.iter().zip(printed) {
            off = off.max((found - printed).abs());
        }
    }
    bench.metric("kernel/values-off", off, "1")?;
    let (mut sum_off, mut slope_off): (f64, f64) = (0.0, 0.0);
    let h = 1e-5;
    for sigma in [12.0, 3.0, 0.8, 0.23] {
        for k in 0..=48 {
            let position = -12.0 + 0.5 * f64::from(k);
            let bump = Bump::Gauss { sigma };
            let at = |p| taps(1.3, p, LENGTH, bump);
            sum_off = sum_off.max((at(position).iter().sum::<f64>() - 1.3).abs());
            let (low, high) = (at(position - h), at(position + h));
            let exact = slopes(1.3, position, LENGTH, bump).1;
            for ((exact, low), high) in exact.iter().zip(&low).zip(&high) {
                // Below this rounding is all that differs.
                if exact.abs() > 1e-4 {
                    let difference = (high - low) / (2.0 * h);
                    slope_off = slope_off.max(((exact - difference) / exact).abs());
                }
            }
        }
    }
    bench.metric("kernel/sum-off", sum_off, "1")?;
    bench.metric("kernel/slope-off", slope_off, "1")?;
    let streams = bench.streams().child("checks");
    bench.metric("identity/rings-f64", rings::<f64>(&streams)?, "1")?;
    bench.metric("identity/rings-f32", rings::<f32>(&streams)?, "1")?;
    bench.metric("identity/shift", shifted(&streams)?, "1")?;
    bench.metric("identity/no-delay", without_delay(&streams)?, "1")
}

/// The largest difference between a network's readout by ring buffers and by the convolution of every layer.
fn rings<T: Real>(streams: &Streams) -> Result<f64, Failure> {
    let config = Config {
        hidden: vec![24, 16],
        tau_ms: 25.0,
        ..Config::default()
    };
    let network = DelayNetwork::<T>::new(&config, 12, 5, streams)?;
    let frozen = network.rounded();
    let steps = 50;
    let (sample, _) = input(steps, 12, streams);
    let mut off: f64 = 0.0;
    let by_rings = frozen.play(&sample, steps)?;
    let by_convolution = frozen.convolved(&sample, steps);
    for (a, b) in by_rings.concat().iter().zip(&by_convolution) {
        off = off.max((a.wide() - b.wide()).abs());
    }
    // Not the same if one of them is shorter.
    let same = by_rings.concat().len() == by_convolution.len();
    Ok(if same { off } else { f64::INFINITY })
}

/// Spikes as events and as activity `[step][channel]`.
fn input(steps: usize, channels: usize, streams: &Streams) -> (Vec<Event>, Vec<f64>) {
    let mut rng = streams.stream("input");
    let (mut events, mut dense) = (vec![], vec![0.0; steps * channels]);
    for t in 0..steps {
        for c in 0..channels {
            if rng.random_bool(0.15) {
                events.push(Event::new(t, c, 1.0));
                dense[t * channels + c] = 1.0;
            }
        }
    }
    (events, dense)
}

/// What arrives `s` steps later from an input that is `s` steps later: the largest difference.
fn shifted(streams: &Streams) -> Result<f64, DelaysError> {
    let (n, shift) = ((6, 4), 9);
    let mut rng = streams.stream("synapses");
    let weights: Vec<f64> = (0..n.0 * n.1)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    let positions: Vec<f64> = (0..n.0 * n.1)
        .map(|_| rng.random_range(-12.0..=12.0))
        .collect();
    let (_, dense) = input(40, n.0, streams);
    let arrive = |x: &[f64]| convolution(&weights, &positions, n, LENGTH, Bump::Rounded, x);
    let mut later = vec![0.0; shift * n.0];
    later.extend(&dense);
    let (now, later) = (arrive(&dense)?, arrive(&later)?);
    let differences = now
        .iter()
        .zip(&later[shift * n.1..])
        .map(|(a, b)| (a - b).abs());
    Ok(differences.fold(0.0, greater))
}

/// A synapse of weight 1 and no delay gives back its input: the largest difference.
fn without_delay(streams: &Streams) -> Result<f64, DelaysError> {
    let (_, dense) = input(40, 1, streams);
    let out = convolution(&[1.0], &[12.0], (1, 1), LENGTH, Bump::Rounded, &dense)?;
    let differences = out.iter().zip(&dense).map(|(a, b)| (a - b).abs());
    Ok(differences.fold(0.0, greater))
}
