//! The exact side: minima, spectra, derivative, flow, springs.

use chiasm_analysis::collapse::{
    Course, FeatureModel, Features, Form, Minimum, Perturbation, Stop, block_spectrum,
};
use chiasm_core::Failure;
use chiasm_lab::Bench;
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::config::Config;

/// Singular values of one operator at collapse.
#[derive(Debug, Clone)]
pub(super) struct Spectrum {
    pub(super) lambda_h: f64,
    /// Of the block of the first class with itself, from the largest.
    pub(super) own: Vec<f64>,
    /// The largest one of the block from the second class to the first.
    pub(super) cross: f64,
    /// `[to, from]`: between classes the largest singular value, of a class with itself the most that a direction loses.
    pub(super) blocks: Vec<Vec<f64>>,
    /// The largest deviation from the closed form, over all blocks.
    pub(super) deviation: f64,
}

impl Spectrum {
    pub(super) fn least(&self) -> f64 {
        self.own.last().copied().unwrap_or(f64::NAN)
    }
}

/// Features given, and what the springs make of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Springs {
    pub(super) given: f64,
    /// NC1~ of the minimum at each spring.
    pub(super) found: Vec<f64>,
    /// NC1~ of the minimum without a spring: the plain model of free features.
    pub(super) free: f64,
}

fn normal(shape: (usize, usize), bench: &Bench, name: &str) -> Array2<f64> {
    let mut rng = bench.streams().stream(name);
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng))
}

fn most(a: &Array2<f64>) -> f64 {
    a.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// The closed form of the minimum in five random settings, and the search above the threshold.
pub(super) fn minima(config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let streams = bench.streams().child("minima");
    let (mut gradient, mut error) = (0.0f64, 0.0f64);
    for i in 0..5 {
        let mut rng = streams.indexed("setting", i);
        let c: f64 = rng.random_range(0.05..0.95);
        let lambda_w: f64 = rng.random_range(0.01..2.0);
        let classes: usize = rng.random_range(2..7);
        let per_class: usize = rng.random_range(1..12);
        let features = classes + rng.random_range(0..8usize);
        let model = FeatureModel {
            lambda_w,
            lambda_h: c * c / lambda_w,
            beta: 1.0,
        };
        let found = model.collapsed((classes, per_class, features), &mut rng)?;
        let (w, h) = (found.classifier.view(), &found.features);
        let (by_w, by_h) = model.eq1().gradient(w, h, None)?;
        gradient = gradient.max(most(&by_w)).max(most(&by_h));
        let value = model.eq1().value(w, h, None)?;
        error = error.max((value - (c - c * c / 2.0)).abs());
    }
    bench.metric("minimum/gradient", gradient, "1")?;
    bench.metric("minimum/value-error", error, "1")?;
    let model = FeatureModel {
        lambda_w: 1.5,
        lambda_h: 1.5,
        beta: 0.0,
    };
    let given = start(config, bench)?;
    let found = model.minimize(&given, Stop::default(), bench.watch())?;
    let largest = most(&found.classifier).max(most(&found.features.values().to_owned()));
    bench.metric("minimum/above-threshold", largest, "1")
}

/// Random normal features.
fn start(config: &Config, bench: &Bench) -> Result<Features, Failure> {
    let (k, n, d) = config.shape();
    Ok(Features::new(
        normal((d, k * n), bench, "features given"),
        k,
    )?)
}

fn collapsed(model: &FeatureModel, config: &Config, bench: &Bench) -> Result<Minimum, Failure> {
    let mut rng = bench.streams().stream("frame");
    Ok(model.collapsed(config.shape(), &mut rng)?)
}

pub(super) fn spectrum(
    model: &FeatureModel,
    form: Form,
    config: &Config,
    bench: &Bench,
) -> Result<Spectrum, Failure> {
    let minimum = collapsed(model, config, bench)?;
    let operator = Perturbation::at(model, &minimum)?;
    let dense = operator.dense(form)?;
    let stairs = model.staircase(config.shape())?;
    let k = config.classes;
    let mut found = Spectrum {
        lambda_h: model.lambda_h,
        own: vec![],
        cross: 0.0,
        blocks: vec![vec![0.0; k]; k],
        deviation: 0.0,
    };
    for to in 0..k {
        for from in 0..k {
            bench.watch().check()?;
            let values = block_spectrum(operator.block(&dense, to, from))?;
            if to == from {
                found.deviation = found.deviation.max(stairs.deviation(&values));
                found.blocks[to][from] = 1.0 - values[values.len() - 1];
            } else {
                // One singular value, the rest 0.
                let apart = values[1].max((values[0] - stairs.cross).abs());
                found.deviation = found.deviation.max(apart);
                found.blocks[to][from] = values[0];
            }
            match (to, from) {
                (0, 0) => found.own = values,
                (0, 1) => found.cross = values[0],
                _ => {}
            }
        }
    }
    Ok(found)
}

/// The part of deviations from the class mean that is lost on their way, on average over directions; and the singular value
/// between classes.
pub(super) fn damping(
    model: &FeatureModel,
    config: &Config,
    bench: &Bench,
) -> Result<(f64, f64), Failure> {
    let minimum = collapsed(model, config, bench)?;
    let operator = Perturbation::at(model, &minimum)?;
    let dense = operator.dense(Form::LargeBeta)?;
    let (_, n, d) = config.shape();
    let block = operator.block(&dense, 0, 0);
    // The trace over deviations: that of the block, less that of its part on class means.
    let mut kept: f64 = block.diag().sum();
    for (row, column) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
        let shared: f64 = (0..d).map(|f| block[[row * d + f, column * d + f]]).sum();
        kept -= shared / n as f64;
    }
    let cross = block_spectrum(operator.block(&dense, 0, 1))?[0];
    Ok((1.0 - kept / (d * (n - 1)) as f64, cross))
}

/// The exact operator beside finite differences of the minimum.
pub(super) fn derivative(config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let model = &config.model;
    let minimum = collapsed(model, config, bench)?;
    let (k, n, d) = config.shape();
    let change = normal((d, k * n), bench, "change");
    let operator = Perturbation::at(model, &minimum)?;
    let expected = operator.apply(Form::Exact, change.view())?;
    let size = |a: &Array2<f64>| a.iter().map(|v| v * v).sum::<f64>().sqrt();
    let error = |step: f64| -> Result<f64, Failure> {
        let moved = Features::new(&minimum.features.values() + &(&change * step), k)?;
        let found = model.minimize(&moved, Stop::default(), bench.watch())?;
        let slope = (&found.features.values() - &minimum.features.values()) / step;
        Ok(size(&(slope - &expected)) / size(&expected))
    };
    let (small, large, half) = (error(1e-6)?, error(1e-3)?, error(5e-4)?);
    bench.metric("derivative/error", small, "1")?;
    bench.metric("derivative/halving", large / half, "1")?;
    let near = operator.apply(Form::LargeBeta, change.view())?;
    let apart = size(&(near - &expected)) / size(&expected);
    bench.metric("derivative/large-beta-error", apart, "1")
}

/// The flow at each decay of the features.
pub(super) fn flows(config: &Config, bench: &Bench) -> Result<Vec<Course>, Failure> {
    let start = start(config, bench)?;
    let each = config.flow_decays.iter().map(|&lambda_h| {
        let model = FeatureModel {
            lambda_w: config.flow_lambda_w,
            lambda_h,
            beta: 1.0,
        };
        Ok(config.flow.run(&model, &start, bench.watch())?.1)
    });
    each.collect()
}

/// The minimum at each spring, and without one.
pub(super) fn springs(config: &Config, bench: &Bench) -> Result<Springs, Failure> {
    let given = start(config, bench)?;
    let lambda_h = config.flow_decays.last().copied().unwrap_or(0.0);
    let quotient = |beta: f64, lambda_h: f64| -> Result<f64, Failure> {
        let model = FeatureModel {
            lambda_w: config.flow_lambda_w,
            lambda_h,
            beta,
        };
        let found = model.minimize(&given, Stop::default(), bench.watch())?;
        Ok(found.features.scatter().quotient())
    };
    let each = config.springs.iter().map(|&beta| quotient(beta, lambda_h));
    let found: Result<Vec<f64>, Failure> = each.collect();
    Ok(Springs {
        given: given.scatter().quotient(),
        found: found?,
        // Free features need some decay to have a minimum.
        free: quotient(0.0, lambda_h.max(0.02))?,
    })
}
