//! What components follow: bouts of a behaviour, their onsets, and channels such as velocity.

use chiasm_core::{Rng, SettingError};
use chiasm_data::Recording;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::permutation::{CircularShift, ShiftTest, Target};

/// Settings of the comparison with behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Behavior {
    /// The kind of epoch that is a bout of behaviour; a channel of this name or beginning with it that is 0 or 1 serves
    /// as well.
    pub bouts: String,
    /// An onset is the step from this long before a bout's start to this long after it, s.
    pub onset_s: f64,
    /// The test.
    pub shifts: CircularShift,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            bouts: "reversal".into(),
            onset_s: 6.0,
            shifts: CircularShift::default(),
        }
    }
}

/// Bouts of a behaviour: spans of time, ascending, s.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bouts(pub Vec<(f64, f64)>);

impl Bouts {
    /// 1 within a bout, 0 outside.
    #[must_use]
    pub fn inside(&self, time_s: f64) -> f64 {
        f64::from(u8::from(
            self.0.iter().any(|b| time_s >= b.0 && time_s < b.1),
        ))
    }

    /// 1 up to `reach_s` after a bout's start, -1 up to `reach_s` before one, 0 elsewhere (and where both hold).
    #[must_use]
    pub fn onset(&self, time_s: f64, reach_s: f64) -> f64 {
        let any =
            |f: &dyn Fn(f64) -> bool| f64::from(u8::from(self.0.iter().any(|b| f(time_s - b.0))));
        any(&|d| d >= 0.0 && d < reach_s) - any(&|d| d < 0.0 && d >= -reach_s)
    }
}

impl Behavior {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(
            self.onset_s > 0.0 && self.onset_s.is_finite(),
            "onset_s",
            "a finite value above 0",
            self.onset_s,
        )?;
        self.shifts.validate()
    }

    /// The recording's bouts: its epochs of this kind, else the spans in which a channel of this name is 1.
    #[must_use]
    pub fn bouts_of(&self, recording: &Recording) -> Bouts {
        let epochs: Vec<(f64, f64)> = recording
            .epochs_of(&self.bouts)
            .map(|e| (e.start_s, e.stop_s))
            .collect();
        if !epochs.is_empty() {
            return Bouts(epochs);
        }
        let is_flag = |v: &f64| *v == 0.0 || *v == 1.0 || v.is_nan();
        let channel = recording
            .covariates()
            .iter()
            .find(|c| c.name.starts_with(&self.bouts) && c.values.iter().all(is_flag));
        let Some(channel) = channel else {
            return Bouts::default();
        };
        let step = channel.time.median_step_s().unwrap_or(0.0);
        let mut bouts: Vec<(f64, f64)> = Vec::new();
        let mut inside = false;
        for (i, &v) in channel.values.iter().enumerate() {
            // A sample stands for the time until the next one.
            let t = channel.time.at(i);
            if v == 1.0 {
                if !inside {
                    bouts.push((t, t));
                }
                if let Some(last) = bouts.last_mut() {
                    last.1 = t + step;
                }
            }
            inside = v == 1.0;
        }
        Bouts(bouts)
    }

    /// Whether each series (sampled at `times_s` of the recording) follows the bouts (target 0) or their onsets (target
    /// 1), corrected over all series and both.
    ///
    /// # Errors
    /// As [`CircularShift::test`].
    pub fn follows_bouts(
        &self,
        times_s: &[f64],
        series: &[Vec<f64>],
        bouts: &Bouts,
        rng: &mut Rng,
    ) -> Result<ShiftTest, SettingError> {
        let inside = |t: f64| bouts.inside(t);
        let onset = |t: f64| bouts.onset(t, self.onset_s);
        self.shifts.test(times_s, series, &[&inside, &onset], rng)
    }

    /// Whether each series follows each of the recording's channels, corrected over all series and channels.
    ///
    /// # Errors
    /// As [`CircularShift::test`].
    pub fn follows_channels(
        &self,
        times_s: &[f64],
        series: &[Vec<f64>],
        recording: &Recording,
        names: &[&str],
        rng: &mut Rng,
    ) -> Result<ShiftTest, SettingError> {
        // Channels are looked up a thousand times for every shift: bring each to a fine regular grid once.
        let first = times_s.first().copied().unwrap_or(0.0);
        let step = times_s.get(1).map_or(1.0, |t| t - first) / 2.0;
        let grid: Vec<f64> = (0..2 * times_s.len() + 1)
            .map(|k| first + k as f64 * step)
            .collect();
        let channels: Vec<Vec<f64>> = names
            .iter()
            .map(|n| {
                recording
                    .covariate(n)
                    .map_or_else(|| vec![f64::NAN; grid.len()], |c| c.at(&grid))
            })
            .collect();
        let targets: Vec<Box<Target<'_>>> = channels
            .iter()
            .map(|values| {
                Box::new(move |t: f64| {
                    let k = ((t - first) / step).round();
                    values.get(k.max(0.0) as usize).copied().unwrap_or(f64::NAN)
                }) as Box<Target<'_>>
            })
            .collect();
        let targets: Vec<&Target<'_>> = targets.iter().map(AsRef::as_ref).collect();
        self.shifts.test(times_s, series, &targets, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::TimeAxis;
    use chiasm_data::{Activity, Covariate, Draft, Epoch, Missing, Traces};

    fn draft() -> Draft {
        let time = TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 2.0,
            len: 20,
        };
        let mut draft = Draft::new(Activity::Traces(Traces {
            time: time.clone(),
            values: ndarray::Array2::zeros((20, 1)),
            quantity: String::new(),
        }));
        let values = (0..20)
            .map(|t| f64::from(u8::from((4..8).contains(&t) || t >= 16)))
            .collect();
        draft.covariates = vec![Covariate {
            name: "reversal_vec".into(),
            unit: String::new(),
            time,
            values,
        }];
        draft
    }

    #[test]
    fn bouts_come_from_epochs_or_from_a_channel_of_zeros_and_ones() {
        let behavior = Behavior::default();
        let from_channel = behavior.bouts_of(&draft().validate(Missing::Refuse).unwrap());
        assert_eq!(from_channel, Bouts(vec![(2.0, 4.0), (8.0, 10.0)]));
        let mut with_epochs = draft();
        with_epochs.epochs = vec![Epoch {
            kind: "reversal".into(),
            label: String::new(),
            start_s: 1.0,
            stop_s: 3.0,
        }];
        let bouts = behavior.bouts_of(&with_epochs.validate(Missing::Refuse).unwrap());
        assert_eq!(bouts, Bouts(vec![(1.0, 3.0)]));
        assert_eq!(
            [0.9, 1.0, 2.9, 3.0].map(|t| bouts.inside(t)),
            [0.0, 1.0, 1.0, 0.0]
        );
        assert_eq!(
            [-1.1, -0.9, 0.9, 1.0, 2.9, 3.0].map(|t| bouts.onset(t, 2.0)),
            [0.0, -1.0, -1.0, 1.0, 1.0, 0.0]
        );
    }
}
