//! Training: expectation and maximization, several random starts, and the one-hot model from the best of them.

use chiasm_core::{Cancelled, Rng, Streams, Watch};
use chiasm_data::Counts;
use ndarray::{Array2, Array3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SwitchingError;
use super::adam::Adam;
use super::config::{Coupling, Precision, Start, SwitchingGlm};
use super::design::Trials;
use super::model::{Decoded, SwitchingModel, Warning, check_counts, smoothed};
use super::parameters::{Parameters, parted};
use super::passes::{Passes, passes};
use crate::hmm::HiddenChain;

/// Transition probabilities do not fall below e^-8 (paper's code).
const LEAST_TRANSITION: f64 = 3.354_626_279_025_118_5e-4;
/// A fall of the bound beyond this part of it is said.
const FALL: f64 = 1e-4;
/// A state with less than this part of an equal share of bins is one by name alone.
const BARELY: f64 = 0.1;
/// Parameters of two states that correlate more are alike.
const ALIKE: f64 = 0.99;

/// One round of training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// log p(counts) for each bin and unit, terms -ln x! included, before the round's steps.
    pub log_likelihood: f64,
    /// log p(counts) plus the prior's term, in all.
    pub bound: f64,
    /// Whether the one-hot model was trained in this round.
    pub one_hot: bool,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchingFit {
    /// The model with the fitted parameters; for one-hot couplings with the likeliest types.
    pub model: SwitchingModel,
    /// Types of couplings, `[state, to, from]`: -1 inhibitory, 0 none, 1 excitatory. `None` for free and Gaussian ones.
    pub types: Option<Array3<i8>>,
    /// Strengths of couplings, `[state, to, from]`, above 0, whatever their type; `None` for free and Gaussian ones.
    pub strengths: Option<Array3<f64>>,
    /// The learned prior of the types, `[to, from, type]`: inhibitory, none, excitatory; `None` for free and Gaussian ones.
    pub prior: Option<Array3<f64>>,
    /// What the model says of the training counts.
    pub decoded: Decoded,
    /// Its training bound: log-likelihood and prior term.
    pub bound: f64,
    /// Rounds of the start that was kept.
    pub rounds: Vec<Round>,
    /// Bound of each random start.
    pub starts: Vec<f64>,
    /// Share of bins in which each state is the likeliest.
    pub occupancy: Vec<f64>,
    /// What must be known when the result is read.
    pub warnings: Vec<Warning>,
    /// The Gaussian model that a one-hot model started from, as it was then; `None` for other models.
    pub gaussian: Option<Box<SwitchingFit>>,
}

impl SwitchingFit {
    /// States that are the likeliest of some bin.
    #[must_use]
    pub fn n_visited(&self) -> usize {
        self.occupancy.iter().filter(|o| **o > 0.0).count()
    }

    /// Whether fewer states were found than asked for: some are never or barely visited, or two are alike.
    #[must_use]
    pub fn collapsed(&self) -> bool {
        self.warnings.iter().any(|w| {
            matches!(
                w,
                Warning::NeverVisited { .. }
                    | Warning::BarelyVisited { .. }
                    | Warning::Alike { .. }
            )
        })
    }

    /// Types of couplings by a threshold on the weights, for models without types of their own; the fitted types else.
    #[must_use]
    pub fn types_at(&self, threshold: f64) -> Array3<i8> {
        match &self.types {
            Some(types) => types.clone(),
            None => self.model.weights.mapv(|w| {
                if w.abs() < threshold {
                    0
                } else {
                    w.signum() as i8
                }
            }),
        }
    }

    /// The same fit with its states renamed: state `s` becomes `name[s]`. The Gaussian model it started from keeps its own.
    ///
    /// # Errors
    /// [`SwitchingError::Labels`] if `name` does not hold each state once.
    pub fn renamed(&self, name: &[usize]) -> Result<Self, SwitchingError> {
        let model = self.model.renamed(name)?;
        let order = super::model::inverse(name, name.len())?;
        let rename = |w: &Warning| match w {
            Warning::NeverVisited { state } => Warning::NeverVisited {
                state: name[*state],
            },
            Warning::BarelyVisited { state, share } => Warning::BarelyVisited {
                state: name[*state],
                share: *share,
            },
            Warning::Alike {
                states: (a, b),
                correlation,
            } => Warning::Alike {
                states: (name[*a].min(name[*b]), name[*a].max(name[*b])),
                correlation: *correlation,
            },
            Warning::LargeWeight {
                state,
                to,
                from,
                weight,
            } => Warning::LargeWeight {
                state: name[*state],
                to: *to,
                from: *from,
                weight: *weight,
            },
            other => other.clone(),
        };
        let axis = ndarray::Axis(0);
        let posterior = self.decoded.posterior.select(ndarray::Axis(1), &order);
        let transitions = self.decoded.transitions.select(axis, &order);
        Ok(Self {
            model,
            types: self.types.as_ref().map(|t| t.select(axis, &order)),
            strengths: self.strengths.as_ref().map(|t| t.select(axis, &order)),
            decoded: Decoded {
                posterior,
                transitions: transitions.select(ndarray::Axis(1), &order),
                ..self.decoded.clone()
            },
            occupancy: order.iter().map(|&s| self.occupancy[s]).collect(),
            warnings: self.warnings.iter().map(rename).collect(),
            ..self.clone()
        })
    }
}

/// A model in training.
#[derive(Clone)]
struct Trained {
    parameters: Parameters,
    chain: HiddenChain,
    rounds: Vec<Round>,
    bound: f64,
    converged: bool,
}

/// What all starts share.
struct Data<'a> {
    config: &'a SwitchingGlm,
    trials: Trials,
    passes: Box<dyn Passes>,
    watch: &'a dyn Watch,
}

impl SwitchingGlm {
    /// Fits the model to counts. Start `i` draws from `streams.indexed("start", i)`, so that the result has the same
    /// bits on any number of threads.
    ///
    /// # Errors
    /// [`SwitchingError::Setting`]; counts that the model cannot take, by name ([`SwitchingError::ShortTrial`],
    /// [`SwitchingError::Silent`], [`SwitchingError::FewBins`], [`SwitchingError::NotBinary`]);
    /// [`SwitchingError::Diverged`]; [`SwitchingError::Cancelled`].
    pub fn fit(
        &self,
        counts: &Counts,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<SwitchingFit, SwitchingError> {
        self.validate()?;
        check_counts(
            counts,
            self.history_bins.max(self.skip_bins),
            self.observation,
        )?;
        if counts.n_bins() < self.states {
            return Err(SwitchingError::FewBins {
                states: self.states,
                bins: counts.n_bins(),
            });
        }
        for (index, column) in counts.values.columns().into_iter().enumerate() {
            if column.iter().all(|c| *c == 0) {
                let unit = counts.units.get(index);
                let unit = unit.map_or_else(|| index.to_string(), |u| u.name().to_owned());
                return Err(SwitchingError::Silent { unit, index });
            }
        }
        let trials = Trials::of(counts);
        let single = self.precision == Precision::Single;
        let data = Data {
            config: self,
            passes: self.lay_out(&trials, single),
            trials,
            watch,
        };
        let warm = self.coupling == Coupling::OneHot && self.start == Start::Gaussian;
        let first = if warm {
            Coupling::Gaussian
        } else {
            self.coupling
        };
        let total = self.restarts * self.epochs + if warm { self.one_hot_epochs } else { 0 };
        watch.stage("switching model", total as u64);
        let bias = data.start_bias();
        let begin = |i: usize| {
            let mut rng = streams.indexed("start", i);
            let parameters = Parameters::random(self, first, &bias, &mut rng);
            let start = Trained {
                parameters,
                chain: HiddenChain::sticky(self.states, self.stay)?,
                rounds: vec![],
                bound: f64::NEG_INFINITY,
                converged: false,
            };
            data.train(start, self.epochs, i, &mut rng)
        };
        // Within the pool: a thread outside would wake it anew for every step.
        let started: Vec<Trained> = rayon::scope(|_| {
            let starts = (0..self.restarts).into_par_iter();
            starts.map(begin).collect::<Result<_, SwitchingError>>()
        })?;
        let starts: Vec<f64> = started.iter().map(|s| s.bound).collect();
        let mut best = 0;
        for (i, bound) in starts.iter().enumerate() {
            if *bound > starts[best] {
                best = i;
            }
        }
        let mut kept = started[best].clone();
        let mut gaussian = None;
        if warm {
            gaussian = Some(Box::new(data.finish(
                kept.clone(),
                starts.clone(),
                counts,
            )?));
            kept.parameters = Parameters::one_hot_from(self, &kept.parameters);
            kept.converged = false;
            let mut rng = streams.indexed("one-hot", best);
            kept = rayon::scope(|_| data.train(kept, self.one_hot_epochs, best, &mut rng))?;
        }
        Ok(SwitchingFit {
            gaussian,
            ..data.finish(kept, starts, counts)?
        })
    }

    fn lay_out(&self, trials: &Trials, single: bool) -> Box<dyn Passes> {
        passes(
            trials.clone(),
            &self.lags(),
            (self.link, self.observation),
            self.skip_bins,
            single,
            self.learn_kernel,
        )
    }
}

impl Data<'_> {
    /// The drive of each unit's mean count.
    fn start_bias(&self) -> Vec<f64> {
        let mean = |column: ndarray::ArrayView1<'_, f64>| column.sum() / column.len() as f64;
        let columns = self.trials.x.columns().into_iter();
        columns.map(|c| self.config.link.inverse(mean(c))).collect()
    }

    /// Rounds of expectation and maximization until the bound no longer rises; with sampled types, all of them, in ever
    /// smaller steps.
    fn train(
        &self,
        mut at: Trained,
        epochs: usize,
        start: usize,
        rng: &mut Rng,
    ) -> Result<Trained, SwitchingError> {
        let config = self.config;
        // A kernel that is learned changes the history, which then belongs to this start alone.
        let mut own = config
            .learn_kernel
            .then(|| config.lay_out(&self.trials, config.precision == Precision::Single));
        let mut adam = Adam::new(at.parameters.len(), config.learning_rate);
        let sampled = at.parameters.coupling == Coupling::OneHot;
        let first = at.rounds.len();
        let (mut last, mut still) = (f64::NEG_INFINITY, 0);
        for epoch in 0..epochs {
            self.watch.check()?;
            if let (Some(own), Some(kernel)) = (&mut own, at.parameters.kernel()) {
                own.set_kernel(&kernel);
            }
            let decoded = self.expectation(&at, own.as_deref())?;
            let bound = decoded.total() + at.parameters.prior_term(None, None);
            if !bound.is_finite() {
                return Err(SwitchingError::Diverged {
                    epoch,
                    start,
                    quantity: "the training bound",
                });
            }
            at.rounds.push(Round {
                log_likelihood: decoded.per_count(),
                bound,
                one_hot: at.parameters.coupling == Coupling::OneHot,
            });
            self.watch.best("log-likelihood", decoded.per_count());
            // Sampled types make the bound waver: it says nothing then of where training stands.
            still = if !sampled && bound - last < config.tolerance * bound.abs() {
                still + 1
            } else {
                0
            };
            if sampled {
                adam.set_rate(config.learning_rate * (1.0 - epoch as f64 / epochs as f64));
            }
            last = bound;
            if still == 2 {
                at.converged = true;
                self.watch.tick((epochs - epoch) as u64);
                break;
            }
            at.chain = self.transitions(&at.chain, &decoded.transitions)?;
            self.maximization(&mut at, &decoded.posterior, own.as_deref(), &mut adam, rng)?;
            self.watch.tick(1);
        }
        if let (Some(own), Some(kernel)) = (&mut own, at.parameters.kernel()) {
            own.set_kernel(&kernel);
        }
        let decoded = self.expectation(&at, own.as_deref())?;
        at.bound = decoded.total() + at.parameters.prior_term(None, None);
        if sampled {
            let bounds: Vec<f64> = at.rounds[first..].iter().map(|r| r.bound).collect();
            at.converged = stands_still(&bounds);
        }
        if !at.bound.is_finite() {
            return Err(SwitchingError::Diverged {
                epoch: at.rounds.len() - first,
                start,
                quantity: "the training bound",
            });
        }
        Ok(at)
    }

    fn expectation(
        &self,
        at: &Trained,
        own: Option<&dyn Passes>,
    ) -> Result<Decoded, SwitchingError> {
        let passes = own.unwrap_or(&*self.passes);
        let emissions = passes.emissions(at.parameters.weights(None).view());
        smoothed(&at.chain, &self.trials, &emissions, self.config.skip_bins)
    }

    /// Expected transitions, row by row; a state that is never left keeps its row.
    fn transitions(
        &self,
        chain: &HiddenChain,
        expected: &Array2<f64>,
    ) -> Result<HiddenChain, SwitchingError> {
        let mut transition = chain.transition().clone();
        for (mut row, expected) in transition.rows_mut().into_iter().zip(expected.rows()) {
            let sum = expected.sum();
            if sum > 1e-6 {
                row.assign(&expected.mapv(|v| (v / sum).max(LEAST_TRANSITION)));
                let sum = row.sum();
                row /= sum;
            }
        }
        Ok(HiddenChain::new(chain.initial().clone(), transition)?)
    }

    fn maximization(
        &self,
        at: &mut Trained,
        posterior: &Array2<f64>,
        own: Option<&dyn Passes>,
        adam: &mut Adam,
        rng: &mut Rng,
    ) -> Result<(), Cancelled> {
        let mut share = own.unwrap_or(&*self.passes).share(posterior);
        for _ in 0..self.config.steps {
            self.watch.check()?;
            let types = at.parameters.sampled(rng);
            let weights = at.parameters.weights(types.as_ref());
            let (by_weight, by_lag) = share.gradient(weights.view());
            let gradient = at.parameters.gradient(types.as_ref(), &by_weight, &by_lag);
            adam.step(&mut at.parameters.values, &gradient);
            at.parameters.unstall();
            if let Some(kernel) = at.parameters.kernel() {
                share.set_kernel(&kernel);
            }
        }
        Ok(())
    }

    fn finish(
        &self,
        kept: Trained,
        starts: Vec<f64>,
        counts: &Counts,
    ) -> Result<SwitchingFit, SwitchingError> {
        let config = self.config;
        let (weights, bias) = parted(&kept.parameters.weights(None));
        let model = SwitchingModel {
            weights,
            bias,
            chain: kept.chain,
            kernel: kept.parameters.kernel().unwrap_or_else(|| config.lags()),
            link: config.link,
            observation: config.observation,
            skip_bins: config.skip_bins,
        };
        let decoded = model.decode(counts)?;
        let mut occupancy = vec![0.0; config.states];
        let states = decoded.states();
        for s in &states {
            occupancy[*s] += 1.0 / states.len() as f64;
        }
        let mut warnings = warnings(&model, &occupancy, &kept.rounds);
        if !kept.converged {
            warnings.push(Warning::NotConverged);
        }
        Ok(SwitchingFit {
            bound: decoded.total() + kept.parameters.prior_term(None, None),
            types: kept.parameters.types(),
            strengths: kept.parameters.strengths(),
            prior: kept.parameters.prior(),
            model,
            decoded,
            rounds: kept.rounds,
            starts,
            occupancy,
            warnings,
            gaussian: None,
        })
    }
}

/// Whether the mean bound of the last third of rounds is above that of the third before by no more than a small part.
fn stands_still(bounds: &[f64]) -> bool {
    let third = bounds.len() / 3;
    if third == 0 {
        return false;
    }
    let mean = |x: &[f64]| chiasm_core::stats::mean(x);
    let last = mean(&bounds[bounds.len() - third..]);
    let before = mean(&bounds[bounds.len() - 2 * third..bounds.len() - third]);
    last - before < FALL * before.abs()
}

fn warnings(model: &SwitchingModel, occupancy: &[f64], rounds: &[Round]) -> Vec<Warning> {
    let mut found = Vec::new();
    let never = occupancy.iter().enumerate().filter(|(_, o)| **o == 0.0);
    found.extend(never.map(|(state, _)| Warning::NeverVisited { state }));
    let n_states = model.n_states();
    let least = BARELY / n_states as f64;
    let barely = occupancy.iter().enumerate();
    let barely = barely.filter(|(_, o)| **o > 0.0 && **o < least);
    found.extend(barely.map(|(state, &share)| Warning::BarelyVisited { state, share }));
    let of = |s: usize| -> Vec<f64> {
        let axis = ndarray::Axis(0);
        let weights = model.weights.index_axis(axis, s);
        weights.iter().chain(model.bias.row(s)).copied().collect()
    };
    let all: Vec<Vec<f64>> = (0..n_states).map(of).collect();
    for a in 0..n_states {
        for b in a + 1..n_states {
            let correlation = chiasm_core::stats::pearson(&all[a], &all[b]);
            if correlation > ALIKE && occupancy[a] > 0.0 && occupancy[b] > 0.0 {
                found.push(Warning::Alike {
                    states: (a, b),
                    correlation,
                });
            }
        }
    }
    // One for each state: its largest.
    for state in 0..n_states {
        let weights = model.weights.index_axis(ndarray::Axis(0), state);
        let largest = weights
            .indexed_iter()
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        if let Some(((to, from), &weight)) = largest
            && weight.abs() > 20.0
        {
            found.push(Warning::LargeWeight {
                state,
                to,
                from,
                weight,
            });
        }
    }
    for (epoch, pair) in rounds.windows(2).enumerate() {
        let by = (pair[0].bound - pair[1].bound) / pair[0].bound.abs();
        // The bounds of the two models are not comparable.
        if pair[0].one_hot == pair[1].one_hot && by > FALL {
            found.push(Warning::BoundFell {
                epoch: epoch + 1,
                by,
            });
        }
    }
    found
}
