//! Where a step lies, said before anything is run.

use super::map::{LARGEST, Regime, ScalarMap};
use super::patches::{Features, Patches};
use crate::theory::TheoryError;

/// Where a step lies among the regimes of a strong sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The dimensionless step `4 eta |u|^2 / m`.
    pub k: f64,
    /// The same with all patches of a sample: `4 eta (|x_1|^2 + |x_2|^2 + ...) / m`, the mean over strong samples.
    pub k_eff: f64,
    /// What `k` alone would do.
    pub regime: Regime,
    /// What `k_eff` would do.
    pub effective: Regime,
    /// What to look out for.
    pub warnings: Vec<String>,
}

impl Standing {
    /// Of a step `eta` on `m` filters of either sign.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for a step that is not above 0.
    pub fn new(
        eta: f64,
        m: usize,
        features: &Features,
        train: &Patches,
    ) -> Result<Self, TheoryError> {
        let per = 4.0 * eta / m as f64;
        let k = per * features.strong_norm();
        let k_eff = per * train.mean_norm();
        let mut warnings = Vec::new();
        if k_eff > LARGEST {
            warnings.push(format!(
                "all patches of a sample together make the step k = {k_eff:.3}, above {LARGEST:.3}: filters may die or \
                 diverge; take a smaller step or less noise"
            ));
        }
        let q = features.ratio();
        if q > 1.0 {
            warnings.push(format!(
                "|v|^2 / |u|^2 = {q:.3}, above 1: the weak feature is not weak"
            ));
        }
        Ok(Self {
            k,
            k_eff,
            regime: ScalarMap::new(k)?.regime(),
            effective: ScalarMap::new(k_eff)?.regime(),
            warnings,
        })
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "k = {:.3} ({})", self.k, self.regime)?;
        write!(
            f,
            "; with all patches {:.3} ({})",
            self.k_eff, self.effective
        )?;
        for warning in &self.warnings {
            write!(f, "; {warning}")?;
        }
        Ok(())
    }
}
