//! Language models of one's own: trained, and their collapse measured in passes.

use chiasm_analysis::collapse::{
    Classifier, Decisions, Duplicates, Means, Pairs, Spread, Sums, duality, duality_error, norms,
    simplex_error,
};
use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use chiasm_net::network::{
    Layer, Loss, Network, Schedule, Start, Targets, Training, TrainingConfig, Transformer,
};
use chiasm_net::train::Rule;
use ndarray::{Array2, Axis, s};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::config::LanguageModels;
use super::corpus::{Sequences, Tokens};

/// Sequences that a pass handles at once: what it holds does not grow with the corpus.
const AT_ONCE: usize = 32;

/// One model to be trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) width: usize,
    pub(super) blocks: usize,
    pub(super) epochs: usize,
    pub(super) decay: f64,
}

impl Job {
    /// All of the settings, the largest first: whoever comes last should not wait for the slowest.
    pub(super) fn all(config: &LanguageModels) -> Vec<Self> {
        let mut jobs = vec![];
        for &epochs in config.epochs.iter().rev() {
            for &width in config.widths.iter().rev() {
                for &blocks in config.blocks.iter().rev() {
                    jobs.extend(config.decays.iter().map(|&decay| Self {
                        width,
                        blocks,
                        epochs,
                        decay,
                    }));
                }
            }
        }
        jobs
    }

    /// As the published models are called: layers, width, epochs, decay.
    pub(super) fn name(&self) -> String {
        format!(
            "{}x{}-{}e-{}",
            self.blocks, self.width, self.epochs, self.decay
        )
    }

    pub(super) fn model(&self, config: &LanguageModels, vocabulary: usize) -> Transformer {
        Transformer {
            vocabulary,
            width: self.width,
            blocks: self.blocks,
            heads: config.heads,
            span: config.span,
            window: None,
            scaled: false,
        }
    }
}

/// Measures of one set of labels, named as in the published table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Measures {
    pub(super) cdnv: f64,
    pub(super) norms_log_var: f64,
    pub(super) interfere_var: f64,
    pub(super) etf_error: f64,
    pub(super) log_kern_var: f64,
    pub(super) dual_error: f64,
    pub(super) simcos_var: f64,
    pub(super) agreement: f64,
}

impl Measures {
    /// In the order of the published table's measures.
    pub(super) fn values(&self) -> [f64; 8] {
        [
            self.cdnv,
            self.norms_log_var,
            self.interfere_var,
            self.etf_error,
            self.log_kern_var,
            self.dual_error,
            self.simcos_var,
            self.agreement,
        ]
    }
}

/// A model at one time of its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Epochs done.
    pub(super) epoch: usize,
    /// Mean loss of the epoch just done, nats; of the first batch's outputs before any.
    pub(super) train_loss: Option<f64>,
    /// Mean loss on the validation tokens, nats.
    pub(super) loss: f64,
    pub(super) accuracy: f64,
    pub(super) own: Measures,
    /// With the labels of the training tokens shuffled.
    pub(super) shuffled: Measures,
}

/// The course of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) job: Job,
    pub(super) n_parameters: usize,
    /// Classes that the training tokens hold.
    pub(super) n_classes: usize,
    pub(super) states: Vec<State>,
}

impl Course {
    pub(super) fn last(&self) -> &State {
        &self.states[self.states.len() - 1]
    }
}

const LOSS: Loss = Loss::CrossEntropy { smoothing: 0.0 };

/// Trains a model, and measures it before, at some epochs and at the end.
pub(super) fn train(
    job: Job,
    (config, tokens): (&LanguageModels, &Tokens),
    bench: &Bench,
) -> Result<Course, Failure> {
    // Models that differ by their training alone begin alike and see the sequences in the same order.
    let streams = bench
        .streams()
        .child(&format!("model {}x{}", job.blocks, job.width));
    let model = job.model(config, tokens.vocabulary);
    let layers = Layer::transformer(&model);
    let network = Network::<f32>::begun(1, &layers, Start::Gpt, &mut streams.stream("start"))?;
    let training = TrainingConfig {
        epochs: job.epochs,
        batch: config.batch,
        optimizer: Rule::ADAMW,
        rate: config.rate,
        decay: job.decay,
        clip: Some(config.clip),
        schedule: Schedule::Cosine,
        loss: LOSS,
    };
    let n_parameters = network.parameters().len();
    let mut training = training.start(network)?;
    let mut shuffled = tokens.train.next.clone();
    shuffled.shuffle(&mut bench.streams().child("own models").stream("labels"));
    let measure = |training: &Training<f32>, train_loss| {
        measured(training, train_loss, (config, tokens, &shuffled), bench)
    };
    let (first, n_classes) = measure(&training, None)?;
    let mut course = Course {
        job,
        n_parameters,
        n_classes,
        states: vec![first],
    };
    while !training.done() {
        let targets = Targets::Classes(&tokens.train.next);
        let found = training.epoch(tokens.train.x.view(), targets, &streams, bench.watch())?;
        bench.watch().tick(1);
        let epoch = training.epochs();
        // Thinly, as little changes late.
        if epoch.is_power_of_two() || training.done() {
            course.states.push(measure(&training, Some(found.loss))?.0);
        }
    }
    Ok(course)
}

/// Batches of whole sequences.
fn batches(part: &Sequences, span: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let (n, rows) = (part.len(), AT_ONCE * span);
    (0..n)
        .step_by(rows)
        .map(move |from| from..(from + rows).min(n))
}

fn measured(
    training: &Training<f32>,
    train_loss: Option<f64>,
    (config, tokens, shuffled): (&LanguageModels, &Tokens, &[usize]),
    bench: &Bench,
) -> Result<(State, usize), Failure> {
    let network = training.network();
    let (vocabulary, features) = (tokens.vocabulary, network.layers().len() - 2);
    let labels = [&tokens.train.next[..], shuffled];
    let on = |rows: &std::ops::Range<usize>| -> Result<Array2<f32>, Failure> {
        bench.watch().check()?;
        let x = tokens.train.x.slice(s![rows.clone(), ..]);
        Ok(network.activity(x, features)?)
    };
    let width = network.parameters().arrays[0].shape[1];
    let mut sums = [Sums::new(vocabulary, width)?, Sums::new(vocabulary, width)?];
    for rows in batches(&tokens.train, config.span) {
        let h = on(&rows)?;
        for (sums, labels) in sums.iter_mut().zip(labels) {
            sums.add(h.view(), &labels[rows.clone()])?;
        }
    }
    let means = sums.map(|s| s.means());
    let mut spreads = [Spread::new(&means[0]), Spread::new(&means[1])];
    for rows in batches(&tokens.train, config.span) {
        let h = on(&rows)?;
        for ((spread, means), labels) in spreads.iter_mut().zip(&means).zip(labels) {
            spread.add(means, h.view(), &labels[rows.clone()])?;
        }
    }
    // The head is tied: its weights are the embedding.
    let table = &network.parameters().arrays[0].values;
    let weights = Array2::from_shape_fn((vocabulary, width), |(i, j)| table[i * width + j]);
    let classifier = Classifier::new(weights.view(), None)?;
    let mut decisions = [Decisions::new(&means[0]), Decisions::new(&means[1])];
    let (mut loss, mut accuracy) = (0.0, 0.0);
    for rows in batches(&tokens.validation, config.span) {
        bench.watch().check()?;
        let x = tokens.validation.x.slice(s![rows.clone(), ..]);
        let next = &tokens.validation.next[rows.clone()];
        let (own_loss, own_accuracy) = network.score(x, Targets::Classes(next), LOSS)?;
        let share = rows.len() as f64 / tokens.validation.len() as f64;
        loss += share * own_loss;
        accuracy += share * own_accuracy;
        let h = network.activity(x, features)?;
        for (decisions, means) in decisions.iter_mut().zip(&means) {
            decisions.add((means, &classifier), h.view(), next)?;
        }
    }
    let of = |which: usize| -> Result<Measures, Failure> {
        let variances = spreads[which].within(&means[which])?.variances;
        let agreement = decisions[which].agreement(&means[which])?.agreement;
        measures(&means[which], &variances, &classifier, agreement, bench)
    };
    let state = State {
        epoch: training.epochs(),
        train_loss,
        loss,
        accuracy,
        own: of(0)?,
        shuffled: of(1)?,
    };
    Ok((state, means[0].seen(1).len()))
}

fn measures(
    means: &Means,
    variances: &[f64],
    classifier: &Classifier,
    agreement: f64,
    bench: &Bench,
) -> Result<Measures, Failure> {
    let classes = means.seen(1);
    let (centered, _) = means.centered(&classes)?;
    let variances: Vec<f64> = classes.iter().map(|&c| variances[c]).collect();
    let weights = classifier.weights().select(Axis(0), &classes);
    let pairs = Pairs {
        duplicates: Duplicates::Exclude,
        ..Pairs::default()
    };
    let pairs = pairs.measure(centered.view(), &variances, &Inside(bench.watch()))?;
    Ok(Measures {
        cdnv: pairs.cdnv,
        norms_log_var: norms(centered.view())?.log_norms.variance,
        interfere_var: pairs.interference.variance,
        etf_error: simplex_error(centered.view())?,
        log_kern_var: pairs.log_kernel.variance,
        dual_error: duality_error(weights.view(), centered.view())?,
        simcos_var: duality(weights.view(), centered.view())?.cosine.variance,
        agreement,
    })
}
