//! Studies of networks that learn one task after another.

pub mod hlop;
