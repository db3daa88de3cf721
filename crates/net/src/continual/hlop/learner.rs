//! A network that learns task after task.

use chiasm_core::{Streams, Watch};
use ndarray::Array2;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::network::{Local, Network};
use super::settings::{Layers, Protect, Replay, Train};
use super::subspace::Subspace;
use crate::Real;
use crate::continual::arrays::product;
use crate::continual::tasks::{asked, gather};
use crate::continual::{ContinualError, Task};

/// The lateral circuits of all layers and how they learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Protection<T> {
    settings: Protect,
    layers: Vec<Subspace<T>>,
}

impl<T: Real> Protection<T> {
    /// The circuit of each layer, from the input.
    #[must_use]
    pub fn layers(&self) -> &[Subspace<T>] {
        &self.layers
    }

    /// The gradient of a layer's weights, `delta' pre`, after the block has learned from `pre`; with anything finished
    /// `delta' pre_orthogonal`.
    fn gradient(&mut self, layer: usize, local: &Local<T>) -> Result<Array2<T>, ContinualError> {
        let hebb = self.settings.hebb(layer);
        let circuit = &mut self.layers[layer];
        let rest = circuit.rest(local.pre.view(), hebb.code);
        if circuit.block().nrows() > 0 {
            circuit.learn_rest(local.pre.view(), &rest, &hebb)?;
        }
        Ok(product(local.delta.t(), rest.view()))
    }
}

/// What one task's training came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Mean loss over the samples of the last pass.
    pub loss: f64,
    /// `|HH' - I|` of each layer's rows after the task; empty without protection.
    pub from_orthonormal: Vec<f64>,
    /// The part of the squared length of each layer's inputs, in the last batch, that its rows explain.
    pub explained: Vec<f64>,
}

/// A network, its protection and its memory. It can be kept between tasks, and goes on to the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Learner<T> {
    train: Train,
    replay: Option<Replay>,
    network: Network<T>,
    protection: Option<Protection<T>>,
    /// Samples kept, as task and sample.
    memory: Vec<(usize, usize)>,
    learned: usize,
}

/// Samples asked at once.
const ASKED: usize = 256;

impl<T: Real> Learner<T> {
    /// A learner that has learned nothing. Without `protect` and `replay` it is the sequential baseline.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn new(
        (layers, train): (&Layers, &Train),
        protect: Option<&Protect>,
        replay: Option<&Replay>,
        (width, classes): (usize, usize),
        streams: &Streams,
    ) -> Result<Self, ContinualError> {
        train.validate()?;
        protect.map_or(Ok(()), Protect::validate)?;
        replay.map_or(Ok(()), Replay::validate)?;
        let network = Network::new(layers, width, classes, &streams.child("hlop"))?;
        let protection = match protect {
            None => None,
            Some(settings) => {
                settings.rows.validate(&network.inputs(), 0)?;
                Some(Protection {
                    settings: settings.clone(),
                    layers: network.inputs().into_iter().map(Subspace::new).collect(),
                })
            }
        };
        Ok(Self {
            train: *train,
            replay: replay.copied(),
            network,
            protection,
            memory: vec![],
            learned: 0,
        })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network<T> {
        &self.network
    }

    /// The lateral circuits, if there are any.
    #[must_use]
    pub fn protection(&self) -> Option<&Protection<T>> {
        self.protection.as_ref()
    }

    /// Tasks learned.
    #[must_use]
    pub fn n_learned(&self) -> usize {
        self.learned
    }

    /// Learns task `tasks[task]`, the one after those learned; of `tasks` the earlier ones are needed for replay alone. The
    /// bits depend on the streams, not on the number of threads. The watch is told of every batch.
    ///
    /// # Errors
    /// A task that does not come next or does not fit the network; rows without room; a loss, gradient or subspace that is no
    /// longer finite; work that was stopped. After an error the learner is to be thrown away.
    pub fn learn(
        &mut self,
        tasks: &[Task<'_, T>],
        task: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Training, ContinualError> {
        if task != self.learned || task >= tasks.len() {
            return Err(ContinualError::Order {
                expected: self.learned,
                found: task,
            });
        }
        tasks[task].check(self.width(), self.network.n_classes())?;
        let streams = streams.child("hlop").child(&format!("task {task}"));
        if let Some(protection) = &mut self.protection {
            let settings = &protection.settings;
            for (i, layer) in protection.layers.iter_mut().enumerate() {
                let k = settings.rows.of(task, i);
                layer.add_block(k, settings.birth, &mut streams.indexed("rows", i))?;
            }
        }
        let n = tasks[task].train.labels.len();
        let mut which: Vec<(usize, usize)> = (0..n).map(|i| (task, i)).collect();
        let mut loss = 0.0;
        for epoch in 0..self.train.epochs {
            which.shuffle(&mut streams.indexed("order", epoch));
            loss = self.descend(tasks, &which, (self.train.rate, true), watch)?;
        }
        let (mut from_orthonormal, mut explained) = (vec![], vec![]);
        if let Some(protection) = &mut self.protection {
            let last = which.chunks(self.train.batch).last().unwrap_or(&[]);
            let (x, labels) = gather(tasks, last, self.network.inputs()[0]);
            let seen = self.network.pass(x.view(), &labels)?;
            for (layer, local) in protection.layers.iter_mut().zip(&seen.layers) {
                layer.finish_block();
                from_orthonormal.push(layer.from_orthonormal());
                explained.push(layer.explained(local.pre.view())?);
            }
        }
        if let Some(replay) = self.replay {
            self.keep(tasks, task, replay.per_class, &streams);
            let mut which = self.memory.clone();
            for epoch in 0..replay.epochs {
                which.shuffle(&mut streams.indexed("replay", epoch));
                self.descend(tasks, &which, (replay.rate, false), watch)?;
            }
        }
        self.learned += 1;
        Ok(Training {
            loss,
            from_orthonormal,
            explained,
        })
    }

    /// Learns all tasks at once, in mixed batches: what could be reached if nothing had to be learned later. Then nothing
    /// more can be learned.
    ///
    /// # Errors
    /// As [`Self::learn`]; a task learned before.
    pub fn learn_together(
        &mut self,
        tasks: &[Task<'_, T>],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Training, ContinualError> {
        if self.learned > 0 {
            return Err(ContinualError::Order {
                expected: self.learned,
                found: 0,
            });
        }
        let mut which = vec![];
        for (i, task) in tasks.iter().enumerate() {
            task.check(self.width(), self.network.n_classes())?;
            which.extend((0..task.train.labels.len()).map(|sample| (i, sample)));
        }
        let streams = streams.child("hlop").child("together");
        let mut loss = 0.0;
        for epoch in 0..self.train.epochs {
            which.shuffle(&mut streams.indexed("order", epoch));
            loss = self.descend(tasks, &which, (self.train.rate, false), watch)?;
        }
        self.learned = tasks.len();
        Ok(Training {
            loss,
            from_orthonormal: vec![],
            explained: vec![],
        })
    }

    /// One pass over these samples, at this rate. `new` of a task that is learned for the first time: lateral circuits learn and protect,
    /// and in the first task thresholds learn. What is replayed lies within the subspaces and would be kept from learning.
    fn descend(
        &mut self,
        tasks: &[Task<'_, T>],
        which: &[(usize, usize)],
        (rate, new): (f64, bool),
        watch: &dyn Watch,
    ) -> Result<f64, ContinualError> {
        let rate = T::of(rate);
        let task = self.learned;
        let mut sum = 0.0;
        for (batch, which) in which.chunks(self.train.batch).enumerate() {
            watch.check()?;
            let fault = |quantity| ContinualError::Diverged {
                quantity,
                task,
                batch,
            };
            let (x, labels) = gather(tasks, which, self.width());
            let pass = self.network.pass(x.view(), &labels)?;
            if !pass.loss.is_finite() {
                return Err(fault("the loss"));
            }
            sum += pass.loss * which.len() as f64;
            for (layer, local) in pass.layers.iter().enumerate() {
                let gradient = match &mut self.protection {
                    Some(protection) if new => {
                        let gradient = protection.gradient(layer, local)?;
                        let block = protection.layers[layer].block();
                        if !block.iter().all(|v| v.is_finite()) {
                            return Err(fault("the subspace"));
                        }
                        gradient
                    }
                    _ => product(local.delta.t(), local.pre.view()),
                };
                if !gradient.iter().all(|v| v.is_finite()) {
                    return Err(fault("a gradient"));
                }
                self.network.descend(layer, rate, &gradient);
            }
            if new && task == 0 {
                self.network.descend_thresholds(rate, &pass.thresholds);
            }
            watch.tick(1);
        }
        Ok(sum / which.len().max(1) as f64)
    }

    /// Keeps samples of each class of a task, drawn at random.
    fn keep(&mut self, tasks: &[Task<'_, T>], task: usize, per_class: usize, streams: &Streams) {
        let labels = tasks[task].train.labels;
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.shuffle(&mut streams.stream("memory"));
        let mut held = vec![0; self.network.n_classes()];
        for sample in order {
            let n = &mut held[labels[sample]];
            if *n < per_class {
                *n += 1;
                self.memory.push((task, sample));
            }
        }
    }

    /// The part of a task's test samples that are told, 0 to 1.
    ///
    /// # Errors
    /// A task that does not fit the network; scores that are not finite; work that was stopped.
    pub fn accuracy(&self, task: &Task<'_, T>, watch: &dyn Watch) -> Result<f64, ContinualError> {
        task.check_part("test", &task.test, self.width(), self.network.n_classes())?;
        let labels = task.test.labels;
        let mut right = 0;
        for (batch, told) in labels.chunks(ASKED).enumerate() {
            watch.check()?;
            let first = batch * ASKED;
            let x = asked(task, first, first + told.len(), self.width());
            let scores = self.network.scores(x.view())?;
            for (row, label) in scores.rows().into_iter().zip(told) {
                if !row.iter().all(|v| v.is_finite()) {
                    return Err(ContinualError::Diverged {
                        quantity: "a score",
                        task: self.learned,
                        batch,
                    });
                }
                let mut best = 0;
                for (class, v) in row.iter().enumerate() {
                    if *v > row[best] {
                        best = class;
                    }
                }
                right += usize::from(best == *label);
            }
        }
        Ok(right as f64 / labels.len() as f64)
    }

    fn width(&self) -> usize {
        self.network.weights[0].ncols()
    }
}
