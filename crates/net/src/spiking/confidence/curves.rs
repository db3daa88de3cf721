//! What stopping is worth: against all steps, against as many steps for everyone, against the best that could be.

use chiasm_core::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{Agent, Outputs};

/// An agent beside runs of as many steps for everyone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Fraction of samples whose class the agent tells.
    pub accuracy: f64,
    /// Its mean number of steps.
    pub latency: f64,
    /// Samples stopped after 1, 2, ... steps.
    pub stopped: Vec<usize>,
    /// Fraction of samples right after 1, 2, ... steps for everyone.
    pub fixed: Vec<f64>,
    /// The smallest number of steps for everyone that is at least as accurate as the agent, less the tolerance.
    pub equal_steps: usize,
    /// `1 - latency / steps`: against all steps.
    pub saved: f64,
    /// `1 - latency / equal_steps`: against the fewest steps that do as well. The honest one.
    pub saved_honestly: f64,
}

/// Scores an agent; `tolerance` is the accuracy that runs of equal length may lack, as a fraction.
#[must_use]
pub fn score(outputs: &Outputs, agent: Agent, tolerance: f64) -> Score {
    let decisions = agent.decide(outputs);
    let n = decisions.len() as f64;
    let labels = outputs.labels().iter();
    let right = labels.zip(&decisions).filter(|(l, d)| **l == d.label);
    let accuracy = right.count() as f64 / n;
    let latency = decisions.iter().map(|d| d.steps as f64).sum::<f64>() / n;
    let mut stopped = vec![0; outputs.n_steps()];
    for decision in &decisions {
        stopped[decision.steps - 1] += 1;
    }
    let fixed = fixed(outputs);
    let equal = fixed.iter().position(|f| *f >= accuracy - tolerance);
    let equal_steps = equal.map_or(outputs.n_steps(), |t| t + 1);
    Score {
        accuracy,
        latency,
        stopped,
        saved: 1.0 - latency / outputs.n_steps() as f64,
        saved_honestly: 1.0 - latency / equal_steps as f64,
        fixed,
        equal_steps,
    }
}

/// Fraction of samples right after 1, 2, ... steps for everyone.
fn fixed(outputs: &Outputs) -> Vec<f64> {
    let n = outputs.n_samples();
    let after = |t: usize| {
        let right = (0..n).filter(|i| told(outputs, *i, t) == outputs.labels()[*i]);
        right.count() as f64 / n as f64
    };
    (0..outputs.n_steps()).map(after).collect()
}

fn told(outputs: &Outputs, sample: usize, t: usize) -> usize {
    super::confidence(outputs.sums(sample, t), 1.0).0
}

/// Stopping at the first step that is right: no rule does better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Oracle {
    /// Fraction of samples that are right at some step.
    pub accuracy: f64,
    /// Mean number of steps, where samples that are never right take one.
    pub latency: f64,
    /// The same, where they take all.
    pub latency_all: f64,
}

/// The oracle on these outputs.
#[must_use]
pub fn oracle(outputs: &Outputs) -> Oracle {
    let (mut ever, mut steps, mut never) = (0, 0, 0);
    for (i, label) in outputs.labels().iter().enumerate() {
        match (0..outputs.n_steps()).find(|t| told(outputs, i, *t) == *label) {
            Some(t) => {
                ever += 1;
                steps += t + 1;
            }
            None => never += 1,
        }
    }
    let n = outputs.n_samples() as f64;
    Oracle {
        accuracy: f64::from(ever) / n,
        latency: (steps + never) as f64 / n,
        latency_all: (steps + never * outputs.n_steps()) as f64 / n,
    }
}

/// The accuracy of the agent's stop times dealt out to samples at random, in the mean of `draws`: what is left is owed to
/// the times themselves, not to whom they are given.
#[must_use]
pub fn shuffled(outputs: &Outputs, agent: Agent, draws: usize, rng: &mut Rng) -> f64 {
    let mut stops: Vec<usize> = agent.decide(outputs).iter().map(|d| d.steps - 1).collect();
    let mut right = 0;
    for _ in 0..draws {
        stops.shuffle(rng);
        for (i, (stop, label)) in stops.iter().zip(outputs.labels()).enumerate() {
            right += usize::from(told(outputs, i, *stop) == *label);
        }
    }
    right as f64 / (draws.max(1) * outputs.n_samples()) as f64
}

/// Samples of like confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Their number.
    pub n: usize,
    /// Their mean confidence; 0 if there is none.
    pub confidence: f64,
    /// The fraction of them that is right; 0 if there is none.
    pub accuracy: f64,
}

/// How far confidence is from accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Bins of equal width from 0 to 1.
    pub bins: Vec<Bin>,
    /// Mean distance of confidence from accuracy, over samples (expected calibration error).
    pub error: f64,
}

/// Reliability after step `t`, counted from 0, in `n_bins` bins (card 48: 15).
#[must_use]
pub fn reliability(outputs: &Outputs, alpha: f64, t: usize, n_bins: usize) -> Reliability {
    let mut sums = vec![(0usize, 0.0, 0usize); n_bins.max(1)];
    for (i, label) in outputs.labels().iter().enumerate() {
        let (told, confidence) = super::confidence(outputs.sums(i, t), alpha);
        let bin = ((confidence * sums.len() as f64) as usize).min(sums.len() - 1);
        sums[bin].0 += 1;
        sums[bin].1 += confidence;
        sums[bin].2 += usize::from(told == *label);
    }
    let bins: Vec<Bin> = sums
        .iter()
        .map(|&(n, confidence, right)| Bin {
            n,
            confidence: confidence / n.max(1) as f64,
            accuracy: right as f64 / n.max(1) as f64,
        })
        .collect();
    let distance = |b: &Bin| b.n as f64 * (b.confidence - b.accuracy).abs();
    let error = bins.iter().map(distance).sum::<f64>() / outputs.n_samples() as f64;
    Reliability { bins, error }
}
