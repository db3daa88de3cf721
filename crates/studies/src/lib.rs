//! The catalogue: one study for each paper, wiring only.
