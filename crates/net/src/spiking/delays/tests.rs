//! Kernels by their values, layers by the plain convolution, gradients by finite differences of a plain network.

mod gradients;
mod kernels;
mod layers;
mod oracle;
mod recording;
mod training;
