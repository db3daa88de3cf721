//! Multi-modal Gaussian-process variational autoencoder (paper 27): smooth latents of neural activity and behaviour that
//! were recorded together, some of the neurons alone, some of the behaviour alone, some of both.
//!
//! - [`MmGpVae`]: settings; [`MmGpVae::fit`], or [`MmGpVae::start`] and [`MmGpVae::train`] to keep and go on;
//! - [`Trials`]: the data, with a mask of what was seen;
//! - [`Fitted`]: latents of trials ([`Posterior`]), rates and behaviour they explain ([`Reconstruction`]), the bound;
//! - [`AffineMap`]: latents against something known, fitted on some trials and tested on others;
//! - [`FourierBasis`]: the basis in which smooth latents are sparse.
//!
//! The modes of the paper are settings of one model: [`Modalities`] says which streams are explained (neural alone is
//! Gaussian-process factor analysis, behaviour alone the GP-VAE), [`Prior`] what is known of the latents (on Fourier
//! frequencies, pruned or all; in time; or nothing: a plain VAE).

pub mod basis;
mod batch;
mod bound;
mod config;
mod error;
mod fit;
mod fitted;
mod network;
mod objective;
mod prior;
mod scales;
pub mod score;
mod start;
mod trials;

pub use basis::FourierBasis;
pub use config::{
    Combine, Latents, MapStart, MmGpVae, Modalities, NeuralLikelihood, Prior, Scaling,
};
pub use error::MmGpVaeError;
pub use fit::{Epoch, Training};
pub use fitted::{Fitted, Posterior, Reconstruction};
pub use score::{AffineMap, log_likelihood_per_count};
pub use trials::{Missing, Trials};

#[cfg(test)]
mod tests;
