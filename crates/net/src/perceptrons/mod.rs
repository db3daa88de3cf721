//! Multi-layer perceptrons on flattened images (paper 53): plain ones, and ones of inverted bottlenecks.
//!
//! - [`Perceptron`]: an architecture by its published name, `B_6-Wi_512`; its layers, parameters and multiply-adds;
//! - [`Pixels`]: images as standardized rows of pixels;
//! - [`Augmentation`], [`Augmented`]: crops, flips and mixtures, drawn anew for every image and epoch, as a
//!   [`Supply`](crate::network::Supply) for training;
//! - [`predict`], [`predict_views`]: probabilities of the classes, from the image or as the mean over views of it;
//! - [`fine_tune`]: a new head on a trained body;
//! - [`ScalingLaw`], [`optimal_split`]: how error falls with compute, and how compute is best spent.
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_data::generate::color_textures;
//! use chiasm_net::network::{Loss, Network, TrainingConfig};
//! use chiasm_net::perceptrons::{Augmentation, Augmented, Crop, Perceptron, Pixels, accuracy};
//! use chiasm_net::train::Rule;
//!
//! let streams = Streams::new(1);
//! let pixels = Pixels::standardized(color_textures(200, &streams)?);
//! let perceptron: Perceptron = "B_1-Wi_16".parse()?;
//! let layers = perceptron.layers(10);
//! let network = Network::<f32>::new(pixels.inputs(), &layers, &mut streams.stream("start"))?;
//! assert_eq!(network.parameters().len() as u64, perceptron.parameters(pixels.inputs(), 10));
//! let augmentation = Augmentation {
//!     crop: Crop::Padded { pixels: 4 },
//!     ..Augmentation::default()
//! };
//! let supply = Augmented::new(&pixels, augmentation, &streams)?;
//! let config = TrainingConfig {
//!     epochs: 3,
//!     batch: 50,
//!     optimizer: Rule::LION,
//!     rate: 1e-3,
//!     loss: Loss::CrossEntropy { smoothing: 0.3 },
//!     ..TrainingConfig::default()
//! };
//! let mut training = config.start(network)?;
//! while !training.done() {
//!     training.epoch_of(&supply, &streams, &Quiet)?;
//! }
//! let all: Vec<usize> = (0..pixels.len()).collect();
//! assert!(accuracy(training.network(), &pixels, &all)? > 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod architecture;
mod augment;
mod head;
mod pixels;
mod predict;
mod scaling;
#[cfg(test)]
mod tests;

pub use architecture::{Blocks, Count, Perceptron, count};
pub use augment::{Augmentation, Augmented, Crop};
pub use head::{Reach, fine_tune};
pub use pixels::{CIFAR_MEAN, CIFAR_SD, Pixels};
pub use predict::{accuracy, predict, predict_views};
pub use scaling::{Interval, Point, ScalingLaw, Split, envelope, optimal_split, power_law};
