//! The gain at which a reservoir spikes as often as it is asked to.

use chiasm_core::{Inside, SettingError, Streams, Watch};
use chiasm_data::events::Steps;
use serde::{Deserialize, Serialize};

use super::{FrozenError, Reservoir};

/// Factors are sought up to 2 to this power, and down to its inverse.
const DOUBLINGS: usize = 12;
/// The rate is met within this fraction of it.
const TOLERANCE: f64 = 0.01;
/// Halvings of the bracket before the nearest is taken for all there is.
const HALVINGS: usize = 40;

/// How a gain was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What all weights were multiplied by.
    pub factor: f64,
    /// Spikes for each neuron and step with it.
    pub rate: f64,
    /// Factors and their rates, in the order in which they were tried.
    pub tried: Vec<(f64, f64)>,
}

impl Reservoir {
    /// The same reservoir with all weights times the factor at which its neurons spike in a fraction `target` of all steps,
    /// within 1 % of that: first by doubling or halving, then by halving the bracket's logarithm.
    ///
    /// # Errors
    /// [`FrozenError::Setting`] for a target outside 0 to 0.8; [`FrozenError::NoGain`] where no factor between 1/4096 and
    /// 4096 gives it; as [`Self::encode`] for samples.
    pub fn with_rate(
        &self,
        samples: &[Steps],
        target: f64,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(Self, Search), FrozenError> {
        let holds = target > 0.0 && target <= 0.8;
        SettingError::check(holds, "target", "above 0, at most 0.8", target)?;
        let mut tried: Vec<(f64, f64)> = vec![];
        let mut rate = |factor: f64| -> Result<f64, FrozenError> {
            let reservoir = self.scaled(factor)?;
            let rate = reservoir.counts(samples, streams, &Inside(watch))?.rate;
            tried.push((factor, rate));
            Ok(rate)
        };
        let met = |rate: f64| (rate - target).abs() <= TOLERANCE * target;
        let first = rate(1.0)?;
        if !met(first) {
            // The rate grows with the factor, though not without end.
            let up = first < target;
            let (mut inner, mut outer, mut between) = (1.0, 1.0, false);
            for _ in 0..DOUBLINGS {
                inner = outer;
                outer *= if up { 2.0 } else { 0.5 };
                between = (rate(outer)? < target) != up;
                if between {
                    break;
                }
            }
            let (mut low, mut high) = if up { (inner, outer) } else { (outer, inner) };
            for _ in 0..if between { HALVINGS } else { 0 } {
                let middle = (low * high).sqrt();
                let found = rate(middle)?;
                if met(found) {
                    break;
                }
                if found < target {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        let distance = |rate: f64| (rate - target).abs();
        let nearest = tried
            .iter()
            .copied()
            .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
        let (factor, rate) = nearest.unwrap_or((1.0, first));
        let reservoir = self.scaled(factor)?;
        if !met(rate) {
            return Err(FrozenError::NoGain {
                target,
                rate,
                input_gain: reservoir.config.input_gain,
            });
        }
        Ok((
            reservoir,
            Search {
                factor,
                rate,
                tried,
            },
        ))
    }
}
