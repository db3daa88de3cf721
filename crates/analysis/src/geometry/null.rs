//! What a measure comes to by chance.

use chiasm_core::{Rng, Streams};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dichotomy, GeometryError, Samples};

/// What is shuffled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Null {
    /// The classes among the conditions: is this dichotomy better than any other of the same sizes?
    Conditions,
    /// The units within each condition, in another order for each (Bernardi et al. 2020): is the code better than
    /// conditions that lie anywhere, with the same activities?
    #[default]
    Units,
    /// The conditions among the trials: do the trials say anything of their conditions?
    Trials,
}

/// Values of a measure on shuffled data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullValues {
    /// The measure on the data as they are.
    pub found: f64,
    /// On each shuffle.
    pub values: Vec<f64>,
    /// The part of all, the data included, that reach the value found: `(1 + shuffles at least as large) / (1 + n)`.
    pub p: f64,
}

/// A measure on the data and on `n` shuffles of them. Shuffle `i` takes its bits from `streams.indexed("null", i)`.
///
/// # Errors
/// Those of the measure; [`GeometryError::TooFew`] for no shuffle.
pub fn null_of<F>(
    samples: &Samples,
    dichotomy: &Dichotomy,
    null: Null,
    n: usize,
    streams: &Streams,
    measure: F,
) -> Result<NullValues, GeometryError>
where
    F: Fn(&Samples, &Dichotomy) -> Result<f64, GeometryError> + Sync,
{
    if n == 0 {
        return Err(GeometryError::TooFew {
            what: "shuffles".into(),
            least: 1,
            found: 0,
        });
    }
    let found = measure(samples, dichotomy)?;
    let one = |i: usize| {
        let mut rng = streams.indexed("null", i);
        match null {
            Null::Conditions => {
                let mut labels = dichotomy.labels().to_vec();
                labels.shuffle(&mut rng);
                measure(samples, &Dichotomy::new(labels)?)
            }
            Null::Units => measure(&units_shuffled(samples, &mut rng)?, dichotomy),
            Null::Trials => {
                let mut conditions = samples.conditions().to_vec();
                conditions.shuffle(&mut rng);
                let samples = Samples::new(samples.values().to_owned(), conditions)?;
                measure(&samples, dichotomy)
            }
        }
    };
    let values: Vec<f64> = (0..n)
        .into_par_iter()
        .map(one)
        .collect::<Result<_, GeometryError>>()?;
    let reached = values.iter().filter(|v| **v >= found).count();
    Ok(NullValues {
        found,
        values,
        p: (1 + reached) as f64 / (1 + n) as f64,
    })
}

fn units_shuffled(samples: &Samples, rng: &mut Rng) -> Result<Samples, GeometryError> {
    let n_units = samples.values().ncols();
    let mut orders = vec![];
    for _ in 0..samples.n_conditions() {
        let mut order: Vec<usize> = (0..n_units).collect();
        order.shuffle(rng);
        orders.push(order);
    }
    let mut values = samples.values().to_owned();
    for (i, &c) in samples.conditions().iter().enumerate() {
        for (u, &from) in orders[c].iter().enumerate() {
            values[[i, u]] = samples.values()[[i, from]];
        }
    }
    Samples::new(values, samples.conditions().to_vec())
}
