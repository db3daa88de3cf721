//! Time axes, in seconds.

use serde::{Deserialize, Serialize};

/// The times at which traces were sampled, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TimeAxis {
    /// `len` samples at `start_s + i / rate_hz`.
    Regular {
        /// Time of the first sample, s.
        start_s: f64,
        /// Samples per second, Hz.
        rate_hz: f64,
        /// Number of samples.
        len: usize,
    },
    /// One explicit, strictly increasing time for each sample, s.
    Explicit(Vec<f64>),
}

impl TimeAxis {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Regular { len, .. } => *len,
            Self::Explicit(t) => t.len(),
        }
    }

    /// Whether there is no sample at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time of sample `idx`, s. Panics beyond the end of an explicit axis.
    #[must_use]
    pub fn at(&self, idx: usize) -> f64 {
        match self {
            Self::Regular {
                start_s, rate_hz, ..
            } => start_s + idx as f64 / rate_hz,
            Self::Explicit(t) => t[idx],
        }
    }

    /// All times, s.
    #[must_use]
    pub fn to_vec(&self) -> Vec<f64> {
        (0..self.len()).map(|i| self.at(i)).collect()
    }

    /// From the first to the last sample, s (0 with fewer than two samples).
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        if self.len() < 2 {
            0.0
        } else {
            self.at(self.len() - 1) - self.at(0)
        }
    }

    /// The median interval between samples, s; `None` with fewer than two samples.
    #[must_use]
    pub fn median_step_s(&self) -> Option<f64> {
        match self {
            _ if self.len() < 2 => None,
            Self::Regular { rate_hz, .. } => Some(1.0 / rate_hz),
            Self::Explicit(t) => {
                let steps: Vec<f64> = t.windows(2).map(|w| w[1] - w[0]).collect();
                Some(crate::stats::median(&steps))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_and_explicit_agree() {
        let regular = TimeAxis::Regular {
            start_s: 1.0,
            rate_hz: 4.0,
            len: 5,
        };
        let explicit = TimeAxis::Explicit(regular.to_vec());
        assert_eq!(explicit.to_vec(), [1.0, 1.25, 1.5, 1.75, 2.0]);
        assert_eq!(regular.duration_s(), explicit.duration_s());
        assert_eq!(regular.median_step_s(), explicit.median_step_s());
        assert_eq!(TimeAxis::Explicit(vec![]).median_step_s(), None);
    }
}
