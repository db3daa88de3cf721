//! Affinities: from a recording to a non-negative number for every pair of units at every moment (paper 01, stage 1).
//!
//! Every kind of affinity starts from traces on a common clock, smoothed and scaled for each unit by itself, so that no
//! unit and no animal outweighs the others. Each step is a setting.
//!
//! ```
//! use chiasm_analysis::connectome::affinity::Affinity;
//! use chiasm_core::{Quiet, TimeAxis};
//! use chiasm_data::{Activity, Draft, Missing, Traces};
//! use ndarray::Array2;
//!
//! // Two units in step, one against them.
//! let values = Array2::from_shape_fn((120, 3), |(t, u)| {
//!     let wave = (t as f32 / 5.0).sin();
//!     if u < 2 { wave } else { -wave }
//! });
//! let time = TimeAxis::Regular { start_s: 0.0, rate_hz: 1.0, len: 120 };
//! let traces = Activity::Traces(Traces { time, values, quantity: "dF/F".into() });
//! let recording = Draft::new(traces).validate(Missing::Refuse)?;
//! let affinities = Affinity::default().of(&recording, &Quiet)?;
//! assert_eq!(affinities.pairs, [(0, 1), (0, 2), (1, 2)]);
//! let mean = affinities.values.mean_axis(ndarray::Axis(0)).unwrap();
//! assert!(mean[0] > 10.0 * mean[1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use chiasm_core::{SettingError, TimeAxis, Watch};
use chiasm_data::Recording;
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod kinds;
mod tensor;
#[cfg(test)]
mod tests;
mod traces;

pub use super::error::AffinityError;
pub use tensor::{ConnectomeTensor, TensorError, tensor_of};
pub use traces::{ClockTraces, on_clock};

/// How the affinity of two units at a moment follows from their traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AffinityKind {
    /// `[a b > 0] sqrt(|a b|) exp(-(a - b)^2 / (2 width^2))` of the traces' derivatives, each divided by its robust
    /// standard deviation: high while two units rise or fall together at a like pace (paper 01; the formula is chosen,
    /// as the paper's own was not available).
    Differential,
    /// The same formula on the traces' levels above and below their median.
    Levels,
    /// `sqrt(max(a, 0) max(b, 0))` of z-scored levels: high while both units are above their own mean. Two silent units
    /// are no community.
    Coactivity,
    /// `max(0, a b)` of z-scored levels.
    ZProduct,
    /// `exp(-(a - b)^2 / (2 width^2))` of z-scored levels.
    LevelKernel,
    /// Pearson correlation in a sliding window, negative values set to 0. The window takes the place of the smoothing
    /// of affinities.
    WindowedPearson,
}

/// What to do with units whose trace never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Constant {
    /// Refuse the recording, naming them.
    Refuse,
    /// Leave them out; [`Affinities::dropped`] names them.
    Drop,
}

/// Settings of the affinities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Affinity {
    /// The kind of affinity.
    pub kind: AffinityKind,
    /// Step of the common clock, s. Finer traces are averaged within each step, coarser ones interpolated (paper 01:
    /// 1 s).
    pub clock_s: f64,
    /// Standard deviation of the Gaussian that smooths traces, s; 0 for none (paper 01: 1 s).
    pub trace_sigma_s: f64,
    /// Standard deviation of the Gaussian that smooths affinities, s; 0 for none (paper 01: 6 s).
    pub affinity_sigma_s: f64,
    /// Width of the agreement kernel, in standard deviations (paper 01: 1).
    pub width: f64,
    /// Affinities above this are set to it, before smoothing (paper 01: 3).
    pub cap: f64,
    /// Length of the sliding window of windowed Pearson, s (paper 01: 30 s).
    pub window_s: f64,
    /// Gaps up to this long are bridged by interpolation, s; longer ones are missing (paper 01: 2 s).
    pub max_gap_s: f64,
    /// What to do with units whose trace never changes.
    pub constant: Constant,
    /// Time 0 is the start of the first epoch of this kind, so that animals are aligned on a stimulus; the start of the
    /// recording where not given.
    pub align_on: Option<String>,
    /// Refuse affinities that would take more memory, GiB.
    pub max_memory_gib: f64,
}

impl Default for Affinity {
    fn default() -> Self {
        Self {
            kind: AffinityKind::Differential,
            clock_s: 1.0,
            trace_sigma_s: 1.0,
            affinity_sigma_s: 6.0,
            width: 1.0,
            cap: 3.0,
            window_s: 30.0,
            max_gap_s: 2.0,
            constant: Constant::Refuse,
            align_on: None,
            max_memory_gib: 4.0,
        }
    }
}

/// The affinities of one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Affinities {
    /// When, s after the recording's start or the epoch aligned on; times are whole multiples of the clock's step.
    pub time: TimeAxis,
    /// Time 0 of `time` on the recording's own clock, s.
    pub origin_s: f64,
    /// Names of the units, in the order of the recording.
    pub names: Vec<String>,
    /// Which units form each pair, `(i, j)` with `i < j`.
    pub pairs: Vec<(usize, usize)>,
    /// `[time, pair]`, never negative; NaN where either unit is missing.
    pub values: Array2<f32>,
    /// Names of units left out because their trace never changes.
    pub dropped: Vec<String>,
}

impl Affinity {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let positive = |field: &str, v: f64| {
            SettingError::check(v > 0.0 && v.is_finite(), field, "a finite value above 0", v)
        };
        positive("clock_s", self.clock_s)?;
        positive("width", self.width)?;
        positive("cap", self.cap)?;
        positive("max_memory_gib", self.max_memory_gib)?;
        SettingError::check(
            self.window_s >= 3.0 * self.clock_s && self.window_s.is_finite(),
            "window_s",
            "at least three steps of the clock",
            self.window_s,
        )?;
        for (field, v) in [
            ("trace_sigma_s", self.trace_sigma_s),
            ("affinity_sigma_s", self.affinity_sigma_s),
            ("max_gap_s", self.max_gap_s),
        ] {
            SettingError::check(
                v >= 0.0 && v.is_finite(),
                field,
                "a finite value of at least 0",
                v,
            )?;
        }
        Ok(())
    }

    /// The affinities of all pairs of units.
    ///
    /// # Errors
    /// [`AffinityError`]: settings out of range, fewer than two units, names given twice, constant or wholly missing
    /// traces (by name), too few frames on the clock, more memory than allowed; [`AffinityError::Cancelled`].
    pub fn of(
        &self,
        recording: &Recording,
        watch: &dyn Watch,
    ) -> Result<Affinities, AffinityError> {
        self.validate()?;
        let traces = on_clock(self, recording)?;
        self.of_traces(traces, watch)
    }

    /// The affinities of traces that are on the clock already.
    ///
    /// # Errors
    /// As [`Affinity::of`].
    pub fn of_traces(
        &self,
        traces: ClockTraces,
        watch: &dyn Watch,
    ) -> Result<Affinities, AffinityError> {
        self.validate()?;
        let (features, dropped) = traces::features(self, traces)?;
        let n_units = features.names.len();
        let n_frames = features.time.len();
        let n_pairs = n_units * (n_units - 1) / 2;
        let needed_gib = (n_pairs as f64) * (n_frames as f64) * 4.0 / f64::from(1u32 << 30);
        if needed_gib > self.max_memory_gib {
            return Err(AffinityError::TooLarge {
                n_pairs,
                n_frames,
                needed_gib,
                allowed_gib: self.max_memory_gib,
            });
        }
        let pairs: Vec<(usize, usize)> = (0..n_units)
            .flat_map(|i| (i + 1..n_units).map(move |j| (i, j)))
            .collect();
        let values = kinds::affinities(self, &features, &pairs, watch)?;
        Ok(Affinities {
            time: features.time,
            origin_s: features.origin_s,
            names: features.names,
            pairs,
            values,
            dropped,
        })
    }
}
