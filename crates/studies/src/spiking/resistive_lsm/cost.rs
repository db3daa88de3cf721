//! Multiply-accumulates of training, as the card counts them: of what is trained alone.

use super::config::Config;
use super::cross;

/// Multiply-accumulates of one pass over the pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// Of the projections, by contrast.
    pub(super) contrastive: f64,
    /// Of the projections, by prototypes.
    pub(super) prototypes: f64,
    /// Of the same projections and both recurrent networks before them, by back-propagation through time; dense.
    pub(super) recurrent: f64,
    /// The same, where products with inputs and spikes that are 0 are left out.
    pub(super) recurrent_sparse: f64,
}

/// What happens in one network over a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Activity {
    /// Input channels.
    pub(super) n_inputs: usize,
    /// Neurons.
    pub(super) n_neurons: usize,
    /// Steps.
    pub(super) n_steps: usize,
    /// Active channels of a step, mean.
    pub(super) inputs: f64,
    /// Neurons that spike in a step, mean.
    pub(super) spikes: f64,
}

impl Activity {
    /// Forward products with both weight matrices, the gradient's product with the recurrent one, and the gradients of
    /// both; each for every step.
    fn back_propagation(&self) -> f64 {
        let (n, m) = (self.n_neurons as f64, self.n_inputs as f64);
        self.n_steps as f64 * (2.0 * n * m + 3.0 * n * n)
    }

    /// As above with inputs and spikes that are 0 left out; the gradient that goes back is not sparse.
    fn sparse(&self) -> f64 {
        let n = self.n_neurons as f64;
        self.n_steps as f64 * (2.0 * n * self.inputs + 2.0 * n * self.spikes + n * n)
    }
}

pub(super) fn cost(config: &Config, n_pairs: usize, [a, b]: [Activity; 2]) -> Cost {
    let (n_a, n_b) = (a.n_neurons, b.n_neurons);
    let n_classes = cross::TRAINED.len();
    let macs = |of: chiasm_analysis::contrastive::Contrastive| {
        of.macs_per_pass(n_pairs, n_a, n_b, n_classes) as f64
    };
    let contrastive = macs(config.contrastive);
    let n = n_pairs as f64;
    Cost {
        contrastive,
        prototypes: macs(cross::prototypes(config)),
        recurrent: contrastive + n * (a.back_propagation() + b.back_propagation()),
        recurrent_sparse: contrastive + n * (a.sparse() + b.sparse()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recurrent_network_costs_what_its_matrices_do() {
        let network = Activity {
            n_inputs: 256,
            n_neurons: 200,
            n_steps: 50,
            inputs: 18.0,
            spikes: 36.0,
        };
        assert_eq!(
            network.back_propagation(),
            50.0 * (2.0 * 51_200.0 + 3.0 * 40_000.0)
        );
        assert_eq!(network.sparse(), 50.0 * (400.0 * 54.0 + 40_000.0));
    }
}
