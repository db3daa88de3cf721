//! Inner loops that are compiled with this crate, for both precisions.
//!
//! A generic function is compiled with the crate that first names its type. Those above this one are built with few optimizations
//! in tests, where nothing would be inlined or run in vector registers: several times slower.

use chiasm_core::{Streams, Watch};

use crate::Real;
use crate::network::{
    Epoch, Gradients, Network, NetworkError, Spare, Supply, Trace, Training, Workspace,
};
use crate::perceptrons::Augmented;
use crate::train::{NotFinite, Optimizer, Parameters};

/// Entries into these loops. They are called by the methods of the same names, and by nothing else.
#[doc(hidden)]
pub trait Compiled: Sized {
    /// One pass of training.
    fn pass(
        training: &mut Training<Self>,
        supply: &dyn Supply<Self>,
        streams: &Streams,
        watch: &dyn Watch,
        workspace: &mut Workspace<Self>,
    ) -> Result<Epoch, NetworkError>
    where
        Self: Real;
    /// From inputs through so many steps.
    fn forward(
        network: &Network<Self>,
        x: &[Self],
        rows: usize,
        steps: usize,
        trace: &mut Trace<Self>,
    ) where
        Self: Real;
    /// From the gradient of the outputs to those of parameters and, if asked for, inputs.
    fn back(
        network: &Network<Self>,
        trace: &Trace<Self>,
        outputs: Vec<Self>,
        into: &mut Gradients<Self>,
        inputs: bool,
        spare: &mut Spare<Self>,
    ) -> Vec<Self>
    where
        Self: Real;
    /// A step of an optimizer.
    fn update(
        optimizer: &mut Optimizer<Self>,
        parameters: &mut Parameters<Self>,
        gradients: &[Vec<Self>],
        factor: f64,
    ) -> Result<Vec<f64>, NotFinite>
    where
        Self: Real;
    /// Augmented images.
    fn see(supply: &Augmented<'_>, epoch: usize, samples: &[usize], rows: &mut [Self])
    where
        Self: Real;
}

macro_rules! compiled {
    ($t:ty) => {
        impl Compiled for $t {
            fn pass(
                training: &mut Training<Self>,
                supply: &dyn Supply<Self>,
                streams: &Streams,
                watch: &dyn Watch,
                workspace: &mut Workspace<Self>,
            ) -> Result<Epoch, NetworkError> {
                // One of the pool's threads from start to end: handing every product over to it takes longer than a small one.
                rayon::scope(|_| training.pass_inner(supply, streams, watch, workspace))
            }
            fn forward(
                network: &Network<Self>,
                x: &[Self],
                rows: usize,
                steps: usize,
                trace: &mut Trace<Self>,
            ) {
                network.forward_inner(x, rows, steps, trace);
            }
            fn back(
                network: &Network<Self>,
                trace: &Trace<Self>,
                outputs: Vec<Self>,
                into: &mut Gradients<Self>,
                inputs: bool,
                spare: &mut Spare<Self>,
            ) -> Vec<Self> {
                network.back_inner(trace, outputs, into, inputs, spare)
            }
            fn update(
                optimizer: &mut Optimizer<Self>,
                parameters: &mut Parameters<Self>,
                gradients: &[Vec<Self>],
                factor: f64,
            ) -> Result<Vec<f64>, NotFinite> {
                optimizer.update_inner(parameters, gradients, factor)
            }
            fn see(supply: &Augmented<'_>, epoch: usize, samples: &[usize], rows: &mut [Self]) {
                supply.see_inner(epoch, samples, rows);
            }
        }
    };
}

compiled!(f32);
compiled!(f64);
