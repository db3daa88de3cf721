//! The networks' parameters at the start.

use chiasm_core::Streams;

use super::basis::FourierBasis;
use super::config::{MapStart, MmGpVae, NeuralLikelihood, Prior};
use super::network::{Encoder, Layer, Network, Sizes};
use super::prior::Basis;
use crate::Real;
use crate::train::{Parameters, Share};

impl Network {
    /// The networks and their parameters at the start. `offsets` are the neural decoder's at the start, one per unit.
    pub(super) fn new<T: Real>(
        config: &MmGpVae,
        sizes: Sizes,
        offsets: &[f64],
        streams: &Streams,
    ) -> (Self, Parameters<T>, Vec<Share>) {
        let mut p = Parameters::default();
        let latents = config.latents();
        let basis = Basis::new(config, sizes.bins);
        let layer = |p: &mut Parameters<T>, name: &str, from: usize, to: usize| {
            let mut rng = streams.stream(name);
            Layer {
                weights: p.push_uniform(format!("{name} weights"), [from, to], from, &mut rng),
                bias: p.push_uniform(format!("{name} bias"), [1, to], from, &mut rng),
            }
        };
        let encoder = |p: &mut Parameters<T>, name: &str, from, widths: &[usize], latents| {
            let mut width = from;
            let hidden = widths
                .iter()
                .enumerate()
                .map(|(i, &to)| {
                    let made = layer(p, &format!("{name} encoder {i}"), width, to);
                    width = to;
                    made
                })
                .collect();
            let mean = layer(p, &format!("{name} means"), width, latents);
            let deviation = layer(p, &format!("{name} log deviations"), width, latents);
            let maps = match &basis {
                Basis::Fourier(b) => Some(maps(config, b, name, deviation.bias, p, streams)),
                _ => None,
            };
            Encoder {
                hidden,
                mean,
                deviation,
                maps,
                latents,
            }
        };
        let mut ends = vec![0];
        let neural = config.has_neural().then(|| {
            encoder(
                &mut p,
                "neural",
                sizes.units,
                &config.neural_widths,
                latents.neural,
            )
        });
        ends.push(p.arrays.len());
        let behavior = config.has_behavior().then(|| {
            let widths = &config.behavior_widths;
            encoder(&mut p, "behavior", sizes.channels, widths, latents.behavior)
        });
        let mut decoder = Vec::new();
        let mut residual = None;
        if config.has_behavior() {
            let mut width = latents.behavior;
            let widths = config.behavior_widths.iter().rev();
            for (i, &to) in widths.chain([&sizes.channels]).enumerate() {
                decoder.push(layer(&mut p, &format!("behavior decoder {i}"), width, to));
                width = to;
            }
            let start = vec![config.start_residual.ln()];
            residual = Some(p.push("log residual variance", [1, 1], start));
        }
        ends.push(p.arrays.len());
        let (mut loadings, mut neural_noise) = (None, None);
        if config.has_neural() {
            let made = layer(&mut p, "loadings", latents.neural, sizes.units);
            p.arrays[made.bias].values = offsets.iter().map(|&d| T::of(d)).collect();
            loadings = Some(made);
            if config.likelihood == NeuralLikelihood::Gaussian {
                let start = vec![0.0; sizes.units];
                neural_noise = Some(p.push("log neural variances", [1, sizes.units], start));
            }
        }
        let length = (config.prior != Prior::Independent).then(|| {
            let n = if config.length_per_latent {
                latents.total()
            } else {
                1
            };
            p.push(
                "log length scales",
                [n, 1],
                vec![config.start_length_bins.ln(); n],
            )
        });
        ends.push(p.arrays.len());
        let group = |name: &str, i: usize, rate| Share {
            clip: Some(config.clip),
            ..Share::of(name, (ends[i]..ends[i + 1]).collect(), rate)
        };
        let groups = vec![
            group("neural encoder", 0, config.neural_rate),
            group("behavior networks", 1, config.behavior_rate),
            group("neural decoder and prior", 2, config.decoder_rate),
        ];
        let network = Self {
            latents,
            sizes,
            basis,
            neural,
            behavior,
            loadings,
            neural_noise,
            decoder,
            residual,
            length,
            output: config.output,
            combine: config.combine,
        };
        (network, p, groups)
    }
}

/// Maps from time to coefficients: for means with a bias, for log deviations without.
fn maps<T: Real>(
    config: &MmGpVae,
    basis: &FourierBasis,
    name: &str,
    deviation_bias: usize,
    p: &mut Parameters<T>,
    streams: &Streams,
) -> (Layer, usize) {
    let (t, m) = (basis.bins, basis.len());
    let names = [
        format!("{name} map of means"),
        format!("{name} map bias"),
        format!("{name} map of log deviations"),
    ];
    // The least length, so that nothing is smoothed away for good; noise of a tenth of a latent's variance (chosen).
    let variances = basis.variances(config.min_length_bins, config.variance, config.floor);
    let smoother = match config.map_start {
        MapStart::Smoother => basis.smoother(&variances, 0.1 * config.variance),
        MapStart::Random => None,
    };
    let Some((smoother, deviations)) = smoother else {
        let mut rng = streams.stream(&names[0]);
        let weights = p.push_uniform(&names[0], [t, m], t, &mut rng);
        let bias = p.push_uniform(&names[1], [1, m], t, &mut rng);
        let mut rng = streams.stream(&names[2]);
        let of_sd = p.push_uniform(&names[2], [t, m], t, &mut rng);
        return (Layer { weights, bias }, of_sd);
    };
    let weights = (0..t * m).map(|k| smoother[(k % m) * t + k / m]).collect();
    let weights = p.push(&names[0], [t, m], weights);
    let bias = p.push(&names[1], [1, m], vec![0.0; m]);
    // The map has no bias, so the features stand at 1 and the map brings them to the log deviations.
    for v in &mut p.arrays[deviation_bias].values {
        *v = T::of(1.0);
    }
    let of_sd = (0..t * m)
        .map(|k| deviations[k % m].ln() / t as f64)
        .collect();
    let of_sd = p.push(&names[2], [t, m], of_sd);
    (Layer { weights, bias }, of_sd)
}
