//! Tests against time shifts: do time courses follow a behaviour more closely than the same behaviour, shifted in time,
//! would let them?
//!
//! Slow signals correlate by chance, and the samples of a recording are far from independent; so a correlation's own
//! standard error is no guide. Shifting one side around the recording as a ring keeps the pace and the distribution of
//! both and destroys only their alignment.

use chiasm_core::{Rng, SettingError, stats};
use chiasm_data::{Activity, DataError, Draft, Missing, Recording, Spikes, Traces};
use rand::RngExt;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the circular-shift test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CircularShift {
    /// Random shifts.
    pub n_shifts: usize,
    /// The least shift either way, s: long against the signals' own memory, or the null holds aligned copies.
    pub min_shift_s: f64,
}

impl Default for CircularShift {
    fn default() -> Self {
        Self {
            n_shifts: 4000,
            min_shift_s: 20.0,
        }
    }
}

/// A behaviour as a function of time, s; NaN where it is not known.
pub type Target<'a> = dyn Fn(f64) -> f64 + Sync + 'a;

/// The outcome for all series and targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShiftTest {
    /// `[series][target]`: Pearson correlation, -1 to 1.
    pub correlation: Vec<Vec<f64>>,
    /// `[series][target]`: the correlation in standard deviations of its shifted copies.
    pub z: Vec<Vec<f64>>,
    /// `[series][target]`: two-sided p of this correlation alone.
    pub p: Vec<Vec<f64>>,
    /// `[series][target]`: p corrected over all series and targets: the share of shifts at which the largest `|z|` of any
    /// series and target is at least this one.
    pub p_family: Vec<Vec<f64>>,
}

impl ShiftTest {
    /// The smallest corrected p: that of the hypothesis that nothing follows anything.
    #[must_use]
    pub fn least_p(&self) -> f64 {
        self.p_family.iter().flatten().copied().fold(1.0, f64::min)
    }
}

impl CircularShift {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(
            self.n_shifts >= 19,
            "n_shifts",
            "at least 19",
            self.n_shifts,
        )?;
        SettingError::check(
            self.min_shift_s >= 0.0 && self.min_shift_s.is_finite(),
            "min_shift_s",
            "a finite value of at least 0",
            self.min_shift_s,
        )
    }

    /// Tests every series (sampled at `times_s`, ascending) against every target. All are shifted together, so that the
    /// correction knows how the tests depend on each other. Where a target is unknown it takes its mean. A series or
    /// target that does not vary has correlation and z 0 and p 1.
    ///
    /// # Errors
    /// Settings out of range, or a recording shorter than three times the least shift.
    pub fn test(
        &self,
        times_s: &[f64],
        series: &[Vec<f64>],
        targets: &[&Target<'_>],
        rng: &mut Rng,
    ) -> Result<ShiftTest, SettingError> {
        self.validate()?;
        let (first, last) = match times_s {
            [] | [_] => {
                return Err(SettingError::new(
                    "times_s",
                    "two or more times",
                    times_s.len(),
                ));
            }
            [first, .., last] => (*first, *last),
        };
        // The ring closes with one more step.
        let ring_s = (last - first) * times_s.len() as f64 / (times_s.len() - 1) as f64;
        SettingError::check(
            ring_s >= 3.0 * self.min_shift_s,
            "min_shift_s",
            "at most a third of the recording",
            self.min_shift_s,
        )?;
        let series: Vec<Vec<f64>> = series.iter().map(|s| standardized(s.clone())).collect();
        let correlations = |shift_s: f64| -> Vec<f64> {
            let shifted: Vec<Vec<f64>> = targets
                .iter()
                .map(|target| {
                    let at = |t: &f64| target(first + (t - first + shift_s).rem_euclid(ring_s));
                    standardized(times_s.iter().map(at).collect())
                })
                .collect();
            series
                .iter()
                .flat_map(|s| {
                    shifted
                        .iter()
                        .map(|t| s.iter().zip(t).map(|(a, b)| a * b).sum())
                })
                .collect()
        };
        let free = ring_s - 2.0 * self.min_shift_s;
        let shifts: Vec<f64> = (0..self.n_shifts)
            .map(|_| self.min_shift_s + free * rng.random::<f64>())
            .collect();
        let observed = correlations(0.0);
        // The observed alignment is one of the possible ones and stands among them.
        let mut all: Vec<Vec<f64>> = shifts.par_iter().map(|&s| correlations(s)).collect();
        all.push(observed.clone());
        Ok(judge(&observed, &all, targets.len()))
    }
}

fn judge(observed: &[f64], all: &[Vec<f64>], n_targets: usize) -> ShiftTest {
    let moments: Vec<(f64, f64)> = (0..observed.len())
        .map(|k| {
            let column: Vec<f64> = all.iter().map(|a| a[k]).collect();
            (stats::mean(&column), stats::sd(&column, 0))
        })
        .collect();
    let z_of = |a: &[f64]| -> Vec<f64> {
        let z = |(v, &(m, s)): (&f64, &(f64, f64))| if s > 1e-12 { (v - m) / s } else { 0.0 };
        a.iter().zip(&moments).map(z).collect()
    };
    let z = z_of(observed);
    let sizes: Vec<Vec<f64>> = all
        .iter()
        .map(|a| z_of(a).into_iter().map(f64::abs).collect())
        .collect();
    let largest: Vec<f64> = sizes
        .iter()
        .map(|s| s.iter().copied().fold(0.0, f64::max))
        .collect();
    // A hair of slack lets rounding not decide between equal values.
    let share = |count: usize| count as f64 / all.len() as f64;
    let p = (0..z.len())
        .map(|k| share(sizes.iter().filter(|s| s[k] >= z[k].abs() - 1e-12).count()))
        .collect::<Vec<_>>();
    let p_family: Vec<f64> = z
        .iter()
        .map(|z| share(largest.iter().filter(|l| **l >= z.abs() - 1e-12).count()))
        .collect();
    let table = |x: &[f64]| x.chunks(n_targets.max(1)).map(<[f64]>::to_vec).collect();
    ShiftTest {
        correlation: table(observed),
        z: table(&z),
        p: table(&p),
        p_family: table(&p_family),
    }
}

/// Mean 0 and sum of squares 1; NaN becomes the mean; all 0 if it does not vary.
fn standardized(mut x: Vec<f64>) -> Vec<f64> {
    let known: Vec<f64> = x.iter().copied().filter(|v| v.is_finite()).collect();
    let mean = if known.is_empty() {
        0.0
    } else {
        stats::mean(&known)
    };
    for v in &mut x {
        *v = if v.is_finite() { *v - mean } else { 0.0 };
    }
    let size = x.iter().map(|v| v * v).sum::<f64>().sqrt();
    let varies = size > 1e-9 * (mean.abs() + size) && size > 0.0;
    x.iter_mut()
        .for_each(|v| *v = if varies { *v / size } else { 0.0 });
    x
}

/// The recording with every unit shifted in time by an amount of its own, around the ring: each unit keeps its own
/// activity, and whatever units did together is gone. Shifts lie between a tenth and nine tenths of the recording.
///
/// # Errors
/// Those of [`Draft::validate`], which a valid recording does not meet.
pub fn shift_units(recording: &Recording, rng: &mut Rng) -> Result<Recording, DataError> {
    let draft = recording.clone().into_draft();
    let activity = match draft.activity {
        Activity::Traces(traces) => {
            let n = traces.values.nrows();
            let mut values = traces.values.clone();
            for mut unit in values.columns_mut() {
                let shift = rng.random_range(n / 10..=(n - n / 10).max(n / 10));
                let source = unit.to_vec();
                for (t, v) in unit.iter_mut().enumerate() {
                    *v = source[(t + shift) % n];
                }
            }
            Activity::Traces(Traces { values, ..traces })
        }
        Activity::Spikes(spikes) => {
            let span = spikes.stop_s - spikes.start_s;
            let shifted = |train: &Vec<f64>, rng: &mut Rng| {
                let shift = span * (0.1 + 0.8 * rng.random::<f64>());
                let mut moved: Vec<f64> = train
                    .iter()
                    .map(|t| {
                        spikes.start_s + (t - spikes.start_s + shift) % span.max(f64::MIN_POSITIVE)
                    })
                    .collect();
                moved.sort_by(f64::total_cmp);
                moved
            };
            let times = spikes
                .times
                .iter()
                .map(|train| shifted(train, rng))
                .collect();
            Activity::Spikes(Spikes { times, ..spikes })
        }
    };
    Draft { activity, ..draft }.validate(Missing::Keep)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::{Streams, TimeAxis};
    use ndarray::Array2;

    fn times(n: usize) -> Vec<f64> {
        (0..n).map(|t| t as f64).collect()
    }

    /// Slow noise: each value keeps most of the one before.
    fn slow(n: usize, seed: usize) -> Vec<f64> {
        let mut rng = Streams::new(11).indexed("slow", seed);
        let mut x = 0.0;
        (0..n)
            .map(|_| {
                x = 0.9 * x + rng.random::<f64>() - 0.5;
                x
            })
            .collect()
    }

    #[test]
    fn a_series_that_follows_is_found_and_correlation_is_pearson_s() {
        let (t, a, b) = (times(400), slow(400, 0), slow(400, 1));
        let behaviour = slow(400, 2);
        let follower: Vec<f64> = behaviour.iter().zip(&a).map(|(x, n)| x + 0.3 * n).collect();
        let target = |s: f64| behaviour[(s.round() as usize).min(399)];
        let test = CircularShift::default()
            .test(
                &t,
                &[follower.clone(), b],
                &[&target],
                &mut Streams::new(0).stream("t"),
            )
            .unwrap();
        assert!((test.correlation[0][0] - stats::pearson(&follower, &behaviour)).abs() < 1e-9);
        assert!(test.p_family[0][0] < 0.001 && test.p_family[1][0] > 0.05);
        assert!(test.p[0][0] <= test.p_family[0][0] && test.least_p() == test.p_family[0][0]);
    }

    #[test]
    fn independent_slow_series_are_found_no_more_often_than_the_level() {
        let t = times(300);
        let found = (0..200)
            .filter(|k| {
                let behaviour = slow(300, 1000 + k);
                let target = |s: f64| behaviour[(s.round() as usize).min(299)];
                let series: Vec<Vec<f64>> = (0..3).map(|c| slow(300, 10 * k + c + 5000)).collect();
                let config = CircularShift {
                    n_shifts: 199,
                    min_shift_s: 10.0,
                };
                let mut rng = Streams::new(1).indexed("t", *k);
                config
                    .test(&t, &series, &[&target], &mut rng)
                    .unwrap()
                    .least_p()
                    <= 0.05
            })
            .count();
        // 10 expected of 200 at the level .05; more than 20 has a probability below .002.
        assert!(found <= 20, "{found}");
    }

    #[test]
    fn what_does_not_vary_is_never_found_and_what_is_unknown_is_left_out() {
        let t = times(100);
        let flat = |_: f64| 1.0;
        let partly = |s: f64| if s < 50.0 { f64::NAN } else { s };
        let test = CircularShift {
            n_shifts: 99,
            min_shift_s: 5.0,
        }
        .test(
            &t,
            &[vec![2.0; 100], t.clone()],
            &[&flat, &partly],
            &mut Streams::new(0).stream("t"),
        )
        .unwrap();
        assert_eq!(test.correlation[0], [0.0, 0.0]);
        assert_eq!((test.p[0][0], test.p_family[1][0]), (1.0, 1.0));
        assert!(test.correlation[1][1].is_finite());
        let short = CircularShift {
            n_shifts: 99,
            min_shift_s: 50.0,
        };
        assert!(
            short
                .test(&t, &[], &[&flat], &mut Streams::new(0).stream("t"))
                .is_err()
        );
    }

    #[test]
    fn shifted_units_keep_their_values_and_lose_their_alignment() {
        let values = Array2::from_shape_fn((200, 2), |(t, _)| (t as f32 * 0.7).sin() * t as f32);
        let time = TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: 200,
        };
        let traces = Activity::Traces(Traces {
            time,
            values,
            quantity: String::new(),
        });
        let recording = Draft::new(traces).validate(Missing::Refuse).unwrap();
        let shifted = shift_units(&recording, &mut Streams::new(4).stream("s")).unwrap();
        let sorted = |r: &Recording, u: usize| {
            let mut x = r.trace(u).unwrap().to_vec();
            x.sort_by(f32::total_cmp);
            x
        };
        for u in 0..2 {
            assert_eq!(sorted(&recording, u), sorted(&shifted, u));
            assert_ne!(recording.trace(u), shifted.trace(u));
        }
        assert_ne!(shifted.trace(0), shifted.trace(1));
    }
}
