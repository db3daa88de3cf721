//! The field's file formats.

pub mod mat5;
