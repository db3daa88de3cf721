//! One network: its start, its training, and how far that moved it.

use chiasm_analysis::kernel::{KernelError, alignment, gram, target_alignment};
use chiasm_core::{Failure, Inside, Streams};
use chiasm_data::generate::cognitive_trials;
use chiasm_lab::Bench;
use chiasm_net::recurrent::{
    Read, Recurrent, RecurrentConfig, RecurrentError, RecurrentTraining, RecurrentTrainingConfig,
    Sequences, Spectrum, resample, starts,
};
use ndarray::{Array1, Array2, Array3, Axis, s};
use serde::{Deserialize, Serialize};

use super::config::{Learning, Task};

/// Where trials come from.
pub(super) enum Source {
    /// The generator.
    Drawn(Task),
    /// Digits row by row: to learn from, and to test on.
    Digits(Box<[Sequences<f32>; 2]>),
}

impl Source {
    pub(super) fn task(&self) -> Task {
        match self {
            Self::Drawn(task) => *task,
            Self::Digits(..) => Task::Digits,
        }
    }

    /// Input channels and outputs.
    fn shape(&self) -> (usize, usize) {
        match self {
            Self::Drawn(task) => (task.cognitive().map_or(0, |t| t.n_channels()), 3),
            Self::Digits(parts) => (parts[0].n_channels(), 10),
        }
    }

    fn read(&self) -> Read {
        match self {
            Self::Drawn(_) => Read::All,
            Self::Digits(..) => Read::Last,
        }
    }

    /// `n` trials to learn from.
    fn batch(
        &self,
        n: usize,
        rng: &mut chiasm_core::Rng,
    ) -> Result<Sequences<f32>, RecurrentError> {
        match self {
            Self::Drawn(task) => drawn(*task, n, rng),
            Self::Digits(parts) => Ok(resample(&parts[0], n, rng)),
        }
    }

    /// `n` trials to look at.
    fn probe(&self, n: usize, streams: &Streams) -> Result<Sequences<f32>, RecurrentError> {
        let mut rng = streams.stream("probe");
        match self {
            Self::Drawn(task) => drawn(*task, n, &mut rng),
            Self::Digits(parts) => {
                let test = &parts[1];
                Ok(test.select(&(0..n.min(test.n_trials())).collect::<Vec<_>>()))
            }
        }
    }
}

fn drawn(
    task: Task,
    n: usize,
    rng: &mut chiasm_core::Rng,
) -> Result<Sequences<f32>, RecurrentError> {
    // Digits are never drawn.
    let task = task
        .cognitive()
        .unwrap_or(chiasm_data::generate::CognitiveTask::DelayedMatch);
    let trials = cognitive_trials(task, n, rng)?;
    Sequences::new(trials.inputs.mapv(|v| v as f32), trials.labels)
}

/// Images row by row, one class for all rows.
pub(super) fn digits(pixels: &Array2<u8>, labels: &[u8]) -> Result<Sequences<f32>, RecurrentError> {
    let (n, size) = pixels.dim();
    let rows = size.isqrt();
    let inputs = Array3::from_shape_fn((rows, n, rows), |(t, b, i)| {
        f32::from(pixels[[b, t * rows + i]]) / 255.0
    });
    let labels = Array2::from_shape_fn((rows, n), |(_, b)| usize::from(labels[b]));
    Sequences::new(inputs, labels)
}

/// What became of one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Moved {
    /// Frobenius norm of the change of the recurrent weights.
    pub(super) weights: f64,
    /// The same as a part of their norm at the start.
    pub(super) relative: f64,
    /// Alignment of hidden activity at the last step, before and after.
    pub(super) representation: f64,
    /// Alignment of the tangent kernels, before and after.
    pub(super) kernel: f64,
    /// Part of the units' activities that are on or off as before.
    pub(super) signs: f64,
    /// How much of the tangent kernel serves the labels, before and after.
    pub(super) serves: (f64, f64),
    /// Mean loss over the last steps.
    pub(super) loss: f64,
    /// Part of the last answers that are right, on new trials.
    pub(super) accuracy: f64,
    /// Mean loss over training.
    pub(super) course: Vec<f64>,
    /// Of the start: norm, participation ratio, effective rank as a part of the units, spectral radius, numeric rank.
    pub(super) norm: f64,
    pub(super) participation: f64,
    pub(super) effective_rank: f64,
    pub(super) radius: f64,
    pub(super) rank: usize,
    pub(super) singular: Vec<f64>,
    pub(super) eigenvalues: Vec<(f64, f64)>,
    /// The tangent kernel at the start, of few trials: to be compared between networks that have nothing to do with each other.
    pub(super) before: Vec<f64>,
}

/// One network to be trained.
pub(super) struct Plan<'a> {
    pub(super) source: &'a Source,
    /// Recurrent weights at the start.
    pub(super) start: &'a Array2<f64>,
    pub(super) iterations: usize,
    pub(super) batch: usize,
    pub(super) learning: &'a Learning,
    /// Bits of the network: the same for all starts of one number.
    pub(super) streams: Streams,
}

/// A measure of how far a network moved, and its name.
pub(super) type Measure = (&'static str, fn(&Moved) -> f64);

/// Losses whose mean is one point of the course.
pub(super) const EVERY: usize = 50;

/// Trains one network; none if it left the finite numbers, or fell silent, so that nothing can be aligned with it.
pub(super) fn train(plan: &Plan<'_>, bench: &Bench) -> Result<Option<Moved>, Failure> {
    match moved(plan, bench) {
        Ok(found) => Ok(Some(found)),
        Err(e) => {
            let diverged = matches!(e.downcast_ref(), Some(RecurrentError::Diverged { .. }));
            let silent = matches!(e.downcast_ref(), Some(KernelError::Undefined { .. }));
            if diverged || silent { Ok(None) } else { Err(e) }
        }
    }
}

fn moved(plan: &Plan<'_>, bench: &Bench) -> Result<Moved, Failure> {
    let Plan {
        source,
        learning,
        streams,
        ..
    } = plan;
    let (inputs, outputs) = source.shape();
    let config = RecurrentConfig {
        inputs,
        hidden: plan.start.nrows(),
        outputs,
        activation: learning.activation,
        leak: vec![learning.leak],
    };
    let before = Recurrent::<f32>::new(&config, plan.start.view(), &mut streams.stream("ends"))?;
    let how = RecurrentTrainingConfig {
        iterations: plan.iterations,
        batch: plan.batch,
        rate: learning.rate,
        momentum: learning.momentum,
        read: source.read(),
        every: EVERY.min(plan.iterations),
        keep_signs: false,
    };
    let mut training = RecurrentTraining::new(&how, before.clone())?;
    let watch = Inside(bench.watch());
    let draw = |rng: &mut chiasm_core::Rng| source.batch(plan.batch, rng);
    let course = training.advance(plan.iterations, streams, &watch, draw)?;
    bench.watch().tick(1);
    let after = training.into_network();

    let probe = source.probe(learning.probe_trials, streams)?;
    let few: Vec<usize> = (0..learning.kernel_trials.min(probe.n_trials())).collect();
    let few = probe.select(&few);
    let (states, later) = (before.run(&probe)?, after.run(&probe)?);
    let last = |x: Array3<f64>| x.slice(s![-1, .., ..]).to_owned();
    let (h, h_later) = (last(states.hidden()), last(later.hidden()));
    let read = source.read();
    let (k, k_later) = (
        before.tangent_kernel(&few, read)?,
        after.tangent_kernel(&few, read)?,
    );
    let labels = one_hot(&few, outputs, read);
    let change = after.recurrent() - before.recurrent();
    let spectrum = Spectrum::of(plan.start.view())?;
    let norm = starts::norm(plan.start.view());
    let size = starts::norm(change.view());
    let alike = h
        .iter()
        .zip(&h_later)
        .filter(|(a, b)| (**a > 0.0) == (**b > 0.0));
    let (_, accuracy) = after.score(&probe, Read::Last)?;
    let tail = course.len().div_ceil(10).max(1);
    Ok(Moved {
        weights: size,
        relative: size / norm,
        representation: alignment(gram(h.view()).view(), gram(h_later.view()).view())?,
        kernel: alignment(k.view(), k_later.view())?,
        signs: alike.count() as f64 / h.len() as f64,
        serves: (
            target_alignment(k.view(), labels.view())?,
            target_alignment(k_later.view(), labels.view())?,
        ),
        loss: course[course.len() - tail..].iter().sum::<f64>() / tail as f64,
        accuracy,
        course,
        norm,
        participation: spectrum.participation_ratio(),
        effective_rank: spectrum.effective_rank(),
        radius: spectrum.radius(),
        rank: spectrum.rank(1e-10),
        singular: spectrum.singular,
        eigenvalues: spectrum.eigenvalues,
        before: k
            .slice(s![..k.nrows().min(48), ..k.nrows().min(48)])
            .iter()
            .copied()
            .collect(),
    })
}

/// The labels in the order of the kernel, centered: 1 for the label's class less one over the classes.
fn one_hot(trials: &Sequences<f32>, classes: usize, read: Read) -> Array1<f64> {
    let labels = trials.labels();
    let first = if read == Read::All {
        0
    } else {
        labels.nrows() - 1
    };
    let mut all = vec![];
    for trial in labels.axis_iter(Axis(1)) {
        for label in trial.iter().skip(first) {
            all.extend((0..classes).map(|k| f64::from(k == *label) - 1.0 / classes as f64));
        }
    }
    all.into()
}

/// The alignment of two kernels kept in [`Moved::before`].
pub(super) fn unrelated(a: &Moved, b: &Moved) -> Option<f64> {
    let n = a.before.len().isqrt();
    let matrix = |m: &Moved| Array2::from_shape_vec((n, n), m.before.clone()).ok();
    alignment(matrix(a)?.view(), matrix(b)?.view()).ok()
}
