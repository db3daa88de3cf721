//! The weighted nested stochastic block model: which neurons are connected alike, and how many kinds of them there
//! are.
//!
//! Nodes of one block share the counts and the weights of their edges to every other block. Of all partitions the one
//! is sought that lets the whole weighted graph be written down in the fewest nats ([`DescriptionLength`]); a block
//! that the data do not pay for is not made, so that no number of communities is set by hand.
//!
//! ```
//! use chiasm_analysis::connectome::block_model::{BlockModel, WeightedGraph};
//! use chiasm_core::{Quiet, Streams};
//!
//! // A complete graph of 12 neurons in two groups: only the weights tell them apart.
//! let mut edges = Vec::new();
//! for a in 0..12 {
//!     for b in a + 1..12 {
//!         edges.push((a, b, if (a < 6) == (b < 6) { 2.0 } else { 0.1 }));
//!     }
//! }
//! let graph = WeightedGraph::from_edges(12, &edges)?;
//! let blocks = BlockModel::default().fit(&graph, &Streams::new(1), &Quiet)?;
//! assert_eq!(blocks.labels(), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
//! # Ok::<(), chiasm_analysis::connectome::block_model::BlockModelError>(())
//! ```

mod config;
mod descent;
mod description;
mod error;
mod fit;
mod graph;
mod hierarchy;
mod multigraph;
mod search;
mod state;
mod table;
mod terms;
#[cfg(test)]
mod tests;
mod weights;

pub use config::{BlockModel, DegreeCorrection, WeightModel};
pub use description::{DescriptionLength, description_length};
pub use error::BlockModelError;
pub use fit::Blocks;
pub use graph::WeightedGraph;
