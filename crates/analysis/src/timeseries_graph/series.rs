//! A series of values on a clock, checked once.

use std::borrow::Cow;

use super::TimeseriesGraphError;

/// Values beyond this are refused: their products overflow.
const LARGEST: f64 = 1e150;

/// When the samples were taken.
#[derive(Debug, Clone, PartialEq)]
enum Clock<'a> {
    Even { start_s: f64, step_s: f64 },
    Timed(Cow<'a, [f64]>),
}

/// At least two finite values, at strictly increasing times.
///
/// ```
/// use chiasm_analysis::timeseries_graph::Series;
/// assert!(Series::even(&[1.0, 2.0, 1.5], 0.0, 0.1).is_ok());
/// let error = Series::even(&[1.0, f64::NAN], 0.0, 0.1).unwrap_err();
/// assert!(error.to_string().contains("index 1"));
/// assert!(Series::timed(&[1.0, 2.0], &[0.5, 0.5]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Series<'a> {
    values: &'a [f64],
    clock: Clock<'a>,
}

impl<'a> Series<'a> {
    /// Values at `start_s + i step_s`.
    ///
    /// # Errors
    /// Fewer than two values, one that is not finite (the first, by index), a step that is not above 0.
    pub fn even(
        values: &'a [f64],
        start_s: f64,
        step_s: f64,
    ) -> Result<Self, TimeseriesGraphError> {
        check(values)?;
        for (what, found, fine) in [
            ("start", start_s, start_s.is_finite()),
            ("step", step_s, step_s.is_finite() && step_s > 0.0),
        ] {
            if !fine {
                let expected = "a finite time, above 0 for a step, s";
                return Err(chiasm_core::SettingError::new(what, expected, found).into());
            }
        }
        Ok(Self {
            values,
            clock: Clock::Even { start_s, step_s },
        })
    }

    /// Values at these times, s.
    ///
    /// # Errors
    /// As [`Series::even`]; as many times as values; times that do not increase strictly.
    pub fn timed(
        values: &'a [f64],
        times_s: impl Into<Cow<'a, [f64]>>,
    ) -> Result<Self, TimeseriesGraphError> {
        let times_s = times_s.into();
        if times_s.len() != values.len() {
            return Err(TimeseriesGraphError::Length {
                what: "times",
                expected: values.len(),
                found: times_s.len(),
            });
        }
        check(values)?;
        if let Some((index, &found)) = times_s.iter().enumerate().find(|(_, t)| !fits(**t)) {
            return Err(TimeseriesGraphError::NotFinite {
                what: "time",
                index,
                found,
            });
        }
        if let Some(i) = (1..times_s.len()).find(|&i| times_s[i] <= times_s[i - 1]) {
            return Err(TimeseriesGraphError::TimeOrder {
                index: i,
                before: times_s[i - 1],
                found: times_s[i],
            });
        }
        Ok(Self {
            values,
            clock: Clock::Timed(times_s),
        })
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Never: a series holds two samples or more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Time of sample `i`, s. Panics beyond the end of explicit times.
    #[must_use]
    pub fn time_s(&self, i: usize) -> f64 {
        match &self.clock {
            Clock::Even { start_s, step_s } => start_s + i as f64 * step_s,
            Clock::Timed(t) => t[i],
        }
    }

    /// The explicit times, if the samples have them.
    #[must_use]
    pub(super) fn times(&self) -> Option<&[f64]> {
        match &self.clock {
            Clock::Even { .. } => None,
            Clock::Timed(t) => Some(t),
        }
    }

    /// The step between samples, s, for a method that counts in samples. Explicit times count as even if no step differs
    /// by more than a thousandth from the mean.
    ///
    /// # Errors
    /// [`TimeseriesGraphError::Uneven`] otherwise.
    pub fn step_s(&self, what: &'static str) -> Result<f64, TimeseriesGraphError> {
        let t = match &self.clock {
            Clock::Even { step_s, .. } => return Ok(*step_s),
            Clock::Timed(t) => t,
        };
        let mean = (t[t.len() - 1] - t[0]) / (t.len() - 1) as f64;
        let steps = t.windows(2).map(|w| w[1] - w[0]);
        let (least, most) = steps.fold((f64::INFINITY, 0.0f64), |(a, b), s| (a.min(s), b.max(s)));
        if most - mean > 1e-3 * mean || mean - least > 1e-3 * mean {
            return Err(TimeseriesGraphError::Uneven { what, least, most });
        }
        Ok(mean)
    }

    /// The common value of a series whose values are all equal.
    #[must_use]
    pub fn constant(&self) -> Option<f64> {
        let first = self.values[0];
        self.values.iter().all(|v| *v == first).then_some(first)
    }
}

fn fits(v: f64) -> bool {
    v.abs() <= LARGEST
}

fn check(values: &[f64]) -> Result<(), TimeseriesGraphError> {
    if values.len() < 2 {
        return Err(TimeseriesGraphError::TooFew {
            what: "samples",
            least: 2,
            found: values.len(),
        });
    }
    // Node numbers have 32 bits.
    if values.len() >= u32::MAX as usize {
        return Err(TimeseriesGraphError::Index {
            limit: u32::MAX as usize - 1,
            found: values.len(),
        });
    }
    // The fold has no way out in the middle, so that the compiler can use vector instructions.
    if values.iter().fold(true, |all, v| all & fits(*v)) {
        return Ok(());
    }
    let bad = values.iter().enumerate().find(|(_, v)| !fits(**v));
    let (index, &found) = bad.unwrap_or((0, &f64::NAN));
    Err(TimeseriesGraphError::NotFinite {
        what: "value",
        index,
        found,
    })
}
