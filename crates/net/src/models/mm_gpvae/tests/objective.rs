//! The objective: gradients by finite differences, and its value where it is known.

use burn_tensor::{Device, Tensor};
use chiasm_core::Streams;
use ndarray::Array3;
use rand::RngExt;

use super::super::batch::{Alone, Prepared, constants};
use super::super::fit::normal;
use super::super::network::{Batch, Gaussian, Network, Sizes};
use super::super::objective::{terms, terms_of};
use super::super::prior::Basis;
use super::super::scales::Scales;
use super::*;
use crate::layers::poisson_energy;
use crate::train::{Parameters, download, upload};

struct Setup {
    config: MmGpVae,
    network: Network,
    parameters: Parameters<f64>,
    data: Batch,
    noise: Tensor<3>,
    device: Device,
}

fn setup(config: MmGpVae, trials: &Trials) -> Setup {
    let device = Device::flex().autodiff();
    let scales = Scales::new(&config, trials).unwrap();
    let (units, channels) = trials.channels();
    let sizes = Sizes {
        bins: trials.bins(),
        units,
        channels,
    };
    let streams = Streams::new(5);
    let (network, parameters, _) = Network::new(&config, sizes, &scales.offsets, &streams);
    let which: Vec<usize> = (0..trials.len()).collect();
    // One trial hears both encoders, one each alone.
    let mut alone = Alone::none(which.len());
    alone.speak[1] = (true, false);
    alone.speak[2] = (false, true);
    let prepared = Prepared::<f64>::new(&config, &scales, trials, sizes);
    let data = prepared.batch(&which, &alone, network.latents, &device);
    let m = network.basis.coefficients(sizes.bins);
    let shape = [which.len(), network.latents.total(), m];
    let noise = normal::<f64>(shape.iter().product(), &mut streams.stream("noise"));
    Setup {
        noise: upload(noise, shape, &device),
        config,
        network,
        parameters,
        data,
        device,
    }
}

impl Setup {
    fn terms(&self, parameters: &Parameters<f64>) -> (Vec<Tensor<2>>, Vec<Tensor<1>>) {
        let leaves = parameters.leaves(&self.device);
        let parts = terms::<f64>(
            &self.network,
            &self.config,
            &leaves,
            &self.data,
            self.noise.clone(),
            &self.device,
        );
        let all = [Some(parts.divergence), parts.neural, parts.behavior];
        (leaves, all.into_iter().flatten().collect())
    }
}

fn value(t: &Tensor<1>) -> f64 {
    download::<f64, 1>(t.clone().inner())[0]
}

/// Every term's gradient by some entries of every array, against central differences.
fn check_gradients(s: &Setup) {
    let mut rng = Streams::new(8).stream("entries");
    let n_terms = s.terms(&s.parameters).1.len();
    for term in 0..n_terms {
        let (leaves, parts) = s.terms(&s.parameters);
        let grads = parts[term].backward();
        let gradients = s.parameters.gradients(&leaves, &grads);
        let largest = gradients
            .iter()
            .flatten()
            .fold(0.0f64, |m, g| m.max(g.abs()));
        for (a, array) in s.parameters.arrays.iter().enumerate() {
            for _ in 0..3 {
                let i = rng.random_range(0..array.values.len());
                let h = 1e-5;
                let at = |change: f64| {
                    let mut p = s.parameters.clone();
                    p.arrays[a].values[i] += change;
                    value(&s.terms(&p).1[term])
                };
                let numeric = (at(h) - at(-h)) / (2.0 * h);
                let exact = gradients[a][i];
                let gap = (numeric - exact).abs();
                assert!(
                    gap <= 1e-4 * exact.abs() + 1e-8 * largest,
                    "term {term}, {} [{i}]: {exact} by hand, {numeric} by differences",
                    array.name
                );
            }
        }
    }
}

#[test]
fn gradients_of_every_term_match_finite_differences() {
    let made = digits(3, 8, 8);
    let trials = trials_of(&made);
    let traces = Trials::new(
        Some(made.counts.mapv(|c| (c + 1.0).ln())),
        Some(made.images.clone()),
        Missing::Refuse,
    )
    .unwrap();
    let base = small();
    let config = |change: &dyn Fn(&mut MmGpVae)| {
        let mut c = base.clone();
        change(&mut c);
        c
    };
    check_gradients(&setup(base.clone(), &trials));
    check_gradients(&setup(
        config(&|c| {
            c.combine = Combine::Product;
            c.length_per_latent = true;
            c.map_start = MapStart::Random;
            c.output = Activation::Elu;
        }),
        &trials,
    ));
    check_gradients(&setup(
        config(&|c| {
            c.likelihood = NeuralLikelihood::Gaussian;
            c.scaling = Scaling::EachChannel;
            c.n_shared = 2;
        }),
        &traces,
    ));
    check_gradients(&setup(config(&|c| c.prior = Prior::Time), &trials));
    check_gradients(&setup(
        config(&|c| {
            c.prior = Prior::Time;
            c.length_per_latent = true;
            c.n_shared = 0;
        }),
        &trials,
    ));
    check_gradients(&setup(
        config(&|c| {
            c.prior = Prior::Independent;
            c.modalities = Modalities::Behavior;
        }),
        &trials,
    ));
    check_gradients(&setup(
        config(&|c| {
            c.prior = Prior::Unpruned;
            c.modalities = Modalities::Neural;
        }),
        &trials,
    ));
}

#[test]
fn the_expected_poisson_energy_is_the_mean_over_draws() {
    let device = Device::flex().autodiff();
    let (eta, variance, y) = (0.7, 0.4, 3.0);
    let one = |v: f64| upload(vec![v], [1, 1], &device);
    let closed = value(&poisson_energy(one(eta), one(variance), one(y), one(1.0)));
    let mut rng = Streams::new(2).stream("draws");
    let n = 400_000;
    let mean = normal::<f64>(n, &mut rng)
        .into_iter()
        .map(|e| {
            let x = eta + variance.sqrt() * e;
            x.exp() - y * x
        })
        .sum::<f64>()
        / n as f64;
    assert!((mean / closed - 1.0).abs() < 0.01, "{mean} {closed}");
}

/// `y = z + noise` with an identity decoder: log marginal known, and the exact posterior factorized.
fn linear_gaussian(prior: Prior) {
    let (trials, bins, noise) = (4, 12, 0.3f64);
    let mut rng = Streams::new(6).stream("y");
    let y = normal::<f64>(trials * bins * 2, &mut rng);
    let values = Array3::from_shape_fn((trials, bins, 2), |(r, t, p)| {
        y[(r * bins + t) * 2 + p] as f32
    });
    let data = Trials::new(Some(values.clone()), None, Missing::Refuse).unwrap();
    let config = MmGpVae {
        modalities: Modalities::Neural,
        likelihood: NeuralLikelihood::Gaussian,
        circle_bins: bins,
        prior,
        ..small()
    };
    let mut s = setup(config, &data);
    let (loadings, offsets) = s.network.loading_arrays().unwrap();
    s.parameters.arrays[loadings].values = vec![1.0, 0.0, 0.0, 1.0];
    s.parameters.arrays[offsets].values = vec![0.0, 0.0];
    let at = |name: &str| s.parameters.arrays.iter().position(|a| a.name == name);
    let log_noise = at("log neural variances").unwrap();
    s.parameters.arrays[log_noise].values = vec![noise.ln(); 2];
    // The model sees scaled traces.
    let scaled = download::<f64, 2>(s.data.neural.clone().unwrap().0.inner());
    let m = s.network.basis.coefficients(bins);
    let (prior_variances, transform): (Vec<f64>, Vec<f64>) = match &s.network.basis {
        Basis::Fourier(b) => {
            let length = s.config.start_length_bins;
            (
                b.variances(length, s.config.variance, s.config.floor),
                b.values.clone(),
            )
        }
        _ => (
            vec![1.0; bins],
            (0..bins * bins)
                .map(|k| f64::from(u8::from(k / bins == k % bins)))
                .collect(),
        ),
    };
    let (mut mean, mut log_sd, mut exact) = (Vec::new(), Vec::new(), 0.0);
    for r in 0..trials {
        for p in 0..2 {
            for (k, v) in prior_variances.iter().enumerate() {
                let seen: f64 = (0..bins)
                    .map(|t| transform[k * bins + t] * scaled[(r * bins + t) * 2 + p])
                    .sum();
                mean.push(seen * v / (v + noise));
                log_sd.push(0.5 * (v * noise / (v + noise)).ln());
                let total = v + noise;
                exact -=
                    0.5 * (seen * seen / total + total.ln() + (2.0 * std::f64::consts::PI).ln());
            }
        }
    }
    let bound = |shift: f64| {
        let shape = [trials, 2, m];
        let q = Gaussian {
            mean: upload(mean.iter().map(|v| v + shift).collect(), shape, &s.device),
            log_sd: upload(log_sd.clone(), shape, &s.device),
        };
        let leaves = s.parameters.leaves(&s.device);
        let parts = terms_of::<f64>(
            &s.network,
            &s.config,
            &leaves,
            &s.data,
            &q,
            s.noise.clone(),
            &s.device,
        );
        -value(&parts.total())
    };
    assert!(
        (bound(0.0) - exact).abs() < 1e-9 * exact.abs(),
        "{} {exact}",
        bound(0.0)
    );
    assert!(bound(0.05) < exact && bound(-0.2) < bound(-0.05));
    // In the data's own units the density is divided by the scales.
    let scales = Scales::new(&s.config, &data).unwrap();
    let fixed: f64 = constants(&s.config, &scales, &data)
        .iter()
        .map(|c| c.neural)
        .sum();
    let log_scales: f64 = scales.neural.scale.iter().map(|v| v.ln()).sum();
    assert!((fixed - (trials * bins) as f64 * log_scales).abs() < 1e-9);
}

#[test]
fn the_bound_of_a_linear_gaussian_model_is_its_log_marginal_at_the_exact_posterior() {
    linear_gaussian(Prior::Independent);
    linear_gaussian(Prior::Unpruned);
}

#[test]
fn the_divergence_of_a_dense_prior_is_the_textbook_one() {
    // One trial, one latent: KL between N(m, diag s^2) and N(0, K), through the inverse and the determinant.
    let data = Trials::new(Some(digits(3, 6, 8).counts), None, Missing::Refuse).unwrap();
    let config = MmGpVae {
        modalities: Modalities::Neural,
        prior: Prior::Time,
        n_neural: 1,
        n_behavior: 1,
        n_shared: 0,
        ..small()
    };
    let s = setup(config, &data);
    let leaves = s.parameters.leaves(&s.device);
    let mean: Vec<f64> = (0..18).map(|k| (k as f64).sin()).collect();
    let sd: Vec<f64> = (0..18).map(|k| 0.2 + 0.05 * k as f64).collect();
    let shape = [3, 1, 6];
    let q = Gaussian {
        mean: upload(mean.clone(), shape, &s.device),
        log_sd: upload(sd.iter().map(|v| v.ln()).collect(), shape, &s.device),
    };
    let ours = s
        .network
        .divergence::<f64>(&leaves, &q, &s.config, &s.device);
    let ours = download::<f64, 2>(ours.inner());
    let length = s.config.start_length_bins;
    let (k, _) = super::super::basis::time_covariance(6, length, 1.0, s.config.floor);
    let factor = chiasm_core::linalg::Cholesky::of(&k, 6).unwrap();
    let inverse = factor.inverse();
    for r in 0..3 {
        let m = &mean[r * 6..r * 6 + 6];
        let v = &sd[r * 6..r * 6 + 6];
        let solved = factor.solve(m);
        let quadratic: f64 = m.iter().zip(&solved).map(|(a, b)| a * b).sum();
        let trace: f64 = (0..6).map(|t| inverse[t * 7] * v[t] * v[t]).sum();
        let logs: f64 = v.iter().map(|v| 2.0 * v.ln()).sum();
        let expected = 0.5 * (quadratic + trace - 6.0 + factor.log_determinant() - logs);
        assert!((ours[r] - expected).abs() < 1e-9, "{} {expected}", ours[r]);
    }
}
