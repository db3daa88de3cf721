//! The ground floor of chiasm: what every other crate shares and nothing more.
//!
//! - [`error`]: three groups of faults (input, numerical, I/O) and [`Failure`], the one type that carries any of
//!   them upwards to a face;
//! - [`rng`]: named random streams, so that the same seed gives the same bits on any number of threads;
//! - [`watch`]: progress and cancellation, handed in by the caller;
//! - [`time`]: time axes in seconds;
//! - [`stats`]: small numerics on slices (quantiles, ranks, smoothing, correlation);
//! - [`linalg`]: symmetric positive definite matrices: factor, solve, invert;
//! - [`simd`]: loops compiled for the vector registers at hand;
//! - [`names`]: the nearest name, for errors that say what to fix.
//!
//! This crate touches no file, clock, thread or terminal.
//!
//! ```
//! use chiasm_core::{rng::Streams, stats};
//! use rand::RngExt;
//!
//! let streams = Streams::new(7);
//! let mut noise = streams.stream("noise");
//! let x: Vec<f64> = (0..100).map(|_| noise.random::<f64>()).collect();
//! assert!((stats::mean(&x) - 0.5).abs() < 0.1);
//! ```

pub mod error;
pub mod linalg;
pub mod names;
pub mod rng;
pub mod simd;
pub mod stats;
pub mod time;
pub mod watch;

pub use error::{Diagnose, Failure, Group, SettingError};
pub use rng::{Rng, Streams};
pub use simd::{summed, vectorized};
pub use time::TimeAxis;
pub use watch::{Cancelled, Inside, Quiet, Watch};
