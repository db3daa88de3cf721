//! What networks learn from and are tested on.

use chiasm_core::Failure;
use chiasm_lab::Bench;

use super::config::{Config, Source};
pub(super) use crate::photographs::{Photographs as Data, draw};

pub(super) fn load(config: &Config, bench: &mut Bench) -> Result<Data, Failure> {
    let cifar = config.source == Source::Cifar10;
    crate::photographs::load(cifar, (config.n_train, config.n_test), bench)
}
