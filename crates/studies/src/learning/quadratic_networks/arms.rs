//! The kinds of networks, and what each comes to.

use chiasm_core::{Failure, Inside, Streams};
use chiasm_data::generate::Planar;
use chiasm_lab::Bench;
use chiasm_net::network::{
    Layer, Loss, Network, NetworkError, Nonlinearity, QuadraticStart, Targets, Terms,
    TrainingConfig,
};
use chiasm_net::quadratic::{Parts, ReLinear};
use chiasm_net::train::{Rule, Share};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::config::Config;

/// How a network is built and trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Ordinary layers of this width.
    Ordinary(usize),
    /// Quadratic layers that begin at random, all at one rate.
    Random,
    /// Quadratic layers that begin as ordinary ones, their quadratic parts at this rate over the others'.
    Gamma(f64),
    /// The same, drawn off towards 0 by an L1 or L2 penalty instead.
    Shrunk(ReLinear),
    /// Without the product, or without the squares, at this rate.
    Without(Terms, f64),
    /// Residual blocks that begin closed (ReZero), at this rate.
    ReZero(f64),
}

/// One kind of networks on one task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arm {
    pub(super) name: String,
    pub(super) task: Planar,
    pub(super) kind: Kind,
    pub(super) depth: usize,
}

/// One trained network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Trained {
    /// On test points; that of the commoner class where training diverged.
    pub(super) accuracy: f64,
    /// The epoch in which training diverged.
    pub(super) diverged: Option<usize>,
    pub(super) parameters: usize,
    /// Mean loss of each epoch.
    pub(super) losses: Vec<f64>,
    /// Sizes of the parts of each quadratic layer at the end.
    pub(super) parts: Vec<Parts>,
    /// Classes on a grid of the square, row by row from x2 = -1, for the first network of its kind.
    pub(super) map: Vec<bool>,
}

/// Points along each side of the grid.
pub(super) const GRID: usize = 60;

pub(super) fn layers(kind: Kind, config: &Config, depth: usize) -> Vec<Layer> {
    let layer = |outputs: usize| match kind {
        Kind::Ordinary(_) => Layer::dense(outputs),
        Kind::Random => Layer::Quadratic {
            outputs,
            terms: Terms::Full,
            start: QuadraticStart::Random,
        },
        Kind::Without(terms, _) => Layer::Quadratic {
            outputs,
            terms,
            start: QuadraticStart::Linear,
        },
        _ => Layer::quadratic(outputs),
    };
    let width = match kind {
        Kind::Ordinary(width) => width,
        _ => config.width,
    };
    let relu = || Layer::Each(Nonlinearity::Relu);
    let mut layers = vec![layer(width), relu()];
    for _ in 1..depth {
        match kind {
            Kind::ReZero(_) => layers.push(Layer::ReZero(vec![layer(width)])),
            _ => layers.push(layer(width)),
        }
        layers.push(relu());
    }
    layers.push(layer(2));
    layers
}

fn shares(kind: Kind, network: &Network<f32>, rate: f64) -> Result<Vec<Share>, Failure> {
    let gamma = |g: f64| ReLinear::Rates { g, b: g };
    Ok(match kind {
        Kind::Ordinary(_) | Kind::Random => vec![Share::all(network.parameters(), rate)],
        Kind::Gamma(g) | Kind::Without(_, g) | Kind::ReZero(g) => gamma(g).shares(network, rate)?,
        Kind::Shrunk(how) => how.shares(network, rate)?,
    })
}

/// Points and classes, single precision.
pub(super) fn points(
    task: Planar,
    n: usize,
    streams: &Streams,
) -> Result<(Array2<f32>, Vec<usize>), Failure> {
    let (x, labels) = task.draw(n, streams)?;
    Ok((x.mapv(|v| v as f32), labels))
}

/// The training that every kind has.
pub(super) fn training(config: &Config) -> TrainingConfig {
    TrainingConfig {
        epochs: config.epochs,
        batch: config.batch,
        optimizer: Rule::Sgd {
            momentum: config.momentum,
        },
        rate: config.rate,
        ..TrainingConfig::default()
    }
}

/// All networks of an arm.
pub(super) fn run(arm: &Arm, config: &Config, bench: &mut Bench) -> Result<Vec<Trained>, Failure> {
    let each = (0..config.networks).map(|i| {
        bench.watch().check()?;
        let trained = one(arm, config, i, bench)?;
        bench.watch().tick(1);
        Ok(trained)
    });
    each.collect()
}

fn one(arm: &Arm, config: &Config, i: usize, bench: &Bench) -> Result<Trained, Failure> {
    // The same points and the same draws for all kinds.
    let streams = bench.streams().child(&format!("network {i}"));
    let (x, labels) = points(arm.task, config.n_train, &streams.child("train"))?;
    let (test, asked) = points(arm.task, config.n_test, &streams.child("test"))?;
    let layers = layers(arm.kind, config, arm.depth);
    let network = Network::<f32>::begun(2, &layers, config.start, &mut streams.stream("start"))?;
    let parameters = network.parameters().len();
    let shares = shares(arm.kind, &network, config.rate)?;
    let how = training(config);
    let mut training = how.start_shares(network, shares)?;
    let mut losses = vec![];
    let mut diverged = None;
    let watch = Inside(bench.watch());
    while !training.done() {
        let targets = Targets::Classes(&labels);
        match training.epoch(x.view(), targets, &streams, &watch) {
            Ok(epoch) => losses.push(epoch.loss),
            Err(NetworkError::Diverged { epoch, .. }) => {
                diverged = Some(epoch);
                break;
            }
            Err(other) => return Err(other.into()),
        }
    }
    let network = training.network();
    let accuracy = if diverged.is_some() {
        let ones = asked.iter().sum::<usize>() as f64 / asked.len() as f64;
        ones.max(1.0 - ones)
    } else {
        let loss = Loss::CrossEntropy { smoothing: 0.0 };
        network
            .score(test.view(), Targets::Classes(&asked), loss)?
            .1
    };
    let map = if i == 0 && diverged.is_none() {
        let side = |k: usize| (2.0 * (k as f32 + 0.5) / GRID as f32) - 1.0;
        let at = |(row, column): (usize, usize)| match column {
            0 => side(row % GRID),
            _ => side(row / GRID),
        };
        let grid = Array2::from_shape_fn((GRID * GRID, 2), at);
        network
            .classify(grid.view())?
            .into_iter()
            .map(|c| c == 1)
            .collect()
    } else {
        vec![]
    };
    Ok(Trained {
        accuracy,
        diverged,
        parameters,
        losses,
        parts: Parts::of(network),
        map,
    })
}
