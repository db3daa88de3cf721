//! Pressure from the heart to the brain's capillaries, in sinus rhythm and in atrial fibrillation: a lumped stand-in for the
//! two models of paper 38 (card 38, generator A). Generated data: the forms and constants below are chosen, not fitted.
//!
//! - RR intervals: mean 0.8 s; sinus rhythm has 1/f noise (variation 0.07), fibrillation independent draws of a Gaussian plus
//!   an exponential (variation 0.24, rate 7.24 /s); clipped to 0.3 to 2.5 s.
//! - Heart: each beat ejects `75 (1 - exp(-RR_before / 0.6)) / (1 - exp(-0.8 / 0.6))` ml in a half sine of
//!   `0.3 sqrt(RR / 0.8)` s, at most 0.9 RR.
//! - Arteries: a three-element Windkessel, `C dP/dt = q - P / R`, and `Z q` added.
//! - Autoregulation: 0.8 of the deviation of a 10 s low-pass is taken away.
//! - Then three stages `tau dP/dt = P_up - P`, tau = 0.05, 0.1, 0.3 s: middle cerebral artery, distal, capillary.

use std::f64::consts::{PI, TAU};

use chiasm_core::{Streams, TimeAxis, stats};
use ndarray::Array2;
use rand_distr::{Distribution, Exp1, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::recording::{Activity, Draft, Epoch, Missing, Recording, Traces, Unit};
use crate::{DataError, Place};

/// The sites, from the heart to the capillaries.
pub const SITES: [&str; 4] = ["artery", "MCA", "distal", "capillary"];

/// Variation of the fibrillating intervals before they are scaled.
const FIBRILLATION: f64 = 0.24;
/// Rate of their exponential part, per s.
const EXPONENTIAL_RATE: f64 = 7.24;

/// How the heart beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rhythm {
    /// Normal sinus rhythm: 1/f noise.
    Sinus,
    /// Atrial fibrillation: independent intervals.
    Fibrillation,
}

/// What is simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CerebralFlow {
    /// Beats.
    pub n_beats: usize,
    /// Rhythm.
    pub rhythm: Rhythm,
    /// Mean RR interval, s.
    pub mean_rr_s: f64,
    /// Standard deviation of the RR intervals over their mean; the rhythm's own where `None`.
    pub variation: Option<f64>,
    /// Step of the simulation and of the sampling, s.
    pub step_s: f64,
    /// Share of slow pressure changes that autoregulation takes away, 0 to 1.
    pub autoregulation: f64,
    /// Peripheral resistance, mmHg s/ml.
    pub resistance: f64,
    /// Arterial compliance, ml/mmHg.
    pub compliance: f64,
    /// Characteristic impedance, mmHg s/ml.
    pub impedance: f64,
}

impl Default for CerebralFlow {
    fn default() -> Self {
        Self {
            n_beats: 400,
            rhythm: Rhythm::Sinus,
            mean_rr_s: 0.8,
            variation: None,
            step_s: 0.005,
            autoregulation: 0.8,
            resistance: 1.0,
            compliance: 1.5,
            impedance: 0.05,
        }
    }
}

/// Pressure at all sites, and what drove it.
#[derive(Debug, Clone, PartialEq)]
pub struct CerebralFlowTruth {
    /// RR intervals, s.
    pub rr_s: Vec<f64>,
    /// When each beat starts, s; the last is the end of the last beat.
    pub onsets_s: Vec<f64>,
    /// Step between samples, s; the first is at 0 s.
    pub step_s: f64,
    /// For each of [`SITES`], the pressure, mmHg.
    pub pressure: Vec<Vec<f64>>,
}

impl CerebralFlow {
    fn check(&self) -> Result<(), DataError> {
        let bad = |name: &str, expected: &str, found: f64| {
            Err(DataError::invalid(Place::dataset(name), expected, found))
        };
        if self.n_beats < 2 {
            return bad("n_beats", "at least 2", self.n_beats as f64);
        }
        for (name, found) in [
            ("mean_rr_s", self.mean_rr_s),
            ("step_s", self.step_s),
            ("resistance", self.resistance),
            ("compliance", self.compliance),
        ] {
            if !(found > 0.0 && found.is_finite()) {
                return bad(name, "above 0", found);
            }
        }
        // The fastest stage has a time constant of 0.05 s, which Euler's method must resolve.
        if self.step_s > 0.02 {
            return bad("step_s", "at most 0.02 s", self.step_s);
        }
        let variation = self.variation.unwrap_or(0.0);
        for (name, found) in [
            ("variation", variation),
            ("autoregulation", self.autoregulation),
            ("impedance", self.impedance),
        ] {
            if !(0.0..=1.0).contains(&found) {
                return bad(name, "0 to 1", found);
            }
        }
        Ok(())
    }

    /// The RR intervals, s, from the stream `rr`.
    ///
    /// # Errors
    /// [`DataError::Invalid`] for settings out of range.
    pub fn rr_intervals(&self, streams: &Streams) -> Result<Vec<f64>, DataError> {
        self.check()?;
        let mut rng = streams.stream("rr");
        let n = self.n_beats;
        let (variation, shape): (f64, Vec<f64>) = match self.rhythm {
            Rhythm::Sinus => {
                let pairs: Vec<(f64, f64)> = (0..n / 2)
                    .map(|_| {
                        (
                            StandardNormal.sample(&mut rng),
                            StandardNormal.sample(&mut rng),
                        )
                    })
                    .collect();
                (self.variation.unwrap_or(0.07), pink(n, &pairs))
            }
            Rhythm::Fibrillation => {
                let exponential = 1.0 / EXPONENTIAL_RATE;
                let total = FIBRILLATION * 0.8;
                let gaussian = (total * total - exponential * exponential).sqrt();
                let mut draw = || {
                    let (g, e): (f64, f64) =
                        (StandardNormal.sample(&mut rng), Exp1.sample(&mut rng));
                    (gaussian * g + exponential * (e - 1.0)) / total
                };
                (
                    self.variation.unwrap_or(FIBRILLATION),
                    (0..n).map(|_| draw()).collect(),
                )
            }
        };
        let interval = |z: f64| (self.mean_rr_s * (1.0 + variation * z)).clamp(0.3, 2.5);
        Ok(shape.into_iter().map(interval).collect())
    }

    /// The pressure that these RR intervals (s) give.
    ///
    /// # Errors
    /// [`DataError::Invalid`] for settings out of range, fewer than two intervals, or one that is not above 0.
    pub fn pressure(&self, rr_s: &[f64]) -> Result<CerebralFlowTruth, DataError> {
        self.check()?;
        if rr_s.len() < 2 {
            return Err(DataError::invalid(
                Place::dataset("rr_s"),
                "at least 2 intervals",
                rr_s.len(),
            ));
        }
        if let Some(i) = rr_s.iter().position(|r| !(*r > 0.0 && r.is_finite())) {
            let place = Place::dataset("rr_s").index(i);
            return Err(DataError::invalid(place, "an interval above 0 s", rr_s[i]));
        }
        let mut onsets_s = vec![0.0];
        for r in rr_s {
            onsets_s.push(onsets_s[onsets_s.len() - 1] + r);
        }
        let dt = self.step_s;
        let inflow = ejection(rr_s, &onsets_s, dt);
        let mean_flow = stats::mean(&inflow);
        let mut p = mean_flow * self.resistance;
        let artery: Vec<f64> = inflow
            .iter()
            .map(|q| {
                p += dt * (q - p / self.resistance) / self.compliance;
                p + self.impedance * q
            })
            .collect();
        let mean = stats::mean(&artery);
        let slow = low_pass(&artery, 10.0, dt, mean);
        let entering: Vec<f64> = artery
            .iter()
            .zip(slow)
            .map(|(p, s)| p - self.autoregulation * (s - mean))
            .collect();
        let mut pressure = vec![artery];
        let mut upstream = entering;
        for tau in [0.05, 0.1, 0.3] {
            let start = upstream[0];
            upstream = low_pass(&upstream, tau, dt, start);
            pressure.push(upstream.clone());
        }
        Ok(CerebralFlowTruth {
            rr_s: rr_s.to_vec(),
            onsets_s,
            step_s: dt,
            pressure,
        })
    }
}

/// Simulates a heart and the pressure at four sites. Intervals come from the stream `rr`.
///
/// # Errors
/// [`DataError::Invalid`] for settings out of range.
pub fn cerebral_flow(
    planted: &CerebralFlow,
    streams: &Streams,
) -> Result<CerebralFlowTruth, DataError> {
    planted.pressure(&planted.rr_intervals(streams)?)
}

/// 1/f noise of mean 0 and standard deviation 1, from normal numbers for its frequencies `1/n, 2/n, ...`.
fn pink(n: usize, pairs: &[(f64, f64)]) -> Vec<f64> {
    let mut x: Vec<f64> = (0..n)
        .map(|t| {
            let term = |(k, (a, b)): (usize, &(f64, f64))| {
                // The phase is reduced in whole numbers, so that it keeps its precision.
                let (sin, cos) = (TAU * ((k + 1) * t % n) as f64 / n as f64).sin_cos();
                (a * cos + b * sin) / ((k + 1) as f64).sqrt()
            };
            pairs.iter().enumerate().map(term).sum()
        })
        .collect();
    let (mean, sd) = (stats::mean(&x), stats::sd(&x, 0));
    x.iter_mut().for_each(|v| *v = (*v - mean) / sd);
    x
}

/// The flow out of the heart, ml/s.
fn ejection(rr_s: &[f64], onsets_s: &[f64], dt: f64) -> Vec<f64> {
    let n = (onsets_s[onsets_s.len() - 1] / dt) as usize;
    let mut flow = vec![0.0; n];
    let filled = |rr: f64| 1.0 - (-rr / 0.6).exp();
    for (k, rr) in rr_s.iter().enumerate() {
        let duration = (0.3 * (rr / 0.8).sqrt()).min(0.9 * rr);
        let before = if k == 0 { 0.8 } else { rr_s[k - 1] };
        let volume = 75.0 * filled(before) / filled(0.8);
        let sample = |t: f64| ((t / dt).ceil() as usize).min(n);
        for (i, q) in flow[..sample(onsets_s[k] + duration)]
            .iter_mut()
            .enumerate()
            .skip(sample(onsets_s[k]))
        {
            let phase = PI * (i as f64 * dt - onsets_s[k]) / duration;
            *q = volume * PI / (2.0 * duration) * phase.sin();
        }
    }
    flow
}

fn low_pass(x: &[f64], tau: f64, dt: f64, start: f64) -> Vec<f64> {
    let mut y = start;
    x.iter()
        .map(|v| {
            y += dt / tau * (v - y);
            y
        })
        .collect()
}

impl CerebralFlowTruth {
    /// The flow into each site but the first, `(P_up - P) / R` with these resistances (mmHg s/ml), ml/s. The stages keep the mean
    /// pressure, so this is the pulsing part of the flow.
    #[must_use]
    pub fn flow(&self, resistance: [f64; 3]) -> Vec<Vec<f64>> {
        let pairs = self.pressure.windows(2).zip(resistance);
        pairs
            .map(|(pair, r)| {
                pair[0]
                    .iter()
                    .zip(&pair[1])
                    .map(|(up, down)| (up - down) / r)
                    .collect()
            })
            .collect()
    }

    /// A recording whose units are the sites, with an epoch of kind `beat` for each beat.
    ///
    /// # Errors
    /// None in practice: what the simulation gives is finite.
    pub fn recording(&self) -> Result<Recording, DataError> {
        let n = self.pressure[0].len();
        let values = Array2::from_shape_fn((n, self.pressure.len()), |(t, s)| {
            self.pressure[s][t] as f32
        });
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: TimeAxis::Regular {
                start_s: 0.0,
                rate_hz: 1.0 / self.step_s,
                len: n,
            },
            values,
            quantity: "pressure (mmHg)".into(),
        }));
        draft.units = SITES.iter().map(|s| Unit::new(*s)).collect();
        draft.epochs = self
            .onsets_s
            .windows(2)
            .map(|w| Epoch {
                kind: "beat".into(),
                label: String::new(),
                start_s: w[0],
                stop_s: w[1],
            })
            .collect();
        draft.session.source = "generated: cerebral flow".into();
        draft.validate(Missing::Refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulated(rhythm: Rhythm, seed: u64) -> CerebralFlowTruth {
        let planted = CerebralFlow {
            rhythm,
            ..CerebralFlow::default()
        };
        cerebral_flow(&planted, &Streams::new(seed)).unwrap()
    }

    #[test]
    fn intervals_have_the_moments_they_were_given() {
        for (rhythm, variation) in [(Rhythm::Sinus, 0.07), (Rhythm::Fibrillation, 0.24)] {
            let planted = CerebralFlow {
                n_beats: 4000,
                rhythm,
                ..CerebralFlow::default()
            };
            let rr = planted.rr_intervals(&Streams::new(1)).unwrap();
            let (mean, sd) = (stats::mean(&rr), stats::sd(&rr, 0));
            assert!((mean - 0.8).abs() < 0.012, "{mean}");
            assert!((sd / mean - variation).abs() < 0.012, "{}", sd / mean);
            // Neighbouring intervals of 1/f noise are alike, of independent draws not.
            let r = stats::pearson(&rr[1..], &rr[..rr.len() - 1]);
            assert!(
                if rhythm == Rhythm::Sinus {
                    r > 0.5
                } else {
                    r.abs() < 0.06
                },
                "{r}"
            );
        }
    }

    #[test]
    fn pressure_is_arterial_and_loses_its_pulse_on_the_way() {
        let truth = simulated(Rhythm::Sinus, 2);
        let late = |s: usize| &truth.pressure[s][4000..];
        let mean = stats::mean(late(0));
        // Mean flow (75 ml in 0.8 s) times resistance and impedance.
        assert!((mean - 93.75 * 1.05).abs() < 3.0, "{mean}");
        let pulse: Vec<f64> = (0..4).map(|s| stats::sd(late(s), 0)).collect();
        assert!(pulse.is_sorted_by(|a, b| a > b), "{pulse:?}");
        for s in 1..4 {
            assert!((stats::mean(late(s)) - mean).abs() < 1.0);
        }
        let flow = truth.flow([1.0, 1.0, 2.0]);
        assert_eq!(flow.len(), 3);
        let there = (truth.pressure[2][5000] - truth.pressure[3][5000]) / 2.0;
        assert_eq!(flow[2][5000], there);
        let recording = truth.recording().unwrap();
        assert_eq!(recording.n_units(), 4);
        assert_eq!(recording.epochs_of("beat").count(), 400);
    }

    #[test]
    fn what_cannot_be_simulated_is_refused() {
        let refused = |p: CerebralFlow| cerebral_flow(&p, &Streams::new(0)).is_err();
        let d = CerebralFlow::default;
        assert!(refused(CerebralFlow { n_beats: 1, ..d() }));
        assert!(refused(CerebralFlow { step_s: 0.1, ..d() }));
        assert!(refused(CerebralFlow {
            mean_rr_s: f64::NAN,
            ..d()
        }));
        assert!(refused(CerebralFlow {
            variation: Some(-1.0),
            ..d()
        }));
        assert!(d().pressure(&[0.8, f64::NAN]).is_err());
        assert!(d().pressure(&[0.8]).is_err());
        assert_eq!(
            simulated(Rhythm::Fibrillation, 1),
            simulated(Rhythm::Fibrillation, 1)
        );
        assert_ne!(
            simulated(Rhythm::Fibrillation, 1),
            simulated(Rhythm::Fibrillation, 2)
        );
    }
}
