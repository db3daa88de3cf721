//! Noise on RDMs for simulations: Gaussian on every distance, then clipped at 0 (paper 43, released code).

use chiasm_core::{Streams, stats};
use chiasm_data::{RdmRules, Rdms};
use ndarray::Array2;
use rand_distr::{Distribution, Normal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RsaError;

/// Whose standard deviation the noise level is a multiple of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseScale {
    /// That of each RDM: kind to RDMs of small scale.
    #[default]
    PerRdm,
    /// That of all distances of all RDMs, as in the released code: drowns RDMs of small scale.
    Pooled,
}

/// The RDMs with noise of `level` times their standard deviation. RDM `i` takes its bits from
/// `streams.indexed("noise", i)`.
///
/// # Errors
/// [`RsaError::Parameter`] for a level below 0 or NaN; [`RsaError::Constant`] if noise and clipping leave all distances of
/// an RDM equal.
pub fn add_noise(
    rdms: &Rdms,
    level: f64,
    scale: NoiseScale,
    streams: &Streams,
) -> Result<Rdms, RsaError> {
    if !(level >= 0.0 && level.is_finite()) {
        return Err(RsaError::Parameter {
            name: "level",
            expected: "a noise level of 0 or more",
            found: level,
        });
    }
    let pooled = stats::sd(&rdms.values().iter().copied().collect::<Vec<_>>(), 0);
    let mut values = Array2::zeros(rdms.values().raw_dim());
    for (i, mut row) in values.rows_mut().into_iter().enumerate() {
        let clean = rdms.vector(i);
        let sd = match scale {
            NoiseScale::Pooled => pooled,
            NoiseScale::PerRdm => stats::sd(&clean.to_vec(), 0),
        };
        let normal = Normal::new(0.0, level * sd).map_err(|_| RsaError::Parameter {
            name: "level",
            expected: "a finite standard deviation of the noise",
            found: level * sd,
        })?;
        let mut rng = streams.indexed("noise", i);
        for (v, &d) in row.iter_mut().zip(clean) {
            *v = (d + normal.sample(&mut rng)).max(0.0);
        }
    }
    Rdms::from_condensed(values, rdms.labels().to_vec(), RdmRules::default()).map_err(|_| {
        RsaError::Constant {
            what: "an RDM with noise".into(),
            value: 0.0,
        }
    })
}
