//! What holds exactly: the astrocyte's relaxation, the bounds of the weights, the rest after a spike.

use chiasm_circuit::reservoir::{Reservoir, Response, Stimuli};
use chiasm_core::stats::greater;
use chiasm_core::{Failure, Quiet};
use chiasm_lab::Bench;

use super::arms::{astrocyte, liquid, network_streams};
use super::config::Config;

/// Events for so long, then silence, ms.
const DRIVEN_MS: u32 = 50;

/// Drives a reservoir for a while, then lets it rest, with rates of plasticity that do not decay: from the last spike on the
/// astrocyte is to be `b + (A0 - b) (1 - 1/tau)^t`.
pub(super) fn relaxation(
    config: &Config,
    n_inputs: usize,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let mut settings = liquid(config, n_inputs, astrocyte(config.w_a, 1.0));
    settings.feature_decay = 1.0;
    settings.sample_ms = 2000;
    let streams = network_streams(bench.streams(), 0).child("relaxation");
    let reservoir = Reservoir::new(&settings, &streams)?;
    let of = |t: u32| (0..n_inputs as u32).filter(move |i| (i + t).is_multiple_of(5));
    let events = (0..DRIVEN_MS).flat_map(|t| of(t).map(move |i| (t, i)));
    let stimuli = Stimuli::events(n_inputs, vec![events.collect()])?;
    let response = reservoir.respond(&stimuli, 0, &streams)?;
    let last = |spikes: &[(u32, u32)]| spikes.last().map_or(0, |s| s.0);
    let last = last(&response.spikes).max(last(&response.input_spikes)) as usize;
    let (b, left) = (settings.eta, 1.0 - 1.0 / settings.tau_a_ms);
    let start = response.astrocyte[last] - b;
    let rest = response.astrocyte[last..].iter().enumerate();
    let apart = rest.map(|(t, a)| (a - (b + start * left.powi(t as i32))).abs());
    let most = apart.fold(0.0, greater);
    bench.metric("astrocyte/relaxation-error", most, "1")?;
    // Otherwise the check would compare nothing.
    let silence = response.astrocyte.len() - 1 - last;
    bench.metric("astrocyte/silence", silence as f64, "ms")?;
    bench.metric("astrocyte/distance-from-rest", start.abs(), "1")
}

/// Weights out of their bounds, before and after a sample, and the shortest time between two spikes of a neuron.
pub(super) fn invariants(
    reservoir: &Reservoir,
    response: &Response,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let (n, most) = (
        reservoir.config().n_neurons,
        reservoir.config().w_max as f32,
    );
    let out = |source: u32, w: f32| match source as usize {
        i if i < reservoir.n_excitatory() => !(0.0..=most).contains(&w),
        i if i < n => !(-most..=0.0).contains(&w),
        _ => !(-most..=most).contains(&w),
    };
    let pairs = reservoir.synapses().zip(&response.weights);
    let wrong = pairs.filter(|(s, after)| out(s.source, s.weight) || out(s.source, **after));
    bench.metric(
        "invariants/weights-out-of-bounds",
        wrong.count() as f64,
        "1",
    )?;
    let shortest = |spikes: &[(u32, u32)], n: usize| {
        let (mut last, mut least) = (vec![None; n], u32::MAX);
        for &(t, i) in spikes {
            if let Some(before) = last[i as usize].replace(t) {
                least = least.min(t - before);
            }
        }
        least
    };
    let least = shortest(&response.spikes, n).min(shortest(
        &response.input_spikes,
        reservoir.config().n_inputs,
    ));
    bench.metric("invariants/shortest-interval", f64::from(least), "ms")
}

/// Samples whose counts are others when they are computed alone than among all.
pub(super) fn alone_as_among_all(
    reservoir: &Reservoir,
    stimuli: &Stimuli,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let n = stimuli.len().min(16);
    let streams = bench.streams().child("alone");
    let first = stimuli.as_probabilities();
    let first = first.map(|p| p.slice(ndarray::s![..n, ..]).to_owned());
    let counts = reservoir.features(
        &Stimuli::probabilities(first.unwrap_or_default())?,
        &streams,
        &Quiet,
    )?;
    let mut differing = 0;
    for (sample, row) in counts.outer_iter().enumerate() {
        let alone = reservoir.respond(stimuli, sample, &streams)?;
        differing += usize::from(row.iter().ne(&alone.counts));
    }
    bench.metric("invariants/samples-differing-alone", differing as f64, "1")
}
