//! What can be wrong with a route, an ensemble and its simulation.

use chiasm_core::{Cancelled, Diagnose, Group, SettingError};
use chiasm_data::DataError;

/// What can be wrong with a route, an ensemble and its simulation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// A setting or an argument outside its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No traverse was given, or one without images or pixels.
    #[error("expected at least one traverse of at least one image, found none")]
    NoImages,
    /// Traverses must show the same places.
    #[error("traverse {traverse}: expected {expected} images as in traverse 0, found {found}")]
    UnequalTraverses {
        /// The traverse.
        traverse: usize,
        /// Images of the first.
        expected: usize,
        /// Its own.
        found: usize,
    },
    /// Images of different sizes.
    #[error("{what}: expected images of {} x {} pixels, found {} x {}", expected.0, expected.1, found.0, found.1)]
    Size {
        /// Which images.
        what: String,
        /// Rows and columns asked for.
        expected: (usize, usize),
        /// Rows and columns given.
        found: (usize, usize),
    },
    /// An image without any structure.
    #[error("image {image}: every pixel is {value}")]
    Constant {
        /// Index of the image.
        image: usize,
        /// The value of its pixels.
        value: u8,
    },
    /// A route too short for a single module.
    #[error("expected at least {per_module} places, one module's, found {places}")]
    TooFewPlaces {
        /// Places of the route.
        places: usize,
        /// Places of a module.
        per_module: usize,
    },
    /// A place used both to choose the threshold and to test.
    #[error("place {place} is in the calibration and in the test")]
    Overlap {
        /// The place.
        place: usize,
    },
    /// A threshold of hyperactivity under which nobody is left to answer.
    #[error("a threshold of {threshold} images silences every neuron that ever responds")]
    AllSilenced {
        /// The threshold.
        threshold: u32,
    },
    /// A neuron without input.
    #[error("module {module}: all weights onto neuron {neuron} have become 0")]
    NoWeight {
        /// The module.
        module: usize,
        /// The neuron.
        neuron: usize,
    },
    /// A membrane potential became infinite or not a number.
    #[error("module {module}: the potential of neuron {neuron} is {value} after {time_s} s")]
    NotFinite {
        /// The module.
        module: usize,
        /// The neuron.
        neuron: usize,
        /// Its potential, mV.
        value: f64,
        /// Simulated time, s.
        time_s: f64,
    },
    /// A file of a stored ensemble that is not one.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Stopped on request; what was learned so far is kept.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for PlaceError {
    fn group(&self) -> Group {
        match self {
            Self::NoWeight { .. } | Self::NotFinite { .. } => Group::Numerical,
            Self::Data(e) => e.group(),
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnequalTraverses { .. } => {
                Some("every traverse needs one image of each place, in the same order".into())
            }
            Self::Constant { .. } => {
                Some("leave the place out of all traverses; nothing tells it from another".into())
            }
            Self::TooFewPlaces { .. } => Some("lower places_per_module".into()),
            Self::AllSilenced { .. } => Some("raise the threshold, or set it to 0 for none".into()),
            Self::NotFinite { .. } => Some("weights are too large for the step".into()),
            Self::Data(e) => e.help(),
            _ => None,
        }
    }
}
