//! One trained network: its spikes, its agent, and what the agent is compared with.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_net::spiking::confidence::{
    Agent, Calibrated, Calibration, Oracle, Outputs, Point, Reliability, Score, oracle,
    reliability, scan, score, shuffled,
};
use serde::{Deserialize, Serialize};

/// Bins of confidence in which reliability is measured (card 48).
pub(super) const BINS: usize = 15;
/// Accuracy that as many steps for everyone may lack to count as equal (card 48, works when 2).
pub(super) const EQUAL: f64 = 0.001;

/// An agent and all that stands beside it, measured on samples it was not calibrated on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) calibrated: Calibrated,
    pub(super) score: Score,
    pub(super) oracle: Oracle,
    /// Accuracy where the same stop times are dealt out at random.
    pub(super) dealt: f64,
    /// Thresholds on the test samples, at the calibrated smoothing and without any.
    pub(super) smooth: Vec<Point>,
    pub(super) raw: Vec<Point>,
    /// Reliability after the first and the last step.
    pub(super) first: Reliability,
    pub(super) last: Reliability,
}

pub(super) fn measure(
    calibration: &Outputs,
    test: &Outputs,
    how: &Calibration,
    deals: usize,
    bench: &Bench,
) -> Result<Measured, Failure> {
    let calibrated = how.fit(calibration)?;
    let agent = calibrated.agent;
    // From the least that the agent could have chosen.
    let least = how.thresholds.iter().copied().fold(0.5, f64::min);
    let hundredths = (1..100).map(|i| f64::from(i) / 100.0);
    let thresholds: Vec<f64> = hundredths.filter(|t| *t >= least).collect();
    let mut rng = bench.streams().stream("deals");
    Ok(Measured {
        score: score(test, agent, EQUAL),
        oracle: oracle(test),
        dealt: shuffled(test, agent, deals, &mut rng),
        smooth: scan(test, agent.alpha, &thresholds),
        raw: scan(test, 1.0, &thresholds),
        first: reliability(test, agent.alpha, 0, BINS),
        last: reliability(test, agent.alpha, test.n_steps() - 1, BINS),
        calibrated,
    })
}

impl Measured {
    pub(super) fn agent(&self) -> Agent {
        self.calibrated.agent
    }

    /// Accuracy after all steps for everyone.
    pub(super) fn whole(&self) -> f64 {
        self.score.fixed.last().copied().unwrap_or(0.0)
    }

    /// The numbers that studies and fits have in common.
    pub(super) fn numbers(&self) -> Vec<(&'static str, f64, &'static str)> {
        let score = &self.score;
        vec![
            ("agent/accuracy", score.accuracy, "1"),
            ("agent/latency", score.latency, "steps"),
            ("agent/lost", self.whole() - score.accuracy, "1"),
            ("agent/saved", score.saved, "1"),
            ("agent/saved-honestly", score.saved_honestly, "1"),
            ("agent/equal-steps", score.equal_steps as f64, "steps"),
            ("agent/alpha", self.agent().alpha, "1"),
            ("agent/threshold", self.agent().threshold, "1"),
            ("fixed/one-step", score.fixed[0], "1"),
            ("fixed/all-steps", self.whole(), "1"),
            ("dealt/accuracy", self.dealt, "1"),
            ("dealt/worse-by", score.accuracy - self.dealt, "1"),
            ("oracle/accuracy", self.oracle.accuracy, "1"),
            ("oracle/latency", self.oracle.latency, "steps"),
            ("oracle/latency-all", self.oracle.latency_all, "steps"),
            (
                "oracle/above-agent",
                self.oracle.accuracy - score.accuracy,
                "1",
            ),
            (
                "oracle/sooner",
                score.latency - self.oracle.latency,
                "steps",
            ),
            ("range/smooth", range(&self.smooth), "1"),
            ("range/raw", range(&self.raw), "1"),
            ("calibration-error/first", self.first.error, "1"),
            ("calibration-error/last", self.last.error, "1"),
        ]
    }
}

/// How far accuracy varies over thresholds from 0.6 to 0.95 (card 48, works when 3).
fn range(points: &[Point]) -> f64 {
    let within = points
        .iter()
        .filter(|p| (0.6..=0.95).contains(&p.threshold));
    let (low, high) = within.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| {
        (l.min(p.accuracy), h.max(p.accuracy))
    });
    (high - low).max(0.0)
}
