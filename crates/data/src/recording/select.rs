//! Recordings made from recordings: fewer units, binned spikes, a covariate on another clock.

use chiasm_core::TimeAxis;
use ndarray::{Array2, Axis};

use super::{Activity, Covariate, Recording, Spikes, Traces};
use crate::error::{DataError, Place};

impl Recording {
    /// The same recording with only the units at these positions, in this order.
    ///
    /// # Errors
    /// If the list is empty, or a position lies beyond the last unit or stands twice.
    pub fn select_units(&self, idx: &[usize]) -> Result<Self, DataError> {
        let n = self.n_units();
        if let Some(&bad) = idx.iter().find(|&&i| i >= n) {
            return Err(DataError::invalid(
                Place::dataset("units"),
                format!("a position below {n}"),
                bad,
            ));
        }
        let mut draft = self.clone().into_draft();
        draft.units = idx.iter().map(|&i| self.units[i].clone()).collect();
        draft.activity = match &self.activity {
            Activity::Traces(t) => Activity::Traces(Traces {
                values: t.values.select(Axis(1), idx),
                ..t.clone()
            }),
            Activity::Spikes(s) => Activity::Spikes(Spikes {
                times: idx.iter().map(|&i| s.times[i].clone()).collect(),
                ..*s
            }),
        };
        let mut selected = draft.validate(super::Missing::Keep)?;
        selected.repairs.clone_from(&self.repairs);
        Ok(selected)
    }

    /// Spike counts in bins of `bin_s`: `[time, unit]` at the bins' start times. A last bin that is not whole is left
    /// out.
    ///
    /// # Errors
    /// If the activity is not spikes, or the bin is not above 0 and at most the observation.
    pub fn spike_counts(&self, bin_s: f64) -> Result<(TimeAxis, Array2<u32>), DataError> {
        let Activity::Spikes(spikes) = &self.activity else {
            return Err(DataError::invalid(
                Place::dataset("activity"),
                "spike times",
                "sampled traces",
            ));
        };
        let span = spikes.stop_s - spikes.start_s;
        if !(bin_s > 0.0 && bin_s <= span) {
            let expected = format!("a bin above 0 and at most {span} s");
            return Err(DataError::invalid(
                Place::dataset("spike_counts"),
                expected,
                format!("{bin_s} s"),
            ));
        }
        // A whole number of bins may come out a hair short in floating point.
        let n_bins = (span / bin_s + 1e-9).floor() as usize;
        let mut counts = Array2::zeros((n_bins, spikes.times.len()));
        for (u, train) in spikes.times.iter().enumerate() {
            for &t in train {
                let bin = ((t - spikes.start_s) / bin_s) as usize;
                if bin < n_bins {
                    counts[[bin, u]] += 1;
                }
            }
        }
        let time = TimeAxis::Regular {
            start_s: spikes.start_s,
            rate_hz: 1.0 / bin_s,
            len: n_bins,
        };
        Ok((time, counts))
    }
}

impl Covariate {
    /// The channel's value at each of `times_s`, linearly interpolated; NaN outside its own span and next to missing
    /// samples.
    #[must_use]
    pub fn at(&self, times_s: &[f64]) -> Vec<f64> {
        let own = self.time.to_vec();
        times_s
            .iter()
            .map(|&t| match own.partition_point(|&x| x <= t) {
                0 => f64::NAN,
                i if own[i - 1] == t => self.values[i - 1],
                i if i == own.len() => f64::NAN,
                i => {
                    let fraction = (t - own[i - 1]) / (own[i] - own[i - 1]);
                    self.values[i - 1] + fraction * (self.values[i] - self.values[i - 1])
                }
            })
            .collect()
    }
}
