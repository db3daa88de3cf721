//! One network: its task, its training, and the geometry of its hidden layers.

use chiasm_analysis::geometry::{
    Dichotomy, Pairing, Samples, Svm, ccgp, decode, parallelism, selectivity, sparsity, specialists,
};
use chiasm_analysis::kernel::{centered, cka, effective_rank, gram, participation_ratio};
use chiasm_core::{Failure, Inside, Streams};
use chiasm_data::generate::{ClusterTask, FourClusters, FourKind, aligned_clusters, four_clusters};
use chiasm_lab::Bench;
use chiasm_net::network::{Layer, Loss, Network, Nonlinearity, Targets, TrainingConfig};
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::config::{Cell, Config};

/// What a network learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// Clusters of controlled alignment, with this noise.
    Aligned(Cell, f64),
    /// Nudged XOR.
    Xor { epsilon: f64, noise: f64 },
}

impl Task {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Aligned(cell, noise) => {
                let rank = cell.rank.map_or(String::new(), |r| format!("-r{r}"));
                format!("k{}-s{}{rank}-n{noise}", cell.labels, cell.separability)
            }
            Self::Xor { epsilon, noise } => format!("xor-e{epsilon}-n{noise}"),
        }
    }

    pub(super) fn draw(&self, config: &Config, streams: &Streams) -> Result<ClusterTask, Failure> {
        // The noise is no part of the clusters: these are the same at every one.
        match *self {
            Self::Aligned(cell, noise) => {
                let streams = streams.child(&Self::Aligned(cell, 0.0).name());
                Ok(aligned_clusters(&config.task(cell, noise), &streams)?)
            }
            Self::Xor { epsilon, noise } => {
                let four = FourClusters {
                    kind: FourKind::NudgedXor { epsilon },
                    inputs: config.xor.width,
                    noise,
                };
                Ok(four_clusters(&four, &streams.child("xor"))?)
            }
        }
    }
}

/// One network to be trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) unit: Nonlinearity,
    /// Hidden layers.
    pub(super) depth: usize,
    /// Whether it is trained at all.
    pub(super) trained: bool,
    /// Which of the networks of its kind.
    pub(super) net: usize,
}

/// The name of a nonlinearity, in metrics and legends.
pub(super) fn unit_name(unit: Nonlinearity) -> String {
    match unit {
        Nonlinearity::Relu => "relu".into(),
        Nonlinearity::Tanh => "tanh".into(),
        Nonlinearity::Linear => "linear".into(),
        Nonlinearity::Capped { at } => format!("capped-{at}"),
        Nonlinearity::Clipped { low, high } => format!("clipped-{low}-to-{high}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

impl Job {
    pub(super) fn name(&self) -> String {
        let unit = unit_name(self.unit);
        let trained = if self.trained { "" } else { "-untrained" };
        let (task, depth, net) = (self.task.name(), self.depth, self.net);
        format!("{task}-{unit}-d{depth}{trained}-net{net}")
    }

    /// Steps of training, for progress.
    pub(super) fn steps(&self, config: &Config) -> u64 {
        if !self.trained {
            return 0;
        }
        match self.task {
            Task::Aligned(..) => (config.epochs * self.depth) as u64,
            // Less of everything.
            Task::Xor { .. } => {
                (config.xor.epochs * config.xor.samples / config.samples.max(1)) as u64
            }
        }
    }
}

/// The geometry of one hidden layer, on the clusters' means without noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Code {
    /// Alignment with the labels' kernel.
    pub(super) target: f64,
    /// Alignment with the inputs' kernel.
    pub(super) input: f64,
    /// Mean over the labels that were trained; `None` where a class has one cluster.
    pub(super) parallelism: f64,
    pub(super) ccgp: f64,
    /// Mean accuracy on dichotomies that were not trained, at noise of the inputs.
    pub(super) untrained: f64,
    pub(super) dimension: f64,
    pub(super) effective_rank: f64,
    pub(super) sparsity: f64,
    pub(super) specialists: f64,
    /// Variance of single units that the labels explain, mean over units.
    pub(super) selectivity: f64,
}

/// What one network came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Of each hidden layer.
    pub(super) codes: Vec<Code>,
    /// Outputs on the right side, over samples and labels.
    pub(super) train_accuracy: f64,
    pub(super) test_accuracy: f64,
    /// Alignment of inputs and labels.
    pub(super) between: f64,
    /// The kernel of the last hidden layer, centered, its largest value 1, row by row.
    pub(super) kernel: Vec<f64>,
}

fn single(x: ArrayView2<'_, f64>) -> Array2<f32> {
    x.mapv(|v| v as f32)
}

/// Each sample's labels as 0 and 1.
fn targets(task: &ClusterTask, clusters: &[usize]) -> Array2<f32> {
    task.labels
        .select(Axis(0), clusters)
        .mapv(|y| if y { 1.0 } else { 0.0 })
}

pub(super) fn run(job: &Job, config: &Config, bench: &Bench) -> Result<Outcome, Failure> {
    let streams = bench.streams();
    let task = job.task.draw(config, streams)?;
    let (samples, width, epochs) = match job.task {
        Task::Aligned(..) => (config.samples, config.width, config.epochs),
        Task::Xor { .. } => (config.xor.samples, config.xor.width, config.xor.epochs),
    };
    // The same samples for all networks on a task, the same starts for all nonlinearities.
    let draws = streams.child(&job.task.name());
    let (x, clusters) = task.samples(samples, &mut draws.stream("train"));
    let (x, y) = (single(x.view()), targets(&task, &clusters));
    let (x_test, clusters) = task.samples(config.test_samples, &mut draws.stream("test"));
    let (x_test, y_test) = (single(x_test.view()), targets(&task, &clusters));

    let mut widths = vec![width; job.depth];
    widths.push(task.labels.ncols());
    let layers = Layer::perceptron(&widths, job.unit);
    let own = streams.child("nets").child(&job.net.to_string());
    let network = Network::<f32>::new(task.means.ncols(), &layers, &mut own.stream("start"))?;
    let network = if job.trained {
        let how = TrainingConfig {
            epochs,
            batch: config.batch,
            rate: config.rate,
            loss: Loss::BinaryCrossEntropy,
            ..TrainingConfig::default()
        };
        let mut training = how.start(network)?;
        training.finish(
            x.view(),
            Targets::Values(y.view()),
            &own,
            &Inside(bench.watch()),
        )?;
        training.into_network()
    } else {
        network
    };
    bench.watch().tick(job.steps(config));

    let right = |x: &Array2<f32>, y: &Array2<f32>| -> Result<f64, Failure> {
        let outputs = network.outputs(x.view())?;
        let right = outputs
            .iter()
            .zip(y)
            .filter(|(o, y)| (**o > 0.0) == (**y > 0.5));
        Ok(right.count() as f64 / y.len() as f64)
    };
    let taps = |x: ArrayView2<'_, f64>| -> Result<Vec<Array2<f64>>, Failure> {
        let all = network.taps(single(x).view())?;
        // Hidden layers are dense ones and their nonlinearities in turn.
        let hidden = all.iter().skip(1).step_by(2).take(job.depth);
        Ok(hidden.map(|t| t.mapv(f64::from)).collect())
    };
    let clean = taps(task.means.view())?;
    let noisy = Samples::noisy(
        task.means.view(),
        config.decoding_noise,
        20,
        &draws.child("decoding"),
    )?;
    let noisy_codes = taps(noisy.values())?;
    let mut rng = draws.stream("dichotomies");
    let trained = trained(&task)?;
    let others = Dichotomy::random(task.means.nrows(), config.dichotomies, &trained, &mut rng);
    let codes = clean.iter().zip(&noisy_codes).map(|(clean, noisy_code)| {
        let noisy = Samples::new(noisy_code.clone(), noisy.conditions().to_vec())?;
        code(&task, clean, &noisy, &trained, &others)
    });
    let codes = codes.collect::<Result<Vec<Code>, Failure>>()?;
    let kernel = clean.last().map_or(Ok(vec![]), shown)?;
    Ok(Outcome {
        codes,
        train_accuracy: right(&x, &y)?,
        test_accuracy: right(&x_test, &y_test)?,
        between: cka(task.input_kernel.view(), task.target_kernel().view())?,
        kernel,
    })
}

/// The labels that are trained.
pub(super) fn trained(task: &ClusterTask) -> Result<Vec<Dichotomy>, Failure> {
    let columns = task.labels.columns().into_iter();
    let each = columns.map(|y| Ok(Dichotomy::new(y.to_vec())?));
    each.collect()
}

/// A kernel as it is shown.
fn shown(code: &Array2<f64>) -> Result<Vec<f64>, Failure> {
    let kernel = centered(gram(code.view()).view())?;
    let largest = kernel.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    Ok(kernel
        .iter()
        .map(|v| v / largest.max(f64::MIN_POSITIVE))
        .collect())
}

fn code(
    task: &ClusterTask,
    clean: &Array2<f64>,
    noisy: &Samples,
    trained: &[Dichotomy],
    others: &[Dichotomy],
) -> Result<Code, Failure> {
    let kernel = gram(clean.view());
    let middle = centered(kernel.view())?;
    // The margin of a support vector machine is a length: all codes have the same size here.
    let size = clean.iter().map(|v| v * v).sum::<f64>() / clean.nrows() as f64;
    let scale = 1.0 / size.sqrt().max(f64::MIN_POSITIVE) * SIZE;
    let means = Samples::of_means((clean * scale).view())?;
    let noisy = Samples::new(&noisy.values() * scale, noisy.conditions().to_vec())?;
    let svm = Svm::default();
    let (mut parallel, mut across) = (0.0, 0.0);
    for label in trained {
        let found = parallelism(clean.view(), label, Pairing::Nearest)?;
        parallel += found.score / trained.len() as f64;
        let found = ccgp(&means, label, &found.pairs, 100, &svm)?;
        across += found.accuracy / trained.len() as f64;
    }
    let told = others.iter().map(|d| decode(&means, &noisy, d, &svm));
    let told = told.collect::<Result<Vec<f64>, _>>()?;
    Ok(Code {
        target: cka(kernel.view(), task.target_kernel().view())?,
        input: cka(kernel.view(), task.input_kernel.view())?,
        parallelism: parallel,
        ccgp: across,
        untrained: told.iter().sum::<f64>() / told.len().max(1) as f64,
        dimension: participation_ratio(middle.view())?,
        effective_rank: effective_rank(middle.view())?,
        sparsity: sparsity(clean.view())?,
        specialists: specialists(clean.view())?,
        selectivity: selectivity(clean.view(), trained)?
            .sum_axis(Axis(1))
            .mean()
            .unwrap_or(0.0),
    })
}

/// The root mean square length of codes before they are decoded (chosen).
const SIZE: f64 = 10.0;
