//! Studies of recordings: structure found in the activity of animals and models.

pub mod trsa;
