//! The 56 systems of the catalogue, built or planned: what each is called, where it belongs, what it is.

use chiasm_lab::Area;
use serde::Serialize;

/// One system of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct System {
    /// Number of its paper, 1 to 56.
    pub card: u8,
    /// Name of its study: `chiasm run NAME`.
    pub name: &'static str,
    /// Its area.
    pub area: Area,
    /// Where its method lives, or will live.
    pub home: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
}

const fn system(
    card: u8,
    name: &'static str,
    area: Area,
    home: &'static str,
    title: &'static str,
) -> System {
    System {
        card,
        name,
        area,
        home,
        title,
    }
}

/// All systems, by the number of their paper.
#[rustfmt::skip]
pub const SYSTEMS: [System; 56] = [
    system(1, "dynamic-connectome", Area::Recordings, "analysis::connectome", "communities of neurons that change in time: affinities, tensor factorization, block model"),
    system(2, "ncap-swimmer", Area::Embodied, "world::swimmer, circuit::locomotion", "worm locomotion circuit driving a swimmer"),
    system(3, "neuroformer", Area::Recordings, "net::models::neuroformer", "generative pretrained transformer for spikes, stimuli and behaviour"),
    system(4, "sdr-dendrites", Area::Neurons, "circuit::dendrite", "accuracy of active dendrites on sparse representations, exact and by simulation"),
    system(5, "systematic-search", Area::Embodied, "world::search", "behaviour as systematic search over a cognitive graph with harmonic codes"),
    system(6, "biclustering", Area::Recordings, "analysis::biclustering", "neurons and states clustered together by their latent dynamics, Bayesian"),
    system(7, "astro-snn", Area::Spiking, "net::models::astro", "astrocyte-modulated spiking language model"),
    system(8, "milan", Area::Microscope, "probe::describe", "natural-language descriptions of units"),
    system(9, "neuroswarms", Area::Neurons, "circuit::oscillator, world::swarm", "phase-coded swarms: synchrony, nested oscillations, sequences"),
    system(10, "homeostatic", Area::Continual, "net::continual::homeostasis", "a network whose own needs set its learning rate, under concept shift"),
    system(11, "mental-simulation", Area::Recordings, "net::models::future", "future prediction in latent spaces, scored against neural and behavioural data"),
    system(12, "adaptive-gain", Area::Neurons, "circuit::gain", "gains of a recurrent cortical circuit that adapt to its stimuli"),
    system(13, "nested-dynamics", Area::Structure, "diagram::poly", "nested, adapting wiring of dynamical systems; gradient descent as one instance"),
    system(14, "ca3-cam", Area::Spiking, "circuit::ca3", "hippocampal content-addressable spiking memory"),
    system(15, "facets", Area::Microscope, "probe::facets", "multifaceted feature visualization"),
    system(16, "nalsm", Area::Spiking, "circuit::reservoir", "liquid state machine held near criticality by an astrocyte"),
    system(17, "rich-lazy", Area::Learning, "net (training), analysis::kernel", "rank of initial connectivity and the learning regime"),
    system(18, "self-sorting", Area::Structure, "world::cells", "sorting arrays of autonomous cells as morphogenesis"),
    system(19, "hlop", Area::Continual, "net::continual::hlop", "Hebbian orthogonal projection for continual learning in spiking networks"),
    system(20, "action-som", Area::Embodied, "analysis::som", "hierarchical self-organizing maps recognise actions from skeletons"),
    system(21, "elm-neuron", Area::Neurons, "net::models::elm", "expressive leaky memory neuron"),
    system(22, "neural-collapse", Area::Learning, "analysis::collapse", "perturbation analysis of neural collapse"),
    system(23, "representational-geometry", Area::Learning, "analysis::geometry", "task structure, nonlinearity and the geometry of representations"),
    system(24, "critical-periods", Area::Learning, "net::theory", "critical learning periods in deep linear networks"),
    system(25, "discriminative-stimuli", Area::Recordings, "probe::stimuli", "functional cell types by most discriminative stimuli"),
    system(26, "onehot-hmm-glm", Area::Recordings, "analysis::switching", "state-switching GLM with connectome-like priors"),
    system(27, "mm-gpvae", Area::Recordings, "net::models::mm_gpvae", "shared and private Gaussian-process latents of neural and behavioural data"),
    system(28, "bricks", Area::Microscope, "probe::modules", "functional modules of language models: find, route, merge, update, grow"),
    system(29, "drm", Area::Embodied, "world::rl", "visual reinforcement learning by dormant-ratio minimisation"),
    system(30, "fisbe", Area::Recordings, "analysis::segmentation", "metrics and baselines for instance segmentation of neurons"),
    system(31, "circuit-diagrams", Area::Structure, "diagram", "neural circuit diagrams: check, draw, run, differentiate, cost"),
    system(32, "resistive-lsm", Area::Spiking, "circuit::frozen, circuit::memristor, analysis::contrastive", "zero-shot learning on a memristor liquid state machine"),
    system(33, "myodex", Area::Embodied, "world::hand", "muscle-driven hand with a multi-task prior"),
    system(34, "quadratic-networks", Area::Learning, "net::quadratic", "quadratic neurons and their stable training"),
    system(35, "continual-benchmark", Area::Continual, "net::continual", "the families of continual learning, side by side"),
    system(36, "mgno", Area::Structure, "net::models::mgno", "neural operator with multigrid linear operators"),
    system(37, "induction-heads", Area::Microscope, "probe::clamp", "formation of induction heads under clamping"),
    system(38, "timeseries-networks", Area::Recordings, "analysis::timeseries_graph", "time series as networks: cycle, recurrence, visibility graphs"),
    system(39, "bilateral-motor", Area::Embodied, "world::arm", "two specialised hemispheres controlling an arm"),
    system(40, "predictive-rl", Area::Embodied, "world::rl", "predictive auxiliary objectives and brain-like representations"),
    system(41, "codebook", Area::Microscope, "probe::codebook", "codebook features: discrete, steerable hidden states"),
    system(42, "good-body", Area::Embodied, "world::robot", "bodies that avoid catastrophic interference"),
    system(43, "trsa", Area::Recordings, "analysis::rsa", "topological representational similarity analysis"),
    system(44, "place-recognition", Area::Spiking, "circuit::place", "ensembles of compact spiking modules recognise places"),
    system(45, "learned-delays", Area::Spiking, "net::spiking::delays", "synaptic delays learned by back-propagation"),
    system(46, "convergent-learning", Area::Microscope, "analysis::matching", "do two networks learn the same features"),
    system(47, "image-triplets", Area::Microscope, "probe::triplets", "stimuli that decouple low- and high-level similarity"),
    system(48, "dynamic-confidence", Area::Spiking, "net::spiking::confidence", "spiking inference that stops when sure"),
    system(49, "blimp", Area::Embodied, "world::blimp, circuit::controller", "evolved spiking controllers for a blimp"),
    system(50, "linguistic-collapse", Area::Learning, "analysis::collapse", "neural collapse in language models"),
    system(51, "timescales", Area::Neurons, "net::models::tau_rnn", "how curricula give recurrent networks long timescales"),
    system(52, "sfq", Area::Neurons, "circuit::josephson", "superconducting single-flux-quantum neuromorphic circuits"),
    system(53, "scaling-mlps", Area::Learning, "net::perceptrons", "scaling multi-layer perceptrons"),
    system(54, "stax", Area::Embodied, "world::diversity", "sparse rewards found in a learned behaviour space"),
    system(55, "benign-oscillation", Area::Learning, "net::theory", "benign oscillation of SGD with large rates"),
    system(56, "sharp", Area::Continual, "net::continual::sharp", "activation replay with sparse, dynamic connectivity"),
];

/// The system of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static System> {
    SYSTEMS.iter().find(|s| s.name == name)
}
