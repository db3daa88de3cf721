//! The command line, end to end: the real binary, and the same command line over the example's catalogue, whose study
//! can be slow, fail and panic on purpose.

mod crossing;
mod data;
mod errors;
mod formats;
mod interrupted;
mod results;
mod simulate;
mod support;
