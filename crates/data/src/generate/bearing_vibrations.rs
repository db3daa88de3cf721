//! Vibrations of a bearing with faults: a stand-in of recorded ones for where these are not at hand.

use std::f64::consts::TAU;

use chiasm_core::{Rng, SettingError, Streams};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::vibration::Vibration;

/// A bearing whose inner ring turns, without a fault and with nine.
#[derive(Debug, Clone, PartialEq)]
pub struct BearingVibrations {
    /// Samples of each condition.
    pub samples: usize,
    /// Samples a second.
    pub rate_hz: f64,
    /// Turns of the shaft a second.
    pub shaft_hz: f64,
}

impl Default for BearingVibrations {
    /// Ten seconds at 12 kHz, 1,797 turns a minute.
    fn default() -> Self {
        Self {
            samples: 120_000,
            rate_hz: 12_000.0,
            shaft_hz: 1797.0 / 60.0,
        }
    }
}

/// Where a fault is.
struct Part {
    name: &'static str,
    /// Impacts for each turn of the shaft (a deep groove bearing of nine balls).
    impacts: f64,
    /// Turns of the load relative to the fault for each turn of the shaft, with which impacts swell and fade.
    swells: f64,
    /// How much they do, 0 to 1.
    depth: f64,
}

const PARTS: [Part; 3] = [
    Part {
        name: "ball",
        impacts: 4.714,
        swells: 0.398,
        depth: 0.6,
    },
    Part {
        name: "inner ring",
        impacts: 5.415,
        swells: 1.0,
        depth: 0.9,
    },
    Part {
        name: "outer ring",
        impacts: 3.585,
        swells: 0.0,
        depth: 0.0,
    },
];

/// Resonance (Hz) and damping (share of the critical one) that faults of three sizes excite: the larger the duller.
const SIZES: [(f64, f64); 3] = [(3600.0, 0.03), (3100.0, 0.045), (2600.0, 0.06)];
/// Of the interval between impacts: balls slip.
const SLIP: f64 = 0.01;
/// Of the strength of an impact.
const UNEVEN: f64 = 0.2;
/// Power of the machine's own rustle over that of the rest of a faulty bearing's signal.
const RUSTLE: f64 = 0.1;

/// Ten conditions, each a signal of its own: `normal`, then three sizes of faults of a ball, the inner and the outer ring.
///
/// Every fault strikes at the rate of its part's geometry, with slip, and each impact rings in a damped resonance; the load
/// zone makes those of balls and of the inner ring swell and fade. Shaft harmonics and a rustle lie below. Signals of faults
/// have power 1. They are simpler than a machine: no accuracy on them says anything about recorded vibrations.
///
/// # Errors
/// [`SettingError`] for no samples or more than 10 million, for a rate below 8 kHz, which would fold the resonances, or above
/// 1 MHz, and for a shaft outside of 1 to 200 turns a second.
///
/// ```
/// use chiasm_core::Streams;
/// use chiasm_data::generate::{BearingVibrations, bearing_vibrations};
/// let all = bearing_vibrations(&BearingVibrations::default(), &Streams::new(1))?;
/// assert_eq!((all.len(), all[0].samples.len()), (10, 120_000));
/// assert_eq!(all[4].condition, "inner ring 1");
/// # Ok::<(), chiasm_core::SettingError>(())
/// ```
pub fn bearing_vibrations(
    how: &BearingVibrations,
    streams: &Streams,
) -> Result<Vec<Vibration>, SettingError> {
    let fine = (1..=10_000_000).contains(&how.samples);
    SettingError::check(fine, "samples", "1 to 10000000", how.samples)?;
    let fine = (8e3..=1e6).contains(&how.rate_hz);
    SettingError::check(fine, "rate_hz", "8000 to 1000000", how.rate_hz)?;
    let fine = (1.0..=200.0).contains(&how.shaft_hz);
    SettingError::check(fine, "shaft_hz", "1 to 200", how.shaft_hz)?;
    let mut rng = streams.stream("normal");
    let mut all = vec![Vibration {
        condition: "normal".into(),
        samples: how.background(&mut rng, 1.0),
    }];
    for part in &PARTS {
        for (i, size) in SIZES.iter().enumerate() {
            let condition = format!("{} {}", part.name, i + 1);
            let mut rng = streams.stream(&condition);
            let impacts = unit_power(how.impacts(part, *size, &mut rng));
            let below = how.background(&mut rng, RUSTLE.sqrt());
            let both = impacts.iter().zip(below).map(|(a, b)| a + b).collect();
            all.push(Vibration {
                condition,
                samples: unit_power(both),
            });
        }
    }
    Ok(all)
}

impl BearingVibrations {
    /// Three harmonics of the shaft and as much white noise, of this root mean square in all.
    fn background(&self, rng: &mut Rng, level: f64) -> Vec<f64> {
        let phases: Vec<f64> = (0..3).map(|_| TAU * rng.random::<f64>()).collect();
        let turn = TAU * self.shaft_hz / self.rate_hz;
        let sample = |i: usize| {
            let angle = turn * i as f64;
            let harmonics = phases.iter().enumerate();
            let hum: f64 = harmonics
                .map(|(h, phase)| (angle * (h + 1) as f64 + phase).sin())
                .sum();
            hum * (1.0f64 / 3.0).sqrt() + rng.sample::<f64, _>(StandardNormal)
        };
        let both = unit_power((0..self.samples).map(sample).collect());
        both.into_iter().map(|v| level * v).collect()
    }

    fn impacts(&self, part: &Part, (resonance_hz, damping): (f64, f64), rng: &mut Rng) -> Vec<f64> {
        let mut out = vec![0.0; self.samples];
        let interval = self.rate_hz / (part.impacts * self.shaft_hz);
        let angular = TAU * resonance_hz / self.rate_hz;
        let decay = damping * angular;
        // Until a millionth is left.
        let rings = (1e6f64.ln() / decay) as usize;
        let mut normal = || rng.sample::<f64, _>(StandardNormal);
        // One that rings when the signal begins.
        let mut at = -interval;
        while at < self.samples as f64 {
            let swell = TAU * part.swells * self.shaft_hz / self.rate_hz * at;
            let load = 1.0 - part.depth * 0.5 * (1.0 + swell.cos());
            let strength = load * (1.0 + UNEVEN * normal());
            let first = at.ceil().max(0.0) as usize;
            let end = (first + rings).min(self.samples);
            for (i, o) in out.iter_mut().enumerate().take(end).skip(first) {
                let since = i as f64 - at;
                *o += strength * (-decay * since).exp() * (angular * since).sin();
            }
            at += interval * (1.0 + SLIP * normal()).max(0.5);
        }
        out
    }
}

fn unit_power(samples: Vec<f64>) -> Vec<f64> {
    let power = samples.iter().map(|v| v * v).sum::<f64>() / samples.len() as f64;
    // A signal shorter than the first interval may be silent.
    let scale = if power > 0.0 { power.sqrt() } else { 1.0 };
    samples.into_iter().map(|v| v / scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Vibration> {
        let how = BearingVibrations {
            samples: 48_000,
            ..BearingVibrations::default()
        };
        bearing_vibrations(&how, &Streams::new(5)).unwrap()
    }

    /// Amplitude of a frequency in the envelope (the rectified signal) of a vibration, over the envelope's mean.
    fn of_envelope(vibration: &Vibration, hz: f64) -> f64 {
        let n = vibration.samples.len() as f64;
        let mean = vibration.samples.iter().map(|v| v.abs()).sum::<f64>() / n;
        let (mut re, mut im) = (0.0, 0.0);
        for (i, v) in vibration.samples.iter().enumerate() {
            let angle = TAU * hz * i as f64 / 12_000.0;
            re += (v.abs() - mean) * angle.cos();
            im += (v.abs() - mean) * angle.sin();
        }
        2.0 * re.hypot(im) / n / mean
    }

    #[test]
    fn faults_strike_at_the_rate_of_their_part() {
        let all = all();
        let rate = |part: &Part| part.impacts * 1797.0 / 60.0;
        for (p, part) in PARTS.iter().enumerate() {
            for size in 0..3 {
                let vibration = &all[1 + 3 * p + size];
                // Slip spreads the line: the strongest of a few hertz.
                let strongest = |hz: f64| {
                    let near = (-8..=8).map(|d| of_envelope(vibration, hz + 0.25 * f64::from(d)));
                    near.fold(0.0, f64::max)
                };
                let own = strongest(rate(part));
                for other in PARTS.iter().filter(|o| o.name != part.name) {
                    let found = strongest(rate(other));
                    let name = &vibration.condition;
                    assert!(own > 2.0 * found, "{name}: {own}, {}: {found}", other.name);
                }
                let own_in_normal = of_envelope(&all[0], rate(part));
                assert!(own > 5.0 * own_in_normal, "{own} {own_in_normal}");
            }
        }
    }

    #[test]
    fn signals_have_power_1_and_are_the_same_for_the_same_seed() {
        let all = all();
        for vibration in &all {
            let n = vibration.samples.len() as f64;
            let power = vibration.samples.iter().map(|v| v * v).sum::<f64>() / n;
            assert!((power - 1.0).abs() < 1e-9, "{}", vibration.condition);
        }
        assert_eq!(all, self::all());
        let refused = |change: &dyn Fn(&mut BearingVibrations)| {
            let mut how = BearingVibrations::default();
            change(&mut how);
            bearing_vibrations(&how, &Streams::new(1))
                .unwrap_err()
                .field
        };
        assert_eq!(refused(&|h| h.samples = 0), "samples");
        assert_eq!(refused(&|h| h.rate_hz = 5000.0), "rate_hz");
        assert_eq!(refused(&|h| h.shaft_hz = f64::NAN), "shaft_hz");
    }
}
