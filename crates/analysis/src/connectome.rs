//! The functional connectome: communities of neurons from how they are active together (paper 01).

pub mod block_model;
