//! Recordings of neurons, from an animal or from a model, in one form.
//!
//! - [`recording`]: [`Recording`], what every analysis takes; built from a [`Draft`] that is validated once;
//! - [`io`]: [`io::read`] and [`io::write`], for the formats of the field ([`formats`]);
//! - [`files`]: the one small trait behind which all file access stands;
//! - [`counts`]: [`Counts`], spikes in bins, trial by trial, by the rules of [`Counting`];
//! - [`arrays`]: files of named arrays that are no recording, and columns of CSV files;
//! - [`rdm`]: [`Rdms`], dissimilarity matrices over the same stimuli, checked as strictly;
//! - [`photos`]: [`Photos`], images of one size from folders, lists and stacks;
//! - [`color_images`]: [`ColorImages`], images in color with the class of each;
//! - [`sound`]: [`Sound`](sound::Sound), WAV files, and spikes of a cochlea of mel-spaced bands;
//! - [`vibration`]: [`Vibration`](vibration::Vibration), signals of machines by condition, and the same in noise;
//! - [`text`]: text as tokens of a vocabulary of byte pairs;
//! - [`datasets`]: published data sets with their checksums: finding, fetching, loading them;
//! - [`events`]: [`Events`], address events of cameras and cochleas, and the steps they are binned into;
//! - [`generate`]: recordings with planted truth;
//! - [`error`]: [`DataError`], which names file, dataset, unit, index, expected and found.

pub mod arrays;
pub mod color_images;
pub mod counts;
pub mod datasets;
pub mod error;
pub mod events;
pub mod files;
mod folder;
pub mod formats;
pub mod generate;
pub mod io;
pub mod photos;
pub mod rdm;
pub mod recording;
pub mod sound;
pub mod text;
pub mod vibration;

pub use arrays::NamedArrays;
pub use color_images::{Channels, ColorImages};
pub use counts::{Counting, Counts, Silent};
pub use error::{DataError, Place};
pub use events::{Event, Events, Sensor};
pub use files::{DiskFiles, Files};
pub use photos::Photos;
pub use rdm::{RdmLabel, RdmRules, Rdms};
pub use recording::{
    Activity, Covariate, Draft, Epoch, Missing, Recording, Repair, Session, Spikes, Traces, Unit,
};
