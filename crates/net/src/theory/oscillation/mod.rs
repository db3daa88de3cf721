//! Benign oscillation: a network whose step is so large that its predictions keep oscillating goes on learning a feature that is
//! weak but always there, where small steps stop at the strong one (paper 55, Lu, Wu, Yang and Zou, ICLR 2024).
//!
//! - [`ScalarMap`]: what one strong sample does, exactly: fixed point, 2-cycle, chaos, death; [`Regime`] and [`Standing`] say where
//!   a step lies before anything is run;
//! - [`Patches`], [`Recipe`]: samples of three patches (a strong feature, a weak one, noise), or your own;
//! - [`Network`]: one bank of filters over all patches, squared and rectified;
//! - [`Descent`]: stochastic gradient descent on it, with everything that is diagnosed on the way.
//!
//! Everything is said by the dimensionless step `k = 4 eta |u|^2 / m` (card 55, C).
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_net::theory::oscillation::{Descent, Network, Recipe, Regime, ScalarMap, Settings};
//!
//! # fn main() -> Result<(), chiasm_net::theory::TheoryError> {
//! // The strong sample alone: above k = 1 its prediction oscillates, and falls short of 1 on average.
//! let map = ScalarMap::new(1.2)?;
//! assert_eq!(map.regime(), Regime::TwoCycle);
//! assert!((map.mean_gap()? - 0.2 / 2.4).abs() < 1e-12);
//!
//! // The whole network.
//! let streams = Streams::new(0);
//! let recipe = Recipe::default();
//! let features = recipe.features(&streams)?;
//! let train = recipe.train(&features, &streams)?;
//! let network = Network::draw(8, 64, 0.0125, &streams)?;
//! let settings = Settings { passes: 40, ..Settings::default() };
//! let mut descent = Descent::new(network, &train, &features, settings)?;
//! println!("{}", descent.standing());
//! descent.run(&streams, &Quiet)?;
//! assert!(descent.trace().loss.last().is_some_and(|l| l.is_finite()));
//! # Ok(())
//! # }
//! ```

mod descent;
mod map;
mod network;
mod patches;
mod standing;
#[cfg(test)]
mod tests;

pub use descent::{Decay, Descent, Settings, Trace};
pub use map::{LARGEST, Orbit, Regime, ScalarMap, TWO_CYCLE};
pub use network::{Network, OneSample, Rectifier};
pub use patches::{Features, Kind, Patches, Recipe};
pub use standing::Standing;
