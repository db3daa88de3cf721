//! What the paper claims, at the scale of a small network on MNIST.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims whose bound is a figure of MNIST.
pub(super) const MNIST_ALONE: [&str; 3] = ["quantized-accuracy", "random-stops-worse", "robust"];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "first-layer",
            Exact,
            "In as many steps as there are levels a neuron of the first layer spikes as often as its quantized activation says",
            "card 48, works when 1: identity of conversion",
            "first-layer/unequal",
            Bound::AtMost(0.0),
            "both from the same sums; none may differ",
        ),
        claim(
            "quantized-accuracy",
            Scaled,
            "The quantized network learns the task",
            "card 48, works when 2",
            "quantized/accuracy",
            Bound::AtLeast(0.96),
            "the card's bar for MNIST; an independent program reached .967",
        ),
        claim(
            "conversion",
            Scaled,
            "After 32 steps the spikes say what the quantized network says (worst network)",
            "card 48, works when 2",
            "long/apart",
            Bound::AtMost(0.003),
            "the card's bar",
        ),
        claim(
            "no-accuracy-lost",
            Scaled,
            "Stopping at a confidence loses no accuracy against all steps",
            "claims 1 and 2",
            "agent/lost",
            Bound::AtMost(0.001),
            "card 48, works when 2: at most a tenth of a point",
        )
        .printed("CIFAR-10: 94.27 % both ways"),
        claim(
            "latency",
            Scaled,
            "The mean latency is at most half of all steps",
            "claims 1 and 2",
            "agent/saved",
            Bound::AtLeast(0.5),
            "card 48, works when 2: at most 4 of 8 steps",
        )
        .printed("CIFAR-10: 11.51 of 27 steps"),
        claim(
            "latency-honestly",
            Scaled,
            "The mean latency is below that of the fewest steps for everyone that do as well",
            "card 48, E (ii): the honest comparison",
            "agent/saved-honestly",
            Bound::AtLeast(0.3),
            "card 48, works when 2",
        ),
        claim(
            "spikes-saved",
            Scaled,
            "Spikes are saved in proportion to steps",
            "claim 1: spikes of a neuron fall from 3.02 to 1.29",
            "spikes/apart-from-latency",
            Bound::AtMost(0.1),
            "card 48, works when 6: within a tenth of the latency saved",
        ),
        claim(
            "robust",
            Scaled,
            "At the calibrated smoothing accuracy hardly depends on the threshold",
            "claim 3; card 48, works when 3",
            "range/smooth",
            Bound::AtMost(0.002),
            "thresholds from .6 to .95 within a fifth of a point",
        ),
        claim(
            "oracle-accuracy",
            Exact,
            "No rule is more accurate than the oracle",
            "claim 4; card 48, works when 4",
            "oracle/above-agent",
            Bound::AtLeast(0.0),
            "by its definition",
        ),
        claim(
            "oracle-latency",
            Qualitative,
            "The oracle stops sooner than the agent",
            "claim 4; card 48, works when 4",
            "oracle/sooner",
            Bound::AtLeast(0.0),
            "the agent is sooner only where it stops before it is right",
        ),
        claim(
            "random-stops-worse",
            Qualitative,
            "The same stop times dealt out at random are less accurate: confidence tells which images are hard",
            "card 48, works when 5 (chosen)",
            "dealt/worse-by",
            Bound::AtLeast(0.003),
            "three tenths of a point",
        ),
        claim(
            "drift-order",
            Qualitative,
            "Made-up samples that drift more slowly are watched for longer",
            "card 48, works when 7",
            "drift/ordered-by",
            Bound::AtLeast(0.0),
            "mean steps at drifts .3, 1 and 3 in this order; the least difference",
        ),
    ]
}
