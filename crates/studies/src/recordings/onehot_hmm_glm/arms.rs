//! One network with scarce data: the models beside each other, each measured on the same held-out trials.

use chiasm_analysis::hmm::HiddenChain;
use chiasm_analysis::switching::{
    Coupling, Start, SwitchingFit, SwitchingGlm, SwitchingModel, names_by,
};
use chiasm_core::{Failure, Inside, Streams, Watch, stats};
use chiasm_data::generate::{SwitchingTruth, switching_network};
use chiasm_data::{Counting, Counts};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::config::Config;

/// Arms in the order of the figures.
pub(super) const ARMS: [(&str, &str); 7] = [
    ("one_state", "one state"),
    ("free", "free"),
    ("gaussian", "Gaussian"),
    ("one_hot", "one-hot"),
    ("one_hot_paper", "one-hot, paper's prior"),
    ("one_hot_cold", "one-hot, cold"),
    ("truth", "true parameters"),
];

/// What is measured of one arm on one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    pub(super) arm: String,
    /// Held-out log-likelihood for each bin and unit, -ln x! included.
    pub(super) held_out: f64,
    /// Share of held-out bins whose state is told right.
    pub(super) accuracy: f64,
    /// Correlation of weights with the true ones.
    pub(super) weights: f64,
    /// Among couplings whose true weight is above 0.5, the share with the right sign.
    pub(super) signs: f64,
    /// Share of couplings of the right type; weights below 0.3 count as none where a model has no types.
    pub(super) types: f64,
    /// States visited in the training trials.
    pub(super) visited: usize,
    pub(super) warnings: Vec<String>,
}

/// What the figures show of one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shown {
    /// Weights by state, row by row: of the truth, the Gaussian and the one-hot model.
    pub(super) weights: Vec<Vec<Vec<Vec<f64>>>>,
    /// Excitatory minus inhibitory probability of the learned prior, and of the planted one.
    pub(super) prior: Vec<Vec<Vec<f64>>>,
    /// States of the first held-out trial: true, and by each of the arms named.
    pub(super) states: Vec<(String, Vec<usize>)>,
    /// Posterior of the one-hot model there, state by state.
    pub(super) posterior: Vec<Vec<f64>>,
    /// Bins of a true state (rows) told as each state (columns) by the one-hot model, all held-out trials.
    pub(super) confusion: Vec<Vec<f64>>,
    /// Training log-likelihood by round: of the free, the Gaussian and the one-hot model.
    pub(super) rounds: Vec<(String, Vec<(f64, f64)>)>,
}

/// One network with scarce data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) scores: Vec<Score>,
    pub(super) shown: Shown,
}

impl Outcome {
    pub(super) fn of(&self, arm: &str) -> Option<&Score> {
        self.scores.iter().find(|s| s.arm == arm)
    }
}

/// Counts of a network, trial by trial, with the truth.
pub(super) struct Network {
    pub(super) counts: Counts,
    pub(super) truth: SwitchingTruth,
}

impl Network {
    pub(super) fn new(config: &Config, streams: &Streams) -> Result<Self, Failure> {
        let (recording, truth) = switching_network(&config.data, streams)?;
        let counting = Counting {
            trials: Some("trial".into()),
            ..Counting::default()
        };
        Ok(Self {
            counts: counting.counts(&recording)?,
            truth,
        })
    }

    /// The first `n` trials.
    pub(super) fn training(&self, n: usize) -> Result<Counts, Failure> {
        Ok(self.counts.select_trials(&(0..n).collect::<Vec<_>>())?)
    }

    /// The last `n` trials, with their true states.
    fn held_out(&self, n: usize) -> Result<(Counts, Vec<usize>), Failure> {
        let all = self.counts.n_trials();
        let idx: Vec<usize> = (all - n..all).collect();
        let first = self.counts.trials[all - n].start;
        Ok((
            self.counts.select_trials(&idx)?,
            self.truth.states[first..].to_vec(),
        ))
    }

    /// The model with the true parameters.
    fn model(&self, like: &SwitchingGlm) -> Result<SwitchingModel, Failure> {
        let (truth, n_states) = (&self.truth, self.truth.transition.nrows());
        let shape = (n_states, truth.bias.len());
        Ok(SwitchingModel {
            weights: truth.weights.clone(),
            bias: Array2::from_shape_fn(shape, |(_, i)| truth.bias[i]),
            chain: HiddenChain::new(
                Array1::from_elem(n_states, 1.0 / n_states as f64),
                truth.transition.clone(),
            )?,
            kernel: truth.kernel.clone(),
            link: chiasm_analysis::switching::Link::Sigmoid,
            observation: chiasm_analysis::switching::Observation::Poisson,
            skip_bins: like.skip_bins,
        })
    }
}

/// All arms on one network.
pub(super) fn compare(
    config: &Config,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Outcome, Failure> {
    let network = Network::new(config, streams)?;
    let training = network.training(config.scarce_trials)?;
    let fit = |model: &SwitchingGlm| -> Result<SwitchingFit, Failure> {
        Ok(model.fit(&training, streams, &Inside(watch))?)
    };
    let with = |coupling| SwitchingGlm {
        coupling,
        ..config.model.clone()
    };
    let one_state = fit(&SwitchingGlm {
        states: 1,
        restarts: 1,
        ..with(Coupling::Free)
    })?;
    let free = fit(&with(Coupling::Free))?;
    let one_hot = fit(&with(Coupling::OneHot))?;
    let paper = fit(&SwitchingGlm {
        none_states: 0.0,
        ..with(Coupling::OneHot)
    })?;
    // The paper's first code: its prior, the term once for each trial, a random start; as many rounds as the warm model had.
    let cold = fit(&SwitchingGlm {
        start: Start::Cold,
        epochs: config.model.epochs + config.model.one_hot_epochs,
        type_prior_weight: config.scarce_trials as f64,
        none_states: 0.0,
        ..with(Coupling::OneHot)
    })?;
    let gaussian = match &one_hot.gaussian {
        Some(gaussian) => (**gaussian).clone(),
        None => fit(&with(Coupling::Gaussian))?,
    };
    let fits = [&one_state, &free, &gaussian, &one_hot, &paper, &cold];
    let (test, states) = network.held_out(config.test_trials)?;
    let mut scores = Vec::new();
    let mut named = Vec::new();
    for ((arm, _), fit) in ARMS.iter().zip(fits) {
        let (fit, found, held_out) = name(&network, fit, &test, &states)?;
        scores.push(score(arm, &network, &fit, &found, &states, held_out));
        named.push((fit, found));
    }
    let truth = network.model(&config.model)?.decode(&test)?;
    let told = truth.states();
    scores.push(Score {
        arm: "truth".into(),
        held_out: truth.per_count(),
        accuracy: share(&told, &states),
        weights: 1.0,
        signs: 1.0,
        types: 1.0,
        visited: network.truth.transition.nrows(),
        warnings: vec![],
    });
    let shown = shown(&network, &named, &test, &states, told)?;
    Ok(Outcome { scores, shown })
}

/// Free weights on ample data: state accuracy and weight correlation on the held-out trials, and the score of the truth.
pub(super) fn ample(
    config: &Config,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<(Score, f64), Failure> {
    let network = Network::new(config, streams)?;
    let model = SwitchingGlm {
        coupling: Coupling::Free,
        restarts: config.ample_restarts,
        ..config.model.clone()
    };
    let fit = model.fit(&network.training(config.ample_trials)?, streams, watch)?;
    let (test, states) = network.held_out(config.test_trials)?;
    let (fit, found, held_out) = name(&network, &fit, &test, &states)?;
    let ceiling = network.model(&config.model)?.decode(&test)?.per_count();
    Ok((
        score("free", &network, &fit, &found, &states, held_out),
        ceiling,
    ))
}

/// The fit with its states named by the truth of the held-out trials, and the states it finds there. A model of one state
/// stands for all.
fn name(
    network: &Network,
    fit: &SwitchingFit,
    test: &Counts,
    states: &[usize],
) -> Result<(SwitchingFit, Vec<usize>, f64), Failure> {
    let decoded = fit.model.decode(test)?;
    let found = decoded.states();
    let n = network.truth.transition.nrows();
    if fit.model.n_states() != n {
        return Ok((fit.clone(), found, decoded.per_count()));
    }
    let name = names_by(states, &found, n)?;
    let found = found.into_iter().map(|s| name[s]).collect();
    Ok((fit.renamed(&name)?, found, decoded.per_count()))
}

fn share(found: &[usize], states: &[usize]) -> f64 {
    found.iter().zip(states).filter(|(a, b)| a == b).count() as f64 / states.len() as f64
}

/// How nearly zero a weight is none, where a model has no types (card 26, pitfalls).
const NONE: f64 = 0.3;
/// How large a true weight is for its sign to count.
const STRONG: f64 = 0.5;

fn score(
    arm: &str,
    network: &Network,
    fit: &SwitchingFit,
    found: &[usize],
    states: &[usize],
    held_out: f64,
) -> Score {
    let truth = &network.truth;
    let types = fit.types_at(NONE);
    let n_states = truth.transition.nrows();
    // The weights of a model with one state are those of each state.
    let of = |s: usize| {
        if fit.model.n_states() == n_states {
            s
        } else {
            0
        }
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut strong, mut right, mut same, mut all) = (0.0, 0.0, 0.0, 0.0);
    for ((s, i, j), &w) in truth.weights.indexed_iter() {
        let weight = fit.model.weights[[of(s), i, j]];
        ours.push(weight);
        theirs.push(w);
        if w.abs() > STRONG {
            strong += 1.0;
            right += f64::from(weight * w > 0.0);
        }
        same += f64::from(types[[of(s), i, j]] == truth.types[[s, i, j]]);
        all += 1.0;
    }
    let correlation = stats::pearson(&ours, &theirs);
    Score {
        arm: arm.into(),
        held_out,
        accuracy: share(found, states),
        weights: if correlation.is_finite() {
            correlation
        } else {
            0.0
        },
        signs: if strong > 0.0 { right / strong } else { 1.0 },
        types: same / all,
        visited: fit.n_visited(),
        warnings: fit.warnings.iter().map(ToString::to_string).collect(),
    }
}

fn shown(
    network: &Network,
    named: &[(SwitchingFit, Vec<usize>)],
    test: &Counts,
    states: &[usize],
    by_truth: Vec<usize>,
) -> Result<Shown, Failure> {
    let by_state = |weights: &ndarray::Array3<f64>| -> Vec<Vec<Vec<f64>>> {
        weights
            .outer_iter()
            .map(|w| w.rows().into_iter().map(|r| r.to_vec()).collect())
            .collect()
    };
    let signed = |prior: &ndarray::Array3<f64>| -> Vec<Vec<f64>> {
        prior
            .outer_iter()
            .map(|row| row.rows().into_iter().map(|p| p[2] - p[0]).collect())
            .collect()
    };
    let (free, gaussian, one_hot) = (&named[1].0, &named[2].0, &named[3].0);
    let n = network.truth.transition.nrows();
    let mut confusion = vec![vec![0.0; n]; n];
    for (truth, found) in states.iter().zip(&named[3].1) {
        confusion[*truth][*found] += 1.0;
    }
    for row in &mut confusion {
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum.max(1.0));
    }
    let first = test.trials[0].clone();
    let decoded = one_hot.model.decode(test)?;
    let posterior = decoded.posterior.slice(ndarray::s![first.clone(), ..]);
    let of_first = |name: &str, path: &[usize]| (name.to_owned(), path[first.clone()].to_vec());
    let mut prior = vec![signed(&network.truth.type_prior)];
    prior.extend(one_hot.prior.as_ref().map(signed));
    let curve = |name: &str, fit: &SwitchingFit, one_hot: bool| {
        let points = fit.rounds.iter().enumerate();
        let points = points
            .filter(|(_, r)| r.one_hot == one_hot)
            .map(|(k, r)| (k as f64, r.log_likelihood));
        (name.to_owned(), points.collect())
    };
    Ok(Shown {
        weights: vec![
            by_state(&network.truth.weights),
            by_state(&gaussian.model.weights),
            by_state(&one_hot.model.weights),
        ],
        prior,
        states: vec![
            of_first("true", states),
            of_first("true parameters", &by_truth),
            of_first("free", &named[1].1),
            of_first("Gaussian", &named[2].1),
            of_first("one-hot", &named[3].1),
            of_first("one-hot, cold", &named[5].1),
        ],
        posterior: posterior
            .columns()
            .into_iter()
            .map(|c| c.to_vec())
            .collect(),
        confusion,
        rounds: vec![
            curve("free", free, false),
            curve("Gaussian", gaussian, false),
            curve("one-hot", one_hot, true),
        ],
    })
}
