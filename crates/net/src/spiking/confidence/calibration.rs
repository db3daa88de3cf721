//! Choosing smoothing and threshold on calibration data.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Agent, ConfidenceError, Outputs};

/// How `alpha` is found.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// That under which the right classes are the most likely, in the mean of all steps: early confidence counts, too.
    #[default]
    Likelihood,
    /// The same after the last step alone (card 48). Sums grow with every step, so this leaves the first ones unsure.
    LastStep,
    /// That which with its best threshold is the fastest at the accuracy asked for.
    Front,
    /// Given.
    Fixed(f64),
}

/// How an agent is calibrated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// How `alpha` is found.
    pub smoothing: Smoothing,
    /// Accuracy that may be lost against all steps, as a fraction (card 48: 0).
    pub tolerance: f64,
    /// Thresholds tried, each from 0 to 1 (card 48: 0.5 to 0.999).
    pub thresholds: Vec<f64>,
    /// Values of `alpha` tried (card 48: 0.5 to 64).
    pub alphas: Vec<f64>,
}

impl Default for Calibration {
    fn default() -> Self {
        let mut thresholds: Vec<f64> = (50..99).map(|i| f64::from(i) / 100.0).collect();
        thresholds.extend([0.99, 0.995, 0.999]);
        Self {
            smoothing: Smoothing::default(),
            tolerance: 0.0,
            thresholds,
            // Four to an octave: likelihoods are flat there.
            alphas: (-4..=24).map(|i| 2f64.powf(f64::from(i) / 4.0)).collect(),
        }
    }
}

/// What a threshold gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Smoothing.
    pub alpha: f64,
    /// Threshold.
    pub threshold: f64,
    /// Mean number of steps.
    pub latency: f64,
    /// Fraction of samples whose class was told.
    pub accuracy: f64,
}

/// A calibrated agent, and what it was chosen from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The agent.
    pub agent: Agent,
    /// What it gives on the calibration data.
    pub point: Point,
    /// The points that no other beats in both latency and accuracy, from the fastest on.
    pub front: Vec<Point>,
    /// Mean negative log likelihood of the right classes for each `alpha` tried, nats: of all steps, or of the last one where
    /// [`Smoothing::LastStep`] asks for it.
    pub losses: Vec<(f64, f64)>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Fewer calibration samples than this leave a threshold to chance.
const FEW: usize = 50;

impl Calibration {
    /// Chooses smoothing and threshold: of the points at least as accurate as all steps less the tolerance, the fastest.
    ///
    /// # Errors
    /// [`ConfidenceError::Setting`] for a tolerance, threshold or `alpha` out of range, or none to try.
    pub fn fit(&self, outputs: &Outputs) -> Result<Calibrated, ConfidenceError> {
        let fine = (0.0..=1.0).contains(&self.tolerance);
        SettingError::check(fine, "tolerance", "0 to 1", self.tolerance)?;
        let alphas = match self.smoothing {
            Smoothing::Fixed(alpha) => vec![alpha],
            _ => self.alphas.clone(),
        };
        SettingError::check(!alphas.is_empty(), "alphas", "at least one", "none")?;
        for &alpha in &alphas {
            Agent::new(alpha, 1.0)?;
        }
        for &threshold in &self.thresholds {
            Agent::new(1.0, threshold)?;
        }
        let first = match self.smoothing {
            Smoothing::LastStep => outputs.n_steps() - 1,
            _ => 0,
        };
        let with_loss = |a: &f64| (*a, loss(outputs, first, *a));
        let losses: Vec<(f64, f64)> = alphas.iter().map(with_loss).collect();
        let tried = match self.smoothing {
            Smoothing::Front => alphas,
            _ => {
                let best = losses.iter().min_by(|a, b| a.1.total_cmp(&b.1));
                best.map(|b| vec![b.0]).unwrap_or_default()
            }
        };
        // All steps are always among the choices.
        let thresholds: Vec<f64> = self.thresholds.iter().copied().chain([1.0]).collect();
        let mut points = Vec::new();
        for alpha in tried {
            points.extend(scan(outputs, alpha, &thresholds));
        }
        let front = front(&points);
        let whole = points.iter().filter(|p| p.threshold >= 1.0);
        let wanted = whole.map(|p| p.accuracy).fold(0.0, f64::max) - self.tolerance;
        // The front ends with its most accurate point, which is never below that of all steps.
        let point = front.iter().find(|p| p.accuracy >= wanted);
        let Some(&point) = point.or(front.last()) else {
            return Err(SettingError::new("thresholds", "at least one", "none").into());
        };
        let mut warnings = vec![];
        if outputs.n_samples() < FEW {
            warnings.push(format!(
                "calibrated on {} samples; fewer than {FEW} leave the threshold to chance",
                outputs.n_samples()
            ));
        }
        Ok(Calibrated {
            agent: Agent::new(point.alpha, point.threshold)?,
            point,
            front,
            losses,
            warnings,
        })
    }
}

/// Mean negative log likelihood of the right classes from step `first` on, nats.
fn loss(outputs: &Outputs, first: usize, alpha: f64) -> f64 {
    let steps = first..outputs.n_steps();
    let n = outputs.n_samples() * steps.len();
    let of = |i: usize, t: usize| {
        let sums = outputs.sums(i, t);
        let top = sums.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let scaled = |v: f32| (f64::from(v) - f64::from(top)) / alpha;
        let total: f64 = sums.iter().map(|v| scaled(*v).exp()).sum();
        total.ln() - scaled(sums[outputs.labels()[i]])
    };
    let samples = 0..outputs.n_samples();
    let each = samples.flat_map(|i| steps.clone().map(move |t| (i, t)));
    each.map(|(i, t)| of(i, t)).sum::<f64>() / n as f64
}

/// What each threshold gives at one `alpha`.
#[must_use]
pub fn scan(outputs: &Outputs, alpha: f64, thresholds: &[f64]) -> Vec<Point> {
    let told = outputs.told(alpha);
    let n = told.len() as f64;
    let point = |&threshold: &f64| {
        let agent = Agent { alpha, threshold };
        let (mut steps, mut right) = (0, 0);
        for (told, label) in told.iter().zip(outputs.labels()) {
            let stop = agent.stop(told);
            steps += stop + 1;
            right += usize::from(told[stop].0 == *label);
        }
        Point {
            alpha,
            threshold,
            latency: steps as f64 / n,
            accuracy: right as f64 / n,
        }
    };
    thresholds.iter().map(point).collect()
}

/// The points that no other beats, from the fastest on; of equal ones the first.
fn front(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    // A stable sort: points that are alike stay in their order.
    sorted.sort_by(|a, b| {
        let latency = a.latency.total_cmp(&b.latency);
        latency.then(b.accuracy.total_cmp(&a.accuracy))
    });
    let mut front: Vec<Point> = vec![];
    for point in sorted {
        if front
            .last()
            .is_none_or(|best| point.accuracy > best.accuracy)
        {
            front.push(point);
        }
    }
    front
}
