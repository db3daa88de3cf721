//! The heavy generic parts, compiled here for both precisions. A generic function is compiled in the crate that asks for it, as
//! that crate is optimized: without this a development build of a study would run a network's loops at the study's low level.

use crate::network::{Loss, Network, Targets, Trace};
use crate::train::{NotFinite, Optimizer, Parameters};

/// Entry points of which each precision has its own.
#[doc(hidden)]
pub trait Compiled: Sized {
    fn forward(
        network: &Network<Self>,
        x: &[Self],
        rows: usize,
        steps: usize,
        trace: &mut Trace<Self>,
    );
    fn backward(
        network: &Network<Self>,
        trace: &Trace<Self>,
        outputs: Vec<Self>,
        into: &mut [Vec<Self>],
        inputs: bool,
    ) -> Vec<Self>;
    /// Losses, summed, and samples told right.
    fn loss(
        loss: Loss,
        outputs: &[Self],
        targets: &Targets<'_, Self>,
        samples: &[usize],
        gradient: &mut [Self],
    ) -> (f64, f64);
    fn update(
        optimizer: &mut Optimizer<Self>,
        parameters: &mut Parameters<Self>,
        gradients: &[Vec<Self>],
        factor: f64,
    ) -> Result<Vec<f64>, NotFinite>;
}

macro_rules! compiled {
    ($t:ty) => {
        impl Compiled for $t {
            fn forward(
                network: &Network<Self>,
                x: &[Self],
                rows: usize,
                steps: usize,
                trace: &mut Trace<Self>,
            ) {
                network.forward_generic(x, rows, steps, trace);
            }

            fn backward(
                network: &Network<Self>,
                trace: &Trace<Self>,
                outputs: Vec<Self>,
                into: &mut [Vec<Self>],
                inputs: bool,
            ) -> Vec<Self> {
                network.back_generic(trace, outputs, into, inputs)
            }

            fn loss(
                loss: Loss,
                outputs: &[Self],
                targets: &Targets<'_, Self>,
                samples: &[usize],
                gradient: &mut [Self],
            ) -> (f64, f64) {
                loss.of_generic(outputs, targets, samples, gradient)
            }

            fn update(
                optimizer: &mut Optimizer<Self>,
                parameters: &mut Parameters<Self>,
                gradients: &[Vec<Self>],
                factor: f64,
            ) -> Result<Vec<f64>, NotFinite> {
                optimizer.update_generic(parameters, gradients, factor)
            }
        }
    };
}

compiled!(f32);
compiled!(f64);
