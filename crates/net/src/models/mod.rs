//! Whole architectures.

pub mod mm_gpvae;

pub use mm_gpvae::MmGpVae;
