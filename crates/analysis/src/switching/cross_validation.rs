//! How many states: held-out likelihood over folds of trials.

use chiasm_core::{Inside, Streams, Watch};
use chiasm_data::Counts;
use serde::{Deserialize, Serialize};

use super::{SwitchingError, SwitchingGlm};

/// Held-out likelihood of one number of states on one fold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    /// States.
    pub states: usize,
    /// The fold, from 0.
    pub fold: usize,
    /// Held-out log-likelihood for each bin and unit, terms -ln x! included.
    pub held_out: f64,
    /// The same of the training trials.
    pub training: f64,
}

/// Fits the model with each of these numbers of states to all folds but one and scores it on that one. Trial `i` belongs
/// to fold `i % folds`. All numbers of states see the same folds and the same random starts.
///
/// # Errors
/// Those of [`SwitchingGlm::fit`]; [`SwitchingError::Folds`] for fewer than 2 folds or fewer trials than folds; a unit
/// that is silent in the training trials of a fold is [`SwitchingError::Silent`].
pub fn cross_validated(
    model: &SwitchingGlm,
    counts: &Counts,
    states: &[usize],
    folds: usize,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Vec<Fold>, SwitchingError> {
    if folds < 2 || counts.n_trials() < folds {
        return Err(SwitchingError::Folds {
            folds,
            trials: counts.n_trials(),
        });
    }
    watch.stage("cross-validation", (states.len() * folds) as u64);
    let mut results = Vec::new();
    for &n in states {
        let model = SwitchingGlm {
            states: n,
            ..model.clone()
        };
        for fold in 0..folds {
            watch.check()?;
            let (held, kept): (Vec<usize>, Vec<usize>) =
                (0..counts.n_trials()).partition(|i| i % folds == fold);
            let pick = |idx: &[usize]| counts.select_trials(idx).expect("trials in every fold");
            let streams = streams.child(&format!("fold {fold}"));
            let fit = model.fit(&pick(&kept), &streams, &Inside(watch))?;
            results.push(Fold {
                states: n,
                fold,
                held_out: fit.model.decode(&pick(&held))?.per_count(),
                training: fit.decoded.per_count(),
            });
            watch.tick(1);
        }
    }
    Ok(results)
}
